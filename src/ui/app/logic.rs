//! What to do once a frame: take in reports and answers about files, carry out what was asked for, and let time pass.

use std::time::Duration;

use egui::{Context, ViewportCommand};

use super::{Action, App, Phase};
use crate::id::ChatId;
use crate::model::{
    ChatCommand, ChatEvent, Code, Command, Event, MAX_ROWS, Page, Report, Settings, Status, Tag, Workspace,
};
use crate::ui::composer::ComposerAction;
use crate::ui::dialogs::{Dialog, exported_words};
use crate::ui::outbox::typed_text;
use crate::ui::search::Search;
use crate::ui::theme;
use crate::ui::toasts::Kind;
use crate::ui::welcome::UnlockPage;

/// Reports taken in one frame, so that a flood of them does not keep the window from painting. A guess: some ms.
const REPORTS_A_FRAME: usize = 512;

/// Rows kept of a chat that is not in front; twice as many may gather before they are trimmed. A guess.
const ROWS_BEHIND: usize = 1_000;

impl App {
    /// Takes in what happened, carries out what was asked for, and schedules the next frame for when time alone changes
    /// something. Paints nothing.
    pub fn logic(&mut self, ctx: &Context) {
        let reading_along = self.reading_along(ctx);
        for taken in 0.. {
            if taken == REPORTS_A_FRAME {
                ctx.request_repaint();
                break;
            }
            let Some(report) = self.outbox.poll() else { break };
            self.take_report(ctx, &report);
        }
        if let Some(chat) = reading_along {
            self.read_along(chat);
        }
        while let Some((ticket, answer)) = self.files.poll() {
            if let Some(dialog) = self.overlays.dialogs.last_mut() {
                let actions = dialog.file_answered(ticket, answer);
                self.actions.extend(actions);
            }
        }
        self.offer_next_invite();
        // Carrying one out may ask for another; it never asks for itself.
        while !self.actions.is_empty() {
            for action in std::mem::take(&mut self.actions) {
                self.carry_out(ctx, action);
            }
        }
        self.let_time_pass(ctx);
        self.retitle(ctx);
    }

    /// The chat whose every new message is seen as it comes: it is in front, shown to the end, and nothing is unread.
    fn reading_along(&self, ctx: &Context) -> Option<ChatId> {
        let chat = self.selected_chat()?;
        let uncovered = !self.overlays.chat_list && !self.overlays.members;
        let follows = self
            .views
            .get(&chat.id)
            .is_some_and(|view| view.timeline.is_following());
        let reads = chat.read.is_some() && chat.unread == 0;
        (reads && follows && uncovered && ctx.input(|input| input.focused)).then_some(chat.id)
    }

    /// Marks what just came as read before it is painted: no count and no "new" line flash up for a frame.
    fn read_along(&mut self, chat: ChatId) {
        let Some(found) = self.chats.get(chat).filter(|chat| chat.unread > 0) else {
            return;
        };
        let first_unread = found.timeline.new_line();
        let stood_before = first_unread.is_some_and(|line| found.read_row().is_some_and(|read| line <= read));
        self.mark_all_read(chat);
        if !stood_before && let Some(found) = self.chats.get_mut(chat) {
            found.forget_new_line();
        }
    }

    fn take_report(&mut self, ctx: &Context, report: &Report) {
        match &report.event {
            Event::Error {
                chat: None,
                command,
                code,
                message,
            } if self.phase == Phase::Starting && command.is_empty() => {
                self.fail(*code, message.clone());
                return;
            }
            Event::Bye => return self.backend_ended(ctx),
            Event::Workspace {
                settings, workspace, ..
            } => self.restore(ctx, settings, workspace),
            Event::Chat {
                chat,
                event: ChatEvent::ChatOpened { .. },
            } => {
                self.joined_again(*chat);
                if report.tag.is_some() {
                    self.actions.push(Action::Select(*chat));
                }
            }
            Event::Chat {
                chat,
                event: ChatEvent::ChatClosed { unsent },
            } => {
                self.left(*chat, *unsent);
                self.forget(*chat);
            }
            Event::PassphraseNeeded { wrong } => self.phase = Phase::Locked(UnlockPage::new(*wrong)),
            // The settings come next, as at every start.
            Event::Unlocked => (self.phase, self.passphrase_set) = (Phase::Starting, true),
            Event::Restored { passphrase, .. } => {
                (self.phase, self.passphrase_set) = (Phase::Starting, *passphrase);
            }
            Event::Ready { passphrase, .. } => self.passphrase_set = *passphrase,
            Event::PassphraseChanged { set } => self.passphrase_set = *set,
            Event::DiskRecovered { message } => {
                self.toasts
                    .show(Kind::Info, message.as_str(), self.clock.elapsed());
            }
            Event::Rebuilt { message, .. } => self.toasts.stand(Kind::Error, message.as_str()),
            Event::Message(message) => self.trim(message.chat),
            Event::Lagged => self
                .views
                .values_mut()
                .for_each(|view| view.timeline.load_failed()),
            Event::Error {
                chat: Some(chat),
                command,
                ..
            } if command == "leave_chat" => self.leaving_failed(*chat),
            Event::Error { chat: Some(chat), .. } if report.tag.as_ref().is_some_and(is_page) => {
                if let Some(view) = self.views.get_mut(chat) {
                    view.timeline.load_failed();
                }
            }
            _ => {}
        }
        for dialog in &mut self.overlays.dialogs {
            dialog.told(&report.event);
        }
        if self.search_answered(ctx, report) {
            return;
        }
        let dialog = self.overlays.dialogs.last_mut();
        let answered = dialog
            .zip(report.tag.as_ref())
            .and_then(|(dialog, tag)| dialog.answered(tag, &report.event));
        self.offer_undo(report);
        let effects = self.chats.apply(report, self.clock.timestamp());
        effects
            .commands
            .into_iter()
            .for_each(|command| self.outbox.send(command));
        self.keep_log_fresh(&report.event);
        match answered {
            // The dialog shows what failed.
            Some(actions) => self.actions.extend(actions),
            None => {
                for error in effects.errors {
                    self.toasts
                        .show(Kind::Error, error.sentence, self.clock.elapsed());
                }
                if let Some(done) = exported_words(&report.event) {
                    self.toasts.show(Kind::Info, done, self.clock.elapsed());
                }
                self.give_back_typed(report);
            }
        }
    }

    /// Offers the next invite that the program was started with, once the one before it is done with, and the dialog in
    /// front waits for nothing: answers go to the one in front.
    fn offer_next_invite(&mut self) {
        let is_in_use = |dialog: &Dialog| matches!(dialog, Dialog::Import(import) if import.is_in_use());
        let (dialogs, now) = (&self.overlays.dialogs, self.clock.elapsed());
        let is_busy =
            dialogs.iter().any(is_in_use) || dialogs.last().is_some_and(|dialog| dialog.is_waiting(now));
        if self.phase != Phase::Running || is_busy {
            return;
        }
        if let Some(invite) = self.invites.pop_front() {
            self.actions.push(Action::OfferImport(invite));
        }
    }

    /// What was typed and could not be sent goes back to where it was typed.
    fn give_back_typed(&mut self, report: &Report) {
        if let Event::Error { chat: Some(chat), .. } = &report.event
            && let Some(text) = report.tag.as_ref().and_then(typed_text)
            && let Some(view) = self.views.get_mut(chat)
            && view.composer.text().is_empty()
        {
            view.composer.insert(text);
            let draft = ComposerAction::DraftChanged(text.to_owned());
            self.actions.push(Action::Composer(*chat, draft));
        }
    }

    /// Drops rows that nobody needs: a chat that is not in front keeps as many as a reader wants at once on coming back, and one
    /// whose reader is at the end keeps the maximum. Nothing is dropped while somebody reads farther up.
    fn trim(&mut self, chat: ChatId) {
        let is_behind = self.tabs.selected() != Some(chat);
        let view = self.views.get(&chat);
        let at_end = view.is_none_or(|view| view.timeline.is_following());
        let keep = if is_behind { ROWS_BEHIND } else { MAX_ROWS };
        if let Some(chat) = self.chats.get_mut(chat)
            && at_end
            && chat.timeline.len() >= keep + ROWS_BEHIND
        {
            chat.timeline.trim(keep);
        }
    }

    fn backend_ended(&mut self, ctx: &Context) {
        match self.phase {
            Phase::Failed { .. } => {}
            Phase::Starting => {
                let message = "Throng stopped before it had opened the profile. Start it again.".to_owned();
                self.fail(Code::Busy, message);
            }
            // We asked for it, or the system did by a signal: nothing is left to say.
            _ => self.quit(ctx),
        }
    }

    fn restore(&mut self, ctx: &Context, settings: &Settings, workspace: &Workspace) {
        if self.phase != Phase::Starting {
            return;
        }
        self.settings = settings.clone();
        theme::choose(ctx, settings.theme, settings.zoom_percent);
        self.tabs.restore(workspace);
        self.overlays.focus_wanted = true;
        self.phase = if settings.nick.is_empty() {
            Phase::Welcome(String::new())
        } else {
            Phase::Running
        };
    }

    fn forget(&mut self, chat: ChatId) {
        self.tabs.forget(chat);
        self.views.remove(&chat);
        self.leaving.remove(&chat);
        self.outbox.forget(chat);
        self.save_workspace();
    }

    pub(super) fn save_workspace(&mut self) {
        self.outbox.send(Command::SaveWorkspace {
            workspace: self.tabs.workspace(),
        });
    }

    fn let_time_pass(&mut self, ctx: &Context) {
        let now = self.clock.elapsed();
        self.toasts.expire(now);
        self.leave_what_is_due(now);
        self.go_away_or_come_back(now);
        self.ask_search();
        let unsent = self.outbox.flush(now);
        let gives_up = self
            .selected_chat()
            .and_then(|chat| chat.gives_up_in(self.clock.timestamp()));
        let moderation = self
            .selected_chat()
            .and_then(|chat| chat.next_change_in(self.clock.timestamp()));
        let dialog = self.overlays.dialogs.last().and_then(Dialog::next_change);
        let times = [
            unsent,
            self.next_leave(),
            gives_up.map(|rest| now + rest),
            moderation.map(|rest| now + rest),
            dialog,
            self.overlays.search.as_ref().and_then(Search::due),
            self.toasts.next_expiry(),
            self.idle_at(),
        ];
        if let Some(next) = times.into_iter().flatten().filter(|at| *at > now).min() {
            ctx.request_repaint_after(next - now);
        }
    }

    /// When we will become away, unless somebody uses the computer before.
    fn idle_at(&self) -> Option<Duration> {
        let minutes = u64::from(self.settings.away_after_minutes);
        let waits = minutes > 0 && self.presence.away_in.is_empty() && self.phase == Phase::Running;
        waits.then(|| self.presence.last_input + Duration::from_secs(60 * minutes))
    }

    fn go_away_or_come_back(&mut self, now: Duration) {
        let commands: Vec<Command> = if std::mem::take(&mut self.presence.input_seen) {
            self.presence.last_input = now;
            let back = std::mem::take(&mut self.presence.away_in);
            // A status that the user has set in the meantime stays.
            let still = |chat: &ChatId| {
                self.chats
                    .get(*chat)
                    .is_some_and(|chat| chat.status == Status::Away)
            };
            back.into_iter()
                .filter(still)
                .map(|chat| Command::Chat {
                    chat,
                    command: ChatCommand::SetStatus {
                        status: Status::Online,
                    },
                })
                .collect()
        } else if self.idle_at().is_some_and(|at| at <= now) {
            // If nobody is online anywhere, it is not looked for again for as long.
            self.presence.last_input = now;
            let online = self
                .chats
                .iter()
                .filter(|chat| chat.status == Status::Online)
                .map(|chat| chat.id);
            self.presence.away_in = online.collect();
            self.presence
                .away_in
                .iter()
                .map(|chat| Command::Chat {
                    chat: *chat,
                    command: ChatCommand::SetStatus { status: Status::Away },
                })
                .collect()
        } else {
            Vec::new()
        };
        commands.into_iter().for_each(|command| self.outbox.send(command));
    }

    fn retitle(&mut self, ctx: &Context) {
        let unread: u32 = self.listed().map(|chat| chat.unread).sum();
        let unread = if unread > 0 {
            format!("({unread}) ")
        } else {
            String::new()
        };
        let title = match self.selected_chat() {
            Some(chat) => format!("{unread}{} — Throng", chat.name),
            None => format!("{unread}Throng"),
        };
        if title != self.title {
            ctx.send_viewport_cmd(ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }
}

/// Whether a tag is that of a part of a chat's history.
fn is_page(tag: &Tag) -> bool {
    Page::of(tag).is_some()
}
