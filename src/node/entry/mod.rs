//! The way into a signed chat: hello, welcome, link.
//!
//! A hello goes to a bare address, sealed to the rendezvous key of the day, or to a session. Any member answers; the token in
//! its welcome, sent back under a counter, proves the caller's address, and the link stands. `rendezvous` has the keys, `door`
//! the work that a public chat asks for.

mod door;
mod rendezvous;

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use self::door::{Doorstep, work_in};
use self::rendezvous::Rendezvous;
use super::NodeEvent;
use super::bucket::network_of;
use super::core::Core;
use super::members::Members;
use super::overlay::{Overlay, Question, Tokens};
use super::rights::Rights;
use crate::id::{ClientId, MemberId};
use crate::invite::{Chain, Charter, Credential, InviteKey};
use crate::wire::{Header, Hello, NodeAddress, Packet, TokenCounter, Welcome, WelcomeStatus, WireError};

/// Callers who have been welcomed and have not come yet.
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

/// No slot, in a welcome's list of free ones.
const NO_SLOT: u16 = 0xFFFF;

/// Somebody who has been welcomed and has not come yet.
#[derive(Debug)]
struct HalfOpen {
    caller: Caller,
    ours: [u8; 8],
    until: Duration,
}

/// Somebody who has been welcomed, and of whom a packet under the token of the welcome makes a link.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) address: SocketAddr,
    pub(super) member: MemberId,
    pub(super) tokens: Tokens,
    pub(super) facts_root: [u8; 32],
    /// How far its clock is ahead of ours.
    pub(super) ahead_ms: i64,
    /// It says that it has no other link.
    pub(super) is_only: bool,
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

/// See the [module](self).
pub(super) struct Entry {
    rendezvous: Rendezvous,
    half_open: BTreeMap<ClientId, HalfOpen>,
    /// The invite that we come by, until we are in: another slot may have to be signed.
    invite_key: Option<InviteKey>,
    slots_tried: u32,
    doorstep: Doorstep,
}

impl Entry {
    pub(super) fn new(rendezvous: [u8; 16], invite_key: Option<InviteKey>) -> Self {
        Self {
            rendezvous: Rendezvous::new(rendezvous),
            half_open: BTreeMap::new(),
            invite_key,
            slots_tried: 0,
            doorstep: Doorstep::default(),
        }
    }

    /// Sends a hello to a session, or to anybody who opens what is sealed to the rendezvous key; the question, for its answer
    /// to be known by.
    pub(super) fn say_hello(
        &mut self,
        core: &mut Core,
        overlay: &Overlay,
        members: &Members,
        rights: &Rights,
        client_id: Option<ClientId>,
        address: SocketAddr,
    ) -> Question {
        // One token for all hellos under way to an address: whichever is answered, the tokens of both sides fit.
        let (nonce, fresh, random) = (core.random(), core.random(), core.random());
        let token = overlay.token_under_way(address).unwrap_or(fresh);
        let (receiver, box_nonce) = match client_id {
            Some(client_id) => (client_id, random),
            None => {
                let (now_ms, own) = (core.now_ms(), core.client_id());
                self.rendezvous
                    .knock(now_ms, &own, rights.is_public(), core.rng())
            }
        };
        let hello = Hello {
            capabilities: if overlay.has_links() { 0 } else { ALONE },
            nonce,
            token,
            time_ms: core.own_ms(),
            facts_root: rights.root(),
            members: members.sessions_online() as u32 + 1,
            nick: core.nick().to_owned(),
            chain: members.chain().encode(),
        };
        let plain = Packet::Hello(hello).encode();
        core.send_with_nonce(address, receiver, box_nonce, &plain);
        Question::Hello {
            client_id,
            nonce,
            token,
        }
    }

    /// Opens a packet that is not addressed to our session: a hello to the rendezvous key, or not for us. Counts the drop.
    pub(super) fn open_knock(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        is_public: bool,
        from: SocketAddr,
        header: &Header,
        sealed: &[u8],
    ) -> Option<Hello> {
        let Header {
            receiver,
            sender,
            nonce,
        } = header;
        let now_ms = core.now_ms();
        let opened = if !self.rendezvous.is_key(now_ms, receiver) {
            Err("not_for_us")
        } else if !self
            .rendezvous
            .is_marked(now_ms, receiver, sender, nonce, is_public)
        {
            Err("no_mark")
        } else if !overlay.try_take_opening(core, from, sender, nonce) {
            return None;
        } else {
            let plain = self.rendezvous.open(now_ms, receiver, sender, nonce, sealed);
            plain.ok_or("does_not_open")
        };
        let packet = opened.and_then(|plain| Packet::decode(&plain).map_err(WireError::cause));
        match packet {
            Ok(Packet::Hello(hello)) => {
                overlay.note_hello(*sender, *nonce);
                Some(hello)
            }
            Ok(_) => {
                core.drop_packet("not_for_the_gate");
                None
            }
            Err(cause) => {
                core.drop_packet(cause);
                None
            }
        }
    }

    /// Somebody wants in, or to be linked.
    pub(super) fn on_hello(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        members: &mut Members,
        rights: &Rights,
        (from, sender): (SocketAddr, ClientId),
        hello: Hello,
    ) {
        // Our own hello to the rendezvous key, with its two ids swapped, opens as well.
        if self.rendezvous.is_key(core.now_ms(), &sender) {
            return core.drop_packet("reflected");
        }
        if !overlay.is_link_at(&sender, from) && !overlay.try_take_answer(from, core.now()) {
            return core.drop_packet("answer_budget");
        }
        let verdict = self.judge(core, overlay, members, rights, &sender, &hello);
        let status = verdict.status;
        if status == WelcomeStatus::Linked && !self.try_make_room(from, &sender, core.now()) {
            return core.drop_packet("half_open_budget");
        }
        let token = match status {
            WelcomeStatus::Linked => {
                match self.half_open(core, overlay, members, rights, (from, sender), &hello) {
                    Ok(token) => token,
                    Err(cause) => return core.drop_packet(cause),
                }
            }
            _ => [0; 8],
        };
        let nodes = match status {
            WelcomeStatus::Linked | WelcomeStatus::Full => {
                let ring = members.on_ring(core.now_ms());
                overlay.nodes_for(core, &ring, &sender, from, NODES_IN_WELCOME)
            }
            _ => Vec::new(),
        };
        Self::send_welcome(
            core,
            members,
            rights,
            (from, sender),
            &hello,
            token,
            verdict,
            nodes,
        );
    }

    #[expect(clippy::too_many_arguments, reason = "all of them stand in a welcome")]
    fn send_welcome(
        core: &mut Core,
        members: &Members,
        rights: &Rights,
        (to, receiver): (SocketAddr, ClientId),
        hello: &Hello,
        token: [u8; 8],
        verdict: Verdict,
        nodes: Vec<NodeAddress>,
    ) {
        // Whom a moderator invited has the charter in their chain, and no room for more.
        let own_charter = match &members.chain().credential {
            Credential::Founder(_) => None,
            invited @ Credential::Invited { .. } => invited.charter(),
        };
        let ban = match verdict.status {
            WelcomeStatus::Banned if own_charter.is_none() => rights.ban_to_show(&hello.chain),
            _ => Vec::new(),
        };
        // The two together could be too long, and who was here before knows the charter.
        let charter = rights
            .charter()
            .filter(|_| ban.is_empty() && own_charter.is_none());
        let welcome = Welcome {
            capabilities: 0,
            nonce: hello.nonce,
            token,
            time_ms: core.own_ms(),
            facts_root: rights.root(),
            observed: to,
            free_slots: verdict.free_slots,
            status: verdict.status,
            work_bits: verdict.work_bits,
            charter: charter.map(Charter::encode).unwrap_or_default(),
            chain: members.chain().encode(),
            ban,
            nodes,
        };
        core.send(to, receiver, &Packet::Welcome(welcome));
    }

    /// The door: whether somebody may come in, by what we know; with free slots if theirs is taken.
    fn judge(
        &self,
        core: &mut Core,
        overlay: &Overlay,
        members: &Members,
        rights: &Rights,
        sender: &ClientId,
        hello: &Hello,
    ) -> Verdict {
        let Ok(chain) = Chain::decode(&hello.chain) else {
            return Verdict::of(WelcomeStatus::Stranger);
        };
        if !members.leads_to(&chain, sender) {
            core.drop_packet("bad_chain");
            return Verdict::of(WelcomeStatus::Stranger);
        }
        let member = chain.credential.member();
        if overlay.is_barred(&member, core.now()) {
            return Verdict::of(WelcomeStatus::Slow);
        }
        if let Some(status) = rights.turned_away(members, &chain.credential) {
            return Verdict::of(status);
        }
        if let Credential::Invited { invite, admission } = &chain.credential
            && !members.is_admitted(&member)
        {
            // "Expiry closes a door, it does not unperson": who was admitted is not asked again.
            if invite.until_ms != 0 && core.now_ms() > invite.until_ms {
                return Verdict::of(WelcomeStatus::Expired);
            }
            if invite.slots != 0 && admission.slot >= invite.slots {
                return Verdict::of(WelcomeStatus::Stranger);
            }
            if invite.slots != 0 && !rights.slot_is_free_for(members, &invite.invite, admission.slot, &member)
            {
                let free: Vec<u16> = (0..invite.slots)
                    .filter(|slot| rights.slot_is_free_for(members, &invite.invite, *slot, &member))
                    .collect();
                return Verdict {
                    free_slots: some_of(core, free),
                    ..Verdict::of(WelcomeStatus::Spent)
                };
            }
        }
        if !members.is_admitted(&member)
            && let Some(work_bits) =
                self.doorstep
                    .work_missing(members.chat(), rights.door(), &chain.credential, core.now())
        {
            return Verdict {
                work_bits,
                ..Verdict::of(WelcomeStatus::Busy)
            };
        }
        let on_their_way = self.half_open.keys().filter(|caller| *caller != sender).count();
        let ring = members.on_ring(core.now_ms());
        let is_only = hello.capabilities & ALONE != 0;
        match overlay.has_room_for(&ring, sender, is_only, on_their_way) {
            true => Verdict::of(WelcomeStatus::Linked),
            false => Verdict::of(WelcomeStatus::Full),
        }
    }

    /// Whether another caller can be welcomed. Where there is no room, a caller of the network that has most makes it.
    fn try_make_room(&mut self, from: SocketAddr, sender: &ClientId, now: Duration) -> bool {
        let half_open = &mut self.half_open;
        if half_open.contains_key(sender) {
            return true;
        }
        let mut of_networks: BTreeMap<IpAddr, usize> = BTreeMap::new();
        for half in half_open.values() {
            *of_networks
                .entry(network_of(half.caller.address.ip()))
                .or_default() += 1;
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
            .max_by_key(|(_, half)| (of(half.caller.address), Reverse(half.until)))
            .map(|(client_id, _)| *client_id);
        leaving.is_some_and(|client_id| half_open.remove(&client_id).is_some())
    }

    /// Notes a caller; the token for it. A caller who repeats itself gets the same one.
    fn half_open(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        members: &mut Members,
        rights: &Rights,
        (from, sender): (SocketAddr, ClientId),
        hello: &Hello,
    ) -> Result<[u8; 8], &'static str> {
        let ours = core.random();
        let ahead_ms = core.ahead_ms(hello.time_ms);
        let until = core.now() + HALF_OPEN_FOR;
        let member = rights.meet(core, overlay, members, sender, &hello.chain)?;
        members.take_hello_nick(&member, hello.nick.clone());
        if let Some(half) = self.half_open.get(&sender)
            && half.caller.address == from
            && half.caller.tokens.sends_under(&hello.token)
        {
            return Ok(half.ours);
        }
        let others = self.half_open.iter();
        let others = others.filter(|(_, half)| half.caller.member == member);
        if others.clone().count() >= MAX_HALF_OPEN_OF_MEMBER
            && let Some((&oldest, _)) = others.min_by_key(|(_, half)| half.until)
        {
            self.half_open.remove(&oldest);
        }
        let caller = Caller {
            address: from,
            member,
            tokens: Tokens::new(ours, hello.token),
            facts_root: hello.facts_root,
            ahead_ms,
            is_only: hello.capabilities & ALONE != 0,
        };
        let half = HalfOpen { caller, ours, until };
        self.half_open.insert(sender, half);
        Ok(ours)
    }

    /// Whether somebody there has been welcomed and may come now.
    pub(super) fn is_expected(&self, from: SocketAddr, sender: &ClientId) -> bool {
        let half = self.half_open.get(sender);
        half.is_some_and(|half| half.caller.address == from)
    }

    /// Takes out a caller whom we welcomed and who comes.
    pub(super) fn take_caller(
        &mut self,
        from: SocketAddr,
        sender: &ClientId,
        t: &TokenCounter,
    ) -> Option<Caller> {
        let half = self.half_open.get_mut(sender)?;
        let comes = half.caller.address == from && half.caller.tokens.try_accept(t);
        comes
            .then(|| self.half_open.remove(sender))?
            .map(|half| half.caller)
    }

    /// Forgets callers who have not come in time.
    pub(super) fn forget_late(&mut self, now: Duration) {
        self.half_open.retain(|_, half| half.until > now);
    }

    /// A new session takes the place of ours: what was welcomed by the old one is void.
    pub(super) fn forget_callers(&mut self) {
        self.half_open.clear();
    }

    /// Takes the answer to a hello of ours: it counts only with the hello's nonce, from where the hello went. Who has answered,
    /// and the token that we gave them.
    pub(super) fn take_welcome(
        core: &mut Core,
        overlay: &mut Overlay,
        members: &mut Members,
        rights: &mut Rights,
        (from, sender): (SocketAddr, ClientId),
        welcome: &Welcome,
    ) -> Option<(MemberId, [u8; 8])> {
        let question = overlay.take_answered(from, core.now(), |question| {
            matches!(question, Question::Hello { client_id, nonce, .. }
                if *nonce == welcome.nonce && client_id.is_none_or(|asked| asked == sender))
        });
        let Some(Question::Hello { token, .. }) = question else {
            core.drop_packet("unasked");
            return None;
        };
        members.settle_claim(core, &sender, &welcome.chain);
        let member = match rights.meet(core, overlay, members, sender, &welcome.chain) {
            Ok(member) => member,
            Err(cause) => {
                core.drop_packet(cause);
                return None;
            }
        };
        if let Ok(chain) = Chain::decode(&welcome.chain)
            && let Some(charter) = chain.credential.charter()
        {
            rights.learn_charter(core, &charter.encode());
        }
        rights.learn_charter(core, &welcome.charter);
        core.emit(NodeEvent::Observed(welcome.observed));
        Some((member, token))
    }

    /// Whether a handshake may take the place of the link that stands. When both sides said hello at once there are
    /// two, with different tokens, and both sides have to settle on the same: that of the lower client_id.
    pub(super) fn wins(core: &Core, overlay: &Overlay, sender: &ClientId, is_dialled: bool) -> bool {
        let Some(link) = overlay.link(sender) else {
            return true;
        };
        let is_old = core.now().saturating_sub(link.linked_at()) >= HALF_OPEN_FOR;
        let by_lower = (core.client_id() < *sender) == is_dialled;
        is_old || (link.is_dialled() != is_dialled && by_lower)
    }

    /// Our slot is taken. If others are free one of them is signed: true, and the same member is to be asked again.
    pub(super) fn try_another_slot(
        &mut self,
        core: &mut Core,
        members: &mut Members,
        free_slots: [u16; 4],
    ) -> bool {
        let free: Vec<u16> = free_slots.into_iter().filter(|slot| *slot != NO_SLOT).collect();
        if members.is_in() || free.is_empty() {
            return false;
        }
        let slot = free[core.random_below(free.len())];
        // One try out of the few that somebody's false words about free slots may cost us.
        self.slots_tried += 1;
        let may_sign = self.slots_tried <= MAX_SLOTS_TRIED;
        let Some(invite_key) = self.invite_key.as_ref().filter(|_| may_sign) else {
            return false;
        };
        let credential = invite_key.admit(members.own(), slot, core.now_ms());
        members.replace_credential(core, credential);
        true
    }

    /// The invite by which to come in is this one from now on, as long as we are not in: another slot is signed.
    pub(super) fn take_invite(
        &mut self,
        core: &mut Core,
        members: &mut Members,
        rights: &mut Rights,
        invite: InviteKey,
    ) {
        let any = u16::from_be_bytes(core.random());
        let slot = any.checked_rem(invite.certificate.slots).unwrap_or(any);
        if members.is_in() || invite.chat != *members.chat() {
            return;
        }
        self.rendezvous = Rendezvous::new(invite.rendezvous);
        self.slots_tried = 0;
        rights.take_invite(core, &invite);
        self.doorstep.forget_work();
        let credential = invite.admit(members.own(), slot, core.now_ms());
        self.invite_key = Some(invite);
        members.replace_credential(core, credential);
    }

    /// Somebody new has come in by the door.
    pub(super) fn came_by_door(&mut self, now: Duration) {
        self.doorstep.came_by_door(now);
    }

    /// A member asks for work before it lets us in. Who has links needs nobody else's leave.
    pub(super) fn work_asked(
        &mut self,
        core: &mut Core,
        overlay: &Overlay,
        members: &Members,
        (from, sender): (SocketAddr, ClientId),
        bits: u8,
    ) {
        if overlay.has_links() || work_in(members.chat(), &members.chain().credential) >= bits {
            return;
        }
        if self.doorstep.work_asked(from, sender, bits) {
            core.emit(NodeEvent::WorkAsked { bits });
        }
    }

    /// The work is done: with it in our credential, those who asked for it are to be asked again.
    pub(super) fn work_done(
        &mut self,
        core: &mut Core,
        members: &mut Members,
        credential: &[u8],
    ) -> VecDeque<(ClientId, SocketAddr)> {
        let Ok((credential, [])) = Credential::decode(credential) else {
            core.drop_packet("malformed_chain");
            return VecDeque::new();
        };
        if credential.member() != core.member() || !credential.verify(members.chat()) {
            core.drop_packet("bad_chain");
            return VecDeque::new();
        }
        members.replace_credential(core, credential);
        self.doorstep.work_done()
    }
}

/// Up to four of the free slots, at random, so that newcomers don't all try the same.
fn some_of(core: &mut Core, mut free: Vec<u16>) -> [u16; 4] {
    let mut slots = [NO_SLOT; 4];
    for slot in &mut slots {
        if !free.is_empty() {
            let at = core.random_below(free.len());
            *slot = free.swap_remove(at);
        }
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::testing::{Chat, Machines, at, sent};
    use crate::wire;

    /// What somebody sent last, opened by its receiver.
    fn received(from: &mut Machines, by: &mut Machines) -> Packet {
        let (_, bytes) = sent(&mut from.core).pop().expect("something was sent");
        let (header, sealed) = wire::split_datagram(&bytes).expect("a datagram");
        by.core.open(&header, sealed).expect("it opens")
    }

    fn on_hello(own: &mut Machines, entry: &mut Entry, from: ClientId, hello: Hello) {
        let (core, overlay, members) = (&mut own.core, &mut own.overlay, &mut own.members);
        entry.on_hello(core, overlay, members, &own.rights, (at(2), from), hello);
    }

    #[test]
    fn a_hello_to_the_rendezvous_key_is_welcomed_and_its_token_makes_a_link() {
        let mut chat = Chat::new();
        let (mut founder, mut newcomer) = (chat.founder(), chat.member(2));
        let (mut door, mut way) = (Entry::new([7; 16], None), Entry::new([7; 16], None));
        let Machines {
            core,
            overlay,
            members,
            rights,
        } = &mut newcomer;
        let question = way.say_hello(core, overlay, members, rights, None, at(1));
        overlay.asked(core, question, at(1), false);
        let own = core.client_id();

        let (_, knock) = sent(core).pop().expect("a hello");
        let (header, sealed) = wire::split_datagram(&knock).expect("a datagram");
        let opened = door.open_knock(
            &mut founder.core,
            &mut founder.overlay,
            false,
            at(2),
            &header,
            sealed,
        );
        on_hello(
            &mut founder,
            &mut door,
            own,
            opened.expect("it is marked and opens"),
        );

        let Packet::Welcome(welcome) = received(&mut founder, &mut newcomer) else {
            panic!("a welcome");
        };
        assert_eq!(welcome.status, WelcomeStatus::Linked);
        let answered = Entry::take_welcome(
            &mut newcomer.core,
            &mut newcomer.overlay,
            &mut newcomer.members,
            &mut newcomer.rights,
            (at(1), founder.core.client_id()),
            &welcome,
        );
        assert_eq!(answered.map(|(member, _)| member), Some(founder.core.member()));

        let t = TokenCounter {
            token: welcome.token,
            counter: 1,
        };
        assert!(
            door.take_caller(at(3), &own, &t).is_none(),
            "from another address"
        );
        let caller = door.take_caller(at(2), &own, &t).expect("it comes");
        assert!(caller.is_only && caller.member == newcomer.core.member());
        assert!(door.take_caller(at(2), &own, &t).is_none(), "once");
    }

    #[test]
    fn a_hello_whose_chain_leads_nowhere_is_a_strangers() {
        let mut chat = Chat::new();
        let (mut founder, mut newcomer) = (chat.founder(), chat.member(2));
        let mut door = Entry::new([7; 16], None);
        let mut chain = newcomer.members.chain().encode();
        if let Some(last) = chain.last_mut() {
            *last ^= 1;
        }
        let hello = Hello {
            capabilities: 0,
            nonce: [1; 16],
            token: [2; 8],
            time_ms: newcomer.core.own_ms(),
            facts_root: [0; 32],
            members: 1,
            nick: String::new(),
            chain,
        };
        on_hello(&mut founder, &mut door, newcomer.core.client_id(), hello);
        let Packet::Welcome(welcome) = received(&mut founder, &mut newcomer) else {
            panic!("a welcome");
        };
        assert_eq!((welcome.status, welcome.token), (WelcomeStatus::Stranger, [0; 8]));
    }
}
