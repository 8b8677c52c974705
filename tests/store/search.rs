//! Messages by their words and authors, in all scripts and of any length.

use rusqlite::Connection;
use throng::store::SearchOrder;

use super::*;

/// Numbers of what is found, the newest first.
async fn found(store: &Store, words: &[&str], from: Option<&str>) -> Vec<u32> {
    let order = SearchOrder {
        chats: vec![chat(1)],
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        from: from.map(str::to_owned),
        limit: 100,
        ..SearchOrder::default()
    };
    let (hits, _) = store.search(order).await.unwrap();
    hits.into_iter().map(|hit| hit.message.number).collect()
}

/// A day apart; each by somebody else.
fn said(number: u32, text: &str) -> Write {
    let at_ms = 1_700_000_000_000 + 86_400_000 * i64::from(number);
    Write::AddMessage {
        message: Message {
            text: text.to_owned(),
            nick: format!("Member {number}"),
            ..message(chat(1), number, at_ms)
        },
        client_id: ClientId([8; 32]),
        signed: Vec::new(),
    }
}

const TEXTS: [&str; 8] = [
    "we meet in 渋谷",
    "Qx begins it",
    "it has qx in it",
    "it ends with QX",
    "x",
    "渋い",
    "ЩИ",
    "nothing of it",
];

async fn filled(profile: &Path) -> Store {
    let store = Store::open(profile).unwrap();
    let writes = (1..).zip(TEXTS).map(|(number, text)| said(number, text));
    save_all(&store, [Write::PutChat(Box::new(record(1)))]).await;
    save_all(&store, writes).await;
    store
}

async fn assert_all_is_found(store: &Store) {
    assert_eq!(found(store, &["qx"], None).await, [4, 3, 2]);
    assert_eq!(found(store, &["x"], None).await, [5, 4, 3, 2]);
    assert_eq!(found(store, &["渋谷"], None).await, [1]);
    assert_eq!(found(store, &["渋"], None).await, [6, 1]);
    assert_eq!(found(store, &["щи"], None).await, [7]);
    assert_eq!(found(store, &["и"], None).await, [7]);
    assert_eq!(found(store, &["qx", "ends"], None).await, [4]);
    assert_eq!(found(store, &["qx", "渋"], None).await, [0; 0]);
    assert_eq!(found(store, &["q", "x", "it"], Some("member 3")).await, [3]);
    assert_eq!(found(store, &[], Some("member 7")).await, [7]);
    assert_eq!(found(store, &[], Some("nobody")).await, [0; 0]);
}

#[tokio::test]
async fn words_of_one_and_two_letters_are_found_wherever_they_stand() {
    let profile = tempfile::tempdir().unwrap();
    let store = filled(profile.path()).await;
    assert_all_is_found(&store).await;
    // Until the third day is over.
    let hour = (1_700_000_000_000_u64 + 86_400_000 * 3) / 3_600_000 + 1;
    let forget = Write::Forget {
        chat: chat(1),
        before_hour: u32::try_from(hour).unwrap(),
    };
    save_all(&store, [forget]).await;
    assert_eq!(found(&store, &["qx"], None).await, [4]);
    assert_eq!(found(&store, &["渋"], None).await, [6]);
    assert_eq!(found(&store, &[], Some("member 3")).await, [0; 0]);
    store.close().await;
}

#[tokio::test]
async fn a_database_of_schema_6_gets_its_short_words_indexed() {
    let profile = tempfile::tempdir().unwrap();
    filled(profile.path()).await.close().await;
    // As it was before the step that adds all of this.
    let database = Connection::open(profile.path().join("throng.db")).unwrap();
    database
        .execute_batch(
            "DROP TABLE message_text_terms; DROP TABLE message_end_terms;
            DROP TRIGGER message_end_added; DROP TRIGGER message_end_removed;
            DROP TABLE message_end; DROP VIEW message_ending; DROP INDEX message_nick;
            ALTER TABLE peer DROP COLUMN hearsay;
            PRAGMA user_version = 6;",
        )
        .unwrap();
    database.close().unwrap();
    for _ in 0..2 {
        let store = Store::open(profile.path()).unwrap();
        assert_all_is_found(&store).await;
        store.close().await;
    }
    let store = Store::open(profile.path()).unwrap();
    save_all(&store, [said(9, "another qx")]).await;
    assert_eq!(found(&store, &["qx"], None).await, [9, 4, 3, 2]);
    store.close().await;
}
