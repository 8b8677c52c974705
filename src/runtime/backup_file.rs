//! The backup file: a database, sealed with a passphrase in pieces, as in the STREAM construction (Hoang, Reyhanitabar,
//! Rogaway and Vizár 2015).
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `THRONGBK` |
//! | 1 | the version of this form, 1 |
//! | 9 | how the passphrase is stretched ([`Stretch::encode`]) |
//! | 16 | the salt beside it |
//! | 8 | the length of the database in bytes, big-endian |
//! | 16 | an empty text, sealed: shows whether the passphrase is right |
//! | 8 | the first bytes of SHA-256 over all of the above, to tell damage from a wrong passphrase |
//! | | the database in pieces of 64 KiB, each sealed (16 bytes longer), the last one shorter |
//!
//! The key is derived from the stretched passphrase and the first 42 bytes, so that none of those can be changed. Each piece's
//! nonce has its number and whether it is the last, so that none can be left out, moved, or added.

use std::io::{self, Read, Write};

use zeroize::Zeroizing;

use crate::crypto::{Nonce, SALT_LEN, SEAL_OVERHEAD, STRETCH_LEN, SealKey, Stretch, hash};
use crate::model::Passphrase;

const MAGIC: &[u8; 8] = b"THRONGBK";
const VERSION: u8 = 1;
const SALT_AT: usize = MAGIC.len() + 1 + STRETCH_LEN;
const LEN_AT: usize = SALT_AT + SALT_LEN;
const CHECK_AT: usize = LEN_AT + 8;
const SUM_AT: usize = CHECK_AT + SEAL_OVERHEAD;
const HEADER_LEN: usize = SUM_AT + 8;

/// Length of a piece before it is sealed, in bytes.
const PIECE_LEN: usize = 64 << 10;

/// What is sealed by a nonce.
#[derive(Clone, Copy)]
enum Part {
    Piece = 0,
    LastPiece = 1,
    Check = 2,
}

/// Why a backup could not be opened.
#[derive(Debug)]
pub(super) enum OpenError {
    /// It is not a backup.
    NotABackup,
    /// A newer program made it.
    NewerVersion,
    /// The passphrase is wrong.
    WrongPassphrase,
    /// Its end is missing.
    Cut,
    /// It was changed or damaged.
    Damaged,
    /// It could not be read.
    Read(io::Error),
    /// Its content could not be written.
    Write(io::Error),
}

/// Seals `len` bytes.
///
/// # Errors
/// Of `from` and `to`; that `from` has another length.
pub(super) fn seal(
    from: impl Read,
    len: u64,
    to: impl Write,
    passphrase: &Passphrase,
    salt: &[u8; SALT_LEN],
) -> io::Result<()> {
    seal_by(Stretch::STANDARD, from, len, to, passphrase, salt)
}

fn seal_by(
    stretch: Stretch,
    mut from: impl Read,
    len: u64,
    mut to: impl Write,
    passphrase: &Passphrase,
    salt: &[u8; SALT_LEN],
) -> io::Result<()> {
    let mut header = Vec::with_capacity(HEADER_LEN);
    header.extend_from_slice(MAGIC);
    header.push(VERSION);
    header.extend_from_slice(&stretch.encode());
    header.extend_from_slice(salt);
    header.extend_from_slice(&len.to_be_bytes());
    let key = file_key(stretch, passphrase, salt, &header);
    header.extend_from_slice(&key.seal(&nonce(0, Part::Check), &[]));
    header.extend_from_slice(&sum(&header));
    to.write_all(&header)?;

    let mut piece = Zeroizing::new(vec![0; PIECE_LEN]);
    for (number, part, piece_len) in pieces(len) {
        let plain = &mut piece[..piece_len];
        from.read_exact(plain)?;
        to.write_all(&key.seal(&nonce(number, part), plain))?;
    }
    Ok(())
}

/// Opens a backup and writes what is in it.
///
/// # Errors
/// See [`OpenError`]. Do not use what was written by then.
pub(super) fn open(
    mut from: impl Read,
    mut to: impl Write,
    passphrase: &Passphrase,
) -> Result<(), OpenError> {
    let (header, stretch, len) = read_header(&mut from)?;
    let salt = header[SALT_AT..].first_chunk().ok_or(OpenError::Damaged)?;
    let key = file_key(stretch, passphrase, salt, &header[..CHECK_AT]);
    if key
        .open(&nonce(0, Part::Check), &header[CHECK_AT..SUM_AT])
        .is_none()
    {
        return Err(OpenError::WrongPassphrase);
    }
    let mut sealed = vec![0; PIECE_LEN + SEAL_OVERHEAD];
    for (number, part, piece_len) in pieces(len) {
        let sealed = &mut sealed[..piece_len + SEAL_OVERHEAD];
        fill(&mut from, sealed)?;
        let plain = key.open(&nonce(number, part), sealed).ok_or(OpenError::Damaged)?;
        to.write_all(&plain).map_err(OpenError::Write)?;
    }
    match from.read(&mut [0]) {
        Ok(0) => Ok(()),
        Ok(_) => Err(OpenError::Damaged),
        Err(error) => Err(OpenError::Read(error)),
    }
}

fn read_header(from: &mut impl Read) -> Result<([u8; HEADER_LEN], Stretch, u64), OpenError> {
    let mut header = [0; HEADER_LEN];
    match fill(from, &mut header[..MAGIC.len()]) {
        Err(OpenError::Cut) => return Err(OpenError::NotABackup),
        read => read?,
    }
    if !header.starts_with(MAGIC) {
        return Err(OpenError::NotABackup);
    }
    fill(from, &mut header[MAGIC.len()..=MAGIC.len()])?;
    match header[MAGIC.len()] {
        VERSION => {}
        0 => return Err(OpenError::Damaged),
        _ => return Err(OpenError::NewerVersion),
    }
    fill(from, &mut header[MAGIC.len() + 1..])?;
    if sum(&header[..SUM_AT]) != header[SUM_AT..] {
        return Err(OpenError::Damaged);
    }
    let number = header[LEN_AT..].first_chunk().copied();
    let stretch = header[MAGIC.len() + 1..].first_chunk().and_then(Stretch::decode);
    match (stretch, number.map(u64::from_be_bytes)) {
        (Some(stretch), Some(len)) => Ok((header, stretch, len)),
        _ => Err(OpenError::Damaged),
    }
}

fn fill(from: &mut impl Read, bytes: &mut [u8]) -> Result<(), OpenError> {
    from.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => OpenError::Cut,
        _ => OpenError::Read(error),
    })
}

fn file_key(stretch: Stretch, passphrase: &Passphrase, salt: &[u8; SALT_LEN], header: &[u8]) -> SealKey {
    let stretched = stretch.key(passphrase.as_bytes(), salt);
    stretched.derive("throng backup", header)
}

/// Number, nonce and length of each piece. An empty file has one, which is empty.
fn pieces(len: u64) -> impl Iterator<Item = (u64, Part, usize)> {
    let whole = PIECE_LEN as u64;
    let last = len.saturating_sub(1) / whole;
    (0..=last).map(move |number| {
        if number == last {
            (number, Part::LastPiece, (len - number * whole) as usize)
        } else {
            (number, Part::Piece, PIECE_LEN)
        }
    })
}

fn nonce(number: u64, part: Part) -> Nonce {
    let mut nonce = [0; 24];
    nonce[..8].copy_from_slice(&number.to_be_bytes());
    nonce[8] = part as u8;
    nonce
}

fn sum(header: &[u8]) -> [u8; 8] {
    let mut sum = [0; 8];
    sum.copy_from_slice(&hash(&[header])[..8]);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENS: [usize; 5] = [0, 1, PIECE_LEN, PIECE_LEN + 1, 3 * PIECE_LEN];

    fn passphrase() -> Passphrase {
        Passphrase::from("lamp river oak tin")
    }

    fn plain(len: usize) -> Vec<u8> {
        (0..len).map(|at| (at * 31 % 251) as u8).collect()
    }

    fn sealed(len: usize) -> Vec<u8> {
        // The least work that Argon2 accepts: 8 KiB, 1 pass, 1 lane.
        let stretch = Stretch::decode(&[0, 0, 0, 8, 0, 0, 0, 1, 1]).expect("allowed");
        let mut file = Vec::new();
        let plain = plain(len);
        seal_by(
            stretch,
            &*plain,
            len as u64,
            &mut file,
            &passphrase(),
            &[9; SALT_LEN],
        )
        .expect("sealed");
        file
    }

    fn opened(file: &[u8]) -> Result<Vec<u8>, OpenError> {
        let mut plain = Vec::new();
        open(file, &mut plain, &passphrase()).map(|()| plain)
    }

    #[test]
    fn what_is_sealed_opens_again() {
        for len in LENS {
            let file = sealed(len);
            assert_eq!(opened(&file).expect("opened"), plain(len), "{len}");
            let start = &plain(len)[..len.min(100)];
            assert!(len < 100 || !file.windows(100).any(|part| part == start));
        }
        let wrong = open(&*sealed(9), Vec::new(), &Passphrase::from("another"));
        assert!(matches!(wrong, Err(OpenError::WrongPassphrase)), "{wrong:?}");
        let mut file = Vec::new();
        seal(&b"all"[..], 3, &mut file, &passphrase(), &[9; SALT_LEN]).expect("sealed");
        assert_eq!(opened(&file).expect("opened"), b"all", "by the standard");
    }

    #[test]
    fn a_file_cut_anywhere_is_known() {
        let file = sealed(PIECE_LEN + 100);
        for len in (0..HEADER_LEN + 40).chain([HEADER_LEN + PIECE_LEN + SEAL_OVERHEAD, file.len() - 1]) {
            let cut = opened(&file[..len]);
            match len {
                0..8 => assert!(matches!(cut, Err(OpenError::NotABackup)), "{len}: {cut:?}"),
                _ => assert!(matches!(cut, Err(OpenError::Cut)), "{len}: {cut:?}"),
            }
        }
    }

    #[test]
    fn a_file_changed_anywhere_is_refused() {
        let file = sealed(2 * PIECE_LEN + 5);
        let body = (HEADER_LEN..file.len()).step_by(4099);
        for at in (0..HEADER_LEN).chain(body).chain([file.len() - 1]) {
            let mut changed = file.clone();
            changed[at] ^= 0x40;
            let error = opened(&changed).expect_err("changed");
            match at {
                0..8 => assert!(matches!(error, OpenError::NotABackup), "{at}: {error:?}"),
                8 => assert!(matches!(error, OpenError::NewerVersion), "{at}: {error:?}"),
                _ => assert!(matches!(error, OpenError::Damaged), "{at}: {error:?}"),
            }
        }
        let piece = PIECE_LEN + SEAL_OVERHEAD;
        let (first, rest) = file[HEADER_LEN..].split_at(piece);
        let swapped = [&file[..HEADER_LEN], &rest[..piece], first, &rest[piece..]].concat();
        assert!(matches!(opened(&swapped), Err(OpenError::Damaged)));
        let longer = [&file[..], &[0]].concat();
        assert!(matches!(opened(&longer), Err(OpenError::Damaged)));
        assert!(matches!(opened(&vec![0; 1 << 20]), Err(OpenError::NotABackup)));
    }

    #[test]
    fn no_header_asks_for_more_than_its_share() {
        let mut file = sealed(5);
        // 100 GiB for Argon2, and a sum that fits.
        file[9..13].copy_from_slice(&(100_u32 << 20).to_be_bytes());
        let sum = sum(&file[..SUM_AT]);
        file[SUM_AT..HEADER_LEN].copy_from_slice(&sum);
        assert!(matches!(opened(&file), Err(OpenError::Damaged)));
        // A length that the file does not have.
        let mut file = sealed(5);
        file[LEN_AT..CHECK_AT].copy_from_slice(&u64::MAX.to_be_bytes());
        let sum = super::sum(&file[..SUM_AT]);
        file[SUM_AT..HEADER_LEN].copy_from_slice(&sum);
        assert!(matches!(opened(&file), Err(OpenError::WrongPassphrase)));
    }
}
