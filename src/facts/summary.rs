use std::collections::BTreeMap;

use super::chain::Chain;
use super::{FactSet, HeldFact, MAX_FORKS, MAX_MEMBER_TOPICS, Malformed};
use crate::crypto;
use crate::id::{FactId, MemberId};
use crate::wire::{Reader, saturated};

/// The longest summary, in bytes: as much as a fact.
pub const MAX_SUMMARY_LEN: usize = 880;

const FIRST: u8 = 1;
const MAX_LOOSE: usize = MAX_MEMBER_TOPICS + MAX_FORKS;

/// flags 1, salt 8, from 32, to 32.
const LEAST_LEN: usize = 73;

type Salt = [u8; 8];
type Digest = [u8; 8];

/// What a set holds, in so few bytes that another can tell which facts it lacks. A set has one summary for all, or
/// several, if it has many moderators' chains.
///
/// A chain is told by its last seq and by digests of it up to there, and up to 1, 3, 7, 15, … before. Where two chains
/// differ below (a fork of which each side knows one branch), these tell where to begin. The digests are salted, so
/// that nobody can make two chains of equal digests beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    salt: Salt,
    /// The first summary of a set: the founder's chain, and short ids of what is in no chain.
    first: Option<(Have, Vec<Digest>)>,
    /// The moderators of whom it tells; of those between the two that are not named it has nothing.
    from: MemberId,
    to: MemberId,
    moderators: BTreeMap<MemberId, Have>,
}

/// How much somebody has of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Have {
    last: u32,
    digests: Vec<Digest>,
}

impl FactSet {
    /// What this set holds, under a random salt.
    pub fn summary(&self, salt: [u8; 8]) -> Vec<Summary> {
        let loose = self.loose().map(|held| short_id(&salt, &held.id)).collect();
        let mut pages = vec![Summary {
            salt,
            first: Some((Have::of(&self.founders, &salt), loose)),
            from: MemberId([0; 32]),
            to: MemberId([0xFF; 32]),
            moderators: BTreeMap::new(),
        }];
        let mut len = pages[0].encode().len();
        for (member, chain) in &self.moderators {
            let have = Have::of(chain, &salt);
            len += 32 + have.len();
            if len > MAX_SUMMARY_LEN {
                len = LEAST_LEN + 32 + have.len();
                if let Some(full) = pages.last_mut() {
                    full.to = before(member);
                }
                pages.push(Summary {
                    salt,
                    first: None,
                    from: *member,
                    to: MemberId([0xFF; 32]),
                    moderators: BTreeMap::new(),
                });
            }
            if let Some(page) = pages.last_mut() {
                page.moderators.insert(*member, have);
            }
        }
        pages
    }

    /// Which of our facts somebody lacks who told that summary, in an order in which they can take them.
    pub fn missing_for(&self, theirs: &Summary) -> Vec<&HeldFact> {
        let mut missing = Vec::new();
        if let Some((founders, _)) = &theirs.first {
            missing.extend(lacking(&self.founders, Some(founders), &theirs.salt));
        }
        if theirs.from <= theirs.to {
            for (member, chain) in self.moderators.range(theirs.from..=theirs.to) {
                missing.extend(lacking(chain, theirs.moderators.get(member), &theirs.salt));
            }
        }
        if let Some((_, loose)) = &theirs.first {
            missing.extend(
                self.loose()
                    .filter(|held| !loose.contains(&short_id(&theirs.salt, &held.id))),
            );
        }
        missing
    }

    /// What is in no chain.
    fn loose(&self) -> impl Iterator<Item = &HeldFact> {
        self.topics.values().chain(self.forks.values())
    }
}

impl Summary {
    /// The summary in bytes, at most [`MAX_SUMMARY_LEN`].
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![if self.first.is_some() { FIRST } else { 0 }];
        out.extend_from_slice(&self.salt);
        if let Some((founders, loose)) = &self.first {
            founders.write(&mut out);
            out.push(saturated(loose.len(), u8::MAX));
            out.extend(loose.iter().flatten());
        }
        out.extend_from_slice(&self.from.0);
        out.extend_from_slice(&self.to.0);
        for (member, have) in &self.moderators {
            out.extend_from_slice(&member.0);
            have.write(&mut out);
        }
        out
    }

    /// Reads what [`Self::encode`] wrote, all of it.
    ///
    /// # Errors
    /// What is no summary.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > MAX_SUMMARY_LEN {
            return Err(Malformed);
        }
        let mut reader = Reader::new(bytes);
        let flags = reader.u8()?;
        let salt = reader.array()?;
        let first = match flags {
            0 => None,
            FIRST => Some((Have::read(&mut reader)?, read_loose(&mut reader)?)),
            _ => return Err(Malformed),
        };
        let (from, to) = (MemberId(reader.array()?), MemberId(reader.array()?));
        let mut moderators = BTreeMap::new();
        while !reader.is_empty() {
            let member = MemberId(reader.array()?);
            let in_order = moderators.last_key_value().is_none_or(|(last, _)| *last < member);
            if !in_order || member < from || member > to {
                return Err(Malformed);
            }
            moderators.insert(member, Have::read(&mut reader)?);
        }
        Ok(Self {
            salt,
            first,
            from,
            to,
            moderators,
        })
    }
}

impl Have {
    fn of(chain: &Chain, salt: &Salt) -> Self {
        let digests = chain.digests(salt);
        let at = |seq: &u32| digests[*seq as usize - 1];
        Self {
            last: chain.last(),
            digests: told(chain.last()).iter().map(at).collect(),
        }
    }

    fn len(&self) -> usize {
        4 + 8 * self.digests.len()
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.last.to_be_bytes());
        out.extend(self.digests.iter().flatten());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let last = reader.u32()?;
        let mut digests = Vec::new();
        for _ in told(last) {
            digests.push(reader.array()?);
        }
        Ok(Self { last, digests })
    }
}

/// Up to which seqs there are digests of a chain: its last, and 1, 3, 7, 15, … before.
fn told(last: u32) -> Vec<u32> {
    (0..u32::BITS)
        .map_while(|power| last.checked_sub((1 << power) - 1))
        .take_while(|seq| *seq > 0)
        .collect()
}

/// The facts of our chain behind the last place where theirs is the same.
fn lacking<'a>(ours: &'a Chain, theirs: Option<&Have>, salt: &Salt) -> impl Iterator<Item = &'a HeldFact> {
    let same = theirs.map_or(0, |theirs| {
        let digests = ours.digests(salt);
        let is_same = |(seq, digest): &(u32, &Digest)| digests.get(*seq as usize - 1) == Some(*digest);
        let told = told(theirs.last);
        told.into_iter()
            .zip(&theirs.digests)
            .find(is_same)
            .map_or(0, |(seq, _)| seq)
    });
    ours.facts_from(same.saturating_add(1))
}

fn short_id(salt: &Salt, id: &FactId) -> Digest {
    *crypto::hash(&[b"throng/1 loose\0", salt, &id.0])
        .first_chunk()
        .expect("8 is less than 32")
}

fn read_loose(reader: &mut Reader<'_>) -> Result<Vec<Digest>, Malformed> {
    let count = usize::from(reader.u8()?);
    if count > MAX_LOOSE {
        return Err(Malformed);
    }
    let mut loose = Vec::with_capacity(count);
    for _ in 0..count {
        loose.push(reader.array()?);
    }
    Ok(loose)
}

/// The key before this one, as numbers.
fn before(member: &MemberId) -> MemberId {
    let mut key = member.0;
    for byte in key.iter_mut().rev() {
        let (less, borrows) = byte.overflowing_sub(1);
        *byte = less;
        if !borrows {
            break;
        }
    }
    MemberId(key)
}
