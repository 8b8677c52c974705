//! Signed broadcasts: what we say, and what others said.

use std::net::SocketAddr;

use super::roster::ROSTER_ANSWER;
use super::signed::Held;
use super::{Kind, Node, NodeEvent, NodeMessage};
use crate::crypto;
use crate::facts::Action;
use crate::id::{ClientId, MessageId};
use crate::wire::{Body, MAX_SAY_DATA_LEN, Packet, Say, SignedSay};

/// The label of a say's signature.
pub(super) const SAY: &str = "throng/1 say";

/// Says over this far in the future by our clock are refused; by a clock that is right nobody sends such. A guess
/// (threats.md, row 26 allows clocks ±12 h).
pub(super) const MAX_AHEAD_MS: u64 = 12 * 3_600_000;

/// Our hybrid clock follows others' so far ahead of our own and no further.
const FOLLOW_AHEAD_MS: u64 = 120_000;

/// The last hlc that is followed.
fn farthest(now_ms: u64) -> u64 {
    (now_ms + FOLLOW_AHEAD_MS) << 16
}

/// Where something said stands among the others: by its hlc, so that the order is the same at every member, however it came
/// to them. Were that of a clock that is far ahead followed, its author's words would stay the last for as long.
pub(super) fn place(hlc: u64, now_ms: u64) -> u64 {
    if hlc <= farthest(now_ms) {
        hlc
    } else {
        now_ms << 16
    }
}

impl Node {
    pub(super) fn say_signed(&mut self, text: String, action: bool) {
        if text.len() > MAX_SAY_DATA_LEN {
            return self.say_in_parts(&text, action);
        }
        let body = match action {
            false => Body::Message(text.clone()),
            true => Body::Action {
                text: text.clone(),
                historic_id: false,
            },
        };
        let Some((id, say)) = self.sign(body, false) else {
            return;
        };
        let message = self.message_of(id, &say.signed, &say.signature, text, action);
        self.emit(NodeEvent::Message(message));
        let own = vec![(id, say.signed.number, Packet::Say(say).encode())];
        self.deliver(id, own);
    }

    /// Broadcasts something other than a message, with our chain for those who have not met us if so wished. Without
    /// a link only kept for the roster.
    pub(super) fn tell_signed(&mut self, body: Body, with_chain: bool) {
        if self.links.is_empty() || !self.may_tell(&body) {
            return;
        }
        let keeps = matches!(body, Body::Name(_) | Body::Status(_));
        let Some((id, say)) = self.sign(body, with_chain) else {
            return;
        };
        if keeps {
            self.keep_for_roster(&say);
        }
        self.spread(id, &say, None);
    }

    /// Tells everyone who we are: at the first link, and again whenever a first link stands anew.
    pub(super) fn introduce_ourselves(&mut self) {
        self.tell_name();
        if self.status != 0 {
            self.tell_signed(Body::Status(self.status), false);
        }
    }

    /// Tells what we are called, to those who have not met us too.
    pub(super) fn tell_name(&mut self) {
        self.tell_signed(Body::Name(self.nick_or_default()), true);
    }

    /// The base protocol has no empty names.
    fn nick_or_default(&self) -> String {
        if self.nick.is_empty() {
            self.member.short()
        } else {
            self.nick.clone()
        }
    }

    pub(super) fn sign(&mut self, body: Body, with_chain: bool) -> Option<(MessageId, Say)> {
        let number = self.next_number();
        let now_ms = self.now_ms();
        let Kind::Signed(signed) = &mut self.kind else {
            return None;
        };
        signed.hlc = (signed.hlc + 1).max(now_ms << 16);
        let say = SignedSay {
            client_id: self.client_id,
            number,
            hlc: signed.hlc,
            after: signed.last_message,
            body,
        };
        let bytes = say.encode();
        let signature = signed.member_key.sign(SAY, &signed.chat, &bytes);
        let id = MessageId(crypto::hash_signed(SAY, &signed.chat, &bytes));
        let chain = with_chain.then(|| signed.chain.encode());
        self.seen.insert(id.0, ());
        self.is_known_now(id);
        Some((
            id,
            Say {
                tree: 0,
                hops: 0,
                chain,
                signed: say,
                signature,
            },
        ))
    }

    pub(super) fn message_of(
        &self,
        id: MessageId,
        say: &SignedSay,
        signature: &crypto::Signature,
        text: String,
        action: bool,
    ) -> NodeMessage {
        let member = match &self.kind {
            Kind::Signed(signed) => signed.member_of(&say.client_id).unwrap_or(self.member),
            Kind::Classic(_) => self.member,
        };
        let mut signed = say.encode();
        signed.extend(signature);
        NodeMessage {
            id,
            member,
            client_id: say.client_id,
            number: say.number,
            // An author's clock may be ahead of ours: what is said is not shown in the future.
            at_ms: (say.hlc >> 16).min(self.now_ms()),
            place: place(say.hlc, self.now_ms()),
            action,
            text,
            own: member == self.member,
            signed,
            history: false,
        }
    }

    /// A say came over a link. It is acted on once, when its signature holds, then passed on.
    pub(super) fn handle_say(&mut self, from: SocketAddr, sender: ClientId, say: Say) {
        if !self.is_link_at(&sender, from) {
            return self.drop_packet("not_linked");
        }
        self.take_say(sender, say);
    }

    /// The part of [`Self::handle_say`] that is done again once a session that was unknown has been met.
    pub(super) fn take_say(&mut self, sender: ClientId, say: Say) {
        let origin = say.signed.client_id;
        let Kind::Signed(signed) = &self.kind else { return };
        let bytes = say.signed.encode();
        let id = MessageId(crypto::hash_signed(SAY, &signed.chat, &bytes));
        // Before it is verified it only counts as seen when the true one was (threats.md, row 10).
        if origin == self.client_id || self.seen.contains_key(&id.0) {
            self.stats.duplicates += 1;
            self.has_shown(&sender, &id);
            self.is_told_to_stand(&say);
            return self.announces(sender, &origin);
        }
        let is_asked_for = self.is_asked_for(&sender, &id, &say);
        self.decline(&sender, &id);
        let Kind::Signed(signed) = &self.kind else { return };
        // Who has passed on what introduces a session has told others who that is. It goes along with names alone then.
        let needs_chain = !signed.is_introduced(&origin) || matches!(say.signed.body, Body::Name(_));
        if let Some(chain) = &say.chain
            && let Err(cause) = self.meet(origin, chain)
        {
            if matches!(cause, "bad_chain" | "malformed_chain") {
                self.brought_forged(sender, true);
            }
            return self.drop_packet(cause);
        }
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        let Some(member) = signed.member_of(&origin) else {
            let at = self.now.elapsed;
            signed.hold(Held { id, sender, say, at });
            return self.ask_who_they_are_soon();
        };
        if signed.may_read(&member).is_err() {
            return self.drop_packet("banned");
        }
        if !is_asked_for && !self.is_within_rate(sender, &member, &id, &say.signed) {
            return;
        }
        if is_asked_for && !self.is_within_late_rate(&member, &say.signed.body) {
            return self.drop_packet("metered");
        }
        // Whose a session is, its chain tells. Without one a link may have been lied to by others about that.
        let is_vouched_for = say.chain.is_some() || origin == sender;
        if !is_vouched_for && !self.may_bring_forged(sender) {
            return self.drop_packet("forged_budget");
        }
        let Kind::Signed(signed) = &self.kind else { return };
        if !crypto::verify(&member.0, SAY, &signed.chat, &bytes, &say.signature) {
            self.brought_forged(sender, is_vouched_for);
            return self.drop_packet("bad_signature");
        }
        if say.signed.hlc >> 16 > self.now_ms() + MAX_AHEAD_MS {
            return self.drop_packet("from_the_future");
        }
        if say.signed.hlc >> 16 < signed.start_of(&origin) {
            return self.drop_packet("before_its_session");
        }
        let is_shown = signed.shows(&origin, say.signed.number);
        self.is_seen(id.0);
        self.is_known_now(id);
        self.look_for_gap(sender, origin, say.signed.number, say.hops != ROSTER_ANSWER);
        // What has come before may be a recording, or our own words sent back: only news shows that a link lives.
        if let Some(link) = self.links.get_mut(&sender) {
            link.heard();
        }
        self.stats.repaired += u64::from(is_asked_for);
        self.count_said(&member, &say.signed.body, is_asked_for);
        if !is_shown {
            return self.drop_packet("session_over");
        }
        self.look_for_fork(member, &say);
        if !self.act_on_say(id, &say) {
            return;
        }
        // A long message counts by its first part.
        let counts = match &say.signed.body {
            Body::Message(_) | Body::Action { .. } => true,
            Body::Part(part) => part.index == 0,
            _ => false,
        };
        if counts {
            self.came_by(id, Some(sender));
        }
        let Kind::Signed(signed) = &self.kind else { return };
        // What a newcomer tells of itself in its roster is news to all: its introduction may have come before its link.
        if say.hops != ROSTER_ANSWER || origin == sender || signed.roster_at.is_some() {
            if say.chain.is_some() {
                self.introduced(&origin);
            }
            let passed_on = Say {
                hops: (say.hops % ROSTER_ANSWER + 1).min(ROSTER_ANSWER - 1),
                chain: say.chain.filter(|_| needs_chain),
                ..say
            };
            self.spread(id, &passed_on, Some(sender));
        }
        self.take_held(origin);
    }

    /// False: it is not to be passed on.
    fn act_on_say(&mut self, id: MessageId, say: &Say) -> bool {
        let origin = say.signed.client_id;
        let now_ms = self.now_ms();
        let Kind::Signed(signed) = &mut self.kind else {
            return false;
        };
        signed.hlc = signed.hlc.max(say.signed.hlc.min(farthest(now_ms)));
        let Some(member) = signed.member_of(&origin) else {
            return false;
        };
        let may_speak = signed.may(&member, Action::Speak, now_ms).is_ok();
        match &say.signed.body {
            Body::Message(_) | Body::Action { .. } | Body::Part(_) if !may_speak => {
                self.drop_packet("not_allowed");
                return false;
            }
            Body::Message(text) => self.take_message(id, say, text.clone(), false),
            Body::Action { text, .. } => self.take_message(id, say, text.clone(), true),
            Body::Part(_) => {
                self.speaks(&origin);
                self.take_part(id, member, &say.signed, &say.signature, false);
            }
            Body::Name(nick) => self.take_nick(say, nick.clone()),
            Body::Status(status) => self.take_status(say, *status),
            Body::Quit => return self.session_ended(&origin, true),
            Body::Gone(client_id) => self.take_report(&origin, *client_id),
            // 128 and up: passed on; below: passed on as well, and to be stored once history is.
            Body::Ping | Body::Unknown { .. } => {}
            Body::NewPeer(_) | Body::BanPeer(_) | Body::Topic(_) => return false,
        }
        self.session_heard(&origin);
        true
    }

    fn take_message(&mut self, id: MessageId, say: &Say, text: String, action: bool) {
        let message = self.message_of(id, &say.signed, &say.signature, text, action);
        self.speaks(&say.signed.client_id);
        self.tell_message(message);
    }

    /// A message or action is there, live and whole.
    pub(super) fn tell_message(&mut self, message: NodeMessage) {
        if let Kind::Signed(signed) = &mut self.kind
            && message.member != self.member
        {
            signed.last_message.copy_from_slice(&message.id.0[..8]);
        }
        self.emit(NodeEvent::Message(message));
    }
}
