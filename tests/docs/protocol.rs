//! The rules of docs/protocol.md are numbered, so that code and tests can cite them: each number stands there once, in
//! its order, and the page cites none that is not there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The letters that rules begin with, one for each part of the page.
const PARTS: &str = "ACJBDTLSMGPHFVXRW";

/// The most words of a rule: one that is longer says two things.
const MAX_WORDS: usize = 48;

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/protocol.md");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A rule's part and number, if a word is one: "(S14," is.
fn rule(word: &str) -> Option<(char, u32)> {
    let word = word.trim_matches(|sign: char| !sign.is_ascii_alphanumeric());
    let part = word.chars().next().filter(|part| PARTS.contains(*part))?;
    let digits = word.get(1..)?;
    // Longer numbers are names of other things: X25519.
    let is_number = (1..=2).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| Some((part, digits.parse().ok()?)))?
}

/// The rules of the page, with what each says: in a list, or in a row of a table.
fn rules(page: &str) -> Vec<((char, u32), String)> {
    let mut rules: Vec<((char, u32), String)> = Vec::new();
    let mut goes_on = false;
    for line in page.lines() {
        let head = line
            .strip_prefix("- **")
            .or_else(|| line.strip_prefix("| **"))
            .and_then(|rest| rest.split_once("**"));
        if let Some((number, text)) = head
            && let Some(rule) = rule(number)
        {
            goes_on = line.starts_with('-');
            rules.push((rule, text.to_owned()));
        } else if goes_on && line.starts_with("  ") {
            let (_, text) = rules.last_mut().expect("the rule that goes on");
            text.push(' ');
            text.push_str(line.trim());
        } else {
            goes_on = false;
        }
    }
    rules
}

#[test]
fn the_rules_are_counted_from_one_in_each_part() {
    let page = page();
    let mut last: BTreeMap<char, u32> = BTreeMap::new();
    for ((part, number), _) in rules(&page) {
        let before = last.insert(part, number).unwrap_or(0);
        assert_eq!(number, before + 1, "the rule of {part} after {before}");
    }
    assert_eq!(last.len(), PARTS.len(), "a part without rules: {last:?}");
}

#[test]
fn the_page_cites_only_rules_that_it_has() {
    let page = page();
    let mut last: BTreeMap<char, u32> = BTreeMap::new();
    for ((part, number), _) in rules(&page) {
        last.insert(part, number);
    }
    let mut cited = 0;
    let separators = |sign: char| sign.is_whitespace() || "()[],;:|*".contains(sign);
    for (part, number) in page.split(separators).filter_map(rule) {
        let is_there = last.get(&part).is_some_and(|last| (1..=*last).contains(&number));
        assert!(is_there, "no rule {part}{number}");
        cited += 1;
    }
    assert!(cited > 300, "{cited} numbers of rules");
}

#[test]
fn a_rule_says_one_thing() {
    for ((part, number), text) in rules(&page()) {
        let words = text.split_whitespace().count();
        assert!(words <= MAX_WORDS, "{part}{number} has {words} words");
    }
}
