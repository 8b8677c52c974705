//! Taking it along: exports, backups and passphrases, over the real program.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use throng::store::{ChatRecord, Store};

use crate::process::{Program, text};
use crate::scene::{create, folder};

const BACKUP_WORDS: &str = "lamp river oak tin window";

const PROFILE_WORDS: &str = "seven green doors";

#[test]
fn a_backup_is_restored_with_chats_keys_history_and_settings() {
    let folder = folder();
    let (profile, backup) = (folder.path().join("alice"), folder.path().join("throng.backup"));
    let mut alice = Program::start("alice", &profile);
    let chat = create(&mut alice, "Friends", "alice");
    let second = create(&mut alice, "Work", "alice");
    for word in ["one", "two"] {
        alice.done(json!({ "command": "say", "chat": chat, "text": word }), "message");
    }
    alice.tell(&json!({ "command": "save_draft", "chat": second, "text": "half a" }));
    alice.tell(&json!({ "command": "save_settings", "settings": { "nick": "alice", "zoom_percent": 130 } }));
    let (code, sentence) = alice.fails(json!({ "command": "backup", "path": backup, "passphrase": "" }));
    assert_eq!(code, "bad_command", "{sentence}");
    let backed_up = alice.done(
        json!({ "command": "backup", "path": backup, "passphrase": BACKUP_WORDS }),
        "backed_up",
    );
    assert_eq!(backed_up["path"], json!(backup));
    let history = alice.done(
        json!({ "command": "history", "chat": chat, "limit": 9 }),
        "history",
    );
    let facts = alice.done(json!({ "command": "facts", "chat": chat }), "facts");
    let members = alice.done(json!({ "command": "members", "chat": chat }), "members");
    alice.shut_down();
    assert_eq!(files(&profile), ["lock", "throng.db"], "nothing is left over");
    for word in ["Friends", "half a", "SQLite"] {
        assert!(
            !holds(&backup, word.as_bytes()),
            "{word} can be read in the backup"
        );
    }
    let before = secrets(&profile);

    // Into a profile with a chat it does not go.
    let restore =
        |passphrase: &str| json!({ "command": "restore", "path": backup, "passphrase": passphrase });
    let mut bob = Program::start("bob", &folder.path().join("bob"));
    create(&mut bob, "Mine", "alice");
    assert_eq!(bob.fails(restore(BACKUP_WORDS)).0, "already");
    bob.shut_down();

    let moved = folder.path().join("moved");
    let mut alice = Program::start("moved", &moved);
    let (code, sentence) = alice.fails(restore("another"));
    assert_eq!(code, "wrong_passphrase");
    assert!(sentence.contains("another passphrase"), "{sentence}");
    alice.tell(&restore(BACKUP_WORDS));
    let restored = alice.expect("restored", |event| event["event"] == "restored");
    assert_eq!(
        (&restored["chats"], &restored["passphrase"]),
        (&json!(2), &json!(false))
    );
    for (id, name) in [(&chat, "Friends"), (&second, "Work")] {
        let opened = alice.event("chat_opened", id);
        assert_eq!(
            (&opened["name"], &opened["role"]),
            (&json!(name), &json!("founder"))
        );
    }
    let again = alice.done(
        json!({ "command": "history", "chat": chat, "limit": 9 }),
        "history",
    );
    assert_eq!(said(&again), said(&history));
    let facts_again = alice.done(json!({ "command": "facts", "chat": chat }), "facts");
    assert_eq!(facts_again["root"], facts["root"]);
    let members_again = alice.done(json!({ "command": "members", "chat": chat }), "members");
    assert_eq!(
        members_again["members"][0]["member"],
        members["members"][0]["member"]
    );
    let workspace = alice.done(json!({ "command": "load_workspace" }), "workspace");
    assert_eq!(workspace["settings"]["zoom_percent"], 130);
    let draft = workspace["chats"]
        .as_array()
        .expect("chats")
        .iter()
        .find(|open| open["chat"] == json!(second));
    assert_eq!(draft.expect("the second")["draft"], "half a");
    // It goes on as any profile does.
    alice.done(
        json!({ "command": "say", "chat": chat, "text": "three" }),
        "message",
    );
    alice.shut_down();
    assert_eq!(files(&moved), ["lock", "throng.db"]);
    assert_eq!(secrets(&moved), before);
    let mut alice = Program::start("moved", &moved);
    let history = alice.done(
        json!({ "command": "history", "chat": chat, "limit": 9 }),
        "history",
    );
    assert_eq!(history["messages"].as_array().expect("messages").len(), 3);
    alice.shut_down();
}

#[test]
fn a_backup_that_is_no_good_changes_nothing_and_says_why() {
    let folder = folder();
    let backup = folder.path().join("throng.backup");
    let mut alice = Program::start("alice", &folder.path().join("alice"));
    create(&mut alice, "Friends", "alice");
    alice.done(
        json!({ "command": "backup", "path": backup, "passphrase": BACKUP_WORDS }),
        "backed_up",
    );

    alice.shut_down();

    let good = fs::read(&backup).expect("written");
    let changed = |at: usize, to: u8| {
        let mut bytes = good.clone();
        bytes[at] = to;
        bytes
    };
    let profile = folder.path().join("empty");
    let mut empty = Program::start("empty", &profile);
    for (what, bytes, code, words) in [
        (
            "an end cut off",
            good[..good.len() - 1].to_vec(),
            "damaged",
            "The end of the backup",
        ),
        (
            "cut at a piece",
            good[..66 + (64 << 10) + 16].to_vec(),
            "damaged",
            "The end of the backup",
        ),
        (
            "a changed byte",
            changed(9_000, !good[9_000]),
            "damaged",
            "is damaged",
        ),
        (
            "a changed header",
            changed(20, !good[20]),
            "damaged",
            "is damaged",
        ),
        (
            "another version",
            changed(8, 2),
            "newer_version",
            "newer version of Throng",
        ),
        (
            "a picture",
            b"\x89PNG\r\n\x1a\n and so on".to_vec(),
            "damaged",
            "not a backup",
        ),
        ("nothing", Vec::new(), "damaged", "not a backup"),
    ] {
        let bad = folder.path().join("bad.backup");
        fs::write(&bad, bytes).expect("written");
        let restore = json!({ "command": "restore", "path": bad, "passphrase": BACKUP_WORDS });
        let (got, sentence) = empty.fails(restore);
        assert_eq!(got, code, "{what}: {sentence}");
        assert!(sentence.contains(words), "{what}: {sentence}");
        assert!(
            !files(&profile).iter().any(|name| name.ends_with(".tmp")),
            "{what}"
        );
    }
    let none = json!({ "command": "restore", "path": folder.path().join("none"), "passphrase": "x" });
    assert_eq!(empty.fails(none).0, "not_found");
    let backup_at = |path: &Path| json!({ "command": "backup", "path": path, "passphrase": "x" });
    assert_eq!(empty.fails(backup_at(&folder.path().join("none/x"))).0, "file");
    // Nothing has changed: it still takes the good one.
    empty.done(
        json!({ "command": "restore", "path": backup, "passphrase": BACKUP_WORDS }),
        "restored",
    );
    empty.shut_down();
}

#[test]
fn a_backup_with_a_newer_program_s_database_says_so_and_changes_nothing() {
    let folder = folder();
    let (backup, profile) = (folder.path().join("throng.backup"), folder.path().join("alice"));
    let mut alice = Program::start("alice", &profile);
    create(&mut alice, "Friends", "alice");
    // As if a newer program had it open: it goes into the backup as it is.
    let database = rusqlite::Connection::open(profile.join("throng.db")).expect("opened");
    database.pragma_update(None, "user_version", 99).expect("written");
    drop(database);
    let command = json!({ "command": "backup", "path": backup, "passphrase": BACKUP_WORDS });
    alice.done(command, "backed_up");
    alice.shut_down();

    let profile = folder.path().join("empty");
    let mut empty = Program::start("empty", &profile);
    let restore = json!({ "command": "restore", "path": backup, "passphrase": BACKUP_WORDS });
    let (code, sentence) = empty.fails(restore);
    assert_eq!(code, "newer_version", "{sentence}");
    assert!(
        sentence.contains("made by a newer version of Throng. Install that version"),
        "{sentence}"
    );
    assert!(
        !files(&profile).iter().any(|name| name.ends_with(".tmp")),
        "nothing of it is left"
    );
    create(&mut empty, "Others", "alice");
    empty.shut_down();
}

#[test]
fn a_passphrase_seals_the_keys_and_nothing_opens_without_it() {
    let folder = folder();
    let profile = folder.path().join("alice");
    let mut alice = Program::start("alice", &profile);
    let chat = create(&mut alice, "Friends", "alice");
    alice.done(
        json!({ "command": "say", "chat": chat, "text": "one" }),
        "message",
    );
    alice.shut_down();
    let keys = secrets(&profile);
    assert!(keys.len() >= 3, "chat seed, member seed, rendezvous");
    let readable = |when: &str, wanted: bool| {
        for key in &keys {
            let found = files(&profile).iter().any(|name| holds(&profile.join(name), key));
            assert_eq!(found, wanted, "{when}");
        }
    };
    readable("at first", true);

    let log = folder.path().join("log");
    let mut alice = Program::start_logging("alice", &profile, &log);
    let set = |old: &str, new: &str| json!({ "command": "set_passphrase", "old": old, "new": new });
    let (code, _) = alice.fails(set("what is this", PROFILE_WORDS));
    assert_eq!(code, "wrong_passphrase", "there is none yet");
    let changed = alice.done(set("", PROFILE_WORDS), "passphrase_changed");
    assert_eq!(changed["set"], true);
    readable("while it runs", false);
    // A chat that is made under the passphrase is sealed, too.
    let second = create(&mut alice, "Work", "alice");
    alice.shut_down();
    readable("after the end", false);
    assert!(
        !holds(&log, PROFILE_WORDS.as_bytes()),
        "the passphrase is in the log"
    );

    let unlock = |words: &str| json!({ "command": "unlock", "passphrase": words });
    let mut alice = Program::spawn("alice", &profile, "127.0.0.1:0");
    let first = alice.next("the passphrase");
    assert_eq!(
        (&first["event"], &first["wrong"]),
        (&json!("passphrase_needed"), &json!(false))
    );
    let (code, sentence) = alice.fails(json!({ "command": "say", "chat": chat, "text": "two" }));
    assert_eq!(code, "passphrase_needed", "{sentence}");
    for words in ["seven green door", "", "Seven green doors"] {
        let wrong = alice.done(unlock(words), "passphrase_needed");
        assert_eq!(wrong["wrong"], true);
    }
    assert!(!alice.unclaimed().iter().any(|event| event["event"] == "ready"));
    alice.done(unlock(PROFILE_WORDS), "unlocked");
    let ready = alice.next("ready");
    assert_eq!(
        (&ready["event"], &ready["passphrase"]),
        (&json!("ready"), &json!(true))
    );
    alice.event("chat_opened", &chat);
    alice.event("chat_opened", &second);
    assert_eq!(alice.fails(unlock(PROFILE_WORDS)).0, "already");
    alice.done(
        json!({ "command": "say", "chat": chat, "text": "two" }),
        "message",
    );

    // Another one, and none.
    assert_eq!(alice.fails(set("wrong", "x")).0, "wrong_passphrase");
    alice.done(set(PROFILE_WORDS, "another one"), "passphrase_changed");
    alice.shut_down();
    readable("under another one", false);
    let mut alice = Program::spawn("alice", &profile, "127.0.0.1:0");
    assert_eq!(
        alice.done(unlock(PROFILE_WORDS), "passphrase_needed")["wrong"],
        true
    );
    alice.done(unlock("another one"), "unlocked");
    alice.event("chat_opened", &chat);
    let changed = alice.done(set("another one", ""), "passphrase_changed");
    assert_eq!(changed["set"], false);
    alice.shut_down();
    readable("without one", true);
    let mut alice = Program::start("alice", &profile);
    alice.event("chat_opened", &second);
    alice.shut_down();

    // It can be shut down while it is locked.
    let mut alice = Program::start("alice", &profile);
    alice.done(set("", PROFILE_WORDS), "passphrase_changed");
    alice.shut_down();
    let mut alice = Program::spawn("alice", &profile, "127.0.0.1:0");
    alice.next("the passphrase");
    alice.shut_down();
}

#[test]
fn a_backup_of_a_locked_profile_keeps_its_passphrase() {
    let folder = folder();
    let backup = folder.path().join("throng.backup");
    let mut alice = Program::start("alice", &folder.path().join("alice"));
    let chat = create(&mut alice, "Friends", "alice");
    alice.done(
        json!({ "command": "set_passphrase", "new": PROFILE_WORDS }),
        "passphrase_changed",
    );
    alice.done(
        json!({ "command": "backup", "path": backup, "passphrase": BACKUP_WORDS }),
        "backed_up",
    );
    alice.shut_down();
    let mut moved = Program::start("moved", &folder.path().join("moved"));
    moved.tell(&json!({ "command": "restore", "path": backup, "passphrase": BACKUP_WORDS }));
    let restored = moved.expect("restored", |event| event["event"] == "restored");
    assert_eq!(
        (&restored["chats"], &restored["passphrase"]),
        (&json!(1), &json!(true))
    );
    moved.expect("the passphrase", |event| event["event"] == "passphrase_needed");
    moved.done(
        json!({ "command": "unlock", "passphrase": PROFILE_WORDS }),
        "unlocked",
    );
    moved.event("chat_opened", &chat);
    assert!(
        !moved.unclaimed().iter().any(|event| event["event"] == "ready"),
        "told once"
    );
    moved.shut_down();
}

/// Who said what. (What had not gone out when the program stopped may be said again, with another time.)
fn said(history: &Value) -> Vec<(Value, Value)> {
    let messages = history["messages"].as_array().expect("messages");
    let said = messages
        .iter()
        .map(|message| (message["member"].clone(), message["text"].clone()));
    said.collect()
}

/// The names of a profile's files, in order; the socket is none.
fn files(profile: &Path) -> Vec<String> {
    let entries = fs::read_dir(profile).expect("a folder");
    let mut names: Vec<String> = entries
        .filter(|entry| {
            entry
                .as_ref()
                .is_ok_and(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        })
        .map(|entry| {
            entry
                .expect("readable")
                .file_name()
                .into_string()
                .expect("a plain name")
        })
        .collect();
    names.sort();
    names
}

fn holds(file: &Path, what: &[u8]) -> bool {
    let bytes = fs::read(file).expect("readable");
    bytes.windows(what.len()).any(|part| part == what)
}

/// The keys of all chats of a profile that no program has open.
fn secrets(profile: &Path) -> Vec<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let store = Store::open(profile).expect("opened");
        let chats = store.chats().await.expect("read");
        store.close().await;
        let of_chat = |chat: &ChatRecord| {
            let secrets = &chat.secrets;
            let seeds = [&secrets.chat_seed, &secrets.member_seed];
            let mut keys: Vec<Vec<u8>> = seeds.into_iter().flatten().map(|seed| seed.to_vec()).collect();
            keys.extend(secrets.rendezvous.as_ref().map(|bytes| bytes.to_vec()));
            keys.extend(secrets.invite.as_ref().map(|text| text.to_vec()));
            keys
        };
        chats.iter().flat_map(of_chat).collect()
    })
}

#[test]
fn a_damaged_profile_is_rebuilt_and_says_so() {
    let folder = folder();
    let profile = folder.path().join("alice");
    let mut alice = Program::start("alice", &profile);
    let chat = create(&mut alice, "Friends", "alice");
    alice.done(
        json!({ "command": "say", "chat": chat, "text": "kept" }),
        "message",
    );
    alice.shut_down();
    let database = profile.join("throng.db");
    let mut damaged = fs::read(&database).expect("there");
    damaged[..4096].fill(0);
    fs::write(&database, &damaged).expect("written");

    let mut alice = Program::start("alice", &profile);
    let rebuilt = alice.expect("the rebuilt profile", |event| event["event"] == "rebuilt");
    let found = [&rebuilt["chats"], &rebuilt["lost_chats"], &rebuilt["messages"]];
    assert_eq!(found, [1, 0, 1], "{rebuilt}");
    let path = text(&rebuilt, "path");
    assert!(text(&rebuilt, "message").contains(&path), "{rebuilt}");
    assert!(fs::read(path).expect("kept") == damaged);
    let history = alice.done(
        json!({ "command": "history", "chat": chat, "limit": 10 }),
        "history",
    );
    assert_eq!(history["messages"][0]["text"], "kept");
    // It is the same member as before, who can go on.
    alice.done(json!({ "command": "say", "chat": chat, "text": "on" }), "message");
    alice.shut_down();

    // Without keys there is nothing to go on with, and nobody else is made.
    let mut damaged = fs::read(&database).expect("there");
    let pages = damaged.chunks_mut(4096);
    for page in pages.filter(|page| page.windows(7).any(|window| window == b"Friends")) {
        page.fill(0);
    }
    fs::write(&database, &damaged).expect("written");
    let mut alice = Program::spawn("alice", &profile, "127.0.0.1:0");
    let error = alice.expect("an error", |event| event["event"] == "error");
    assert_eq!(error["code"], "damaged", "{error}");
    assert!(text(&error, "message").contains("restore a backup"), "{error}");
    assert!(fs::read(&database).expect("there") == damaged);
}
