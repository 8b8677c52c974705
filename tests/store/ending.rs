//! How a chat goes from the files, and a profile from its program.

use std::time::{Duration, Instant};

use super::*;

#[tokio::test]
async fn a_removed_chat_leaves_nothing_in_the_files() {
    let profile = tempfile::tempdir().unwrap();
    let store = Store::open(profile.path()).unwrap();
    let secret = "Xyzzy-of-the-chat-that-goes";
    let mut record = [record(1), record(2), record(3)];
    record[1].name = secret.to_owned();
    record[1].secrets.invite = Some(Zeroizing::new(secret.into()));
    save_all(&store, record.map(|record| Write::PutChat(Box::new(record)))).await;
    for number in 0..3000 {
        // Of many lengths, some over several pages, among those of chats that stay or have gone before.
        let mut message = message(chat(1 + (number % 3) as u8), number, i64::from(number));
        if number % 3 == 1 {
            message.text =
                secret.repeat(1 + (number as usize * 7) % (if number % 20 == 0 { 400 } else { 20 }));
        }
        store.write(add(message)).unwrap();
    }
    let gone = chat(2);
    for length in [1, 50, 3] {
        store
            .save(Write::SaveDraft {
                chat: gone,
                text: secret.repeat(length),
            })
            .await
            .unwrap();
    }
    save_all(
        &store,
        [
            Write::SetMemberNick {
                chat: gone,
                member: member(1),
                nick: secret.to_owned(),
            },
            Write::AddMember {
                chat: gone,
                member: member(1),
                credential: secret.into(),
            },
            Write::SetTopic {
                chat: gone,
                topic: secret.to_owned(),
                by: None,
            },
            Write::PutFacts {
                chat: gone,
                added: vec![FactRecord {
                    id: FactId([1; 32]),
                    fact: secret.into(),
                    credential: Some(secret.into()),
                }],
                removed: vec![],
            },
            Write::RemoveChat { chat: chat(1) },
        ],
    )
    .await;
    assert!(
        holds(profile.path(), secret.as_bytes()),
        "the test looks in the right place"
    );

    store.save(Write::RemoveChat { chat: gone }).await.unwrap();
    assert!(
        !holds(profile.path(), secret.as_bytes()),
        "while the store is open"
    );
    store.close().await;
    assert!(!holds(profile.path(), secret.as_bytes()), "after it was closed");
    assert!(!holds(profile.path(), &gone.0), "its id neither");

    let store = Store::open(profile.path()).unwrap();
    assert_eq!(store.chats().await.unwrap()[0].chat, chat(3));
    assert_eq!(
        store
            .history(chat(3), HistoryQuery::Newest, 1000)
            .await
            .unwrap()
            .messages
            .len(),
        1000
    );
    store.close().await;
}

#[tokio::test]
async fn one_program_at_a_time_has_a_profile() {
    let profile = tempfile::tempdir().unwrap();
    let store = Store::open(profile.path()).unwrap();
    let clone = store.clone();
    let refused = Store::open(profile.path()).unwrap_err();
    assert_eq!(
        refused,
        StoreError::Locked {
            folder: profile.path().to_owned()
        }
    );
    assert_eq!(refused.code(), Code::Locked);
    assert!(
        refused
            .to_string()
            .contains(&profile.path().display().to_string()),
        "{refused}"
    );

    store.write(Write::PutChat(Box::new(record(1)))).unwrap();
    store.close().await;
    let store = Store::open(profile.path()).unwrap();
    assert_eq!(store.chats().await.unwrap().len(), 1, "what was queued was kept");
    assert_eq!(clone.chats().await.unwrap_err(), StoreError::Closed);
    assert_eq!(
        clone
            .save(Write::SetJoined {
                chat: chat(1),
                keep_invite: false,
            })
            .await,
        Err(StoreError::Closed)
    );
    clone.close().await;
    store.close().await;
}

#[tokio::test]
async fn dropping_the_last_handle_closes_too() {
    let profile = tempfile::tempdir().unwrap();
    let store = Store::open(profile.path()).unwrap();
    store.write(Write::PutChat(Box::new(record(1)))).unwrap();
    drop(store);
    let deadline = Instant::now() + Duration::from_secs(20);
    let store = loop {
        match Store::open(profile.path()) {
            Ok(store) => break store,
            Err(StoreError::Locked { .. }) if Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(store.chats().await.unwrap().len(), 1);
    store.close().await;
}
