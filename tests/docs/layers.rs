//! The directions of the house (`src/lib.rs`): which layer may name which, and which crate is named where.
//!
//! The sources are read as words, comments and strings left out, and every path in them is held against the tables
//! below. A new layer, or a new direction, is entered there with the change that needs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A layer (a file or folder of `src`), and the layers that it may name.
const LAYERS: &[(&str, &[&str])] = &[
    ("id", &[]),
    ("wire", &["id"]),
    ("crypto", &["id"]),
    ("invite", &["crypto", "id", "wire"]),
    ("facts", &["crypto", "id", "invite", "wire"]),
    ("node", &["crypto", "facts", "id", "invite", "wire"]),
    ("model", &["facts", "id"]),
    ("export", &["crypto", "id", "model"]),
    ("store", &["crypto", "id", "model"]),
    (
        "runtime",
        &[
            "crypto", "export", "facts", "id", "invite", "model", "node", "store", "wire",
        ],
    ),
    ("headless", &["id", "invite", "model", "runtime"]),
    ("ui", &["id", "invite", "model", "runtime"]),
    // The program itself: main.rs and its command line.
    ("main", &["cli", "headless", "runtime", "ui"]),
    ("cli", &["runtime"]),
];

/// A machine of the node (a file or folder of `src/node`), and the machines and parts that it may name. The public forms
/// (`io`, `config`, `archive`) and what is named in `node/mod.rs` belong to all of them.
const MACHINES: &[(&str, &[&str])] = &[
    ("bucket", &[]),
    ("clock", &[]),
    ("effect", &[]),
    ("core", &["clock", "effect"]),
    ("overlay", &["bucket", "core", "effect"]),
    ("members", &["bucket", "core", "effect", "overlay"]),
    ("rights", &["bucket", "core", "effect", "members", "overlay"]),
    ("entry", &["bucket", "core", "members", "overlay", "rights"]),
    ("gossip", &["bucket", "core", "members", "overlay", "rights"]),
    (
        "history",
        &["bucket", "core", "gossip", "members", "overlay", "rights"],
    ),
    (
        "signed",
        &[
            "core", "effect", "entry", "gossip", "history", "members", "overlay", "rights",
        ],
    ),
    ("classic", &["core", "overlay"]),
];

/// Of the node what is no machine.
const BESIDE_MACHINES: &[&str] = &["archive", "config", "io", "mod", "sim", "sim_archive", "testing"];

/// A crate, and the only layers that may name it.
const CRATES: &[(&str, &[&str])] = &[
    ("crypto_box", &["crypto"]),
    ("ed25519_dalek", &["crypto"]),
    ("curve25519_dalek", &["crypto"]),
    ("crypto_secretbox", &["crypto"]),
    ("argon2", &["crypto"]),
    ("sha2", &["crypto"]),
    ("rusqlite", &["store"]),
    ("socket2", &["runtime"]),
    ("getrandom", &["runtime", "store"]),
    ("tokio", &["headless", "main", "runtime", "store", "ui"]),
    ("clap", &["cli", "main"]),
    ("egui", &["main", "ui"]),
    ("eframe", &["main", "ui"]),
    ("rfd", &["ui"]),
    ("png", &["ui"]),
    ("qrcode", &["ui"]),
];

/// Layers without I/O: time and randomness are handed to them.
const PURE_LAYERS: &[&str] = &[
    "id", "wire", "crypto", "invite", "facts", "node", "model", "export",
];

/// What a pure layer names nowhere, not even in its tests: parts of paths, and words.
const IMPURE: &[&[&str]] = &[
    &["Instant"],
    &["SystemTime"],
    &["UdpSocket"],
    &["TcpStream"],
    &["std", "fs"],
    &["std", "thread"],
    &["std", "process"],
    &["Timestamp", "now"],
    &["Zoned", "now"],
    &["OsRng"],
    &["thread_rng"],
    &["async"],
    &["await"],
];

/// What the core, built alone, must not draw in.
const NOT_IN_CORE: &[&str] = &["tokio", "rusqlite", "eframe", "egui"];

#[test]
fn every_layer_names_only_those_below_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = rust_files(&src);
    assert!(
        files.len() > LAYERS.len(),
        "too few files under {}",
        src.display()
    );

    let mut faults = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file is UTF-8");
        let module = module_path(file.strip_prefix(&src).expect("listed below src"));
        faults.extend(
            check(&module, &text)
                .into_iter()
                .map(|fault| format!("{}: {fault}", file.display())),
        );
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_machine_of_the_node_names_only_those_below_it() {
    let node = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/node");
    let mut faults = Vec::new();
    for file in rust_files(&node) {
        let text = fs::read_to_string(&file).expect("a source file is UTF-8");
        let mut module = vec!["node".to_owned()];
        module.extend(module_path(file.strip_prefix(&node).expect("listed below")));
        let Some(machine) = module
            .get(1)
            .filter(|name| !BESIDE_MACHINES.contains(&name.as_str()))
        else {
            continue;
        };
        let found = check_machine(machine, &module, &text);
        faults.extend(
            found
                .into_iter()
                .map(|fault| format!("{}: {fault}", file.display())),
        );
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn wrong_directions_between_machines_are_seen() {
    let seen = |module: &[&str], text: &str| {
        let module: Vec<String> = module.iter().map(ToString::to_string).collect();
        !check_machine(&module[1], &module, text).is_empty()
    };
    assert!(seen(
        &["node", "overlay", "links"],
        "use crate::node::gossip::Gossip;"
    ));
    assert!(seen(&["node", "members"], "use super::rights::Rights;"));
    assert!(seen(
        &["node", "gossip", "repair", "tell"],
        "use super::super::super::history::X;"
    ));
    assert!(seen(
        &["node", "gossip"],
        "use super::{core::Core, entry::Entry};"
    ));
    assert!(!seen(
        &["node", "gossip"],
        "use super::{core::Core, rights::Rights};"
    ));
    assert!(!seen(&["node", "members"], "use self::roster::Asking;"));
}

#[test]
fn the_core_builds_without_runtime_store_and_window() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "--no-default-features",
            "-e",
            "normal",
            "--prefix",
            "none",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs this test, so it is there");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    let tree = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    let names: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"crypto_box"), "not the tree of the core:\n{tree}");
    for unwanted in NOT_IN_CORE {
        assert!(!names.contains(unwanted), "{unwanted} is in the core:\n{tree}");
    }
}

#[test]
fn wrong_directions_are_seen_however_they_are_written() {
    let seen = |module: &[&str], text: &str| {
        !check(&module.iter().map(ToString::to_string).collect::<Vec<_>>(), text).is_empty()
    };

    for wrong in [
        "use crate::runtime::Handle;",
        "use crate::{id::ChatId, store};",
        "use crate::{id::{ChatId, ClientId}, ui::{self, App}};",
        "fn f() { crate :: store :: open(); }",
        "use super::super::store;",
        "mod tests { use super::super::super::store; }",
        "use tokio::time;",
        "#[tokio::test] fn f() {}",
        "use std::{fmt, time::{Duration, Instant}};",
        "use std::{fs, fmt};",
        "fn f() { let _ = std::thread::spawn(g); }",
        "fn f() { jiff::Timestamp::now(); }",
        "async fn f() {}",
        "/* no comment /* within */ hides */ use crate::store;",
        r##"const A: &str = r#"a " quote"#; use crate::store;"##,
        r"const Q: char = '\''; use crate::store;",
        "fn f<'a>(_: &'a u8) { crate::store::open(); }",
    ] {
        assert!(seen(&["node", "links"], wrong), "not seen: {wrong}");
    }
    for right in [
        "use crate::{id::ChatId, wire};",
        "// use crate::store;",
        "/// See [`crate::store`].\nfn f() {}",
        "const A: &str = \"crate::store \\\" tokio::time\";",
        "use super::store;",
        "mod tests { use super::super::store; }",
        "fn f(x: X) { x.tokio(); }",
    ] {
        assert!(!seen(&["node", "links"], right), "wrongly seen: {right}");
    }
    assert!(seen(&["main"], "use throng::store;"));
    assert!(seen(&["nobody_knows"], ""));
}

/// All `.rs` files below a folder, in order.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of the sources") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// `node/links.rs` is the module `node::links`, `node/mod.rs` is `node`, and `lib.rs` is the root, without a name.
fn module_path(file: &Path) -> Vec<String> {
    let mut module: Vec<String> = file
        .with_extension("")
        .iter()
        .map(|part| part.to_str().expect("source files have plain names").into())
        .collect();
    if module.last().is_some_and(|last| last == "mod") || module == ["lib"] {
        module.pop();
    }
    module
}

/// What is wrong with a file.
fn check(module: &[String], text: &str) -> Vec<String> {
    let Some(layer) = module.first() else {
        return Vec::new();
    };
    let Some((_, below)) = LAYERS.iter().find(|(name, _)| name == layer) else {
        return vec![format!(
            "the layer `{layer}` is not in the table of tests/docs/layers.rs"
        )];
    };

    let mut faults = Vec::new();
    for path in paths(&words(text), module.len()) {
        let shown = path.join("::");
        if let [root, other, ..] = path.as_slice()
            && (root == "crate" || root == "throng")
            && other != layer
            && LAYERS.iter().any(|(name, _)| name == other)
            && !below.contains(&other.as_str())
        {
            faults.push(format!("`{layer}` may not name `{other}` ({shown})"));
        }
        if let Some((name, layers)) = CRATES.iter().find(|(name, _)| *name == path[0])
            && !layers.contains(&layer.as_str())
        {
            faults.push(format!("the crate `{name}` is for {layers:?} alone ({shown})"));
        }
        if PURE_LAYERS.contains(&layer.as_str())
            && IMPURE
                .iter()
                .any(|impure| path.windows(impure.len()).any(|part| part == *impure))
        {
            faults.push(format!(
                "`{layer}` has no clock, no I/O and no randomness of its own ({shown})"
            ));
        }
    }
    faults
}

/// What is wrong with a file of a machine.
fn check_machine(machine: &str, module: &[String], text: &str) -> Vec<String> {
    let Some((_, below)) = MACHINES.iter().find(|(name, _)| *name == machine) else {
        return vec![format!(
            "the machine `{machine}` is not in the table of tests/docs/layers.rs"
        )];
    };
    let is_machine = |name: &str| MACHINES.iter().any(|(known, _)| *known == name);
    let mut faults = Vec::new();
    for path in machine_paths(&words(text), module) {
        if let [node, other, ..] = path.as_slice()
            && node == "node"
            && other != machine
            && is_machine(other)
            && !below.contains(&other.as_str())
        {
            faults.push(format!(
                "`{machine}` may not name `{other}` ({})",
                path.join("::")
            ));
        }
    }
    faults
}

/// Every path of a file of `src/node` from the crate's root, without `crate`.
fn machine_paths(words: &[String], module: &[String]) -> Vec<Vec<String>> {
    // A file is asked about as if it were nowhere, so that `super` stays as it is written.
    let written = paths(words, usize::MAX / 2);
    let full = |path: Vec<String>| -> Vec<String> {
        let ups = path.iter().take_while(|part| *part == "super").count();
        match path.first().map(String::as_str) {
            Some("crate") => path[1..].to_vec(),
            Some("super") => {
                let stem = &module[..module.len().saturating_sub(ups)];
                stem.iter().chain(&path[ups..]).cloned().collect()
            }
            _ => Vec::new(),
        }
    };
    written.into_iter().map(full).collect()
}

/// Every path of a file, written out in full: those of a `use` with braces one by one, and `super` as far up as the
/// crate's root as `crate`. `depth`: how many modules deep the file itself is.
fn paths(words: &[String], depth: usize) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    // For every open brace, whether it belongs to a module written inside the file.
    let mut braces: Vec<bool> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let before = |n: usize| at.checked_sub(n).map_or("", |index| words[index].as_str());
        match words[at].as_str() {
            "{" => braces.push(before(2) == "mod"),
            "}" => drop(braces.pop()),
            word if is_name(word) && before(1) != "." && before(1) != "::" => {
                let mut written = Vec::new();
                at = path_from(words, at, &[], &mut written);
                let depth = depth + braces.iter().filter(|inner| **inner).count();
                found.extend(written.into_iter().map(|path| from_root(path, depth)));
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Reads one path, with all that is in its braces; answers where it ends.
fn path_from(words: &[String], mut at: usize, prefix: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = prefix.to_vec();
    loop {
        match words.get(at).map(String::as_str) {
            Some("{") => {
                at += 1;
                while at < words.len() && words[at] != "}" {
                    at = if is_name(&words[at]) || words[at] == "{" {
                        path_from(words, at, &path, found)
                    } else {
                        at + 1
                    };
                }
                return at + 1;
            }
            Some(word) if is_name(word) => path.push(word.into()),
            _ => break,
        }
        at += 1;
        if words.get(at).is_none_or(|word| word != "::") {
            break;
        }
        at += 1;
    }
    found.push(path);
    at
}

/// `super::super::store` in a module two deep is `crate::store`.
fn from_root(path: Vec<String>, depth: usize) -> Vec<String> {
    let path: Vec<String> = path.into_iter().skip_while(|part| part == "self").collect();
    let ups = path.iter().take_while(|part| *part == "super").count();
    if ups == 0 || ups < depth {
        return if path.is_empty() {
            vec!["self".into()]
        } else {
            path
        };
    }
    std::iter::once("crate".into())
        .chain(path.into_iter().skip(ups))
        .collect()
}

fn is_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// A file as names and signs (`::` as one), without comments, strings, characters and lifetimes.
fn words(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let starts = |at: usize, what: &str| {
        what.chars()
            .enumerate()
            .all(|(n, c)| chars.get(at + n) == Some(&c))
    };
    let mut words = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        if starts(at, "//") {
            at = skip_until(&chars, at, |at| chars[at] == '\n');
        } else if starts(at, "/*") {
            let mut open = 1;
            at += 2;
            while at < chars.len() && open > 0 {
                let step = if starts(at, "/*") || starts(at, "*/") {
                    2
                } else {
                    1
                };
                open = if starts(at, "/*") {
                    open + 1
                } else {
                    open - usize::from(starts(at, "*/"))
                };
                at += step;
            }
        } else if c == 'r' && matches!(chars.get(at + 1), Some('"' | '#')) {
            let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
            let end = format!("\"{}", "#".repeat(hashes));
            at = skip_until(&chars, at + hashes + 2, |at| starts(at, &end)) + end.len();
        } else if c == '"' {
            at = end_of_quoted(&chars, at, '"');
        } else if c == '\'' {
            // A character ends with a quote; a lifetime is a name without one.
            at = if chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\'') {
                end_of_quoted(&chars, at, '\'')
            } else {
                skip_until(&chars, at + 1, |at| {
                    !(chars[at].is_alphanumeric() || chars[at] == '_')
                })
            };
        } else if c.is_alphanumeric() || c == '_' {
            let end = skip_until(&chars, at, |at| {
                !(chars[at].is_alphanumeric() || chars[at] == '_')
            });
            words.push(chars[at..end].iter().collect());
            at = end;
        } else if starts(at, "::") {
            words.push("::".into());
            at += 2;
        } else {
            if !c.is_whitespace() {
                words.push(c.into());
            }
            at += 1;
        }
    }
    words
}

fn skip_until(chars: &[char], from: usize, is_end: impl Fn(usize) -> bool) -> usize {
    (from..chars.len()).find(|at| is_end(*at)).unwrap_or(chars.len())
}

/// Past the closing quote of what begins at `at`; a backslash takes the next character with it.
fn end_of_quoted(chars: &[char], at: usize, quote: char) -> usize {
    let mut at = at + 1;
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}
