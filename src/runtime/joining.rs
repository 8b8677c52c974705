//! Creating chats, and joining them with an invite.

use std::path::PathBuf;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use zeroize::Zeroizing;

use super::actor::{Actor, Errand, MAX_CHATS, random};
use super::cause::Cause;
use super::clock::timestamp;
use super::commands::check_nick;
use super::failure::{Failure, bad_command, check_len};
use super::invite_file::{file_failed, invite_failed, read_invite};
use super::moderation::check_door;
use super::reconnect::Target;
use crate::crypto::SigningKey;
use crate::facts::{Action, Denied};
use crate::id::{ChatId, MemberId};
use crate::invite::{Charter, Credential, InviteError, InviteKey, MAX_INVITE_FILE_LEN};
use crate::model::{ChatKind, Code, Door, MAX_CHAT_NAME_LEN, Retention, Tag};
use crate::node::{Input, Moderation};
use crate::store::{ChatRecord, ChatSecrets, Write};

/// The kinds of signed chats, as in a charter.
const KIND_PRIVATE: u8 = 0;
const KIND_PUBLIC: u8 = 1;

impl Actor {
    /// Starts a chat of which we are the founder.
    pub(super) async fn create_chat(
        &mut self,
        name: String,
        kind: ChatKind,
        nick: String,
        door: Option<Door>,
        tag: Option<Tag>,
    ) -> Result<(), Failure> {
        if name.trim().is_empty() {
            return Err(bad_command("A chat needs a name."));
        }
        check_len("The name of a chat", &name, MAX_CHAT_NAME_LEN)?;
        check_nick(&nick)?;
        if let Some(door) = &door {
            check_door(door)?;
            if kind != ChatKind::Public {
                return Err(bad_command("Only public chats have a door. Leave it out."));
            }
        }
        self.check_room()?;
        let created_ms = self.clock.now().unix_ms;
        let mut record = empty_record(ChatId(random()), kind, name, nick, created_ms);
        record.joined = true;
        match kind {
            ChatKind::Classic => {}
            ChatKind::Private => found(&mut record, KIND_PRIVATE),
            ChatKind::Public => found(&mut record, KIND_PUBLIC),
        }
        let id = record.chat;
        self.outlet.keep(Write::PutChat(Box::new(record.clone())));
        if kind != ChatKind::Classic {
            // The founder has all history from the start, and is no newcomer, whenever others come.
            (record.history_since, record.history_is_whole) = (Some(0), true);
            self.outlet.keep(Write::SetHistoryHeld {
                chat: id,
                since: 0,
                is_whole: true,
            });
        }
        self.open_chat(record, tag).await?;
        if let Some(door) = door.filter(|door| *door != Door::OPEN) {
            let deed = Moderation::SetDoor(door);
            self.tell_node(id, Input::Moderate(deed), &mut Cause::none())?;
        }
        Ok(())
    }

    /// Reads an invite and joins its chat.
    pub(super) async fn import_invite(
        &mut self,
        path: Option<PathBuf>,
        text: Option<String>,
        nick: String,
        tag: Option<Tag>,
    ) -> Result<(), Failure> {
        check_nick(&nick)?;
        match (path, text) {
            (None, Some(text)) => self.import_text(&text, nick, tag).await,
            (Some(path), None) => {
                let permit = self.errand_permit()?;
                self.send_for(permit, async move {
                    let read = tokio::task::spawn_blocking(move || read_invite(&path)).await;
                    let result = read.unwrap_or_else(|_| Err(file_failed("read", "the work was broken off")));
                    Errand::InviteRead { nick, tag, result }
                });
                Ok(())
            }
            _ => Err(bad_command("Give either the path of an invite file or its text.")),
        }
    }

    /// Joins the chat of an invite.
    pub(super) async fn import_text(
        &mut self,
        text: &str,
        nick: String,
        tag: Option<Tag>,
    ) -> Result<(), Failure> {
        if text.len() > MAX_INVITE_FILE_LEN {
            return Err(invite_failed(InviteError::TooLarge));
        }
        let key = InviteKey::parse(text).map_err(invite_failed)?;
        if self.chats.contains_key(&key.chat) {
            return self.import_again(key, nick, tag).await;
        }
        let now_ms = self.clock.now().unix_ms;
        check_expiry(&key, now_ms)?;
        self.check_room()?;
        let record = join(&key, nick, now_ms);
        self.outlet.keep(Write::PutChat(Box::new(record.clone())));
        let id = record.chat;
        self.open_chat(record, tag.clone()).await?;
        if let Some(chat) = self.chats.get_mut(&id) {
            chat.join_tag = tag;
        }
        // Once we are in the invite is forgotten; whom it names may be who is there then.
        self.keep_addresses(&key);
        Ok(())
    }

    /// Takes from an invite to a chat that is here already what helps: where members are, if no link stands; and as
    /// long as we are not in, the invite itself, since the one that we came by may be spent or closed.
    async fn import_again(&mut self, key: InviteKey, nick: String, tag: Option<Tag>) -> Result<(), Failure> {
        let (id, now) = (key.chat, self.clock.now());
        let chat = self.chat_mut(id)?;
        if chat.reconnect.is_linked() {
            return Err(Failure::new(
                Code::Already,
                format!("You are in this chat already: it is “{}”.", chat.record.name),
            ));
        }
        if chat.node.may(Action::Read) == Err(Denied::InviteClosed) {
            return self.join_anew(key, nick, tag).await;
        }
        let is_in = chat.record.joined;
        if !is_in {
            check_expiry(&key, now.unix_ms)?;
            chat.record.secrets.invite = Some(armour(&key));
            chat.record.secrets.rendezvous = Some(Zeroizing::new(key.rendezvous));
            chat.join_tag.clone_from(&tag);
            // It was for the other one.
            chat.work = None;
            let record = Box::new(chat.record.clone());
            self.outlet.keep(Write::PutChat(record));
        }
        if !is_in && self.chat(id)?.record.nick != nick {
            self.set_nick(id, nick, &mut Cause::none())?;
        }
        let opened = self.chat(id)?.opened();
        self.outlet.report(opened, tag);
        self.keep_addresses(&key);
        let chat = self.chat_mut(id)?;
        for seen in &key.addresses {
            chat.reconnect.add(Target::at(seen.address));
        }
        if !is_in {
            let input = Input::TakeInvite(Box::new(key));
            self.tell_node(id, input, &mut Cause::none())?;
        }
        self.retry(id).await
    }

    /// The members know us as somebody whose invite was closed, and let that member in no more. We come in as another; what
    /// was said stays.
    async fn join_anew(&mut self, key: InviteKey, nick: String, tag: Option<Tag>) -> Result<(), Failure> {
        let (id, now_ms) = (key.chat, self.clock.now().unix_ms);
        check_expiry(&key, now_ms)?;
        let port = self.chat(id)?.record.port;
        self.tell_node(id, Input::Quit, &mut Cause::none())?;
        self.chats.remove(&id);
        let record = ChatRecord {
            port,
            ..join(&key, nick, now_ms)
        };
        self.outlet.keep(Write::PutChat(Box::new(record.clone())));
        let stored = self.outlet.store.chats().await?;
        // A chat that could not be kept can be talked in all the same.
        let record = stored
            .into_iter()
            .find(|stored| stored.chat == id)
            .unwrap_or(record);
        self.open_chat(record, tag.clone()).await?;
        if let Some(chat) = self.chats.get_mut(&id) {
            chat.join_tag = tag;
        }
        self.keep_addresses(&key);
        Ok(())
    }

    fn keep_addresses(&mut self, key: &InviteKey) {
        let at_ms = self.clock.now().unix_ms;
        for seen in &key.addresses {
            self.outlet.keep(Write::HeardOfPeer {
                chat: key.chat,
                address: seen.address,
                at_ms,
            });
        }
    }

    fn check_room(&self) -> Result<(), Failure> {
        if self.chats.len() < MAX_CHATS {
            return Ok(());
        }
        Err(Failure::new(
            Code::Busy,
            format!("This profile has {MAX_CHATS} chats, and can't hold more. Leave one first."),
        ))
    }
}

fn check_expiry(key: &InviteKey, now_ms: u64) -> Result<(), Failure> {
    let until_ms = key.certificate.until_ms;
    if until_ms == 0 || until_ms >= now_ms {
        return Ok(());
    }
    Err(Failure::new(
        Code::Expired,
        format!(
            "This invite was good until {}. Ask whoever gave it to you for a new one; if that time is not over yet, set \
             your computer's clock.",
            timestamp(until_ms).strftime("%Y-%m-%d %H:%M UTC")
        ),
    ))
}

/// An invite as it is kept.
fn armour(key: &InviteKey) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(key.to_armour().into_bytes())
}

/// Makes the keys of a new signed chat, and us its founder. A public chat gets the invite of its link, too.
fn found(record: &mut ChatRecord, kind: u8) {
    let chat_seed = Zeroizing::new(random());
    let member_seed = Zeroizing::new(random());
    let rendezvous = Zeroizing::new(random());
    let chat_key = SigningKey::from_seed(*chat_seed);
    let founder = MemberId(SigningKey::from_seed(*member_seed).public());
    let charter = Charter::sign(&chat_key, kind, record.created_ms, founder, &record.name);
    let door = (kind == KIND_PUBLIC).then(|| {
        let mut rng = ChaCha20Rng::from_seed(random());
        let door = InviteKey::door(&chat_key, &charter, *rendezvous, Vec::new(), &mut rng);
        armour(&door)
    });
    record.chat = ChatId(chat_key.public());
    record.charter = Some(charter.encode());
    record.credential = Some(Credential::Founder(charter).encode());
    record.secrets = ChatSecrets {
        chat_seed: Some(chat_seed),
        member_seed: Some(member_seed),
        invite: door,
        rendezvous: Some(rendezvous),
    };
}

/// Makes what a newcomer has to keep: a new member key, admitted to a random slot of the invite. If somebody else has that
/// slot, the node signs another.
fn join(key: &InviteKey, nick: String, now_ms: u64) -> ChatRecord {
    let member_seed = Zeroizing::new(random());
    let member = MemberId(SigningKey::from_seed(*member_seed).public());
    let any = u16::from_be_bytes(random());
    let slot = any.checked_rem(key.certificate.slots).unwrap_or(any);
    let kind = if key.kind == KIND_PUBLIC {
        ChatKind::Public
    } else {
        ChatKind::Private
    };
    let name = match &key.charter {
        Some(charter) => charter.name.clone(),
        None => format!("Chat {}", key.chat.short()),
    };
    ChatRecord {
        secrets: ChatSecrets {
            chat_seed: None,
            member_seed: Some(member_seed),
            invite: Some(armour(key)),
            rendezvous: Some(Zeroizing::new(key.rendezvous)),
        },
        credential: Some(key.admit(member, slot, now_ms).encode()),
        charter: key.charter.as_ref().map(Charter::encode),
        ..empty_record(key.chat, kind, name, nick, now_ms)
    }
}

fn empty_record(chat: ChatId, kind: ChatKind, name: String, nick: String, created_ms: u64) -> ChatRecord {
    ChatRecord {
        chat,
        kind,
        name,
        nick,
        topic: String::new(),
        topic_by: None,
        created_ms,
        port: None,
        joined: false,
        secrets: ChatSecrets::default(),
        credential: None,
        charter: None,
        next_invite: 1,
        admitted: Vec::new(),
        peers: Vec::new(),
        nicks: Vec::new(),
        facts: Vec::new(),
        ignored: Vec::new(),
        invites: Vec::new(),
        history_since: None,
        history_is_whole: false,
        retention: Retention::Forever,
    }
}
