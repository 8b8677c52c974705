//! Our own words: signed, numbered, and sent at the pace that the chat allows.

use super::fragments;
use super::{Gossip, Overlay};
use crate::crypto::{self, Signature};
use crate::id::{ChatId, MessageId};
use crate::node::core::Core;
use crate::node::members::Members;
use crate::node::rights::Rights;
use crate::node::{NodeEvent, NodeMessage};
use crate::wire::{Body, MAX_SAY_DATA_LEN, Packet, Say, SignedSay};

/// The label of a say's signature.
pub(in crate::node) const SAY: &str = "throng/1 say";

/// Says over this far in the future by our clock are refused; by a clock that is right nobody sends such. A guess:
/// clocks may be wrong by ±12 h.
pub(in crate::node) const MAX_AHEAD_MS: u64 = 12 * 3_600_000;

/// Our hybrid clock follows others' so far ahead of our own and no further.
const FOLLOW_AHEAD_MS: u64 = 120_000;

/// The last hlc that is followed.
fn farthest(now_ms: u64) -> u64 {
    (now_ms + FOLLOW_AHEAD_MS) << 16
}

/// Where something said stands among the others: by its hlc, so that the order is the same at every member, however it came
/// to them. Were that of a clock that is far ahead followed, its author's words would stay the last for as long.
pub(in crate::node) fn place(hlc: u64, now_ms: u64) -> u64 {
    if hlc <= farthest(now_ms) {
        hlc
    } else {
        now_ms << 16
    }
}

/// What a say is known by.
pub(in crate::node) fn id_of(chat: &ChatId, signed: &[u8]) -> MessageId {
    MessageId(crypto::hash_signed(SAY, chat, signed))
}

impl Gossip {
    /// Says a message or action.
    pub(in crate::node) fn say(
        &mut self,
        core: &mut Core,
        overlay: &Overlay,
        members: &mut Members,
        rights: &Rights,
        text: String,
        action: bool,
    ) {
        if !self.has_room_to_say(text.len()) {
            return core.drop_packet("outbox_full");
        }
        if text.len() > MAX_SAY_DATA_LEN {
            return self.say_in_fragments(core, overlay, members, rights, &text, action);
        }
        let body = match action {
            false => Body::Message(text.clone()),
            true => Body::Action {
                text: text.clone(),
                historic_id: false,
            },
        };
        let (id, say) = self.sign(core, overlay, members, body, false);
        let message = message_of(core, members, id, &say.signed, &say.signature, text, action);
        core.emit(NodeEvent::Message(message));
        let own = vec![(id, say.signed.number, Packet::Say(say).encode())];
        self.deliver(core, overlay, members, rights, id, own);
    }

    /// Broadcasts something other than a message, with our chain for those who have not met us if so wished. Without
    /// a link nothing is said.
    pub(in crate::node) fn tell(
        &mut self,
        core: &mut Core,
        overlay: &Overlay,
        members: &mut Members,
        rights: &Rights,
        body: Body,
        with_chain: bool,
    ) {
        if !overlay.has_links() || !self.try_take_telling(core, rights, &body) {
            return;
        }
        let keeps = matches!(body, Body::Name(_) | Body::Status(_));
        let (id, say) = self.sign(core, overlay, members, body, with_chain);
        if keeps {
            members.keep_for_roster(&say);
        }
        self.push(core, overlay, members, id, &say, None);
    }

    /// Tells everyone who we are: at the first link, and again whenever a first link stands anew.
    pub(in crate::node) fn introduce_ourselves(
        &mut self,
        core: &mut Core,
        overlay: &Overlay,
        members: &mut Members,
        rights: &Rights,
    ) {
        self.tell_name(core, overlay, members, rights);
        if core.status() != 0 {
            let status = Body::Status(core.status());
            self.tell(core, overlay, members, rights, status, false);
        }
    }

    /// Tells what we are called, to those who have not met us too.
    pub(super) fn tell_name(
        &mut self,
        core: &mut Core,
        overlay: &Overlay,
        members: &mut Members,
        rights: &Rights,
    ) {
        // The base protocol has no empty names.
        let nick = match core.nick() {
            "" => core.member().short(),
            nick => nick.to_owned(),
        };
        self.tell(core, overlay, members, rights, Body::Name(nick), true);
    }

    pub(super) fn sign(
        &mut self,
        core: &mut Core,
        overlay: &Overlay,
        members: &Members,
        body: Body,
        with_chain: bool,
    ) -> (MessageId, Say) {
        let number = core.next_number();
        self.hlc = (self.hlc + 1).max(core.now_ms() << 16);
        let signed = SignedSay {
            client_id: core.client_id(),
            number,
            hlc: self.hlc,
            after: self.last_message,
            body,
        };
        let bytes = signed.encode();
        let signature = members.sign(SAY, &bytes);
        let id = id_of(members.chat(), &bytes);
        self.note_seen(&id);
        self.note_known(core, overlay, id);
        let say = Say {
            tree: 0,
            hops: 0,
            chain: with_chain.then(|| members.chain().encode()),
            signed,
            signature,
        };
        (id, say)
    }

    /// Our hybrid clock follows that of what was said.
    pub(in crate::node) fn follow_clock(&mut self, hlc: u64, now_ms: u64) {
        self.hlc = self.hlc.max(hlc.min(farthest(now_ms)));
    }

    /// A message or action is there, live and whole.
    pub(in crate::node) fn tell_message(&mut self, core: &mut Core, message: NodeMessage) {
        if message.member != core.member() {
            self.last_message.copy_from_slice(&message.id.0[..8]);
        }
        core.emit(NodeEvent::Message(message));
    }

    /// Takes a message or action whose signature held and whose author was told of.
    pub(in crate::node) fn take_message(
        &mut self,
        core: &mut Core,
        members: &Members,
        id: MessageId,
        say: &Say,
        text: String,
        action: bool,
    ) {
        let message = message_of(core, members, id, &say.signed, &say.signature, text, action);
        self.tell_message(core, message);
    }

    /// How many fragments a text of so many bytes may need, and whether there is room for them among what waits.
    pub(in crate::node) fn has_room_to_say(&self, text_len: usize) -> bool {
        self.outbox.has_room_for(fragments::at_most(text_len))
    }
}

pub(super) fn message_of(
    core: &Core,
    members: &Members,
    id: MessageId,
    say: &SignedSay,
    signature: &Signature,
    text: String,
    action: bool,
) -> NodeMessage {
    let own = core.member();
    let member = members.member_of(&say.client_id).unwrap_or(own);
    let mut signed = say.encode();
    signed.extend(signature);
    NodeMessage {
        id,
        member,
        client_id: say.client_id,
        number: say.number,
        // An author's clock may be ahead of ours: what is said is not shown in the future.
        at_ms: (say.hlc >> 16).min(core.now_ms()),
        place: place(say.hlc, core.now_ms()),
        action,
        text,
        own: member == own,
        signed,
        history: false,
    }
}
