//! Reading the rows of a database from its pages, without following any tree: the way to a row may be damaged where the row is
//! not. The format is SQLite's (<https://www.sqlite.org/fileformat2.html>).
//!
//! Texts can't pose as rows. No page begins with a text: overflow pages begin with the number of the next page, whose first
//! byte is 0 in any file under 64 GiB.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rusqlite::types::ValueRef;

/// Page size in bytes: SQLite's default, which no version of ours changed.
const PAGE_LEN: usize = 4096;

/// The largest row that is read, in bytes. A guess: far over anything that the store keeps.
const MAX_ROW_LEN: usize = 16 << 20;

/// The most columns of a row; more is garbage. The widest table has 23.
const MAX_COLUMNS: usize = 64;

/// The beginning of a sound database.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Lengths of the log's header, and of the header of each frame in it.
const LOG_HEADER_LEN: usize = 32;
const FRAME_HEADER_LEN: usize = 24;

/// The kind of a row's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// A table with row numbers.
    Numbered,
    /// A table `WITHOUT ROWID`, or an index.
    Sorted,
}

/// A row as it is in a page.
pub(super) struct Row {
    /// The kind of its table.
    pub(super) layout: Layout,
    /// Its row number; 0 where rows have none.
    pub(super) key: i64,
    record: Vec<u8>,
}

/// A database and its log, as a crash may have left them.
pub(super) struct Pages {
    database: File,
    /// How many pages the file has, including a partial one at its end.
    count: u32,
    log: Option<File>,
    /// Where in the log the newest state of a page begins.
    in_log: BTreeMap<u32, u64>,
}

/// The committed part of a log.
#[derive(Default)]
struct Committed {
    /// Where the newest state of a page begins.
    pages: BTreeMap<u32, u64>,
    /// How many pages the database has with it; `None` if the log is empty.
    count: Option<u32>,
}

type Page = [u8; PAGE_LEN];

impl Pages {
    /// Opens it to read. The log is beside it, under the same name with `-wal`.
    pub(super) fn open(database: &Path) -> io::Result<Self> {
        let file = File::open(database)?;
        let count = file.metadata()?.len().div_ceil(PAGE_LEN as u64);
        let mut log_path = database.as_os_str().to_owned();
        log_path.push("-wal");
        let mut pages = Self {
            database: file,
            count: u32::try_from(count).unwrap_or(u32::MAX),
            log: None,
            in_log: BTreeMap::new(),
        };
        match File::open(PathBuf::from(log_path)) {
            Ok(mut log) => {
                let committed = committed(&mut log)?;
                pages.in_log = committed.pages;
                // If the database became smaller, the rest of the file is old.
                pages.count = committed.count.unwrap_or(pages.count);
                pages.log = Some(log);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(pages)
    }

    /// How many pages there are; their numbers begin with 1.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// The schema's version, if the first page is SQLite's.
    pub(super) fn version(&mut self) -> Option<u32> {
        let page = self.page(1)?;
        let version = page.get(60..64)?.try_into().ok()?;
        page.starts_with(MAGIC).then(|| u32::from_be_bytes(version))
    }

    /// All rows of a page that can be read; empty if it has none or can't be read.
    pub(super) fn rows(&mut self, number: u32) -> Vec<Row> {
        let Some(page) = self.page(number) else {
            return Vec::new();
        };
        // The first page begins with the file's header. It has rows about tables only.
        let (layout, header_len) = match page[0] {
            0x0D => (Layout::Numbered, 8),
            0x0A => (Layout::Sorted, 8),
            0x02 => (Layout::Sorted, 12),
            _ => return Vec::new(),
        };
        let cells = usize::from(u16::from_be_bytes([page[3], page[4]]));
        let places = page[header_len..].chunks_exact(2).take(cells);
        let starts: Vec<usize> = places
            .map(|place| usize::from(u16::from_be_bytes([place[0], place[1]])))
            .collect();
        let is_inner = header_len == 12;
        starts
            .into_iter()
            .filter_map(|start| self.row(&page, start + if is_inner { 4 } else { 0 }, layout))
            .collect()
    }

    fn row(&mut self, page: &Page, start: usize, layout: Layout) -> Option<Row> {
        let mut rest = page.get(start..)?;
        let len = usize::try_from(varint(&mut rest)?).ok()?;
        let key = match layout {
            Layout::Numbered => varint(&mut rest)?.cast_signed(),
            Layout::Sorted => 0,
        };
        if len > MAX_ROW_LEN {
            return None;
        }
        let here = local_len(len, layout);
        let mut record = rest.get(..here)?.to_vec();
        if here < len {
            let next = rest.get(here..here + 4)?.try_into().ok()?;
            self.read_on(u32::from_be_bytes(next), len, &mut record)?;
        }
        Some(Row { layout, key, record })
    }

    /// The rest of a row that does not fit into its page, from overflow pages.
    fn read_on(&mut self, mut next: u32, len: usize, record: &mut Vec<u8>) -> Option<()> {
        // Each page adds to the length, so a cycle ends.
        while record.len() < len {
            let page = self.page(next)?;
            let (link, bytes) = page.split_first_chunk()?;
            record.extend_from_slice(&bytes[..bytes.len().min(len - record.len())]);
            next = u32::from_be_bytes(*link);
        }
        Some(())
    }

    /// A page in its newest state; `None` if it can't be read. Bytes missing at the end of the file are zeros.
    fn page(&mut self, number: u32) -> Option<Page> {
        if number == 0 || number > self.count {
            return None;
        }
        let (file, at) = match (self.in_log.get(&number), &mut self.log) {
            (Some(at), Some(log)) => (log, *at),
            _ => (&mut self.database, u64::from(number - 1) * PAGE_LEN as u64),
        };
        let mut page = [0; PAGE_LEN];
        file.seek(SeekFrom::Start(at)).ok()?;
        read_up_to(file, &mut page).ok()?;
        Some(page)
    }
}

impl Row {
    /// Its columns; `None` if the bytes are not those of a row.
    pub(super) fn columns(&self) -> Option<Vec<ValueRef<'_>>> {
        let mut rest = self.record.as_slice();
        let header_len = usize::try_from(varint(&mut rest)?).ok()?;
        let used = self.record.len() - rest.len();
        let mut types = rest.get(..header_len.checked_sub(used)?)?;
        let mut values = self.record.get(header_len..)?;
        let mut columns = Vec::new();
        while !types.is_empty() {
            if columns.len() == MAX_COLUMNS {
                return None;
            }
            columns.push(value(varint(&mut types)?, &mut values)?);
        }
        values.is_empty().then_some(columns)
    }
}

/// A column's value, by its type's number.
fn value<'a>(kind: u64, values: &mut &'a [u8]) -> Option<ValueRef<'a>> {
    let len = match kind {
        0 | 8 | 9 => 0,
        1..=4 => usize::try_from(kind).ok()?,
        5 => 6,
        6 | 7 => 8,
        10 | 11 => return None,
        _ => usize::try_from((kind - 12) / 2).ok()?,
    };
    let (bytes, rest) = values.split_at_checked(len)?;
    *values = rest;
    Some(match kind {
        0 => ValueRef::Null,
        1..=6 => {
            let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
            let start = if negative { -1_i64 } else { 0 };
            ValueRef::Integer(
                bytes
                    .iter()
                    .fold(start, |number, byte| number << 8 | i64::from(*byte)),
            )
        }
        7 => ValueRef::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
        8 => ValueRef::Integer(0),
        9 => ValueRef::Integer(1),
        _ if kind.is_multiple_of(2) => ValueRef::Blob(bytes),
        _ => ValueRef::Text(bytes),
    })
}

/// A number of 1 to 9 bytes, 7 bits in each but the ninth, the highest first.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for at in 0..9 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if at == 8 {
            return Some(number << 8 | u64::from(*byte));
        }
        number = number << 7 | u64::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(number)
}

/// How many bytes of a row are in its own page; the others are in overflow pages.
fn local_len(len: usize, layout: Layout) -> usize {
    let most = match layout {
        Layout::Numbered => PAGE_LEN - 35,
        Layout::Sorted => (PAGE_LEN - 12) * 64 / 255 - 23,
    };
    let least = (PAGE_LEN - 12) * 32 / 255 - 23;
    if len <= most {
        return len;
    }
    let fitting = least + (len - least) % (PAGE_LEN - 4);
    if fitting <= most { fitting } else { least }
}

/// Where in a log the newest committed state of each page is. As in SQLite, frames after the first with a wrong checksum were
/// never committed.
fn committed(log: &mut File) -> io::Result<Committed> {
    let (mut committed, mut since_commit) = (Committed::default(), BTreeMap::new());
    let mut header = [0; LOG_HEADER_LEN];
    if read_up_to(log, &mut header)? < LOG_HEADER_LEN {
        return Ok(committed);
    }
    let words = |bytes: &[u8], at: usize| word(bytes, at, true);
    let big = match words(&header, 0) {
        0x377F_0682 => false,
        0x377F_0683 => true,
        _ => return Ok(committed),
    };
    let mut sum = checksum((0, 0), &header[..24], big);
    if words(&header, 8) as usize != PAGE_LEN || sum != (words(&header, 24), words(&header, 28)) {
        return Ok(committed);
    }
    let mut frame = vec![0; FRAME_HEADER_LEN + PAGE_LEN];
    let mut at = LOG_HEADER_LEN as u64;
    while read_up_to(log, &mut frame)? == frame.len() {
        sum = checksum(sum, &frame[..8], big);
        sum = checksum(sum, &frame[FRAME_HEADER_LEN..], big);
        if frame[8..16] != header[16..24] || sum != (words(&frame, 16), words(&frame, 20)) {
            break;
        }
        since_commit.insert(words(&frame, 0), at + FRAME_HEADER_LEN as u64);
        let count = words(&frame, 4);
        if count != 0 {
            committed.pages.append(&mut since_commit);
            committed.count = Some(count);
        }
        at += frame.len() as u64;
    }
    Ok(committed)
}

/// The log's checksum, of pairs of words.
fn checksum((mut first, mut second): (u32, u32), bytes: &[u8], big: bool) -> (u32, u32) {
    for at in (0..bytes.len()).step_by(8) {
        first = first.wrapping_add(word(bytes, at, big)).wrapping_add(second);
        second = second.wrapping_add(word(bytes, at + 4, big)).wrapping_add(first);
    }
    (first, second)
}

/// 4 bytes of a piece that has them.
fn word(bytes: &[u8], at: usize, big: bool) -> u32 {
    let word = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    if big {
        u32::from_be_bytes(word)
    } else {
        u32::from_le_bytes(word)
    }
}

/// Reads until the buffer is full or the file ends, and returns how much.
fn read_up_to(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read(&mut buffer[read..]) {
            Ok(0) => break,
            Ok(len) => read += len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}
