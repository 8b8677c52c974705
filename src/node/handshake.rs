//! The way into a signed chat: hello, welcome, link.
//!
//! A hello goes to a bare address, sealed to the gate of the day, or to a session. Any member answers; the token in
//! its welcome, sent back under a counter, proves the caller's address, and the link stands.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::bucket::network_of;
use super::facts::Agreed;
use super::links::{Link, ONLY};
use super::peers::Question;
use super::tokens::Tokens;
use super::{Kind, Node, NodeEvent, Refusal};
use crate::id::{ClientId, MemberId};
use crate::invite::{Chain, Charter, Credential};
use crate::wire::{Header, Hello, LinkOp, NodeAddress, Packet, TokenCounter, Welcome, WelcomeStatus};

/// Callers who have been welcomed and have not come yet (threats.md, row 20).
const MAX_HALF_OPEN: usize = 32;

/// And of one network, and of one member, so that nobody takes the place of all others. Guesses: a household; two
/// starts in a row.
const MAX_HALF_OPEN_OF_NETWORK: usize = 8;
const MAX_HALF_OPEN_OF_MEMBER: usize = 2;

/// A caller who has not come after so long makes room for another when there is none left. A guess: a slow round trip.
const HALF_OPEN_AT_LEAST: Duration = Duration::from_secs(1);

/// How long a welcome holds. A guess: twice as long as an answer may take.
const HALF_OPEN_FOR: Duration = Duration::from_secs(10);

/// In the capabilities of a hello: "I have no link".
const ALONE: u16 = 1;

/// Nodes in a welcome (the wire's 0 to 2).
const NODES_IN_WELCOME: usize = 2;

/// Slots that a newcomer signs at most. A guess: those who come at the same time as we may take as many from us.
const MAX_SLOTS_TRIED: u32 = 16;

/// A public chat, as the kind of a charter or invite.
const PUBLIC: u8 = 1;

/// No slot, in a welcome's list of free ones.
const NO_SLOT: u16 = 0xFFFF;

/// Somebody who has been welcomed and has not come yet.
pub(super) struct HalfOpen {
    pub(super) address: SocketAddr,
    member: MemberId,
    ours: [u8; 8],
    tokens: Tokens,
    facts_root: [u8; 32],
    ahead_ms: i64,
    is_only: bool,
    pub(super) until: Duration,
}

/// What is answered to a hello.
struct Verdict {
    status: WelcomeStatus,
    free_slots: [u16; 4],
    work_bits: u8,
}

impl Verdict {
    fn of(status: WelcomeStatus) -> Self {
        Self {
            status,
            free_slots: [NO_SLOT; 4],
            work_bits: 0,
        }
    }
}

impl Node {
    /// Sends a hello to a session, or to whoever opens what is sealed to the gate; the question, for its answer to
    /// be known by.
    pub(super) fn say_hello(&mut self, client_id: Option<ClientId>, address: SocketAddr) -> Question {
        // One token for all hellos under way to an address: whichever is answered, the tokens of both sides fit.
        let (nonce, fresh, random) = (self.random(), self.random(), self.random());
        let token = self.peers.token_under_way(address).unwrap_or(fresh);
        let question = Question::Hello {
            client_id,
            nonce,
            token,
        };
        let (now_ms, own_ms) = (self.now_ms(), self.now.unix_ms);
        let is_alone = self.links.is_empty();
        let is_public = self.is_public();
        let Kind::Signed(signed) = &mut self.kind else {
            return question;
        };
        let (receiver, box_nonce) = match client_id {
            Some(client_id) => (client_id, random),
            None => signed
                .gates
                .knock(now_ms, &self.client_id, is_public, &mut self.rng),
        };
        let hello = Hello {
            capabilities: if is_alone { ALONE } else { 0 },
            nonce,
            token,
            time_ms: own_ms,
            facts_root: signed.facts_root(),
            members: signed.sessions_online() as u32 + 1,
            nick: self.nick.clone(),
            chain: signed.chain.encode(),
        };
        let plain = Packet::Hello(hello).encode();
        self.send_with_nonce(address, receiver, box_nonce, &plain);
        question
    }

    /// Whether the chat is a public one, by its charter, or by our invite until that has come.
    pub(super) fn is_public(&self) -> bool {
        let Kind::Signed(signed) = &self.kind else {
            return false;
        };
        let by_invite = signed.invite_key.as_ref().map(|invite| invite.kind);
        let kind = signed.charter.as_ref().map(|charter| charter.kind);
        kind.or(by_invite) == Some(PUBLIC)
    }

    /// A packet that is addressed to somebody else: to the gate, or not for us.
    pub(super) fn handle_at_gate(&mut self, from: SocketAddr, header: &Header, sealed: &[u8]) {
        let Header {
            receiver,
            sender,
            nonce,
        } = header;
        let now_ms = self.now_ms();
        let is_public = self.is_public();
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        if !signed.gates.is_gate(now_ms, receiver) {
            return self.drop_packet("not_for_us");
        }
        if !signed.gates.is_marked(now_ms, receiver, sender, nonce, is_public) {
            return self.drop_packet("no_mark");
        }
        if !self.may_be_opened(from, sender, nonce) {
            return;
        }
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        let Some(plain) = signed.gates.open(now_ms, receiver, sender, nonce, sealed) else {
            return self.drop_packet("does_not_open");
        };
        match Packet::decode(&plain) {
            Ok(Packet::Hello(hello)) => {
                self.greeted(*sender, *nonce);
                self.handle_hello(from, *sender, hello);
            }
            Ok(_) => self.drop_packet("not_for_the_gate"),
            Err(error) => self.drop_packet(error.cause()),
        }
    }

    /// Somebody wants in, or to be linked.
    pub(super) fn handle_hello(&mut self, from: SocketAddr, sender: ClientId, hello: Hello) {
        let now_ms = self.now_ms();
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        // Our own hello to the gate, with its two ids swapped, opens as well.
        if signed.gates.is_gate(now_ms, &sender) {
            return self.drop_packet("reflected");
        }
        if !self.is_link_at(&sender, from) && !self.answers.take(from, self.now.elapsed) {
            return self.drop_packet("answer_budget");
        }
        let verdict = self.judge(&sender, &hello);
        let status = verdict.status;
        if status == WelcomeStatus::Linked && !self.has_half_open_room(from, &sender) {
            return self.drop_packet("half_open_budget");
        }
        let token = match status {
            WelcomeStatus::Linked => match self.half_open(from, sender, &hello) {
                Ok(token) => token,
                Err(cause) => return self.drop_packet(cause),
            },
            _ => [0; 8],
        };
        let nodes = match status {
            WelcomeStatus::Linked | WelcomeStatus::Full => self.nodes_for(&sender, from, NODES_IN_WELCOME),
            _ => Vec::new(),
        };
        self.send_welcome(from, sender, &hello, token, verdict, nodes);
    }

    fn send_welcome(
        &mut self,
        to: SocketAddr,
        receiver: ClientId,
        hello: &Hello,
        token: [u8; 8],
        verdict: Verdict,
        nodes: Vec<NodeAddress>,
    ) {
        let Kind::Signed(signed) = &self.kind else { return };
        // Whom a moderator invited has the charter in their chain, and no room for more.
        let own_charter = match &signed.chain.credential {
            Credential::Founder(_) => None,
            invited @ Credential::Invited { .. } => invited.charter(),
        };
        let ban = match verdict.status {
            WelcomeStatus::Banned if own_charter.is_none() => signed.ban_to_show(&hello.chain),
            _ => Vec::new(),
        };
        // The two together could be too long, and who was here before knows the charter.
        let charter = signed
            .charter
            .as_ref()
            .filter(|_| ban.is_empty() && own_charter.is_none());
        let welcome = Welcome {
            capabilities: 0,
            nonce: hello.nonce,
            token,
            time_ms: self.now.unix_ms,
            facts_root: signed.facts_root(),
            observed: to,
            free_slots: verdict.free_slots,
            status: verdict.status,
            work_bits: verdict.work_bits,
            charter: charter.map(Charter::encode).unwrap_or_default(),
            chain: signed.chain.encode(),
            ban,
            nodes,
        };
        self.send(to, receiver, &Packet::Welcome(welcome));
    }

    /// The door: whether somebody may come in, by what we know; with free slots if theirs is taken.
    fn judge(&mut self, sender: &ClientId, hello: &Hello) -> Verdict {
        let Kind::Signed(signed) = &self.kind else {
            return Verdict::of(WelcomeStatus::Stranger);
        };
        let Ok(chain) = Chain::decode(&hello.chain) else {
            return Verdict::of(WelcomeStatus::Stranger);
        };
        if !signed.leads_to(&chain, sender) {
            self.drop_packet("bad_chain");
            return Verdict::of(WelcomeStatus::Stranger);
        }
        let member = chain.credential.member();
        if self.meters.is_barred(&member, self.now.elapsed) {
            return Verdict::of(WelcomeStatus::Slow);
        }
        if let Some(status) = signed.turned_away(&chain.credential) {
            return Verdict::of(status);
        }
        if let Credential::Invited { invite, admission } = &chain.credential
            && !signed.is_admitted(&member)
        {
            // "Expiry closes a door, it does not unperson": who was admitted is not asked again.
            if invite.until_ms != 0 && self.now_ms() > invite.until_ms {
                return Verdict::of(WelcomeStatus::Expired);
            }
            if invite.slots != 0 && admission.slot >= invite.slots {
                return Verdict::of(WelcomeStatus::Stranger);
            }
            if invite.slots != 0 && !signed.slot_is_free_for(&invite.invite, admission.slot, &member) {
                let free: Vec<u16> = (0..invite.slots)
                    .filter(|slot| signed.slot_is_free_for(&invite.invite, *slot, &member))
                    .collect();
                return Verdict {
                    free_slots: self.some_of(free),
                    ..Verdict::of(WelcomeStatus::Spent)
                };
            }
        }
        if !signed.is_admitted(&member)
            && let Some(work_bits) = self.work_missing(&chain.credential)
        {
            return Verdict {
                work_bits,
                ..Verdict::of(WelcomeStatus::Busy)
            };
        }
        let on_their_way = signed.half_open.keys().filter(|caller| *caller != sender).count();
        match self.has_room_for(sender, hello.capabilities & ALONE != 0, on_their_way) {
            true => Verdict::of(WelcomeStatus::Linked),
            false => Verdict::of(WelcomeStatus::Full),
        }
    }

    /// Up to four of the free slots, at random, so that newcomers don't all try the same.
    fn some_of(&mut self, mut free: Vec<u16>) -> [u16; 4] {
        let mut slots = [NO_SLOT; 4];
        for slot in &mut slots {
            if !free.is_empty() {
                let at = self.random_below(free.len());
                *slot = free.swap_remove(at);
            }
        }
        slots
    }

    /// Whether another caller can be welcomed. Where there is no room, a caller of the network that has most makes it.
    fn has_half_open_room(&mut self, from: SocketAddr, sender: &ClientId) -> bool {
        let now = self.now.elapsed;
        let Kind::Signed(signed) = &mut self.kind else {
            return false;
        };
        let half_open = &mut signed.half_open;
        if half_open.contains_key(sender) {
            return true;
        }
        let mut of_networks: BTreeMap<IpAddr, usize> = BTreeMap::new();
        for half in half_open.values() {
            *of_networks.entry(network_of(half.address.ip())).or_default() += 1;
        }
        let of = |address: SocketAddr| of_networks.get(&network_of(address.ip())).copied().unwrap_or(0);
        if of(from) >= MAX_HALF_OPEN_OF_NETWORK {
            return false;
        }
        if half_open.len() < MAX_HALF_OPEN {
            return true;
        }
        let leaving = half_open
            .iter()
            .filter(|(_, half)| half.until <= now + HALF_OPEN_FOR - HALF_OPEN_AT_LEAST)
            .max_by_key(|(_, half)| (of(half.address), Reverse(half.until)))
            .map(|(client_id, _)| *client_id);
        leaving.is_some_and(|client_id| half_open.remove(&client_id).is_some())
    }

    /// Notes a caller; the token for it. A caller who repeats itself gets the same one.
    fn half_open(
        &mut self,
        from: SocketAddr,
        sender: ClientId,
        hello: &Hello,
    ) -> Result<[u8; 8], &'static str> {
        let ours = self.random();
        let ahead_ms = self.ahead_ms(hello.time_ms);
        let until = self.now.elapsed + HALF_OPEN_FOR;
        let member = self.meet(sender, &hello.chain)?;
        self.take_hello_nick(&member, hello.nick.clone());
        let Kind::Signed(signed) = &mut self.kind else {
            return Err("kind_of_signed_chats");
        };
        if let Some(half) = signed.half_open.get(&sender)
            && half.address == from
            && half.tokens.sends_under(&hello.token)
        {
            return Ok(half.ours);
        }
        let others = signed.half_open.iter().filter(|(_, half)| half.member == member);
        if others.clone().count() >= MAX_HALF_OPEN_OF_MEMBER
            && let Some((&oldest, _)) = others.min_by_key(|(_, half)| half.until)
        {
            signed.half_open.remove(&oldest);
        }
        let tokens = Tokens::new(ours, hello.token);
        signed.half_open.insert(
            sender,
            HalfOpen {
                address: from,
                member,
                ours,
                tokens,
                facts_root: hello.facts_root,
                ahead_ms,
                is_only: hello.capabilities & ALONE != 0,
                until,
            },
        );
        Ok(ours)
    }

    /// The answer to a hello of ours. It counts only with the hello's nonce, from where the hello went.
    pub(super) fn handle_welcome(&mut self, from: SocketAddr, sender: ClientId, welcome: Welcome) {
        let probe = self.peers.answered(from, self.now.elapsed, |question| {
            matches!(question, Question::Hello { client_id, nonce, .. }
                if *nonce == welcome.nonce && client_id.is_none_or(|asked| asked == sender))
        });
        let Some(Question::Hello { token, .. }) = probe.map(|probe| probe.question) else {
            return self.drop_packet("unasked");
        };
        self.settle_claim(&sender, &welcome.chain);
        let member = match self.meet(sender, &welcome.chain) {
            Ok(member) => member,
            Err(cause) => return self.drop_packet(cause),
        };
        if let Ok(chain) = Chain::decode(&welcome.chain)
            && let Some(charter) = chain.credential.charter()
        {
            self.learn_charter(&charter.encode());
        }
        self.learn_charter(&welcome.charter);
        self.emit(NodeEvent::Observed(welcome.observed));
        match welcome.status {
            WelcomeStatus::Linked => self.link_welcomed(from, sender, member, token, &welcome),
            WelcomeStatus::Busy if welcome.work_bits > 0 => {
                self.proved(sender, from);
                self.peers.was_full(&sender, self.now.elapsed);
                self.work_asked(from, sender, welcome.work_bits);
            }
            WelcomeStatus::Full | WelcomeStatus::Busy | WelcomeStatus::Slow => {
                self.proved(sender, from);
                self.peers.was_full(&sender, self.now.elapsed);
            }
            WelcomeStatus::Spent => self.try_another_slot(from, sender, &welcome),
            WelcomeStatus::Expired => self.refused(Refusal::Expired),
            WelcomeStatus::Closed => self.refused(Refusal::Closed),
            WelcomeStatus::Banned => {
                self.told_of_ban(&welcome.ban);
                self.refused(Refusal::Banned);
            }
            WelcomeStatus::Stranger => self.refused(Refusal::Stranger),
        }
        for node in welcome.nodes {
            self.hear_of(node, from);
        }
        self.choose_links_soon();
    }

    fn link_welcomed(
        &mut self,
        from: SocketAddr,
        sender: ClientId,
        member: MemberId,
        ours: [u8; 8],
        welcome: &Welcome,
    ) {
        if !self.wins(&sender, true) {
            return;
        }
        let mut tokens = Tokens::new(ours, welcome.token);
        let is_only = self.links.is_empty();
        let open = crate::wire::Link {
            t: tokens.next(),
            op: LinkOp::Open,
            tree: 0,
            reason: if is_only { ONLY } else { 0 },
        };
        self.send(from, sender, &Packet::Link(open));
        let ahead_ms = self.ahead_ms(welcome.time_ms);
        self.link_stands(from, sender, member, tokens, ahead_ms, true);
        self.compare_facts(sender, welcome.facts_root);
        self.let_in_again();
        if let Some(link) = self.links.get_mut(&sender) {
            link.said_only = is_only;
        }
    }

    /// Whether a handshake may take the place of the link that stands. When both sides said hello at once there are
    /// two, with different tokens, and both sides have to settle on the same: that of the lower client_id.
    fn wins(&self, sender: &ClientId, is_dialled: bool) -> bool {
        let Some(link) = self.links.get(sender) else {
            return true;
        };
        let is_old = self.now.elapsed.saturating_sub(link.linked_at) >= HALF_OPEN_FOR;
        let by_lower = (self.client_id < *sender) == is_dialled;
        is_old || (link.is_dialled != is_dialled && by_lower)
    }

    /// A link stands, on our side at least: each asks the other who is there.
    fn link_stands(
        &mut self,
        address: SocketAddr,
        client_id: ClientId,
        member: MemberId,
        tokens: Tokens,
        ahead_ms: i64,
        is_dialled: bool,
    ) {
        self.session_heard(&client_id);
        self.take_held(client_id);
        self.make_room_for_link_of(&member, &client_id);
        let mut link = Link::new(member, address, Some(tokens), self.now.elapsed);
        link.is_dialled = is_dialled;
        link.ahead_ms = Some(ahead_ms);
        self.add_link(client_id, link);
        self.ask_what_it_knows(client_id);
        self.history_linked(client_id);
    }

    pub(super) fn learn_charter(&mut self, bytes: &[u8]) {
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        if signed.charter.is_some() {
            return;
        }
        if let Ok(charter) = Charter::decode(bytes)
            && charter.verify(&signed.chat)
        {
            signed.agreed = Some(Agreed::new(signed.chat, &charter, &[]));
            signed.charter = Some(charter);
            self.emit(NodeEvent::CharterLearned(bytes.to_vec()));
        }
    }

    /// Our slot is taken. If others are free one of them is signed, and the same member is asked again.
    fn try_another_slot(&mut self, from: SocketAddr, sender: ClientId, welcome: &Welcome) {
        let free: Vec<u16> = welcome
            .free_slots
            .into_iter()
            .filter(|slot| *slot != NO_SLOT)
            .collect();
        if self.joined || free.is_empty() {
            return self.refused(Refusal::Spent);
        }
        let slot = free[self.random_below(free.len())];
        if self.may_sign_again() && self.sign_another_slot(slot) {
            self.probe(Some(sender), from, false);
        } else {
            self.refused(Refusal::Spent);
        }
    }

    /// One try out of the few that somebody's false words about free slots may cost us.
    fn may_sign_again(&mut self) -> bool {
        let Kind::Signed(signed) = &mut self.kind else {
            return false;
        };
        signed.slots_tried += 1;
        signed.slots_tried <= MAX_SLOTS_TRIED
    }

    /// We are not let in. Who was in before goes on asking others: this one may know less than they.
    pub(super) fn refused(&mut self, why: Refusal) {
        if !self.joined || why == Refusal::Banned || self.own_refusal() == Some(why) {
            self.emit(NodeEvent::Refused(why));
        }
    }

    pub(super) fn handle_link(&mut self, from: SocketAddr, sender: ClientId, link: crate::wire::Link) {
        if !self.accept_token(from, sender, &link.t) {
            return;
        }
        match link.op {
            LinkOp::Open => {
                if let Some(standing) = self.links.get_mut(&sender) {
                    standing.is_only = link.reason == ONLY;
                }
            }
            LinkOp::Close => {
                self.end_link(&sender, false);
                if self.links.is_empty() {
                    self.connect(None, from, false);
                }
            }
        }
    }

    /// Whether a packet came over a link, for the first time. A caller whom we welcomed becomes a link by it.
    pub(super) fn accept_token(&mut self, from: SocketAddr, sender: ClientId, t: &TokenCounter) -> bool {
        if let Some(link) = self.links.get_mut(&sender)
            && link.address == from
            && link.tokens.as_mut().is_some_and(|tokens| tokens.accept(t))
        {
            link.heard();
            self.are_in();
            return true;
        }
        let Kind::Signed(signed) = &mut self.kind else {
            return false;
        };
        let comes = signed
            .half_open
            .get_mut(&sender)
            .is_some_and(|half| half.address == from && half.tokens.accept(t));
        if !comes {
            self.drop_packet("bad_token");
            return false;
        }
        if let Some(half) = signed.half_open.remove(&sender)
            && self.wins(&sender, false)
        {
            let HalfOpen {
                address,
                member,
                tokens,
                ahead_ms,
                ..
            } = half;
            self.link_stands(address, sender, member, tokens, ahead_ms, false);
            self.compare_facts(sender, half.facts_root);
            if let Some(link) = self.links.get_mut(&sender) {
                link.is_only = half.is_only;
            }
            self.are_in();
        }
        true
    }

    /// A packet came over a link, so the link stands on the other side as well: what is said from now on reaches us.
    fn are_in(&mut self) {
        if !std::mem::replace(&mut self.joined, true) {
            self.emit(NodeEvent::Joined);
        }
    }
}
