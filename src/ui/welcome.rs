//! Pages in place of a chat: the first start, a profile without chats, no chat in front, the passphrase, and why the program
//! can't work at all.

use egui::{Align, Button, Frame, Key, Label, Layout, Margin, RichText, Stroke, TextEdit, Ui, vec2};

use super::action::Action;
use super::commands::UiCommand;
use super::icons::Icon;
use super::secret_field::SecretField;
use super::theme::{self, size};
use super::widgets::{error_ui, hint_ui, paragraph_ui, primary_button, secondary_button};
use crate::model::{Code, check_nick};

/// The first start: asks for a nick and nothing else. `covered`: a dialog is open over it.
pub fn welcome_ui(ui: &mut Ui, nick: &mut String, covered: bool) -> Option<Action> {
    let mut action = None;
    centered_ui(ui, 360.0, 290.0, |ui| {
        title_ui(ui, "Welcome to Throng");
        ui.add_space(size::GRID);
        hint_ui(
            ui,
            "Chats without a server: the members' own computers pass the messages on.",
        );
        ui.add_space(size::GRID * 4.0);
        let label = ui.label(RichText::new("What should others call you?").font(theme::nick()));
        let edit = TextEdit::singleline(nick)
            .hint_text("Your nick")
            .desired_width(f32::INFINITY)
            .margin(Margin::symmetric(10, 8));
        let edit = ui.add(edit).labelled_by(label.id);
        // Asked before the focus is taken back: with it the field has not lost it.
        let enter = edit.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if !covered && ui.memory(|memory| memory.focused().is_none()) {
            edit.request_focus();
        }
        let problem = check_nick(nick).err();
        let below = "You can be called something else in each chat, and change it at any time.";
        match problem {
            Some(problem) if !nick.trim().is_empty() => error_ui(ui, problem),
            _ => hint_ui(ui, below),
        };
        ui.add_space(size::GRID * 2.0);
        let start = primary_button(ui, "Start", problem.is_none());
        if problem.is_none() && (start.clicked() || enter) {
            action = Some(Action::Begin(nick.trim().to_owned()));
        }
        ui.add_space(size::GRID * 4.0);
        ui.horizontal_wrapped(|ui| {
            hint_ui(ui, "You had Throng before?");
            if ui.link("Restore a backup…").clicked() {
                action = Some(Action::OpenRestore);
            }
        });
    });
    action
}

/// A profile without chats: the next step.
pub fn no_chats_ui(ui: &mut Ui, nick: &str) -> Option<Action> {
    let mut action = None;
    centered_ui(ui, 460.0, 368.0, |ui| {
        title_ui(ui, &format!("Hello, {}", crate::model::shown_nick(nick)));
        ui.add_space(size::GRID);
        paragraph_ui(
            ui,
            "Start a chat of your own, or come into one that you were invited to.",
        );
        ui.add_space(size::GRID * 4.0);
        let create = (
            "Create a chat",
            "You decide who comes in.",
            Icon::MessageCirclePlus,
        );
        if choice_ui(ui, create).clicked() {
            action = Some(Action::Do(UiCommand::NewChat));
        }
        let import = (
            "Import an invite",
            "A .throng file, its text, or a throng: link.",
            Icon::MailOpen,
        );
        if choice_ui(ui, import).clicked() {
            action = Some(Action::Do(UiCommand::ImportInvite));
        }
        let restore = (
            "Restore a backup",
            "Your chats as they were, from a file that you saved.",
            Icon::ArchiveRestore,
        );
        if choice_ui(ui, restore).clicked() {
            action = Some(Action::OpenRestore);
        }
        ui.add_space(size::GRID);
        hint_ui(
            ui,
            "You can also drop an invite on this window, or paste its text or link.",
        );
    });
    action
}

/// The page of a profile whose keys wait for their passphrase.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct UnlockPage {
    passphrase: SecretField,
    wrong: bool,
    /// It is being tried.
    busy: bool,
}

impl UnlockPage {
    /// `wrong`: the one that was tried is not it.
    pub fn new(wrong: bool) -> Self {
        Self {
            wrong,
            ..Self::default()
        }
    }

    /// What was typed is being tried.
    pub(super) fn begin(&mut self) {
        self.busy = true;
    }

    /// Paints it.
    pub(super) fn ui(&mut self, ui: &mut Ui) -> Option<Action> {
        let mut action = None;
        centered_ui(ui, 360.0, 240.0, |ui| {
            title_ui(ui, "This profile is locked");
            ui.add_space(size::GRID);
            hint_ui(ui, "Your keys are sealed. The passphrase opens them.");
            ui.add_space(size::GRID * 4.0);
            let field = self.passphrase.ui(ui, "Passphrase");
            let enter = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
            if ui.memory(|memory| memory.focused().is_none()) {
                field.request_focus();
            }
            if self.busy {
                hint_ui(ui, "Opening…");
            } else if self.wrong {
                error_ui(ui, "That is not the passphrase. Nothing is lost; try again.");
            } else {
                hint_ui(ui, "Nobody can recover it for you.");
            }
            ui.add_space(size::GRID * 2.0);
            let ready = !self.busy && !self.passphrase.is_empty();
            if ready & (primary_button(ui, "Unlock", ready).clicked() | enter) {
                action = Some(Action::Unlock(self.passphrase.passphrase()));
            }
        });
        action
    }
}

/// Chats, but none in front.
pub fn no_tab_ui(ui: &mut Ui) -> Option<Action> {
    let mut action = None;
    centered_ui(ui, 320.0, 140.0, |ui| {
        ui.vertical_centered(|ui| {
            let weak = theme::tokens(ui).weak;
            ui.label(RichText::new("No chat is open").font(theme::header()));
            ui.label(RichText::new("Your chats go on in the background.").color(weak));
            ui.add_space(size::GRID * 2.0);
            if secondary_button(ui, "Go to a chat…", true).clicked() {
                action = Some(Action::Do(UiCommand::QuickSwitcher));
            }
        });
    });
    action
}

/// The program cannot work: why, and what to do.
pub fn failed_ui(ui: &mut Ui, code: Code, message: &str) -> Option<Action> {
    let mut action = None;
    centered_ui(ui, 460.0, 240.0, |ui| {
        let red = theme::tokens(ui).red;
        ui.label(
            RichText::new(Icon::TriangleAlert.unicode())
                .font(theme::icon_font(28.0))
                .color(red),
        );
        ui.add_space(size::GRID * 2.0);
        title_ui(ui, failed_title(code));
        ui.add_space(size::GRID * 2.0);
        paragraph_ui(ui, message);
        ui.add_space(size::GRID * 4.0);
        if primary_button(ui, "Quit", true).clicked() {
            action = Some(Action::Do(UiCommand::Quit));
        }
    });
    action
}

fn failed_title(code: Code) -> &'static str {
    match code {
        Code::Locked => "This profile is in use",
        Code::NewerVersion => "This profile needs a newer Throng",
        Code::Damaged => "This profile is damaged",
        Code::DiskFull => "The disk is full",
        Code::File | Code::NotAllowed => "This profile can't be opened",
        Code::Network => "The network can't be used",
        _ => "Throng could not start",
    }
}

fn title_ui(ui: &mut Ui, text: &str) {
    ui.add(Label::new(RichText::new(text).font(theme::title())).wrap());
}

fn choice_ui(ui: &mut Ui, (name, what, icon): (&str, &str, Icon)) -> egui::Response {
    let tokens = theme::tokens(ui);
    let text = egui::text::LayoutJob::default();
    let mut text = text;
    text.append(name, 0.0, egui::TextFormat::simple(theme::nick(), tokens.text));
    text.append("\n", 0.0, egui::TextFormat::simple(theme::meta(), tokens.weak));
    text.append(what, 0.0, egui::TextFormat::simple(theme::meta(), tokens.weak));
    let glyph = RichText::new(icon.unicode())
        .font(theme::icon_font(22.0))
        .color(tokens.accent);
    let button = Button::new((glyph, text))
        .fill(tokens.panel)
        .stroke(Stroke::new(1.0, tokens.border))
        .min_size(vec2(ui.available_width(), 60.0))
        .gap(14.0)
        .right_text("");
    let response = ui.add(button);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name));
    response
}

/// A column of this width, in the middle of the room.
fn centered_ui(ui: &mut Ui, width: f32, height: f32, contents: impl FnOnce(&mut Ui)) {
    egui::ScrollArea::vertical()
        .id_salt("centered")
        .auto_shrink(false)
        .show(ui, |ui| {
            let room = ui.available_size();
            ui.add_space(((room.y - height) * 0.42).max(16.0));
            ui.with_layout(Layout::top_down(Align::Center), |ui| {
                Frame::new()
                    .inner_margin(Margin::symmetric(16, 0))
                    .show(ui, |ui| {
                        ui.set_width(width.min(room.x - 32.0));
                        ui.with_layout(Layout::top_down(Align::Min), contents);
                    });
            });
        });
}
