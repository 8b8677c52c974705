//! The first start, and what is opened: invites from files, links, drops and the clipboard.

use std::time::Duration;

use egui::{Key, Modifiers};
use throng::model::*;
use throng::runtime::InviteSource;

use crate::stage::*;

#[test]
fn the_first_start_asks_for_a_nick_and_nothing_else() {
    let mut window = Window::open_as(Setting {
        nick: "",
        ..Setting::default()
    });
    assert!(!window.has("Create a chat"));
    window.fill("What should others call you?", "Robin");
    window.click("Start");
    assert!(window.has("Create a chat") && window.has("Import an invite"));
    window.pass(Duration::from_secs(1));
    let kept = window
        .node
        .take_sent()
        .into_iter()
        .find_map(|command| match command {
            Command::SaveSettings { settings } => Some(settings.nick),
            _ => None,
        });
    assert_eq!(kept.as_deref(), Some("Robin"));
}

#[test]
fn enter_starts_as_well() {
    let mut window = Window::open_as(Setting {
        nick: "",
        ..Setting::default()
    });
    window.fill("What should others call you?", "Robin");
    window.press(Modifiers::NONE, Key::Enter);
    assert!(window.has("Create a chat"));
}

#[test]
fn an_invite_that_was_opened_waits_for_the_nick() {
    let mut window = Window::open_as(Setting {
        nick: "",
        ..Setting::default()
    });
    let invite = InviteSource::from_argument("throng:AQAB".as_ref());
    window
        .harness
        .state()
        .borrow_mut()
        .as_mut()
        .expect("the app")
        .open_invite(invite);
    window.fill("What should others call you?", "Robin");
    window.click("Start");
    let text = window.control("Or paste the invite's text or link").value();
    assert_eq!(text.as_deref(), Some("throng:AQAB"));
    for (argument, path) in [
        ("/tmp/friends.throng", "/tmp/friends.throng"),
        ("file:///tmp/our%20friends.throng", "/tmp/our friends.throng"),
        ("file://localhost/tmp/a%zz%C5%BE.throng", "/tmp/a%zzž.throng"),
    ] {
        let file = InviteSource::from_argument(argument.as_ref());
        assert_eq!(file, InviteSource::Path(path.into()), "{argument}");
    }
}

#[test]
fn invites_that_are_opened_are_offered_one_by_one_and_nothing_typed_is_lost() {
    let open = |window: &mut Window, argument: &str| {
        let invite = InviteSource::from_argument(argument.as_ref());
        let mut app = window.harness.state().borrow_mut();
        app.as_mut().expect("the app").open_invite(invite);
    };
    let offered = |window: &Window| window.control("Or paste the invite's text or link").value();
    let mut window = Window::open();
    window.click("Create a chat");
    window.fill("Name", "half a na");
    for link in ["throng:one", "throng:two", "throng:one"] {
        open(&mut window, link);
    }
    window.harness.run();
    assert_eq!(offered(&window).as_deref(), Some("throng:one"));
    window.click("Import");
    window.harness.run();
    assert_eq!(window.title(), "Imported — Throng");
    assert_eq!(offered(&window).as_deref(), Some("throng:two"));
    window.click("Cancel");
    assert_eq!(window.control("Name").value().as_deref(), Some("half a na"));
    window.click("Cancel");
    assert!(!window.has("Name"));

    // An empty dialog takes it.
    window.press(Modifiers::COMMAND, Key::O);
    open(&mut window, "throng:three");
    window.harness.run();
    assert_eq!(offered(&window).as_deref(), Some("throng:three"));
    // What waits for an answer is answered first.
    window.node.hold_answers.set(true);
    window.click("Import");
    open(&mut window, "throng:four");
    window.harness.run();
    assert_eq!(offered(&window).as_deref(), Some("throng:three"));
    window.node.release_answers();
    window.harness.run();
    assert_eq!(offered(&window).as_deref(), Some("throng:four"));
}

#[test]
fn an_invite_is_made_once_for_all_ways() {
    let (mut window, chat) = Window::with_chat("friends");
    window.node.take_sent();
    window.click("Export invite…");
    window.click("5 people");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("friends.throng");
    window.files.will_choose(&path);
    window.click("Save as file…");
    assert!(window.shows("Saved as"));
    window.click("Copy link");
    let text = std::fs::read_to_string(&path).expect("written");
    assert!(text.contains("BEGIN THRONG INVITE"));
    let made: Vec<_> = window
        .node
        .take_sent()
        .into_iter()
        .filter(|sent| {
            matches!(
                sent,
                Command::Chat {
                    command: ChatCommand::ExportInvite { .. },
                    ..
                }
            )
        })
        .collect();
    let wanted = ChatCommand::ExportInvite {
        path: None,
        uses: Some(5),
        expires_in: Some(7 * 86_400),
        rights: Rights::Member,
    }
    .to(chat);
    assert_eq!(made, [wanted]);
    let asked = window.files.requests.borrow();
    assert!(
        matches!(&asked[0], throng::ui::files::FileRequest::ChooseTarget { file_name, .. } if file_name == "friends.throng")
    );
}

#[test]
fn file_dialogs_that_are_missing_or_silent_leave_other_ways() {
    let mut window = Window::open();
    window.click("Import an invite");
    window
        .files
        .answers
        .borrow_mut()
        .push_back(throng::ui::files::FileAnswer::Unavailable);
    window.click("Choose file…");
    assert!(window.shows("no file dialog to show"));
    window.click("Choose file…");
    assert!(!window.shows("has not answered"));
    window.pass(Duration::from_secs(10));
    assert!(window.shows("has not answered"));
    window.fill("Or type the file's path", "/tmp/friends.throng");
    window.click("Import");
    let wanted = Command::ImportInvite {
        path: Some("/tmp/friends.throng".into()),
        text: None,
        nick: "Robin".to_owned(),
    };
    assert!(window.node.was_sent(&wanted));
}

#[test]
fn a_dropped_file_is_offered_for_import() {
    #[derive(Debug)]
    struct Dropped;
    impl egui::DroppedFile for Dropped {
        fn path(&self) -> &std::path::Path {
            std::path::Path::new("/tmp/friends.throng")
        }
        fn bytes(&self) -> Result<Vec<u8>, String> {
            Err("the window reads no files".to_owned())
        }
    }
    let mut window = Window::open();
    window
        .harness
        .input_mut()
        .dropped_files
        .push(std::sync::Arc::new(Dropped));
    window.harness.run();
    assert_eq!(
        window.control("Or type the file's path").value().as_deref(),
        Some("/tmp/friends.throng")
    );
    window.click("Import");
    let path = Some("/tmp/friends.throng".into());
    assert!(window.node.was_sent(&Command::ImportInvite {
        path,
        text: None,
        nick: "Robin".to_owned()
    }));
}

#[test]
fn a_profile_that_cannot_be_opened_says_what_to_do() {
    let node = Played::default();
    let message = "Another Throng has this profile open. Close it first.".to_owned();
    node.report(Event::Error {
        chat: None,
        command: String::new(),
        code: Code::Locked,
        message,
    });
    node.report(Event::Bye);
    let window = Window::before(node, Setting::default());
    assert!(window.has("This profile is in use") && window.shows("Close it first."));
    window.control("Quit");
}

#[test]
fn a_pasted_link_offers_to_import() {
    let (mut window, _) = Window::with_chat("friends");
    let paste = || egui::Event::Paste("throng:abc".to_owned());
    window.harness.event(paste());
    window.harness.run();
    assert_eq!(
        window.control("Message").value().as_deref(),
        Some("throng:abc"),
        "it goes where it was pasted"
    );
    window.click("Import it");
    assert_eq!(
        window
            .control("Or paste the invite's text or link")
            .value()
            .as_deref(),
        Some("throng:abc")
    );
}
