//! The topic of a signed chat: a signed fact, of which the one with the greatest (counter, hash) holds, in whatever
//! order they came. The other facts come with moderation; until then the newest topic is all that is kept.

use std::net::SocketAddr;

use super::{Kind, Node, NodeEvent, NodeRole};
use crate::id::ClientId;
use crate::invite::{Credential, TopicFact};
use crate::wire::{Facts, Packet};

/// The first byte of an item that is an encoded credential: what admits the issuer of the facts after it.
const CREDENTIAL_ITEM: u8 = 0;

/// Topics are 0 to 512 bytes.
pub(super) const MAX_TOPIC_LEN: usize = 512;

impl super::membership::Signed {
    pub(super) fn topic(&self) -> &str {
        self.topic.as_ref().map_or("", |fact| &fact.topic)
    }

    /// The hash of the facts that hold: of the one topic, or zeros.
    pub(super) fn facts_root(&self) -> [u8; 32] {
        self.topic.as_ref().map_or([0; 32], |fact| fact.hash(&self.chat))
    }
}

impl Node {
    pub(super) fn set_signed_topic(&mut self, topic: String) {
        let now_ms = self.now.unix_ms;
        let Kind::Signed(signed) = &self.kind else { return };
        if topic.len() > MAX_TOPIC_LEN || signed.own_role() == NodeRole::Observer {
            return;
        }
        let counter = signed
            .topic
            .as_ref()
            .map_or(1, |fact| fact.counter.saturating_add(1));
        // Only the newest topic is kept, so an issuer's facts form no chain yet: its counter serves as their number.
        let fact = TopicFact {
            issuer: signed.member(),
            seq: counter,
            prev: [0; 16],
            epoch: 0,
            at_ms: now_ms,
            counter,
            topic,
            signature: [0; 64],
        };
        let fact = fact.sign(&signed.member_key, &signed.chat);
        self.take_topic(fact, None);
    }

    pub(super) fn handle_facts(&mut self, from: SocketAddr, sender: ClientId, facts: Facts) {
        if !self.accept_token(from, sender, &facts.t) {
            return;
        }
        for item in facts.facts {
            match item.split_first() {
                Some((&CREDENTIAL_ITEM, credential)) => self.take_credential(credential),
                _ => match TopicFact::decode(&item) {
                    Ok(fact) => self.check_topic(fact, sender),
                    Err(_) => self.drop_packet("malformed_fact"),
                },
            }
        }
    }

    /// A topic that came. One that does not win is not even verified.
    fn check_topic(&mut self, fact: TopicFact, sender: ClientId) {
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
            Some(NodeRole::Observer) => return self.drop_packet("not_allowed"),
            Some(NodeRole::Founder | NodeRole::Member) => {}
        }
        if !fact.verify(&signed.chat) {
            return self.drop_packet("bad_signature");
        }
        self.take_topic(fact, Some(sender));
    }

    fn take_topic(&mut self, fact: TopicFact, sender: Option<ClientId>) {
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        let event = NodeEvent::TopicChanged {
            topic: fact.topic.clone(),
            by: fact.issuer,
            fact: fact.encode(),
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

fn rank(fact: &TopicFact, chat: &crate::id::ChatId) -> (u32, [u8; 32]) {
    (fact.counter, fact.hash(chat))
}
