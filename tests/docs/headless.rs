//! docs/headless.md has every command and event with its fields, every object in them and every value, and none that
//! does not exist. What exists is read from the types' own source.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Names, each with its fields; a field that may be left out ends with `?`.
type Table = BTreeMap<String, BTreeSet<String>>;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All sources in which such a type can be.
fn sources() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = String::new();
    for folder in ["model", "facts"] {
        let mut paths: Vec<_> = fs::read_dir(root.join(folder))
            .expect("a folder of sources")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
            .collect();
        paths.sort();
        for path in paths {
            all += &fs::read_to_string(path).expect("a source");
        }
    }
    all
}

/// Which fields may be left out.
#[derive(Clone, Copy, PartialEq)]
enum Direction {
    /// In what we read: those with a default.
    Read,
    /// In what we write: those that can be none.
    Written,
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// The attributes before a type, and the lines between its braces.
fn type_source<'a>(sources: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let at = [format!("pub struct {name} {{\n"), format!("pub enum {name} {{\n")]
        .iter()
        .find_map(|head| sources.find(head.as_str()).map(|at| (at, at + head.len())))?;
    let before = &sources[..at.0];
    let attributes = before.rfind("\n\n").map_or("", |blank| &before[blank..]);
    let body = &sources[at.1..];
    Some((attributes, body.split("\n}\n").next().expect("a part")))
}

/// `tag = "…"` of an enum's serde attribute.
fn tag_of(attributes: &str) -> Option<&str> {
    attributes.split("tag = \"").nth(1)?.split('"').next()
}

/// Adds the fields that stand in `lines` at an indent, and those of types that are flattened into them.
fn add_fields(
    sources: &str,
    lines: &[&str],
    indent: usize,
    direction: Direction,
    fields: &mut BTreeSet<String>,
) {
    let margin = " ".repeat(indent);
    let (mut has_default, mut is_flat, mut is_skipped) = (false, false, false);
    for line in lines {
        let Some(line) = line.strip_prefix(&margin).filter(|line| !line.starts_with(' ')) else {
            continue;
        };
        if let Some(serde) = line.strip_prefix("#[serde(") {
            has_default |= serde.starts_with("default");
            is_flat |= serde.contains("flatten");
            is_skipped |= serde.starts_with("skip)");
            continue;
        }
        let line = line.strip_prefix("pub ").unwrap_or(line);
        let Some((name, kind)) = line.split_once(": ").filter(|_| !line.starts_with("//")) else {
            continue;
        };
        let kind = kind.trim_end_matches(',');
        if is_flat {
            fields.extend(fields_of(sources, kind, direction));
        } else if !is_skipped {
            let may_miss = kind.starts_with("Option<") || direction == Direction::Read && has_default;
            fields.insert(format!("{name}{}", if may_miss { "?" } else { "" }));
        }
        (has_default, is_flat, is_skipped) = (false, false, false);
    }
}

/// The fields of a struct, or of an enum that is told apart by a tag: of that all that its variants have, each of which
/// may miss.
fn fields_of(sources: &str, name: &str, direction: Direction) -> BTreeSet<String> {
    let (attributes, body) = type_source(sources, name).unwrap_or_else(|| panic!("no type {name}"));
    let mut fields = BTreeSet::new();
    let lines: Vec<&str> = body.lines().collect();
    match tag_of(attributes) {
        Some(tag) => {
            fields.insert(tag.to_owned());
            for (_, variant) in variants(body) {
                let mut some = BTreeSet::new();
                add_fields(sources, &variant, 8, direction, &mut some);
                fields.extend(
                    some.iter()
                        .map(|field| format!("{}?", field.trim_end_matches('?'))),
                );
            }
        }
        None => add_fields(sources, &lines, 4, direction, &mut fields),
    }
    fields
}

/// The variants of an enum, each with its lines.
fn variants(body: &str) -> Vec<(&str, Vec<&str>)> {
    let mut all: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in body.lines() {
        let head = line
            .strip_prefix("    ")
            .filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()));
        match (head, all.last_mut()) {
            (Some(head), _) => all.push((head, Vec::new())),
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => {}
        }
    }
    all
}

/// The variants of an enum by their names in JSON, with their fields.
fn variants_of(sources: &str, name: &str, direction: Direction) -> Table {
    let (_, body) = type_source(sources, name).unwrap_or_else(|| panic!("no type {name}"));
    let mut table = Table::new();
    for (head, lines) in variants(body) {
        let end = head.find(|letter: char| !letter.is_ascii_alphanumeric());
        let (variant, rest) = head.split_at(end.unwrap_or(head.len()));
        let mut fields = BTreeSet::new();
        match rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            Some((inner, _)) => fields.extend(fields_of(sources, inner, direction)),
            None => add_fields(sources, &lines, 8, direction, &mut fields),
        }
        table.insert(snake_case(variant), fields);
    }
    table
}

/// All commands or events: also those of a chat, where these are a type of their own whose variants leave the chat out.
fn all_of(sources: &str, name: &str, direction: Direction) -> Table {
    let mut all = variants_of(sources, name, direction);
    let of_a_chat = format!("Chat{name}");
    if type_source(sources, &of_a_chat).is_some() {
        all.remove("chat").expect("a variant for those of a chat");
        for (name, mut fields) in variants_of(sources, &of_a_chat, direction) {
            fields.insert("chat".to_owned());
            all.insert(name, fields);
        }
    }
    all
}

/// What the page says below a heading, up to the next of its rank or a higher one.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let at = page
        .find(&format!("\n{heading}\n"))
        .unwrap_or_else(|| panic!("no heading {heading:?}"));
    let below = &page[at + heading.len() + 2..];
    let rank = heading.split(' ').next().expect("a part").len();
    let end = (1..=rank)
        .filter_map(|rank| below.find(&format!("\n{} ", "#".repeat(rank))))
        .min();
    &below[..end.unwrap_or(below.len())]
}

/// What stands between backticks.
fn quoted(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The rows of the tables in a section: the first cell, and what the second has between backticks.
fn rows(section: &str) -> Table {
    let mut table = Table::new();
    let lines: Vec<&str> = section.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let is_head = lines.get(at + 1).is_some_and(|next| next.starts_with("|---"));
        let Some(row) = line.strip_prefix("| ").filter(|_| !is_head) else {
            continue;
        };
        let mut cells = row.split('|');
        let name = cells.next().expect("a cell").trim();
        let name = if name.matches('`').count() == 2 && name.ends_with('`') {
            name.trim_matches('`')
        } else {
            name
        };
        let had = table.insert(name.to_owned(), quoted(cells.next().unwrap_or("")));
        assert!(had.is_none(), "{name} is there twice");
    }
    table
}

/// Fails with what differs, row by row.
fn assert_same(what: &str, on_the_page: &Table, in_the_source: &Table) {
    let names: BTreeSet<&String> = on_the_page.keys().chain(in_the_source.keys()).collect();
    for name in names {
        assert_eq!(
            on_the_page.get(name),
            in_the_source.get(name),
            "{what} {name}: on the page, and in the source"
        );
    }
}

#[test]
fn every_command_and_event_is_on_the_page_with_its_fields_and_no_other() {
    let (page, sources) = (read("docs/headless.md"), sources());
    let commands = all_of(&sources, "Command", Direction::Read);
    assert!(
        commands.len() > 40 && commands["say"].contains("text"),
        "{commands:?}"
    );
    assert_same("command", &rows(section(&page, "## Commands")), &commands);
    let events = all_of(&sources, "Event", Direction::Written);
    assert!(
        events.len() > 50 && events["message"].contains("delivery?"),
        "{events:?}"
    );
    assert_same("event", &rows(section(&page, "## Events")), &events);
}

#[test]
fn the_objects_in_them_are_on_the_page_with_their_fields() {
    let (page, sources) = (read("docs/headless.md"), sources());
    let mut objects = rows(section(&page, "## Objects"));
    let deeds = rows(section(&page, "### Deeds"));
    for deed in deeds.keys() {
        objects.remove(deed);
    }
    assert_same(
        "deed",
        &deeds,
        &variants_of(&sources, "LoggedDeed", Direction::Written),
    );
    let types = [
        ("message", "Message"),
        ("member", "MemberInfo"),
        ("invite", "InviteInfo"),
        ("invite user", "InviteUser"),
        ("door", "Door"),
        ("history rule", "HistoryRule"),
        ("retention", "Retention"),
        ("link", "LinkInfo"),
        ("settings", "Settings"),
        ("workspace", "Workspace"),
        ("open chat", "OpenChat"),
    ];
    let entry = objects.remove("log entry").expect("log entries");
    assert_eq!(entry, quoted("`id`, `by`, `nick`, `at`, `deed`, `denied?`"));
    let expected: Table = types
        .into_iter()
        .map(|(name, rust)| (name.to_owned(), fields_of(&sources, rust, Direction::Written)))
        .collect();
    assert_same("object", &objects, &expected);
}

#[test]
fn the_values_are_on_the_page() {
    let (page, sources) = (read("docs/headless.md"), sources());
    let names = |rust: &str| -> BTreeSet<String> {
        let variants = variants_of(&sources, rust, Direction::Written);
        assert!(variants.len() > 1, "{rust}");
        variants.into_keys().collect()
    };
    let codes: BTreeSet<String> = rows(section(&page, "### Error codes")).into_keys().collect();
    assert_eq!(codes, names("Code"));
    let mut values = rows(section(&page, "## Values"));
    for code in codes {
        values.remove(&code);
    }
    let expected: Table = [
        ("kind", "ChatKind"),
        ("role", "Role"),
        ("rights", "Rights"),
        ("status", "Status"),
        ("body", "MessageBody"),
        ("`delivery`, `state`", "DeliveryState"),
        ("why", "LeftWhy"),
        ("`mode` of a door", "DoorMode"),
        ("`mode` of a history rule", "HistoryRule"),
        ("keep", "Retention"),
        ("format", "ExportFormat"),
        ("theme", "Theme"),
    ]
    .into_iter()
    .map(|(name, rust)| (name.to_owned(), names(rust)))
    .collect();
    assert_same("value", &values, &expected);
}
