//! Lines sent before, which Up brings back. Every line, also the unsent one, can be edited and keeps its edits until
//! something is sent, so that looking around loses nothing that was typed.

/// How many sent lines are kept.
const MAX_LINES: usize = 100;

/// The lines sent before, and the one being written.
#[derive(Debug, Default)]
pub(super) struct History {
    /// As sent, the oldest first.
    sent: Vec<String>,
    /// The same with edits, and the unsent line last; empty until somebody looks around.
    edited: Vec<String>,
    at: usize,
}

impl History {
    /// Goes to the line before, keeping `current`. `None` if there is none.
    pub(super) fn older(&mut self, current: &str) -> Option<&str> {
        if self.edited.is_empty() {
            self.edited.clone_from(&self.sent);
            self.edited.push(String::new());
            self.at = self.sent.len();
        }
        let older = self.at.checked_sub(1)?;
        self.go(older, current)
    }

    /// Goes to the line after, keeping `current`. `None` if this is the last.
    pub(super) fn newer(&mut self, current: &str) -> Option<&str> {
        let newer = self.at + 1;
        if newer < self.edited.len() {
            self.go(newer, current)
        } else {
            None
        }
    }

    /// A line was sent.
    pub(super) fn push(&mut self, line: &str) {
        self.edited.clear();
        if self.sent.last().is_some_and(|last| last == line) {
            return;
        }
        if self.sent.len() == MAX_LINES {
            self.sent.remove(0);
        }
        self.sent.push(line.to_owned());
    }

    fn go(&mut self, to: usize, current: &str) -> Option<&str> {
        current.clone_into(&mut self.edited[self.at]);
        self.at = to;
        self.edited.get(to).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_around_loses_nothing() {
        let mut history = History::default();
        assert_eq!(history.older("draft"), None);
        history.push("one");
        history.push("two");
        history.push("two");
        assert_eq!(history.older("draft"), Some("two"));
        assert_eq!(history.older("two, edited"), Some("one"));
        assert_eq!(history.older("one"), None);
        assert_eq!(history.newer("one"), Some("two, edited"));
        assert_eq!(history.newer("two, edited"), Some("draft"));
        assert_eq!(history.newer("draft"), None);
        history.push("three");
        assert_eq!(history.older(""), Some("three"));
        assert_eq!(
            history.older("three"),
            Some("two"),
            "edits are forgotten once something is sent"
        );
    }

    #[test]
    fn the_oldest_lines_go() {
        let mut history = History::default();
        for line in 0..250 {
            history.push(&line.to_string());
        }
        assert_eq!(history.sent.len(), MAX_LINES);
        assert_eq!(history.older(""), Some("249"));
    }
}
