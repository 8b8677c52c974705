//! What several tests use: chats of simulated members.
#![allow(dead_code, unreachable_pub, reason = "each test uses a part of it")]

pub mod hand;
pub mod hostile;

use std::collections::BTreeMap;
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use throng::crypto::SigningKey;
use throng::id::{ChatId, ClientId, MemberId, MessageId};
use throng::invite::{Charter, Credential, InviteKey, Rights, SeenAddress};
use throng::node::sim::{Conditions, Sim};
use throng::node::{ClassicState, Input, NodeConfig, NodeEvent, NodeKind, SignedState};

/// The seed of a test: from `THRONG_SEED` or given; printed, so that a failure can be run again.
#[allow(clippy::print_stdout, reason = "a failure is run again with it")]
pub fn seed(default: u64) -> u64 {
    let seed = std::env::var("THRONG_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default);
    println!("THRONG_SEED={seed}");
    seed
}

pub fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// The configuration of a classic member who knows nobody.
pub fn classic(nick: &str) -> NodeConfig {
    NodeConfig {
        kind: NodeKind::Classic(ClassicState::default()),
        nick: nick.into(),
        status: 0,
    }
}

/// A signed chat: its keys, and what makes members of it.
pub struct Chat {
    pub key: SigningKey,
    pub id: ChatId,
    pub charter: Charter,
    pub founder: SigningKey,
    pub rendezvous: [u8; 16],
    rng: ChaCha20Rng,
    invites: u32,
}

impl Chat {
    pub fn new(seed: u64) -> Self {
        Self::of_kind(seed, 0)
    }

    /// A public one.
    pub fn public(seed: u64) -> Self {
        Self::of_kind(seed, 1)
    }

    fn of_kind(seed: u64, kind: u8) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let key = SigningKey::generate(&mut rng);
        let founder = SigningKey::generate(&mut rng);
        let id = ChatId(key.public());
        let charter = Charter::sign(
            &key,
            kind,
            1_795_000_000_000,
            MemberId(founder.public()),
            "friends",
        );
        Self {
            key,
            id,
            charter,
            founder,
            rendezvous: [7; 16],
            rng,
            invites: 0,
        }
    }

    pub fn founder_config(&self, nick: &str) -> NodeConfig {
        self.config(
            nick,
            self.founder.clone(),
            Credential::Founder(self.charter.clone()),
            None,
            true,
        )
    }

    pub fn invite(&mut self, slots: u16, until_ms: u64, addresses: Vec<SeenAddress>) -> InviteKey {
        self.invites += 1;
        InviteKey::issue(
            &self.key,
            &self.charter,
            self.rendezvous,
            self.invites,
            Rights::Member,
            slots,
            until_ms,
            addresses,
            &mut self.rng,
        )
    }

    /// A newcomer by an invite, with the slot signed.
    pub fn newcomer(&mut self, nick: &str, invite: &InviteKey, slot: u16) -> (NodeConfig, SigningKey) {
        let member_key = SigningKey::generate(&mut self.rng);
        let credential = invite.admit(MemberId(member_key.public()), slot, 1_795_000_000_000);
        let config = self.config(nick, member_key.clone(), credential, Some(invite), false);
        (config, member_key)
    }

    /// Somebody of this chat, in or not yet.
    pub fn config(
        &self,
        nick: &str,
        member_key: SigningKey,
        credential: Credential,
        invite: Option<&InviteKey>,
        joined: bool,
    ) -> NodeConfig {
        let state = SignedState {
            chat: self.id,
            charter: None,
            member_key,
            credential,
            invite_key: invite.map(|invite| InviteKey::parse(&invite.to_link()).expect("our own link")),
            rendezvous: self.rendezvous,
            joined,
            admitted: Vec::new(),
            facts: Vec::new(),
            history: throng::node::HistoryState::default(),
        };
        NodeConfig {
            kind: NodeKind::Signed(Box::new(state)),
            nick: nick.into(),
            status: 0,
        }
    }
}

/// A simulated private chat of `count` members who came one after another, each by a random earlier one's address,
/// `every` apart.
pub fn private_chat(seed: u64, count: usize, every: Duration, conditions: Conditions) -> (Sim, Chat) {
    let mut sim = Sim::new(seed, conditions);
    let mut chat = Chat::new(seed);
    sim.add(chat.founder_config("founder"));
    let invite = chat.invite(0, 0, Vec::new());
    for index in 1..count {
        let (config, _) = chat.newcomer(&format!("member {index}"), &invite, 0);
        let by = sim.below(index);
        let index = sim.add(config);
        let address = sim.address(by);
        sim.tell(
            index,
            Input::Connect {
                client_id: None,
                address,
            },
        );
        sim.run_for(every);
    }
    (sim, chat)
}

/// A classic chat of members who all know each other's keys and one address each, settled.
pub fn settled_classic(seed: u64, count: usize, conditions: Conditions) -> Sim {
    let mut sim = Sim::new(seed, conditions);
    // The keys have to be known before the nodes are made, as if an earlier run had announced them.
    let keys: Vec<ClientId> = {
        let mut probe = Sim::new(seed, conditions);
        for _ in 0..count {
            probe.add(classic(""));
        }
        (0..count).map(|index| probe.node(index).client_id()).collect()
    };
    for index in 0..count {
        let state = ClassicState {
            known: keys.clone(),
            ping_every: secs(3_600),
        };
        let config = NodeConfig {
            kind: NodeKind::Classic(state),
            nick: String::new(),
            status: 0,
        };
        assert_eq!(sim.add(config), index);
        assert_eq!(
            sim.node(index).client_id(),
            keys[index],
            "the same seed makes the same keys"
        );
    }
    for index in 1..count {
        let other = sim.below(index);
        let address = sim.address(other);
        sim.tell(
            index,
            Input::Connect {
                client_id: Some(keys[other]),
                address,
            },
        );
    }
    sim.run_for(secs(180));
    sim.take_events();
    sim
}

/// Tells a node to connect to another one by its address.
pub fn connect(sim: &mut Sim, index: usize, to: usize) {
    let (client_id, address) = (None, sim.address(to));
    sim.tell(index, Input::Connect { client_id, address });
}

/// Has a node say something.
pub fn say(sim: &mut Sim, index: usize, text: &str) {
    let (text, action) = (text.to_owned(), false);
    sim.tell(index, Input::Say { text, action });
}

/// Who has got which message how often, own ones not counted.
pub fn received(events: &[(Duration, usize, NodeEvent)]) -> BTreeMap<MessageId, Vec<usize>> {
    let mut received: BTreeMap<MessageId, Vec<usize>> = BTreeMap::new();
    for (_, index, event) in events {
        if let NodeEvent::Message(message) = event {
            let by = received.entry(message.id).or_default();
            if !message.own {
                by.push(*index);
            }
        }
    }
    received
}

/// Asserts that every message of those events has reached all of `count` members but its author, once.
pub fn assert_reached_all(events: &[(Duration, usize, NodeEvent)], messages: usize, count: usize) {
    let received = received(events);
    assert_eq!(received.len(), messages, "messages said");
    for (id, mut by) in received {
        let copies = by.len();
        by.sort_unstable();
        by.dedup();
        assert_eq!(by.len(), copies, "{id:?} was shown twice to somebody");
        assert_eq!(by.len(), count - 1, "{id:?} did not reach everyone");
    }
}
