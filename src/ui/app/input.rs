//! Keys, drops and pastes, before any widget sees them.

use egui::{Context, Event, Key, Modifiers, Popup};

use super::{App, Phase};
use crate::runtime::InviteSource;
use crate::ui::action::Action;
use crate::ui::commands::{self, UiCommand};

impl App {
    /// Collects what the keys, a drop or a paste ask for.
    pub(super) fn look_at_input(&mut self, ctx: &Context) {
        if ctx.input(|input| input.events.iter().any(is_from_somebody)) {
            self.presence.input_seen = true;
            if !self.presence.away_in.is_empty() {
                ctx.request_repaint();
            }
        }
        let mut commands = commands::take_pressed(ctx);
        if self.overlays.take_keys() {
            // What is open over the chats is finished or closed first.
            commands.retain(|command| command.works_everywhere());
        }
        match self.phase {
            Phase::Running => {
                self.actions.extend(commands.into_iter().map(Action::Do));
                self.look_for_invites(ctx);
            }
            _ if commands.contains(&UiCommand::Quit) => self.actions.push(Action::Do(UiCommand::Quit)),
            _ => {}
        }
    }

    /// Esc marks the chat as read, unless something in front has used it.
    pub(super) fn look_at_escape(&mut self, ctx: &Context, popup_was_open: bool) {
        let free = !popup_was_open && !self.overlays.take_keys() && self.overlays.topic_edit.is_none();
        if free && ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
            self.actions.push(match self.overlays.search {
                Some(_) => Action::CloseSearch { go_back: true },
                None => Action::Do(UiCommand::MarkRead),
            });
        }
    }

    fn look_for_invites(&mut self, ctx: &Context) {
        let dropped = ctx.input(|input| {
            input
                .raw
                .dropped_files
                .first()
                .map(|file| file.path().to_path_buf())
        });
        if let Some(path) = dropped {
            self.actions.push(Action::OfferImport(InviteSource::Path(path)));
        }
        if self.overlays.take_keys() {
            return;
        }
        let pasted = ctx.input(|input| {
            input.events.iter().find_map(|event| match event {
                Event::Paste(text) if looks_like_invite(text) => Some(text.trim().to_owned()),
                _ => None,
            })
        });
        let Some(text) = pasted else { return };
        let import = Action::OfferImport(InviteSource::Text(text));
        if ctx.text_edit_focused() {
            // The user may want to send it to somebody: it goes where it was pasted, and the import is offered as well.
            let until = self.clock.elapsed() + std::time::Duration::from_secs(12);
            self.toasts
                .offer("That is an invite to a chat.", "Import it", import, until);
        } else {
            self.actions.push(import);
        }
    }
}

/// Whether a text begins like an invite. Importing it will tell whether it is one.
fn looks_like_invite(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with("throng:") || text.contains("BEGIN THRONG INVITE")
}

/// Whether an event shows that somebody is at the computer.
fn is_from_somebody(event: &Event) -> bool {
    matches!(
        event,
        Event::Key { .. }
            | Event::Text(_)
            | Event::Paste(_)
            | Event::PointerMoved(_)
            | Event::PointerButton { .. }
            | Event::MouseWheel { .. }
            | Event::Touch { .. }
            | Event::Ime(_)
    )
}

/// Whether a menu or another popup is open; asked before anything is painted, for painting may close it.
pub(super) fn popup_is_open(ctx: &Context) -> bool {
    Popup::is_any_open(ctx)
}
