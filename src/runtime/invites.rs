//! How chats are made, how others are invited, and how one comes in by an invite.

use std::fs;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use zeroize::Zeroizing;

use super::actor::{Actor, Errand, MAX_CHATS, random};
use super::clock::timestamp;
use super::commands::{bad_command, check_kind, check_len, check_nick};
use super::events::Failure;
use crate::crypto::SigningKey;
use crate::id::{ChatId, MemberId};
use crate::invite::{self, Charter, Credential, InviteError, InviteKey, MAX_INVITE_FILE_LEN, SeenAddress};
use crate::model::{ChatKind, Code, Event, Rights, Tag};
use crate::store::{ChatRecord, ChatSecrets, Write};

/// The longest name of a chat in bytes: what a charter holds.
const MAX_NAME_LEN: usize = 64;

/// The last moment that an invite can name: 6 bytes of milliseconds since 1970.
const LAST_UNTIL_MS: u64 = (1 << 48) - 1;

/// A charter's byte for a private chat.
const KIND_PRIVATE: u8 = 0;

impl Actor {
    /// Starts a chat of which we are the founder.
    pub(super) async fn create_chat(
        &mut self,
        name: String,
        kind: ChatKind,
        nick: String,
        tag: Option<Tag>,
    ) -> Result<(), Failure> {
        if name.trim().is_empty() {
            return Err(bad_command("A chat needs a name."));
        }
        check_len("The name of a chat", &name, MAX_NAME_LEN)?;
        check_nick(&nick)?;
        check_kind(kind)?;
        self.check_room()?;
        let created_ms = self.clock.now().unix_ms;
        let mut record = ChatRecord {
            chat: ChatId(random()),
            kind,
            name,
            nick,
            topic: String::new(),
            topic_by: None,
            topic_fact: None,
            created_ms,
            port: None,
            joined: true,
            secrets: ChatSecrets::default(),
            credential: None,
            charter: None,
            next_invite: 1,
            admitted: Vec::new(),
            peers: Vec::new(),
            nicks: Vec::new(),
        };
        if kind == ChatKind::Private {
            found(&mut record);
        }
        self.outlet.keep(Write::PutChat(Box::new(record.clone())));
        self.open_chat(record, tag).await
    }

    /// Makes an invite key, and writes it to a file if there is a path.
    pub(super) fn export_invite(
        &mut self,
        id: ChatId,
        path: Option<PathBuf>,
        uses: u16,
        expires_in: Option<u64>,
        rights: Rights,
        tag: Option<Tag>,
    ) -> Result<(), Failure> {
        self.chat(id)?;
        let permit = self.errand_permit()?;
        let now = self.clock.now();
        let until_ms = expires_in.map_or(0, |secs| {
            now.unix_ms
                .saturating_add(secs.saturating_mul(1000))
                .clamp(1, LAST_UNTIL_MS)
        });
        let (key, number) = self.issue_invite(id, uses, until_ms, rights)?;
        let invite = key.id();
        self.outlet.keep(Write::AddInvite {
            chat: id,
            invite,
            number,
            certificate: key.certificate.encode(),
            uses,
            until_ms,
            created_ms: now.unix_ms,
        });
        let (text, link) = (key.to_armour(), key.to_link());
        let event = Event::InviteExported {
            chat: id,
            invite,
            path: path.clone(),
            text: text.clone(),
            link,
        };
        let Some(path) = path else {
            self.outlet.report(event, tag);
            return Ok(());
        };
        self.send_for(permit, async move {
            let written = tokio::task::spawn_blocking(move || write_invite(&path, &text)).await;
            let result = written.unwrap_or_else(|_| Err(file_failed("written", "the work was broken off")));
            Errand::Answer {
                command: "export_invite",
                chat: Some(id),
                tag,
                result: result.map(|()| Box::new(event)),
            }
        });
        Ok(())
    }

    fn issue_invite(
        &mut self,
        id: ChatId,
        uses: u16,
        until_ms: u64,
        rights: Rights,
    ) -> Result<(InviteKey, u32), Failure> {
        let local = self.network.addresses();
        let seen_ms = self.clock.now().unix_ms;
        let Some(chat) = self.chats.get_mut(&id) else {
            return Err(Failure::new(
                Code::NotFound,
                "There is no such chat in this profile.",
            ));
        };
        if chat.is_classic() {
            return Err(Failure::new(
                Code::NotAllowed,
                "A classic chat has no invites: tell the others your client_id and address, and admit theirs.",
            ));
        }
        let secrets = &chat.record.secrets;
        let (Some(chat_seed), Some(rendezvous), Some(charter)) =
            (&secrets.chat_seed, &secrets.rendezvous, &chat.record.charter)
        else {
            return Err(Failure::new(
                Code::NotAllowed,
                "Only the founder of a chat can invite to it. Ask them for an invite.",
            ));
        };
        let charter = Charter::decode(charter)
            .map_err(|_| Failure::new(Code::Damaged, "What is stored of this chat is damaged."))?;
        let addresses = chat.own_addresses(local).into_iter();
        let number = chat.record.next_invite;
        let key = InviteKey::issue(
            &SigningKey::from_seed(**chat_seed),
            &charter,
            **rendezvous,
            number,
            match rights {
                Rights::Member => invite::Rights::Member,
                Rights::Observer => invite::Rights::Observer,
            },
            uses,
            until_ms,
            addresses
                .map(|address| SeenAddress { address, seen_ms })
                .collect(),
            &mut ChaCha20Rng::from_seed(random()),
        );
        chat.record.next_invite = number.saturating_add(1);
        Ok((key, number))
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
        if let Some(chat) = self.chats.get(&key.chat) {
            return Err(Failure::new(
                Code::Already,
                format!("You are in this chat already: it is “{}”.", chat.record.name),
            ));
        }
        if key.kind != KIND_PRIVATE {
            check_kind(ChatKind::Public)?;
        }
        let now_ms = self.clock.now().unix_ms;
        let until_ms = key.certificate.until_ms;
        if until_ms != 0 && until_ms < now_ms {
            return Err(Failure::new(
                Code::Expired,
                format!(
                    "This invite was good until {}. Ask whoever gave it to you for a new one; if that time is not \
                     over yet, set your computer's clock.",
                    timestamp(until_ms).strftime("%Y-%m-%d %H:%M UTC")
                ),
            ));
        }
        self.check_room()?;
        let record = join(&key, nick, now_ms);
        self.outlet.keep(Write::PutChat(Box::new(record.clone())));
        let id = record.chat;
        self.open_chat(record, tag.clone()).await?;
        if let Some(chat) = self.chats.get_mut(&id) {
            chat.join_tag = tag;
        }
        Ok(())
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

/// Makes the keys of a new private chat, and us its founder.
fn found(record: &mut ChatRecord) {
    let chat_seed = Zeroizing::new(random());
    let member_seed = Zeroizing::new(random());
    let chat_key = SigningKey::from_seed(*chat_seed);
    let founder = MemberId(SigningKey::from_seed(*member_seed).public());
    let charter = Charter::sign(&chat_key, KIND_PRIVATE, record.created_ms, founder, &record.name);
    record.chat = ChatId(chat_key.public());
    record.charter = Some(charter.encode());
    record.credential = Some(Credential::Founder(charter).encode());
    record.secrets = ChatSecrets {
        chat_seed: Some(chat_seed),
        member_seed: Some(member_seed),
        invite: None,
        rendezvous: Some(Zeroizing::new(random())),
    };
}

/// What one has to keep who comes by an invite: a new member key, admitted to one of the invite's places at random.
/// If somebody else has that place, the node signs another.
fn join(key: &InviteKey, nick: String, now_ms: u64) -> ChatRecord {
    let member_seed = Zeroizing::new(random());
    let member = MemberId(SigningKey::from_seed(*member_seed).public());
    let any = u16::from_be_bytes(random());
    let slot = any.checked_rem(key.certificate.slots).unwrap_or(any);
    let name = match &key.charter {
        Some(charter) => charter.name.clone(),
        None => format!("Chat {}", key.chat.short()),
    };
    ChatRecord {
        chat: key.chat,
        kind: ChatKind::Private,
        name,
        nick,
        topic: String::new(),
        topic_by: None,
        topic_fact: None,
        created_ms: now_ms,
        port: None,
        joined: false,
        secrets: ChatSecrets {
            chat_seed: None,
            member_seed: Some(member_seed),
            invite: Some(Zeroizing::new(key.to_armour().into_bytes())),
            rendezvous: Some(Zeroizing::new(key.rendezvous)),
        },
        credential: Some(key.admit(member, slot, now_ms).encode()),
        charter: key.charter.as_ref().map(Charter::encode),
        next_invite: 1,
        admitted: Vec::new(),
        peers: Vec::new(),
        nicks: Vec::new(),
    }
}

fn invite_failed(error: InviteError) -> Failure {
    let code = match error {
        InviteError::NotAnInvite | InviteError::Damaged | InviteError::TooLarge => Code::Damaged,
        InviteError::NewerVersion => Code::NewerVersion,
        InviteError::WrongChat => Code::WrongChat,
    };
    Failure::new(code, error.to_string())
}

/// Reads an invite file, or what was taken for one: no more of it than an invite can have.
fn read_invite(path: &Path) -> Result<String, Failure> {
    let failed = |error: &io::Error| {
        let code = if error.kind() == io::ErrorKind::NotFound {
            Code::NotFound
        } else {
            Code::File
        };
        Failure::new(
            code,
            format!("The invite {} could not be read: {error}.", path.display()),
        )
    };
    // Asked before opening: a pipe, say, would wait for its writer for ever.
    if !fs::metadata(path).map_err(|error| failed(&error))?.is_file() {
        return Err(Failure::new(
            Code::File,
            format!("{} is not a file. Choose the invite file itself.", path.display()),
        ));
    }
    let file = fs::File::open(path).map_err(|error| failed(&error))?;
    let mut bytes = Vec::new();
    file.take(MAX_INVITE_FILE_LEN as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(&error))?;
    if bytes.len() > MAX_INVITE_FILE_LEN {
        return Err(invite_failed(InviteError::TooLarge));
    }
    String::from_utf8(bytes).map_err(|_| invite_failed(InviteError::NotAnInvite))
}

/// Writes an invite file, whole or not at all, for nobody but the user to read.
fn write_invite(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        let code = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::DiskFull,
            _ => Code::File,
        };
        Failure::new(
            code,
            format!(
                "The invite could not be written to {}: {error}. Choose another place, or copy the invite's text.",
                path.display()
            ),
        )
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let name: u64 = u64::from_be_bytes(random());
    let temporary = folder.join(format!(".throng-{name:016x}.tmp"));
    let written = write_new(&temporary, text).and_then(|()| fs::rename(&temporary, path));
    written.map_err(|error| {
        // It may not be there at all.
        let _ = fs::remove_file(&temporary);
        failed(error)
    })
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn file_failed(what: &str, why: &str) -> Failure {
    Failure::new(
        Code::File,
        format!("The invite could not be {what}: {why}. Try again."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invite_file_is_written_whole_and_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("friends.throng");
        for text in ["one", "another"] {
            write_invite(&path, text).expect("written");
            assert_eq!(read_invite(&path).expect("read"), text);
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(
            fs::read_dir(folder.path()).expect("a folder").count(),
            1,
            "no temporary file is left"
        );
        let failure = write_invite(&folder.path().join("no/such/folder"), "x").expect_err("no folder");
        assert_eq!(failure.code, Code::File);
    }

    #[test]
    fn what_is_not_an_invite_file_is_not_read_to_its_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let large = folder.path().join("large");
        fs::File::create(&large)
            .expect("created")
            .set_len(1 << 30)
            .expect("a gigabyte of nothing");
        assert_eq!(read_invite(&large).expect_err("too large").code, Code::Damaged);
        assert_eq!(read_invite(folder.path()).expect_err("a folder").code, Code::File);
        assert_eq!(
            read_invite(&folder.path().join("none"))
                .expect_err("nothing")
                .code,
            Code::NotFound
        );
        let binary = folder.path().join("binary");
        fs::write(&binary, [0xFF; 40]).expect("written");
        assert_eq!(read_invite(&binary).expect_err("not text").code, Code::Damaged);
    }
}
