//! Parts of the pages in `docs/` that tests write and hold to: each stands between two comments, one of which names it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::Path;

use data_encoding::HEXLOWER;

/// Bytes with what they are called, in their order.
pub(crate) type Parts = Vec<(&'static str, Vec<u8>)>;

/// Columns before the hex; what is called by a longer name has a row of its own.
const NAME: usize = 24;

/// Holds a part of a page to a text. With `UPDATE_VECTORS=1` the text is written into the page.
pub(crate) fn assert_part(page: &str, part: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
    let mut file = open(&path);
    let mut held = String::new();
    file.read_to_string(&mut held).unwrap();
    let begin = format!("<!-- {part}: written by a test, anew with UPDATE_VECTORS=1 -->\n");
    let end = format!("<!-- end of {part} -->\n");
    let missing = || panic!("{page} has no place for {part}: {begin}{end}");
    let (before, rest) = held.split_once(&begin).unwrap_or_else(missing);
    let (known, after) = rest.split_once(&end).unwrap_or_else(missing);
    if is_update() {
        let anew = format!("{before}{begin}{text}{end}{after}");
        file.set_len(0).unwrap();
        file.rewind().unwrap();
        file.write_all(anew.as_bytes()).unwrap();
    } else {
        assert_eq!(known, text, "{part} in {page}");
    }
}

/// Whether known answers are written anew, and not compared.
pub(crate) fn is_update() -> bool {
    std::env::var_os("UPDATE_VECTORS").is_some()
}

/// Several tests write into one page, and may run at the same time.
fn open(path: &Path) -> File {
    let file = OpenOptions::new().read(true).write(is_update()).open(path);
    let file = file.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if is_update() {
        file.lock().unwrap();
    }
    file
}

pub(crate) fn joined(parts: &Parts) -> Vec<u8> {
    parts.iter().flat_map(|(_, bytes)| bytes).copied().collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// Rows of named bytes.
pub(crate) fn lines(page: &mut String, parts: &Parts) {
    for (name, bytes) in parts {
        line(page, name, &hex(bytes));
    }
}

/// A name, and hex after it in rows of 40 bytes.
pub(crate) fn line(page: &mut String, name: &str, hex: &str) {
    let mut name = name;
    if name.chars().count() >= NAME && !hex.is_empty() {
        page.push_str(name);
        page.push('\n');
        name = "";
    }
    let mut rest = hex;
    loop {
        let (row, after) = rest.split_at(rest.len().min(80));
        page.push_str(format!("{name:<NAME$}{row}").trim_end());
        page.push('\n');
        if after.is_empty() {
            return;
        }
        (name, rest) = ("", after);
    }
}
