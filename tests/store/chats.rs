//! Chats with all that belongs to them.

use super::*;

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
