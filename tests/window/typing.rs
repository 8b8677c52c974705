//! What is typed within one frame takes effect in its order, as it does key by key: a slow machine has whole words in a
//! frame.

use egui::{Event, Key, Modifiers};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};
use throng::id::ChatId;
use throng::model::{ChatCommand, Command, Status};

use crate::stage::*;

/// What somebody does at the keyboard.
#[derive(Debug, Clone)]
enum Stroke {
    Type(&'static str),
    Press(Modifiers, Key),
    Paste(&'static str),
}

use Stroke::{Paste, Press, Type};

const NONE: Modifiers = Modifiers::NONE;
const ENTER: Stroke = Press(NONE, Key::Enter);
const NEXT_CHAT: Stroke = Press(Modifiers::COMMAND, Key::Tab);

/// The events that a window system sends for it.
fn events(strokes: &[Stroke]) -> Vec<Event> {
    let mut events = Vec::new();
    for stroke in strokes {
        match stroke {
            Type(text) => text.chars().for_each(|letter| letter_events(letter, &mut events)),
            Press(modifiers, key) => {
                if modifiers.any() {
                    events.push(Event::ModifiersChanged(*modifiers));
                }
                events.extend([true, false].map(|pressed| key_event(*key, *modifiers, pressed)));
                if modifiers.any() {
                    events.push(Event::ModifiersChanged(NONE));
                }
            }
            Paste(text) => events.push(Event::Paste((*text).to_owned())),
        }
    }
    events
}

fn letter_events(letter: char, events: &mut Vec<Event>) {
    let name = if letter == ' ' {
        "Space".to_owned()
    } else {
        letter.to_uppercase().collect()
    };
    let key = Key::from_name(&name);
    events.extend(key.map(|key| key_event(key, NONE, true)));
    events.push(Event::Text(letter.to_string()));
    events.extend(key.map(|key| key_event(key, NONE, false)));
}

fn key_event(key: Key, modifiers: Modifiers, pressed: bool) -> Event {
    Event::Key {
        key,
        physical_key: None,
        pressed,
        repeat: false,
        modifiers,
    }
}

/// Two chats, "boat" in front, with Ann and Ben in both.
fn window() -> (Window, [ChatId; 2]) {
    let mut window = Window::open();
    let chats = [window.add_chat(1, "boat"), window.add_chat(2, "garden")];
    window.go_to("garden");
    window.go_to("boat");
    window.node.take_sent();
    (window, chats)
}

/// Hands these events over in one frame.
fn frame(window: &mut Window, events: &[Event]) {
    window.harness.input_mut().events.extend_from_slice(events);
    window.harness.step();
}

/// What came of it: what was sent, and what stands in the composer in front.
fn outcome(window: &mut Window) -> (Vec<Command>, Option<String>, String) {
    window.harness.run();
    let sent = window.node.take_sent().into_iter().filter(|command| {
        !matches!(
            command,
            Command::Chat {
                command: ChatCommand::SaveDraft { .. },
                ..
            } | Command::SaveWorkspace { .. }
                | Command::Chat {
                    command: ChatCommand::MarkRead { .. },
                    ..
                }
                | Command::Chat {
                    command: ChatCommand::History { .. },
                    ..
                }
        )
    });
    let typed = window.has("Message").then(|| window.control("Message").value());
    (sent.collect(), typed.flatten(), window.title())
}

/// What comes of it when every event has a frame of its own, and the window is at rest before the next.
fn key_by_key(strokes: &[Stroke]) -> (Vec<Command>, Option<String>, String) {
    let (mut window, _) = window();
    for event in events(strokes) {
        frame(&mut window, &[event]);
        window.harness.run();
    }
    outcome(&mut window)
}

fn in_one_frame(strokes: &[Stroke]) -> (Vec<Command>, Option<String>, String) {
    let (mut window, _) = window();
    frame(&mut window, &events(strokes));
    outcome(&mut window)
}

fn say(chat: ChatId, text: &str) -> Command {
    ChatCommand::Say {
        text: text.to_owned(),
    }
    .to(chat)
}

#[test]
fn enter_sends_all_that_was_typed_before_it_in_the_same_frame() {
    let [boat, garden] = window().1;
    let (sent, typed, _) = in_one_frame(&[Type("see you then"), ENTER]);
    assert_eq!(sent, [say(boat, "see you then")]);
    assert_eq!(typed.as_deref(), Some(""));

    let several = [
        Type("one"),
        ENTER,
        Type("two"),
        Press(Modifiers::SHIFT, Key::Enter),
        Type("lines"),
        ENTER,
        NEXT_CHAT,
        Type("three"),
        ENTER,
        Paste("pasted"),
        ENTER,
        Type("rest"),
    ];
    let (sent, typed, title) = in_one_frame(&several);
    let expected = [
        say(boat, "one"),
        say(boat, "two\nlines"),
        say(garden, "three"),
        say(garden, "pasted"),
    ];
    assert_eq!(sent, expected);
    assert_eq!(typed.as_deref(), Some("rest"));
    assert_eq!(title, "garden — Throng");
}

#[test]
fn what_is_typed_after_a_key_that_opens_something_goes_there() {
    let create = [Press(Modifiers::COMMAND, Key::N), Type("shed"), ENTER];
    let (sent, ..) = in_one_frame(&create);
    assert!(
        matches!(&sent[..], [Command::CreateChat { name, .. }, ..] if name == "shed"),
        "{sent:?}"
    );

    let [_, garden] = window().1;
    let switch = [
        Press(Modifiers::COMMAND, Key::K),
        Type("gar"),
        ENTER,
        Type("here"),
        ENTER,
    ];
    assert_eq!(in_one_frame(&switch).0, [say(garden, "here")]);

    let (_, _, title) = in_one_frame(&[Type("draft"), Press(Modifiers::ALT, Key::Num1), Type("x")]);
    assert_eq!(title, "garden — Throng");
}

#[test]
fn every_key_of_the_composer_waits_for_its_turn() {
    let [boat, _] = window().1;
    // Completion, by Tab and by picking from the list.
    let (sent, ..) = in_one_frame(&[Type("An"), Press(NONE, Key::Tab), Type("ahoy"), ENTER]);
    assert_eq!(sent, [say(boat, "Ann: ahoy")]);
    let pick = [
        Type("/b"),
        Press(NONE, Key::ArrowDown),
        ENTER,
        ENTER,
        Type("back soon"),
        ENTER,
    ];
    let (sent, ..) = in_one_frame(&pick);
    let busy = ChatCommand::SetStatus { status: Status::Busy }.to(boat);
    assert_eq!(sent, [busy, say(boat, "back soon")]);
    // The lines sent before.
    let recall = [
        Type("one"),
        ENTER,
        Press(NONE, Key::ArrowUp),
        Type(" more"),
        ENTER,
    ];
    assert_eq!(in_one_frame(&recall).0, [say(boat, "one"), say(boat, "one more")]);
    // Esc sends the list away, and what goes on is not completed.
    let dismiss = [Type("/b"), Press(NONE, Key::Escape), Type("usy"), ENTER];
    let (sent, ..) = in_one_frame(&dismiss);
    assert!(
        matches!(
            &sent[..],
            [Command::Chat {
                command: ChatCommand::SetStatus { .. },
                ..
            }]
        ),
        "{sent:?}"
    );
}

/// Strokes of a fast typist, at random.
fn strokes(random: &mut ChaCha8Rng) -> Vec<Stroke> {
    let choices: [&[Stroke]; 13] = [
        &[Type("see you then"), ENTER],
        &[Type("ok"), ENTER],
        &[
            Type("two"),
            Press(Modifiers::SHIFT, Key::Enter),
            Type("lines"),
            ENTER,
        ],
        &[Type("Be"), Press(NONE, Key::Tab), Type("yes"), ENTER],
        &[Type("@an"), Press(NONE, Key::ArrowDown), ENTER, ENTER],
        &[Paste("pasted words"), ENTER],
        &[Press(NONE, Key::ArrowUp), Type("!"), ENTER],
        &[Type("unsent "), NEXT_CHAT],
        &[Press(Modifiers::ALT, Key::Num2), Type("first")],
        &[Press(Modifiers::COMMAND, Key::K), Type("garden"), ENTER],
        &[Press(NONE, Key::Escape), Type("on")],
        &[Press(NONE, Key::Backspace), Press(NONE, Key::Home), Type("so ")],
        &[Type("/topic boats"), ENTER],
    ];
    let mut strokes = Vec::new();
    for _ in 0..5 {
        let choice = random.next_u32() as usize % choices.len();
        strokes.extend_from_slice(choices[choice]);
    }
    strokes
}

#[test]
#[allow(clippy::print_stdout, reason = "a failure is run again with its seed")]
fn however_the_keys_fall_into_frames_the_outcome_is_the_same() {
    let seed = std::env::var("THRONG_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(1);
    println!("THRONG_SEED={seed}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..4 {
        let strokes = strokes(&mut random);
        let expected = key_by_key(&strokes);
        for longest in [3, 12, 400] {
            let (mut window, _) = window();
            let events = events(&strokes);
            let mut rest = &events[..];
            while !rest.is_empty() {
                let length = 1 + random.next_u32() as usize % longest;
                let (now, later) = rest.split_at(length.min(rest.len()));
                frame(&mut window, now);
                rest = later;
            }
            assert_eq!(
                outcome(&mut window),
                expected,
                "at most {longest} at a time: {strokes:?}"
            );
        }
    }
}
