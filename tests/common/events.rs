//! Made-up chats, members and events.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]

use std::net::SocketAddr;

use jiff::Timestamp;
use throng::id::{ChatId, ClientId, InviteId, MemberId, MessageId};
use throng::model::{
    ChatEvent, ChatKind, Door, Event, HistoryRule, InviteInfo, InviteUser, MemberInfo, Message, MessageBody,
    Retention, Rights, Role, Status,
};

/// 22 November 2026, 14:00 UTC: the moment at which the tests' clock begins.
pub const NOW: i64 = 1_795_356_000;

/// Where nobody is.
pub fn address() -> SocketAddr {
    "127.0.0.1:40001".parse().expect("an address")
}

pub fn chat_id(number: u8) -> ChatId {
    ChatId(scattered(number))
}

/// A member, by number; keys that look different.
pub fn member(number: u8) -> MemberId {
    MemberId(scattered(number))
}

/// Ourselves in a chat.
pub fn own(chat: ChatId) -> MemberId {
    MemberId(chat.0.map(|byte| byte ^ 0x5A))
}

fn scattered(number: u8) -> [u8; 32] {
    std::array::from_fn(|at| {
        let at = u8::try_from(at).expect("below 32");
        number
            .wrapping_mul(97)
            .wrapping_add(at.wrapping_mul(31))
            .wrapping_add(number.rotate_left(3))
    })
}

pub fn opened(number: u8, name: &str, kind: ChatKind, nick: &str, role: Role) -> Event {
    let chat = chat_id(number);
    ChatEvent::ChatOpened {
        name: name.to_owned(),
        kind,
        client_id: ClientId(scattered(number.wrapping_add(50))),
        member: own(chat),
        listen: "127.0.0.1:40000".parse().expect("an address"),
        nick: nick.to_owned(),
        topic: String::new(),
        role,
        joined: role == Role::Founder || kind == ChatKind::Classic,
        topic_locked: false,
        door: Door::OPEN,
        history_rule: HistoryRule::All,
        retention: Retention::Forever,
    }
    .of(chat)
}

pub fn info(id: MemberId, nick: &str, role: Role, status: Status, online: bool) -> MemberInfo {
    MemberInfo {
        member: id,
        nick: nick.to_owned(),
        role,
        status,
        online,
        own: false,
        since: None,
        banned: false,
        ignored: false,
        reads_until: None,
    }
}

pub fn message(chat: ChatId, by: MemberId, nick: &str, number: u32, seconds: i64, text: &str) -> Message {
    let mut id = [0; 32];
    id[..4].copy_from_slice(&number.to_be_bytes());
    id[4] = chat.0[0];
    Message {
        chat,
        member: by,
        nick: nick.to_owned(),
        id: MessageId(id),
        number,
        at: Timestamp::from_second(NOW + seconds).expect("in range"),
        body: MessageBody::Message,
        text: text.to_owned(),
        own: false,
        history: false,
        delivery: None,
        place: 0,
    }
}

/// Invites of every sort, the newest first.
pub fn invites() -> Vec<InviteInfo> {
    let at = |hours: i64| Timestamp::from_second(NOW + 3_600 * hours).ok();
    let user = |number: u8, nick: &str, confirmed| InviteUser {
        member: member(number),
        nick: nick.to_owned(),
        confirmed,
    };
    let invite = InviteInfo {
        invite: InviteId([3; 32]),
        number: 3,
        rights: Rights::Member,
        uses: 5,
        used_by: vec![user(4, "Dario", true), user(5, "Eva", false)],
        created_at: at(-96),
        expires_at: at(72),
        closed: false,
        public_link: false,
    };
    let crowd = (1..=8).map(|number| user(number + 20, &format!("Person {number}"), true));
    vec![
        invite.clone(),
        InviteInfo {
            invite: InviteId([2; 32]),
            number: 2,
            rights: Rights::Observer,
            uses: 1,
            used_by: vec![user(3, "Cleo", true)],
            created_at: None,
            expires_at: None,
            ..invite.clone()
        },
        InviteInfo {
            invite: InviteId([1; 32]),
            number: 1,
            used_by: Vec::new(),
            expires_at: at(-48),
            ..invite.clone()
        },
        InviteInfo {
            invite: InviteId([4; 32]),
            number: 0,
            used_by: vec![user(6, "Farid", true)],
            closed: true,
            ..invite.clone()
        },
        InviteInfo {
            invite: InviteId([5; 32]),
            number: 0,
            uses: 0,
            used_by: crowd.collect(),
            created_at: at(-240),
            expires_at: None,
            public_link: true,
            ..invite
        },
    ]
}
