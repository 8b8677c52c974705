//! The composer, where messages are written: 1 to 8 lines, with the lines sent before, completion, and commands.
//!
//! What was typed leaves it only as a [`Submission`] that was understood. Anything else, or a text that is too long, stays
//! where it is, with a sentence that says why.

mod command;
mod completion;
mod history;
mod keys;

use std::sync::atomic::{AtomicU64, Ordering};

use egui::accesskit::Role;
use egui::text::{CCursor, CCursorRange};
use egui::text_edit::TextEditState;
use egui::{
    Align, Button, EventFilter, Frame, Id, Key, KeyboardShortcut, Layout, Margin, Modifiers, Popup,
    PopupCloseBehavior, PopupKind, RectAlign, Response, RichText, ScrollArea, Stroke, TextEdit, Ui, Vec2,
    WidgetInfo, vec2,
};

pub use self::command::{COMMANDS, CommandHelp, SlashCommand, Submission};
use self::completion::{Candidate, Completion};
use self::history::History;
use crate::ui::icons::Icon;
use crate::ui::theme::{self, size};

/// The most lines it shows; then it scrolls.
const MAX_LINES: f32 = 8.0;
/// The room around it.
const MARGIN: Margin = Margin {
    left: 16,
    right: 16,
    top: 4,
    bottom: 12,
};
/// The button beside it, in points.
const BUTTON_SIDE: f32 = 28.0;
/// Less room than this before the limit, in bytes, is shown as a number.
const NEAR_LIMIT: usize = 120;

/// What is being written in a chat, kept between frames.
#[derive(Debug)]
pub struct Composer {
    id: Id,
    text: String,
    history: History,
    completion: Option<Offered>,
    /// The word for which the list was sent away.
    dismissed: Option<String>,
    /// Why the text was not taken.
    problem: Option<String>,
    wants_focus: bool,
    /// Whether an input method is at work: its keys are not ours.
    composing: bool,
    /// Where the cursor stood in the last frame: on the first line, on the last.
    on_edge: (bool, bool),
}

/// Candidates on show.
#[derive(Debug)]
struct Offered {
    completion: Completion,
    chosen: usize,
    /// Tab went through them: each took the place of the one before.
    cycling: bool,
    /// An arrow key went through them: Enter takes the chosen one.
    picking: bool,
}

/// What the composer needs to know of its chat.
#[derive(Debug, Clone, Copy)]
pub struct ComposerContext<'a> {
    /// The nicks to complete, best first.
    pub nicks: &'a [String],
    /// The nicks of those who are banned, for /unban.
    pub banned_nicks: &'a [String],
    /// Whether the user may write; otherwise `placeholder` says why not.
    pub enabled: bool,
    /// Shown while it is empty.
    pub placeholder: &'a str,
    /// Longest message in bytes.
    pub limit_bytes: usize,
}

/// What the writer did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ComposerAction {
    /// Wants this sent or done. The composer is empty again.
    Submit(Submission),
    /// The text has changed: keep it as the draft.
    DraftChanged(String),
}

impl Default for Composer {
    fn default() -> Self {
        Self::with_draft(String::new())
    }
}

impl Composer {
    /// With what was typed before and not sent.
    pub fn with_draft(draft: String) -> Self {
        // egui keeps cursor and undo by id: two chats must not share them.
        static COMPOSERS: AtomicU64 = AtomicU64::new(0);
        Self {
            id: Id::unique(("composer", COMPOSERS.fetch_add(1, Ordering::Relaxed))),
            text: draft,
            history: History::default(),
            completion: None,
            dismissed: None,
            problem: None,
            wants_focus: false,
            composing: false,
            on_edge: (true, true),
        }
    }

    /// What stands in it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Adds something to the end, as a nick to speak to, and takes the keyboard.
    pub fn insert(&mut self, text: &str) {
        if !self.text.is_empty() && !self.text.ends_with(char::is_whitespace) {
            self.text.push(' ');
        }
        self.text.push_str(text);
        self.focus();
    }

    /// Puts back what was typed and could not be done, with a sentence that says why.
    pub fn give_back(&mut self, text: &str, problem: String) {
        if self.text.is_empty() {
            text.clone_into(&mut self.text);
        }
        self.problem = Some(problem);
        self.focus();
    }

    /// Takes the keyboard in the next frame.
    pub fn focus(&mut self) {
        self.wants_focus = true;
    }

    fn set_text(&mut self, ui: &Ui, text: String) {
        let end = text.len();
        self.text = text;
        self.set_cursor(ui, end);
    }

    /// Puts the cursor before a byte of the text.
    fn set_cursor(&self, ui: &Ui, byte: usize) {
        let character = self.text.get(..byte).unwrap_or(&self.text).chars().count();
        let mut state = TextEditState::load(ui.ctx(), self.id).unwrap_or_default();
        state
            .cursor
            .set_char_range(Some(CCursorRange::one(CCursor::new(character))));
        state.store(ui.ctx(), self.id);
    }

    /// The byte before which the cursor stands, if nothing is selected.
    fn cursor(&self, ui: &Ui) -> Option<usize> {
        let range = TextEditState::load(ui.ctx(), self.id)?.cursor.char_range()?;
        if !range.is_empty() {
            return None;
        }
        let character = range.primary.index.0;
        Some(
            self.text
                .char_indices()
                .nth(character)
                .map_or(self.text.len(), |(byte, _)| byte),
        )
    }

    fn is_too_long(&self, limit_bytes: usize) -> bool {
        self.text.trim().len() > limit_bytes
    }
}

/// Paints the composer: as wide as there is room, 1 to 8 lines high. It brings its own margin, in line with the
/// timeline above.
pub fn composer_ui(
    ui: &mut Ui,
    composer: &mut Composer,
    context: &ComposerContext<'_>,
) -> Vec<ComposerAction> {
    let mut actions = Vec::new();
    let before = composer.text.clone();
    if context.enabled {
        keys::take_keyboard(ui, composer);
        keys::keys(ui, composer, context, &mut actions);
    }
    Frame::new().inner_margin(MARGIN).show(ui, |ui| {
        problem_ui(ui, composer);
        let field = field_ui(ui, composer, context, &mut actions);
        candidates_ui(ui, composer, &field);
    });
    if composer.text != before {
        composer.problem = None;
        if !composer.composing {
            actions.push(ComposerAction::DraftChanged(composer.text.clone()));
        }
    }
    actions
}

fn problem_ui(ui: &mut Ui, composer: &Composer) {
    let Some(problem) = &composer.problem else { return };
    let red = theme::tokens(ui).red;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        ui.label(theme::icon(Icon::CircleAlert).color(red).size(14.0));
        let response = ui.label(RichText::new(problem).font(theme::meta()).color(red));
        response.widget_info(|| WidgetInfo::labeled(Role::Alert, true, problem));
    });
}

/// The field with its frame, the room that is left, and the button.
fn field_ui(
    ui: &mut Ui,
    composer: &mut Composer,
    context: &ComposerContext<'_>,
    actions: &mut Vec<ComposerAction>,
) -> Response {
    let tokens = theme::tokens(ui);
    let focused = ui.memory(|memory| memory.has_focus(composer.id));
    let border = if focused { tokens.accent } else { tokens.border };
    let frame = Frame::new()
        .fill(if tokens.dark { tokens.panel } else { tokens.base })
        .stroke(Stroke::new(1.0, border))
        .corner_radius(8)
        .inner_margin(Margin {
            left: 12,
            right: 4,
            top: 4,
            bottom: 4,
        });
    let inner = frame.show(ui, |ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        let length = composer.text.trim().len();
        let near_limit = length + NEAR_LIMIT.min(context.limit_bytes / 2) > context.limit_bytes;
        let right = BUTTON_SIDE + if near_limit { 80.0 } else { 0.0 };
        let width = (ui.available_width() - right - 8.0).max(40.0);
        let height = text_height(ui, composer, width);
        // Of its own height, so that it does not take all that it had before.
        let room = vec2(ui.available_width(), height.max(BUTTON_SIDE));
        ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Max), |ui| {
            let has_changed = text_ui(ui, composer, context, vec2(width, height));
            if has_changed && text_height(ui, composer, width) != height {
                ui.ctx().request_discard("the composer has another height");
            }
            let layout = Layout::right_to_left(Align::Center);
            ui.allocate_ui_with_layout(vec2(right, BUTTON_SIDE), layout, |ui| {
                send_ui(ui, composer, context, actions);
                if near_limit {
                    counter_ui(ui, length, context.limit_bytes);
                }
            });
        });
    });
    inner.response
}

/// How high the text is at this width, with its margins: 1 to [`MAX_LINES`] lines.
fn text_height(ui: &Ui, composer: &Composer, width: f32) -> f32 {
    let text = composer.text.clone();
    let lines = ui.fonts_mut(|fonts| {
        let galley = fonts.layout(text, theme::body(), egui::Color32::PLACEHOLDER, width);
        galley.rows.len()
    });
    (lines as f32).clamp(1.0, MAX_LINES) * size::BODY_LINE + 2.0 * size::GRID
}

/// Paints the text. Whether it has changed.
fn text_ui(ui: &mut Ui, composer: &mut Composer, context: &ComposerContext<'_>, room: Vec2) -> bool {
    let row_height = ui.fonts_mut(|fonts| fonts.row_height(&theme::body()));
    ui.allocate_ui_with_layout(room, Layout::top_down(Align::Min), |ui| {
        ui.spacing_mut().extra_text_line_spacing = size::BODY_LINE - row_height;
        let scroll = ScrollArea::vertical()
            .id_salt(composer.id)
            .max_height(room.y)
            .min_scrolled_height(room.y);
        scroll.show(ui, |ui| {
            let placeholder = RichText::new(context.placeholder).color(theme::tokens(ui).weak);
            let edit = TextEdit::multiline(&mut composer.text)
                .id(composer.id)
                .frame(Frame::new().inner_margin(Margin::symmetric(0, 4)))
                .hint_text(placeholder)
                .desired_rows(1)
                .desired_width(room.x)
                .interactive(context.enabled)
                .event_filter(EventFilter {
                    tab: true,
                    horizontal_arrows: true,
                    vertical_arrows: true,
                    escape: composer.completion.is_some(),
                })
                .return_key(KeyboardShortcut::new(Modifiers::SHIFT, Key::Enter));
            let output = edit.show(ui);
            output.response.response.clone().accessible_name("Message");
            if let Some(range) = output.cursor_range {
                let line = output.galley.layout_from_cursor(range.primary).row;
                composer.on_edge = (line == 0, line + 1 >= output.galley.rows.len());
            }
            let has_changed = output.response.response.changed();
            if has_changed {
                keys::offer(ui, composer, context);
            }
            has_changed
        })
    })
    .inner
    .inner
}

fn send_ui(
    ui: &mut Ui,
    composer: &mut Composer,
    context: &ComposerContext<'_>,
    actions: &mut Vec<ComposerAction>,
) {
    let tokens = theme::tokens(ui);
    let ready =
        context.enabled && !composer.text.trim().is_empty() && !composer.is_too_long(context.limit_bytes);
    let (fill, color) = if ready {
        (tokens.accent_fill, tokens.on_accent)
    } else {
        (egui::Color32::TRANSPARENT, tokens.weak)
    };
    let button = Button::new(theme::icon(Icon::SendHorizontal).color(color))
        .fill(fill)
        .stroke(Stroke::NONE)
        .min_size(vec2(BUTTON_SIDE, BUTTON_SIDE))
        .corner_radius(6);
    ui.spacing_mut().button_padding = vec2(6.0, 4.0);
    let response = ui.add_enabled(ready, button).accessible_name("Send");
    if response.on_hover_text("Send (Enter)").clicked() {
        keys::submit(ui, composer, context, actions);
        composer.focus();
    }
}

/// How many bytes there is room for, or how many are too many.
fn counter_ui(ui: &mut Ui, length: usize, limit: usize) {
    let tokens = theme::tokens(ui);
    let (words, color) = match limit.checked_sub(length) {
        Some(left) => (format!("{left} left"), tokens.weak),
        None => (format!("{} too long", length - limit), tokens.red),
    };
    ui.label(RichText::new(words).font(theme::meta()).color(color));
}

fn candidates_ui(ui: &Ui, composer: &mut Composer, field: &Response) {
    let Some(offered) = &composer.completion else {
        return;
    };
    let popup = Popup::from_response(field)
        .id(composer.id.with("candidates"))
        .kind(PopupKind::Popup)
        .open(true)
        .close_behavior(PopupCloseBehavior::IgnoreClicks)
        .align(RectAlign::TOP_START)
        .align_alternatives(&[RectAlign::BOTTOM_START])
        .gap(size::GRID)
        .width(field.rect.width().min(440.0));
    let clicked = popup.show(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let mut clicked = None;
        for (at, candidate) in offered.completion.candidates.iter().enumerate() {
            if candidate_ui(ui, candidate, at == offered.chosen) {
                clicked = Some(at);
            }
        }
        clicked
    });
    if let Some(clicked) = clicked.and_then(|clicked| clicked.inner) {
        keys::accept(ui, composer, clicked);
    }
}

fn candidate_ui(ui: &mut Ui, candidate: &Candidate, chosen: bool) -> bool {
    let hint = RichText::new(&candidate.hint).font(theme::meta()).weak();
    let button = Button::selectable(chosen, &candidate.shown).right_text(hint);
    let button = button.wrap_mode(egui::TextWrapMode::Extend);
    ui.add(button.min_size(vec2(ui.available_width(), 28.0)))
        .clicked()
}
