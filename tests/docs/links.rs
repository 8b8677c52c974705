//! Links between the pages lead to pages and headings that are there, and the files that pages name are there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All pages: those beside the manifest, and those in docs/.
fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for folder in [root().to_owned(), root().join("docs")] {
        let entries = fs::read_dir(folder).expect("a folder of pages");
        pages.extend(
            entries
                .map(|entry| entry.expect("an entry").path())
                .filter(|path| path.extension().is_some_and(|extension| extension == "md")),
        );
    }
    pages.sort();
    pages
}

/// The anchor that a heading gets: lower case, blanks as dashes, without signs.
fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter_map(|letter| match letter {
            ' ' => Some('-'),
            letter if letter.is_alphanumeric() || letter == '-' || letter == '_' => Some(letter),
            _ => None,
        })
        .collect()
}

fn anchors(page: &str) -> BTreeSet<String> {
    page.lines()
        .filter_map(|line| {
            line.trim_start_matches('#')
                .strip_prefix(' ')
                .filter(|_| line.starts_with('#'))
        })
        .map(anchor)
        .collect()
}

#[test]
fn every_link_between_pages_leads_to_a_page_and_a_heading() {
    let mut looked_at = 0;
    for path in pages() {
        let page = read(&path);
        let targets = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.contains("://")) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let to = match file {
                "" => path.clone(),
                file => path.parent().expect("a folder").join(file),
            };
            assert!(to.exists(), "{}: no file {target}", path.display());
            if !heading.is_empty() {
                assert!(
                    anchors(&read(&to)).contains(heading),
                    "{}: no heading {target}",
                    path.display()
                );
            }
            looked_at += 1;
        }
    }
    assert!(looked_at > 100, "{looked_at} links");
}

/// A name of a source file, with its folder: `node/say.rs`.
fn source_files(page: &str) -> BTreeSet<&str> {
    page.split(|letter: char| !(letter.is_ascii_alphanumeric() || "/_.-".contains(letter)))
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| word.ends_with(".rs") && word.contains('/'))
        .collect()
}

#[test]
fn every_source_file_that_a_page_names_is_there() {
    let mut looked_at = 0;
    for path in pages() {
        for file in source_files(&read(&path)) {
            let is_there = [root().to_owned(), root().join("src")]
                .iter()
                .any(|folder| folder.join(file).is_file());
            assert!(is_there, "{} names {file}", path.display());
            looked_at += 1;
        }
    }
    assert!(looked_at > 10, "{looked_at} files");
}
