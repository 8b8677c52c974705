//! Where messages are written: 1 to 8 lines, with the lines sent before, completion, and commands.
//!
//! What was typed leaves it in one way only: as a [`Submission`] that was understood. A command that is not, or a text
//! that is too long, stays where it is, with a sentence that says why.

mod command;
mod completion;
mod history;

use std::sync::atomic::{AtomicU64, Ordering};

use egui::accesskit::Role;
use egui::text::{CCursor, CCursorRange};
use egui::text_edit::TextEditState;
use egui::{
    Align, Button, Event, EventFilter, Frame, Id, ImeEvent, Key, KeyboardShortcut, Layout, Margin, Modifiers,
    Popup, PopupCloseBehavior, PopupKind, RectAlign, Response, RichText, ScrollArea, Stroke, TextEdit, Ui,
    UiBuilder, WidgetInfo, vec2,
};
use lucide_icons::Icon;

pub use self::command::{COMMANDS, CommandHelp, SlashCommand, Submission};
use self::completion::{Candidate, Completion};
use self::history::History;
use crate::ui::theme::{self, size};

/// It grows no higher; then it scrolls.
const MAX_LINES: f32 = 8.0;
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

/// What the composer has to know of its chat.
#[derive(Debug, Clone, Copy)]
pub struct ComposerContext<'a> {
    /// The nicks to complete, best first.
    pub nicks: &'a [String],
    /// Whether one may write; otherwise `placeholder` says why not.
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
    /// The text is another: keep it as the draft.
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

/// Paints the composer: as wide as there is room, 1 to 8 lines high.
pub fn composer_ui(
    ui: &mut Ui,
    composer: &mut Composer,
    context: &ComposerContext<'_>,
) -> Vec<ComposerAction> {
    let mut actions = Vec::new();
    let before = composer.text.clone();
    if context.enabled {
        take_keyboard(ui, composer);
        keys(ui, composer, context, &mut actions);
    }
    let outer = Frame::new().inner_margin(Margin {
        left: 16,
        right: 16,
        top: 4,
        bottom: 12,
    });
    outer.show(ui, |ui| {
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

/// Letters typed while nothing has the keyboard are meant for here.
fn take_keyboard(ui: &Ui, composer: &mut Composer) {
    let idle = ui.memory(|memory| memory.focused().is_none() && memory.allows_interaction(ui.layer_id()));
    let typed = || ui.input(|input| input.events.iter().any(|event| matches!(event, Event::Text(_))));
    if std::mem::take(&mut composer.wants_focus) || (idle && typed()) {
        if !ui.memory(|memory| memory.has_focus(composer.id)) {
            composer.set_cursor(ui, composer.text.len());
        }
        ui.memory_mut(|memory| memory.request_focus(composer.id));
    }
}

/// Takes the keys that are not for the text itself, before the text sees them.
fn keys(ui: &Ui, composer: &mut Composer, context: &ComposerContext<'_>, actions: &mut Vec<ComposerAction>) {
    if !ui.memory(|memory| memory.has_focus(composer.id)) {
        composer.completion = None;
        composer.composing = false;
        return;
    }
    let was_composing = composer.composing;
    ui.input(|input| {
        for event in &input.events {
            match event {
                Event::Ime(ImeEvent::Preedit { text, .. }) => composer.composing = !text.is_empty(),
                Event::Ime(ImeEvent::Commit(_)) => composer.composing = false,
                _ => {}
            }
        }
    });
    if was_composing || composer.composing {
        return;
    }
    let pressed = |modifiers, key| ui.input_mut(|input| consume(input, modifiers, key));
    if composer.completion.is_some() {
        if pressed(Modifiers::NONE, Key::Escape) {
            composer.dismissed = composer
                .completion
                .take()
                .map(|offered| word_of(composer, &offered).to_owned());
        }
        for (key, step) in [(Key::ArrowDown, 1), (Key::ArrowUp, -1)] {
            if composer.completion.is_some() && pressed(Modifiers::NONE, key) {
                choose(composer, step);
            }
        }
    }
    if pressed(Modifiers::NONE, Key::Tab) {
        tab(ui, composer, context, 1);
    }
    if pressed(Modifiers::SHIFT, Key::Tab) {
        tab(ui, composer, context, -1);
    }
    if pressed(Modifiers::NONE, Key::Enter) {
        match composer
            .completion
            .as_ref()
            .filter(|offered| offered.picking)
            .map(|offered| offered.chosen)
        {
            Some(chosen) => accept(ui, composer, chosen),
            None => submit(ui, composer, context, actions),
        }
    }
    if composer.on_edge.0 && ui.input(|input| holds(input, Key::ArrowUp)) {
        let older = composer.history.older(&composer.text).map(str::to_owned);
        recall(ui, composer, older, Key::ArrowUp);
    }
    if composer.on_edge.1 && ui.input(|input| holds(input, Key::ArrowDown)) {
        let newer = composer.history.newer(&composer.text).map(str::to_owned);
        recall(ui, composer, newer, Key::ArrowDown);
    }
}

/// Like `consume_key`, but Shift+Enter is not Enter.
fn consume(input: &mut egui::InputState, wanted: Modifiers, key: Key) -> bool {
    let count = input.events.len();
    input.events.retain(|event| {
        !matches!(event, Event::Key { key: pressed_key, modifiers, pressed: true, .. }
            if *pressed_key == key && modifiers.matches_exact(wanted))
    });
    input.events.len() < count
}

fn holds(input: &egui::InputState, wanted: Key) -> bool {
    input.events.iter().any(|event| {
        matches!(event, Event::Key { key, modifiers, pressed: true, .. } if *key == wanted && modifiers.is_none())
    })
}

/// Takes a line of the history, and with it the key that asked for it.
fn recall(ui: &Ui, composer: &mut Composer, line: Option<String>, key: Key) {
    if let Some(line) = line {
        ui.input_mut(|input| consume(input, Modifiers::NONE, key));
        composer.set_text(ui, line);
        composer.completion = None;
        composer.dismissed = None;
    }
}

fn submit(
    ui: &Ui,
    composer: &mut Composer,
    context: &ComposerContext<'_>,
    actions: &mut Vec<ComposerAction>,
) {
    if composer.text.trim().is_empty() {
        return;
    }
    if composer.is_too_long(context.limit_bytes) {
        composer.problem = Some("This is too long for one message. Send it in parts.".to_owned());
        return;
    }
    match command::parse(&composer.text) {
        Ok(submission) => {
            composer.history.push(composer.text.trim());
            composer.completion = None;
            composer.dismissed = None;
            composer.problem = None;
            composer.set_text(ui, String::new());
            actions.push(ComposerAction::Submit(submission));
        }
        Err(problem) => composer.problem = Some(problem),
    }
}

/// Tab completes, and goes on through the candidates; with nothing to complete it moves the keyboard on.
fn tab(ui: &Ui, composer: &mut Composer, context: &ComposerContext<'_>, step: isize) {
    let cycling = composer
        .completion
        .as_ref()
        .is_some_and(|offered| offered.cycling);
    if !cycling {
        let asked = composer
            .cursor(ui)
            .and_then(|cursor| completion::complete(&composer.text, cursor, context.nicks, true));
        let chosen = composer.completion.as_ref().map_or(0, |offered| offered.chosen);
        match asked {
            Some(completion) => {
                let chosen = chosen.min(completion.candidates.len() - 1);
                composer.completion = Some(Offered {
                    completion,
                    chosen,
                    cycling: true,
                    picking: false,
                });
            }
            None => {
                composer.completion = None;
                let forward = step > 0;
                let direction = if forward {
                    egui::FocusDirection::Next
                } else {
                    egui::FocusDirection::Previous
                };
                ui.memory_mut(|memory| memory.move_focus(direction));
                return;
            }
        }
    } else {
        choose(composer, step);
    }
    replace_word(ui, composer);
    // One way to complete it: it is done.
    if composer
        .completion
        .as_ref()
        .is_some_and(|offered| offered.completion.candidates.len() == 1)
    {
        composer.completion = None;
    }
}

fn choose(composer: &mut Composer, step: isize) {
    if let Some(offered) = &mut composer.completion {
        let count = offered.completion.candidates.len();
        offered.chosen = (offered.chosen + count).wrapping_add_signed(step) % count;
        offered.picking = !offered.cycling;
    }
}

fn accept(ui: &Ui, composer: &mut Composer, candidate: usize) {
    if let Some(offered) = &mut composer.completion {
        offered.chosen = candidate.min(offered.completion.candidates.len() - 1);
        replace_word(ui, composer);
        composer.completion = None;
        composer.focus();
    }
}

/// Puts the chosen candidate in the place of the word, which then is that candidate.
fn replace_word(ui: &Ui, composer: &mut Composer) {
    let Some(Offered {
        completion, chosen, ..
    }) = &mut composer.completion
    else {
        return;
    };
    let Some(Candidate { insert, .. }) = completion.candidates.get(*chosen) else {
        return;
    };
    if composer.text.get(completion.word.clone()).is_none() {
        composer.completion = None;
        return;
    }
    composer.text.replace_range(completion.word.clone(), insert);
    completion.word.end = completion.word.start + insert.len();
    let end = completion.word.end;
    composer.set_cursor(ui, end);
}

fn word_of<'a>(composer: &'a Composer, offered: &Offered) -> &'a str {
    composer
        .text
        .get(offered.completion.word.clone())
        .unwrap_or_default()
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
        let button = 28.0;
        let left = context.limit_bytes.checked_sub(composer.text.trim().len());
        let counter = left.is_none_or(|left| left < NEAR_LIMIT.min(context.limit_bytes / 2));
        let right = button + 8.0 + if counter { 80.0 } else { 0.0 };
        ui.with_layout(Layout::left_to_right(Align::Max), |ui| {
            let width = (ui.available_width() - right).max(40.0);
            text_ui(ui, composer, context, width);
            ui.with_layout(Layout::right_to_left(Align::Max), |ui| {
                send_ui(ui, composer, context, button, actions);
                if counter {
                    counter_ui(
                        ui,
                        left,
                        composer.text.trim().len() - context.limit_bytes.min(composer.text.trim().len()),
                    );
                }
            });
        });
    });
    inner.response
}

fn text_ui(ui: &mut Ui, composer: &mut Composer, context: &ComposerContext<'_>, width: f32) {
    let height = MAX_LINES * size::BODY_LINE + 2.0 * size::GRID;
    let builder = UiBuilder::new().layout(Layout::top_down(Align::Min));
    ui.scope_builder(builder, |ui| {
        ui.set_width(width);
        ui.spacing_mut().extra_text_line_spacing = 0.0;
        let scroll = ScrollArea::vertical()
            .id_salt(composer.id)
            .max_height(height)
            .min_scrolled_height(28.0);
        scroll.show(ui, |ui| {
            let placeholder = RichText::new(context.placeholder).color(theme::tokens(ui).weak);
            let edit = TextEdit::multiline(&mut composer.text)
                .id(composer.id)
                .frame(Frame::new().inner_margin(Margin::symmetric(0, 4)))
                .hint_text(placeholder)
                .desired_rows(1)
                .desired_width(width)
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
            if output.response.response.changed() {
                offer(ui, composer, context);
            }
        });
    });
}

/// The text has changed: is there a word that could be completed?
fn offer(ui: &Ui, composer: &mut Composer, context: &ComposerContext<'_>) {
    composer.completion = None;
    let Some(cursor) = composer.cursor(ui) else { return };
    if let Some((word, emoji)) = completion::closed_emoji(&composer.text, cursor) {
        composer.text.replace_range(word.clone(), emoji);
        composer.set_cursor(ui, word.start + emoji.len());
        return;
    }
    let Some(completion) = completion::complete(&composer.text, cursor, context.nicks, false) else {
        composer.dismissed = None;
        return;
    };
    let offered = Offered {
        completion,
        chosen: 0,
        cycling: false,
        picking: false,
    };
    // Sent away once, it stays away for as long as the word goes on.
    let word = word_of(composer, &offered);
    if !composer
        .dismissed
        .as_deref()
        .is_some_and(|dismissed| word.starts_with(dismissed))
    {
        composer.completion = Some(offered);
    }
}

fn send_ui(
    ui: &mut Ui,
    composer: &mut Composer,
    context: &ComposerContext<'_>,
    side: f32,
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
        .min_size(vec2(side, side))
        .corner_radius(6);
    ui.spacing_mut().button_padding = vec2(6.0, 4.0);
    let response = ui.add_enabled(ready, button).accessible_name("Send");
    if response.on_hover_text("Send (Enter)").clicked() {
        submit(ui, composer, context, actions);
        composer.focus();
    }
}

fn counter_ui(ui: &mut Ui, left: Option<usize>, over: usize) {
    let tokens = theme::tokens(ui);
    let (words, color) = match left {
        Some(left) => (format!("{left} left"), tokens.weak),
        None => (format!("{over} too long"), tokens.red),
    };
    ui.allocate_ui_with_layout(vec2(72.0, 28.0), Layout::right_to_left(Align::Center), |ui| {
        ui.label(RichText::new(words).font(theme::meta()).color(color));
    });
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
        .width(field.rect.width().min(360.0));
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
        accept(ui, composer, clicked);
    }
}

fn candidate_ui(ui: &mut Ui, candidate: &Candidate, chosen: bool) -> bool {
    let hint = RichText::new(&candidate.hint).font(theme::meta()).weak();
    let button = Button::selectable(chosen, &candidate.shown).right_text(hint);
    ui.add(button.min_size(vec2(ui.available_width(), 28.0)))
        .clicked()
}
