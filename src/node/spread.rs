//! Over which links a say goes at once. What is our own goes over all. What a link brought is passed on over all others as long as
//! little is said, which is fastest; when much is, over a few of them, and the rest are told of it in digests (`repair`), as in
//! Plumtree (Leitão, Pereira and Rodrigues, 2007): those links are called eager, and the rest lazy. So who has more links,
//! be they strangers' who pass nothing on, hardly sends more.

use std::collections::BTreeSet;

use super::Node;
use super::bucket::{Bucket, Rate, take};
use super::cache::Kept;
use super::links::{MAX_LINKS, WANTED};
use crate::id::{ClientId, MessageId};
use crate::wire::{Packet, Say};

/// As over all others of the links wanted. A guess.
const EAGER: usize = WANTED - 1;

/// Of those that have others, at least so many. A guess: the ring neighbours, and one that keeps the chat small across.
const ORDINARY: usize = 3;

/// What is passed on over all links all the same, since then little is said. A guess: a copy to each costs no more than telling
/// each of one say.
const FLOODED: Rate = Rate::per_second(0.5, 10.0);

/// What may yet be passed on over all links.
#[derive(Debug, Default)]
pub(super) struct Flooding(Option<Bucket>);

impl Node {
    /// Sends a say on, our own or what that link brought, and has repair look after those links that don't show to have it. Over
    /// how many it went.
    pub(super) fn spread(&mut self, id: MessageId, say: &Say, brought_by: Option<ClientId>) -> u32 {
        let kept = Kept {
            id,
            client_id: say.signed.client_id,
            number: say.signed.number,
            at: self.now.elapsed,
            plain: Packet::Say(say.clone()).encode(),
        };
        self.spread_packet(kept, brought_by)
    }

    pub(super) fn spread_packet(&mut self, say: Kept, brought_by: Option<ClientId>) -> u32 {
        let links = match brought_by {
            Some(brought_by) if !self.may_flood() => {
                let eager = self.eager_links(&brought_by);
                self.send_to(&say.plain, |client_id| eager.contains(client_id))
            }
            _ => self.send_to_links(&say.plain, brought_by),
        };
        self.owe_to_links(say, brought_by);
        links
    }

    /// In a chat that is not larger than links can be everybody is linked to everybody, and nothing that is said has far to go.
    fn may_flood(&mut self) -> bool {
        !self.knows_more_than(MAX_LINKS) || take(&mut self.flooding.0, FLOODED, self.now.elapsed)
    }

    /// Those who say that they have no other link, and of the others the ring neighbours, by which the chat hangs together, and
    /// more by rank as far as there is room. Some room there always is, whatever is said.
    fn eager_links(&self, brought_by: &ClientId) -> BTreeSet<ClientId> {
        let others = self
            .links
            .iter()
            .filter(|(client_id, _)| *client_id != brought_by);
        let (only, ordinary): (Vec<_>, Vec<_>) = others.partition(|(_, link)| link.is_only);
        let mut ranked: Vec<(bool, u64, ClientId)> = ordinary
            .into_iter()
            .map(|(client_id, link)| (link.is_neighbour, link.rank, *client_id))
            .collect();
        ranked.sort_unstable_by(|a, b| b.cmp(a));
        ranked.truncate(EAGER.saturating_sub(only.len()).max(ORDINARY));
        let only = only.into_iter().map(|(client_id, _)| *client_id);
        only.chain(ranked.into_iter().map(|(.., client_id)| client_id))
            .collect()
    }
}
