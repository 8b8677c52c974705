//! Waiting for the system's file dialog, which may never answer.

use std::time::Duration;

use crate::ui::files::FileAnswer;

/// After this long without an answer the user is told of the other ways (a guess: nobody looks for a dialog that
/// is not there for longer).
const SILENT_AFTER: Duration = Duration::from_secs(10);

/// A file dialog that may be open.
#[derive(Debug, Default)]
pub(super) struct FileWait {
    asked: Option<(u64, Duration)>,
    unavailable: bool,
}

impl FileWait {
    /// A dialog was asked for.
    pub(super) fn begin(&mut self, ticket: u64, now: Duration) {
        self.asked = Some((ticket, now));
        self.unavailable = false;
    }

    /// Whether the answer with this ticket is the one waited for; then it is waited for no more.
    pub(super) fn ends(&mut self, ticket: u64, answer: &FileAnswer) -> bool {
        let is_it = self.asked.is_some_and(|(asked, _)| asked == ticket);
        if is_it {
            self.asked = None;
            self.unavailable = *answer == FileAnswer::Unavailable;
        }
        is_it
    }

    /// Whether another dialog may be asked for: none is open, or it has been silent for long.
    pub(super) fn may_ask(&self, now: Duration) -> bool {
        self.asked.is_none_or(|(_, since)| now >= since + SILENT_AFTER)
    }

    /// What the user should know, ending in the other ways that there are.
    pub(super) fn hint(&self, now: Duration, instead: &str) -> Option<String> {
        if self.unavailable {
            Some(format!("This system has no file dialog to show. {instead}"))
        } else if !self.may_ask(now) || self.asked.is_none() {
            None
        } else {
            Some(format!(
                "The file dialog has not answered. If you can't see it: {}",
                lower_first(instead)
            ))
        }
    }

    /// When [`Self::hint`] changes by itself.
    pub(super) fn next_change(&self) -> Option<Duration> {
        self.asked.map(|(_, since)| since + SILENT_AFTER)
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_dialog_is_noted_and_does_not_bar_another() {
        let mut wait = FileWait::default();
        let at = Duration::from_secs;
        assert!(wait.may_ask(at(0)));
        wait.begin(1, at(5));
        assert!(!wait.may_ask(at(6)));
        assert_eq!(wait.hint(at(14), "Type."), None);
        assert!(
            wait.hint(at(15), "Type.")
                .is_some_and(|hint| hint.ends_with("type."))
        );
        assert!(wait.may_ask(at(15)));
        wait.begin(2, at(16));
        assert!(!wait.ends(1, &FileAnswer::Cancelled));
        assert!(wait.ends(2, &FileAnswer::Unavailable));
        assert!(wait.hint(at(17), "Type.").is_some());
        wait.begin(3, at(18));
        assert!(wait.ends(3, &FileAnswer::Cancelled));
        assert_eq!(wait.hint(at(19), "Type."), None);
    }
}
