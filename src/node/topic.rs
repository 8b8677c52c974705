//! The topic of a signed chat: a signed fact, of which the one with the greatest (counter, hash) holds, in whatever
//! order they came. The newest topic is all that is kept here; the other facts are not taken yet.

use std::net::SocketAddr;

use super::{Kind, Node, NodeEvent, Role};
use crate::facts::{self, Body, Fact, Place};
use crate::id::ClientId;
use crate::invite::Credential;
use crate::wire::{Facts, Packet};

/// The first byte of an item that is an encoded credential: what admits the issuer of the facts after it.
const CREDENTIAL_ITEM: u8 = 0;

/// Topics are 0 to 512 bytes.
pub(super) const MAX_TOPIC_LEN: usize = 512;

impl super::membership::Signed {
    pub(super) fn topic(&self) -> &str {
        self.topic
            .as_ref()
            .and_then(topic_of)
            .map_or("", |(_, text)| text)
    }

    /// The root of the facts held: of the one topic, or of none.
    pub(super) fn facts_root(&self) -> [u8; 32] {
        let ids = self.topic.iter().map(|fact| fact.id(&self.chat)).collect();
        facts::root_of(&ids)
    }
}

impl Node {
    pub(super) fn set_signed_topic(&mut self, topic: String) {
        let now_ms = self.now.unix_ms;
        let Kind::Signed(signed) = &self.kind else { return };
        if topic.len() > MAX_TOPIC_LEN || signed.own_role() == Role::Observer {
            return;
        }
        let held = signed.topic.as_ref().and_then(topic_of);
        let counter = held.map_or(1, |(counter, _)| counter.saturating_add(1));
        // Only the newest topic is kept, so there is no chain yet: its counter serves as its number.
        let (place, body) = match &signed.chain.credential {
            Credential::Founder(_) => (
                Place {
                    seq: counter,
                    prev: [0; 16],
                    epoch: counter,
                },
                Body::Topic {
                    counter,
                    locked: false,
                    text: topic,
                },
            ),
            Credential::Invited { invite, admission } => (
                Place::in_no_chain(0),
                Body::MemberTopic {
                    invite: invite.invite,
                    slot: (invite.slots != 0).then_some(admission.slot),
                    counter,
                    text: topic,
                },
            ),
        };
        if let Ok(fact) = Fact::sign(&signed.member_key, &signed.chat, place, now_ms, body) {
            self.take_topic(fact, None);
        }
    }

    pub(super) fn handle_facts(&mut self, from: SocketAddr, sender: ClientId, facts: Facts) {
        if !self.accept_token(from, sender, &facts.t) {
            return;
        }
        for item in facts.facts {
            match item.split_first() {
                Some((&CREDENTIAL_ITEM, credential)) => self.take_credential(credential),
                _ => match Fact::decode(&item) {
                    Ok(fact) if topic_of(&fact).is_some() => self.check_topic(fact, sender),
                    _ => self.drop_packet("malformed_fact"),
                },
            }
        }
    }

    /// A topic that came. One that does not win is not even verified.
    fn check_topic(&mut self, fact: Fact, sender: ClientId) {
        let Kind::Signed(signed) = &self.kind else { return };
        let wins = signed
            .topic
            .as_ref()
            .is_none_or(|held| rank(&fact, &signed.chat) > rank(held, &signed.chat));
        if !wins {
            return;
        }
        match signed.role_of(&fact.issuer) {
            None => return self.drop_packet("fact_of_unknown_member"),
            Some(Role::Observer) => return self.drop_packet("not_allowed"),
            Some(Role::Founder | Role::Moderator | Role::Member) => {}
        }
        if !fact.verify(&signed.chat) {
            return self.drop_packet("bad_signature");
        }
        self.take_topic(fact, Some(sender));
    }

    fn take_topic(&mut self, fact: Fact, sender: Option<ClientId>) {
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        let Some((_, text)) = topic_of(&fact) else { return };
        let event = NodeEvent::TopicChanged {
            topic: text.to_owned(),
            locked: false,
            by: fact.issuer,
        };
        signed.topic = Some(fact);
        self.emit(event);
        let others: Vec<ClientId> = self
            .links
            .keys()
            .filter(|id| Some(**id) != sender)
            .copied()
            .collect();
        for client_id in others {
            self.tell_topic(client_id);
        }
    }

    /// Sends a link the topic that we hold, with what admits its issuer.
    pub(super) fn tell_topic(&mut self, client_id: ClientId) {
        let Kind::Signed(signed) = &self.kind else { return };
        let Some(fact) = &signed.topic else { return };
        let mut facts = Vec::with_capacity(2);
        if let Some(credential) = signed.credential_of(&fact.issuer) {
            facts.push([&[CREDENTIAL_ITEM], credential].concat());
        }
        facts.push(fact.encode());
        let Some(link) = self.links.get_mut(&client_id) else {
            return;
        };
        let address = link.address;
        if let Some(t) = link.next_token() {
            self.send(address, client_id, &Packet::Facts(Facts { t, facts }));
        }
    }

    fn take_credential(&mut self, bytes: &[u8]) {
        let Kind::Signed(signed) = &self.kind else { return };
        let Ok((credential, [])) = Credential::decode(bytes) else {
            return self.drop_packet("malformed_chain");
        };
        if signed.is_admitted(&credential.member()) {
            return;
        }
        if credential.verify(&signed.chat) {
            self.admit_member(&credential);
        } else {
            self.drop_packet("bad_chain");
        }
    }
}

/// Counter and text of a fact that sets the topic.
fn topic_of(fact: &Fact) -> Option<(u32, &str)> {
    match &fact.body {
        Body::Topic { counter, text, .. } | Body::MemberTopic { counter, text, .. } => Some((*counter, text)),
        _ => None,
    }
}

fn rank(fact: &Fact, chat: &crate::id::ChatId) -> (u32, crate::id::FactId) {
    (topic_of(fact).map_or(0, |(counter, _)| counter), fact.id(chat))
}
