//! Carrying out what was asked for.

use std::time::Duration;

use egui::{Context, OpenUrl};

use super::leaving::Leaving;
use super::{App, Phase};
use crate::id::ChatId;
use crate::model::{ChatCommand, ChatKind, Command, Deed, Settings, Status};
use crate::runtime::InviteSource;
use crate::ui::action::Action;
use crate::ui::commands::UiCommand;
use crate::ui::composer::{ComposerAction, SlashCommand, Submission};
use crate::ui::dialogs::{
    BackupDialog, ConnectionDialog, CreateDialog, Dialog, DoorDialog, ExportChatDialog, ExportDialog,
    ImportDialog, InvitesDialog, NickDialog, PassphraseDialog, RestoreDialog, RightsDialog, ZOOM_PERCENT,
};
use crate::ui::switcher::Switcher;
use crate::ui::tabs::Tabs;
use crate::ui::theme;
use crate::ui::timeline::TimelineAction;
use crate::ui::toasts::Kind;

/// How long leaving a chat can be undone, and Undo is offered for other things.
pub(super) const UNDO_WITHIN: Duration = Duration::from_secs(6);

/// How long the way back from what was done is offered: longer than for leaving, for nothing waits for it (a guess).
const OFFERED_FOR: Duration = Duration::from_secs(12);

/// A step of the zoom in percent.
const ZOOM_STEP: u16 = 10;

/// From this width in points on, the members have their place beside the chat.
pub(super) const MEMBERS_FROM: f32 = 900.0;

impl App {
    pub(super) fn carry_out(&mut self, ctx: &Context, action: Action) {
        match action {
            Action::Do(command) => self.run_command(ctx, command),
            Action::Begin(nick) => self.begin(ctx, nick),
            Action::Select(chat) => self.select(chat),
            Action::CloseTab(chat) => self.change_tabs(|tabs| tabs.close(chat)),
            Action::MoveTab { chat, to } => self.change_tabs(|tabs| tabs.move_to(chat, to)),
            Action::Timeline(chat, action) => self.timeline_action(ctx, chat, action),
            Action::Composer(chat, action) => self.composer_action(ctx, chat, action),
            Action::Retry(chat) => self.retry(chat),
            Action::Leave(chat) => self.ask_to_leave(chat),
            Action::LeaveUnasked(chat) => self.leave(chat),
            Action::MarkRead(chat) => self.end_reading(chat),
            Action::UndoLeave(chat) => self.undo_leave(chat),
            Action::OpenMember(chat, member) => self.open_member(chat, member),
            Action::OpenBan(chat, member) => self.open_ban(chat, member),
            Action::Send(command) => self.send(command),
            Action::Mention(chat, nick) => self.mention(chat, &nick),
            Action::EditTopic => self.edit_topic(),
            Action::EndTopicEdit(topic) => self.end_topic_edit(topic),
            Action::SetStatus(status) => self.set_status(status),
            Action::Set(settings) => self.set(ctx, settings),
            Action::Submit(command) => self.submit(command),
            Action::Offer { text, button, action } => {
                let until = self.clock.elapsed() + OFFERED_FOR;
                self.toasts.offer(text, button, *action, until);
            }
            Action::CloseSearch { go_back } => self.close_search(go_back),
            Action::StepSearch(by) => self.step_search(ctx, by),
            Action::ShowHit(at) => self.show_hit_at(ctx, at),
            Action::SearchOlder => self.search_older(),
            Action::GoToDay(chat, day) => self.go_to_day(chat, day),
            Action::ShowInvites(chat) => self.show_invites(chat),
            Action::ExportInvite(chat) => self.export_invite(chat),
            Action::ShowDoor(chat) => self.show_door(chat),
            Action::ShowRights(chat) => {
                let chat = chat.and_then(|chat| self.chats.get(chat));
                self.open(Dialog::Rights(RightsDialog::new(chat)));
            }
            Action::AskFile(request) => {
                self.next_ticket += 1;
                if let Some(dialog) = self.overlays.dialogs.last_mut() {
                    dialog.file_requested(self.next_ticket, self.clock.elapsed());
                }
                self.files.request(self.next_ticket, request);
            }
            Action::OfferImport(source) => self.offer_import(source),
            Action::Copy { text, what } => {
                ctx.copy_text(text);
                let done = format!("Copied {what}.");
                match self.overlays.dialogs.last_mut() {
                    Some(dialog) => dialog.copied(done),
                    None => _ = self.toasts.show(Kind::Info, done, self.clock.elapsed()),
                }
            }
            Action::ToggleChatList => self.overlays.chat_list = !self.overlays.chat_list,
            Action::OpenRestore => self.open(Dialog::Restore(RestoreDialog::default())),
            Action::Unlock(passphrase) => {
                if let Phase::Locked(page) = &mut self.phase {
                    page.begin();
                    self.outbox.send(Command::Unlock { passphrase });
                }
            }
            Action::CloseDialog => {
                self.overlays.dialogs.pop();
                self.overlays.focus_wanted = true;
            }
            Action::CloseSwitcher => {
                self.overlays.switcher = None;
                self.overlays.focus_wanted = true;
            }
            Action::DismissToast(id) => self.toasts.dismiss(id),
        }
    }

    fn run_command(&mut self, ctx: &Context, command: UiCommand) {
        if command.entry().needs_chat && self.selected().is_none() {
            return;
        }
        match command {
            UiCommand::NewChat => self.open(Dialog::Create(CreateDialog::new(&self.settings.nick))),
            UiCommand::ImportInvite => self.open(Dialog::Import(ImportDialog::new(&self.settings.nick))),
            UiCommand::ExportInvite => self.with_selected(Self::export_invite),
            UiCommand::ExportChat => self.with_selected(Self::export_chat),
            UiCommand::BackUp => self.open_over(Dialog::Backup(BackupDialog::default())),
            UiCommand::SetPassphrase => self.open(Dialog::Passphrase(PassphraseDialog::default())),
            UiCommand::ShowInvites => self.with_selected(Self::show_invites),
            UiCommand::ShowDoor => self.with_selected(Self::show_door),
            UiCommand::ShowRights => self.actions.push(Action::ShowRights(self.selected())),
            UiCommand::NextTab => self.change_tabs(|tabs| tabs.step(1)),
            UiCommand::PreviousTab => self.change_tabs(|tabs| tabs.step(-1)),
            UiCommand::SelectTab(number) => {
                self.change_tabs(|tabs| tabs.select_at(usize::from(number.saturating_sub(1))));
            }
            UiCommand::CloseTab => self.with_selected(|app, chat| app.change_tabs(|tabs| tabs.close(chat))),
            UiCommand::ReopenTab => self.change_tabs(Tabs::reopen),
            UiCommand::MoveTabLeft => self.change_tabs(|tabs| tabs.move_selected(-1)),
            UiCommand::MoveTabRight => self.change_tabs(|tabs| tabs.move_selected(1)),
            UiCommand::QuickSwitcher => self.overlays.switcher = Some(Switcher::default()),
            UiCommand::NextUnread => self.next_unread(),
            UiCommand::OldestUnread => self.with_selected(|app, chat| {
                if let Some(view) = app.views.get_mut(&chat) {
                    view.timeline.reveal_unread();
                }
            }),
            UiCommand::ShowHistory => self.with_selected(Self::show_history),
            UiCommand::ClearHistory => self.with_selected(Self::show_clear),
            UiCommand::Find => self.open_search(false, None),
            UiCommand::FindEverywhere => self.open_search(true, None),
            UiCommand::NextHit => self.step_search(ctx, 1),
            UiCommand::PreviousHit => self.step_search(ctx, -1),
            UiCommand::GoToDay => self.with_selected(|app, chat| app.choose_day(chat, None)),
            UiCommand::GoBack => self.with_selected(Self::go_back),
            UiCommand::MarkRead => self.with_selected(Self::end_reading),
            UiCommand::EditTopic => self.actions.push(Action::EditTopic),
            UiCommand::ToggleTopicLock => self.toggle_topic_lock(),
            UiCommand::ShowModerationLog => self.with_selected(Self::open_log),
            UiCommand::EditNick => {
                if let Some(chat) = self.selected_chat() {
                    self.open(Dialog::Nick(NickDialog::new(chat.id, &chat.nick)));
                }
            }
            UiCommand::ToggleMembers => self.toggle_members(ctx),
            UiCommand::ShowConnection => {
                self.with_selected(|app, chat| app.open(Dialog::Connection(ConnectionDialog::new(chat))));
            }
            UiCommand::LeaveChat => self.with_selected(Self::ask_to_leave),
            UiCommand::ShowSettings => self.open(Dialog::Settings),
            UiCommand::ShowShortcuts => self.open(Dialog::Shortcuts),
            UiCommand::ZoomIn => self.zoom(ctx, self.settings.zoom_percent.saturating_add(ZOOM_STEP)),
            UiCommand::ZoomOut => self.zoom(ctx, self.settings.zoom_percent.saturating_sub(ZOOM_STEP)),
            UiCommand::ZoomReset => self.zoom(ctx, 100),
            UiCommand::Quit => self.quit(ctx),
        }
    }

    fn with_selected(&mut self, run: impl FnOnce(&mut Self, ChatId)) {
        if let Some(chat) = self.selected() {
            run(self, chat);
        }
    }

    /// Opens a dialog in place of those that are open.
    pub(super) fn open(&mut self, dialog: Dialog) {
        self.overlays.dialogs.clear();
        self.open_over(dialog);
    }

    /// Opens a dialog over those that are open: what is typed there is still wanted.
    pub(super) fn open_over(&mut self, dialog: Dialog) {
        self.overlays.switcher = None;
        self.overlays.dialogs.push(dialog);
    }

    fn begin(&mut self, ctx: &Context, nick: String) {
        self.phase = Phase::Running;
        self.set(
            ctx,
            Settings {
                nick,
                ..self.settings.clone()
            },
        );
    }

    pub(super) fn select(&mut self, chat: ChatId) {
        if self.leaving.get(&chat) == Some(&Leaving::Sent) {
            return;
        }
        self.overlays.chat_list = false;
        self.change_tabs(|tabs| tabs.select(chat));
    }

    /// Does something to the tabs, and keeps them if that changed anything.
    pub(super) fn change_tabs(&mut self, change: impl FnOnce(&mut Tabs)) {
        let before = self.tabs.workspace();
        change(&mut self.tabs);
        self.stay_in_front();
        let after = self.tabs.workspace();
        if before.selected != after.selected {
            if let Some(left) = before.selected.and_then(|chat| self.chats.get_mut(chat)) {
                left.forget_new_line();
            }
            self.overlays.topic_edit = None;
            self.overlays.focus_wanted = true;
        }
        if before != after {
            self.save_workspace();
        }
    }

    fn next_unread(&mut self) {
        let chats: Vec<(ChatId, u32)> = self.listed().map(|chat| (chat.id, chat.unread)).collect();
        let at = chats
            .iter()
            .position(|(chat, _)| Some(*chat) == self.tabs.selected())
            .map_or(0, |at| at + 1);
        let next = chats
            .iter()
            .cycle()
            .skip(at)
            .take(chats.len())
            .find(|(_, unread)| *unread > 0);
        if let Some((chat, _)) = next {
            self.select(*chat);
        }
    }

    /// Everything is read, and where reading had stopped before is of no interest any more.
    fn end_reading(&mut self, chat: ChatId) {
        self.mark_all_read(chat);
        if let Some(chat) = self.chats.get_mut(chat) {
            chat.forget_new_line();
        }
    }

    pub(super) fn mark_all_read(&mut self, chat: ChatId) {
        let newest = self.chats.get(chat).and_then(|chat| chat.timeline.last_message());
        if let Some(command) = newest.and_then(|message| self.chats.mark_read(chat, message)) {
            self.outbox.send(command);
        }
    }

    fn toggle_members(&mut self, ctx: &Context) {
        if ctx.content_rect().width() < MEMBERS_FROM {
            self.overlays.members = !self.overlays.members;
        } else {
            let members_shown = !self.settings.members_shown;
            self.set(
                ctx,
                Settings {
                    members_shown,
                    ..self.settings.clone()
                },
            );
        }
    }

    fn zoom(&mut self, ctx: &Context, percent: u16) {
        let zoom_percent = percent.clamp(*ZOOM_PERCENT.start(), *ZOOM_PERCENT.end());
        self.set(
            ctx,
            Settings {
                zoom_percent,
                ..self.settings.clone()
            },
        );
    }

    fn set(&mut self, ctx: &Context, settings: Settings) {
        if settings != self.settings {
            theme::choose(ctx, settings.theme, settings.zoom_percent);
            self.settings = settings.clone();
            self.outbox.keep_settings(settings, self.clock.elapsed());
        }
    }

    fn export_invite(&mut self, chat: ChatId) {
        let Some(chat) = self.chats.get(chat) else { return };
        if chat.kind == ChatKind::Classic {
            self.open(Dialog::Connection(ConnectionDialog::new(chat.id)));
        } else {
            self.open(Dialog::Export(ExportDialog::new(chat)));
        }
    }

    fn export_chat(&mut self, chat: ChatId) {
        if let Some(chat) = self.chats.get(chat) {
            self.open(Dialog::ExportChat(ExportChatDialog::new(chat)));
        }
    }

    fn show_invites(&mut self, chat: ChatId) {
        let Some(found) = self.chats.get(chat) else { return };
        if found.kind == ChatKind::Classic {
            // Nobody is invited there: a peer is connected to.
            return self.open(Dialog::Connection(ConnectionDialog::new(chat)));
        }
        let may_see = found.may(Deed::CloseInvite).is_ok();
        self.open(Dialog::Invites(InvitesDialog::new(chat)));
        if may_see {
            self.submit(ChatCommand::Invites.to(chat));
        }
    }

    fn show_door(&mut self, chat: ChatId) {
        if let Some(chat) = self.chats.get(chat) {
            self.open(Dialog::Door(DoorDialog::new(chat)));
        }
    }

    fn offer_import(&mut self, source: InviteSource) {
        if !matches!(self.overlays.dialogs.last(), Some(Dialog::Import(_))) {
            self.open_over(Dialog::Import(ImportDialog::new(&self.settings.nick)));
        }
        if let Some(Dialog::Import(dialog)) = self.overlays.dialogs.last_mut() {
            dialog.fill(source);
        }
    }

    fn submit(&mut self, command: Command) {
        let tag = self.outbox.send_tagged(command);
        if let Some(dialog) = self.overlays.dialogs.last_mut() {
            dialog.submitted(tag);
        }
    }

    fn retry(&mut self, chat: ChatId) {
        let now = self.clock.timestamp();
        if let Some(chat) = self.chats.get_mut(chat) {
            chat.look_again(now);
        }
        self.outbox.send(ChatCommand::Retry.to(chat));
    }

    fn mention(&mut self, chat: ChatId, nick: &str) {
        if let Some(view) = self.views.get_mut(&chat) {
            let at_start = view.composer.text().is_empty();
            view.composer.insert(&if at_start {
                format!("{nick}: ")
            } else {
                format!("{nick} ")
            });
        }
    }

    fn end_topic_edit(&mut self, topic: Option<String>) {
        self.overlays.topic_edit = None;
        if let (Some(topic), Some(chat)) = (topic, self.selected_chat())
            && topic != chat.topic
        {
            self.outbox
                .send(ChatCommand::SetTopic { topic, locked: None }.to(chat.id));
        }
        self.overlays.focus_wanted = true;
    }

    fn set_status(&mut self, status: Status) {
        if let Some(chat) = self.selected() {
            self.presence.away_in.remove(&chat);
            self.outbox.send(ChatCommand::SetStatus { status }.to(chat));
        }
    }

    fn timeline_action(&mut self, ctx: &Context, chat: ChatId, action: TimelineAction) {
        match action {
            TimelineAction::Load(page) => self.load(chat, page),
            TimelineAction::ChooseDay(day) => self.choose_day(chat, Some(day)),
            TimelineAction::MarkRead(message) => {
                if let Some(command) = self.chats.mark_read(chat, message) {
                    self.outbox.send(command);
                }
            }
            TimelineAction::OpenMember(member) => self.actions.push(Action::OpenMember(chat, member)),
            TimelineAction::OpenLink(link) if link.starts_with("throng:") => {
                self.actions.push(Action::OfferImport(InviteSource::Text(link)));
            }
            TimelineAction::OpenLink(link) => ctx.open_url(OpenUrl::new_tab(link)),
            TimelineAction::CopyText(text) => ctx.copy_text(text),
            TimelineAction::Retry(id) => self.send(ChatCommand::Resend { id }.to(chat)),
            TimelineAction::Mention(nick) => self.mention(chat, &nick),
            TimelineAction::Ignore(member) => self.send(
                ChatCommand::Ignore {
                    member,
                    ignored: true,
                }
                .to(chat),
            ),
            TimelineAction::Ban(member) => self.open_ban(chat, member),
        }
    }

    fn composer_action(&mut self, ctx: &Context, chat: ChatId, action: ComposerAction) {
        match action {
            ComposerAction::Submit(submission) => self.submit_typed(ctx, chat, submission),
            ComposerAction::DraftChanged(text) => {
                if let Some(found) = self.chats.get_mut(chat) {
                    found.draft.clone_from(&text);
                    self.outbox.keep_draft(chat, text, self.clock.elapsed());
                }
            }
        }
    }

    fn submit_typed(&mut self, ctx: &Context, chat: ChatId, submission: Submission) {
        if let Some(view) = self.views.get_mut(&chat) {
            view.timeline.follow();
        }
        self.end_reading(chat);
        match submission {
            Submission::Say(text) => self
                .outbox
                .send_typed(ChatCommand::Say { text: text.clone() }.to(chat), &text),
            Submission::Act(text) => {
                let typed = format!("/me {text}");
                self.outbox.send_typed(ChatCommand::Act { text }.to(chat), &typed);
            }
            Submission::Command(command) => self.slash_command(ctx, chat, command),
        }
    }

    fn slash_command(&mut self, ctx: &Context, chat: ChatId, command: SlashCommand) {
        match command {
            SlashCommand::Nick(nick) => {
                let typed = format!("/nick {nick}");
                self.outbox
                    .send_typed(ChatCommand::SetNick { nick }.to(chat), &typed);
            }
            SlashCommand::ShowTopic => self.show_topic(chat),
            SlashCommand::Topic(topic) => {
                let shown = if topic.is_empty() { "-delete" } else { &topic };
                let typed = format!("/topic {shown}");
                if let Err(why) = self.may(chat, Deed::SetTopic) {
                    return self.give_back(chat, &typed, why);
                }
                self.outbox
                    .send_typed(ChatCommand::SetTopic { topic, locked: None }.to(chat), &typed);
            }
            SlashCommand::Ban(_)
            | SlashCommand::Unban(_)
            | SlashCommand::Role(..)
            | SlashCommand::Ignore(_) => self.moderate(chat, command),
            SlashCommand::Log => self.open_log(chat),
            SlashCommand::Away => self.set_status(Status::Away),
            SlashCommand::Back => self.set_status(Status::Online),
            SlashCommand::Busy => self.set_status(Status::Busy),
            SlashCommand::Invite => self.export_invite(chat),
            SlashCommand::Join(text) if text.is_empty() => self.run_command(ctx, UiCommand::ImportInvite),
            SlashCommand::Join(text) => self.offer_import(InviteSource::Text(text)),
            SlashCommand::Export => self.export_chat(chat),
            SlashCommand::Leave => self.ask_to_leave(chat),
            SlashCommand::Search(text) => self.open_search(false, Some(&text)),
            SlashCommand::Clear => self.show_clear(chat),
            SlashCommand::Help => self.open(Dialog::Shortcuts),
        }
    }
}
