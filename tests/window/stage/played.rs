//! A backend that plays a node: it answers as one would, and remembers what it was told.

#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use throng::id::InviteId;
use throng::model::*;
use throng::ui::backend::Backend;

use super::archive;
use super::events::*;

/// A node that is played: it keeps what it was sent, and answers what a window can't go on without.
#[derive(Clone, Default)]
pub struct Played {
    pub sent: Rc<RefCell<Vec<Command>>>,
    reports: Rc<RefCell<VecDeque<Report>>>,
    pub settings: Rc<RefCell<Settings>>,
    pub workspace: Rc<RefCell<Workspace>>,
    pub open_chats: Rc<RefCell<Vec<OpenChat>>>,
    /// Those of every chat.
    pub invites: Rc<RefCell<Vec<InviteInfo>>>,
    /// Answer the next command that is not one of every start with this error.
    pub refuse: Rc<RefCell<Option<(Code, String)>>>,
    /// Take nothing, as when the queue is full.
    pub full: Rc<Cell<bool>>,
    /// What the moderation log answers.
    pub log: Rc<RefCell<Vec<LogEntry>>>,
    /// The tag of what was submitted last.
    last_tag: Rc<RefCell<Option<Tag>>>,
    /// What is stored, by time.
    pub archive: Rc<RefCell<Vec<Message>>>,
    /// Keep answers back until they are released.
    pub hold_answers: Rc<Cell<bool>>,
    held: Rc<RefCell<VecDeque<Report>>>,
    created: Rc<Cell<u8>>,
    said: Rc<Cell<u32>>,
}

impl Played {
    /// Reports something.
    pub fn report(&self, event: Event) {
        self.reports.borrow_mut().push_back(event.into());
    }

    fn answer(&self, event: Event, tag: &Option<Tag>) {
        let report = Report {
            event,
            tag: tag.clone(),
        };
        if self.hold_answers.get() {
            self.held.borrow_mut().push_back(report);
        } else {
            self.reports.borrow_mut().push_back(report);
        }
    }

    /// Gives the answers that were kept back.
    pub fn release_answers(&self) {
        self.hold_answers.set(false);
        self.reports.borrow_mut().append(&mut self.held.borrow_mut());
    }

    /// Answers what was submitted last.
    pub fn answer_last(&self, event: Event) {
        let tag = self.last_tag.borrow().clone();
        self.answer(event, &tag);
    }

    /// What was sent, and forgets it.
    pub fn take_sent(&self) -> Vec<Command> {
        std::mem::take(&mut *self.sent.borrow_mut())
    }

    pub fn was_sent(&self, wanted: &Command) -> bool {
        self.sent.borrow().contains(wanted)
    }

    fn play(&self, request: &Request) {
        let Request { command, tag } = request;
        if tag.is_some() {
            self.last_tag.borrow_mut().clone_from(tag);
        }
        let routine = matches!(
            command,
            Command::LoadWorkspace
                | Command::Chat {
                    command: ChatCommand::History { .. },
                    ..
                }
                | Command::Chat {
                    command: ChatCommand::Members,
                    ..
                }
                | Command::Chat {
                    command: ChatCommand::Invites,
                    ..
                }
                | Command::SaveWorkspace { .. }
                | Command::Chat {
                    command: ChatCommand::SaveDraft { .. },
                    ..
                }
                | Command::SaveSettings { .. }
                | Command::Chat {
                    command: ChatCommand::MarkRead { .. },
                    ..
                }
        );
        if !routine && let Some((code, message)) = self.refuse.borrow_mut().take() {
            let (chat, command) = (command.chat(), command.name().to_owned());
            return self.answer(
                Event::Error {
                    chat,
                    command,
                    code,
                    message,
                },
                tag,
            );
        }
        match command {
            Command::LoadWorkspace => {
                let (settings, workspace) = (self.settings.borrow().clone(), self.workspace.borrow().clone());
                let chats = self.open_chats.borrow().clone();
                self.answer(
                    Event::Workspace {
                        settings,
                        workspace,
                        chats,
                    },
                    tag,
                );
            }
            Command::CreateChat { name, kind, nick, .. } => {
                self.created.set(self.created.get() + 1);
                let opened = opened(100 + self.created.get(), name, *kind, nick, Role::Founder);
                self.answer(opened, tag);
            }
            Command::ImportInvite { nick, .. } => {
                self.created.set(self.created.get() + 1);
                let opened = opened(
                    100 + self.created.get(),
                    "Imported",
                    ChatKind::Private,
                    nick,
                    Role::Member,
                );
                self.answer(opened, tag);
            }
            Command::Chat {
                chat,
                command: ChatCommand::ExportInvite { .. },
            } => {
                let event = ChatEvent::InviteExported {
                    invite: InviteId([9; 32]),
                    path: None,
                    text: "-----BEGIN THRONG INVITE-----\nYW4gaW52aXRl\n-----END THRONG INVITE-----\n"
                        .to_owned(),
                    link: "throng:YW4gaW52aXRl".to_owned(),
                }
                .of(*chat);
                self.answer(event, tag);
            }
            Command::Chat {
                chat,
                command: ChatCommand::Say { text },
            } => {
                self.said.set(self.said.get() + 1);
                let mut message = message(*chat, own(*chat), "Robin", 10_000 + self.said.get(), 0, text);
                message.own = true;
                message.delivery = Some(DeliveryState::Waiting);
                self.answer(Event::Message(message), tag);
            }
            Command::Chat {
                chat,
                command: ChatCommand::SetNick { nick },
            } => {
                let event = ChatEvent::NickChanged {
                    member: own(*chat),
                    nick: nick.clone(),
                }
                .of(*chat);
                self.answer(event, tag);
            }
            Command::Chat {
                chat,
                command: ChatCommand::SetTopic { topic, locked },
            } => {
                let event = ChatEvent::TopicChanged {
                    topic: topic.clone(),
                    locked: locked.unwrap_or_default(),
                    by: own(*chat),
                }
                .of(*chat);
                self.answer(event, tag);
            }
            Command::Chat {
                chat,
                command: ChatCommand::SetStatus { status },
            } => {
                let event = ChatEvent::StatusChanged {
                    member: own(*chat),
                    status: *status,
                }
                .of(*chat);
                self.answer(event, tag);
            }
            Command::Chat {
                chat,
                command: ChatCommand::Invites,
            } => {
                let invites = self.invites.borrow().clone();
                self.answer(ChatEvent::Invites { invites }.of(*chat), tag);
            }
            Command::Chat {
                chat,
                command: ChatCommand::SetDoor { door },
            } => {
                let event = ChatEvent::DoorChanged {
                    door: *door,
                    by: Some(own(*chat)),
                }
                .of(*chat);
                self.answer(event, tag);
            }
            Command::Chat {
                chat,
                command: ChatCommand::CloseInvite { invite },
            } => {
                for info in self.invites.borrow_mut().iter_mut() {
                    info.closed |= info.invite == *invite;
                }
                let event = ChatEvent::InviteClosed {
                    invite: *invite,
                    by: Some(own(*chat)),
                }
                .of(*chat);
                self.answer(event, tag);
            }
            Command::Chat {
                command: ChatCommand::Ban { .. },
                ..
            }
            | Command::Chat {
                command: ChatCommand::Unban { .. },
                ..
            }
            | Command::Chat {
                command: ChatCommand::SetRole { .. },
                ..
            }
            | Command::Chat {
                command: ChatCommand::Ignore { .. },
                ..
            }
            | Command::Chat {
                command: ChatCommand::ModerationLog,
                ..
            } => self.play_moderation(request),
            Command::Chat {
                chat,
                command: ChatCommand::LeaveChat,
            } => self.answer(ChatEvent::ChatClosed { unsent: 0 }.of(*chat), tag),
            Command::Chat {
                chat,
                command: ChatCommand::ClearHistory,
            } => {
                self.archive.borrow_mut().retain(|message| message.chat != *chat);
                self.answer(ChatEvent::HistoryCleared.of(*chat), tag);
            }
            Command::Chat {
                chat,
                command: ChatCommand::SetRetention { retention },
            } => {
                let (chat, retention) = (*chat, *retention);
                self.answer(ChatEvent::RetentionChanged { retention }.of(chat), tag);
            }
            Command::Chat {
                chat,
                command: ChatCommand::SetHistoryRule { rule },
            } => {
                let (chat, rule, by) = (*chat, *rule, Some(own(*chat)));
                self.answer(ChatEvent::HistoryRuleChanged { rule, by }.of(chat), tag);
            }
            command if !self.archive.borrow().is_empty() => {
                let event = archive::answer(&self.archive.borrow(), command);
                if let Some(event) = event {
                    self.answer(event, tag);
                }
            }
            _ => {}
        }
    }
}

impl Played {
    fn play_moderation(&self, request: &Request) {
        let event = match request.command.clone() {
            Command::Chat {
                chat,
                command:
                    ChatCommand::Ban {
                        member,
                        reason,
                        hide_all,
                        ..
                    },
            } => ChatEvent::Banned {
                member,
                by: own(chat),
                reason,
                hide_all,
            }
            .of(chat),
            Command::Chat {
                chat,
                command: ChatCommand::Unban { member },
            } => ChatEvent::Unbanned {
                member,
                by: own(chat),
            }
            .of(chat),
            Command::Chat {
                chat,
                command: ChatCommand::SetRole { member, role },
            } => ChatEvent::RoleChanged {
                member,
                role,
                by: Some(own(chat)),
            }
            .of(chat),
            Command::Chat {
                chat,
                command: ChatCommand::Ignore { member, ignored },
            } => ChatEvent::IgnoreChanged { member, ignored }.of(chat),
            Command::Chat {
                chat,
                command: ChatCommand::ModerationLog,
            } => ChatEvent::ModerationLog {
                entries: self.log.borrow().clone(),
            }
            .of(chat),
            _ => return,
        };
        self.answer(event, &request.tag);
    }
}

impl Backend for Played {
    fn try_send(&mut self, request: &Request) -> bool {
        if self.full.get() {
            return false;
        }
        self.sent.borrow_mut().push(request.command.clone());
        self.play(request);
        true
    }

    fn poll(&mut self) -> Option<Report> {
        self.reports.borrow_mut().pop_front()
    }
}
