//! Kinds 107 and 108: history is compared (range-based set reconciliation, Meyer 2022) and fetched.

use super::{Body, Reader, SignedSay, TokenCounter, WireError, saturated, write_varint};
use crate::id::{ClientId, MemberId};

/// The most spans in one comparison: as many as fit into a datagram.
pub const MAX_COMPARED: usize = 34;

/// The first bytes of a session's client_id, by which the says of a [`HistoryAnswer::Says`] name it.
pub type ShortSession = [u8; 3];

const COMPARE: u8 = 0;
const FETCH: u8 = 1;

const COMPARED: u8 = 0;
const AUTHORS: u8 = 1;
const SAYS: u8 = 2;
const END: u8 = 3;

const WITH_CREDENTIALS: u8 = 1;

/// Flags in a record's first byte, above the id.
const AFTER_NEXT: u8 = 64;
const HAS_COUNTER: u8 = 128;
const FIRST_BODY: u8 = 64;

/// Kind 107: a question about what was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryAsk {
    /// Token and counter.
    pub t: TokenCounter,
    /// The asker's choice. It comes back in the answers.
    pub ask: u32,
    /// What is asked.
    pub question: HistoryQuestion,
}

/// What a [`HistoryAsk`] asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryQuestion {
    /// In which of these spans do you hold other says than I do?
    Compare {
        /// Where the first span begins, an hlc.
        from: u64,
        /// 1 to [`MAX_COMPARED`] spans: the hlc at which each ends (exclusive) and the next begins, and its fingerprint.
        spans: Vec<(u64, [u8; 16])>,
    },
    /// Send me what you hold of a span, the newest first.
    Fetch {
        /// Its first hlc.
        from: u64,
        /// The first hlc past it.
        to: u64,
        /// How many says at most; at least 1.
        limit: u16,
        /// Whether to send the credentials of their authors, too.
        with_credentials: bool,
        /// Sessions that need not be introduced, ascending.
        known: Vec<ShortSession>,
        /// The first bytes of the ids that the asker has in that span, ascending.
        held: Vec<[u8; 6]>,
    },
}

impl HistoryAsk {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.t.write(out);
        out.extend_from_slice(&self.ask.to_be_bytes());
        match &self.question {
            HistoryQuestion::Compare { from, spans } => {
                out.push(COMPARE);
                out.extend_from_slice(&from.to_be_bytes());
                for (to, fingerprint) in spans {
                    out.extend_from_slice(&to.to_be_bytes());
                    out.extend_from_slice(fingerprint);
                }
            }
            HistoryQuestion::Fetch {
                from,
                to,
                limit,
                with_credentials,
                known,
                held,
            } => {
                out.push(FETCH);
                out.extend_from_slice(&from.to_be_bytes());
                out.extend_from_slice(&to.to_be_bytes());
                out.extend_from_slice(&limit.to_be_bytes());
                out.push(if *with_credentials { WITH_CREDENTIALS } else { 0 });
                out.push(saturated(known.len(), u8::MAX));
                out.extend(known.iter().flatten());
                out.extend(held.iter().flatten());
            }
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            t: TokenCounter::read(reader)?,
            ask: reader.u32()?,
            question: match reader.u8()? {
                COMPARE => read_compare(reader)?,
                FETCH => read_fetch(reader)?,
                _ => return Err(WireError::UnknownValue),
            },
        })
    }
}

fn read_compare(reader: &mut Reader<'_>) -> Result<HistoryQuestion, WireError> {
    let from = reader.u64()?;
    let mut spans: Vec<(u64, [u8; 16])> = Vec::new();
    let mut last = from;
    while !reader.is_empty() {
        let to = reader.u64()?;
        if to <= last {
            return Err(WireError::NotAscending);
        }
        last = to;
        spans.push((to, reader.array()?));
    }
    if spans.is_empty() || spans.len() > MAX_COMPARED {
        return Err(WireError::HistoryCount);
    }
    Ok(HistoryQuestion::Compare { from, spans })
}

fn read_fetch(reader: &mut Reader<'_>) -> Result<HistoryQuestion, WireError> {
    let (from, to, limit) = (reader.u64()?, reader.u64()?, reader.u16()?);
    if to <= from {
        return Err(WireError::NotAscending);
    }
    if limit == 0 {
        return Err(WireError::HistoryCount);
    }
    let with_credentials = match reader.u8()? {
        0 => false,
        WITH_CREDENTIALS => true,
        _ => return Err(WireError::UnknownValue),
    };
    let known_count = usize::from(reader.u8()?);
    let known = ascending(reader, known_count)?;
    // If fewer than six bytes are left over, the end of the packet refuses them.
    let held_count = reader.len() / 6;
    let held = ascending(reader, held_count)?;
    Ok(HistoryQuestion::Fetch {
        from,
        to,
        limit,
        with_credentials,
        known,
        held,
    })
}

/// `count` arrays, strictly ascending.
fn ascending<const N: usize>(reader: &mut Reader<'_>, count: usize) -> Result<Vec<[u8; N]>, WireError> {
    let mut all: Vec<[u8; N]> = Vec::new();
    for _ in 0..count {
        let one = reader.array()?;
        if all.last().is_some_and(|last| *last >= one) {
            return Err(WireError::NotAscending);
        }
        all.push(one);
    }
    Ok(all)
}

/// Kind 108: a part of the answer to a [`HistoryAsk`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Token and counter.
    pub t: TokenCounter,
    /// The `ask` of the question.
    pub ask: u32,
    /// Which part.
    pub answer: HistoryAnswer,
}

/// A part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryAnswer {
    /// To a comparison: the whole answer.
    Compared {
        /// The sender holds everything from this hlc on that the asker may have, as far as others had it.
        held_from: u64,
        /// A bit for each span that differs, the lowest bit of the first byte first. 1 to 5 bytes.
        differing: Vec<u8>,
    },
    /// To a fetch: the sessions of its says. At least one.
    Authors(Vec<HistoryAuthor>),
    /// To a fetch: says, the newest first. At least one.
    Says(Vec<HistorySay>),
    /// To a fetch: the last part.
    End {
        /// Whether that was all.
        status: HistoryStatus,
        /// How many parts were sent before this one.
        parts: u8,
        /// Everything from this hlc on was sent.
        down_to: u64,
        /// As in `Compared`.
        held_from: u64,
    },
}

/// How a fetch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryStatus {
    /// All was sent.
    All = 0,
    /// The span has more, below `down_to`.
    More = 1,
    /// The sender holds nothing in that span, or nothing that the asker may have.
    NotHeld = 2,
    /// The sender can't answer now.
    Later = 3,
    /// All was sent, and the asker may have nothing older than `held_from`.
    Whole = 4,
}

/// A session, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryAuthor {
    /// The session.
    pub client_id: ClientId,
    /// Whose it is.
    pub author: HistoryMember,
}

/// A member, by id or by credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryMember {
    /// The member.
    Id(MemberId),
    /// An encoded credential, as in [`crate::invite`], not empty. It names the member.
    Credential(Vec<u8>),
}

/// A say in an answer, without what the says around it tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistorySay {
    /// Its session, one of the [`HistoryAuthor`]s or known to the asker.
    pub session: ShortSession,
    /// See [`SignedSay::number`].
    pub number: u32,
    /// See [`SignedSay::hlc`]. Its milliseconds never rise from one say to the next.
    pub hlc: u64,
    /// See [`SignedSay::after`]. `None` if it is the beginning of the next say's id.
    pub after: Option<[u8; 8]>,
    /// Of a kind that is kept ([`Body::rules`]).
    pub body: Body,
    /// See [`super::Say::signature`].
    pub signature: [u8; 64],
}

impl HistorySay {
    /// The signed part, given the session and `after`.
    pub fn signed(&self, client_id: ClientId, after: [u8; 8]) -> SignedSay {
        SignedSay {
            client_id,
            number: self.number,
            hlc: self.hlc,
            after,
            body: self.body.clone(),
        }
    }

    /// Its length on the wire, in bytes, after a say of `above_ms`.
    pub fn size(&self, above_ms: u64) -> usize {
        let mut out = Vec::new();
        self.write(above_ms, &mut out);
        out.len()
    }

    fn write(&self, above_ms: u64, out: &mut Vec<u8>) {
        let counter = (self.hlc & 0xFFFF) as u16;
        let mut first = self.body.id().wrapping_sub(FIRST_BODY) & (AFTER_NEXT - 1);
        first |= if self.after.is_none() { AFTER_NEXT } else { 0 };
        first |= if counter == 0 { 0 } else { HAS_COUNTER };
        out.push(first);
        out.extend_from_slice(&self.session);
        write_varint(self.number.into(), out);
        write_varint(above_ms.wrapping_sub(self.hlc >> 16), out);
        if counter != 0 {
            out.extend_from_slice(&counter.to_be_bytes());
        }
        out.extend(self.after.iter().flatten());
        write_varint(self.body.data_len() as u64, out);
        self.body.write_data(out);
        out.extend_from_slice(&self.signature);
    }

    fn read(reader: &mut Reader<'_>, above_ms: u64) -> Result<Self, WireError> {
        let first = reader.u8()?;
        let session = reader.array()?;
        let number = u32::try_from(reader.varint()?).map_err(|_| WireError::Varint)?;
        if number == 0 {
            return Err(WireError::NumberZero);
        }
        let ms = above_ms
            .checked_sub(reader.varint()?)
            .ok_or(WireError::NotAscending)?;
        let counter = match first & HAS_COUNTER {
            0 => 0,
            _ => reader.u16()?,
        };
        if counter == 0 && first & HAS_COUNTER != 0 {
            return Err(WireError::Varint);
        }
        let after = match first & AFTER_NEXT {
            0 => Some(reader.array()?),
            _ => None,
        };
        let id = FIRST_BODY + (first & (AFTER_NEXT - 1));
        let len = usize::try_from(reader.varint()?).map_err(|_| WireError::TooShort)?;
        let body = Body::decode(id, reader.slice(len)?)?;
        if !body.rules().is_kept {
            return Err(WireError::UnknownBody);
        }
        Ok(Self {
            session,
            number,
            hlc: ms << 16 | u64::from(counter),
            after,
            body,
            signature: reader.array()?,
        })
    }
}

impl History {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.t.write(out);
        out.extend_from_slice(&self.ask.to_be_bytes());
        match &self.answer {
            HistoryAnswer::Compared { held_from, differing } => {
                out.push(COMPARED);
                out.extend_from_slice(&held_from.to_be_bytes());
                out.extend_from_slice(differing);
            }
            HistoryAnswer::Authors(authors) => {
                out.push(AUTHORS);
                for author in authors {
                    author.write(out);
                }
            }
            HistoryAnswer::Says(says) => {
                out.push(SAYS);
                write_says(says, out);
            }
            HistoryAnswer::End {
                status,
                parts,
                down_to,
                held_from,
            } => {
                out.extend_from_slice(&[END, *status as u8, *parts]);
                out.extend_from_slice(&down_to.to_be_bytes());
                out.extend_from_slice(&held_from.to_be_bytes());
            }
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            t: TokenCounter::read(reader)?,
            ask: reader.u32()?,
            answer: match reader.u8()? {
                COMPARED => HistoryAnswer::Compared {
                    held_from: reader.u64()?,
                    differing: {
                        let bits = reader.all_but(0)?;
                        if bits.is_empty() || bits.len() > MAX_COMPARED.div_ceil(8) {
                            return Err(WireError::HistoryCount);
                        }
                        bits.to_vec()
                    },
                },
                AUTHORS => HistoryAnswer::Authors(read_all(reader, HistoryAuthor::read)?),
                SAYS => HistoryAnswer::Says(read_says(reader)?),
                END => HistoryAnswer::End {
                    status: match reader.u8()? {
                        0 => HistoryStatus::All,
                        1 => HistoryStatus::More,
                        2 => HistoryStatus::NotHeld,
                        3 => HistoryStatus::Later,
                        4 => HistoryStatus::Whole,
                        _ => return Err(WireError::UnknownValue),
                    },
                    parts: reader.u8()?,
                    down_to: reader.u64()?,
                    held_from: reader.u64()?,
                },
                _ => return Err(WireError::UnknownValue),
            },
        })
    }
}

/// The milliseconds of the first say, then each say with how far it is below the one before.
fn write_says(says: &[HistorySay], out: &mut Vec<u8>) {
    let mut above_ms = says.first().map_or(0, |say| say.hlc >> 16);
    out.extend_from_slice(&above_ms.to_be_bytes()[2..]);
    for say in says {
        say.write(above_ms, out);
        above_ms = say.hlc >> 16;
    }
}

fn read_says(reader: &mut Reader<'_>) -> Result<Vec<HistorySay>, WireError> {
    let [a, b, c, d, e, f] = reader.array()?;
    let first_ms = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    let mut above_ms = first_ms;
    let says = read_all(reader, |reader| {
        let say = HistorySay::read(reader, above_ms)?;
        above_ms = say.hlc >> 16;
        Ok(say)
    })?;
    let is_first_exact = says.first().is_some_and(|say| say.hlc >> 16 == first_ms);
    let is_last_whole = says.last().is_some_and(|say| say.after.is_some());
    if is_first_exact && is_last_whole {
        Ok(says)
    } else {
        Err(WireError::UnknownValue)
    }
}

/// All that are left, at least one.
fn read_all<T>(
    reader: &mut Reader<'_>,
    mut read: impl FnMut(&mut Reader<'_>) -> Result<T, WireError>,
) -> Result<Vec<T>, WireError> {
    let mut all = Vec::new();
    while !reader.is_empty() {
        all.push(read(reader)?);
    }
    if all.is_empty() {
        return Err(WireError::HistoryCount);
    }
    Ok(all)
}

impl HistoryAuthor {
    /// Its length on the wire, in bytes.
    pub fn size(&self) -> usize {
        34 + match &self.author {
            HistoryMember::Id(_) => 32,
            HistoryMember::Credential(credential) => credential.len(),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.client_id.0);
        match &self.author {
            HistoryMember::Id(member) => {
                out.extend_from_slice(&[0, 0]);
                out.extend_from_slice(&member.0);
            }
            HistoryMember::Credential(credential) => {
                out.extend_from_slice(&saturated(credential.len(), u16::MAX).to_be_bytes());
                out.extend_from_slice(credential);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            client_id: ClientId(reader.array()?),
            author: match reader.counted()? {
                [] => HistoryMember::Id(MemberId(reader.array()?)),
                credential => HistoryMember::Credential(credential.to_vec()),
            },
        })
    }
}
