//! Profiles that older versions of the program left.

use rusqlite::Connection;

use super::*;

/// A profile whose database is made by this SQL.
pub(crate) fn profile_of(sql: &str) -> tempfile::TempDir {
    let profile = tempfile::tempdir().unwrap();
    let database = Connection::open(profile.path().join("throng.db")).unwrap();
    database.execute_batch(sql).unwrap();
    profile
}

#[tokio::test]
async fn a_database_of_schema_1_opens_with_all_that_it_held() {
    let profile = profile_of(include_str!("schema_1.sql"));
    for round in ["at the first start", "and at the next"] {
        let store = Store::open(profile.path()).unwrap();
        let chats = store.chats().await.unwrap();
        assert_eq!(chats.len(), 2, "{round}");
        let expected = ChatRecord {
            name: "Friends".to_owned(),
            joined: true,
            secrets: ChatSecrets {
                invite: None,
                ..record(1).secrets
            },
            credential: Some(vec![0, 4, 4]),
            charter: Some(vec![0, 5, 5]),
            admitted: vec![vec![0, 7, 7]],
            peers: vec!["10.0.0.1:4000".parse().unwrap()],
            nicks: vec![(member(7), "Bob".to_owned())],
            invites: vec![InviteRecord {
                invite: InviteId([11; 32]),
                number: 2,
                certificate: vec![1, 2, 3],
                uses: 5,
                until_ms: 0,
                created_ms: 1_700_000_000_150,
            }],
            ..record(1)
        };
        assert_eq!(all_of(&chats[0]), all_of(&expected), "{round}");
        assert_eq!(chats[1].kind, ChatKind::Classic, "{round}");

        let page = store.history(chat(1), HistoryQuery::Newest, 10).await.unwrap();
        let sessions: Vec<_> = page.messages.iter().map(|stored| stored.client_id).collect();
        assert_eq!(sessions, [ClientId([8; 32]), ClientId([12; 32])], "{round}");
        assert_eq!(numbers(page), [1, 2], "{round}");
        assert_eq!(store.waiting(chat(1)).await.unwrap().len(), 1, "{round}");
        let (settings, workspace, open) = store.workspace().await.unwrap();
        assert_eq!(
            (settings.nick.as_str(), workspace.tabs),
            ("Ada", vec![chat(1)]),
            "{round}"
        );
        assert_eq!(
            (open[0].draft.as_str(), open[0].unread),
            ("half a sen", 0),
            "{round}"
        );
        store.close().await;
    }

    // What is new is at home there, too.
    let store = Store::open(profile.path()).unwrap();
    let put = Write::PutFacts {
        chat: chat(1),
        added: vec![fact(1, None)],
        removed: vec![],
    };
    save_all(&store, [put]).await;
    assert_eq!(store.chats().await.unwrap()[0].facts, [fact(1, None)]);
    store.close().await;
}

#[tokio::test]
async fn a_database_of_schema_2_opens_as_an_archive() {
    let profile = profile_of(include_str!("schema_2.sql"));
    for _ in 0..2 {
        let store = Store::open(profile.path()).unwrap();
        let chats = store.chats().await.unwrap();
        assert_eq!((chats[0].facts.len(), &chats[0].ignored), (1, &vec![member(7)]));
        // What is held ends with the newest that was heard.
        let hlc = |ms: u64| ms << 16;
        assert_eq!(chats[0].history_since, Some(hlc(1_700_000_000_300)));
        assert_eq!(chats[1].history_since, None);
        assert!(!chats[0].history_is_whole);
        assert_eq!(chats[0].retention, Retention::Forever);

        let page = store.history(chat(1), HistoryQuery::Newest, 10).await.unwrap();
        let stored = messages(page);
        let ids = store.archived_ids(chat(1), 0..u64::MAX, 9).await.unwrap();
        assert_eq!(
            ids,
            [
                (hlc(1_700_000_000_300), stored[1].id),
                (hlc(1_700_000_000_200), stored[0].id)
            ]
        );
        let hour = hlc(1_700_000_000_200) / throng::store::HOUR * throng::store::HOUR;
        let span = hour..hour + throng::store::HOUR;
        assert_ne!(store.fingerprints(chat(1), vec![span]).await.unwrap(), [[0; 16]]);
        assert_eq!(store.unsent(chat(1)).await.unwrap(), [stored[1].id].into());
        store.close().await;
    }
}
