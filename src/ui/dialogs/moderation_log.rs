//! The moderation log of a chat: who did what, and when.

use egui::{Align, Label, Layout, RichText, ScrollArea, Ui};

use super::DialogContext;
use crate::id::{ChatId, FactId};
use crate::model::{Chat, ChatCommand, ChatKind, LogLine, Role};
use crate::ui::action::Action;
use crate::ui::icons::Icon;
use crate::ui::identicon::identicon_ui;
use crate::ui::theme;
use crate::ui::widgets::{hint_ui, line_icon, secondary_button};

/// So many lines are shown at first, and more by each press of the button (a guess: some screens full).
const PAGE: usize = 200;

/// Under the words of a line, in points: beside its time and identicon.
const UNDO_INDENT: f32 = 70.0;

/// Room that the window keeps for what stands around the lines, in points.
const AROUND: f32 = 216.0;

/// The moderation log of a chat.
#[derive(Debug)]
pub struct ModerationLogDialog {
    pub(super) chat: ChatId,
    shown: usize,
    /// Of this deed it is asked whether it is to be taken back.
    asked: Option<FactId>,
}

impl ModerationLogDialog {
    /// Of this chat.
    pub fn new(chat: ChatId) -> Self {
        Self {
            chat,
            shown: PAGE,
            asked: None,
        }
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, context: &DialogContext<'_>) -> Vec<Action> {
        let Some(chat) = context.chats.get(self.chat) else {
            ui.label("This chat was left.");
            return Vec::new();
        };
        hint_ui(
            ui,
            "What the founder and the moderators did here, by their own clocks, the newest last.",
        );
        let mut actions = Vec::new();
        match &chat.log {
            _ if chat.kind == ChatKind::Classic => {
                empty_ui(ui, "A classic chat has no moderators, and so no log.");
            }
            None => empty_ui(ui, "Reading the log…"),
            Some(lines) if lines.is_empty() => empty_ui(
                ui,
                "Nothing was moderated here yet. Bans, roles and locks will be listed here.",
            ),
            Some(lines) => actions.extend(self.lines_ui(ui, chat, lines)),
        }
        if ui.link("Who may do what").clicked() {
            actions.push(Action::ShowRights(Some(self.chat)));
        }
        actions
    }

    fn lines_ui(&mut self, ui: &mut Ui, chat: &Chat, lines: &[LogLine]) -> Option<Action> {
        let mut action = None;
        let hidden = lines.len().saturating_sub(self.shown);
        let most = (ui.ctx().content_rect().height() - AROUND).max(120.0);
        ScrollArea::vertical()
            .id_salt(("moderation log", chat.id))
            .max_height(most)
            .min_scrolled_height(most)
            .stick_to_bottom(true)
            .show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 4.0;
                if hidden > 0 && secondary_button(ui, "Show earlier", true).clicked() {
                    self.shown += PAGE;
                }
                let mut day = None;
                for line in &lines[hidden..] {
                    if day != Some(line.at.date()) {
                        day = Some(line.at.date());
                        day_ui(ui, line);
                    }
                    line_ui(ui, line);
                    if chat.role == Role::Founder && line.by != chat.own && line.denied.is_none() {
                        action = self.undo_ui(ui, chat, line).or(action.take());
                    }
                }
            });
        action
    }

    /// The founder takes back what a moderator did from one deed on. It is asked first: nothing brings it back.
    fn undo_ui(&mut self, ui: &mut Ui, chat: &Chat, line: &LogLine) -> Option<Action> {
        let mut action = None;
        ui.horizontal_wrapped(|ui| {
            ui.add_space(UNDO_INDENT);
            if self.asked != Some(line.id) {
                let undo = ui.link("Undo from here…");
                if undo.on_hover_text("Take this back, and all that they did after it").clicked() {
                    self.asked = Some(line.id);
                }
                return;
            }
            let nick = chat.nick_of(line.by);
            let question = format!(
                "This and all that {nick} did after it counts no more, and {nick} is no moderator any more. That \
                 can't be undone."
            );
            ui.add(Label::new(question).wrap());
            if secondary_button(ui, "Take it back", true).clicked() {
                self.asked = None;
                let (chat, fact) = (self.chat, line.id);
                action = Some(Action::Submit(ChatCommand::UndoFrom { fact }.to(chat)));
            }
            if secondary_button(ui, "Leave it", true).clicked() {
                self.asked = None;
            }
        });
        action
    }
}

fn day_ui(ui: &mut Ui, line: &LogLine) {
    let weak = theme::tokens(ui).weak;
    ui.add_space(6.0);
    let day = line.at.strftime("%-d %B %Y").to_string();
    ui.label(RichText::new(day).font(theme::meta_strong()).color(weak));
}

fn line_ui(ui: &mut Ui, line: &LogLine) {
    let tokens = theme::tokens(ui);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        let time = format!("{:02}:{:02}", line.at.hour(), line.at.minute());
        ui.add_sized(
            [36.0, theme::size::BODY_LINE],
            Label::new(RichText::new(time).font(theme::meta()).color(tokens.weak)),
        );
        identicon_ui(ui, &line.by.0, 18.0);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let color = if line.denied.is_some() {
                tokens.weak
            } else {
                tokens.text
            };
            let sentence = RichText::new(&line.sentence)
                .color(color)
                .line_height(Some(theme::size::BODY_LINE));
            ui.add(Label::new(sentence).wrap());
            if let Some(denied) = &line.denied {
                ui.horizontal_top(|ui| {
                    ui.spacing_mut().item_spacing.x = 6.0;
                    line_icon(ui, Icon::Ban, tokens.amber, theme::size::META_LINE);
                    let why = RichText::new(format!("Without effect: {denied}"))
                        .font(theme::meta())
                        .color(tokens.amber)
                        .line_height(Some(theme::size::META_LINE));
                    ui.vertical(|ui| ui.add(Label::new(why).wrap()));
                });
            }
        });
    });
}

fn empty_ui(ui: &mut Ui, words: &str) {
    ui.add_space(20.0);
    ui.with_layout(Layout::top_down(Align::Center), |ui| {
        let weak = theme::tokens(ui).weak;
        ui.label(
            RichText::new(Icon::ScrollText.unicode())
                .font(theme::icon_font(32.0))
                .color(weak),
        );
        ui.add(Label::new(RichText::new(words).color(weak)).wrap());
    });
    ui.add_space(20.0);
}
