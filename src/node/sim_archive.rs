//! What a simulated member keeps over restarts: the says, who was admitted, and how far back it holds all.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::archive::{ArchiveAnswer, ArchiveQuery, ArchivedSay, HOUR, HistoryState, ShortMessageId};
use super::{NodeEvent, SignedState};
use crate::crypto;
use crate::id::{MemberId, MessageId};

/// An archive in memory, which answers at once.
#[derive(Debug, Clone, Default)]
pub struct Archive {
    /// How far back what was said is held, as the node tells it.
    pub state: HistoryState,
    says: BTreeMap<(u64, MessageId), Kept>,
    /// Fingerprints of hours, until something comes to one.
    hours: BTreeMap<u64, [u8; 16]>,
    admitted: BTreeMap<MemberId, Vec<u8>>,
}

#[derive(Debug, Clone)]
struct Kept {
    member: MemberId,
    signed: Vec<u8>,
}

impl Archive {
    /// Takes in what a node tells.
    pub fn keep(&mut self, event: &NodeEvent) {
        match event {
            NodeEvent::Message(message) if !message.signed.is_empty() => {
                self.put(message.id, message.member, message.signed.clone());
                // Until it goes out.
                if message.own && !message.history {
                    self.state.unsent.insert(message.id, hlc_of(&message.signed));
                }
            }
            NodeEvent::Part(part) => self.put(part.id, part.member, part.signed.clone()),
            NodeEvent::Delivery { id, links: 1.. } => {
                self.state.unsent.remove(id);
            }
            NodeEvent::HistoryHeld { since, is_whole } => {
                self.state.since = Some(*since);
                self.state.is_whole = *is_whole;
            }
            NodeEvent::Admitted { member, chain } => {
                self.admitted.insert(*member, chain.clone());
            }
            _ => {}
        }
    }

    /// Hands to a node that starts what was kept for it.
    pub(super) fn restore(&self, state: &mut SignedState) {
        state.history = self.state.clone();
        state.admitted.extend(self.admitted.values().cloned());
        state.joined |= !self.admitted.is_empty();
    }

    /// Puts in a say: what its author signed, with the signature.
    pub fn put(&mut self, id: MessageId, member: MemberId, signed: Vec<u8>) {
        let hlc = hlc_of(&signed);
        self.hours.remove(&(hlc / HOUR));
        self.says.insert((hlc, id), Kept { member, signed });
    }

    /// Throws away all that was said before.
    pub fn clear(&mut self) {
        self.says.clear();
        self.hours.clear();
    }

    /// All that is held, the oldest first.
    pub fn ids(&self) -> Vec<MessageId> {
        self.says.keys().map(|(_, id)| *id).collect()
    }

    /// How many are held.
    pub fn len(&self) -> usize {
        self.says.len()
    }

    /// Whether none are.
    pub fn is_empty(&self) -> bool {
        self.says.is_empty()
    }

    /// Answers a node.
    pub fn look(&mut self, query: &ArchiveQuery) -> ArchiveAnswer {
        match query {
            ArchiveQuery::Fingerprints(spans) => {
                ArchiveAnswer::Fingerprints(spans.iter().map(|span| self.fingerprint(span)).collect())
            }
            ArchiveQuery::Ids { span, limit } => {
                let newest = self.says.range(keys(span)).rev().take(*limit);
                ArchiveAnswer::Ids(newest.map(|((hlc, id), _)| (*hlc, *id)).collect())
            }
            ArchiveQuery::Says {
                span,
                except,
                limit,
                max_bytes,
            } => self.says_in(span, except, *limit, *max_bytes),
        }
    }

    fn says_in(
        &self,
        span: &Range<u64>,
        except: &BTreeSet<ShortMessageId>,
        limit: usize,
        max_bytes: usize,
    ) -> ArchiveAnswer {
        let mut says = Vec::new();
        let mut bytes = 0;
        for ((_, id), kept) in self.says.range(keys(span)).rev() {
            if id.0.first_chunk().is_some_and(|short| except.contains(short)) {
                continue;
            }
            bytes += kept.signed.len();
            if says.len() >= limit || !says.is_empty() && bytes > max_bytes {
                return ArchiveAnswer::Says { says, more: true };
            }
            says.push(ArchivedSay {
                id: *id,
                member: kept.member,
                signed: kept.signed.clone(),
            });
        }
        ArchiveAnswer::Says { says, more: false }
    }

    fn fingerprint(&mut self, span: &Range<u64>) -> [u8; 16] {
        let is_whole = span.start.is_multiple_of(HOUR) && span.end.is_multiple_of(HOUR);
        if !is_whole || span.end - span.start <= HOUR {
            return self.fingerprint_of_ids(span);
        }
        let mut bytes = Vec::new();
        let mut next = span.start;
        while let Some(hour) = self
            .says
            .range(keys(&(next..span.end)))
            .next()
            .map(|(key, _)| key.0 / HOUR)
        {
            let print = match self.hours.get(&hour) {
                Some(print) => *print,
                None => {
                    let print = self.fingerprint_of_ids(&(hour * HOUR..(hour + 1) * HOUR));
                    self.hours.insert(hour, print);
                    print
                }
            };
            bytes.extend((hour as u32).to_be_bytes());
            bytes.extend(print);
            next = (hour + 1) * HOUR;
        }
        print_of(b"throng/1 hours\0", &bytes)
    }

    fn fingerprint_of_ids(&self, span: &Range<u64>) -> [u8; 16] {
        let mut ids: Vec<[u8; 32]> = self.says.range(keys(span)).map(|((_, id), _)| id.0).collect();
        ids.sort_unstable();
        print_of(b"throng/1 span\0", &ids.concat())
    }
}

/// The first 16 bytes of a hash; zeros of nothing.
fn print_of(label: &[u8], bytes: &[u8]) -> [u8; 16] {
    let mut print = [0; 16];
    if !bytes.is_empty() {
        print.copy_from_slice(&crypto::hash(&[label, bytes])[..16]);
    }
    print
}

fn keys(span: &Range<u64>) -> Range<(u64, MessageId)> {
    let least = MessageId([0; 32]);
    (span.start, least)..(span.end, least)
}

/// Where it stands in what is signed: after client_id and number.
fn hlc_of(signed: &[u8]) -> u64 {
    let bytes = signed.get(36..44).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u64::from_be_bytes)
}
