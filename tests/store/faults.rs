//! Profiles that can't be used, or not any more: each is refused in its own words, and kept as it is.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::*;

/// Alters the bytes of a database.
type Damage = fn(&mut Vec<u8>);

/// A profile with a chat, some messages, and nothing left in the log.
async fn fill(profile: &Path) {
    let store = Store::open(profile).unwrap();
    store.save(Write::PutChat(Box::new(record(1)))).await.unwrap();
    for number in 0..500 {
        store
            .write(add(message(chat(1), number, i64::from(number))))
            .unwrap();
    }
    store.close().await;
}

fn database(profile: &Path) -> PathBuf {
    profile.join("throng.db")
}

/// Opens what can't be opened, and looks that every byte of it stays.
fn refused(profile: &Path) -> StoreError {
    let before = files(profile);
    let error = Store::open(profile).expect_err("it can't be opened");
    assert!(files(profile) == before, "refused, but changed: {error}");
    assert!(
        error.to_string().contains(&profile.display().to_string()),
        "names no folder: {error}"
    );
    error
}

#[tokio::test]
async fn a_newer_program_s_profile_is_refused() {
    let profile = tempfile::tempdir().unwrap();
    fill(profile.path()).await;
    let newer = Connection::open(database(profile.path())).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    newer.close().unwrap();
    assert_eq!(
        refused(profile.path()),
        StoreError::NewerVersion {
            folder: profile.path().to_owned()
        }
    );
}

#[tokio::test]
async fn a_newer_program_s_profile_is_refused_also_after_a_crash() {
    let (crashed, profile) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill(crashed.path()).await;
    let newer = Connection::open(database(crashed.path())).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    for file in ["throng.db", "throng.db-wal"] {
        fs::copy(crashed.path().join(file), profile.path().join(file)).unwrap();
    }
    drop(newer);
    // What SQLite reads of the log goes into a third file, which holds nothing of its own.
    let before = files(profile.path());
    let error = Store::open(profile.path()).unwrap_err();
    assert_eq!(
        error,
        StoreError::NewerVersion {
            folder: profile.path().to_owned()
        }
    );
    let mut after = files(profile.path());
    after.remove("throng.db-shm");
    assert!(after == before, "refused, but changed");
}

#[tokio::test]
async fn a_profile_whose_keys_can_t_be_read_is_refused() {
    let damages: [(&str, Damage); 3] = [
        ("another kind of file", |bytes| {
            *bytes = b"Dear diary, ".repeat(500);
        }),
        ("cut in the first page", |bytes| bytes.truncate(100)),
        ("garbage in the table of chats", |bytes| {
            let place = bytes.windows(6).rposition(|window| window == b"chat 1").unwrap();
            let page = place - place % 4096;
            bytes[page..page + 4096].fill(0xA5);
        }),
    ];
    for (what, damage) in damages {
        let profile = tempfile::tempdir().unwrap();
        fill(profile.path()).await;
        let mut bytes = fs::read(database(profile.path())).unwrap();
        damage(&mut bytes);
        fs::write(database(profile.path()), &bytes).unwrap();
        let error = refused(profile.path());
        assert!(matches!(error, StoreError::KeysLost { .. }), "{what}: {error:?}");
        assert_eq!(error.code(), Code::Damaged);
    }
}

#[tokio::test]
async fn a_profile_that_is_cut_or_has_no_start_is_rebuilt() {
    let damages: [(&str, Damage, u64); 2] = [
        ("cut in the middle", |bytes| bytes.truncate(bytes.len() / 2), 50),
        ("garbage at the start", |bytes| bytes[..64].fill(0xA5), 500),
    ];
    for (what, damage, at_least) in damages {
        let profile = tempfile::tempdir().unwrap();
        fill(profile.path()).await;
        let mut bytes = fs::read(database(profile.path())).unwrap();
        damage(&mut bytes);
        fs::write(database(profile.path()), &bytes).unwrap();
        let store = Store::open(profile.path()).unwrap();
        let rebuilt = store.rebuilt().unwrap().clone();
        assert!(rebuilt.messages >= at_least, "{what}: {rebuilt:?}");
        assert_eq!(
            all_of(&store.chats().await.unwrap()[0]),
            all_of(&record(1)),
            "{what}"
        );
        store.close().await;
        assert!(fs::read(rebuilt.kept).unwrap() == bytes, "{what}");
    }
}

#[tokio::test]
async fn a_crash_takes_nothing_that_was_saved() {
    let (running, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open(running.path()).unwrap();
    store.save(Write::PutChat(Box::new(record(1)))).await.unwrap();
    store.save(add(message(chat(1), 1, 5))).await.unwrap();
    for (name, bytes) in files(running.path()) {
        fs::write(crashed.path().join(name), bytes).unwrap(); // As they would lie there after a kill.
    }
    store.close().await;

    let store = Store::open(crashed.path()).unwrap();
    assert_eq!(all_of(&store.chats().await.unwrap()[0]), all_of(&record(1)));
    let page = store.history(chat(1), HistoryQuery::Newest, 9).await.unwrap();
    assert_eq!(messages(page), [message(chat(1), 1, 5)]);
    store.close().await;
}

#[tokio::test]
async fn another_program_s_database_is_refused() {
    let profile = tempfile::tempdir().unwrap();
    let other = Connection::open(database(profile.path())).unwrap();
    other.execute_batch("CREATE TABLE recipe (name TEXT)").unwrap();
    other.close().unwrap();
    assert!(matches!(refused(profile.path()), StoreError::KeysLost { .. }));
}

#[tokio::test]
async fn a_folder_that_can_t_be_made_or_written_to_is_named() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("file"), "").unwrap();
    let inside_a_file = outside.path().join("file").join("profile");
    let error = Store::open(&inside_a_file).unwrap_err();
    assert!(matches!(error, StoreError::NotWritable { .. }), "{error:?}");
    assert_eq!(error.code(), Code::File);
    assert!(
        error.to_string().contains(&inside_a_file.display().to_string()),
        "{error}"
    );
}

#[cfg(unix)]
mod modes {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }

    fn assert_files_are_private(profile: &Path) {
        for entry in fs::read_dir(profile).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }

    #[tokio::test]
    async fn nobody_else_can_read_a_profile() {
        let outside = tempfile::tempdir().unwrap();
        let profile = outside.path().join("deep").join("down");
        let store = Store::open(&profile).unwrap();
        store.save(Write::PutChat(Box::new(record(1)))).await.unwrap();
        assert_eq!(mode(&profile), 0o700);
        assert_eq!(mode(profile.parent().unwrap()), 0o700);
        assert_eq!(
            fs::read_dir(&profile).unwrap().count(),
            4,
            "lock, database, and its two logs"
        );
        assert_files_are_private(&profile);
        store.close().await;

        for entry in fs::read_dir(&profile).unwrap() {
            set_mode(&entry.unwrap().path(), 0o644); // As a copy may have made them.
        }
        let store = Store::open(&profile).unwrap();
        assert_files_are_private(&profile);
        store.close().await;
    }

    #[tokio::test]
    async fn a_folder_that_was_there_becomes_private_only_if_it_is_empty() {
        let outside = tempfile::tempdir().unwrap();
        for (name, with_a_file, expected) in [("empty", false, 0o700), ("used", true, 0o755)] {
            let profile = outside.path().join(name);
            fs::create_dir(&profile).unwrap();
            set_mode(&profile, 0o755);
            if with_a_file {
                fs::write(profile.join("letter.txt"), "Dear").unwrap();
            }
            Store::open(&profile).unwrap().close().await;
            assert_eq!(mode(&profile), expected, "{name}");
            assert_eq!(mode(&database(&profile)), 0o600);
        }
    }

    #[tokio::test]
    async fn a_folder_without_the_right_to_write_is_named() {
        let profile = tempfile::tempdir().unwrap();
        set_mode(profile.path(), 0o500);
        if fs::write(profile.path().join("probe"), "").is_ok() {
            return; // Modes do not hold for root; the test above this module has another way.
        }
        fs::read_dir(profile.path()).unwrap();
        let error = Store::open(profile.path()).unwrap_err();
        assert!(matches!(error, StoreError::NotWritable { .. }), "{error:?}");
        set_mode(profile.path(), 0o700);
    }
}
