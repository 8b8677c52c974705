//! The language of searches: words, all of which must occur, a "phrase in quotes", and `from:nick`, `in:chat`,
//! `before:2026-11-20`, `after:2026-11-01`.

use jiff::civil::Date;

/// The longest text of a search, in bytes. A guess: far over what anybody types.
const MAX_SEARCH_LEN: usize = 1024;

/// A search, parsed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchQuery {
    /// Words and phrases in lower case, all of which must occur.
    pub words: Vec<String>,
    /// A part of the author's nick.
    pub from: Option<String>,
    /// A part of the chat's name.
    pub chat: Option<String>,
    /// Only what was said before this day.
    pub before: Option<Date>,
    /// Only what was said on this day or after it.
    pub after: Option<Date>,
}

impl SearchQuery {
    /// Reads what was typed.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_SEARCH_LEN {
            return Err("This is too much to search for. Type fewer words.".to_owned());
        }
        let mut query = Self::default();
        for term in terms(text) {
            match term.filter {
                None => query
                    .words
                    .extend(Some(term.value.to_lowercase()).filter(|word| !word.is_empty())),
                Some("from") => query.from = Some(term.value.to_lowercase()),
                Some("in") => query.chat = Some(term.value.to_lowercase()),
                Some(filter) => {
                    let date = Some(date(filter, &term.value)?);
                    match filter {
                        "before" => query.before = date,
                        _ => query.after = date,
                    }
                }
            }
        }
        if query == Self::default() {
            return Err("Type a word to search for.".to_owned());
        }
        Ok(query)
    }
}

fn date(filter: &str, value: &str) -> Result<Date, String> {
    value.parse().map_err(|_| {
        format!("“{value}” is not a date. Write it as year, month and day: {filter}:2026-11-20.")
    })
}

/// A word, a phrase, or a filter with its value.
struct Term {
    filter: Option<&'static str>,
    value: String,
}

fn terms(text: &str) -> Vec<Term> {
    let mut terms = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let filters = ["from", "in", "before", "after"];
        let filter = filters.into_iter().find(|filter| {
            let start = rest.get(..filter.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(filter))
                && rest[filter.len()..].starts_with(':')
        });
        if let Some(filter) = filter {
            rest = &rest[filter.len() + 1..];
        }
        let (value, after) = match rest.strip_prefix('"') {
            // A quote that is not closed goes on to the end.
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        // `from:` without a name is still being typed.
        if filter.is_none() || !value.is_empty() {
            let value = value.trim().to_owned();
            terms.push(Term { filter, value });
        }
        rest = after.trim_start();
    }
    terms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_phrases_and_filters_are_told_apart() {
        let query = SearchQuery::parse(
            "Boat from:Ann in:\"The boat\" \"low tide\" after:2026-01-31 before:2026-02-01",
        );
        let expected = SearchQuery {
            words: vec!["boat".to_owned(), "low tide".to_owned()],
            from: Some("ann".to_owned()),
            chat: Some("the boat".to_owned()),
            before: Some(Date::constant(2026, 2, 1)),
            after: Some(Date::constant(2026, 1, 31)),
        };
        assert_eq!(query, Ok(expected));
        let words = |text| SearchQuery::parse(text).map(|query| query.words);
        assert_eq!(
            words("AND \"(OR* from:"),
            Ok(vec!["and".to_owned(), "(or* from:".to_owned()])
        );
        assert_eq!(words("http://a.example"), Ok(vec!["http://a.example".to_owned()]));
    }

    #[test]
    fn what_can_not_be_searched_for_is_answered_with_a_sentence() {
        for text in [
            "",
            "  ",
            "from:",
            "before:yesterday x",
            "after:2026-02-30",
            &"x".repeat(2000),
        ] {
            let sentence = SearchQuery::parse(text).expect_err(text);
            assert!(sentence.ends_with('.'), "{sentence}");
        }
    }
}
