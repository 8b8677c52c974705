//! What was said, in the window: searched, gone to, kept and cleared, before a played node that has it stored.

use std::time::Duration;

use egui::{Key, Modifiers};
use egui_kittest::SnapshotResults;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use throng::id::ChatId;
use throng::model::*;

use crate::stage::*;

const CTRL_SHIFT: Modifiers = Modifiers {
    shift: true,
    ..Modifiers::COMMAND
};

/// So long after the last key it is searched.
const PAUSE: Duration = Duration::from_millis(200);

/// What is said in turn.
const WORDS: [&str; 5] = [
    "When does the tide turn on Saturday?",
    "The boat leaves at seven, from the green jetty.",
    "I bring bread and the big thermos, and whoever wants to come along meets us at the bus stop by the church at half \
     past six; the boat won't wait.",
    "Rain until noon.",
    "Somebody has to bail out the dinghy first.",
];

/// A window with a chat of so many stored messages, one a minute, and another chat of a few.
fn with_archive(setting: Setting, count: u32) -> (Window, ChatId) {
    let node = Played::default();
    *node.settings.borrow_mut() = Settings {
        nick: setting.nick.to_owned(),
        theme: setting.theme,
        ..Settings::default()
    };
    let said = |chat: ChatId, number: u32, count: u32| {
        let (by, nick) = [(1, "Ann"), (2, "Ben"), (3, "Cleo")][number as usize / 2 % 3];
        let text = format!("{} ({number})", WORDS[number as usize % WORDS.len()]);
        let seconds = -60 * i64::from(count - number);
        message(chat, member(by), nick, number, seconds, &text)
    };
    let mut stored: Vec<Message> = (0..count).map(|number| said(chat_id(1), number, count)).collect();
    stored.extend((0..8).map(|number| said(chat_id(2), number, 8)));
    stored.sort_by_key(|message| (message.at, message.id));
    *node.archive.borrow_mut() = stored;
    let mut window = Window::before(node, setting);
    window.add_chat(2, "Choir");
    let chat = window.add_chat(1, "The boat");
    window.go_to("The boat");
    (window, chat)
}

fn typed_search(window: &mut Window, text: &str) {
    window.fill("Search for", text);
    pause(window);
}

/// The fingers rest; then the answer is there.
fn pause(window: &mut Window) {
    window.pass(PAUSE);
    window.harness.run();
}

fn searches(window: &Window) -> Vec<String> {
    let sent = window.node.take_sent();
    let texts = sent.into_iter().filter_map(|command| match command {
        Command::Search { text, .. } => Some(text),
        _ => None,
    });
    texts.collect()
}

#[test]
fn a_search_asks_once_the_fingers_rest_and_shows_what_was_found() {
    let (mut window, _) = with_archive(Setting::default(), 2_000);
    window.press(Modifiers::COMMAND, Key::F);
    assert!(window.shows("from:Ann boat"), "how to narrow it down");
    window.fill("Search for", "jett");
    window.pass(Duration::from_millis(50));
    assert!(searches(&window).is_empty());
    window.control("Search for").type_text("y");
    window.harness.run();
    pause(&mut window);
    assert_eq!(searches(&window), ["jetty"]);
    assert!(window.shows("50 hits so far"));
    assert!(window.has("Cleo, 13:56: The boat leaves at seven, from the green jetty. (1996)"));

    // An answer to what was asked before it is of no interest any more.
    window.node.hold_answers.set(true);
    typed_search(&mut window, "tide");
    typed_search(&mut window, "thermos");
    window.node.release_answers();
    window.harness.run();
    assert!(!window.shows("When does the tide turn on Saturday? (1965)"));
    assert!(window.shows("won't wait. (1967)"));

    typed_search(&mut window, "nowhere");
    assert!(window.shows("Nothing was found"));
    window.click("Search all chats");
    pause(&mut window);
    typed_search(&mut window, "boat before:soon");
    assert!(window.shows("“soon” is no date."));
    typed_search(&mut window, " ");
    assert!(window.shows("from:Ann boat"));
}

#[test]
fn hits_are_walked_and_shown_where_they_stand_and_esc_goes_back() {
    let (mut window, _) = with_archive(Setting::default(), 20_000);
    window.press(Modifiers::COMMAND, Key::F);
    typed_search(&mut window, "rain");
    window.press(Modifiers::NONE, Key::F3);
    assert!(window.shows("1 of 50 hits so far"));
    assert!(window.has("Ann, 13:58: Rain until noon. (19998)"));
    for _ in 0..55 {
        window.press(Modifiers::NONE, Key::F3);
    }
    assert!(
        window.shows("56 of 100 hits so far"),
        "older hits came by themselves"
    );
    // 55 hits on, five messages each: far beyond the rows that are held at first.
    assert!(window.shows("Rain until noon. (19723)"));
    assert!(
        window.shows("When does the tide turn on Saturday? (19725)"),
        "in its place"
    );
    window.press(Modifiers::SHIFT, Key::F3);
    assert!(window.shows("55 of 100 hits so far"));
    window.press(Modifiers::NONE, Key::Escape);
    assert!(!window.has("Search for"));
    assert!(window.shows("(19999)"), "back at the end");
    assert_eq!(window.title(), "The boat — Throng");

    // In all chats: the chat of the hit comes to the front, and Esc leads back.
    window.press(CTRL_SHIFT, Key::F);
    typed_search(&mut window, "dinghy");
    let hit = "Cleo, 13:56 in Choir: Somebody has to bail out the dinghy first. (4)";
    window.click(hit);
    assert_eq!(window.title(), "Choir — Throng");
    window.press(Modifiers::NONE, Key::Escape);
    assert_eq!(window.title(), "The boat — Throng");
}

#[test]
fn names_are_completed_and_a_search_can_be_typed_as_a_command() {
    let (mut window, _) = with_archive(Setting::default(), 100);
    window.fill("Message", "/search thermos");
    window.press(Modifiers::NONE, Key::Enter);
    pause(&mut window);
    assert_eq!(searches(&window), ["thermos"]);
    window.fill("Search for", "bread from:a");
    window.press(Modifiers::NONE, Key::Tab);
    let typed = window.control("Search for").value();
    assert_eq!(typed.as_deref(), Some("bread from:Ann "));
    window.fill("Search for", "in:the");
    window.click("Complete The boat");
    let typed = window.control("Search for").value();
    assert_eq!(typed.as_deref(), Some("in:\"The boat\" "));
}

#[test]
fn a_narrow_window_shows_the_hit_and_brings_the_list_back() {
    let narrow = Setting {
        size: [420.0, 640.0],
        ..Setting::default()
    };
    let (mut window, _) = with_archive(narrow, 1_000);
    window.press(Modifiers::COMMAND, Key::F);
    typed_search(&mut window, "dinghy");
    window.click("Cleo, 13:54: Somebody has to bail out the dinghy first. (994)");
    assert!(!window.has("Search for"));
    assert!(window.shows("Somebody has to bail out the dinghy first. (994)"));
    window.press(Modifiers::NONE, Key::F3);
    assert!(window.shows("Somebody has to bail out the dinghy first. (989)"));
    window.press(Modifiers::COMMAND, Key::F);
    assert!(window.shows("3 of 50 hits so far"));
}

#[test]
fn one_goes_to_a_day_and_back() {
    let (mut window, _) = with_archive(Setting::default(), 20_000);
    window.press(Modifiers::COMMAND, Key::J);
    window.fill("Day", "soon");
    assert!(window.shows("Type a date as"));
    window.fill("Day", "15 Nov");
    window.press(Modifiers::NONE, Key::Enter);
    assert!(window.has("Sunday, 15 November"));
    window.press(Modifiers::ALT, Key::ArrowLeft);
    assert!(window.shows("(19999)"));
    window.press(Modifiers::COMMAND, Key::J);
    window.click("17 November 2026");
    assert!(window.has("Tuesday, 17 November"));
    // A day line leads to other days.
    window.click("Tuesday, 17 November");
    window.click("Month before");
    assert!(window.shows("October 2026"));
}

#[test]
fn what_comes_while_one_reads_far_up_counts_and_moves_nothing() {
    let (mut window, chat) = with_archive(Setting::default(), 20_000);
    window.press(Modifiers::COMMAND, Key::J);
    window.fill("Day", "2026-11-15");
    window.press(Modifiers::NONE, Key::Enter);
    let rows = |window: &Window| -> Vec<(String, i32)> {
        let rows = window.harness.query_all_by_role(egui::accesskit::Role::ListItem);
        let of_timeline = rows.filter(|row| row.rect().left() >= 220.0);
        of_timeline
            .filter_map(|row| Some((row.accesskit_node().label()?, row.rect().bottom() as i32)))
            .collect()
    };
    let before = rows(&window);
    for number in 0..3 {
        let news = message(chat, member(1), "Ann", 30_000 + number, i64::from(number), "Ahoy");
        window.node.archive.borrow_mut().push(news.clone());
        window.node.report(Event::Message(news));
    }
    // One that others had, from before the rows that are held.
    let mut old = message(chat, member(2), "Ben", 40_000, -1_000_000, "long ago");
    old.history = true;
    window.node.report(Event::Message(old));
    window.harness.run();
    assert_eq!(before, rows(&window));
    window.click("3 new, go to the newest message");
    assert!(window.shows("Ahoy"));
    assert!(!window.shows("go to the newest message"));
}

#[test]
fn own_messages_tell_how_far_they_got_and_can_be_sent_again() {
    let (mut window, chat) = Window::with_chat("friends");
    let mut own_message = message(chat, own(chat), "Robin", 7, 0, "Anybody there?");
    own_message.own = true;
    own_message.delivery = Some(DeliveryState::Waiting);
    // After a restart the store has it, and the node tells that it waits; in either order.
    let delivery = |state, reached, of| Event::Chat {
        chat,
        event: ChatEvent::Delivery {
            id: own_message.id,
            state,
            reached,
            of,
        },
    };
    window.node.report(delivery(DeliveryState::Waiting, 0, 0));
    window.node.report(
        ChatEvent::History {
            messages: vec![own_message.clone()],
            more_before: false,
            more_after: false,
        }
        .of(chat),
    );
    window.harness.run();
    let told = |window: &Window| {
        let row = window.harness.get_by_label("Robin, 14:00: Anybody there?");
        row.accesskit_node().description()
    };
    assert_eq!(told(&window).as_deref(), Some("Waiting to be sent"));
    window.node.report(delivery(DeliveryState::Sent, 7, 12));
    window.harness.run();
    assert_eq!(told(&window).as_deref(), Some("Reached 7 of 12"));
    window.node.report(delivery(DeliveryState::Failed, 0, 0));
    window.harness.run();
    window.click("Retry");
    let id = own_message.id;
    assert!(window.node.was_sent(&ChatCommand::Resend { id }.to(chat)));
}

#[test]
fn how_much_is_kept_and_what_newcomers_see_is_set_in_a_dialog() {
    let (mut window, chat) = with_archive(Setting::default(), 100);
    window.click("Menu");
    window.click("History…");
    window.click("What was said in the last days");
    assert!(window.shows("What is older than 365 days is deleted from this computer"));
    window.click("The last days before they joined");
    window.click("Set");
    let retention = Retention::Days { days: 365 };
    let rule = HistoryRule::Days { days: 7 };
    assert!(
        window
            .node
            .was_sent(&ChatCommand::SetRetention { retention }.to(chat))
    );
    assert!(
        window
            .node
            .was_sent(&ChatCommand::SetHistoryRule { rule }.to(chat))
    );
    assert!(window.shows("It is set."));
    window.click("Done");

    *window.node.refuse.borrow_mut() = Some((Code::DiskFull, "The disk is full. Free some room.".to_owned()));
    window.fill("Message", "/clear");
    window.press(Modifiers::NONE, Key::Enter);
    assert!(window.shows("There is no undo."));
    window.click("Clear history");
    assert!(window.shows("The disk is full."));
    window.click("Clear history");
    assert!(!window.shows("There is no undo."));
    assert!(window.shows("Nothing has been said here yet."));
}

#[test]
fn catching_up_is_told_in_the_status_bar() {
    let (mut window, chat) = with_archive(Setting::default(), 100);
    let progress = |fetched, done| Event::Chat {
        chat,
        event: ChatEvent::HistoryProgress {
            fetched,
            back_to: None,
            done,
            more: true,
        },
    };
    window.node.report(progress(240, false));
    window.harness.run();
    assert!(window.has("Catching up: 240 messages"));
    window.node.report(progress(300, true));
    window.harness.run();
    assert!(!window.shows("Catching up"));
}

/// A window as it is pictured.
fn pictured(theme: Theme, size: [f32; 2], pixels_per_point: f32) -> Setting {
    Setting {
        size,
        pixels_per_point,
        theme,
        pictures: true,
        ..Setting::default()
    }
}

fn wide(theme: Theme) -> Setting {
    pictured(theme, [1080.0, 720.0], 1.0)
}

fn narrow(theme: Theme) -> Setting {
    pictured(theme, [420.0, 640.0], 2.0)
}

type Step = fn(&mut Window);

#[test]
fn pictures_of_history() {
    if !can_draw() {
        return;
    }
    let search: Step = |window| {
        window.press(Modifiers::COMMAND, Key::F);
        typed_search(window, "boat");
        if window.shows("1 of") || window.harness.ctx.content_rect().width() > 900.0 {
            window.press(Modifiers::NONE, Key::F3);
            window.press(Modifiers::NONE, Key::F3);
        }
    };
    let everywhere: Step = |window| {
        window.press(CTRL_SHIFT, Key::F);
        typed_search(window, "dinghy from:b");
    };
    let empty: Step = |window| window.press(Modifiers::COMMAND, Key::F);
    let nothing: Step = |window| {
        window.press(Modifiers::COMMAND, Key::F);
        typed_search(window, "submarine");
    };
    let day: Step = |window| window.press(Modifiers::COMMAND, Key::J);
    let history: Step = |window| {
        window.go_to("History…");
        window.click("What was said in the last days");
    };
    let clear: Step = |window| {
        window.fill("Message", "/clear");
        window.press(Modifiers::NONE, Key::Enter);
    };
    let (dark, light) = (Theme::Dark, Theme::Light);
    let pictures = [
        ("search-dark-wide", wide(dark), search),
        ("search-light-wide", wide(light), search),
        ("search-light-narrow-2x", narrow(light), search),
        ("search-all-dark-narrow-2x", narrow(dark), everywhere),
        ("search-empty-dark-wide", wide(dark), empty),
        ("search-nothing-light-narrow-2x", narrow(light), nothing),
        ("history-day-dark-wide", wide(dark), day),
        ("history-day-light-narrow-2x", narrow(light), day),
        ("history-settings-dark-wide", wide(dark), history),
        ("history-settings-light-narrow-2x", narrow(light), history),
        ("history-clear-dark-narrow-2x", narrow(dark), clear),
    ];
    let mut results = SnapshotResults::new();
    for (name, setting, step) in pictures {
        let (mut window, _) = with_archive(setting, 2_000);
        step(&mut window);
        let _turn = turn_to_draw();
        results.add(window.harness.try_snapshot(name));
    }
}
