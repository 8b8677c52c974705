//! The composer, by the names that a screen reader hears.

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use throng::ui::composer::{Composer, SlashCommand, Submission};

use super::chat::{Chat, harness, press, submitted, type_into};

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
