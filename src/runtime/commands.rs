//! Carrying out commands.

use std::net::SocketAddr;

use super::actor::{Actor, Errand};
use super::cause::Cause;
use super::chat::Chat;
use super::failure::{Failure, bad_command, check_len};
use super::invites::InviteOrder;
use super::moderation::BanOrder;
use super::reconnect::Target;
use crate::facts::Action;
use crate::id::{ChatId, ClientId};
use crate::model::{ChatCommand, ChatEvent, Code, Command, Event, Request, Status, Tag};
use crate::node::Input;
use crate::store::{HistoryQuery, StoreError, Write};

/// The longest nick in bytes, by the base protocol.
const MAX_NICK_LEN: usize = 128;

/// The longest topic in bytes, by the base protocol.
const MAX_TOPIC_LEN: usize = 512;

/// The longest draft in bytes: far over what can be sent. A guess.
const MAX_DRAFT_LEN: usize = 64 << 10;

impl Actor {
    /// Carries out a command, or reports why not.
    pub(super) async fn handle_request(&mut self, request: Request) {
        let Request { command, tag } = request;
        let (name, chat) = (command.name(), command.chat());
        if let Err(failure) = self.carry_out(command, tag.clone()).await {
            self.outlet.command_failed(name, chat, tag, failure);
        }
    }

    async fn carry_out(&mut self, command: Command, tag: Option<Tag>) -> Result<(), Failure> {
        self.check_lock(&command)?;
        match command {
            Command::Chat { chat, command } => return self.carry_out_in(chat, command, tag).await,
            Command::CreateChat {
                name,
                kind,
                nick,
                door,
            } => return self.create_chat(name, kind, nick, door, tag).await,
            Command::ImportInvite { path, text, nick } => {
                return self.import_invite(path, text, nick, tag).await;
            }
            Command::Search {
                text,
                chat,
                before,
                limit,
            } => return self.search(&text, chat, before, limit, tag),
            Command::Backup { path, passphrase } => return self.backup(path, passphrase, tag),
            Command::Restore { path, passphrase } => return self.restore(path, passphrase, tag),
            Command::SetPassphrase { old, new } => return self.set_passphrase(old, new, tag),
            Command::Unlock { passphrase } => return self.unlock(passphrase, tag).await,
            Command::LoadWorkspace => return self.load_workspace(tag),
            Command::SaveWorkspace { workspace } => self.outlet.keep(Write::SaveWorkspace(workspace)),
            Command::SaveSettings { settings } => self.outlet.keep(Write::SaveSettings(settings)),
            Command::Shutdown => {
                self.ending = true;
                self.ending_tag = tag;
            }
        }
        Ok(())
    }

    async fn carry_out_in(
        &mut self,
        chat: ChatId,
        command: ChatCommand,
        tag: Option<Tag>,
    ) -> Result<(), Failure> {
        let cause = &mut Cause::of(&command, tag.clone());
        match command {
            ChatCommand::ExportInvite {
                path,
                uses,
                expires_in,
                rights,
            } => {
                let order = InviteOrder {
                    uses,
                    expires_in,
                    rights,
                };
                return self.export_invite(chat, path, &order, tag);
            }
            ChatCommand::Connect { client_id, address } => {
                return self.connect(chat, client_id, address, tag);
            }
            ChatCommand::Admit { client_id } => return self.admit(chat, client_id, cause),
            ChatCommand::Say { text } => return self.say(chat, text, false, cause),
            ChatCommand::Act { text } => return self.say(chat, text, true, cause),
            ChatCommand::SetNick { nick } => return self.set_nick(chat, nick, cause),
            ChatCommand::SetTopic { topic, locked } => return self.set_topic(chat, topic, locked, cause),
            ChatCommand::SetStatus { status } => return self.set_status(chat, status, cause),
            ChatCommand::History {
                before,
                after,
                around,
                at,
                limit,
            } => {
                let query = match (before, after, around, at) {
                    (None, None, None, None) => HistoryQuery::Newest,
                    (Some(id), None, None, None) => HistoryQuery::Before(id),
                    (None, Some(id), None, None) => HistoryQuery::After(id),
                    (None, None, Some(id), None) => HistoryQuery::Around(id),
                    (None, None, None, Some(at)) => HistoryQuery::At(at),
                    _ => {
                        return Err(bad_command(
                            "Give one of before, after, around and at, not several.",
                        ));
                    }
                };
                return self.history(chat, query, limit, tag);
            }
            ChatCommand::ClearHistory => return self.clear_history(chat, tag).await,
            ChatCommand::SetRetention { retention } => return self.set_retention(chat, retention, tag).await,
            ChatCommand::Resend { id } => return self.resend(chat, id, cause),
            ChatCommand::Export { path, format } => return self.export(chat, path, format, tag),
            ChatCommand::CancelExport => return self.cancel_export(chat, tag),
            ChatCommand::Members => {
                let members = self.chat(chat)?.members();
                self.outlet.report_in(chat, ChatEvent::Members { members }, tag);
            }
            ChatCommand::Stats => {
                let stats = self.chat(chat)?.stats();
                self.outlet.report_in(chat, ChatEvent::Stats { stats }, tag);
            }
            ChatCommand::Ban {
                member,
                reason,
                with_invite,
                hide_all,
            } => {
                let order = BanOrder {
                    member,
                    reason,
                    with_invite,
                    hide_all,
                };
                return self.ban(chat, order, cause);
            }
            ChatCommand::Unban { member } => return self.unban(chat, member, cause),
            ChatCommand::UndoFrom { fact } => return self.undo_from(chat, fact, cause),
            ChatCommand::SetRole { member, role } => return self.set_role(chat, member, role, cause),
            ChatCommand::Invites => return self.tell_invites(chat, tag),
            ChatCommand::CloseInvite { invite } => return self.close_invite(chat, invite, cause),
            ChatCommand::SetDoor { door } => return self.set_door(chat, door, cause),
            ChatCommand::SetHistoryRule { rule } => return self.set_history_rule(chat, rule, cause),
            ChatCommand::Facts => return self.tell_facts(chat, tag),
            ChatCommand::ModerationLog => return self.tell_log(chat, tag),
            ChatCommand::Ignore { member, ignored } => return self.set_ignored(chat, member, ignored, tag),
            ChatCommand::LeaveChat => return self.leave(chat, tag).await,
            ChatCommand::Retry => return self.retry(chat).await,
            ChatCommand::SaveDraft { text } => {
                self.chat(chat)?;
                check_len("A draft", &text, MAX_DRAFT_LEN)?;
                self.outlet.keep(Write::SaveDraft { chat, text });
            }
            ChatCommand::MarkRead { message } => {
                self.chat(chat)?;
                self.outlet.keep(Write::MarkRead { chat, message });
            }
        }
        Ok(())
    }

    /// A chat by its id.
    pub(super) fn chat(&self, id: ChatId) -> Result<&Chat, Failure> {
        self.chats.get(&id).ok_or_else(no_such_chat)
    }

    /// The same, to change it.
    pub(super) fn chat_mut(&mut self, id: ChatId) -> Result<&mut Chat, Failure> {
        self.chats.get_mut(&id).ok_or_else(no_such_chat)
    }

    /// Gives a node an input, and carries out its outputs.
    pub(super) fn tell_node(
        &mut self,
        id: ChatId,
        input: Input<'_>,
        cause: &mut Cause,
    ) -> Result<(), Failure> {
        let now = self.clock.now();
        let chat = self.chats.get_mut(&id).ok_or_else(no_such_chat)?;
        chat.node.handle(now, input);
        chat.drain(now, cause, &mut self.outlet);
        Ok(())
    }

    fn say(&mut self, id: ChatId, text: String, action: bool, cause: &mut Cause) -> Result<(), Failure> {
        let chat = self.chat(id)?;
        chat.may(Action::Speak)?;
        if text.is_empty() {
            return Err(bad_command("There is nothing to say: the text is empty."));
        }
        check_len("A message in this chat", &text, chat.node.max_text_len())?;
        if !chat.node.has_room_to_say(text.len()) {
            return Err(Failure::new(
                Code::Busy,
                "Very many messages already wait to go out in this chat. Say this again when some of them have.",
            ));
        }
        self.tell_node(id, Input::Say { text, action }, cause)
    }

    pub(super) fn set_nick(&mut self, id: ChatId, nick: String, cause: &mut Cause) -> Result<(), Failure> {
        check_nick(&nick)?;
        self.tell_node(id, Input::SetNick(nick.clone()), cause)?;
        let chat = self.chat_mut(id)?;
        chat.record.nick.clone_from(&nick);
        let member = chat.node.member();
        self.outlet.keep(Write::SetNick {
            chat: id,
            nick: nick.clone(),
        });
        // The node tells our own changes to others only.
        self.outlet
            .answer_in(id, ChatEvent::NickChanged { member, nick }, cause);
        Ok(())
    }

    fn set_status(&mut self, id: ChatId, status: Status, cause: &mut Cause) -> Result<(), Failure> {
        self.tell_node(id, Input::SetStatus(status as u8), cause)?;
        let member = self.chat(id)?.node.member();
        self.outlet
            .answer_in(id, ChatEvent::StatusChanged { member, status }, cause);
        Ok(())
    }

    fn set_topic(
        &mut self,
        id: ChatId,
        topic: String,
        locked: Option<bool>,
        cause: &mut Cause,
    ) -> Result<(), Failure> {
        let chat = self.chat(id)?;
        check_len("A topic", &topic, MAX_TOPIC_LEN)?;
        if chat.is_classic() && locked == Some(true) {
            return Err(Failure::new(
                Code::NotAllowed,
                "In a classic chat everybody may set the topic: it can't be locked.",
            ));
        }
        chat.may(Action::SetTopic)?;
        if locked.is_some_and(|locked| locked != chat.is_topic_locked()) {
            chat.may(Action::LockTopic)?;
        }
        let input = Input::SetTopic {
            topic: topic.clone(),
            locked,
        };
        self.tell_node(id, input, cause)?;
        // The node reports no event if the topic is the same, but the command needs an answer.
        let chat = self.chat(id)?;
        let (locked, by) = (chat.is_topic_locked(), chat.node.member());
        self.outlet
            .answer_in(id, ChatEvent::TopicChanged { topic, locked, by }, cause);
        Ok(())
    }

    fn connect(
        &mut self,
        id: ChatId,
        client_id: ClientId,
        address: SocketAddr,
        tag: Option<Tag>,
    ) -> Result<(), Failure> {
        let chat = self.chat_mut(id)?;
        if address.port() == 0 || address.ip().is_unspecified() || address.ip().is_multicast() {
            return Err(bad_command(format!(
                "Nobody can be reached at {address}. Give the peer's own address."
            )));
        }
        if client_id == chat.node.client_id() {
            return Err(bad_command("That is our own client_id. Give the peer's."));
        }
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        chat.keep_connect_tag(client_id, tag);
        // In a signed chat, a node that answers there has to prove that it is a member's.
        let client_id = chat.is_classic().then_some(client_id);
        chat.reconnect.add(Target {
            client_id,
            ..Target::at(address)
        });
        self.tell_node(id, Input::Connect { client_id, address }, &mut Cause::none())
    }

    fn admit(&mut self, id: ChatId, client_id: ClientId, cause: &mut Cause) -> Result<(), Failure> {
        if !self.chat(id)?.is_classic() {
            return Err(Failure::new(
                Code::NotAllowed,
                "Only classic chats admit by key. Export an invite instead.",
            ));
        }
        self.tell_node(id, Input::Admit(client_id), cause)
    }

    fn load_workspace(&mut self, tag: Option<Tag>) -> Result<(), Failure> {
        let store = self.outlet.store.clone();
        self.ask_store("load_workspace", None, tag, async move {
            let (settings, workspace, chats) = store.workspace().await?;
            Ok(Event::Workspace {
                settings,
                workspace,
                chats,
            })
        })
    }

    async fn leave(&mut self, id: ChatId, tag: Option<Tag>) -> Result<(), Failure> {
        let permit = self.errand_permit()?;
        self.chat(id)?;
        // What can't be counted does not keep anybody in a chat.
        let waiting = self.outlet.store.waiting(id).await.unwrap_or_default();
        let unsent = u32::try_from(waiting.len()).unwrap_or(u32::MAX);
        self.tell_node(id, Input::Quit, &mut Cause::none())?;
        self.chats.remove(&id);
        // Queued at once, so that joining again right after this is not undone.
        let queued = self.outlet.store.write(Write::RemoveChat { chat: id });
        let store = self.outlet.store.clone();
        self.send_for(permit, async move {
            // The question is queued after the writes, and answered when they are done.
            let left = match store.history(id, HistoryQuery::Newest, 1).await {
                Err(StoreError::NotFound) => Ok(Box::new(ChatEvent::ChatClosed { unsent }.of(id))),
                Err(error) => Err(error.into()),
                Ok(_) => Err(Failure::new(
                    Code::File,
                    "The chat was left, but the disk still holds it. Start Throng again and leave it once more.",
                )),
            };
            let result = queued.map_err(|error| Failure::new(Code::Busy, error.to_string())).and(left);
            Errand::Answer { command: "leave_chat", chat: Some(id), tag, result }
        });
        Ok(())
    }

    pub(super) async fn retry(&mut self, id: ChatId) -> Result<(), Failure> {
        if self.chat(id)?.socket.is_none() {
            self.open_socket(id).await?;
            if let Ok(chat) = self.chat(id) {
                let opened = chat.opened();
                self.outlet.report(opened, None);
            }
        }
        let now = self.clock.now();
        let chat = self.chats.get_mut(&id).ok_or_else(no_such_chat)?;
        chat.retry(now, &mut self.outlet);
        Ok(())
    }

    /// Asks the store something, and reports the answer when it comes.
    pub(super) fn ask_store(
        &mut self,
        command: &'static str,
        chat: Option<ChatId>,
        tag: Option<Tag>,
        answer: impl Future<Output = Result<Event, StoreError>> + Send + 'static,
    ) -> Result<(), Failure> {
        let permit = self.errand_permit()?;
        self.send_for(permit, async move {
            let result = answer.await.map(Box::new).map_err(Failure::from);
            Errand::Answer {
                command,
                chat,
                tag,
                result,
            }
        });
        Ok(())
    }
}

/// Checks a nick.
pub(super) fn check_nick(nick: &str) -> Result<(), Failure> {
    if nick.trim().is_empty() {
        return Err(bad_command("A nick needs at least one letter."));
    }
    check_len("A nick", nick, MAX_NICK_LEN)
}

fn no_such_chat() -> Failure {
    Failure::new(
        Code::NotFound,
        "There is no such chat in this profile. Its id may be mistyped, or it was left.",
    )
}
