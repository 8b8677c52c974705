//! docs/using.md names the controls and commands that the window has.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All sources below a folder, one after the other.
fn sources(folder: PathBuf) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all += &sources(path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all += &read(&path);
        }
    }
    all
}

/// What stands in bold and ends in dots, as the names of controls that open something do.
fn controls(page: &str) -> BTreeSet<String> {
    let bold = page.split("**").skip(1).step_by(2);
    bold.filter(|name| name.ends_with('…'))
        .map(|name| name.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn every_control_that_the_guide_names_is_in_the_window() {
    let window = sources(root().join("src/ui"));
    let pages = [
        read(&root().join("README.md")),
        read(&root().join("docs/using.md")),
    ];
    let named: BTreeSet<String> = pages.iter().flat_map(|page| controls(page)).collect();
    assert!(named.len() >= 8, "{named:?}");
    for name in named {
        assert!(
            window.contains(&format!("\"{name}\"")),
            "the window has no {name}"
        );
    }
}

/// The names in the table of commands that can be typed.
fn typed_commands() -> BTreeSet<String> {
    let source = read(&root().join("src/ui/composer/command.rs"));
    let table = source.split("pub const COMMANDS").nth(1).expect("the table");
    let table = table.split("];").next().expect("its end");
    table
        .split("help(")
        .skip(1)
        .filter_map(|row| row.split('"').nth(1))
        .map(str::to_owned)
        .collect()
}

/// The commands that the guide's table has: `/name` at the start of what stands between backticks.
fn commands_of_the_guide(page: &str) -> BTreeSet<String> {
    let rows = page.lines().filter(|line| line.starts_with("| `/"));
    rows.flat_map(|row| row.split('|').nth(1).unwrap_or("").split('`').skip(1).step_by(2))
        .filter_map(|quoted| quoted.strip_prefix('/'))
        .filter_map(|quoted| quoted.split(' ').next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_guide_has_every_command_that_can_be_typed_and_no_other() {
    let typed = typed_commands();
    assert!(typed.contains("me") && typed.len() > 10, "{typed:?}");
    assert_eq!(commands_of_the_guide(&read(&root().join("docs/using.md"))), typed);
}
