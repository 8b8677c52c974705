//! What was said: pages of it, what is known of it, and what waits to go out; and what the window keeps.

use super::*;

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
