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
                | Command::History { .. }
                | Command::Members { .. }
                | Command::Invites { .. }
                | Command::SaveWorkspace { .. }
                | Command::SaveDraft { .. }
                | Command::SaveSettings { .. }
                | Command::MarkRead { .. }
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
            Command::ExportInvite { chat, .. } => {
                let event = Event::InviteExported {
                    chat: *chat,
                    invite: InviteId([9; 32]),
                    path: None,
                    text: "-----BEGIN THRONG INVITE-----\nYW4gaW52aXRl\n-----END THRONG INVITE-----\n"
                        .to_owned(),
                    link: "throng:YW4gaW52aXRl".to_owned(),
                };
                self.answer(event, tag);
            }
            Command::Say { chat, text } => {
                self.said.set(self.said.get() + 1);
                let mut message = message(*chat, own(*chat), "Robin", 10_000 + self.said.get(), 0, text);
                message.own = true;
                message.delivery = Some(DeliveryState::Waiting);
                self.answer(Event::Message(message), tag);
            }
            Command::SetNick { chat, nick } => {
                let event = Event::NickChanged {
                    chat: *chat,
                    member: own(*chat),
                    nick: nick.clone(),
                };
                self.answer(event, tag);
            }
            Command::SetTopic { chat, topic, locked } => {
                let event = Event::TopicChanged {
                    chat: *chat,
                    topic: topic.clone(),
                    locked: locked.unwrap_or_default(),
                    by: own(*chat),
                };
                self.answer(event, tag);
            }
            Command::SetStatus { chat, status } => {
                let event = Event::StatusChanged {
                    chat: *chat,
                    member: own(*chat),
                    status: *status,
                };
                self.answer(event, tag);
            }
            Command::Invites { chat } => {
                let invites = self.invites.borrow().clone();
                self.answer(Event::Invites { chat: *chat, invites }, tag);
            }
            Command::SetDoor { chat, door } => {
                let event = Event::DoorChanged {
                    chat: *chat,
                    door: *door,
                    by: Some(own(*chat)),
                };
                self.answer(event, tag);
            }
            Command::CloseInvite { chat, invite } => {
                for info in self.invites.borrow_mut().iter_mut() {
                    info.closed |= info.invite == *invite;
                }
                let event = Event::InviteClosed {
                    chat: *chat,
                    invite: *invite,
                    by: Some(own(*chat)),
                };
                self.answer(event, tag);
            }
            Command::Ban { .. }
            | Command::Unban { .. }
            | Command::SetRole { .. }
            | Command::Ignore { .. }
            | Command::ModerationLog { .. } => self.play_moderation(request),
            Command::LeaveChat { chat } => self.answer(
                Event::ChatClosed {
                    chat: *chat,
                    unsent: 0,
                },
                tag,
            ),
            Command::ClearHistory { chat } => {
                self.archive.borrow_mut().retain(|message| message.chat != *chat);
                self.answer(Event::HistoryCleared { chat: *chat }, tag);
            }
            Command::SetRetention { chat, retention } => {
                let (chat, retention) = (*chat, *retention);
                self.answer(Event::RetentionChanged { chat, retention }, tag);
            }
            Command::SetHistoryRule { chat, rule } => {
                let (chat, rule, by) = (*chat, *rule, Some(own(*chat)));
                self.answer(Event::HistoryRuleChanged { chat, rule, by }, tag);
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
            Command::Ban {
                chat,
                member,
                reason,
                hide_all,
                ..
            } => Event::Banned {
                chat,
                member,
                by: own(chat),
                reason,
                hide_all,
            },
            Command::Unban { chat, member } => Event::Unbanned {
                chat,
                member,
                by: own(chat),
            },
            Command::SetRole { chat, member, role } => Event::RoleChanged {
                chat,
                member,
                role,
                by: Some(own(chat)),
            },
            Command::Ignore {
                chat,
                member,
                ignored,
            } => Event::IgnoreChanged {
                chat,
                member,
                ignored,
            },
            Command::ModerationLog { chat } => Event::ModerationLog {
                chat,
                entries: self.log.borrow().clone(),
            },
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
