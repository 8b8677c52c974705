//! Who else is there: get_nodes and send_nodes.

use std::net::SocketAddr;

use super::peers::{self, PROVED_FOR, Question};
use super::{Overlay, Ring};
use crate::id::ClientId;
use crate::node::core::Core;
use crate::wire::{NodeAddress, NodeFormat, Packet, PingId, SendNodes};

/// Nodes in an answer to a proved address (the document: 0 to 6).
const NODES_TO_PROVED: usize = 6;

/// "To an address not yet proved, a send_nodes holds at most 4 nodes (so that it is under three times its
/// request)."
const NODES_TO_UNPROVED: usize = 4;

/// With fewer links than this, addresses that others tell are told on to be kept: were we to stop now, the links' own
/// addresses could all be stale at the next start. A guess.
const FEW_LINKS: usize = 3;

impl Overlay {
    /// Sends a get_nodes; the question, for its answer to be known by.
    pub(in crate::node) fn ask_for_nodes(
        core: &mut Core,
        client_id: ClientId,
        address: SocketAddr,
    ) -> Question {
        let ping_id = core.random();
        core.send(address, client_id, &Packet::GetNodes { ping_id });
        Question::GetNodes { client_id, ping_id }
    }

    /// Answers a get_nodes. True if the sender has not proved its address and is worth asking in turn.
    pub(in crate::node) fn on_get_nodes(
        &mut self,
        core: &mut Core,
        ring: &impl Ring,
        from: SocketAddr,
        sender: ClientId,
        ping_id: PingId,
    ) -> bool {
        // "A get_nodes whose ping_id is one we have outstanding to that very peer is our own, reflected."
        if self.peers.is_own_ping(&sender, &ping_id) {
            core.drop_packet("reflected");
            return false;
        }
        let now = core.now();
        let proved = self.is_link_at(&sender, from) || self.peers.proved_address(&sender, now) == Some(from);
        if !proved && !self.try_take_answer(from, now) {
            core.drop_packet("answer_budget");
            return false;
        }
        let most = if proved {
            NODES_TO_PROVED
        } else {
            NODES_TO_UNPROVED
        };
        let nodes = self.nodes_for(core, ring, &sender, from, most);
        core.send(
            from,
            sender,
            &Packet::SendNodes(SendNodes {
                ping_id,
                nodes,
                format: NodeFormat::Long,
            }),
        );
        match self.links.get_mut(&sender) {
            Some(link) => link.asked_us_at = Some(now),
            None => self.peers.asked_us(&sender, now),
        }
        !proved
    }

    /// Whether we asked for this answer. It is over with that.
    pub(in crate::node) fn take_asked_for_nodes(
        &mut self,
        core: &mut Core,
        from: SocketAddr,
        sender: ClientId,
        answer: &SendNodes,
    ) -> bool {
        let question = Question::GetNodes {
            client_id: sender,
            ping_id: answer.ping_id,
        };
        let answered = self.take_answered(from, core.now(), |asked| *asked == question);
        if answered.is_none() {
            core.drop_packet("unasked");
        }
        answered.is_some()
    }

    /// A session answered from an address.
    pub(in crate::node) fn proved(&mut self, core: &mut Core, client_id: ClientId, address: SocketAddr) {
        let evict = core.random_u64();
        self.peers.proved(client_id, address, core.now(), evict);
    }

    /// Whether a node that a peer told of is news, and may be where it is said to be.
    pub(in crate::node) fn believes(&self, core: &mut Core, node: &NodeAddress, teller: SocketAddr) -> bool {
        if node.client_id == core.client_id() || self.links.contains_key(&node.client_id) {
            return false;
        }
        let may_be = peers::may_be_believed(node.address, teller);
        if !may_be {
            core.drop_packet("unbelievable_address");
        }
        may_be
    }

    /// Notes a node that a peer told of; whether it is to be told on, to be kept. Whether it is asked is decided when links
    /// are chosen.
    pub(in crate::node) fn hear_of(&mut self, core: &mut Core, node: NodeAddress) -> bool {
        let evict = core.random_u64();
        let is_new = self
            .peers
            .heard_of(node.client_id, node.address, core.now(), evict);
        is_new && self.links.len() < FEW_LINKS
    }

    /// Up to `most` nodes for somebody: half of them its neighbours on the ring, so that everyone finds its own;
    /// the others at random, so that links are spread. Only proved ones, and only where the asker could reach.
    pub(in crate::node) fn nodes_for(
        &self,
        core: &mut Core,
        ring: &impl Ring,
        asker: &ClientId,
        asker_at: SocketAddr,
        most: usize,
    ) -> Vec<NodeAddress> {
        let now = core.now();
        let mut known: Vec<NodeAddress> = self
            .peers
            .iter()
            .filter(|(_, peer)| {
                peer.proved_at
                    .is_some_and(|at| now.saturating_sub(at) <= PROVED_FOR)
            })
            .map(|(client_id, peer)| NodeAddress {
                client_id: *client_id,
                address: peer.address,
            })
            .chain(self.links.iter().map(|(client_id, link)| NodeAddress {
                client_id: *client_id,
                address: link.address,
            }))
            .filter(|node| node.client_id != *asker && peers::may_be_believed(node.address, asker_at))
            .collect();
        known.sort_by_key(|node| node.client_id);
        known.dedup_by_key(|node| node.client_id);

        let mut chosen = Vec::with_capacity(most);
        if let Some(place) = ring.place(asker) {
            let mut on_ring: Vec<([u8; 32], NodeAddress)> = known
                .iter()
                .filter_map(|node| Some((ring.place(&node.client_id)?, *node)))
                .collect();
            on_ring.sort_by_key(|(at, _)| *at);
            let next = on_ring.partition_point(|(at, _)| *at < place);
            let count = on_ring.len();
            for step in 0..most.div_ceil(4).min(count.div_ceil(2)) {
                for index in [(next + step) % count, (next + count - 1 - step) % count] {
                    let node = &on_ring[index].1;
                    if !chosen.contains(node) {
                        chosen.push(*node);
                    }
                }
            }
        }
        known.retain(|node| !chosen.contains(node));
        while chosen.len() < most && !known.is_empty() {
            let at = core.random_below(known.len());
            chosen.push(known.swap_remove(at));
        }
        chosen.truncate(most);
        chosen
    }
}
