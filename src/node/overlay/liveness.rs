//! Whether links are still there: one side of each asks from time to time, and the other answers.

use std::net::SocketAddr;
use std::time::Duration;

use super::Overlay;
use crate::id::ClientId;
use crate::node::bucket::{Rate, try_take};
use crate::wire::TokenCounter;

/// Every so often one side of a link asks the other whether it is there, and both compare what they know (the
/// document's keepalive).
const KEEPALIVE: Duration = Duration::from_secs(15);

/// And again after so long, a guess: five times a slow round trip.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// Unanswered questions that end a link. At 20 % loss each way one question in 20 would end it falsely, were the link
/// silent otherwise; it is made anew at once. A guess.
const UNANSWERED: u8 = 3;

/// Keepalives of one link that are looked into, and answered if they ask. A guess: more than somebody sends whose network
/// changes every few seconds.
const ANSWERED: Rate = Rate::per_second(1.0, 10.0);

/// Links that have been silent.
pub(in crate::node) struct Silent {
    /// To be asked whether they are there: they are noted as asked.
    pub(in crate::node) ask: Vec<ClientId>,
    /// They did not answer.
    pub(in crate::node) lost: Vec<ClientId>,
}

impl Overlay {
    /// Which links are to be asked whether they are there, and which are not.
    pub(in crate::node) fn note_silent(&mut self, now: Duration) -> Silent {
        let (mut ask, mut lost) = (Vec::new(), Vec::new());
        for (client_id, link) in &mut self.links {
            let wait = if link.unanswered == 0 {
                KEEPALIVE
            } else {
                ASK_AGAIN
            };
            if now.saturating_sub(link.asked_at) < wait {
                continue;
            }
            if link.unanswered >= UNANSWERED {
                lost.push(*client_id);
                continue;
            }
            link.unanswered += 1;
            link.asked_at = now;
            ask.push(*client_id);
        }
        Silent { ask, lost }
    }

    /// A link is asked now whether it is there, whenever it was asked last.
    pub(in crate::node) fn note_asked(&mut self, client_id: &ClientId, now: Duration) {
        if let Some(link) = self.links.get_mut(client_id) {
            link.unanswered = 1;
            link.asked_at = now;
        }
    }

    /// Takes one of the keepalives that a link may send.
    pub(in crate::node) fn try_take_keepalive(&mut self, client_id: &ClientId, now: Duration) -> bool {
        let link = self.links.get_mut(client_id);
        link.is_some_and(|link| try_take(&mut link.keepalives, ANSWERED, now))
    }

    /// A link echoed what we sent it then.
    pub(in crate::node) fn note_round_trip(
        &mut self,
        client_id: &ClientId,
        sent_at: Duration,
        now: Duration,
    ) {
        if let Some(link) = self.links.get_mut(client_id) {
            link.round_trip = Some(now.saturating_sub(sent_at));
        }
    }

    /// A link asked whether we are there: under what it is answered. We need not ask it.
    pub(in crate::node) fn token_for_answer(
        &mut self,
        client_id: &ClientId,
        now: Duration,
    ) -> Option<TokenCounter> {
        let link = self.links.get_mut(client_id)?;
        let t = link.next_token()?;
        link.asked_at = now;
        Some(t)
    }

    /// In a classic chat, where a packet from elsewhere never moves a link but starts a new probe, this is that probe's
    /// answer: it moves the link only when the old address has fallen silent.
    pub(in crate::node) fn proved_again(&mut self, client_id: &ClientId, address: SocketAddr) {
        if let Some(link) = self.links.get_mut(client_id)
            && (link.address == address || link.unanswered > 0)
        {
            link.address = address;
            link.unanswered = 0;
        }
    }
}
