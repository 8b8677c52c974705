//! What a file can do to the program, and what the program tells of its secrets: rows 28 and 30 of `docs/security.md`.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant};

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::json;
use throng::crypto::{BoxKeyPair, SharedKeys, SigningKey};
use throng::invite::InviteKey;
use throng::store::{ChatSecrets, Store};

use crate::process::{Program, text};
use crate::scene::{create, folder, invite, say};

/// Fails if bytes that are to stay secret stand in a text, in any of the forms in which programs write bytes.
fn assert_hidden(text: &[u8], what: &str, secret: &[u8]) {
    // The first half will do: what is shown of a secret is not a secret.
    let part = &secret[..secret.len() / 2];
    let numbers = |separator: &str| -> String {
        let numbers: Vec<String> = part.iter().map(u8::to_string).collect();
        numbers.join(separator)
    };
    let forms = [
        part.to_vec(),
        HEXLOWER.encode(part).into(),
        HEXUPPER.encode(part).into(),
        // Whole groups of 3 bytes, wherever the text begins with them.
        BASE64.encode(&part[..part.len() / 3 * 3]).into(),
        BASE64URL_NOPAD.encode(&part[..part.len() / 3 * 3]).into(),
        numbers(", ").into(),
        numbers(",").into(),
    ];
    for form in forms {
        let found = text.windows(form.len()).any(|window| window == form);
        assert!(!found, "{what} is shown as {}", String::from_utf8_lossy(&form));
    }
}

async fn secrets_of(profile: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let store = Store::open(profile).expect("the profile");
    let mut found = Vec::new();
    for record in store.chats().await.expect("its chats") {
        let ChatSecrets {
            chat_seed,
            member_seed,
            invite,
            rendezvous,
        } = record.secrets;
        found.extend(chat_seed.map(|seed| ("the chat's seed", seed.to_vec())));
        found.extend(member_seed.map(|seed| ("the member's seed", seed.to_vec())));
        found.extend(invite.map(|text| ("the invite", text.to_vec())));
        found.extend(rendezvous.map(|bytes| ("the rendezvous", bytes.to_vec())));
    }
    store.close().await;
    found
}

// Row 30.

#[test]
fn no_log_names_a_key_or_what_is_said() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let words = "nobody else is to know this";
    let mut ann = Program::start_logging("ann", &path("ann"), &path("ann.log"));
    let mut bob = Program::start_logging("bob", &path("bob"), &path("bob.log"));
    let chat = create(&mut ann, "Secret", "ann");
    let file = path("friends.throng");
    let exported = invite(&mut ann, &chat, &json!({ "path": file }));
    let link = text(&exported, "text");
    let command = json!({ "command": "import_invite", "path": file, "nick": "bob" });
    bob.done(command, "chat_opened");
    bob.event("joined", &chat);
    say(&mut ann, &chat, words);
    bob.hears(words);
    // What fails is told as well, and the invite stands in the command.
    bob.fails(json!({ "command": "import_invite", "text": format!("{link}x"), "nick": "bob" }));
    bob.line(format!("{{\"command\": \"import_invite\", \"text\": \"{link}\", ").as_bytes());
    bob.expect("an error", |event| event["event"] == "error");
    ann.shut_down();
    bob.shut_down();

    let invite = InviteKey::parse(&link).expect("an invite");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut secrets = vec![
        ("the invite's seed", invite.secret.seed().to_vec()),
        ("the invite's text", link.into_bytes()),
        ("what was said", words.as_bytes().to_vec()),
    ];
    for name in ["ann", "bob"] {
        secrets.extend(runtime.block_on(secrets_of(&path(name))));
    }
    assert!(secrets.len() >= 8, "the founder's and the guest's");
    for log in ["ann.log", "bob.log"] {
        let logged = fs::read(path(log)).expect("a log");
        assert!(!logged.is_empty(), "{log}: something is logged");
        for (what, secret) in &secrets {
            assert_hidden(&logged, what, secret);
        }
    }
}

#[test]
fn what_holds_a_secret_shows_none_when_it_is_printed() {
    let folder = folder();
    let mut ann = Program::start("ann", &folder.path().join("ann"));
    let chat = create(&mut ann, "Secret", "ann");
    let link = text(&invite(&mut ann, &chat, &json!({})), "text");
    ann.shut_down();

    let invite = InviteKey::parse(&link).expect("an invite");
    let shown = format!("{invite:?} {:?}", invite.secret);
    assert_hidden(
        shown.as_bytes(),
        "the invite's seed",
        invite.secret.seed().as_slice(),
    );
    assert_hidden(shown.as_bytes(), "the rendezvous", &invite.rendezvous);

    let seed = [0x5A; 32];
    let key = SigningKey::from_seed(seed);
    assert_hidden(format!("{key:?}").as_bytes(), "a seed", &seed);
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let pair = BoxKeyPair::generate(&mut rng);
    let shown = format!("{pair:?}");
    assert!(shown.len() < 120 && !shown.contains("secret: ["), "{shown}");
    let shown = format!("{:?}", SharedKeys::new(pair, 4));
    assert!(shown.len() < 200, "{shown}");

    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let store = Store::open(&folder.path().join("ann")).expect("the profile");
    let records = runtime.block_on(store.chats()).expect("its chats");
    let shown = format!("{records:?}");
    for (what, secret) in [
        ("the chat's seed", records[0].secrets.chat_seed.as_ref()),
        ("the member's seed", records[0].secrets.member_seed.as_ref()),
    ] {
        assert_hidden(
            shown.as_bytes(),
            what,
            secret.expect("the founder has it").as_slice(),
        );
    }
    runtime.block_on(store.close());
}

#[cfg(unix)]
#[test]
fn what_a_running_program_keeps_and_writes_is_its_users_alone() {
    use std::os::unix::fs::PermissionsExt;

    let folder = folder();
    let profile = folder.path().join("ann");
    let file = folder.path().join("friends.throng");
    let mut ann = Program::start("ann", &profile);
    let chat = create(&mut ann, "Mine", "ann");
    invite(&mut ann, &chat, &json!({ "path": file }));
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&profile), 0o700);
    assert_eq!(mode(&file), 0o600, "an invite lets in whoever can read it");
    let entries: Vec<_> = fs::read_dir(&profile).expect("a folder").collect();
    assert!(entries.len() >= 2);
    for entry in entries {
        let path = entry.expect("an entry").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    ann.shut_down();
}

// Row 28.

#[test]
fn a_file_that_is_no_invite_is_refused_at_once_and_in_a_sentence() {
    let folder = folder();
    let mut ann = Program::start("ann", &folder.path().join("ann"));
    let mut bob = Program::start("bob", &folder.path().join("bob"));
    let chat = create(&mut ann, "Mine", "ann");
    let good = folder.path().join("good.throng");
    invite(&mut ann, &chat, &json!({ "path": good }));
    let armoured = fs::read_to_string(&good).expect("an invite");

    let huge = folder.path().join("huge.throng");
    let file = File::create(&huge).expect("a file");
    file.set_len(1 << 30).expect("room for holes");
    let path = |name: &str, contents: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, contents).expect("a file");
        path
    };
    let cut = &armoured.as_bytes()[..armoured.len() / 2];
    let (marker, _) = armoured.split_once("-----BEGIN").expect("armour");
    let files = [
        (huge, "damaged"),
        (path("nulls.throng", &[0; 4096]), "damaged"),
        (path("empty.throng", b""), "damaged"),
        (path("cut.throng", cut), "damaged"),
        (path("words.throng", marker.as_bytes()), "damaged"),
        (path("binary.throng", &[0xFF; 500]), "damaged"),
        (path("newer.throng", newer(&armoured).as_bytes()), "newer_version"),
        (folder.path().join("missing.throng"), "not_found"),
        (folder.path().to_owned(), "file"),
    ];
    let begun = Instant::now();
    for (path, code) in files {
        let command = json!({ "command": "import_invite", "path": path, "nick": "bob" });
        let (answered, sentence) = bob.fails(command);
        assert_eq!(answered, code, "{}: {sentence}", path.display());
        assert!(sentence.len() > 30, "{sentence}");
    }
    assert!(begun.elapsed() < Duration::from_secs(30), "at once");
    if let Some(most) = most_memory_mb(&bob) {
        assert!(most < 500, "nothing is read to its end: {most} MB");
    }
    let command = json!({ "command": "import_invite", "path": good, "nick": "bob" });
    bob.done(command, "chat_opened");
    ann.shut_down();
    bob.shut_down();
}

/// The most memory that a program has had so far, where the system tells.
fn most_memory_mb(program: &Program) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", program.pid())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024)
}

/// The same invite as a program of the next version would write it.
fn newer(armoured: &str) -> String {
    let lines = armoured
        .lines()
        .skip_while(|line| !line.starts_with("-----BEGIN"));
    let base64: String = lines.filter(|line| !line.starts_with("-----")).collect();
    let mut bytes = BASE64.decode(base64.as_bytes()).expect("base64");
    bytes[0] += 1;
    let body = bytes.len() - 4;
    let checksum = throng::crypto::hash(&[&bytes[..body]]);
    bytes[body..].copy_from_slice(&checksum[..4]);
    format!("throng:{}", BASE64URL_NOPAD.encode(&bytes))
}
