//! Moderation commands, typed or clicked, and Undo after them.

use super::carry_out::UNDO_WITHIN;
use super::{Action, App};
use crate::id::{ChatId, MemberId};
use crate::model::{
    Chat, ChatCommand, ChatEvent, ChatKind, Command, Deed, Event, MAX_BAN_REASON_LEN, Report, Role,
};
use crate::ui::composer::{ComposerAction, SlashCommand};
use crate::ui::dialogs::{BanDialog, Dialog, MemberCard, ModerationLogDialog};
use crate::ui::toasts::Kind;

impl App {
    /// Opens a member's card, and asks for what stands on it.
    pub(super) fn open_member(&mut self, chat: ChatId, member: MemberId) {
        self.outbox.send(ChatCommand::Members.to(chat));
        if self.may(chat, Deed::CloseInvite).is_ok() {
            self.outbox.send(ChatCommand::Invites.to(chat));
        }
        self.open(Dialog::Member(MemberCard::new(chat, member)));
    }

    /// Asks how to ban a member, or says why that can't be done.
    pub(super) fn open_ban(&mut self, chat: ChatId, member: MemberId) {
        let Some(found) = self.chats.get(chat) else { return };
        let may = match found.members.get(member) {
            Some(member) => found.may_to(Deed::Ban, member),
            None => Err("They are not a member any more.".to_owned()),
        };
        match may {
            Ok(()) => self.open(Dialog::Ban(BanDialog::new(chat, member))),
            Err(why) => _ = self.toasts.show(Kind::Error, why, self.clock.elapsed()),
        }
    }

    /// Opens the moderation log of a chat, and asks for it.
    pub(super) fn open_log(&mut self, chat: ChatId) {
        if self
            .chats
            .get(chat)
            .is_some_and(|chat| chat.kind != ChatKind::Classic)
        {
            self.outbox.send(ChatCommand::ModerationLog.to(chat));
        }
        self.open(Dialog::ModerationLog(ModerationLogDialog::new(chat)));
    }

    /// Asks for the log that is shown again when it has become longer.
    pub(super) fn keep_log_fresh(&mut self, event: &Event) {
        let (Event::Chat {
            chat,
            event: ChatEvent::Banned { .. },
        }
        | Event::Chat {
            chat,
            event: ChatEvent::Unbanned { .. },
        }
        | Event::Chat {
            chat,
            event: ChatEvent::RoleChanged { .. },
        }
        | Event::Chat {
            chat,
            event: ChatEvent::TopicChanged { .. },
        }
        | Event::Chat {
            chat,
            event: ChatEvent::DoorChanged { .. },
        }
        | Event::Chat {
            chat,
            event: ChatEvent::HistoryRuleChanged { .. },
        }
        | Event::Chat {
            chat,
            event: ChatEvent::InviteClosed { .. },
        }) = event
        else {
            return;
        };
        let is_shown = |dialog: &Dialog| dialog.log_of() == Some(*chat);
        if self.overlays.dialogs.iter().any(is_shown) {
            self.outbox.send(ChatCommand::ModerationLog.to(*chat));
        }
    }

    /// Begins to change the topic in the header, or says why not.
    pub(super) fn edit_topic(&mut self) {
        let Some(chat) = self.selected_chat() else { return };
        match chat.may(Deed::SetTopic) {
            Ok(()) => self.overlays.topic_edit = Some(chat.topic.clone()),
            Err(why) => _ = self.toasts.show(Kind::Error, why, self.clock.elapsed()),
        }
    }

    /// Says what the topic of a chat is, and how it is changed by typing.
    pub(super) fn show_topic(&mut self, chat: ChatId) {
        let Some(chat) = self.chats.get(chat) else { return };
        let words = match chat.topic.as_str() {
            "" => "This chat has no topic. /topic TEXT sets one.".to_owned(),
            topic => format!("The topic is: {topic}. /topic TEXT changes it, /topic -delete clears it."),
        };
        self.toasts.show(Kind::Info, words, self.clock.elapsed());
    }

    /// Locks the topic of the chat in front, or unlocks it.
    pub(super) fn toggle_topic_lock(&mut self) {
        let Some(chat) = self.selected_chat() else { return };
        match chat.may(Deed::LockTopic) {
            Ok(()) => {
                let command = ChatCommand::SetTopic {
                    topic: chat.topic.clone(),
                    locked: Some(!chat.topic_locked),
                }
                .to(chat.id);
                self.outbox.send(command);
            }
            Err(why) => _ = self.toasts.show(Kind::Error, why, self.clock.elapsed()),
        }
    }

    /// Sends what undoes something; its toast has done its work.
    pub(super) fn send(&mut self, command: Command) {
        self.toasts.dismiss_about(&Action::Send(command.clone()));
        self.outbox.send(command);
    }

    /// Whether we may do something in a chat.
    pub(super) fn may(&self, chat: ChatId, deed: Deed) -> Result<(), String> {
        self.chats.get(chat).map_or(Ok(()), |chat| chat.may(deed))
    }

    /// Does what was typed about a member; what can't be done goes back to where it was typed, with the reason.
    pub(super) fn moderate(&mut self, chat: ChatId, command: SlashCommand) {
        let Some(found) = self.chats.get(chat) else { return };
        let (typed, understood) = match command {
            SlashCommand::Ban(argument) => (format!("/ban {argument}"), ban(found, &argument)),
            SlashCommand::Unban(who) => (format!("/unban {who}"), unban(found, &who)),
            SlashCommand::Role(who, role) => (
                format!("/role {who} {}", role.name().to_lowercase()),
                set_role(found, &who, role),
            ),
            SlashCommand::Ignore(who) => (format!("/ignore {who}"), ignore(found, &who)),
            _ => return,
        };
        match understood {
            Ok(command) => self.outbox.send_typed(command, &typed),
            Err(why) => self.give_back(chat, &typed, why),
        }
    }

    /// Puts what was typed back, with the reason why it was not done.
    pub(super) fn give_back(&mut self, chat: ChatId, typed: &str, why: String) {
        if let Some(view) = self.views.get_mut(&chat) {
            view.composer.give_back(typed, why);
            let draft = ComposerAction::DraftChanged(view.composer.text().to_owned());
            self.actions.push(Action::Composer(chat, draft));
        }
    }

    /// After what we did ourselves: says that it is done, and offers to undo it. To be called before the picture of
    /// the chats knows of it, for what it was before.
    pub(super) fn offer_undo(&mut self, report: &Report) {
        if report.tag.is_none() {
            return;
        }
        let Some((done, undo)) = self.undo_of(&report.event) else {
            return;
        };
        let now = self.clock.elapsed();
        match undo {
            Some(command) => {
                self.toasts
                    .offer(done, "Undo", Action::Send(command), now + UNDO_WITHIN);
            }
            None => _ = self.toasts.show(Kind::Info, done, now),
        }
    }

    fn undo_of(&self, event: &Event) -> Option<(String, Option<Command>)> {
        match *event {
            Event::Chat {
                chat,
                event: ChatEvent::Banned { member, .. },
            } => {
                let done = format!("{} is banned.", self.chats.get(chat)?.nick_of(member));
                Some((done, Some(ChatCommand::Unban { member }.to(chat))))
            }
            Event::Chat {
                chat,
                event: ChatEvent::Unbanned { member, .. },
            } => {
                let done = format!("The ban on {} is lifted.", self.chats.get(chat)?.nick_of(member));
                Some((done, None))
            }
            Event::Chat {
                chat,
                event: ChatEvent::RoleChanged { member, role, .. },
            } => {
                let before = self.chats.get(chat)?.members.get(member)?;
                let done = format!("{} is {} now.", before.nick, role.with_article());
                let undo = ChatCommand::SetRole {
                    member,
                    role: before.role,
                }
                .to(chat);
                let is_other = before.role != role && before.role != Role::Founder;
                Some((done, is_other.then_some(undo)))
            }
            Event::Chat {
                chat,
                event: ChatEvent::IgnoreChanged { member, ignored },
            } => {
                let nick = self.chats.get(chat)?.nick_of(member);
                let done = if ignored {
                    format!("What {nick} says is hidden from you.")
                } else {
                    format!("What {nick} says is shown again.")
                };
                let undo = ChatCommand::Ignore {
                    member,
                    ignored: !ignored,
                }
                .to(chat);
                Some((done, Some(undo)))
            }
            _ => None,
        }
    }
}

fn ban(chat: &Chat, argument: &str) -> Result<Command, String> {
    let (member, reason) = chat.find_member_before(argument)?;
    if member.own {
        return Err("You can't ban yourself. /leave leaves the chat.".to_owned());
    }
    chat.may_to(Deed::Ban, member)?;
    if reason.len() > MAX_BAN_REASON_LEN {
        let over = reason.len() - MAX_BAN_REASON_LEN;
        return Err(format!("The reason is too long by {over}. Make it shorter."));
    }
    Ok(ChatCommand::Ban {
        member: member.id,
        reason: reason.to_owned(),
        with_invite: false,
        hide_all: false,
    }
    .to(chat.id))
}

fn unban(chat: &Chat, who: &str) -> Result<Command, String> {
    let member = chat.find_member(who)?;
    if member.ban.is_none() {
        return Err(format!("{} is not banned.", member.nick));
    }
    chat.may_to(Deed::Lift, member)?;
    Ok(ChatCommand::Unban { member: member.id }.to(chat.id))
}

fn set_role(chat: &Chat, who: &str, role: Role) -> Result<Command, String> {
    let member = chat.find_member(who)?;
    chat.may_set_role(member, role)?;
    if member.role == role {
        return Err(format!("{} is {} already.", member.nick, role.with_article()));
    }
    Ok(ChatCommand::SetRole {
        member: member.id,
        role,
    }
    .to(chat.id))
}

fn ignore(chat: &Chat, who: &str) -> Result<Command, String> {
    let member = chat.find_member(who)?;
    if member.own {
        return Err("You can't ignore yourself.".to_owned());
    }
    Ok(ChatCommand::Ignore {
        member: member.id,
        ignored: !member.ignored,
    }
    .to(chat.id))
}
