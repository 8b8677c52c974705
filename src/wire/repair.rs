//! Kinds 101 to 103, lazy push and repair: digest (Plumtree's IHAVE), want (IWANT), not_held.

use super::{Reader, TokenCounter, WireError, saturated};
use crate::id::ClientId;

/// The first bytes of a hash of a say's id and a token: see [`Digest`].
pub type ShortId = [u8; 6];

/// The most ids in one of these packets: 384 bytes. A guess.
pub const MAX_SHORT_IDS: usize = 64;

/// The most counts in a digest: 160 bytes. A guess.
pub const MAX_REACHED: usize = 16;

/// The most ranges in a packet: 320 bytes. A guess.
pub const MAX_RANGES: usize = 8;

/// The most numbers in a range: only the last 64 of a gap are asked for.
pub const MAX_RANGE: u32 = 64;

/// Kind 101: says that the sender has and the receiver has not shown to have. The short ids are salted with the token under
/// which this is sent, so that nobody can prepare two says with one short id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Token and counter.
    pub t: TokenCounter,
    /// The sender's count of digests on this link, never 0: the answer names it.
    pub seq: u32,
    /// 0 to 64 says that the sender has, by short id.
    pub held: Vec<ShortId>,
    /// 0 to 16 messages that the sender got from the receiver first, and how many members have them by way of the sender.
    /// At least one of the two lists is not empty.
    pub reached: Vec<(ShortId, u32)>,
}

impl Digest {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.t.write(out);
        out.extend_from_slice(&self.seq.to_be_bytes());
        write_ids(&self.held, out);
        out.push(saturated(self.reached.len(), u8::MAX));
        for (id, members) in &self.reached {
            out.extend_from_slice(id);
            out.extend_from_slice(&members.to_be_bytes());
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let t = TokenCounter::read(reader)?;
        let seq = reader.u32()?;
        let held = read_ids(reader)?;
        let count = count(reader, MAX_REACHED)?;
        let mut reached = Vec::with_capacity(count);
        for _ in 0..count {
            reached.push((reader.array()?, reader.u32()?));
        }
        if held.is_empty() && reached.is_empty() {
            return Err(WireError::ItemCount);
        }
        if seq == 0 {
            return Err(WireError::NumberZero);
        }
        Ok(Self {
            t,
            seq,
            held,
            reached,
        })
    }
}

/// Kind 102: what the sender lacks. As the answer to a digest, it confirms everything that it does not name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Token and counter.
    pub t: TokenCounter,
    /// The digest that this answers. 0 if none: then there are ranges and no ids.
    pub seq: u32,
    /// What is wanted.
    pub items: Items,
}

impl Want {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.t.write(out);
        out.extend_from_slice(&self.seq.to_be_bytes());
        self.items.write(out);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let t = TokenCounter::read(reader)?;
        let seq = reader.u32()?;
        let items = Items::read(reader)?;
        if seq == 0 && (items.ranges.is_empty() || !items.ids.is_empty()) {
            return Err(WireError::ItemCount);
        }
        Ok(Self { t, seq, items })
    }
}

/// Kind 103: what was wanted and the sender does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotHeld {
    /// Token and counter.
    pub t: TokenCounter,
    /// What is not held; never empty.
    pub items: Items,
}

impl NotHeld {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.t.write(out);
        self.items.write(out);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let t = TokenCounter::read(reader)?;
        let items = Items::read(reader)?;
        if items.is_empty() {
            return Err(WireError::ItemCount);
        }
        Ok(Self { t, items })
    }
}

/// What is wanted, or not held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Items {
    /// 0 to 64 short ids, as in the digest.
    pub ids: Vec<ShortId>,
    /// 0 to 8 ranges of numbers.
    pub ranges: Vec<NumberRange>,
}

impl Items {
    /// Whether both lists are empty.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.ranges.is_empty()
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_ids(&self.ids, out);
        out.push(saturated(self.ranges.len(), u8::MAX));
        for range in &self.ranges {
            out.extend_from_slice(&range.client_id.0);
            out.extend_from_slice(&range.first.to_be_bytes());
            out.extend_from_slice(&range.last.to_be_bytes());
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let ids = read_ids(reader)?;
        let count = count(reader, MAX_RANGES)?;
        let mut ranges = Vec::with_capacity(count);
        for _ in 0..count {
            ranges.push(NumberRange::read(reader)?);
        }
        Ok(Self { ids, ranges })
    }
}

/// 1 to 64 consecutive numbers of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberRange {
    /// Whose.
    pub client_id: ClientId,
    /// The first, not 0.
    pub first: u32,
    /// The last, not below the first.
    pub last: u32,
}

impl NumberRange {
    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let range = Self {
            client_id: ClientId(reader.array()?),
            first: reader.u32()?,
            last: reader.u32()?,
        };
        if range.first == 0 {
            return Err(WireError::NumberZero);
        }
        match range.last.checked_sub(range.first) {
            Some(more) if more < MAX_RANGE => Ok(range),
            _ => Err(WireError::UnknownValue),
        }
    }
}

fn write_ids(ids: &[ShortId], out: &mut Vec<u8>) {
    out.push(saturated(ids.len(), u8::MAX));
    for id in ids {
        out.extend_from_slice(id);
    }
}

fn read_ids(reader: &mut Reader<'_>) -> Result<Vec<ShortId>, WireError> {
    (0..count(reader, MAX_SHORT_IDS)?)
        .map(|_| reader.array())
        .collect()
}

fn count(reader: &mut Reader<'_>, most: usize) -> Result<usize, WireError> {
    let count = usize::from(reader.u8()?);
    if count > most {
        return Err(WireError::ItemCount);
    }
    Ok(count)
}
