//! Profiles that older versions of the program left.

use std::process;
use std::thread;
use std::time::Instant;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rusqlite::{Connection, params};

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
        assert_eq!(
            store.unsent(chat(1)).await.unwrap(),
            [(stored[1].id, hlc(1_700_000_000_300))].into()
        );
        store.close().await;
    }
}

/// A database of schema 2 with so many more messages.
fn long_profile(messages: u32) -> tempfile::TempDir {
    let profile = profile_of(include_str!("schema_2.sql"));
    let database = Connection::open(profile.path().join("throng.db")).unwrap();
    let signed = [
        &[0; 36][..],
        &(1_700_000_001_000_u64 << 16).to_be_bytes(),
        &[6; 100],
    ]
    .concat();
    database
        .execute(
            "WITH RECURSIVE number (n) AS (SELECT 1000 UNION ALL SELECT n + 1 FROM number WHERE n < ?1)
            INSERT INTO message (chat, id, member, nick, client_id, number, at_ms, action, text, own, history, signed)
            SELECT 1, CAST(printf('%032d', n) AS BLOB), zeroblob(32), 'Bob', zeroblob(32), n, 1700000001000 + n, 0,
                'message number ' || n, 0, 0, ?2 FROM number",
            params![999 + messages, signed],
        )
        .unwrap();
    profile
}

fn version(database: &Connection) -> u32 {
    database
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap()
}

#[tokio::test]
async fn a_step_to_a_newer_schema_that_fails_leaves_the_old_one_whole() {
    let profile = long_profile(500);
    let path = profile.path().join("throng.db");
    let count = |database: &Connection| -> u32 {
        database
            .query_row("SELECT count(*) FROM message", [], |row| row.get(0))
            .unwrap()
    };
    // In the way of the third step's last table, when most of the step is done.
    let database = Connection::open(&path).unwrap();
    database
        .execute_batch("CREATE TABLE hour (something TEXT)")
        .unwrap();
    let before = count(&database);
    database.close().unwrap();

    let error = Store::open(profile.path()).unwrap_err();
    assert!(matches!(error, StoreError::Failed { .. }), "{error:?}");
    let database = Connection::open(&path).unwrap();
    assert_eq!((version(&database), count(&database)), (2, before));
    let columns: u32 = database
        .query_row(
            "SELECT count(*) FROM pragma_table_info('message') WHERE name = 'hlc'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(columns, 0, "nothing of the step stays");
    database.execute_batch("DROP TABLE hour").unwrap();
    database.close().unwrap();

    let store = Store::open(profile.path()).unwrap();
    assert_eq!(store.message_count(chat(1)).await.unwrap(), u64::from(before));
    store.close().await;
}

#[tokio::test]
async fn a_program_killed_in_a_step_to_a_newer_schema_loses_nothing() {
    const MESSAGES: u32 = 20_000;
    let whole = long_profile(MESSAGES);
    let bytes = fs::read(whole.path().join("throng.db")).unwrap();
    let began = Instant::now();
    Store::open(whole.path()).unwrap().close().await;
    let takes = began.elapsed();
    let seed = 0x7012_0002;
    eprintln!("seed {seed:#x}");
    let mut random = ChaCha20Rng::seed_from_u64(seed);
    let mut killed_at = BTreeMap::<u32, u32>::new();
    for round in 0..12 {
        let profile = tempfile::tempdir().unwrap();
        let path = profile.path().join("throng.db");
        fs::write(&path, &bytes).unwrap();
        let mut program = process::Command::new(env!("CARGO_BIN_EXE_throng"))
            .args([
                "headless",
                "--no-discovery",
                "--listen",
                "127.0.0.1:0",
                "--profile",
            ])
            .arg(profile.path())
            .stdin(process::Stdio::piped())
            .stdout(process::Stdio::null())
            .stderr(process::Stdio::null())
            .spawn()
            .unwrap();
        // Not to wait for something, but for the kill to come at any moment of the work.
        thread::sleep(takes.mul_f64(1.5 * f64::from(random.next_u32()) / f64::from(u32::MAX)));
        program.kill().unwrap();
        program.wait().unwrap();

        let database = Connection::open(&path).unwrap();
        let version = version(&database);
        assert!((2..=8).contains(&version), "round {round}: {version}");
        *killed_at.entry(version).or_default() += 1;
        let verdict: String = database
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(verdict, "ok", "round {round}");
        drop(database);
        let store = Store::open(profile.path()).unwrap();
        assert_eq!(store.rebuilt(), None);
        assert_eq!(
            store.message_count(chat(1)).await.unwrap(),
            u64::from(MESSAGES) + 2,
            "round {round}"
        );
        let page = store.history(chat(1), HistoryQuery::Newest, 1).await.unwrap();
        assert_eq!(numbers(page), [MESSAGES + 999], "round {round}");
        store.close().await;
    }
    eprintln!("killed at version, times: {killed_at:?}");
}
