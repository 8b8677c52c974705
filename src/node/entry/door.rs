//! The door of a public chat: the work that it asks of who comes by an invite without slots, and doing what is asked.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use crate::facts::{Door, DoorMode, MAX_WORK_BITS};
use crate::id::{ChatId, ClientId};
use crate::invite::{Credential, work};

/// Newcomers are counted as lately come for so long: their count falls to a third in that time. A guess.
const LATELY: Duration = Duration::from_secs(600);

/// So many newcomers are no crowd yet; with each doubling over them the door asks for one bit more. A guess.
const FEW: f64 = 16.0;

/// So much less than what is asked for now will do, as it may have become dearer while somebody worked. A guess: twice
/// as many newcomers as when they asked.
const GRACE_BITS: u8 = 1;

/// Members remembered who asked us for work, to be asked again. A guess: as many as one newcomer asks at once.
const MAX_ASKED_BY: usize = 8;

/// What a node knows as the one at the door, and as the one before it.
#[derive(Debug, Default)]
pub(super) struct Doorstep {
    /// Newcomers by the door, fading, and when that was counted.
    came: f64,
    counted_at: Duration,
    /// The work that we are doing, in bits: the least that anybody asked for.
    doing: Option<u8>,
    asked_by: VecDeque<(ClientId, SocketAddr)>,
}

impl Doorstep {
    fn came_lately(&self, now: Duration) -> f64 {
        let passed = now.saturating_sub(self.counted_at).as_secs_f64();
        self.came * (-passed / LATELY.as_secs_f64()).exp()
    }

    /// Bits beside those of the door, by how many came lately. Only those are counted who were let in, and so have done
    /// their work: else it could be made dear for others for nothing.
    fn extra_bits(&self, now: Duration) -> u8 {
        let crowds = (self.came_lately(now) / FEW).max(0.5).log2().floor() + 1.0;
        // At most 64, and not negative by the line above.
        crowds.min(64.0) as u8
    }

    /// The work that somebody whom we have not met has yet to do before a door, in bits; none if they may come in.
    pub(super) fn work_missing(
        &self,
        chat: &ChatId,
        door: Door,
        credential: &Credential,
        now: Duration,
    ) -> Option<u8> {
        let Credential::Invited { invite, .. } = credential else {
            return None;
        };
        if door.mode != DoorMode::Work || invite.slots != 0 {
            return None;
        }
        let extra = self.extra_bits(now);
        let asked = door.work_bits.saturating_add(extra).min(MAX_WORK_BITS);
        let least = asked.saturating_sub(GRACE_BITS).max(door.work_bits);
        (work_in(chat, credential) < least).then_some(asked)
    }

    /// Somebody has come in by the door.
    pub(super) fn came_by_door(&mut self, now: Duration) {
        self.came = self.came_lately(now) + 1.0;
        self.counted_at = now;
    }

    /// A member asks for work before it lets us in; true if that is to be begun. Of several the least is done: one who asks for
    /// more than the door does keeps nobody outside.
    pub(super) fn work_asked(&mut self, from: SocketAddr, sender: ClientId, bits: u8) -> bool {
        let by = &mut self.asked_by;
        by.retain(|asked_by| *asked_by != (sender, from));
        if by.len() >= MAX_ASKED_BY {
            by.pop_front();
        }
        by.push_back((sender, from));
        let is_less = self.doing.is_none_or(|doing| bits < doing);
        if is_less {
            self.doing = Some(bits);
        }
        is_less
    }

    /// The work under way is for a credential that is not ours any more.
    pub(super) fn forget_work(&mut self) {
        self.doing = None;
        self.asked_by.clear();
    }

    /// The work is done. Who asked for it, to be asked again.
    pub(super) fn work_done(&mut self) -> VecDeque<(ClientId, SocketAddr)> {
        self.doing = None;
        std::mem::take(&mut self.asked_by)
    }
}

/// The work in a credential, in bits.
pub(super) fn work_in(chat: &ChatId, credential: &Credential) -> u8 {
    match credential {
        Credential::Founder(_) => 0,
        Credential::Invited { invite, admission } => work::zero_bits(
            chat,
            &invite.invite,
            &admission.member,
            admission.at_ms,
            admission.work,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bit_more_is_asked_with_each_doubling_of_who_came_lately() {
        let mut doorstep = Doorstep::default();
        for (came, extra) in [
            (0.0, 0),
            (15.0, 0),
            (16.0, 1),
            (31.0, 1),
            (32.0, 2),
            (1024.0, 7),
            (1e30, 64),
        ] {
            doorstep.came = came;
            assert_eq!(doorstep.extra_bits(Duration::ZERO), extra, "{came}");
        }
        doorstep.came = 64.0;
        assert_eq!(
            doorstep.extra_bits(Duration::from_secs(3_600)),
            0,
            "an hour later"
        );
    }
}
