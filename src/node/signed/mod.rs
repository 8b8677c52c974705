//! A signed chat: the machines, and what passes between them. Each packet and each input goes to the machine that it concerns;
//! what that asks of the others is carried out at once ([`Signed::settle`]).
//!
//! `links` is how links come and go, `say` what is said by others.

mod links;
mod say;

use std::net::SocketAddr;

use super::config::SignedState;
use super::core::Core;
use super::effect::Effect;
use super::entry::Entry;
use super::gossip::Gossip;
use super::history::{Below, History};
use super::members::Members;
use super::overlay::Overlay;
use super::rights::Rights;
use super::{Input, NodePart};
use crate::id::{ClientId, MessageId};
use crate::invite::Credential;
use crate::wire::{Body, Header, Packet};

/// See the [module](self).
pub(super) struct Signed {
    core: Core,
    overlay: Overlay,
    members: Members,
    rights: Rights,
    entry: Entry,
    gossip: Gossip,
    history: History,
}

impl Signed {
    pub(super) fn new(mut core: Core, state: SignedState) -> Self {
        let SignedState {
            chat,
            charter,
            member_key,
            credential,
            invite_key,
            rendezvous,
            joined,
            admitted,
            facts,
            history,
        } = state;
        let invite_key = invite_key.filter(|_| !joined);
        let kind = invite_key.as_ref().map(|invite| invite.kind);
        let charter = charter.or_else(|| credential.charter().cloned());
        let rights = Rights::new(&core, chat, charter, kind, &facts);
        let history = History::new(history, &credential);
        let mut members = Members::new(&core, chat, member_key, credential, joined);
        core.set_member(members.own());
        for bytes in &admitted {
            if let Ok((credential, [])) = Credential::decode(bytes) {
                members.admit(&credential, 0, |member| rights.is_named(member));
            }
        }
        members.set_own_session(core.client_id(), |member| rights.is_named(member));
        Self {
            overlay: Overlay::new(core.now()),
            entry: Entry::new(rendezvous, invite_key),
            gossip: Gossip::new(members.own_start_ms()),
            core,
            members,
            rights,
            history,
        }
    }

    pub(super) fn core(&self) -> &Core {
        &self.core
    }

    pub(super) fn core_mut(&mut self) -> &mut Core {
        &mut self.core
    }

    pub(super) fn overlay(&self) -> &Overlay {
        &self.overlay
    }

    pub(super) fn members(&self) -> &Members {
        &self.members
    }

    pub(super) fn rights(&self) -> &Rights {
        &self.rights
    }

    pub(super) fn gossip(&self) -> &Gossip {
        &self.gossip
    }

    pub(super) fn history(&self) -> &History {
        &self.history
    }

    /// These were said before this start: should they come again, they are not taken as new.
    pub(super) fn note_said_before(&mut self, messages: impl IntoIterator<Item = MessageId>) {
        self.gossip.note_said_before(messages);
    }

    /// Fragments that were kept when their message was not complete.
    pub(super) fn note_kept(&mut self, fragments: impl IntoIterator<Item = NodePart>) {
        self.gossip.note_kept(&mut self.core, &self.members, fragments);
    }

    /// When something is to be done.
    pub(super) fn due(&self) -> std::time::Duration {
        let next_tick = self.core.next_tick();
        self.gossip.due().map_or(next_tick, |due| due.min(next_tick))
    }

    /// What is of classic chats alone does nothing here.
    pub(super) fn handle(&mut self, input: Input<'_>) {
        match input {
            Input::Datagram { from, bytes } => self.on_datagram(from, bytes),
            Input::Connect { client_id, address } => self.connect(client_id, address),
            Input::ConnectToHeardOf(address) => {
                self.overlay.connect(&mut self.core, None, address, true);
            }
            Input::TakeInvite(invite) => {
                let (core, members) = (&mut self.core, &mut self.members);
                self.entry.take_invite(core, members, &mut self.rights, *invite);
            }
            Input::Say { text, action } => {
                let (core, overlay) = (&mut self.core, &self.overlay);
                self.gossip
                    .say(core, overlay, &mut self.members, &self.rights, text, action);
            }
            Input::SetNick(nick) => {
                self.core.set_nick(nick.clone());
                self.tell(Body::Name(nick));
            }
            Input::SetTopic { topic, locked } => {
                let (core, overlay) = (&mut self.core, &mut self.overlay);
                self.rights
                    .set_topic(core, overlay, &mut self.members, topic, locked);
            }
            Input::Moderate(deed) => {
                let (core, overlay) = (&mut self.core, &mut self.overlay);
                self.rights.moderate(core, overlay, &mut self.members, deed);
            }
            Input::WorkDone(credential) => self.work_done(&credential),
            Input::SetStatus(status) => {
                self.core.set_status(status);
                self.tell(Body::Status(status));
            }
            Input::NetworkChanged => self.prove_links_again(),
            Input::KeepFrom(since) => {
                let (history, mut below) = self.with_history();
                history.keep_from(&mut below, since);
            }
            Input::FetchOlder { limit } => {
                let (history, mut below) = self.with_history();
                history.fetch_older(&mut below, limit);
            }
            Input::Found { ticket, answer } => {
                let (history, mut below) = self.with_history();
                history.found(&mut below, ticket, answer);
            }
            Input::Resend(id) => {
                let (core, overlay) = (&mut self.core, &self.overlay);
                self.gossip
                    .resend(core, overlay, &mut self.members, &self.rights, id);
            }
            Input::Quit => self.quit(),
            Input::Admit(_) | Input::Timeout => {}
        }
        self.settle();
        if self.core.is_time_to_tick() {
            self.tick();
        }
        self.look_after_repair();
    }

    /// Carries out what the machines have asked for, until nothing is left.
    fn settle(&mut self) {
        while let Some(effect) = self.core.next_effect() {
            match effect {
                Effect::LinkDown { client_id, member } => {
                    self.members.link_down(&client_id);
                    self.rights.link_down(&client_id);
                    self.gossip.link_down(&client_id);
                    let (history, mut below) = self.with_history();
                    history.link_down(&mut below, &client_id, &member);
                }
                Effect::SessionForgotten(client_id) => self.gossip.session_forgotten(&client_id),
                Effect::CameByDoor => self.entry.came_by_door(self.core.now()),
            }
        }
    }

    fn with_history(&mut self) -> (&mut History, Below<'_>) {
        let below = Below {
            core: &mut self.core,
            overlay: &mut self.overlay,
            members: &mut self.members,
            rights: &self.rights,
            gossip: &mut self.gossip,
        };
        (&mut self.history, below)
    }

    /// The cheap checks come first.
    fn on_datagram(&mut self, from: SocketAddr, bytes: &[u8]) {
        let Some((header, sealed)) = super::split(&mut self.core, bytes) else {
            return;
        };
        let Header {
            receiver,
            sender,
            nonce,
        } = header;
        if receiver != self.core.client_id() {
            return self.on_knock(from, &header, sealed);
        }
        let is_expected = self.overlay.is_link_at(&sender, from) || self.entry.is_expected(from, &sender);
        if !is_expected
            && !self
                .overlay
                .try_take_opening(&mut self.core, from, &sender, &nonce)
        {
            return;
        }
        if let Some(packet) = self.core.open(&header, sealed) {
            self.on_packet(from, &header, packet);
        }
    }

    fn on_packet(&mut self, from: SocketAddr, header: &Header, packet: Packet) {
        let Header { sender, nonce, .. } = *header;
        match packet {
            Packet::Hello(hello) => {
                self.overlay.note_hello(sender, nonce);
                self.members.settle_claim(&mut self.core, &sender, &hello.chain);
                self.on_hello(from, sender, hello);
            }
            Packet::Welcome(welcome) => self.on_welcome(from, sender, welcome),
            Packet::Say(say) => self.on_say(from, sender, say),
            // In signed chats only links look up and are looked up: everybody else has to say hello.
            Packet::GetNodes { ping_id } if self.overlay.is_link_at(&sender, from) => {
                let ring = self.members.on_ring(self.core.now_ms());
                self.overlay
                    .on_get_nodes(&mut self.core, &ring, from, sender, ping_id);
            }
            Packet::SendNodes(answer) if self.overlay.is_link_at(&sender, from) => {
                self.on_send_nodes(from, sender, answer);
            }
            Packet::GetNodes { .. } | Packet::SendNodes(_) => self.core.drop_packet("not_linked"),
            Packet::Broadcast(_) => self.core.drop_packet("kind_of_classic_chats"),
            over_link => self.on_packet_over_link(from, sender, over_link),
        }
    }

    /// What begins with a token and a counter: it counts only over a link, and once.
    fn on_packet_over_link(&mut self, from: SocketAddr, sender: ClientId, packet: Packet) {
        let accepted = packet
            .token_counter()
            .is_some_and(|t| self.accept(from, sender, t));
        if !accepted {
            return;
        }
        let (core, overlay, members) = (&mut self.core, &mut self.overlay, &mut self.members);
        match packet {
            Packet::Link(link) => self.on_link(from, sender, &link),
            Packet::Keepalive(keepalive) => self.on_keepalive(from, sender, &keepalive),
            Packet::RosterAsk(ask) => members.on_roster_ask(core, overlay, from, sender, &ask),
            Packet::Roster(roster) => members.on_roster(core, overlay, sender, &roster),
            Packet::Facts(facts) => self.rights.on_facts(core, overlay, members, sender, facts.facts),
            Packet::FactsAsk(ask) => self.rights.on_facts_ask(core, overlay, sender, &ask),
            Packet::Digest(digest) => self.gossip.on_digest(core, overlay, members, sender, digest),
            Packet::Want(want) => self.gossip.on_want(core, overlay, members, (from, sender), &want),
            Packet::NotHeld(not_held) => self.gossip.on_not_held(core, overlay, sender, &not_held),
            Packet::Slow(slow) => self.gossip.on_slow(core, overlay, &self.rights, sender, &slow),
            Packet::HistoryAsk(ask) => {
                let (history, mut below) = self.with_history();
                history.on_ask(&mut below, sender, ask);
            }
            Packet::History(answer) => {
                let (history, mut below) = self.with_history();
                history.on_answer(&mut below, sender, answer.ask, answer.answer);
            }
            Packet::GetNodes { .. }
            | Packet::SendNodes(_)
            | Packet::Broadcast(_)
            | Packet::Hello(_)
            | Packet::Welcome(_)
            | Packet::Say(_) => {}
        }
    }

    /// Broadcasts something other than a message. Without a link nothing is said: who we are is told when the first stands.
    fn tell(&mut self, body: Body) {
        let (core, overlay) = (&mut self.core, &self.overlay);
        self.gossip
            .tell(core, overlay, &mut self.members, &self.rights, body, false);
    }

    /// Says goodbye and ends all links.
    fn quit(&mut self) {
        self.tell(Body::Quit);
        let linked: Vec<ClientId> = self.overlay.linked().copied().collect();
        for client_id in linked {
            self.end_link(&client_id, true);
        }
    }

    /// Everything that happens by itself: late answers, silent links, too few links, announcements.
    fn tick(&mut self) {
        let now = self.core.now();
        self.overlay.forget_late_probes(now);
        for (client_id, address, hearsay) in self.overlay.take_due_targets(now) {
            self.probe(client_id, address, hearsay);
        }
        self.look_after_links();
        self.core.look_after_clock();
        self.choose_links();
        self.look_after_chat();
        let is_busy = self.overlay.is_busy()
            || self.members.is_busy()
            || self.rights.is_busy()
            || self.history.is_busy();
        self.core.ticked(is_busy);
        let (core, overlay) = (&mut self.core, &self.overlay);
        self.gossip
            .empty_outbox(core, overlay, &mut self.members, &self.rights);
    }

    /// What is kept up by itself beside links.
    fn look_after_chat(&mut self) {
        let (now, now_ms) = (self.core.now(), self.core.now_ms());
        self.entry.forget_late(now);
        let is_old = self.members.is_session_old(now_ms);
        let (core, overlay, members) = (&mut self.core, &mut self.overlay, &mut self.members);
        members.ask_rosters_again(core, overlay);
        if let Some(passed_on_by) = self.gossip.held_since(Members::unintroduced_since(now)) {
            members.ask_who_they_are(core, overlay, passed_on_by);
        }
        let (history, mut below) = self.with_history();
        history.look_after(&mut below);
        self.settle();
        self.rights.ask_again(&mut self.core, &mut self.overlay);
        let banned = self.rights.banned_links(&self.core, &self.overlay, &self.members);
        for client_id in banned {
            self.end_link(&client_id, true);
        }
        let (core, overlay, members) = (&mut self.core, &mut self.overlay, &mut self.members);
        self.rights.check_vouched(core, overlay, members);
        self.rights.confirm_newcomers(core, overlay, members);
        members.tell_unnamed(core);
        self.deny_being_gone();
        if is_old {
            self.renew_session();
        }
    }

    /// Says a word, if that is due, by which all know that we are there.
    fn deny_being_gone(&mut self) {
        if self.members.take_denial(self.core.now()) {
            self.tell(Body::Ping);
        }
    }

    /// Tells the links what they may lack, and asks them for what we lack, where that is due.
    fn look_after_repair(&mut self) {
        if !self.gossip.is_repair_due(self.core.now()) {
            return;
        }
        let linked: Vec<ClientId> = self.overlay.linked().copied().collect();
        for client_id in &linked {
            self.gossip
                .repair_over(&mut self.core, &mut self.overlay, client_id);
            self.settle();
        }
        self.gossip.end_repair(&mut self.core, &mut self.overlay);
    }

    /// "A session is made anew at every start (daily on a node that never stops)": new keys, numbers from 1, and the
    /// links made again where they were. Nobody sees us leave, since the new session supersedes the old.
    fn renew_session(&mut self) {
        let links = self.overlay.links();
        let links: Vec<(ClientId, SocketAddr)> = links.map(|(id, link)| (*id, link.address())).collect();
        for (client_id, _) in &links {
            self.end_link(client_id, true);
        }
        let old = self.core.renew_session();
        self.history.renew();
        self.overlay.forget_probes();
        self.members.renew(&self.core, &old);
        self.entry.forget_callers();
        self.gossip.renew(self.members.own_start_ms());
        // By the rendezvous key: they may have new sessions as well by now.
        for (_, address) in links {
            self.connect(None, address);
        }
    }
}
