//! What is said by others: the checks of a say, by the numbers and in the order of docs/protocol.md (S9 to S23), and what it
//! does once they are passed.

use std::net::SocketAddr;

use super::Signed;
use crate::crypto;
use crate::facts::Action;
use crate::id::{ClientId, MemberId, MessageId};
use crate::node::gossip::{MAX_AHEAD_MS, SAY, id_of};
use crate::node::members::{Members, ROSTER_ANSWER, Report, Session};
use crate::wire::{Body, Say};

/// A say that passed the checks.
struct Checked {
    id: MessageId,
    member: MemberId,
    /// What introduces its session goes along with it.
    needs_chain: bool,
}

impl Signed {
    /// A say came over a link. It is acted on once, when it passes the checks, then passed on.
    pub(super) fn on_say(&mut self, from: SocketAddr, sender: ClientId, say: Say) {
        // S9
        if !self.overlay.is_link_at(&sender, from) {
            return self.core.drop_packet("not_linked");
        }
        self.take_say(sender, say);
    }

    /// Says that waited for a session to be met are taken now: after what introduced it has been passed on, so that
    /// nobody gets them before that.
    pub(super) fn take_held(&mut self, client_id: &ClientId) {
        for (sender, say) in self.gossip.take_held(client_id) {
            self.take_say(sender, say);
        }
    }

    fn take_say(&mut self, sender: ClientId, say: Say) {
        match self.check(sender, &say) {
            Ok(Some(checked)) => self.take_checked(sender, say, &checked),
            // Told already, or held until its session is met.
            Ok(None) => {}
            Err(cause) => self.core.drop_packet(cause),
        }
        self.settle();
    }

    /// The checks of a say, the cheap ones first. None: there is nothing more to do. The error is the cause of a drop.
    fn check(&mut self, sender: ClientId, say: &Say) -> Result<Option<Checked>, &'static str> {
        let (origin, number) = (say.signed.client_id, say.signed.number);
        let bytes = say.signed.encode();
        let id = id_of(self.members.chat(), &bytes);
        // S10
        if self.is_repeated(sender, &id, say) {
            return Ok(None);
        }
        let is_asked_for = self.gossip.is_asked_for(&self.overlay, &sender, &id, say);
        self.gossip.decline(&self.core, &self.overlay, &sender, &id);
        // Who has passed on what introduces a session has told others who that is. It goes along with names alone then.
        let needs_chain = !self.members.is_introduced(&origin) || matches!(say.signed.body, Body::Name(_));
        // S11
        self.check_chain(sender, say)?;
        // S12
        let Some(member) = self.members.member_of(&origin) else {
            self.gossip.hold(&self.core, id, sender, say.clone());
            Members::wake_for_strangers(&mut self.core);
            return Ok(None);
        };
        // S13
        if self.rights.may_read(&self.members, &member).is_err() {
            return Err("banned");
        }
        // S14
        if !self.check_rate(sender, &member, &id, say, is_asked_for)? {
            return Ok(None);
        }
        // S15 and S16
        self.check_signature(sender, &member, say, &bytes)?;
        // S17
        if say.signed.hlc >> 16 > self.core.now_ms() + MAX_AHEAD_MS {
            return Err("from_the_future");
        }
        let start_ms = self.members.session(&origin).map_or(0, Session::start_ms);
        // S18
        if say.signed.hlc >> 16 < start_ms {
            return Err("before_its_session");
        }
        let is_shown = self.rights.shows(&self.members, &origin, number);
        // S19
        self.note_verified(sender, &member, &id, say, is_asked_for);
        // S20
        if !is_shown {
            return Err("session_over");
        }
        Ok(Some(Checked {
            id,
            member,
            needs_chain,
        }))
    }

    /// Whether it came before, or is our own.
    fn is_repeated(&mut self, sender: ClientId, id: &MessageId, say: &Say) -> bool {
        let origin = say.signed.client_id;
        let is_repeated = origin == self.core.client_id() || self.gossip.has_seen(id);
        if is_repeated {
            self.core.count_duplicate();
            self.gossip.note_shown(&sender, id);
            self.members.is_told_to_stand(&mut self.core, say);
            self.gossip.announces(sender, &origin);
        }
        is_repeated
    }

    /// Its session is met by the chain that it brings, if it brings one.
    fn check_chain(&mut self, sender: ClientId, say: &Say) -> Result<(), &'static str> {
        let Some(chain) = &say.chain else {
            return Ok(());
        };
        let (core, overlay, members) = (&mut self.core, &mut self.overlay, &mut self.members);
        let met = self
            .rights
            .meet(core, overlay, members, say.signed.client_id, chain);
        self.settle();
        let Err(cause) = met else { return Ok(()) };
        if matches!(cause, "bad_chain" | "malformed_chain") {
            let (core, overlay) = (&mut self.core, &mut self.overlay);
            self.gossip.brought_forged(core, overlay, sender, true);
        }
        Err(cause)
    }

    /// Whether its author may say so much. False: it was refused, and its author told so where it is the link.
    fn check_rate(
        &mut self,
        sender: ClientId,
        member: &MemberId,
        id: &MessageId,
        say: &Say,
        is_asked_for: bool,
    ) -> Result<bool, &'static str> {
        let body = &say.signed.body;
        if is_asked_for {
            let is_within = self
                .gossip
                .is_within_late_rate(&self.core, &self.rights, member, body);
            return if is_within { Ok(true) } else { Err("metered") };
        }
        let (core, overlay) = (&mut self.core, &mut self.overlay);
        let wait = self
            .gossip
            .wait_of(core, overlay, &self.rights, &sender, member, body);
        if let Some(wait) = wait {
            self.gossip
                .refuse(core, overlay, sender, *member, (id, &say.signed), wait);
        }
        Ok(wait.is_none())
    }

    /// Its author's signature.
    fn check_signature(
        &mut self,
        sender: ClientId,
        member: &MemberId,
        say: &Say,
        bytes: &[u8],
    ) -> Result<(), &'static str> {
        // Whose a session is, its chain tells. Without one a link may have been lied to by others about that.
        let is_vouched_for = say.chain.is_some() || say.signed.client_id == sender;
        if !is_vouched_for && !self.gossip.may_bring_forged(&self.core, &self.overlay, &sender) {
            return Err("forged_budget");
        }
        if crypto::verify(&member.0, SAY, self.members.chat(), bytes, &say.signature) {
            return Ok(());
        }
        let (core, overlay) = (&mut self.core, &mut self.overlay);
        self.gossip.brought_forged(core, overlay, sender, is_vouched_for);
        Err("bad_signature")
    }

    /// Its author did say it: it counts, is not asked for again, and shows that its link lives.
    fn note_verified(
        &mut self,
        sender: ClientId,
        member: &MemberId,
        id: &MessageId,
        say: &Say,
        is_asked_for: bool,
    ) {
        let (origin, number) = (say.signed.client_id, say.signed.number);
        self.gossip.note_seen(id);
        self.gossip.note_known(&self.core, &self.overlay, *id);
        let is_live = say.hops != ROSTER_ANSWER;
        self.gossip
            .look_for_gap(&self.core, &self.overlay, sender, (origin, number), is_live);
        // What has come before may be a recording, or our own words sent back: only news shows that a link lives.
        self.overlay.heard(&sender);
        if is_asked_for {
            self.core.count_repaired();
        }
        self.gossip
            .count_said(&self.core, &self.rights, member, &say.signed.body, is_asked_for);
    }

    fn take_checked(&mut self, sender: ClientId, say: Say, checked: &Checked) {
        let Checked { id, member, .. } = *checked;
        let origin = say.signed.client_id;
        let (core, overlay, members) = (&mut self.core, &mut self.overlay, &mut self.members);
        // S21
        let fork = self.gossip.look_for_fork(core, members, member, &say);
        if let Some(proof) = fork {
            self.rights.take_own_fact(core, overlay, members, proof);
        }
        // S22
        if !self.act_on(id, member, &say) {
            return;
        }
        if say.signed.body.rules().is_counted {
            self.gossip
                .came_by(&mut self.core, &self.members, id, Some(sender));
        }
        // S23. What a newcomer tells of itself in its roster is news to all: its introduction may have come before its link.
        if say.hops != ROSTER_ANSWER || origin == sender || self.members.has_roster() {
            self.pass_on(sender, id, say, checked.needs_chain);
        }
        self.take_held(&origin);
    }

    fn pass_on(&mut self, sender: ClientId, id: MessageId, say: Say, needs_chain: bool) {
        if say.chain.is_some() {
            self.members.note_introduced(&say.signed.client_id);
        }
        let passed_on = Say {
            hops: (say.hops % ROSTER_ANSWER + 1).min(ROSTER_ANSWER - 1),
            chain: say.chain.filter(|_| needs_chain),
            ..say
        };
        let (core, overlay) = (&mut self.core, &self.overlay);
        self.gossip
            .push(core, overlay, &self.members, id, &passed_on, Some(sender));
    }

    /// Does what a say says. False: it is not to be passed on.
    fn act_on(&mut self, id: MessageId, member: MemberId, say: &Say) -> bool {
        let origin = say.signed.client_id;
        let now_ms = self.core.now_ms();
        self.gossip.follow_clock(say.signed.hlc, now_ms);
        if say.signed.body.rules().needs_speech
            && self
                .rights
                .may(&self.members, &member, Action::Speak, now_ms)
                .is_err()
        {
            self.core.drop_packet("not_allowed");
            return false;
        }
        let (core, overlay, members) = (&mut self.core, &mut self.overlay, &mut self.members);
        match &say.signed.body {
            Body::Message(text) | Body::Action { text, .. } => {
                let action = matches!(say.signed.body, Body::Action { .. });
                members.speaks(core, &origin);
                self.gossip
                    .take_message(core, members, id, say, text.clone(), action);
            }
            Body::Part(_) => {
                members.speaks(core, &origin);
                let (signed, signature) = (&say.signed, &say.signature);
                self.gossip
                    .take_fragment(core, members, (id, member), signed, signature, false);
            }
            Body::Name(nick) => members.take_nick(core, say, nick.clone()),
            Body::Status(status) => members.take_status(core, say, *status),
            Body::Quit => {
                let is_news = members.session_ended(core, overlay, &origin, true);
                self.settle();
                return is_news;
            }
            Body::Gone(client_id) => {
                let report = members.take_report(core, overlay, &origin, *client_id);
                if report == Report::AboutUs {
                    self.deny_being_gone();
                }
            }
            // 128 and up: passed on; below: passed on as well, and to be stored once history is.
            Body::Ping | Body::Unknown { .. } => {}
            Body::NewPeer(_) | Body::BanPeer(_) | Body::Topic(_) => return false,
        }
        self.members.session_heard(&mut self.core, &origin);
        true
    }
}
