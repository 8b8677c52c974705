//! How what was said is cut into spans to be compared. A span is a range of hlc; see [`ArchiveQuery`](super::super::ArchiveQuery).

use std::ops::Range;

use super::super::archive::HOUR;
use crate::wire::MAX_COMPARED;

/// The last day by hours, this one and so many before it.
const HOURS: u64 = 22;

/// Then the last week by days, and what is older up to so many hours ago: 30, 90 and 365 days. Guesses.
const OLDER_HOURS: [u64; 9] = [48, 72, 96, 120, 144, 168, 30 * 24, 90 * 24, 365 * 24];

/// All from an hlc on, cut for the first comparison: a datagram full at most. The last span has no end.
pub(super) fn all_since(since: u64, now_ms: u64) -> Vec<Range<u64>> {
    let this_hour = hour_of(now_ms << 16);
    let ago = |hours: u64| this_hour.saturating_sub(hours.saturating_mul(HOUR));
    let older = OLDER_HOURS.iter().rev().map(|hours| ago(*hours));
    let mut cuts: Vec<u64> = older.chain((0..=HOURS).rev().map(ago)).collect();
    // What does not begin with an hour is compared by itself up to the next one.
    cuts.push(next_hour(since));
    cuts.sort_unstable();
    cut(since..u64::MAX, &cuts)
}

/// A span longer than an hour in pieces of whole hours, as equal as can be and as many as can be compared at once; none if it
/// is not longer.
pub(super) fn by_hours(span: &Range<u64>, now_ms: u64) -> Option<Vec<Range<u64>>> {
    let first = next_hour(span.start);
    let last = hour_of(span.end.min((now_ms << 16).saturating_add(HOUR)));
    if last <= first && (hour_of(span.start) == hour_of(span.end.saturating_sub(1)) || first >= span.end) {
        return None;
    }
    let hours = last.saturating_sub(first) / HOUR;
    let pieces = (MAX_COMPARED as u64 - 2).min(hours.max(1));
    let cuts: Vec<u64> = (0..=pieces)
        .map(|piece| first + hours * piece / pieces * HOUR)
        .collect();
    let pieces = cut(span.clone(), &cuts);
    (pieces.len() > 1).then_some(pieces)
}

/// A span in pieces that hold about as many of these hlcs (descending) each, as many pieces as can be compared at once.
pub(super) fn by_counts(span: &Range<u64>, newest_first: &[u64], in_each: usize) -> Vec<Range<u64>> {
    let in_each = in_each.max(newest_first.len().div_ceil(MAX_COMPARED - 1));
    let mut cuts: Vec<u64> = newest_first
        .chunks(in_each)
        .filter_map(<[u64]>::last)
        .copied()
        .collect();
    cuts.reverse();
    cut(span.clone(), &cuts)
}

/// Of spans that differ, those that follow on each other and in which nothing is held here are fetched as one. Others are not joined: what
/// was cut would be put together again, and cut again.
pub(super) fn join_empty(spans: impl IntoIterator<Item = (Range<u64>, bool)>) -> Vec<Range<u64>> {
    let mut joined: Vec<(Range<u64>, bool)> = Vec::new();
    for (span, is_empty) in spans {
        match joined.last_mut() {
            Some((last, true)) if is_empty && last.end == span.start => last.end = span.end,
            _ => joined.push((span, is_empty)),
        }
    }
    joined.into_iter().map(|(span, _)| span).collect()
}

/// What follows on each other, joined.
#[cfg(test)]
fn join(spans: impl IntoIterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let mut joined: Vec<Range<u64>> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last) if last.end == span.start => last.end = span.end,
            _ => joined.push(span),
        }
    }
    joined
}

/// The part of some spans from an hlc on. What does not begin with an hour has no fingerprint in common with what does, so it is cut off
/// at the next one.
pub(super) fn from(spans: &[Range<u64>], start: u64) -> Vec<Range<u64>> {
    let mut left = Vec::new();
    for span in spans.iter().filter(|span| span.end > start) {
        if span.start >= start {
            left.push(span.clone());
        } else {
            left.extend(cut(start..span.end, &[next_hour(start)]));
        }
    }
    left
}

fn cut(span: Range<u64>, cuts: &[u64]) -> Vec<Range<u64>> {
    let mut pieces = Vec::new();
    let mut start = span.start;
    for &at in cuts {
        if at > start && at < span.end {
            pieces.push(start..at);
            start = at;
        }
    }
    if start < span.end {
        pieces.push(start..span.end);
    }
    pieces
}

fn hour_of(hlc: u64) -> u64 {
    hlc - hlc % HOUR
}

fn next_hour(hlc: u64) -> u64 {
    hlc.div_ceil(HOUR).saturating_mul(HOUR)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_795_350_123_456;

    fn assert_follow(spans: &[Range<u64>], whole: &Range<u64>) {
        assert_eq!(join(spans.iter().cloned()), vec![whole.clone()]);
        assert!(spans.len() <= MAX_COMPARED, "{} spans", spans.len());
        assert!(spans.iter().all(|span| span.start < span.end));
    }

    #[test]
    fn whatever_is_held_is_compared_whole_in_one_datagram() {
        let ago = |hours: u64| (NOW_MS << 16) - hours * HOUR - 77;
        for since in [0, 1, ago(0), ago(1), ago(30), ago(24 * 8), ago(24 * 4_000)] {
            let spans = all_since(since, NOW_MS);
            assert_follow(&spans, &(since..u64::MAX));
            let whole_hours = spans[1..].iter().all(|span| span.start % HOUR == 0);
            assert!(whole_hours, "but where it begins");
        }
    }

    #[test]
    fn long_spans_are_cut_by_hours_down_to_one() {
        let day = (NOW_MS << 16) / HOUR * HOUR - 24 * HOUR;
        for span in [
            day..day + 24 * HOUR,
            0..day,
            day + 5..day + 2 * HOUR,
            day..u64::MAX,
        ] {
            let pieces = by_hours(&span, NOW_MS).expect("longer than an hour");
            assert_follow(&pieces, &span);
        }
        assert_eq!(by_hours(&(day..day + HOUR), NOW_MS), None);
        assert_eq!(by_hours(&(day + 7..day + HOUR - 7), NOW_MS), None);
        let two = by_hours(&(day..day + 2 * HOUR), NOW_MS);
        assert_eq!(two, Some(vec![day..day + HOUR, day + HOUR..day + 2 * HOUR]));
    }

    #[test]
    fn an_hour_is_cut_by_what_is_held_of_it() {
        let hlcs: Vec<u64> = (0..1_000).rev().map(|n| 500 + n * 3).collect();
        let pieces = by_counts(&(0..10_000), &hlcs, 25);
        assert_follow(&pieces, &(0..10_000));
        assert!(pieces.len() > 30, "{} pieces", pieces.len());
        let same: Vec<u64> = vec![700; 200];
        assert_follow(&by_counts(&(0..10_000), &same, 25), &(0..10_000));
    }
}
