//! The store from outside: what goes in comes out, also after a restart, and what can't be used is refused and left
//! as it is.

#![allow(clippy::unwrap_used)]

mod archive;
mod damage;
mod ending;
mod faults;
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

#[tokio::test]
async fn all_of_a_chat_comes_back_after_a_restart() {
    let profile = tempfile::tempdir().unwrap();
    let store = Store::open(profile.path()).unwrap();
    let bare = ChatRecord {
        kind: ChatKind::Classic,
        topic_by: None,
        port: None,
        secrets: ChatSecrets::default(),
        credential: None,
        charter: None,
        ..record(1)
    };
    let full = ChatRecord {
        kind: ChatKind::Public,
        ..record(2)
    };
    save_all(
        &store,
        [
            Write::PutChat(Box::new(full.clone())),
            Write::PutChat(Box::new(bare.clone())),
        ],
    )
    .await;
    store.close().await;

    let store = Store::open(profile.path()).unwrap();
    let chats = store.chats().await.unwrap();
    assert_eq!(
        chats.iter().map(all_of).collect::<Vec<_>>(),
        [all_of(&full), all_of(&bare)]
    );
    store.close().await;
}

#[tokio::test]
async fn single_fields_of_a_chat_can_be_set() {
    let profile = tempfile::tempdir().unwrap();
    let store = Store::open(profile.path()).unwrap();
    let chat = chat(1);
    let made = InviteRecord {
        until_ms: i64::MAX.cast_unsigned(),
        ..invite(8)
    };
    let peers: Vec<SocketAddr> = ["[fe80::1%3]:7", "10.0.0.1:4000"]
        .map(|peer| peer.parse().unwrap())
        .to_vec();
    save_all(
        &store,
        [
            Write::PutChat(Box::new(record(1))),
            Write::SetNick {
                chat,
                nick: "Eve".to_owned(),
            },
            Write::SetTopic {
                chat,
                topic: String::new(),
                by: None,
            },
            Write::SetPort { chat, port: 65_535 },
            Write::SetJoined {
                chat,
                keep_invite: false,
            },
            Write::SetCredential {
                chat,
                credential: vec![8],
            },
            Write::SetCharter {
                chat,
                name: "Friends".to_owned(),
                charter: vec![9],
            },
            Write::AddMember {
                chat,
                member: member(5),
                credential: vec![5; 223],
            },
            Write::AddMember {
                chat,
                member: member(4),
                credential: vec![0],
            },
            Write::AddMember {
                chat,
                member: member(4),
                credential: vec![4; 223],
            },
            Write::SetMemberNick {
                chat,
                member: member(5),
                nick: "Five".to_owned(),
            },
            Write::SetMemberNick {
                chat,
                member: member(1),
                nick: "One".to_owned(),
            },
            Write::SawPeer {
                chat,
                address: peers[1],
                at_ms: 10,
            },
            Write::SawPeer {
                chat,
                address: peers[0],
                at_ms: 11,
            },
            Write::AddInvite {
                chat,
                invite: made.clone(),
            },
        ],
    )
    .await;
    let expected = ChatRecord {
        nick: "Eve".to_owned(),
        topic: String::new(),
        topic_by: None,
        port: Some(65_535),
        joined: true,
        secrets: ChatSecrets {
            invite: None,
            ..record(1).secrets
        },
        credential: Some(vec![8]),
        charter: Some(vec![9]),
        name: "Friends".to_owned(),
        next_invite: 9,
        admitted: vec![vec![5; 223], vec![4; 223]],
        peers,
        nicks: vec![(member(1), "One".to_owned()), (member(5), "Five".to_owned())],
        invites: vec![made],
        ..record(1)
    };
    assert_eq!(all_of(&store.chats().await.unwrap()[0]), all_of(&expected));
    // The invite by which we came is in no file any more, also while the store is open.
    assert!(!holds(profile.path(), b"BEGIN THRONG INVITE"));
    store.close().await;
}

#[tokio::test]
async fn facts_and_who_is_ignored_come_back_after_a_restart() {
    let profile = tempfile::tempdir().unwrap();
    let store = Store::open(profile.path()).unwrap();
    let chat = chat(1);
    let put = |added, removed| Write::PutFacts { chat, added, removed };
    let set_ignored = |number, ignored| Write::SetIgnored {
        chat,
        member: member(number),
        ignored,
    };
    save_all(
        &store,
        [
            Write::PutChat(Box::new(record(1))),
            Write::PutChat(Box::new(record(2))),
            put(vec![fact(3, None), fact(1, Some(vec![9])), fact(2, None)], vec![]),
            // One that is gone already, one that comes again with what admits its issuer.
            put(
                vec![fact(2, Some(vec![8]))],
                vec![FactId([3; 32]), FactId([77; 32])],
            ),
            set_ignored(5, true),
            set_ignored(4, true),
            set_ignored(5, true),
            set_ignored(6, false),
            set_ignored(4, false),
            // Another state of the chat is not another set of facts.
            Write::PutChat(Box::new(record(1))),
        ],
    )
    .await;
    store.close().await;

    let store = Store::open(profile.path()).unwrap();
    let chats = store.chats().await.unwrap();
    assert_eq!(
        chats[0].facts,
        [fact(1, Some(vec![9])), fact(2, Some(vec![8]))],
        "by id"
    );
    assert_eq!(chats[0].ignored, [member(5)]);
    assert_eq!((&chats[1].facts, &chats[1].ignored), (&vec![], &vec![]));
    store.close().await;
}

#[tokio::test]
async fn the_link_of_a_public_chat_stays_after_one_is_in() {
    let profile = tempfile::tempdir().unwrap();
    let store = Store::open(profile.path()).unwrap();
    let joined = Write::SetJoined {
        chat: chat(1),
        keep_invite: true,
    };
    save_all(&store, [Write::PutChat(Box::new(record(1))), joined]).await;
    let chats = store.chats().await.unwrap();
    assert_eq!(
        (chats[0].joined, &chats[0].secrets.invite),
        (true, &record(1).secrets.invite)
    );
    store.close().await;
}

#[tokio::test]
async fn putting_a_chat_again_keeps_what_was_said_there() {
    let profile = tempfile::tempdir().unwrap();
    let store = Store::open(profile.path()).unwrap();
    let put = || Write::PutChat(Box::new(record(1)));
    save_all(
        &store,
        [
            put(),
            add(message(chat(1), 1, 5)),
            Write::SaveDraft {
                chat: chat(1),
                text: "hm".to_owned(),
            },
        ],
    )
    .await;
    save_all(&store, [put()]).await;
    let page = store.history(chat(1), HistoryQuery::Newest, 10).await.unwrap();
    assert_eq!(page.messages[0].client_id, ClientId([8; 32]));
    assert_eq!(messages(page), [message(chat(1), 1, 5)]);
    assert_eq!(store.workspace().await.unwrap().2[0].draft, "hm");
    store.close().await;
}

#[tokio::test]
async fn pages_of_history_join_without_gap_or_overlap() {
    let profile = tempfile::tempdir().unwrap();
    let store = Store::open(profile.path()).unwrap();
    let chat = chat(1);
    store.save(Write::PutChat(Box::new(record(1)))).await.unwrap();
    // Three came late, four and five are of one millisecond, and two came twice.
    for (number, at_ms) in [(1, 10), (2, 20), (4, 40), (5, 40), (6, 50), (3, 30), (2, 99)] {
        store.write(add(message(chat, number, at_ms))).unwrap();
    }
    let page = async |query, limit| {
        let page = store.history(chat, query, limit).await.unwrap();
        let (more_before, more_after) = (page.more_before, page.more_after);
        (numbers(page), more_before, more_after)
    };
    let id = message_id;
    assert_eq!(
        page(HistoryQuery::Newest, 10).await,
        (vec![1, 2, 3, 4, 5, 6], false, false)
    );
    assert_eq!(page(HistoryQuery::Newest, 2).await, (vec![5, 6], true, false));
    assert_eq!(
        page(HistoryQuery::Before(id(5)), 2).await,
        (vec![3, 4], true, true)
    );
    assert_eq!(
        page(HistoryQuery::Before(id(3)), 2).await,
        (vec![1, 2], false, true)
    );
    assert_eq!(page(HistoryQuery::After(id(4)), 1).await, (vec![5], true, true));
    assert_eq!(
        page(HistoryQuery::After(id(4)), 2).await,
        (vec![5, 6], true, false)
    );
    assert_eq!(page(HistoryQuery::After(id(6)), 2).await, (vec![], true, false));
    assert_eq!(
        page(HistoryQuery::Around(id(4)), 3).await,
        (vec![3, 4, 5], true, true)
    );
    assert_eq!(
        page(HistoryQuery::Around(id(1)), 5).await,
        (vec![1, 2, 3], false, true)
    );
    assert_eq!(page(HistoryQuery::Around(id(4)), 1).await, (vec![4], true, true));
    let at = |ms| HistoryQuery::At(Timestamp::from_millisecond(ms).unwrap());
    assert_eq!(page(at(40), 4).await, (vec![2, 3, 4, 5], true, true));
    assert_eq!(page(at(45), 2).await, (vec![5, 6], true, false));
    assert_eq!(page(at(99), 2).await, (vec![6], true, false));
    assert_eq!(page(HistoryQuery::Newest, 0).await, (vec![], true, false));

    let unknown = store.history(chat, HistoryQuery::Before(id(77)), 5).await;
    assert_eq!(unknown, Err(StoreError::NotFound));
    assert_eq!(unknown.unwrap_err().code(), Code::NotFound);
    let elsewhere = ChatId([200; 32]);
    assert_eq!(
        store.history(elsewhere, HistoryQuery::Newest, 5).await,
        Err(StoreError::NotFound)
    );
    store.close().await;
}

#[tokio::test]
async fn a_page_and_the_lists_that_peers_fill_are_bounded() {
    let profile = tempfile::tempdir().unwrap();
    let store = Store::open(profile.path()).unwrap();
    let chat = chat(1);
    store.save(Write::PutChat(Box::new(record(1)))).await.unwrap();
    for number in 0..MAX_PAGE_LEN + 5 {
        store
            .write(add(message(chat, number, i64::from(number))))
            .unwrap();
    }
    let page = store.history(chat, HistoryQuery::Newest, u32::MAX).await.unwrap();
    assert_eq!(
        (page.messages.len(), page.more_before),
        (MAX_PAGE_LEN as usize, true)
    );

    for number in 0..MAX_PEERS as u16 + 9 {
        let address = SocketAddr::from(([10, 0, 0, 1], 1000 + number));
        store
            .write(Write::SawPeer {
                chat,
                address,
                at_ms: u64::from(number),
            })
            .unwrap();
    }
    for number in 0..MAX_HEARSAY as u16 + 9 {
        let address = SocketAddr::from(([10, 0, 0, 2], 1000 + number));
        store
            .write(Write::HeardOfPeer {
                chat,
                address,
                at_ms: u64::from(number),
            })
            .unwrap();
    }
    for number in 0..MAX_MEMBERS + 9 {
        let (member, nick) = (MemberId(message_id(number).0), number.to_string());
        while store
            .write(Write::SetMemberNick {
                chat,
                member,
                nick: nick.clone(),
            })
            .is_err()
        {
            store.waiting(chat).await.unwrap(); // Until what was queued is done.
        }
    }
    let record = store.chats().await.unwrap().remove(0);
    assert_eq!(record.peers.len(), MAX_PEERS as usize);
    assert_eq!(record.peers[0].port(), 1000 + MAX_PEERS as u16 + 8);
    let hearsay = store.hearsay(chat).await.unwrap();
    assert_eq!(hearsay.len(), MAX_HEARSAY as usize);
    assert_eq!(hearsay[0].port(), 1000 + MAX_HEARSAY as u16 + 8);
    assert_eq!(record.nicks.len(), MAX_MEMBERS as usize);
    assert_eq!(record.nicks[0].1, "9", "the first met make room");
    store.close().await;
}

#[tokio::test]
async fn what_was_said_lately_is_known_by_its_id_once() {
    let profile = tempfile::tempdir().unwrap();
    let store = Store::open(profile.path()).unwrap();
    store.save(Write::PutChat(Box::new(record(1)))).await.unwrap();
    for (number, at) in [(1, 10), (2, 30), (3, 20), (2, 30)] {
        store.save(add(message(chat(1), number, at))).await.unwrap();
    }
    let ids = |numbers: &[u32]| -> Vec<MessageId> {
        numbers
            .iter()
            .map(|number| message(chat(1), *number, 0).id)
            .collect()
    };
    let since = message(chat(1), 1, 20).at;
    assert_eq!(store.said_since(chat(1), since, 9).await.unwrap(), ids(&[2, 3]));
    assert_eq!(store.said_since(chat(1), since, 1).await.unwrap(), ids(&[2]));
    store.close().await;
}

#[tokio::test]
async fn own_messages_wait_until_they_are_delivered() {
    let profile = tempfile::tempdir().unwrap();
    let store = Store::open(profile.path()).unwrap();
    let chat = chat(1);
    let own = |number, at_ms| Message {
        own: true,
        delivery: Some(DeliveryState::Waiting),
        place: 0,
        body: MessageBody::Action,
        ..message(chat, number, at_ms)
    };
    let set = |number, state| Write::SetDelivery {
        chat,
        id: message_id(number),
        state,
    };
    save_all(
        &store,
        [
            Write::PutChat(Box::new(record(1))),
            add(own(1, 30)),
            add(own(2, 20)),
            add(own(3, 10)),
            add(message(chat, 4, 5)),
            set(1, DeliveryState::Waiting),
            set(2, DeliveryState::Waiting),
            set(3, DeliveryState::Failed),
            set(4, DeliveryState::Waiting), // Not our own.
        ],
    )
    .await;
    assert_eq!(store.waiting(chat).await.unwrap(), [own(2, 20), own(1, 30)]);
    store.save(set(2, DeliveryState::Sent)).await.unwrap();
    let page = store.history(chat, HistoryQuery::Newest, 9).await.unwrap();
    let states: Vec<_> = messages(page).iter().map(|message| message.delivery).collect();
    let (waiting, sent, failed) = (DeliveryState::Waiting, DeliveryState::Sent, DeliveryState::Failed);
    assert_eq!(states, [None, Some(failed), Some(sent), Some(waiting)]);
    assert_eq!(store.waiting(chat).await.unwrap(), [own(1, 30)]);
    store.close().await;
}

#[tokio::test]
async fn what_the_window_keeps_comes_back_after_a_restart() {
    let profile = tempfile::tempdir().unwrap();
    let store = Store::open(profile.path()).unwrap();
    assert_eq!(
        store.workspace().await.unwrap(),
        (Settings::default(), Workspace::default(), Vec::new())
    );
    let settings = Settings {
        nick: "Ada".to_owned(),
        theme: Theme::Light,
        zoom_percent: 150,
        ..Settings::default()
    };
    let own = Message {
        own: true,
        ..message(chat(2), 5, 50)
    };
    save_all(
        &store,
        [
            Write::PutChat(Box::new(record(1))),
            Write::PutChat(Box::new(record(2))),
            Write::SaveSettings(Settings::default()),
            Write::SaveSettings(settings.clone()),
            // One of them is not stored (any more).
            Write::SaveWorkspace(Workspace {
                tabs: vec![chat(2), chat(3), chat(1)],
                selected: Some(chat(1)),
            }),
            Write::SaveDraft {
                chat: chat(1),
                text: "half a sen".to_owned(),
            },
        ],
    )
    .await;
    save_all(
        &store,
        [10, 20, 30, 30]
            .into_iter()
            .zip(1..)
            .map(|(at, number)| add(message(chat(2), number, at))),
    )
    .await;
    save_all(
        &store,
        [
            add(own),
            Write::MarkRead {
                chat: chat(2),
                message: message_id(3),
            },
        ],
    )
    .await;
    // Of a message that is not stored nothing is known.
    store
        .save(Write::MarkRead {
            chat: chat(2),
            message: message_id(77),
        })
        .await
        .unwrap();
    store.close().await;

    let store = Store::open(profile.path()).unwrap();
    let workspace = Workspace {
        tabs: vec![chat(2), chat(1)],
        selected: Some(chat(1)),
    };
    let chats = vec![
        OpenChat {
            chat: chat(1),
            draft: "half a sen".to_owned(),
            read: None,
            unread: 0,
        },
        OpenChat {
            chat: chat(2),
            draft: String::new(),
            read: Some(message_id(3)),
            unread: 1,
        },
    ];
    assert_eq!(store.workspace().await.unwrap(), (settings, workspace, chats));
    // A chat that goes takes its tab along.
    store.save(Write::RemoveChat { chat: chat(1) }).await.unwrap();
    assert_eq!(
        store.workspace().await.unwrap().1,
        Workspace {
            tabs: vec![chat(2)],
            selected: None
        }
    );
    store.close().await;
}
