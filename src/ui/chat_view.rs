//! The chat in front: what keeps the user from talking, if anything does, then the timeline and the composer.

use egui::{Align, CornerRadius, Frame, Layout, Margin, Panel, RichText, Ui, vec2};
use jiff::Timestamp;

use super::action::Action;
use super::commands::UiCommand;
use super::composer::{Composer, ComposerContext, composer_ui};
use super::icons::Icon;
use super::joining::joining_ui;
use super::notices::{notices_ui, why_not_write};
use super::theme::{self, size};
use super::timeline::{TimelineOptions, TimelineView, timeline_ui};
use super::widgets::{connection_color, paragraph_ui, secondary_button};
use crate::model::{
    Chat, ChatKind, Chats, Connection, Deed, HistoryRule, Hurdle, Join, Members, Role, max_text_len,
};

/// What the window keeps of a chat between frames.
#[derive(Debug)]
pub struct ChatView {
    /// Where the reader is.
    pub timeline: TimelineView,
    /// What is being written.
    pub composer: Composer,
    /// What the composer completes.
    nicks: Nicks,
}

impl ChatView {
    /// At the end, with what was typed and not sent.
    pub fn new(chat: &Chat) -> Self {
        Self {
            timeline: TimelineView::new(),
            composer: Composer::with_draft(chat.draft.clone()),
            nicks: Nicks::default(),
        }
    }
}

/// What the members are called, as the composer completes it.
#[derive(Debug, Default)]
struct Nicks {
    /// Of which version of the members.
    version: u64,
    here: Vec<String>,
    banned: Vec<String>,
}

impl Nicks {
    fn follow(&mut self, members: &Members) {
        if self.version != members.version() {
            *self = Self {
                version: members.version(),
                here: members.nicks(),
                banned: members.banned().map(|member| member.nick.clone()).collect(),
            };
        }
    }
}

/// What the view has to know of the window.
#[derive(Debug, Clone, Copy)]
pub struct ChatViewOptions {
    /// What time it is.
    pub now: Timestamp,
    /// Rows without the space between authors.
    pub compact: bool,
    /// Whether the keys are for this chat: not while a dialog is open.
    pub keys: bool,
}

/// Paints the chat in front into all the room that there is.
pub fn chat_view_ui(
    ui: &mut Ui,
    chats: &Chats,
    chat: &Chat,
    view: &mut ChatView,
    options: ChatViewOptions,
) -> Vec<Action> {
    let mut actions = Vec::new();
    let connection = chat.connection(options.now);
    let hurdle = chat.hurdle();
    if let Some(hurdle) = hurdle {
        fitted_panel_ui(ui, "joining", Panel::top, |ui| {
            actions.extend(joining_ui(ui, chat, hurdle, options.now));
        });
    } else if let Some(banner) = Banner::of(chat, connection) {
        fitted_panel_ui(ui, "banner", Panel::top, |ui| {
            actions.extend(banner.ui(ui, connection));
        });
    }
    fitted_panel_ui(ui, "composer", Panel::bottom, |ui| {
        actions.extend(notices_ui(ui, chat, options.now));
        view.nicks.follow(&chat.members);
        let context = composer_context(chat, hurdle, &view.nicks, options.now);
        let done = composer_ui(ui, &mut view.composer, &context);
        actions.extend(done.into_iter().map(|action| Action::Composer(chat.id, action)));
    });
    let timeline_options = TimelineOptions {
        compact: options.compact,
        today: options.now.to_zoned(chats.zone().clone()).date(),
        shared_nicks: chat.members.shared_nicks(),
        keys: options.keys,
        empty_hint: "Nothing has been said here yet.",
        beginning: &beginning_words(chat),
        fetching: chat.fetching.is_some(),
        may_ban: chat.may(Deed::Ban).is_ok(),
    };
    let done = timeline_ui(ui, &mut view.timeline, &chat.timeline, &timeline_options);
    actions.extend(done.into_iter().map(|action| Action::Timeline(chat.id, action)));
    actions
}

/// A panel as high as what stands in it. egui gives it the height that it had before: what stands in it must not take
/// all of that, and where it needs more or less, the pass is done again, so that nothing is painted at a wrong place.
fn fitted_panel_ui(
    ui: &mut Ui,
    name: &'static str,
    side: fn(&'static str) -> Panel,
    contents: impl FnOnce(&mut Ui),
) {
    let panel = side(name).frame(Frame::new()).show_separator_line(false);
    let height = panel.show(ui, contents).response.rect.height();
    let id = ui.scope_id().with(("height", name));
    let before = ui.data_mut(|data| std::mem::replace(data.get_temp_mut_or(id, height), height));
    if before != height {
        ui.ctx().request_discard("a panel has another height");
    }
}

/// What stands above the first message if there is none before it.
fn beginning_words(chat: &Chat) -> String {
    match chat.history_rule {
        _ if chat.role == Role::Founder || chat.kind == ChatKind::Classic => {
            "This is where the chat begins".to_owned()
        }
        HistoryRule::All => "This is the beginning of what can be had".to_owned(),
        HistoryRule::Days { days } => {
            let days = super::time_words::counted(days.into(), "day");
            format!("The founder lets newcomers see the last {days}")
        }
        HistoryRule::FromJoining => {
            "The founder lets newcomers see what is said from their joining on".to_owned()
        }
    }
}

fn composer_context<'a>(
    chat: &Chat,
    hurdle: Option<Hurdle>,
    nicks: &'a Nicks,
    now: Timestamp,
) -> ComposerContext<'a> {
    let is_out = matches!(chat.join, Join::Failed(_));
    let is_asked_for_work = matches!(hurdle, Some(Hurdle::Work(_)));
    let not_yet = is_asked_for_work.then_some("You are not in this chat yet.");
    let why_not = why_not_write(chat, now)
        .or(not_yet)
        .or(is_out.then_some("You are not in this chat."));
    ComposerContext {
        nicks: &nicks.here,
        banned_nicks: &nicks.banned,
        enabled: why_not.is_none(),
        placeholder: why_not.unwrap_or("Write a message"),
        limit_bytes: max_text_len(chat.kind),
    }
}

/// What stands in the way of talking, and the next step.
struct Banner<'a> {
    icon: Icon,
    sentence: &'a str,
    steps: Vec<(&'static str, Action)>,
}

impl<'a> Banner<'a> {
    fn of(chat: &'a Chat, connection: Connection) -> Option<Self> {
        let retry = ("Try again", Action::Retry(chat.id));
        let connect = ("Connect to a peer…", Action::Do(UiCommand::ShowConnection));
        let classic = chat.kind == ChatKind::Classic;
        if chat.own_ban().is_some() {
            // Said above the composer, with more about it.
            return None;
        }
        Some(match (&chat.join, connection) {
            (Join::Failed(sentence), _) => Self {
                icon: Icon::DoorClosed,
                sentence,
                steps: vec![("Leave the chat", Action::Leave(chat.id)), retry],
            },
            (Join::Unanswered(sentence), Connection::Nobody) => Self {
                icon: Icon::DoorClosed,
                sentence,
                steps: vec![("Leave the chat", Action::Leave(chat.id)), retry],
            },
            (Join::Asking, Connection::Looking) => Self {
                icon: Icon::DoorOpen,
                sentence: "Asking to be let in. One member who is online is enough.",
                steps: Vec::new(),
            },
            (_, Connection::Alone) if classic => Self {
                icon: Icon::UserPlus,
                sentence: "Nobody else is here yet. Connect to a peer, or give them your address.",
                steps: vec![connect],
            },
            (_, Connection::Alone) if chat.role == Role::Founder => Self {
                icon: Icon::UserPlus,
                sentence: "Nobody else is here yet. Give somebody an invite.",
                steps: vec![("Invite somebody…", Action::Do(UiCommand::ExportInvite))],
            },
            (_, Connection::Nobody) => Self {
                icon: Icon::Unplug,
                sentence: "Nobody can be reached. Are you online, and is one of the others? \
                    What you write is sent as soon as somebody is found.",
                steps: if classic {
                    vec![connect, retry]
                } else {
                    vec![retry]
                },
            },
            _ => return None,
        })
    }

    fn ui(self, ui: &mut Ui, connection: Connection) -> Option<Action> {
        let mut action = None;
        let tokens = theme::tokens(ui);
        let frame = Frame::new()
            .fill(tokens.panel)
            .corner_radius(CornerRadius::same(8))
            .inner_margin(Margin::symmetric(12, 8))
            .outer_margin(Margin {
                left: 16,
                right: 16,
                top: 8,
                bottom: 0,
            });
        frame.show(ui, |ui| {
            let height = if self.steps.is_empty() {
                size::BODY_LINE
            } else {
                size::BUTTON_HEIGHT
            };
            let row = vec2(ui.available_width(), height);
            ui.allocate_ui_with_layout(row, Layout::right_to_left(Align::Center), |ui| {
                for (name, step) in self.steps {
                    if secondary_button(ui, name, true).clicked() {
                        action = Some(step);
                    }
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let color = connection_color(connection, tokens);
                    ui.label(
                        RichText::new(self.icon.unicode())
                            .font(theme::icon_font(16.0))
                            .color(color),
                    );
                    paragraph_ui(ui, self.sentence);
                });
            });
        });
        action
    }
}
