//! Timeline and composer through egui: by the names that a screen reader hears, and as pictures.

use std::collections::BTreeSet;

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use throng::id::{ChatId, MemberId, MessageId};
use throng::model::{self, DeliveryState, Message, MessageBody, Timeline};
use throng::ui::composer::{
    Composer, ComposerAction, ComposerContext, SlashCommand, Submission, composer_ui,
};
use throng::ui::theme;
use throng::ui::timeline::{TimelineAction, TimelineOptions, TimelineView, timeline_ui};

/// 22 November 2026, 14:00 UTC.
const NOW: i64 = 1_795_356_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOW + seconds).expect("a time in range")
}

fn member(number: u8) -> MemberId {
    let mut key = [0; 32];
    for (at, byte) in (0u8..).zip(&mut key) {
        *byte = number
            .wrapping_mul(97)
            .wrapping_add(at.wrapping_mul(31))
            .wrapping_add(number.rotate_left(3));
    }
    MemberId(key)
}

fn id(number: u32) -> MessageId {
    let mut id = [0; 32];
    id[..4].copy_from_slice(&number.to_be_bytes());
    MessageId(id)
}

/// `author` 0 is the reader.
fn message(number: u32, author: u8, nick: &str, seconds: i64, text: &str) -> Message {
    Message {
        chat: ChatId([1; 32]),
        member: member(author),
        nick: nick.to_owned(),
        id: id(number),
        number,
        at: at(seconds),
        body: MessageBody::Message,
        text: text.to_owned(),
        own: author == 0,
        history: false,
    }
}

/// A timeline and a composer, as a chat has them.
struct Chat {
    timeline: Timeline,
    view: TimelineView,
    composer: Composer,
    compact: bool,
    actions: Vec<TimelineAction>,
    composed: Vec<ComposerAction>,
    with_composer: bool,
}

impl Chat {
    fn new() -> Self {
        let mut timeline = Timeline::new(TimeZone::UTC);
        timeline.set_own_nick("robin");
        Self {
            timeline,
            view: TimelineView::new(),
            composer: Composer::default(),
            compact: false,
            actions: Vec::new(),
            composed: Vec::new(),
            with_composer: true,
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui) {
        // The harness leaves a margin.
        let around = ui.ctx().layer_painter(egui::LayerId::background());
        around.rect_filled(ui.ctx().content_rect(), 0.0, theme::tokens(ui).base);
        if self.with_composer {
            let nicks = ["alice".to_owned(), "Albert".to_owned(), "bob".to_owned()];
            let context = ComposerContext {
                nicks: &nicks,
                enabled: true,
                placeholder: "Message Garden friends",
                limit_bytes: 800,
            };
            let margin = egui::Margin {
                left: 16,
                right: 16,
                top: 4,
                bottom: 12,
            };
            let frame = egui::Frame::new()
                .fill(theme::tokens(ui).base)
                .inner_margin(margin);
            egui::Panel::bottom("composer")
                .frame(frame)
                .show_separator_line(false)
                .show(ui, |ui| {
                    self.composed
                        .extend(composer_ui(ui, &mut self.composer, &context));
                });
        }
        let options = TimelineOptions {
            compact: self.compact,
            today: civil::date(2026, 11, 22),
            shared_nicks: &BTreeSet::new(),
            keys: true,
            empty_hint: "Nothing was said here yet. Say hello, or invite somebody.",
        };
        self.actions
            .extend(timeline_ui(ui, &mut self.view, &self.timeline, &options));
    }

    /// A conversation with everything in it.
    fn talk(mut self) -> Self {
        let timeline = &mut self.timeline;
        let day = 86_400;
        timeline.insert(message(
            1,
            1,
            "alice",
            -day - 4_000,
            "Morning! Did anyone water the tomatoes?",
        ));
        timeline.insert(message(
            2,
            2,
            "bob",
            -day - 3_900,
            "I did, and the beans. The hose is leaking again though.",
        ));
        timeline.insert(message(
            3,
            2,
            "bob",
            -day - 3_880,
            "Photo: https://example.org/garden/hose.jpg",
        ));
        timeline.insert_notice(at(-3_600), "carol joined".to_owned());
        timeline.insert(message(
            4,
            3,
            "carol",
            -3_500,
            "Hello everyone! Thanks for the invite 🌱",
        ));
        timeline.insert(message(
            5,
            1,
            "alice",
            -3_400,
            "Welcome! We meet on Saturdays at ten by the green gate. Bring gloves and something to drink; there is a \
             kettle in the shed, but last week somebody took the cups home to wash them and they have not been seen \
             since, so perhaps a cup as well.",
        ));
        timeline.insert(message(
            6,
            1,
            "alice",
            -3_390,
            "robin: could you bring the spare key?",
        ));
        let mut act = message(7, 2, "bob", -3_300, "hides the cups");
        act.body = MessageBody::Action;
        timeline.insert(act);
        timeline.insert(message(8, 0, "robin", -3_200, "Sure, I'll have it with me."));
        timeline.set_delivery(id(8), DeliveryState::Sent, 3);
        timeline.insert(message(9, 0, "robin", -3_190, "And cups."));
        timeline.set_delivery(id(9), DeliveryState::Sent, 1);
        timeline.insert(message(
            10,
            4,
            "alice",
            -600,
            "I am alice too, honest. Click throng:AAECAwQFBgcICQ",
        ));
        timeline.insert(message(
            11,
            3,
            "carol",
            -500,
            "Two alices?\nLooks like the pictures differ.",
        ));
        timeline.insert(message(12, 0, "robin", -90, "Trust the picture, not the name."));
        timeline.insert(message(13, 0, "robin", -30, "See you on Saturday!"));
        timeline.set_delivery(id(13), DeliveryState::Failed, 0);
        timeline.set_read_mark(Some(id(9)));
        self
    }

    fn many(mut self, count: u32) -> Self {
        for number in 0..count {
            let author = u8::try_from(number / 3 % 4 + 1).expect("small");
            let text = "words ".repeat(usize::try_from(number % 37 + 1).expect("small"));
            let text = format!("message {number}: {text}");
            let nick = ["alice", "bob", "carol", "dave"][usize::from(author - 1)];
            self.timeline.insert(message(
                number + 1_000,
                author,
                nick,
                i64::from(number) * 60 - 90_000,
                &text,
            ));
        }
        self
    }
}

fn builder<State>(size: [f32; 2], theme: egui::Theme) -> egui_kittest::HarnessBuilder<State> {
    Harness::<State>::builder()
        .with_size(size)
        .with_theme(theme)
        .with_context_setup(|ctx| theme::install(ctx, model::Theme::System, 100))
}

fn harness(size: [f32; 2], chat: Chat) -> Harness<'static, Chat> {
    builder(size, egui::Theme::Dark).build_ui_state(|ui, chat: &mut Chat| chat.ui(ui), chat)
}

/// Where a row stands on the screen, by what its name contains.
fn top_of(harness: &Harness<'_, Chat>, words: &str) -> f32 {
    harness.get_by_label_contains(words).rect().top()
}

/// The names of the rows in sight, from top to bottom.
fn rows_in_sight(harness: &Harness<'_, Chat>) -> Vec<String> {
    let rows = harness.query_all_by_role(egui::accesskit::Role::ListItem);
    rows.filter_map(|row| row.accesskit_node().label()).collect()
}

fn submitted(harness: &mut Harness<'_, Chat>) -> Vec<Submission> {
    let composed = std::mem::take(&mut harness.state_mut().composed);
    let submissions = composed.into_iter().filter_map(|action| match action {
        ComposerAction::Submit(submission) => Some(submission),
        ComposerAction::DraftChanged(_) => None,
    });
    submissions.collect()
}

fn type_into(harness: &mut Harness<'_, Chat>, text: &str) {
    harness.get_by_label("Message").focus();
    harness.run();
    harness.get_by_label("Message").type_text(text);
    harness.run();
}

fn press(harness: &mut Harness<'_, Chat>, modifiers: Modifiers, key: Key) {
    harness.key_press_modifiers(modifiers, key);
    harness.run();
}

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
    let many = counts(100_000);
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
    harness.get_by_label("Try again").click();
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
            .filter(|action| **action == TimelineAction::LoadBefore)
            .count()
    };
    assert_eq!(asked(&harness), 0, "the end is far from the oldest row");
    press(&mut harness, Modifiers::NONE, Key::Home);
    press(&mut harness, Modifiers::NONE, Key::Home);
    assert_eq!(asked(&harness), 1);
    harness
        .state_mut()
        .timeline
        .insert(message(1, 1, "alice", -95_000, "older"));
    press(&mut harness, Modifiers::NONE, Key::Home);
    assert_eq!(asked(&harness), 2);
    harness.state_mut().timeline.set_more_before(false);
    press(&mut harness, Modifiers::NONE, Key::Home);
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
fn enter_sends_and_shift_enter_breaks_the_line() {
    let mut harness = harness([700.0, 600.0], Chat::new().talk());
    type_into(&mut harness, "one");
    press(&mut harness, Modifiers::SHIFT, Key::Enter);
    type_into(&mut harness, "two");
    assert_eq!(harness.state().composer.text(), "one\ntwo");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(submitted(&mut harness), [Submission::Say("one\ntwo".to_owned())]);
    assert_eq!(harness.state().composer.text(), "");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(submitted(&mut harness), [], "there is nothing to send");

    type_into(&mut harness, "/me waves");
    harness.get_by_label("Send").click();
    harness.run();
    assert_eq!(submitted(&mut harness), [Submission::Act("waves".to_owned())]);
    type_into(&mut harness, "/nick rob");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(
        submitted(&mut harness),
        [Submission::Command(SlashCommand::Nick("rob".to_owned()))]
    );
}

#[test]
fn what_is_not_understood_or_too_long_stays() {
    let mut harness = harness([700.0, 600.0], Chat::new().talk());
    type_into(&mut harness, "/dance now");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    harness.get_by_label_contains("There is no command /dance");
    assert_eq!(harness.state().composer.text(), "/dance now");
    type_into(&mut harness, "!");
    assert!(
        harness.query_by_label_contains("There is no command").is_none(),
        "typing on is an answer"
    );

    harness.state_mut().composer = Composer::with_draft("é".repeat(399));
    type_into(&mut harness, "!");
    harness.get_by_label("1 left");
    type_into(&mut harness, "é");
    harness.get_by_label("1 too long");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(submitted(&mut harness), []);
    assert_eq!(harness.state().composer.text().chars().count(), 401);
}

#[test]
fn up_walks_the_lines_sent_before_and_loses_nothing() {
    let mut harness = harness([700.0, 600.0], Chat::new());
    for line in ["first", "second"] {
        type_into(&mut harness, line);
        press(&mut harness, Modifiers::NONE, Key::Enter);
    }
    type_into(&mut harness, "unsent");
    let mut text = |key: Key| {
        press(&mut harness, Modifiers::NONE, key);
        harness.state().composer.text().to_owned()
    };
    assert_eq!(text(Key::ArrowUp), "second");
    assert_eq!(text(Key::ArrowUp), "first");
    assert_eq!(text(Key::ArrowUp), "first");
    assert_eq!(text(Key::ArrowDown), "second");
    assert_eq!(text(Key::ArrowDown), "unsent");
    assert_eq!(text(Key::ArrowDown), "unsent");
    // In a text of several lines, Up first goes to its first line.
    harness.state_mut().composer = Composer::with_draft("one\ntwo".to_owned());
    type_into(&mut harness, "!");
    press(&mut harness, Modifiers::NONE, Key::ArrowUp);
    type_into(&mut harness, "?");
    assert_eq!(harness.state().composer.text(), "one?\ntwo!");
}

#[test]
fn tab_completes() {
    let mut harness = harness([700.0, 600.0], Chat::new());
    type_into(&mut harness, "al");
    for expected in ["alice: ", "Albert: ", "alice: "] {
        press(&mut harness, Modifiers::NONE, Key::Tab);
        assert_eq!(harness.state().composer.text(), expected);
    }
    type_into(&mut harness, "so :thumbsu");
    press(&mut harness, Modifiers::NONE, Key::Tab);
    assert_eq!(harness.state().composer.text(), "alice: so 👍 ");
    type_into(&mut harness, ":tada:");
    assert_eq!(harness.state().composer.text(), "alice: so 👍 🎉");

    // The list is sent away by Escape, and picked from by arrow and Enter or by a click.
    harness.state_mut().composer = Composer::default();
    type_into(&mut harness, "/b");
    harness.get_by_label_contains("/busy");
    press(&mut harness, Modifiers::NONE, Key::Escape);
    assert!(harness.query_by_label_contains("/busy").is_none());
    harness.state_mut().composer = Composer::default();
    type_into(&mut harness, "/b");
    press(&mut harness, Modifiers::NONE, Key::ArrowDown);
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(harness.state().composer.text(), "/busy ");
    harness.state_mut().composer = Composer::default();
    type_into(&mut harness, "/to");
    harness.get_by_label_contains("/topic").click();
    harness.run();
    assert_eq!(harness.state().composer.text(), "/topic ");
    assert_eq!(submitted(&mut harness), []);
    // With nothing to complete, Tab is not a trap.
    press(&mut harness, Modifiers::NONE, Key::Tab);
    assert!(!harness.get_by_label("Message").is_focused());
}

#[test]
fn typing_goes_to_the_composer_when_nothing_else_has_the_keyboard() {
    let mut harness = harness([700.0, 600.0], Chat::new().talk());
    harness.event(egui::Event::Text("h".to_owned()));
    harness.run();
    harness.event(egui::Event::Text("i".to_owned()));
    harness.run();
    assert_eq!(harness.state().composer.text(), "hi");
}

#[test]
fn an_input_method_keeps_its_keys() {
    let mut harness = harness([700.0, 600.0], Chat::new());
    type_into(&mut harness, "a");
    let preedit = |text: &str| {
        egui::Event::Ime(egui::ImeEvent::Preedit {
            text: text.to_owned(),
            active_range_chars: None,
        })
    };
    harness.event(preedit("ñ"));
    harness.step();
    harness.key_press(Key::Enter);
    harness.event(egui::Event::Ime(egui::ImeEvent::Commit("ñ".to_owned())));
    harness.run();
    assert_eq!(submitted(&mut harness), [], "Enter chose a word");
    assert_eq!(harness.state().composer.text(), "añ");
    press(&mut harness, Modifiers::NONE, Key::Enter);
    assert_eq!(submitted(&mut harness), [Submission::Say("añ".to_owned())]);
}

/// What a picture is of.
struct Picture {
    size: [f32; 2],
    theme: egui::Theme,
    scale: f32,
}

const DARK: Picture = Picture {
    size: [640.0, 400.0],
    theme: egui::Theme::Dark,
    scale: 1.0,
};
const LIGHT: Picture = Picture {
    theme: egui::Theme::Light,
    ..DARK
};

/// Compares a picture with the one kept in `tests/snapshots`.
fn picture(name: &str, picture: Picture, chat: Chat, prepare: impl Fn(&mut Harness<'_, Chat>)) {
    let mut harness = builder(picture.size, picture.theme)
        .with_pixels_per_point(picture.scale)
        .wgpu()
        .build_ui_state(|ui, chat: &mut Chat| chat.ui(ui), chat);
    prepare(&mut harness);
    harness.run();
    harness.snapshot(name);
}

fn nothing(_: &mut Harness<'_, Chat>) {}

#[test]
fn picture_dark() {
    picture(
        "timeline-dark",
        Picture {
            size: [900.0, 860.0],
            ..DARK
        },
        Chat::new().talk(),
        nothing,
    );
}

#[test]
fn picture_light_and_wide() {
    picture(
        "timeline-light-wide",
        Picture {
            size: [1300.0, 860.0],
            ..LIGHT
        },
        Chat::new().talk(),
        nothing,
    );
}

#[test]
fn picture_narrow_at_2x() {
    let narrow = Picture {
        size: [380.0, 640.0],
        scale: 2.0,
        ..DARK
    };
    picture("timeline-dark-narrow-2x", narrow, Chat::new().talk(), nothing);
}

#[test]
fn picture_compact() {
    let mut chat = Chat::new().talk();
    chat.compact = true;
    picture(
        "timeline-compact",
        Picture {
            size: [900.0, 560.0],
            ..LIGHT
        },
        chat,
        nothing,
    );
}

#[test]
fn picture_empty() {
    picture("timeline-empty", DARK, Chat::new(), nothing);
}

#[test]
fn picture_hostile() {
    let mut chat = Chat::new();
    let tower = format!("t{0}o{0}w{0}er", "\u{301}".repeat(300));
    for (number, nick, text) in [
        (1, "W".repeat(128), "x".repeat(400)),
        (
            2,
            "\u{202E}ecila\u{2066}\n\n".to_owned(),
            "lines\n\n\n\n\n\n\n\n\n\nand lines".to_owned(),
        ),
        (3, "\u{200B}".to_owned(), tower),
        (4, "mallory\u{E001}".to_owned(), "robin ".repeat(60)),
        (
            5,
            "m".to_owned(),
            format!("https://example.org/{}", "long/".repeat(50)),
        ),
    ] {
        let author = u8::try_from(number).expect("small");
        chat.timeline
            .insert(message(number, author, &nick, i64::from(number), &text));
    }
    picture(
        "timeline-hostile",
        Picture {
            size: [480.0, 760.0],
            ..DARK
        },
        chat,
        nothing,
    );
}

#[test]
fn picture_scrolled_up() {
    picture("timeline-scrolled", LIGHT, Chat::new().many(200), |harness| {
        press(harness, Modifiers::NONE, Key::PageUp);
        harness
            .state_mut()
            .timeline
            .insert(message(9_999, 1, "alice", 100_000, "something new"));
        harness.hover_at(egui::pos2(300.0, 200.0));
    });
}

#[test]
fn picture_top() {
    let mut chat = Chat::new().many(200);
    chat.timeline.set_more_before(true);
    picture("timeline-top", DARK, chat, |harness| {
        press(harness, Modifiers::NONE, Key::Home)
    });
}

#[test]
fn picture_menu() {
    picture("timeline-menu", LIGHT, Chat::new().talk(), |harness| {
        harness
            .get_by_label_contains("13:51: Two alices?")
            .click_secondary();
        harness.run();
        harness.get_by_label("Mention carol").hover();
    });
}

#[test]
fn picture_selected() {
    picture("timeline-selected", DARK, Chat::new().talk(), |harness| {
        harness.drag_at(egui::pos2(200.0, 100.0));
        harness.run();
        harness.hover_at(egui::pos2(200.0, 200.0));
        harness.run();
        harness.drop_at(egui::pos2(200.0, 200.0));
    });
}

#[test]
fn picture_completion() {
    picture("composer-completion", DARK, Chat::new().talk(), |harness| {
        type_into(harness, "/b")
    });
}

#[test]
fn picture_too_long() {
    picture("composer-too-long", LIGHT, Chat::new().talk(), |harness| {
        harness.state_mut().composer = Composer::with_draft("line of a long text\n".repeat(41));
        type_into(harness, "!");
        press(harness, Modifiers::NONE, Key::Enter);
    });
}
