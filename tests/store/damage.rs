//! Databases that were damaged: rebuilt from what can be read, with the damaged file kept as it was; never by starting anew
//! as somebody else.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::*;

const PAGE: usize = 4096;
const MESSAGES: u32 = 200;

fn database(profile: &Path) -> PathBuf {
    profile.join("throng.db")
}

/// Two chats with all that a chat can have, and messages of which some fill pages of their own.
async fn fill(store: &Store) {
    let facts = Write::PutFacts {
        chat: chat(1),
        added: vec![fact(1, Some(vec![8; 300])), fact(2, None)],
        removed: vec![],
    };
    let part = PartRecord {
        id: message_id(9001),
        member: member(9),
        client_id: ClientId([8; 32]),
        number: 9001,
        first: 9000,
        signed: vec![7; 300],
    };
    let writes = [
        Write::PutChat(Box::new(record(1))),
        Write::PutChat(Box::new(record(2))),
        Write::AddMember {
            chat: chat(1),
            member: member(7),
            credential: vec![7; 200],
        },
        Write::SawPeer {
            chat: chat(1),
            address: "10.0.0.1:4000".parse().unwrap(),
            at_ms: 5,
        },
        Write::AddInvite {
            chat: chat(1),
            invite: invite(2),
        },
        facts,
        Write::SetIgnored {
            chat: chat(1),
            member: member(9),
            ignored: true,
        },
        Write::AddPart { chat: chat(2), part },
        Write::SaveDraft {
            chat: chat(2),
            text: "half a sen".to_owned(),
        },
        Write::SaveSettings(Settings {
            nick: "Ada".to_owned(),
            ..Settings::default()
        }),
        Write::SaveWorkspace(Workspace {
            tabs: vec![chat(1)],
            selected: Some(chat(1)),
        }),
    ];
    save_all(store, writes).await;
    for number in 0..MESSAGES {
        store.save(add(said(number))).await.unwrap();
    }
    store
        .save(Write::MarkRead {
            chat: chat(1),
            message: message_id(100),
        })
        .await
        .unwrap();
}

/// Every seventh is long.
fn said(number: u32) -> Message {
    let text = format!("message {number} ");
    Message {
        text: if number.is_multiple_of(7) {
            text.repeat(700)
        } else {
            text
        },
        ..message(
            chat(1 + u8::from(number.is_multiple_of(5))),
            number,
            1_700_000_000_000 + i64::from(number),
        )
    }
}

/// All that a profile shows.
#[derive(Debug, PartialEq)]
struct Shown {
    chats: Vec<String>,
    messages: Vec<Message>,
    workspace: (Settings, Workspace, Vec<OpenChat>),
}

async fn shown(store: &Store) -> Result<Shown, StoreError> {
    let mut messages = Vec::new();
    let chats = store.chats().await?;
    for record in &chats {
        let page = store
            .history(record.chat, HistoryQuery::Newest, MAX_PAGE_LEN)
            .await?;
        messages.extend(page.messages.into_iter().map(|stored| stored.message));
        for word in ["message", "me", "7"] {
            let with_word = messages
                .iter()
                .filter(|message: &&Message| message.chat == record.chat && message.text.contains(word));
            let found = search(store, record.chat, word).await?;
            assert_eq!(found, with_word.count() as u64, "all words are found: {word}");
        }
    }
    Ok(Shown {
        chats: chats.iter().map(all_of).collect(),
        messages,
        workspace: store.workspace().await?,
    })
}

/// How many messages have a word.
async fn search(store: &Store, chat: ChatId, word: &str) -> Result<u64, StoreError> {
    let order = throng::store::SearchOrder {
        chats: vec![chat],
        words: vec![word.to_owned()],
        limit: 10_000,
        ..Default::default()
    };
    Ok(store.search(order).await?.0.len() as u64)
}

/// A profile with nothing but these files.
fn profile_with(files: &BTreeMap<String, Vec<u8>>) -> tempfile::TempDir {
    let profile = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(profile.path().join(name), bytes).unwrap();
    }
    profile
}

/// Which pages of a database the messages' rows lie in, and which of them each: by SQLite itself.
fn message_pages(database: &Path) -> BTreeSet<usize> {
    let bytes = fs::read(database).unwrap();
    // A leaf of a table whose rows have texts of messages; the long ones' further pages have but text.
    let holds = |page: &[u8]| page.windows(8).any(|window| window == b"message ");
    let pages = bytes.chunks(PAGE).enumerate();
    pages
        .filter(|(_, page)| holds(page))
        .map(|(number, _)| number)
        .collect()
}

/// What becomes of a damaged profile: opens it until it shows something.
async fn mended(profile: &Path) -> Result<(Shown, bool), StoreError> {
    let store = Store::open(profile)?;
    let mut rebuilt = store.rebuilt().is_some();
    let first = shown(&store).await;
    store.close().await;
    let shown = match first {
        Ok(shown) => shown,
        Err(error) => {
            assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
            // What was met while it was open is mended at the next start.
            assert!(!rebuilt, "rebuilt, and damaged all the same: {error}");
            let store = Store::open(profile)?;
            rebuilt = store.rebuilt().is_some();
            assert!(rebuilt, "met, but not rebuilt");
            let shown = shown(&store).await.expect("it is sound now");
            store.close().await;
            shown
        }
    };
    // Once: the next start finds nothing to do.
    let store = Store::open(profile).unwrap();
    assert_eq!(store.rebuilt(), None);
    store.close().await;
    Ok((shown, rebuilt))
}

fn kept(profile: &Path) -> Vec<String> {
    let names = files(profile).into_keys();
    names
        .filter(|name| name.starts_with("throng.db.damaged-"))
        .collect()
}

#[tokio::test]
async fn every_page_in_turn_may_be_lost() {
    let whole = tempfile::tempdir().unwrap();
    let store = Store::open(whole.path()).unwrap();
    fill(&store).await;
    let before = shown(&store).await.unwrap();
    store.close().await;
    let sound = files(whole.path());
    let bytes = &sound["throng.db"];
    let count = bytes.len() / PAGE;
    let with_messages = message_pages(&database(whole.path()));
    let seed = 0x7012_0001;
    eprintln!("seed {seed:#x}");
    let mut random = ChaCha20Rng::seed_from_u64(seed);

    let (mut rebuilt_count, mut refused) = (0, Vec::new());
    for number in 0..count {
        let mut damaged = bytes.clone();
        let page = &mut damaged[number * PAGE..][..PAGE];
        match random.next_u32() % 3 {
            0 => page.fill(0),
            1 => page.fill(0xA5),
            _ => random.fill_bytes(page),
        }
        let profile = profile_with(&[("throng.db".to_owned(), damaged.clone())].into());
        match mended(profile.path()).await {
            Ok((after, rebuilt)) => {
                rebuilt_count += u32::from(rebuilt);
                let kept = kept(profile.path());
                assert_eq!(kept.len(), usize::from(rebuilt), "page {number}: {kept:?}");
                if rebuilt {
                    let was = fs::read(profile.path().join(&kept[0])).unwrap();
                    assert!(was == damaged, "page {number}: not kept as it was");
                }
                assert_eq!(after.chats.len(), 2, "page {number}");
                let lost = before.messages.len() - after.messages.len();
                if with_messages.contains(&number) {
                    assert!(lost <= 40, "page {number}: {lost} lost with one page");
                    // A page in the middle of a long text has no form that could be seen to be broken.
                    let other = after
                        .messages
                        .iter()
                        .filter(|message| !before.messages.contains(message));
                    let others: Vec<_> = other.collect();
                    assert!(others.len() <= 1, "page {number}: {}", others.len());
                    assert!(others.iter().all(|message| message.text.len() > PAGE));
                } else {
                    assert_eq!(after.messages, before.messages, "page {number}");
                }
            }
            Err(error) => {
                assert!(
                    matches!(error, StoreError::KeysLost { .. }),
                    "page {number}: {error:?}"
                );
                let left = files(profile.path());
                assert!(
                    left["throng.db"] == damaged,
                    "page {number}: refused, but changed"
                );
                assert_eq!(kept(profile.path()), [""; 0]);
                refused.push(number);
            }
        }
    }
    assert_eq!(refused.len(), 1, "only the page with the keys: {refused:?}");
    assert!(rebuilt_count > 20, "{rebuilt_count}");
}

/// A profile with a page of messages lost, and how many messages it had.
async fn damaged() -> tempfile::TempDir {
    let profile = tempfile::tempdir().unwrap();
    let store = Store::open(profile.path()).unwrap();
    fill(&store).await;
    store.close().await;
    lose_messages(profile.path());
    profile
}

/// Makes a page of messages unreadable.
fn lose_messages(profile: &Path) {
    let page = *message_pages(&database(profile)).last().unwrap();
    let mut bytes = fs::read(database(profile)).unwrap();
    bytes[page * PAGE..][..PAGE].fill(0xA5);
    fs::write(database(profile), bytes).unwrap();
}

#[tokio::test]
async fn damage_met_while_it_is_open_stops_all_writing_and_is_mended_at_the_next_start() {
    let profile = damaged().await;
    let damaged = fs::read(database(profile.path())).unwrap();
    let store = Store::open(profile.path()).unwrap();
    assert_eq!(store.rebuilt(), None, "what is read at a start is sound");
    let mut errors = store.errors().unwrap();
    let broken = shown(&store).await.unwrap_err();
    assert!(matches!(broken, StoreError::Damaged { .. }), "{broken:?}");
    let set_joined = Write::SetJoined {
        chat: chat(1),
        keep_invite: false,
    };
    assert_eq!(store.save(set_joined).await, Err(broken.clone()));
    store.write(Write::RemoveChat { chat: chat(1) }).unwrap();
    assert_eq!(errors.recv().await, Some(broken));
    store.close().await;
    assert!(
        fs::read(database(profile.path())).unwrap() == damaged,
        "written to, although damaged"
    );

    let store = Store::open(profile.path()).unwrap();
    let rebuilt = store.rebuilt().unwrap().clone();
    assert_eq!((rebuilt.chats, rebuilt.lost_chats), (2, 0));
    assert!(rebuilt.messages < u64::from(MESSAGES) && rebuilt.messages >= u64::from(MESSAGES) - 40);
    assert!(fs::read(&rebuilt.kept).unwrap() == damaged);
    assert_eq!(all_of(&store.chats().await.unwrap()[1]), all_of(&record(2)));
    // It is written to again.
    store
        .save(add(message(chat(1), 5000, 1_800_000_000_000)))
        .await
        .unwrap();
    assert_eq!(search(&store, chat(1), "5000").await, Ok(1));
    store.close().await;
}

#[tokio::test]
async fn what_a_crash_left_in_the_log_is_read_too() {
    let (running, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open(running.path()).unwrap();
    fill(&store).await;
    store.close().await;
    let store = Store::open(running.path()).unwrap();
    for number in 3000..3020 {
        store
            .save(add(message(chat(1), number, 1_800_000_000_000)))
            .await
            .unwrap();
    }
    for (name, bytes) in files(running.path()) {
        fs::write(crashed.path().join(name), bytes).unwrap();
    }
    store.close().await;
    let log = fs::read(crashed.path().join("throng.db-wal")).unwrap();
    assert!(log.len() > PAGE);
    let mut damaged = fs::read(database(crashed.path())).unwrap();
    // The page with the facts, which were not written lately.
    let fact = damaged
        .windows(140)
        .position(|window| window == [1; 140])
        .unwrap();
    damaged[fact - fact % PAGE..][..PAGE].fill(0);
    fs::write(database(crashed.path()), &damaged).unwrap();
    let store = Store::open(crashed.path()).unwrap();
    let rebuilt = store.rebuilt().expect("rebuilt").clone();
    assert_eq!(rebuilt.messages, u64::from(MESSAGES) + 20);
    assert_eq!(search(&store, chat(1), "3019").await, Ok(1));
    store.close().await;
    assert!(fs::read(&rebuilt.kept).unwrap() == damaged);
    let kept_log = format!("{}-wal", rebuilt.kept.display());
    assert!(fs::read(kept_log).unwrap() == log);
}

#[tokio::test]
async fn what_is_kept_is_never_overwritten() {
    let profile = damaged().await;
    let (first, _) = mended(profile.path()).await.unwrap();
    assert_eq!(kept(profile.path()).len(), 1);
    lose_messages(profile.path());
    let (second, _) = mended(profile.path()).await.unwrap();
    assert!(second.messages.len() < first.messages.len());
    let kept = kept(profile.path());
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[1], format!("{}-2", kept[0]));
}

#[tokio::test]
async fn while_the_new_one_can_t_be_written_the_old_one_stays() {
    let profile = damaged().await;
    let mut bytes = fs::read(database(profile.path())).unwrap();
    bytes[..PAGE].fill(0);
    fs::write(database(profile.path()), &bytes).unwrap();
    // In the place of a disk without room: something in the way of the new file.
    let in_the_way = profile.path().join("rebuild.tmp");
    fs::create_dir(&in_the_way).unwrap();
    let error = Store::open(profile.path()).unwrap_err();
    assert!(matches!(error, StoreError::NotWritable { .. }), "{error:?}");
    fs::remove_dir(in_the_way).unwrap();
    assert_eq!(files(profile.path()).keys().collect::<Vec<_>>(), ["throng.db"]);
    assert!(fs::read(database(profile.path())).unwrap() == bytes);
    assert_eq!(mended(profile.path()).await.unwrap().0.chats.len(), 2);
}

#[tokio::test]
async fn a_start_that_was_killed_in_the_midst_of_it_is_gone_on_with() {
    let profile = damaged().await;
    let (expected, _) = mended(profile.path()).await.unwrap();
    let kept_name = kept(profile.path()).remove(0);
    // The log is gone and the name written down, but the new one is not in its place yet.
    let kept_bytes = fs::read(profile.path().join(&kept_name)).unwrap();
    fs::write(database(profile.path()), &kept_bytes).unwrap();
    fs::write(profile.path().join("damaged"), &kept_name).unwrap();
    let (after, rebuilt) = mended(profile.path()).await.unwrap();
    assert!(rebuilt && after == expected);
    assert_eq!(kept(profile.path()), [kept_name.as_str()], "kept once");
    // It is in its place, but the name is not wiped yet.
    fs::write(profile.path().join("damaged"), &kept_name).unwrap();
    let (after, rebuilt) = mended(profile.path()).await.unwrap();
    assert!(!rebuilt && after == expected);
    // The user moved it away, to start anew.
    fs::write(profile.path().join("damaged"), "").unwrap();
    fs::remove_file(database(profile.path())).unwrap();
    let (after, rebuilt) = mended(profile.path()).await.unwrap();
    assert!(!rebuilt && after.chats.is_empty());
}

#[tokio::test]
async fn older_databases_are_mended_and_brought_to_the_newest_form() {
    for sql in [include_str!("schema_1.sql"), include_str!("schema_2.sql")] {
        let sound = versions::profile_of(sql);
        let mut bytes = fs::read(database(sound.path())).unwrap();
        let store = Store::open(sound.path()).unwrap();
        let expected = shown(&store).await.unwrap();
        store.close().await;
        bytes[..PAGE].fill(0);
        let profile = profile_with(&[("throng.db".to_owned(), bytes)].into());
        let (after, rebuilt) = mended(profile.path()).await.unwrap();
        assert!(rebuilt);
        assert_eq!(after.messages, expected.messages);
        assert_eq!(after.workspace, expected.workspace);
        assert_eq!(after.chats.len(), 2);
    }
}

#[tokio::test]
async fn sealed_keys_stay_sealed_and_are_of_no_use_without_their_seal() {
    let passphrase = |text: &str| throng::model::Passphrase::from(text);
    let profile = tempfile::tempdir().unwrap();
    let store = Store::open(profile.path()).unwrap();
    fill(&store).await;
    store
        .set_passphrase(passphrase(""), passphrase("tea"))
        .await
        .unwrap();
    store.close().await;
    let sound = fs::read(database(profile.path())).unwrap();
    let mut bytes = sound.clone();
    bytes[..PAGE].fill(0);
    fs::write(database(profile.path()), &bytes).unwrap();
    let store = Store::open(profile.path()).unwrap();
    assert!(store.rebuilt().is_some());
    assert_eq!(store.chats().await.unwrap_err(), StoreError::PassphraseNeeded);
    assert!(store.unlock(passphrase("tea")).await.unwrap());
    assert_eq!(all_of(&store.chats().await.unwrap()[1]), all_of(&record(2)));
    store.close().await;

    // The page with the sealed key: a table's leaf with one row of 4 columns, the second of 9 bytes.
    let stretch = throng::crypto::Stretch::STANDARD.encode();
    let place = sound
        .windows(stretch.len())
        .position(|window| window == stretch)
        .unwrap();
    let mut bytes = sound;
    bytes[place - place % PAGE..][..PAGE].fill(0);
    let profile = profile_with(&[("throng.db".to_owned(), bytes.clone())].into());
    let error = Store::open(profile.path()).unwrap_err();
    assert!(matches!(error, StoreError::KeysLost { .. }), "{error:?}");
    assert_eq!(error.code(), Code::Damaged);
    assert!(fs::read(database(profile.path())).unwrap() == bytes);
}
