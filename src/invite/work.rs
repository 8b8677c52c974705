//! Proof of work at the door of a public chat, as in Hashcash (Back 2002; the idea is Dwork and Naor's, 1992). It makes a
//! swarm of members costlier than one member. It says nothing about who somebody is.
//!
//! The work of an admission is a number that makes a hash over chat, invite, member and time of the admission begin with a
//! number of zero bits. Each bit more takes twice the tries. It can be done beforehand, by any computer, and it counts for
//! that member alone.

use crate::crypto;
use crate::id::{ChatId, InviteId, MemberId};

const LABEL: &[u8] = b"throng/1 work\0";

/// A hash over what the work is for: the part that all tries share.
type Task = [u8; 32];

/// How much work is in an admission, in leading zero bits, whoever signed it. By chance, one number in 2^n has n bits or
/// more.
pub fn zero_bits(chat: &ChatId, invite: &InviteId, member: &MemberId, at_ms: u64, work: u64) -> u8 {
    bits_of(&task(chat, invite, member, at_ms), work)
}

/// A search for the work of an admission, in slices: between two slices the caller can report progress, wait, or give up by
/// dropping it. It takes 2^bits tries on average, and one time in twenty three times as many.
#[derive(Debug, Clone)]
pub struct Search {
    task: Task,
    bits: u8,
    next: u64,
}

impl Search {
    /// A search for the work of the admission with exactly these fields. A node that asks for work may be lying: do not begin
    /// with more than [`MAX_WORK_BITS`](crate::facts::MAX_WORK_BITS).
    pub fn new(chat: &ChatId, invite: &InviteId, member: &MemberId, at_ms: u64, bits: u8) -> Self {
        Self {
            task: task(chat, invite, member, at_ms),
            bits,
            next: 0,
        }
    }

    /// Tries `tries` more numbers, and returns the work once it is found: the least number that does. Later calls return it
    /// again. A million tries take a tenth of a second (measured, with SHA-256 instructions), or about three times that
    /// without (a guess).
    pub fn run(&mut self, tries: u64) -> Option<u64> {
        for _ in 0..tries {
            if bits_of(&self.task, self.next) >= self.bits {
                return Some(self.next);
            }
            self.next = self.next.wrapping_add(1);
        }
        None
    }

    /// How many tries have failed so far.
    pub fn tried(&self) -> u64 {
        self.next
    }
}

fn task(chat: &ChatId, invite: &InviteId, member: &MemberId, at_ms: u64) -> Task {
    crypto::hash(&[LABEL, &chat.0, &invite.0, &member.0, &at_ms.to_be_bytes()])
}

fn bits_of(task: &Task, work: u64) -> u8 {
    let hash = crypto::hash(&[task, &work.to_be_bytes()]);
    let zeros = hash.iter().take_while(|byte| **byte == 0).count();
    let bits = 8 * zeros + hash.get(zeros).map_or(0, |byte| byte.leading_zeros() as usize);
    u8::try_from(bits).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAT: ChatId = ChatId([1; 32]);
    const INVITE: InviteId = InviteId([2; 32]);
    const MEMBER: MemberId = MemberId([3; 32]);

    fn search(bits: u8) -> Search {
        Search::new(&CHAT, &INVITE, &MEMBER, 4, bits)
    }

    #[test]
    fn what_is_found_is_worth_what_was_asked() {
        for bits in [0, 1, 7, 8, 9, 12] {
            let work = search(bits).run(u64::MAX).expect("there is no end to it");
            assert!(zero_bits(&CHAT, &INVITE, &MEMBER, 4, work) >= bits, "{bits} bits");
            let less = (0..work).all(|work| zero_bits(&CHAT, &INVITE, &MEMBER, 4, work) < bits);
            assert!(less, "{bits} bits: {work} is the least");
        }
    }

    #[test]
    fn slices_find_what_a_whole_search_finds() {
        let work = search(12).run(u64::MAX);
        let mut sliced = search(12);
        let mut slices = 0;
        let found = loop {
            if let Some(work) = sliced.run(100) {
                break work;
            }
            slices += 1;
            assert_eq!(sliced.tried(), slices * 100);
        };
        assert!(slices > 1, "more than one slice was needed");
        assert_eq!(Some(found), work);
        assert_eq!((sliced.tried(), sliced.run(1)), (found, work), "it is kept");
        assert_eq!(sliced.run(0), None);
    }

    #[test]
    fn work_counts_for_what_it_was_done_for_alone() {
        let work = search(16).run(u64::MAX).expect("there is no end to it");
        let others = [
            zero_bits(&ChatId([9; 32]), &INVITE, &MEMBER, 4, work),
            zero_bits(&CHAT, &InviteId([9; 32]), &MEMBER, 4, work),
            zero_bits(&CHAT, &INVITE, &MemberId([9; 32]), 4, work),
            zero_bits(&CHAT, &INVITE, &MEMBER, 5, work),
            zero_bits(&CHAT, &INVITE, &MEMBER, 4, work + 1),
        ];
        assert!(others.iter().all(|bits| *bits < 16), "{others:?}");
    }

    #[test]
    fn a_bit_more_takes_twice_the_tries() {
        let with = |bits| (0..4096).filter(|work| bits_of(&[7; 32], *work) >= bits).count();
        for (bits, expected) in [(0, 4096), (1, 2048), (2, 1024), (4, 256), (6, 64)] {
            let (found, spread) = (with(bits), 2 * expected / 8 + 16);
            assert!(found.abs_diff(expected) <= spread, "{bits} bits: {found} of 4096");
        }
    }
}
