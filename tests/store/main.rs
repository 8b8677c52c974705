//! The store from outside: what goes in comes out, also after a restart, and what can't be used is refused and left
//! as it is.

#![allow(clippy::unwrap_used)]

mod archive;
mod chats;
mod damage;
mod ending;
mod faults;
mod messages;
mod order;
mod random;
mod search;
mod versions;

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use jiff::Timestamp;
use throng::id::{ChatId, ClientId, FactId, InviteId, MemberId, MessageId};
use throng::model::{
    ChatKind, Code, DeliveryState, Message, MessageBody, OpenChat, Retention, Settings, Theme, Workspace,
};
use throng::store::{
    ChatRecord, ChatSecrets, FactRecord, HistoryPage, HistoryQuery, InviteRecord, MAX_HEARSAY, MAX_MEMBERS,
    MAX_PAGE_LEN, MAX_PEERS, PartRecord, Store, StoreError, Write,
};
use zeroize::Zeroizing;

fn chat(number: u8) -> ChatId {
    ChatId([number; 32])
}

fn member(number: u8) -> MemberId {
    MemberId([number; 32])
}

fn message_id(number: u32) -> MessageId {
    let mut id = [0; 32];
    id[..4].copy_from_slice(&number.to_be_bytes());
    MessageId(id)
}

fn record(number: u8) -> ChatRecord {
    ChatRecord {
        chat: chat(number),
        kind: ChatKind::Private,
        name: format!("chat {number}"),
        nick: "Ada".to_owned(),
        topic: "tea".to_owned(),
        topic_by: Some(member(7)),
        created_ms: 1_700_000_000_123,
        port: Some(40_000),
        joined: false,
        secrets: ChatSecrets {
            chat_seed: Some(Zeroizing::new([0xC1; 32])),
            member_seed: Some(Zeroizing::new([0xC2; 32])),
            invite: Some(Zeroizing::new(b"-----BEGIN THRONG INVITE-----".to_vec())),
            rendezvous: Some(Zeroizing::new([0xC3; 16])),
        },
        credential: Some(vec![4; 223]),
        charter: Some(vec![5; 180]),
        next_invite: 3,
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

fn fact(number: u8, credential: Option<Vec<u8>>) -> FactRecord {
    FactRecord {
        id: FactId([number; 32]),
        fact: vec![number; 140],
        credential,
    }
}

fn invite(number: u32) -> InviteRecord {
    InviteRecord {
        invite: InviteId([number as u8; 32]),
        number,
        certificate: vec![1; 109],
        uses: 2,
        until_ms: 7,
        created_ms: 5,
    }
}

/// All of a record, secrets too.
fn all_of(record: &ChatRecord) -> String {
    let ChatSecrets {
        chat_seed,
        member_seed,
        invite,
        rendezvous,
    } = &record.secrets;
    format!("{record:#?} {chat_seed:?} {member_seed:?} {invite:?} {rendezvous:?}")
}

fn message(chat: ChatId, number: u32, at_ms: i64) -> Message {
    Message {
        chat,
        member: member(9),
        nick: "Bob".to_owned(),
        id: message_id(number),
        number,
        at: Timestamp::from_millisecond(at_ms).unwrap(),
        body: MessageBody::Message,
        text: format!("message {number}"),
        own: false,
        history: false,
        delivery: None,
        place: 0,
    }
}

fn add(message: Message) -> Write {
    Write::AddMessage {
        message,
        client_id: ClientId([8; 32]),
        signed: vec![6; 120],
    }
}

fn messages(page: HistoryPage) -> Vec<Message> {
    page.messages.into_iter().map(|stored| stored.message).collect()
}

fn numbers(page: HistoryPage) -> Vec<u32> {
    messages(page).iter().map(|message| message.number).collect()
}

/// The files of a profile, apart from the lock, which is empty.
fn files(profile: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(profile).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .filter(|(name, _)| name != "lock")
        .collect()
}

fn holds(profile: &Path, needle: &[u8]) -> bool {
    files(profile)
        .values()
        .any(|bytes| bytes.windows(needle.len()).any(|window| window == needle))
}

async fn save_all(store: &Store, writes: impl IntoIterator<Item = Write>) {
    for write in writes {
        store.save(write).await.unwrap();
    }
}
