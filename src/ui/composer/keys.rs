//! The composer's keys: those that are not for the text itself, and what they do to it.

use egui::{Event, ImeEvent, InputState, Key, Modifiers, Ui};

use super::completion::{Candidate, Names};
use super::{Composer, ComposerAction, ComposerContext, Offered, command, completion};

/// Letters typed while nothing has the keyboard are meant for here.
pub(super) fn take_keyboard(ui: &Ui, composer: &mut Composer) {
    let idle = ui.memory(|memory| memory.focused().is_none() && memory.allows_interaction(ui.layer_id()));
    let typed = || ui.input(|input| input.events.iter().any(|event| matches!(event, Event::Text(_))));
    if std::mem::take(&mut composer.wants_focus) || (idle && typed()) {
        if !ui.memory(|memory| memory.has_focus(composer.id)) {
            composer.set_cursor(ui, composer.text.len());
        }
        ui.memory_mut(|memory| memory.request_focus(composer.id));
    }
}

/// Takes the keys that are not for the text itself, before the text sees them.
pub(super) fn keys(
    ui: &Ui,
    composer: &mut Composer,
    context: &ComposerContext<'_>,
    actions: &mut Vec<ComposerAction>,
) {
    if !ui.memory(|memory| memory.has_focus(composer.id)) {
        composer.completion = None;
        composer.composing = false;
        return;
    }
    let was_composing = composer.composing;
    ui.input(|input| {
        for event in &input.events {
            match event {
                Event::Ime(ImeEvent::Preedit { text, .. }) => composer.composing = !text.is_empty(),
                Event::Ime(ImeEvent::Commit(_)) => composer.composing = false,
                _ => {}
            }
        }
    });
    if was_composing || composer.composing {
        return;
    }
    let pressed = |modifiers, key| ui.input_mut(|input| consume(input, modifiers, key));
    if composer.completion.is_some() {
        if pressed(Modifiers::NONE, Key::Escape) {
            composer.dismissed = composer
                .completion
                .take()
                .map(|offered| word_of(composer, &offered).to_owned());
        }
        for (key, step) in [(Key::ArrowDown, 1), (Key::ArrowUp, -1)] {
            if composer.completion.is_some() && pressed(Modifiers::NONE, key) {
                choose(composer, step);
            }
        }
    }
    if pressed(Modifiers::NONE, Key::Tab) {
        tab(ui, composer, context, 1);
    }
    if pressed(Modifiers::SHIFT, Key::Tab) {
        tab(ui, composer, context, -1);
    }
    if pressed(Modifiers::NONE, Key::Enter) {
        match composer
            .completion
            .as_ref()
            .filter(|offered| offered.picking)
            .map(|offered| offered.chosen)
        {
            Some(chosen) => accept(ui, composer, chosen),
            None => submit(ui, composer, context, actions),
        }
    }
    if composer.on_edge.0 && ui.input(|input| holds(input, Key::ArrowUp)) {
        let older = composer.history.older(&composer.text).map(str::to_owned);
        recall(ui, composer, older, Key::ArrowUp);
    }
    if composer.on_edge.1 && ui.input(|input| holds(input, Key::ArrowDown)) {
        let newer = composer.history.newer(&composer.text).map(str::to_owned);
        recall(ui, composer, newer, Key::ArrowDown);
    }
}

/// Like `consume_key`, but Shift+Enter is not Enter.
fn consume(input: &mut InputState, wanted: Modifiers, key: Key) -> bool {
    let count = input.events.len();
    input.events.retain(|event| {
        !matches!(event, Event::Key { key: pressed_key, modifiers, pressed: true, .. }
            if *pressed_key == key && modifiers.matches_exact(wanted))
    });
    input.events.len() < count
}

fn holds(input: &InputState, wanted: Key) -> bool {
    input.events.iter().any(|event| {
        matches!(event, Event::Key { key, modifiers, pressed: true, .. } if *key == wanted && modifiers.is_none())
    })
}

/// Takes a line of the history, and with it the key that asked for it.
fn recall(ui: &Ui, composer: &mut Composer, line: Option<String>, key: Key) {
    if let Some(line) = line {
        ui.input_mut(|input| consume(input, Modifiers::NONE, key));
        composer.set_text(ui, line);
        composer.completion = None;
        composer.dismissed = None;
    }
}

pub(super) fn submit(
    ui: &Ui,
    composer: &mut Composer,
    context: &ComposerContext<'_>,
    actions: &mut Vec<ComposerAction>,
) {
    if composer.text.trim().is_empty() {
        return;
    }
    if composer.is_too_long(context.limit_bytes) {
        composer.problem = Some("This is too long for one message. Send it in parts.".to_owned());
        return;
    }
    match command::parse(&composer.text) {
        Ok(submission) => {
            composer.history.push(composer.text.trim());
            composer.completion = None;
            composer.dismissed = None;
            composer.problem = None;
            composer.set_text(ui, String::new());
            actions.push(ComposerAction::Submit(submission));
        }
        Err(problem) => composer.problem = Some(problem),
    }
}

/// Tab completes, and goes on through the candidates; with nothing to complete it moves the keyboard on.
fn tab(ui: &Ui, composer: &mut Composer, context: &ComposerContext<'_>, step: isize) {
    let cycling = composer
        .completion
        .as_ref()
        .is_some_and(|offered| offered.cycling);
    if !cycling {
        let asked = composer
            .cursor(ui)
            .and_then(|cursor| completion::complete(&composer.text, cursor, &names(context), true));
        let chosen = composer.completion.as_ref().map_or(0, |offered| offered.chosen);
        match asked {
            Some(completion) => {
                let chosen = chosen.min(completion.candidates.len() - 1);
                composer.completion = Some(Offered {
                    completion,
                    chosen,
                    cycling: true,
                    picking: false,
                });
            }
            None => {
                composer.completion = None;
                let forward = step > 0;
                let direction = if forward {
                    egui::FocusDirection::Next
                } else {
                    egui::FocusDirection::Previous
                };
                ui.memory_mut(|memory| memory.move_focus(direction));
                return;
            }
        }
    } else {
        choose(composer, step);
    }
    replace_word(ui, composer);
    // One way to complete it: it is done.
    if composer
        .completion
        .as_ref()
        .is_some_and(|offered| offered.completion.candidates.len() == 1)
    {
        composer.completion = None;
    }
}

fn names<'a>(context: &ComposerContext<'a>) -> Names<'a> {
    Names {
        nicks: context.nicks,
        banned: context.banned_nicks,
    }
}

fn choose(composer: &mut Composer, step: isize) {
    if let Some(offered) = &mut composer.completion {
        let count = offered.completion.candidates.len();
        offered.chosen = (offered.chosen + count).wrapping_add_signed(step) % count;
        offered.picking = !offered.cycling;
    }
}

pub(super) fn accept(ui: &Ui, composer: &mut Composer, candidate: usize) {
    if let Some(offered) = &mut composer.completion {
        offered.chosen = candidate.min(offered.completion.candidates.len() - 1);
        replace_word(ui, composer);
        composer.completion = None;
        composer.focus();
    }
}

/// Puts the chosen candidate in the place of the word, which then is that candidate.
fn replace_word(ui: &Ui, composer: &mut Composer) {
    let Some(Offered {
        completion, chosen, ..
    }) = &mut composer.completion
    else {
        return;
    };
    let Some(Candidate { insert, .. }) = completion.candidates.get(*chosen) else {
        return;
    };
    if composer.text.get(completion.word.clone()).is_none() {
        composer.completion = None;
        return;
    }
    composer.text.replace_range(completion.word.clone(), insert);
    completion.word.end = completion.word.start + insert.len();
    let end = completion.word.end;
    composer.set_cursor(ui, end);
}

fn word_of<'a>(composer: &'a Composer, offered: &Offered) -> &'a str {
    composer
        .text
        .get(offered.completion.word.clone())
        .unwrap_or_default()
}

/// The text has changed: is there a word that could be completed?
pub(super) fn offer(ui: &Ui, composer: &mut Composer, context: &ComposerContext<'_>) {
    composer.completion = None;
    let Some(cursor) = composer.cursor(ui) else { return };
    if let Some((word, emoji)) = completion::closed_emoji(&composer.text, cursor) {
        composer.text.replace_range(word.clone(), emoji);
        composer.set_cursor(ui, word.start + emoji.len());
        return;
    }
    let Some(completion) = completion::complete(&composer.text, cursor, &names(context), false) else {
        composer.dismissed = None;
        return;
    };
    let offered = Offered {
        completion,
        chosen: 0,
        cycling: false,
        picking: false,
    };
    // Sent away once, it stays away for as long as the word goes on.
    let word = word_of(composer, &offered);
    if !composer
        .dismissed
        .as_deref()
        .is_some_and(|dismissed| word.starts_with(dismissed))
    {
        composer.completion = Some(offered);
    }
}
