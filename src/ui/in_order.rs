//! What is typed and clicked within one frame takes effect in its order.
//!
//! egui hands all input of a frame to every widget at once, and each looks for what concerns it: a composer that
//! looks for Enter finds it before its text field has seen the letters typed ahead of it, and the letters typed after
//! Ctrl+Tab go to the chat that was in front before. On a slow machine a frame is long enough for whole words.
//!
//! So [`InOrder`] cuts the input of a frame into runs within which the order does not matter: letters, or one key that
//! does something. Each run gets a pass of its own of the same frame; only the last pass is painted. What a key
//! does may take a pass to take effect (a dialog opens, the keyboard goes to another field): the next run waits for it.

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use egui::{Context, Event, Id, Key, Plugin, RawInput, Ui};

/// Passes of a frame at most; what is left then comes in the next frame. A line and its Enter take three. A guess: some
/// ms of work on a frame that takes 70 ms to draw where it is slow.
const MAX_PASSES: NonZeroUsize = NonZeroUsize::new(12).expect("not zero");

/// Passes that input waits at most for what came before it to take effect: a dialog that opens takes two.
const MAX_HELD: u8 = 4;

/// Hands out what was typed and clicked in its order.
#[derive(Debug, Default)]
pub(super) struct InOrder {
    /// What came and was not handed out yet.
    waiting: VecDeque<Event>,
    /// Something was asked for in this pass that takes effect in the next one.
    is_busy: bool,
    /// What had the keyboard at the end of the pass before.
    focus: Option<Id>,
    /// For how many passes in a row input has been waiting for something to take effect; 0: it does not.
    held: u8,
}

/// What becomes of an event in a run.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// It goes with any other.
    Passive,
    /// It goes with others of its kind, which a text field takes in their order.
    Typed,
    /// It ends a run, and begins one if something was typed before it.
    Deed,
}

/// Has the window of `ctx` take input in its order.
pub(super) fn install(ctx: &Context) {
    ctx.options_mut(|options| options.max_passes = MAX_PASSES);
    ctx.add_plugin(InOrder::default());
}

/// Has further input wait for the next pass, in which something that was asked for takes effect.
pub(super) fn wait_a_pass(ctx: &Context) {
    ctx.with_plugin(|in_order: &mut InOrder| in_order.is_busy = true);
}

impl Plugin for InOrder {
    fn debug_name(&self) -> &'static str {
        "input in order"
    }

    fn input_hook(&mut self, ctx: &Context, input: &mut RawInput) {
        self.waiting.extend(input.events.drain(..));
        if self.held == 0 {
            input.events = next_run(&mut self.waiting, ctx.text_edit_focused());
        }
    }

    fn on_end_pass(&mut self, ui: &mut Ui) {
        let focus = ui.memory(egui::Memory::focused);
        let has_settled = !std::mem::take(&mut self.is_busy) && focus == self.focus;
        self.focus = focus;
        self.held = match self.held {
            _ if has_settled => 0,
            MAX_HELD => 0,
            held => held + 1,
        };
        if !self.waiting.is_empty() {
            ui.ctx().request_discard("more input of the same frame");
            if !ui.ctx().will_discard() {
                ui.ctx().request_repaint();
            }
        }
    }
}

/// Takes the next run of events. `in_text`: a text field has the keyboard.
fn next_run(waiting: &mut VecDeque<Event>, in_text: bool) -> Vec<Event> {
    let mut run = Vec::new();
    let mut was_typed = false;
    while let Some(event) = waiting.pop_front() {
        match kind(&event, in_text) {
            Kind::Passive => run.push(event),
            Kind::Typed => {
                was_typed = true;
                run.push(event);
            }
            Kind::Deed if was_typed => {
                waiting.push_front(event);
                break;
            }
            Kind::Deed => {
                let with_letter = is_alt_letter(&event);
                run.push(event);
                // With Alt a key's letter comes as well: it belongs to the key.
                let letter = waiting.pop_front_if(|next| with_letter && matches!(next, Event::Text(_)));
                run.extend(letter);
                // So that letting go of a key does not take a pass of its own.
                while let Some(release) = waiting.pop_front_if(|next| is_release(next)) {
                    run.push(release);
                }
                break;
            }
        }
    }
    run
}

fn kind(event: &Event, in_text: bool) -> Kind {
    match event {
        Event::Key { pressed: false, .. } => Kind::Passive,
        Event::Key { key, modifiers, .. } => {
            let is_command = modifiers.alt || modifiers.ctrl || modifiers.command || modifiers.mac_cmd;
            if is_command || !edits_text(*key, in_text) {
                Kind::Deed
            } else {
                Kind::Typed
            }
        }
        // Without a field to go to it is looked at by the window.
        Event::Paste(_) if !in_text => Kind::Deed,
        Event::Text(_)
        | Event::Ime(_)
        | Event::Copy
        | Event::Cut
        | Event::Paste(_)
        | Event::MiddleClickPaste { .. } => Kind::Typed,
        Event::PasteImage(_) | Event::PointerButton { .. } | Event::AccessKitActionRequest(_) => Kind::Deed,
        _ => Kind::Passive,
    }
}

/// Whether a key without modifiers is one that a text field takes in its order, and that nobody else looks for.
fn edits_text(key: Key, in_text: bool) -> bool {
    match key {
        Key::Enter | Key::Tab | Key::Escape | Key::ArrowUp | Key::ArrowDown | Key::PageUp | Key::PageDown => {
            false
        }
        // Outside of a field they press what has the keyboard, or move what is seen.
        Key::Space | Key::Home | Key::End | Key::ArrowLeft | Key::ArrowRight => in_text,
        key => !(Key::F1..=Key::F35).contains(&key),
    }
}

fn is_alt_letter(event: &Event) -> bool {
    matches!(event, Event::Key { key, modifiers, .. } if modifiers.alt && edits_text(*key, true))
}

fn is_release(event: &Event) -> bool {
    matches!(event, Event::Key { pressed: false, .. })
}

#[cfg(test)]
mod tests {
    use egui::Modifiers;

    use super::*;

    fn key(key: Key, modifiers: Modifiers) -> Event {
        Event::Key {
            key,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers,
        }
    }

    fn release(of: Key) -> Event {
        let mut event = key(of, Modifiers::NONE);
        if let Event::Key { pressed, .. } = &mut event {
            *pressed = false;
        }
        event
    }

    fn text(text: &str) -> Event {
        Event::Text(text.to_owned())
    }

    /// The lengths of the runs.
    fn runs(events: Vec<Event>, in_text: bool) -> Vec<usize> {
        let mut waiting = VecDeque::from(events);
        let mut lengths = Vec::new();
        while !waiting.is_empty() {
            lengths.push(next_run(&mut waiting, in_text).len());
        }
        lengths
    }

    #[test]
    fn letters_go_together_and_what_does_something_goes_alone() {
        let none = Modifiers::NONE;
        let typed = vec![
            key(Key::H, none),
            text("h"),
            release(Key::H),
            key(Key::Backspace, none),
            key(Key::Space, none),
            text(" "),
            key(Key::Enter, none),
            release(Key::Enter),
            text("i"),
            key(Key::Enter, Modifiers::SHIFT),
            key(Key::ArrowUp, none),
        ];
        assert_eq!(runs(typed, true), [6, 2, 1, 1, 1]);
    }

    #[test]
    fn the_letter_of_an_alt_key_stays_with_it_and_the_next_does_not() {
        let typed = vec![
            text("a"),
            key(Key::Num1, Modifiers::ALT),
            text("1"),
            text("b"),
            key(Key::ArrowDown, Modifiers::ALT),
            text("c"),
        ];
        assert_eq!(runs(typed, true), [1, 2, 1, 1, 1]);
    }

    #[test]
    fn outside_of_a_field_a_space_and_a_paste_do_something() {
        let events = || {
            vec![
                text("a"),
                key(Key::Space, Modifiers::NONE),
                Event::Paste("b".to_owned()),
                text("c"),
            ]
        };
        assert_eq!(runs(events(), true), [4]);
        assert_eq!(runs(events(), false), [1, 1, 1, 1]);
    }
}
