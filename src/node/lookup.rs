//! Who else is there: get_nodes and send_nodes.

use std::net::SocketAddr;

use rand_chacha::rand_core::RngCore;

use super::peers::{self, PROVED_FOR, Question};
use super::{Kind, Node, NodeEvent};
use crate::id::ClientId;
use crate::wire::{NodeAddress, NodeFormat, Packet, PingId, SendNodes};

/// Nodes in an answer to a proved address (the document: 0 to 6).
const NODES_TO_PROVED: usize = 6;

/// "To an address not yet proved, a send_nodes holds at most 4 nodes (so that it is under three times its
/// request)."
const NODES_TO_UNPROVED: usize = 4;

/// With fewer links than this, addresses that others tell are told on to be kept: were we to stop now, the links' own
/// addresses could all be stale at the next start. A guess.
const FEW_LINKS: usize = 3;

impl Node {
    /// Sends a get_nodes; the question, for its answer to be known by.
    pub(super) fn ask_for_nodes(&mut self, client_id: ClientId, address: SocketAddr) -> Question {
        let ping_id = self.random();
        self.send(address, client_id, &Packet::GetNodes { ping_id });
        Question::GetNodes { client_id, ping_id }
    }

    pub(super) fn handle_get_nodes(&mut self, from: SocketAddr, sender: ClientId, ping_id: PingId) {
        // "A get_nodes whose ping_id is one we have outstanding to that very peer is our own, reflected."
        if self.peers.is_own_ping(&sender, &ping_id) {
            return self.drop_packet("reflected");
        }
        let proved = self.is_link_at(&sender, from)
            || self.peers.proved_address(&sender, self.now.elapsed) == Some(from);
        if !proved && !self.answers.take(from, self.now.elapsed) {
            return self.drop_packet("answer_budget");
        }
        let most = if proved {
            NODES_TO_PROVED
        } else {
            NODES_TO_UNPROVED
        };
        let nodes = self.nodes_for(&sender, from, most);
        self.send(
            from,
            sender,
            &Packet::SendNodes(SendNodes {
                ping_id,
                nodes,
                format: NodeFormat::Long,
            }),
        );
        match self.links.get_mut(&sender) {
            Some(link) => link.asked_us_at = Some(self.now.elapsed),
            None => self.peers.asked_us(&sender, self.now.elapsed),
        }
        if !proved {
            // It asked us, so it is there: worth knowing, once it has answered us too.
            self.probe(Some(sender), from, false);
        }
    }

    pub(super) fn handle_send_nodes(&mut self, from: SocketAddr, sender: ClientId, answer: SendNodes) {
        let question = Question::GetNodes {
            client_id: sender,
            ping_id: answer.ping_id,
        };
        if self
            .peers
            .answered(from, self.now.elapsed, |asked| *asked == question)
            .is_none()
        {
            return self.drop_packet("unasked");
        }
        self.proved(sender, from);
        for node in answer.nodes {
            self.hear_of(node, from);
        }
        self.choose_links_soon();
    }

    /// A session answered from an address.
    pub(super) fn proved(&mut self, client_id: ClientId, address: SocketAddr) {
        let evict = self.rng.next_u64();
        self.peers.proved(client_id, address, self.now.elapsed, evict);
        if let Kind::Classic(_) = self.kind {
            self.classic_peer_proved(client_id, address);
        }
    }

    /// A link told of a node. It is only noted here; [`Self::choose_links`] decides whether to ask it.
    pub(super) fn hear_of(&mut self, node: NodeAddress, teller: SocketAddr) {
        let NodeAddress { client_id, address } = node;
        if client_id == self.client_id || self.links.contains_key(&client_id) {
            return;
        }
        if !peers::may_be_believed(address, teller) {
            return self.drop_packet("unbelievable_address");
        }
        if let Kind::Classic(classic) = &mut self.kind
            && !classic.announce(client_id, self.now.elapsed)
        {
            return;
        }
        let evict = self.rng.next_u64();
        let is_new = self.peers.heard_of(client_id, address, self.now.elapsed, evict);
        let is_signed = matches!(self.kind, Kind::Signed(_));
        if is_new && is_signed && self.links.len() < FEW_LINKS {
            self.emit(NodeEvent::PeerHeardOf(address));
        }
    }

    /// Up to `most` nodes for somebody: half of them its neighbours on the ring, so that everyone finds its own;
    /// the others at random, so that links are spread. Only proved ones, and only where the asker could reach.
    pub(super) fn nodes_for(
        &mut self,
        asker: &ClientId,
        asker_at: SocketAddr,
        most: usize,
    ) -> Vec<NodeAddress> {
        let now = self.now.elapsed;
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
        if let Some(place) = self.place(asker) {
            let mut on_ring: Vec<([u8; 32], NodeAddress)> = known
                .iter()
                .filter_map(|node| Some((self.place(&node.client_id)?, *node)))
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
            let at = self.random_below(known.len());
            chosen.push(known.swap_remove(at));
        }
        chosen.truncate(most);
        chosen
    }
}
