//! Whole programs against each other: windows before real nodes with real sockets and profiles, on loopback.

use std::path::Path;
use std::time::{Duration, Instant};

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use throng::id::ChatId;
use throng::runtime::{self, Options};
use throng::ui::clock::SystemClock;

use crate::stage::{Setting, Slot, StageFiles, control, fill, harness};

/// How long anything may take that has to go over the network. It takes some ms; the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// A window before a node of its own.
struct Program {
    harness: Harness<'static, Slot>,
    files: StageFiles,
}

impl Program {
    fn start(profile: &Path) -> Self {
        let options = Options {
            profile: Some(profile.to_owned()),
            listen: Some("127.0.0.1:0".parse().expect("an address")),
            discovery: false,
        };
        let node = runtime::start(options, || {}).expect("started");
        let files = StageFiles::default();
        let harness = harness(Box::new(node), &files, SystemClock::start(), &Setting::default());
        Self { harness, files }
    }

    /// With a nick given at the first start.
    fn first_start(profile: &Path, nick: &str) -> Self {
        let mut program = Self::start(profile);
        program.await_control("What should others call you?");
        program.fill("What should others call you?", nick);
        program.click("Start");
        program
    }

    /// Paints frames until something holds.
    fn until(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            assert!(
                began.elapsed() < PATIENCE,
                "not within {PATIENCE:?}: {what}\n{:?}",
                self.harness.root()
            );
            std::thread::sleep(Duration::from_millis(5));
            self.harness.step();
        }
        self.harness.run_ok();
    }

    fn await_control(&mut self, name: &str) {
        self.until(name, |program| program.has(name));
    }

    fn await_words(&mut self, words: &str) {
        self.until(words, |program| program.shows(words));
    }

    fn has(&self, name: &str) -> bool {
        self.harness.query_all_by_label(name).next().is_some()
    }

    fn shows(&self, words: &str) -> bool {
        self.harness.query_all_by_label_contains(words).next().is_some()
    }

    fn click(&mut self, name: &str) {
        control(&self.harness, name).click();
        self.harness.run_ok();
    }

    fn fill(&mut self, name: &str, text: &str) {
        fill(&mut self.harness, name, text);
    }

    fn say(&mut self, text: &str) {
        self.fill("Message", text);
        self.harness.key_press(Key::Enter);
        self.harness.run_ok();
    }

    fn create_chat(&mut self, name: &str) {
        self.harness.key_press_modifiers(Modifiers::COMMAND, Key::N);
        self.harness.run_ok();
        self.fill("Name", name);
        self.click("Create");
        self.until(name, |program| program.title() == format!("{name} — Throng"));
    }

    fn title(&self) -> String {
        self.with_app(|app| app.title().to_owned())
    }

    fn with_app<R>(&self, look: impl FnOnce(&throng::ui::app::App) -> R) -> R {
        look(self.harness.state().borrow().as_ref().expect("open"))
    }

    fn front(&self) -> ChatId {
        self.with_app(|app| app.selected().expect("a chat in front"))
    }

    /// Our session's key in the chat in front.
    fn session(&self) -> throng::id::ClientId {
        self.with_app(|app| app.chats().get(self.front_of(app)).expect("open").client_id)
    }

    fn front_of(&self, app: &throng::ui::app::App) -> ChatId {
        app.selected().expect("a chat in front")
    }

    /// Closes the window and waits for its node to end.
    fn close(self) {
        let mut app = self.harness.state().borrow_mut().take().expect("open");
        app.close();
    }
}

/// Everybody paints frames until all see it: nobody's node waits for the others' windows, but the test does.
fn everybody_sees(programs: &mut [&mut Program], words: &str) {
    for program in programs {
        program.await_words(words);
    }
}

#[test]
fn three_windows_talk_and_find_each_other_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let invite = folder.path().join("friends.throng");
    let profile = |name: &str| folder.path().join(name);

    let mut ann = Program::first_start(&profile("ann"), "Ann");
    ann.create_chat("friends");
    ann.click("Export invite…");
    ann.click("5 people");
    ann.files.will_choose(&invite);
    ann.click("Save as file…");
    ann.await_words("Saved as");
    ann.click("Done");

    // One by the file dialog, one by the pasted text.
    let mut ben = Program::first_start(&profile("ben"), "Ben");
    ben.click("Import an invite");
    ben.files.will_choose(&invite);
    ben.click("Choose file…");
    ben.await_words("Linked to");
    let mut cleo = Program::first_start(&profile("cleo"), "Cleo");
    cleo.click("Import an invite");
    let text = std::fs::read_to_string(&invite).expect("exported");
    cleo.fill("Or paste the invite's text or link", &text);
    cleo.click("Import");
    cleo.await_words("Linked to");
    everybody_sees(&mut [&mut ann, &mut ben], "Cleo, online");

    ann.say("Hello, both of you");
    ben.await_words("Hello, both of you");
    ben.say("/me waves");
    cleo.await_words("waves");
    cleo.say("Good morning");
    everybody_sees(&mut [&mut ann, &mut ben, &mut cleo], "Good morning");

    ben.say("/nick Benjamin");
    everybody_sees(&mut [&mut ann, &mut cleo], "Ben is Benjamin now");
    ann.say("/topic The boat");
    everybody_sees(&mut [&mut ben, &mut cleo], "Topic: The boat");
    cleo.say("/busy");
    everybody_sees(&mut [&mut ann, &mut ben], "Cleo, busy");

    // Two more chats; the order of the tabs, the one in front and a draft are to survive.
    let friends = ann.front();
    ann.create_chat("second");
    ann.create_chat("third");
    ann.harness
        .key_press_modifiers(Modifiers::ALT.plus(Modifiers::SHIFT), Key::ArrowLeft);
    ann.harness.run_ok();
    ann.harness.key_press_modifiers(Modifiers::ALT, Key::Num1);
    ann.harness.run_ok();
    assert_eq!(ann.front(), friends);
    ann.fill("Message", "unfinished");
    let session = ann.session();
    ann.close();
    ben.await_words("Ann left");
    ben.say("Ann will be back");

    let mut ann = Program::start(&profile("ann"));
    ann.await_words("Linked to");
    // The store and the links answer in any order.
    ann.until("the draft", |program| {
        let draft = control(&program.harness, "Message").value();
        program.title() == "friends — Throng" && draft.as_deref() == Some("unfinished")
    });
    ann.await_words("Hello, both of you");
    assert_ne!(ann.session(), session, "a session is never stored");
    assert!(ann.shows("Topic: The boat"));
    ann.harness.key_press_modifiers(Modifiers::ALT, Key::Num2);
    ann.harness.run_ok();
    assert_eq!(ann.title(), "third — Throng");
    ann.harness.key_press_modifiers(Modifiers::ALT, Key::Num1);
    ann.harness.run_ok();
    ann.say("Here I am");
    everybody_sees(&mut [&mut ben, &mut cleo], "Here I am");
    for program in [ann, ben, cleo] {
        program.close();
    }
}

#[test]
fn an_invite_that_is_used_up_is_refused_in_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let invite = folder.path().join("once.throng");
    let mut ann = Program::first_start(&folder.path().join("ann"), "Ann");
    ann.create_chat("friends");
    ann.click("Export invite…");
    ann.fill("Or type where to save it", &invite.display().to_string());
    ann.click("Save");
    ann.await_words("Saved as");
    ann.click("Done");

    let import = |name: &str| {
        let mut program = Program::first_start(&folder.path().join(name), name);
        program.click("Import an invite");
        program.fill("Or type the file's path", &invite.display().to_string());
        program.click("Import");
        program
    };
    let mut ben = import("Ben");
    ben.await_words("Linked to");
    let mut cleo = import("Cleo");
    cleo.await_words("Not let in");
    assert!(cleo.has("Leave the chat"));
    let mut damaged = Program::first_start(&folder.path().join("dario"), "Dario");
    damaged.click("Import an invite");
    let text = std::fs::read_to_string(&invite).expect("exported");
    damaged.fill("Or paste the invite's text or link", &text[..text.len() / 2]);
    damaged.click("Import");
    damaged.until("a sentence", |program| {
        program.shows("invite") && program.shows(".")
    });
    assert!(
        damaged.has("Or paste the invite's text or link"),
        "the dialog stays open"
    );
}

#[test]
fn two_windows_talk_in_a_classic_chat() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = |name: &str| {
        let mut program = Program::first_start(&folder.path().join(name), name);
        program.harness.key_press_modifiers(Modifiers::COMMAND, Key::N);
        program.harness.run_ok();
        program.fill("Name", "ring");
        program.click("Classic");
        program.click("Create");
        program.await_control("Connect…");
        program
    };
    let (mut ann, mut ben) = (start("Ann"), start("Ben"));
    let place = |program: &Program| {
        program.with_app(|app| {
            let chat = app.chats().get(app.selected().expect("in front")).expect("open");
            (chat.client_id.to_string(), chat.listen.to_string())
        })
    };
    let (ann_at, ben_at) = (place(&ann), place(&ben));
    for (program, (client_id, address)) in [(&mut ann, &ben_at), (&mut ben, &ann_at)] {
        program.click("Connect…");
        program.fill("The peer's client_id", client_id);
        program.fill("The peer's address", address);
        program.click("Connect");
        program.click("Done");
    }
    ann.await_words("Linked to 1 member");
    ben.await_words("Linked to 1 member");
    ann.say("Hello from Ann");
    ben.await_words("Hello from Ann");
    ben.say("Hello from Ben");
    ann.await_words("Hello from Ben");
}

#[test]
fn a_second_window_on_one_profile_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let ann = Program::first_start(folder.path(), "Ann");
    let mut second = Program::start(folder.path());
    second.await_control("This profile is in use");
    assert!(second.has("Quit"));
    second.close();
    ann.close();
}

#[test]
fn who_is_banned_is_told_in_their_window_and_can_come_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let invite = folder.path().join("friends.throng");
    let mut ann = Program::first_start(&folder.path().join("ann"), "Ann");
    ann.create_chat("friends");
    ann.click("Export invite…");
    ann.files.will_choose(&invite);
    ann.click("Save as file…");
    ann.await_words("Saved as");
    ann.click("Close");

    let mut ben = Program::first_start(&folder.path().join("ben"), "Ben");
    ben.harness.key_press_modifiers(Modifiers::COMMAND, Key::O);
    ben.harness.run_ok();
    let text = std::fs::read_to_string(&invite).expect("written");
    ben.fill("Or paste the invite's text or link", &text);
    ben.click("Import");
    ben.until("in the chat", |ben| ben.has("Ann, online, founder"));
    ann.await_control("Ben, online");
    ben.say("Boats! Cheap boats!");
    everybody_sees(&mut [&mut ann, &mut ben], "Cheap boats!");

    // A role first, which both see at once.
    ann.click("Ben, online");
    ann.click("Make observer");
    ann.await_control("Is observer");
    ben.await_words("You are an observer");
    ann.click("Make member");
    ann.await_control("Is member");
    ben.until("may write", |ben| !ben.shows("You are an observer"));

    ann.click("Ban…");
    ann.fill("Reason", "spam");
    ann.click("Hide what they said");
    ann.click("Ban");
    ann.await_words("You banned Ben: spam");
    assert!(!ann.shows("Cheap boats!"));
    ben.await_words("Ann banned you from this chat: “spam”.");

    // It holds over a restart, and is told again.
    ben.close();
    let mut ben = Program::start(&folder.path().join("ben"));
    ben.await_words("banned from this chat by Ann");
    assert!(ben.shows("spam"));

    ann.say("/unban Ben");
    ann.await_words("You lifted the ban on Ben");
    ann.await_words("Cheap boats!");
    ben.click("Try again");
    ann.await_control("Ben, online");
    ben.until("may write again", |ben| !ben.shows("banned from this chat"));
    ben.say("Sorry.");
    everybody_sees(&mut [&mut ann, &mut ben], "Sorry.");

    ann.click("Menu");
    ann.click("Moderation log…");
    for line in [
        "You made Ben an observer",
        "You banned Ben: spam (no longer holds)",
        "You lifted the ban on Ben",
    ] {
        ann.await_control(line);
    }
    ann.close();
    ben.close();
}

#[test]
fn a_latecomer_reads_searches_and_scrolls_through_what_was_said_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let invite = folder.path().join("friends.throng");
    let mut ann = Program::first_start(&folder.path().join("ann"), "Ann");
    ann.create_chat("friends");
    ann.click("Export invite…");
    ann.click("5 people");
    ann.files.will_choose(&invite);
    ann.click("Save as file…");
    ann.await_words("Saved as");
    ann.click("Done");
    let text = std::fs::read_to_string(&invite).expect("exported");
    let join = |program: &mut Program| {
        program.click("Import an invite");
        program.fill("Or paste the invite's text or link", &text);
        program.click("Import");
        program.await_words("Linked to");
    };
    let mut ben = Program::first_start(&folder.path().join("ben"), "Ben");
    join(&mut ben);

    // More than a page, no faster than one may; the first of them far out of sight.
    ann.say("The thermos is in the shed");
    for number in 1..=120 {
        ann.say(&format!("Sandwich {number}"));
        if number % 10 == 0 {
            ben.await_words(&format!("Sandwich {number}"));
        }
    }
    ann.until("that Ben has the last", |ann| {
        let mut rows = ann.harness.query_all_by_label_contains("Sandwich 120");
        rows.any(|row| row.accesskit_node().description().as_deref() == Some("Reached 1 of 1"))
    });
    let mut cleo = Program::first_start(&folder.path().join("cleo"), "Cleo");
    join(&mut cleo);
    cleo.await_words("Sandwich 120");
    assert!(!cleo.shows("thermos"));
    cleo.until("links to both", |cleo| cleo.shows("Linked to 2 members"));
    // Who said all that is gone; what is not stored yet is fetched once one scrolls up to it.
    ann.close();
    cleo.until("the first message", |cleo| {
        cleo.harness.key_press(Key::PageUp);
        cleo.shows("The thermos is in the shed")
    });

    cleo.harness.key_press_modifiers(Modifiers::COMMAND, Key::F);
    cleo.harness.run_ok();
    cleo.fill("Search for", "sandwich from:ann");
    cleo.await_words("hits");
    assert!(cleo.shows("Sandwich 120"));
    cleo.fill("Search for", "thermos");
    cleo.await_words("1 hit");
    cleo.click("Close the search");
    ben.close();
    cleo.close();

    // All of it is there the next time, of Ann and Ben nothing is running.
    let mut cleo = Program::start(&folder.path().join("cleo"));
    cleo.await_words("Sandwich 120");
    cleo.harness.key_press_modifiers(Modifiers::COMMAND, Key::F);
    cleo.harness.run_ok();
    cleo.fill("Search for", "thermos");
    cleo.await_words("1 hit");
    cleo.close();
}
