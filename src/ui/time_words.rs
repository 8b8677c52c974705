//! Spans of time in words.

use std::time::Duration;

const MINUTE_SECS: u64 = 60;
const HOUR_SECS: u64 = 60 * MINUTE_SECS;
const DAY_SECS: u64 = 24 * HOUR_SECS;

/// A span in the largest unit of which it holds nearly two, or about one, rounded: "90 seconds", "2 minutes".
pub(super) fn span_words(span: Duration) -> String {
    let secs = span.as_secs_f64().round() as u64;
    let units = [(DAY_SECS, "day"), (HOUR_SECS, "hour"), (MINUTE_SECS, "minute")];
    for (unit, name) in units {
        // One and a half is better said in the smaller unit.
        if secs * 10 >= unit * 18 || secs.abs_diff(unit) * 10 <= unit {
            return counted((secs + unit / 2) / unit, name);
        }
    }
    counted(secs, "second")
}

/// "1 person", "2 persons": a number and its word, with an s for all but one.
pub(super) fn counted(number: u64, word: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {word}{s}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_in_the_unit_that_suits_them() {
        for (secs, words) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (53, "53 seconds"),
            (64, "1 minute"),
            (90, "90 seconds"),
            (118, "2 minutes"),
            (100 * 60, "100 minutes"),
            (2 * HOUR_SECS, "2 hours"),
            (DAY_SECS, "1 day"),
            (7 * DAY_SECS - 5, "7 days"),
        ] {
            assert_eq!(span_words(Duration::from_secs(secs)), words);
        }
    }
}
