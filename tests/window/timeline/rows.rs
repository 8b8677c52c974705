//! The timeline, by the names that a screen reader hears.

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use throng::model::{MAX_ROWS, Older, Page};
use throng::ui::timeline::TimelineAction;

use super::chat::{Chat, archived, harness, id, message, press, rows_in_sight, top_of};

#[test]
fn rows_are_named_for_those_who_listen() {
    let mut harness = harness([900.0, 900.0], Chat::new().talk());
    harness.run();
    for name in [
        "alice, 12:53: Morning! Did anyone water the tomatoes?",
        "13:00: carol joined",
        "bob, 13:05: * bob hides the cups",
        "robin, 13:59: See you on Saturday!",
        "Yesterday",
        "Today",
        "New messages",
        "https://example.org/garden/hose.jpg",
        "Messages",
        "Message",
        "Send",
    ] {
        harness.get_by_label(name);
    }
    let failed = harness
        .get_by_label("robin, 13:59: See you on Saturday!")
        .accesskit_node();
    assert_eq!(failed.description().as_deref(), Some("Not sent"));
}

#[test]
fn what_is_read_stays_where_it_is_while_rows_come_above_and_below() {
    let mut harness = harness([700.0, 600.0], Chat::new().many(300));
    for _ in 0..3 {
        press(&mut harness, Modifiers::NONE, Key::PageUp);
    }
    assert!(!harness.state().view.is_following());
    let rows = rows_in_sight(&harness);
    let tops: Vec<f32> = rows
        .iter()
        .map(|row| harness.get_by_label(row).rect().bottom())
        .collect();

    // Older ones come as they are loaded, newer ones as they are said.
    for number in 0..200 {
        let text = "older ".repeat(usize::try_from(number % 50).expect("small"));
        let older = message(number, 1, "alice", i64::from(number) * 20 - 95_000, &text);
        harness.state_mut().timeline.insert(older);
        if number % 40 == 0 {
            let newer = message(90_000 + number, 2, "bob", 100_000 + i64::from(number), "newer");
            harness.state_mut().timeline.insert(newer);
            harness.run();
            let now: Vec<f32> = rows
                .iter()
                .map(|row| harness.get_by_label(row).rect().bottom())
                .collect();
            assert_eq!(tops, now, "after {number} rows");
        }
    }
    harness.run();
    assert_eq!(rows, rows_in_sight(&harness));
    // The same at the very top, where the first row loses its day line to those that come before it.
    press(&mut harness, Modifiers::NONE, Key::Home);
    let first = rows_in_sight(&harness)[0].clone();
    let bottom = harness.get_by_label(&first).rect().bottom();
    for number in 0..200 {
        let older = message(
            500_000 + number,
            1,
            "alice",
            i64::from(number) - 97_000,
            "still older",
        );
        harness.state_mut().timeline.insert(older);
    }
    harness.run();
    assert_eq!(bottom, harness.get_by_label(&first).rect().bottom());
}

#[test]
fn the_end_is_followed_until_one_scrolls_away() {
    let mut harness = harness([700.0, 500.0], Chat::new().many(50));
    let say = |harness: &mut Harness<'_, Chat>, number: u32| {
        let text = format!("news {number}");
        let newer = message(90_000 + number, 2, "bob", 100_000 + i64::from(number), &text);
        harness.state_mut().timeline.insert(newer);
        harness.run();
    };
    say(&mut harness, 1);
    assert!(harness.state().view.is_following());
    harness.get_by_label_contains("news 1");

    harness.hover_at(egui::pos2(300.0, 200.0));
    harness.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, 300.0),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Wheel,
        modifiers: Modifiers::NONE,
    });
    harness.run();
    assert!(!harness.state().view.is_following());
    harness.get_by_label("Go to the newest message");
    let before = rows_in_sight(&harness);
    for number in 2..5 {
        say(&mut harness, number);
    }
    assert_eq!(
        before,
        rows_in_sight(&harness),
        "nothing moves under the reader's eyes"
    );

    harness.get_by_label("3 new, go to the newest message").click();
    harness.run();
    assert!(harness.state().view.is_following());
    harness.get_by_label_contains("news 4");
    say(&mut harness, 5);
    harness.get_by_label_contains("news 5");

    press(&mut harness, Modifiers::NONE, Key::PageUp);
    press(&mut harness, Modifiers::NONE, Key::End);
    assert!(harness.state().view.is_following());
}

#[test]
fn a_frame_touches_the_rows_in_sight_and_no_others() {
    let counts = |rows: u32| {
        let mut harness = harness([700.0, 600.0], Chat::new().many(rows));
        let mut counts = Vec::new();
        for key in [None, Some(Key::PageUp), Some(Key::Home), Some(Key::End), None] {
            if let Some(key) = key {
                harness.key_press(key);
            }
            harness.step();
            counts.push(harness.state().view.laid_out());
        }
        let version = harness.state().timeline.version();
        harness.step();
        assert_eq!(version, harness.state().timeline.version());
        counts.push(harness.state().view.laid_out());
        counts
    };
    let many = counts(4_000);
    assert!(many.iter().all(|count| *count < 40), "{many:?}");
    assert_eq!(many.last(), Some(&0), "an idle frame lays nothing out");
}

#[test]
fn whole_messages_are_selected_and_copied_over_any_distance() {
    let mut harness = harness([700.0, 600.0], Chat::new().many(2_000));
    press(&mut harness, Modifiers::COMMAND, Key::A);
    harness.event(egui::Event::Copy);
    harness.run();
    let copied = |harness: &mut Harness<'_, Chat>| {
        let actions = std::mem::take(&mut harness.state_mut().actions);
        let mut copied = actions.into_iter().filter_map(|action| match action {
            TimelineAction::CopyText(text) => Some(text),
            _ => None,
        });
        copied.next().unwrap_or_default()
    };
    let all = copied(&mut harness);
    assert_eq!(all.lines().count(), 2_000);
    assert!(
        all.starts_with("[2026-11-21 13:00] alice: message 0: words"),
        "{}",
        &all[..80]
    );

    // A click here, a click with Shift a thousand rows up.
    let last = rows_in_sight(&harness).pop().expect("rows are in sight");
    let click = |harness: &mut Harness<'_, Chat>, row: &str, modifiers: Modifiers| {
        harness.get_by_label(row).click_modifiers(modifiers);
        harness.run();
    };
    press(&mut harness, Modifiers::NONE, Key::Escape);
    click(&mut harness, &last, Modifiers::SHIFT);
    for _ in 0..20 {
        press(&mut harness, Modifiers::NONE, Key::PageUp);
    }
    let first = rows_in_sight(&harness)[2].clone();
    click(&mut harness, &first, Modifiers::SHIFT);
    harness.event(egui::Event::Copy);
    harness.run();
    let some = copied(&mut harness);
    let number = |row: &str| -> usize {
        let words = row
            .split("message ")
            .nth(1)
            .and_then(|rest| rest.split(':').next());
        words.and_then(|number| number.parse().ok()).expect("a number")
    };
    assert_eq!(some.lines().count(), number(&last) - number(&first) + 1);
    click(&mut harness, &first, Modifiers::NONE);
    harness.event(egui::Event::Copy);
    harness.run();
    assert_eq!(copied(&mut harness), "", "a plain click lets go");
}

#[test]
fn what_can_be_clicked_says_so() {
    let mut harness = harness([900.0, 900.0], Chat::new().talk());
    harness.run();
    harness
        .get_by_label("https://example.org/garden/hose.jpg")
        .click();
    harness.run();
    harness.get_by_label("throng:AAECAwQFBgcICQ").click();
    harness.run();
    harness.get_by_label("Retry").click();
    harness.run();
    harness
        .get_by_label_contains("13:01: Hello everyone")
        .click_secondary();
    harness.run();
    harness.get_by_label("Mention carol").click();
    harness.run();
    let actions = &harness.state().actions;
    for action in [
        TimelineAction::OpenLink("https://example.org/garden/hose.jpg".to_owned()),
        TimelineAction::OpenLink("throng:AAECAwQFBgcICQ".to_owned()),
        TimelineAction::Retry(id(13)),
        TimelineAction::Mention("carol".to_owned()),
        TimelineAction::MarkRead(id(13)),
    ] {
        assert_eq!(
            actions.iter().filter(|done| **done == action).count(),
            1,
            "{action:?} in {actions:?}"
        );
    }
}

#[test]
fn older_rows_are_asked_for_once() {
    let mut chat = Chat::new().many(300);
    chat.timeline.set_more_before(true);
    let mut harness = harness([700.0, 600.0], chat);
    harness.run();
    let asked = |harness: &Harness<'_, Chat>| {
        harness
            .state()
            .actions
            .iter()
            .filter(|action| matches!(action, TimelineAction::Load(Page::Before(_))))
            .count()
    };
    assert_eq!(asked(&harness), 0, "the end is far from the oldest row");
    let up = |harness: &mut Harness<'_, Chat>| {
        for _ in 0..60 {
            press(harness, Modifiers::NONE, Key::PageUp);
        }
    };
    up(&mut harness);
    assert_eq!(asked(&harness), 1);
    let older = [message(1, 1, "alice", -95_000, "older")];
    harness
        .state_mut()
        .timeline
        .load(Page::Before(id(1_000)), &older, true, true);
    up(&mut harness);
    assert_eq!(asked(&harness), 2);
    harness.state_mut().timeline.set_more_before(false);
    up(&mut harness);
    assert_eq!(asked(&harness), 2);
}

#[test]
fn a_message_is_shown_in_its_place_and_reading_goes_on_where_it_stopped() {
    let mut harness = harness([700.0, 600.0], Chat::new().many(3_000));
    harness.state_mut().view.reveal(id(2_500));
    harness.run();
    let top = top_of(&harness, "message 1500:");
    assert!((100.0..300.0).contains(&top), "{top}");
    harness.state_mut().timeline.set_read_mark(Some(id(3_000)));
    press(&mut harness, Modifiers::SHIFT, Key::PageUp);
    harness.get_by_label("New messages");
    // It waits for a message that is not loaded yet.
    harness.state_mut().view.reveal(id(7));
    harness.run();
    harness
        .state_mut()
        .timeline
        .insert(message(7, 1, "alice", -95_000, "far back"));
    harness.run();
    harness.get_by_label_contains("far back");
}

#[test]
fn the_scroll_bar_goes_anywhere_at_once() {
    let mut harness = harness([700.0, 600.0], Chat::new().many(5_000));
    let list = harness.get_by_label("Messages").rect();
    let x = list.right() - 4.0;
    let drag = |harness: &mut Harness<'_, Chat>, from: f32, to: f32| {
        harness.drag_at(egui::pos2(x, from));
        harness.step();
        harness.hover_at(egui::pos2(x, to));
        harness.run();
        harness.drop_at(egui::pos2(x, to));
        harness.run();
    };
    drag(&mut harness, list.bottom() - 10.0, list.center().y);
    let middle = rows_in_sight(&harness);
    assert!(!harness.state().view.is_following());
    assert!(
        middle
            .iter()
            .any(|row| row.contains("message 24") || row.contains("message 25")),
        "{middle:?}"
    );
    drag(&mut harness, list.center().y, list.top() - 50.0);
    harness.get_by_label_contains("message 0:");
    drag(&mut harness, list.top() + 10.0, list.bottom() + 50.0);
    assert!(harness.state().view.is_following());
    harness.get_by_label_contains("message 4999:");
}

#[test]
fn dragging_over_rows_selects_them_whole_and_goes_on_beyond_the_edge() {
    let mut harness = harness([700.0, 600.0], Chat::new().many(500));
    let list = harness.get_by_label("Messages").rect();
    harness.drag_at(egui::pos2(300.0, list.bottom() - 40.0));
    harness.step();
    harness.hover_at(egui::pos2(300.0, list.top() - 30.0));
    harness.run_steps(20);
    harness.drop_at(egui::pos2(300.0, list.top() - 30.0));
    harness.run();
    assert!(!harness.state().view.is_following());
    harness.event(egui::Event::Copy);
    harness.run();
    let copied = harness.state().actions.iter().find_map(|action| match action {
        TimelineAction::CopyText(text) => Some(text.lines().count()),
        _ => None,
    });
    assert!(copied > Some(rows_in_sight(&harness).len()), "{copied:?}");
}

/// The number of a message, by its row.
fn number_of(row: &str) -> u32 {
    let words = row
        .split("message ")
        .nth(1)
        .and_then(|rest| rest.split(':').next());
    words.and_then(|number| number.parse().ok()).expect("a number")
}

#[test]
fn a_million_messages_are_walked_without_a_jump_and_in_bounded_memory() {
    const COUNT: u32 = 1_000_000;
    let mut harness = harness([700.0, 600.0], Chat::over_archive(COUNT));
    harness.run();
    harness.get_by_label_contains("message 999999:");
    // Up, over many pages: each row that stays in sight moves exactly as far as was scrolled.
    for turn in 0..50 {
        let before: Vec<(String, f32)> = rows_in_sight(&harness)
            .into_iter()
            .map(|row| (row.clone(), harness.get_by_label(&row).rect().bottom()))
            .collect();
        press(&mut harness, Modifiers::NONE, Key::ArrowUp);
        let rows = rows_in_sight(&harness);
        let (row, bottom) = &before[before.len() / 2];
        let now = harness.get_by_label(row).rect().bottom();
        assert!(
            (now - bottom - 40.0).abs() < 1.1,
            "turn {turn}: {bottom} to {now}"
        );
        let numbers: Vec<u32> = rows.iter().map(|row| number_of(row)).collect();
        assert!(numbers.windows(2).all(|two| two[0] + 1 == two[1]), "{numbers:?}");
        for _ in 0..10 {
            press(&mut harness, Modifiers::NONE, Key::PageUp);
        }
        assert!(harness.state().timeline.len() <= MAX_ROWS);
        assert!(harness.state().view.laid_out() < 60);
    }
    let far = number_of(&rows_in_sight(&harness)[0]);
    assert!(far < COUNT - 4_500, "{far}");
    assert!(
        harness.state().timeline.more_after(),
        "the newest rows were let go"
    );

    // And down again, without a gap.
    for _ in 0..100 {
        press(&mut harness, Modifiers::NONE, Key::PageDown);
        let numbers: Vec<u32> = rows_in_sight(&harness).iter().map(|row| number_of(row)).collect();
        assert!(numbers.windows(2).all(|two| two[0] + 1 == two[1]), "{numbers:?}");
    }
    assert!(number_of(&rows_in_sight(&harness)[0]) > far);
    assert!(harness.state().timeline.len() <= MAX_ROWS);

    press(&mut harness, Modifiers::NONE, Key::Home);
    harness.get_by_label_contains("message 0:");
    assert!(!harness.state().timeline.more_before());
    press(&mut harness, Modifiers::NONE, Key::End);
    harness.get_by_label_contains("message 999999:");
    assert!(harness.state().view.is_following());
}

#[test]
fn one_goes_to_a_day_or_a_message_anywhere_and_back() {
    let mut harness = harness([700.0, 600.0], Chat::over_archive(1_000_000));
    harness.run();
    harness.state_mut().view.reveal(id(400_000));
    harness.run();
    let top = top_of(&harness, "message 400000:");
    assert!((100.0..300.0).contains(&top), "{top}");
    harness.state_mut().view.reveal_time(archived(777_777).at);
    harness.run();
    harness.get_by_label_contains("message 777777:");
    harness.state_mut().view.go_back();
    harness.run();
    harness.get_by_label_contains("message 999999:");
    assert!(harness.state().view.is_following(), "two jumps, one way back");

    press(&mut harness, Modifiers::NONE, Key::PageUp);
    press(&mut harness, Modifiers::NONE, Key::PageUp);
    let rows = rows_in_sight(&harness);
    let bottom = harness.get_by_label(&rows[1]).rect().bottom();
    harness.state_mut().view.reveal(id(5));
    harness.run();
    harness.get_by_label_contains("message 5:");
    harness.state_mut().view.go_back();
    harness.run();
    assert_eq!(rows, rows_in_sight(&harness));
    assert!((bottom - harness.get_by_label(&rows[1]).rect().bottom()).abs() < 1.1);
    // One that is not there any more leaves the reader where they are.
    harness.state_mut().view.reveal(id(2_000_000));
    harness.run();
    assert!(!rows_in_sight(&harness).is_empty());
}

#[test]
fn where_reading_stopped_is_found_though_it_is_far_from_the_rows() {
    let mut chat = Chat::over_archive(10_000);
    chat.timeline.set_read_mark(Some(id(3_000)));
    let mut harness = harness([700.0, 600.0], chat);
    harness.run();
    assert!(harness.query_by_label("New messages").is_none());
    press(&mut harness, Modifiers::SHIFT, Key::PageUp);
    harness.get_by_label("New messages");
    harness.get_by_label_contains("message 3001:");
}

#[test]
fn what_is_older_is_told_in_words() {
    let mut harness = harness([700.0, 600.0], Chat::new().many(300));
    harness.state_mut().timeline.set_more_before(true);
    harness.state_mut().timeline.ask_older();
    press(&mut harness, Modifiers::NONE, Key::Home);
    let home = |harness: &mut Harness<'_, Chat>| {
        harness.state_mut().view.reveal(id(1_000));
        harness.run();
        for _ in 0..3 {
            press(harness, Modifiers::NONE, Key::PageUp);
        }
    };
    home(&mut harness);
    harness.get_by_label("Loading older messages…");
    harness.state_mut().fetching = true;
    harness.run();
    harness.get_by_label("Loading older messages from others…");
    harness
        .state_mut()
        .timeline
        .load(Page::Before(id(1_000)), &[], true, true);
    harness.run();
    harness.get_by_label("Nobody who has older messages is here now.");
    harness.state_mut().actions.clear();
    harness.get_by_label("Try again").click();
    harness.run();
    assert_eq!(
        harness.state().actions,
        [TimelineAction::Load(Page::Before(id(1_000)))]
    );
    harness
        .state_mut()
        .timeline
        .load(Page::Before(id(1_000)), &[], false, true);
    harness.run();
    assert_eq!(harness.state().timeline.older(), Older::Idle);
    harness.get_by_label("This is where the chat begins");
}
