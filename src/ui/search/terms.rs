//! What the window needs of the text of a search: the words to mark in hits, and completing a nick or a chat's name. The
//! store decides what matches.

use std::ops::Range;

/// So many names are offered at once.
const MAX_OFFERED: usize = 5;

/// A text begins at its beginning if a word is found before this character; two lines hold more.
const EARLY: usize = 48;

/// Otherwise so many characters stand before the first word that was found.
const BEFORE_FOUND: usize = 24;

/// What narrows a search down, each followed by a name or a date.
const FILTERS: [&str; 4] = ["from:", "in:", "before:", "after:"];

/// The words that are searched, in lower case, without what narrows them down.
pub(super) fn words(text: &str) -> Vec<String> {
    pieces(text)
        .into_iter()
        .map(|piece| text[piece].to_lowercase())
        .filter(|piece| !FILTERS.iter().any(|filter| piece.starts_with(filter)))
        .map(|piece| piece.replace('"', ""))
        .filter(|word| !word.is_empty())
        .collect()
}

/// Where the words stand in a text, as ranges of bytes in order that don't overlap.
pub(super) fn found(text: &str, words: &[String]) -> Vec<Range<usize>> {
    // In lower case, with where each letter came from: lower case may be longer or shorter.
    let lower: Vec<(usize, usize, char)> = text
        .char_indices()
        .flat_map(|(at, c)| c.to_lowercase().map(move |lower| (at, at + c.len_utf8(), lower)))
        .collect();
    let mut ranges = Vec::new();
    for word in words {
        let word: Vec<char> = word.chars().collect();
        for window in lower.windows(word.len().max(1)) {
            if window.iter().map(|(_, _, c)| c).eq(word.iter())
                && let (Some(first), Some(last)) = (window.first(), window.last())
            {
                ranges.push(first.0..last.1);
            }
        }
    }
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

/// A text in one line that begins shortly before the first word found.
pub(super) fn excerpt(text: &str, words: &[String]) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some(first) = found(&line, words).into_iter().next() else {
        return line;
    };
    if line[..first.start].chars().count() < EARLY {
        return line;
    }
    let start = line[..first.start]
        .char_indices()
        .rev()
        .nth(BEFORE_FOUND)
        .map_or(0, |(at, _)| at);
    // From the next word on.
    let start = line[start..first.start]
        .find(' ')
        .map_or(start, |space| start + space + 1);
    format!("…{}", &line[start..])
}

/// Names for what is being typed at the end: what takes its place, and the names.
pub(super) fn offered<'a>(
    text: &str,
    nicks: impl Iterator<Item = &'a str>,
    chats: impl Iterator<Item = &'a str>,
) -> Option<(usize, Vec<String>)> {
    let last = pieces(text).pop().filter(|piece| piece.end == text.len())?;
    let piece = &text[last.clone()];
    let filter = ["from:", "in:"]
        .into_iter()
        .find(|filter| starts_with(piece, filter))?;
    let typed = piece[filter.len()..].replace('"', "").to_lowercase();
    let names: Vec<&str> = if filter == "from:" {
        nicks.collect()
    } else {
        chats.collect()
    };
    let mut matching: Vec<String> = names
        .into_iter()
        .filter(|name| name.to_lowercase().starts_with(&typed) && name.to_lowercase() != typed)
        .map(str::to_owned)
        .collect();
    matching.sort();
    matching.dedup();
    matching.truncate(MAX_OFFERED);
    (!matching.is_empty()).then_some((last.start + filter.len(), matching))
}

/// A name as it is typed after `from:` or `in:`.
pub(super) fn typed_name(name: &str) -> String {
    let name = name.replace('"', "");
    if name.contains(char::is_whitespace) {
        format!("\"{name}\"")
    } else {
        name
    }
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len())
        .is_some_and(|begins| begins.eq_ignore_ascii_case(start))
}

/// The text between spaces; spaces within quotes do not count.
fn pieces(text: &str) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let (mut start, mut is_quoted) = (None, false);
    for (at, c) in text.char_indices() {
        is_quoted ^= c == '"';
        if c.is_whitespace() && !is_quoted {
            pieces.extend(start.take().map(|start| start..at));
        } else {
            start = start.or(Some(at));
        }
    }
    pieces.extend(start.map(|start| start..text.len()));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_from_what_narrows_them_down() {
        assert_eq!(
            words("Boat from:Ann in:\"The boat\" \"low tide\" after:2026-01-01"),
            ["boat", "low tide"]
        );
        assert!(words("  from: ").is_empty());
    }

    #[test]
    fn words_are_found_in_any_case_and_marked_once() {
        let found_in = |text: &str, typed: &str| -> Vec<String> {
            let found = found(text, &words(typed));
            found.into_iter().map(|range| text[range].to_owned()).collect()
        };
        assert_eq!(found_in("The Boat and a boathouse", "boat"), ["Boat", "boat"]);
        assert_eq!(found_in("abcd", "abc bcd"), ["abcd"]);
        assert_eq!(found_in("GRÜẞE Straße", "grü ße"), ["GRÜẞE", "ße"]);
        assert_eq!(found_in("何時に着く", "時に"), ["時に"]);
        assert!(found_in("", "a").is_empty());
        assert!(found_in("nothing", "").is_empty());
    }

    #[test]
    fn an_excerpt_begins_near_what_was_found() {
        let text = "One two three four five six seven eight nine ten\neleven twelve";
        assert_eq!(excerpt(text, &words("one")), text.replace('\n', " "));
        assert_eq!(excerpt(text, &words("twelve")), "…eight nine ten eleven twelve");
        assert_eq!(excerpt("short", &words("other")), "short");
    }

    #[test]
    fn names_are_offered_for_what_is_being_typed() {
        let offered = |text: &str| {
            offered(
                text,
                ["Ann", "Anna Lee", "Ben"].into_iter(),
                ["The boat"].into_iter(),
            )
        };
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(offered("x from:an"), Some((7, names(&["Ann", "Anna Lee"]))));
        assert_eq!(offered("FROM:\"anna L"), Some((5, names(&["Anna Lee"]))));
        assert_eq!(offered("in:"), Some((3, names(&["The boat"]))));
        assert_eq!(offered("from:ann x"), None);
        assert_eq!(offered("from:Ben"), None);
        assert_eq!(typed_name("The boat"), "\"The boat\"");
    }
}
