//! Nothing is told before it is kept: a program that is killed at any moment has all that it told, once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, UNIX_EPOCH};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rusqlite::Connection;
use serde_json::{Value, json};
use throng::store::{HistoryQuery, MAX_PAGE_LEN, SOCKET, Store};

use crate::process::{Program, text};
use crate::scene::{create, folder, import_text, invite, members_until, online, stored};

/// How often the program is killed, unless `THRONG_KILLS` says otherwise.
const KILLS: u32 = 15;

/// The longest that it lives, in ms: it starts, comes back to its chat and talks for a while.
const MAX_LIFE_MS: u32 = 1200;

/// The longest pause between two messages of one, in ms.
const MAX_PAUSE_MS: u32 = 30;

/// How long the two may take to fetch what the other has: each asks the other within some 15 s, again after a minute.
const COMES_TOGETHER_WITHIN: Duration = Duration::from_secs(150);

/// Two in a chat, linked.
fn two(folder: &Path) -> (String, Program, Program) {
    let mut ann = Program::start("ann", &folder.join("ann"));
    let mut bob = Program::start("bob", &folder.join("bob"));
    let chat = create(&mut ann, "Friends", "ann");
    let link = text(&invite(&mut ann, &chat, &json!({})), "link");
    import_text(&mut bob, &link, "bob");
    bob.event("joined", &chat);
    // Once he is no newcomer any more he hands on all that he hears from now on.
    bob.expect("the end of his first round", |event| {
        event["event"] == "history_progress" && event["done"] == true
    });
    for program in [&mut ann, &mut bob] {
        members_until(program, &chat, |list| online(list).len() == 2);
    }
    (chat, ann, bob)
}

/// Numbers that repeat with their seed, which is printed.
struct Chance(ChaCha20Rng);

impl Chance {
    fn new() -> Self {
        let seed = std::env::var("THRONG_SEED").ok();
        let seed = seed.map_or_else(
            || UNIX_EPOCH.elapsed().expect("after 1970").subsec_nanos().into(),
            |seed| seed.parse().expect("a number"),
        );
        eprintln!("THRONG_SEED={seed} repeats this, as far as two programs can");
        Self(ChaCha20Rng::seed_from_u64(seed))
    }

    fn below(&mut self, end: u32) -> u32 {
        self.0.next_u32() % end
    }

    fn ms(&mut self, end: u32) -> Duration {
        Duration::from_millis(self.below(end).into())
    }
}

/// What one program was told in all its lives.
#[derive(Default)]
struct Told {
    /// Each message, by id.
    messages: BTreeMap<String, Value>,
    /// Own messages that were told to have gone out.
    sent: BTreeSet<String>,
    /// Whether this life has come as far as the chat.
    is_open: bool,
}

impl Told {
    fn take(&mut self, event: &Value) {
        match event["event"].as_str() {
            Some("message") => {
                let earlier = self.messages.insert(text(event, "id"), event.clone());
                assert_eq!(earlier, None, "told twice: {event}");
            }
            Some("delivery") if event["state"] == "sent" => {
                self.sent.insert(text(event, "id"));
            }
            Some("chat_opened") => self.is_open = true,
            Some("error") => assert_eq!(event["code"], "busy", "{event}"),
            Some("lagged") => panic!("the test reads too slowly"),
            _ => {}
        }
    }

    /// All of it is there as it was told, once, with an end of its own for each text.
    fn is_all_in(&self, stored: &BTreeMap<String, Value>) {
        for (id, told) in &self.messages {
            let kept = stored.get(id).unwrap_or_else(|| panic!("told and lost: {told}"));
            for field in ["member", "number", "at", "text", "own"] {
                assert_eq!(kept[field], told[field], "{field} of {told}");
            }
        }
        // Parts of long messages have ids of their own, and are told to be sent by them after a restart.
        for id in self.sent.iter().filter(|id| self.messages.contains_key(*id)) {
            let kept = stored
                .get(id)
                .unwrap_or_else(|| panic!("told to be sent and lost: {id}"));
            assert_eq!(kept["delivery"], "sent", "{kept}");
        }
        let texts: BTreeSet<&str> = stored.values().filter_map(|kept| kept["text"].as_str()).collect();
        assert_eq!(texts.len(), stored.len(), "something is there under two ids");
    }
}

/// What lies on the disk after a kill, read from a copy: the program itself is to find it as it was left.
fn on_disk(profile: &Path) -> BTreeMap<String, Value> {
    let copy = folder();
    for entry in fs::read_dir(profile).expect("a profile") {
        let path = entry.expect("a file").path();
        let name = path.file_name().expect("a name");
        if name == SOCKET {
            // A kill leaves it behind; it has nothing in it.
            continue;
        }
        fs::copy(&path, copy.path().join(name)).expect("copied");
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let store = Store::open(copy.path()).expect("a kill leaves it sound");
        let mut all = BTreeMap::new();
        for chat in store.chats().await.expect("read") {
            let mut query = HistoryQuery::Newest;
            loop {
                let page = store.history(chat.chat, query, MAX_PAGE_LEN).await.expect("read");
                let Some(oldest) = page.messages.first() else {
                    break;
                };
                query = HistoryQuery::Before(oldest.message.id);
                for kept in page.messages {
                    let message = serde_json::to_value(&kept.message).expect("JSON");
                    all.insert(text(&message, "id"), message);
                }
            }
        }
        store.close().await;
        all
    })
}

/// Has a program say something, now and then something long.
fn say(program: &mut Program, chat: &str, words: &str, chance: &mut Chance) {
    let more = if chance.below(10) == 0 { 2000 } else { 0 };
    let words = format!("{words} {}", "x".repeat(more));
    program.tell(&json!({ "command": "say", "chat": chat, "text": words }));
}

#[test]
fn killed_at_any_moment_it_has_all_that_it_told_once() {
    let kills = std::env::var("THRONG_KILLS").ok();
    let kills = kills.map_or(KILLS, |kills| kills.parse().expect("a number"));
    let mut chance = Chance::new();
    let folder = folder();
    let profile = folder.path().join("ann");
    let (chat, ann, mut bob) = two(folder.path());
    ann.kill();

    let (mut of_ann, mut of_bob) = (Told::default(), Told::default());
    let (mut said, mut before_open, mut not_told) = (0, 0, 0);
    let began = Instant::now();
    for round in 0..kills {
        let mut ann = Program::spawn("ann", &profile, "127.0.0.1:0");
        let dies_at = Instant::now() + chance.ms(MAX_LIFE_MS);
        of_ann.is_open = false;
        let (mut ann_speaks, mut bob_speaks) = (Instant::now(), Instant::now());
        while Instant::now() < dies_at {
            let next = dies_at.min(ann_speaks).min(bob_speaks);
            while let Some(event) = ann.next_until(next) {
                of_ann.take(&event);
            }
            while let Some(event) = bob.next_until(Instant::now()) {
                of_bob.take(&event);
            }
            said += 1;
            if ann_speaks <= Instant::now() {
                ann_speaks += chance.ms(MAX_PAUSE_MS);
                if of_ann.is_open {
                    let words = format!("ann's {said} in round {round}");
                    say(&mut ann, &chat, &words, &mut chance);
                }
            }
            if bob_speaks <= Instant::now() {
                bob_speaks += chance.ms(MAX_PAUSE_MS * 4);
                say(
                    &mut bob,
                    &chat,
                    &format!("bob's {said} in round {round}"),
                    &mut chance,
                );
            }
        }
        for event in ann.kill() {
            of_ann.take(&event);
        }
        before_open += u32::from(!of_ann.is_open);
        let kept = on_disk(&profile);
        of_ann.is_all_in(&kept);
        not_told = kept.len() - of_ann.messages.len();
    }
    let took = began.elapsed();

    let mut ann = Program::start("ann", &profile);
    let until = Instant::now() + COMES_TOGETHER_WITHIN;
    let (at_ann, at_bob) = loop {
        while let Some(event) = ann.next_until(Instant::now() + Duration::from_secs(1)) {
            of_ann.take(&event);
        }
        while let Some(event) = bob.next_until(Instant::now()) {
            of_bob.take(&event);
        }
        let (at_ann, at_bob) = (stored(&mut ann, &chat), stored(&mut bob, &chat));
        if at_ann.keys().eq(at_bob.keys()) {
            break (at_ann, at_bob);
        }
        let (ann_has, bob_has) = (at_ann.len(), at_bob.len());
        assert!(
            Instant::now() < until,
            "they stay apart: ann has {ann_has}, bob has {bob_has}"
        );
    };
    of_ann.is_all_in(&at_ann);
    of_bob.is_all_in(&at_bob);
    eprintln!(
        "{kills} kills in {took:.1?}, {before_open} of them before the chat was open: {} messages told at ann, {} told \
         to be sent, {not_told} kept and never told; {} at both in the end",
        of_ann.messages.len(),
        of_ann.sent.len(),
        at_ann.len()
    );
}

#[test]
fn what_the_disk_has_not_taken_is_not_told() {
    let folder = folder();
    let (chat, mut ann, mut bob) = two(folder.path());
    let is_said = |event: &Value| event["event"] == "message" || event["event"] == "delivery";
    let database = Connection::open(folder.path().join("ann").join("throng.db")).expect("open");
    // As long as this has it, nobody else can write.
    database.execute_batch("BEGIN IMMEDIATE").expect("locked");
    ann.tell(&json!({ "command": "say", "chat": chat, "text": "from ann" }));
    bob.hears("from ann");
    bob.tell(&json!({ "command": "say", "chat": chat, "text": "from bob" }));
    // It has taken what bob heard and what it heard from him.
    bob.expect("that ann has it", |event| {
        event["event"] == "delivery" && event["reached"] == 1
    });
    assert!(!ann.unclaimed().iter().any(is_said), "told and not kept");
    database.execute_batch("COMMIT").expect("let go");
    ann.hears("from ann");
    ann.hears("from bob");
}
