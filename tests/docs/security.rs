//! docs/security.md names tests: they are there, and each row of the page has some or says that it has none yet.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What stands between backticks and names a test: `file::test`.
fn named_tests(text: &str) -> Vec<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted
        .filter(|quoted| quoted.contains("::") && !quoted.ends_with('…'))
        .collect()
}

/// The file of such a name: below `src` or below `tests`.
fn file_of(file: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = if file.starts_with("src/") {
        root.to_owned()
    } else {
        root.join("tests")
    };
    folder.join(file).with_extension("rs")
}

/// Whether a function of that name is a test.
fn is_a_test(source: &str, name: &str) -> bool {
    let declared = format!("fn {name}(");
    source.match_indices(&declared).any(|(at, _)| {
        let before = &source[..at];
        let attributes = before.rfind("\n\n").map_or(before, |blank| &before[blank..]);
        attributes.contains("#[test]") || attributes.contains("#[tokio::test")
    })
}

/// The rows, by number: the heading and what stands below it.
fn rows(page: &str) -> BTreeMap<u32, &str> {
    let parts = page.split("\n### ").skip(1);
    let rows = parts.filter_map(|part| {
        let row = part.split("\n## ").next()?;
        let number = row.split(' ').next()?.parse().ok()?;
        Some((number, row))
    });
    rows.collect()
}

#[test]
fn every_test_that_the_page_names_is_there() {
    let page = read("docs/security.md");
    let named = named_tests(&page);
    assert!(named.len() > 100, "{} are named", named.len());
    for name in named {
        let (file, test) = name.rsplit_once("::").expect("filtered");
        let path = file_of(file);
        let source =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {}: {error}", path.display()));
        assert!(
            is_a_test(&source, test),
            "{name} is no test of {}",
            path.display()
        );
    }
}

#[test]
fn every_row_names_its_tests_or_says_that_there_is_nothing_yet() {
    let page = read("docs/security.md");
    let rows = rows(&page);
    assert_eq!(
        rows.keys().copied().collect::<Vec<_>>(),
        (1..=30).collect::<Vec<_>>()
    );
    for (number, row) in rows {
        let is_shown = row.contains("\nShown by `") || row.contains("\nShown, as far as it goes, by `");
        let waits = row.contains("\nNot yet");
        assert!(waits || is_shown && !named_tests(row).is_empty(), "row {number}");
    }
}

#[test]
fn the_page_is_found_from_the_others_and_leads_where_it_says() {
    for page in ["README.md", "docs/architecture.md", "docs/protocol.md"] {
        assert!(read(page).contains("security.md"), "{page}");
    }
    let (page, protocol) = (read("docs/security.md"), read("docs/protocol.md"));
    assert!(page.contains("protocol.md#what-holds") && protocol.contains("\n### What holds\n"));
}
