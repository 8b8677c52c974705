//! How links come and go: hello and welcome, what follows when a link stands or ends, and whom to be linked to.

use std::net::SocketAddr;
use std::time::Duration;

use super::Signed;
use crate::id::{ClientId, MemberId};
use crate::node::entry::{Caller, Entry};
use crate::node::overlay::{Link, MAX_LINKS, Opening, Overlay, Tokens, WANTED};
use crate::node::{NodeEvent, Refusal};
use crate::wire::{
    Body, Header, Hello, Keepalive, LinkOp, NodeAddress, Packet, SendNodes, TokenCounter, Welcome,
    WelcomeStatus,
};

impl Signed {
    /// A packet that is addressed to somebody else: to the rendezvous key, or not for us.
    pub(super) fn on_knock(&mut self, from: SocketAddr, header: &Header, sealed: &[u8]) {
        let (core, overlay) = (&mut self.core, &mut self.overlay);
        let is_public = self.rights.is_public();
        let hello = self
            .entry
            .open_knock(core, overlay, is_public, from, header, sealed);
        if let Some(hello) = hello {
            self.on_hello(from, header.sender, hello);
        }
    }

    /// Somebody wants in, or to be linked.
    pub(super) fn on_hello(&mut self, from: SocketAddr, sender: ClientId, hello: Hello) {
        let (core, overlay, members) = (&mut self.core, &mut self.overlay, &mut self.members);
        self.entry
            .on_hello(core, overlay, members, &self.rights, (from, sender), hello);
    }

    /// The answer to a hello of ours.
    pub(super) fn on_welcome(&mut self, from: SocketAddr, sender: ClientId, welcome: Welcome) {
        let (core, overlay, members) = (&mut self.core, &mut self.overlay, &mut self.members);
        let answered =
            Entry::take_welcome(core, overlay, members, &mut self.rights, (from, sender), &welcome);
        let Some((member, token)) = answered else {
            return;
        };
        match welcome.status {
            WelcomeStatus::Linked => self.link_welcomed(from, sender, member, token, &welcome),
            WelcomeStatus::Full | WelcomeStatus::Busy | WelcomeStatus::Slow => {
                overlay.proved(core, sender, from);
                overlay.was_full(&sender, core.now());
                if welcome.status == WelcomeStatus::Busy && welcome.work_bits > 0 {
                    self.entry
                        .work_asked(core, overlay, members, (from, sender), welcome.work_bits);
                }
            }
            WelcomeStatus::Spent => {
                if self.entry.try_another_slot(core, members, welcome.free_slots) {
                    self.probe(Some(sender), from, false);
                } else {
                    self.refused(Refusal::Spent);
                }
            }
            WelcomeStatus::Expired => self.refused(Refusal::Expired),
            WelcomeStatus::Closed => self.refused(Refusal::Closed),
            WelcomeStatus::Banned => {
                self.rights.told_of_ban(core, members, &welcome.ban);
                self.refused(Refusal::Banned);
            }
            WelcomeStatus::Stranger => self.refused(Refusal::Stranger),
        }
        for node in welcome.nodes {
            self.hear_of(node, from);
        }
        self.core.wake_soon();
    }

    fn refused(&mut self, why: Refusal) {
        self.rights.refused(&mut self.core, &self.members, why);
    }

    fn link_welcomed(
        &mut self,
        address: SocketAddr,
        client_id: ClientId,
        member: MemberId,
        ours: [u8; 8],
        welcome: &Welcome,
    ) {
        if !Entry::wins(&self.core, &self.overlay, &client_id, true) {
            return;
        }
        let mut tokens = Tokens::new(ours, welcome.token);
        let is_only = !self.overlay.has_links();
        let opening = Opening {
            client_id,
            address,
            t: tokens.next(),
        };
        Overlay::open_link(&mut self.core, opening, is_only);
        let ahead_ms = self.core.ahead_ms(welcome.time_ms);
        let now = self.core.now();
        let link = Link::with_tokens(member, address, tokens, ahead_ms, true, now);
        self.link_stands(client_id, link);
        self.compare_facts(client_id, welcome.facts_root);
        self.rights.let_in_again(&mut self.core, &self.members);
        self.overlay.set_said_only(&client_id, is_only);
    }

    /// Whether a packet came over a link, for the first time. A caller whom we welcomed becomes a link by it.
    pub(super) fn accept(&mut self, from: SocketAddr, sender: ClientId, t: &TokenCounter) -> bool {
        if self.overlay.try_accept(from, &sender, t) {
            self.members.let_in(&mut self.core);
            return true;
        }
        let Some(caller) = self.entry.take_caller(from, &sender, t) else {
            self.core.drop_packet("bad_token");
            return false;
        };
        if Entry::wins(&self.core, &self.overlay, &sender, false) {
            let Caller {
                address,
                member,
                tokens,
                facts_root,
                ahead_ms,
                is_only,
            } = caller;
            let now = self.core.now();
            let link = Link::with_tokens(member, address, tokens, ahead_ms, false, now);
            self.link_stands(sender, link);
            self.compare_facts(sender, facts_root);
            self.overlay.set_only(&sender, is_only);
            self.members.let_in(&mut self.core);
        }
        true
    }

    fn compare_facts(&mut self, client_id: ClientId, root: [u8; 32]) {
        self.rights
            .compare(&mut self.core, &mut self.overlay, client_id, root);
    }

    /// A link stands, on our side at least: each asks the other who is there. What had waited for a first link goes out.
    fn link_stands(&mut self, client_id: ClientId, link: Link) {
        self.members.session_heard(&mut self.core, &client_id);
        self.take_held(&client_id);
        self.overlay
            .make_room_for_link_of(&mut self.core, &link.member(), &client_id);
        self.settle();
        let added = self.overlay.add_link(&mut self.core, client_id, link);
        self.members.link_up(client_id);
        self.rights.link_up(client_id);
        self.gossip.link_up(client_id, added.is_again);
        if added.is_first {
            let (core, overlay, members) = (&mut self.core, &self.overlay, &mut self.members);
            self.gossip
                .introduce_ourselves(core, overlay, members, &self.rights);
            self.gossip.empty_outbox(core, overlay, members, &self.rights);
        }
        self.core.wake_soon();
        if self.members.asks_for_everyone() {
            self.members
                .ask_roster(&mut self.core, &mut self.overlay, client_id);
        } else {
            self.prove_link(client_id);
        }
        let (history, mut below) = self.with_history();
        history.link_up(&mut below, client_id);
    }

    /// Ends a link, and all that belongs to it.
    pub(super) fn end_link(&mut self, client_id: &ClientId, tell: bool) {
        self.overlay.end_link(&mut self.core, client_id, tell);
        self.settle();
    }

    /// A peer opens or closes a link.
    pub(super) fn on_link(&mut self, from: SocketAddr, sender: ClientId, link: &crate::wire::Link) {
        match link.op {
            LinkOp::Open => self.overlay.is_told_only(&sender, link.reason),
            LinkOp::Close => {
                self.end_link(&sender, false);
                if !self.overlay.has_links() {
                    self.connect(None, from);
                }
            }
        }
    }

    pub(super) fn on_send_nodes(&mut self, from: SocketAddr, sender: ClientId, answer: SendNodes) {
        let is_asked_for = self
            .overlay
            .take_asked_for_nodes(&mut self.core, from, sender, &answer);
        if !is_asked_for {
            return;
        }
        self.overlay.proved(&mut self.core, sender, from);
        for node in answer.nodes {
            self.hear_of(node, from);
        }
        self.core.wake_soon();
    }

    /// A peer told of a node.
    fn hear_of(&mut self, node: NodeAddress, teller: SocketAddr) {
        if self.overlay.believes(&mut self.core, &node, teller) && self.overlay.hear_of(&mut self.core, node)
        {
            self.core.emit(NodeEvent::PeerHeardOf(node.address));
        }
    }

    /// We are told to try an address.
    pub(super) fn connect(&mut self, client_id: Option<ClientId>, address: SocketAddr) {
        if client_id != Some(self.core.client_id()) {
            self.overlay.connect(&mut self.core, client_id, address, false);
        }
    }

    /// The work that a door asks for is done: those who asked are asked again.
    pub(super) fn work_done(&mut self, credential: &[u8]) {
        let asked_by = self
            .entry
            .work_done(&mut self.core, &mut self.members, credential);
        for (client_id, address) in asked_by {
            self.probe(Some(client_id), address, false);
        }
    }

    /// Says hello to a session, or to anybody at an address, within the budgets; what is over them is not asked.
    pub(super) fn probe(&mut self, client_id: Option<ClientId>, address: SocketAddr, hearsay: bool) -> bool {
        if !self.overlay.try_probe(&self.core, client_id, address, hearsay) {
            return false;
        }
        let (core, overlay) = (&mut self.core, &mut self.overlay);
        let question = self
            .entry
            .say_hello(core, overlay, &self.members, &self.rights, client_id, address);
        overlay.asked(core, question, address, hearsay);
        true
    }

    /// Asks silent links whether they are there; ends those that do not answer.
    pub(super) fn look_after_links(&mut self) {
        let silent = self.overlay.note_silent(self.core.now());
        for client_id in silent.ask {
            self.ask_whether_there(client_id);
        }
        for client_id in silent.lost {
            let Some(address) = self.overlay.link(&client_id).map(Link::address) else {
                continue;
            };
            self.end_link(&client_id, false);
            self.overlay.forget_peer(&client_id);
            let is_to_be_told = self
                .members
                .link_lost(&mut self.core, &mut self.overlay, &client_id);
            if is_to_be_told {
                self.tell(Body::Gone(client_id));
            }
            // It may be back under the same address, or be reachable again later: with a new session then.
            if !self.overlay.has_links() {
                self.connect(None, address);
            }
        }
        let ring = self.members.on_ring(self.core.now_ms());
        self.overlay.look_around(&mut self.core, &ring);
    }

    /// After sleep or on another network: every link is asked at once, and every address tried again.
    pub(super) fn prove_links_again(&mut self) {
        let links = self.overlay.links();
        let linked: Vec<(ClientId, SocketAddr)> = links.map(|(id, link)| (*id, link.address())).collect();
        for (client_id, address) in linked {
            self.prove_link(client_id);
            // Our own address may be another now: a link to it can only be made anew.
            self.connect(None, address);
        }
        self.core.wake_now();
    }

    /// Asks a link now whether it is there, and what it knows, whenever it was asked last.
    fn prove_link(&mut self, client_id: ClientId) {
        self.overlay.note_asked(&client_id, self.core.now());
        self.ask_whether_there(client_id);
    }

    fn ask_whether_there(&mut self, client_id: ClientId) {
        let Some((address, t)) = self.overlay.next_token(&client_id) else {
            return;
        };
        let echo = self.core.now().as_millis() as u64 + 1;
        self.send_keepalive(client_id, address, t, echo, 0);
        self.core.wake_soon();
    }

    fn send_keepalive(&mut self, to: ClientId, address: SocketAddr, t: TokenCounter, echo: u64, echoed: u64) {
        let keepalive = Keepalive {
            t,
            echo,
            echoed,
            facts_root: self.rights.root(),
            roster: self.members.fingerprint(),
        };
        self.core.send(address, to, &Packet::Keepalive(keepalive));
    }

    /// A keepalive with an `echo` asks; one without answers. Both sides compare what they know.
    pub(super) fn on_keepalive(&mut self, from: SocketAddr, sender: ClientId, keepalive: &Keepalive) {
        let now = self.core.now();
        if !self.overlay.is_linked(&sender) {
            return;
        }
        // Each costs a hash of who is there, and an answer.
        if !self.overlay.try_take_keepalive(&sender, now) {
            return self.core.drop_packet("keepalive_budget");
        }
        if keepalive.echoed != 0 {
            let sent_at = Duration::from_millis(keepalive.echoed - 1);
            self.overlay.note_round_trip(&sender, sent_at, now);
        }
        if keepalive.echo != 0
            && let Some(t) = self.overlay.token_for_answer(&sender, now)
        {
            self.send_keepalive(sender, from, t, 0, keepalive.echo);
        }
        self.compare_facts(sender, keepalive.facts_root);
        self.members
            .compare(&mut self.core, &mut self.overlay, sender, &keepalive.roster);
    }

    /// Links to the ring neighbours, and to others at random up to the number wanted; drops what is too many. Links are mutual
    /// by their handshake: over the most a link is ended at once, over what is plenty by and by.
    pub(super) fn choose_links(&mut self) {
        let ring = self.members.on_ring(self.core.now_ms());
        let Some(mut choice) = self.overlay.begin_choice(&self.core, &ring) else {
            return;
        };
        let neighbours = choice.neighbours().to_vec();
        for client_id in &neighbours {
            if !self.overlay.is_linked(client_id) {
                self.approach(*client_id);
            }
        }
        let ring = self.members.on_ring(self.core.now_ms());
        if let Some(client_id) = choice.unmet(&ring) {
            self.approach(client_id);
        }
        let mut missing = WANTED.saturating_sub(self.overlay.link_count());
        while missing > 0
            && let Some(client_id) = choice.any(&mut self.core)
        {
            missing -= usize::from(self.approach(client_id));
        }
        while self.end_surplus(&neighbours) {
            self.settle();
        }
        self.overlay.say_which_is_only(&mut self.core);
        self.overlay.note_neighbours(&neighbours);
    }

    fn end_surplus(&mut self, neighbours: &[ClientId]) -> bool {
        let ring = self.members.on_ring(self.core.now_ms());
        self.overlay
            .end_surplus(&mut self.core, &ring, neighbours, MAX_LINKS)
    }

    /// Takes the steps to a link with a peer. Whether one was taken.
    fn approach(&mut self, client_id: ClientId) -> bool {
        if self.overlay.is_probing(&client_id) {
            return true;
        }
        match self.overlay.whereabouts(&client_id, self.core.now()) {
            Some(peer) => self.probe(Some(client_id), peer.address, peer.is_hearsay),
            None => false,
        }
    }
}
