//! Moderation as the members of a simulated chat meet it: bans, roles, invites and splits.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use throng::crypto::SigningKey;
use throng::facts::{Admitted, Role};
use throng::id::{InviteId, MemberId};
use throng::invite::{Credential, InviteKey, Rights};
use throng::node::sim::{Conditions, Sim};
use throng::node::{Input, Moderation, NodeConfig, NodeEvent, NodeKind, StoredFact};

use crate::common::{Chat, secs};

mod bans;
mod invites;
mod roles;

/// A private chat of a founder (0) and members who came by one invite each.
struct Stage {
    sim: Sim,
    chat: Chat,
    /// Of all but the founder: what admits them, by index.
    people: Vec<Person>,
}

#[derive(Clone)]
struct Person {
    key: SigningKey,
    credential: Credential,
}

impl Stage {
    fn new(seed: u64, members: usize) -> Self {
        let seed = crate::common::seed(seed);
        let mut sim = Sim::new(seed, Conditions::default());
        let chat = Chat::new(seed);
        sim.add(chat.founder_config("founder"));
        let founder = Person {
            key: chat.founder.clone(),
            credential: Credential::Founder(chat.charter.clone()),
        };
        let mut stage = Self {
            sim,
            chat,
            people: vec![founder],
        };
        for _ in 0..members {
            let invite = stage.chat.invite(1, 0, Vec::new());
            stage.join(&invite, 0, 0);
        }
        stage.sim.run_for(secs(20));
        stage
    }

    /// Somebody comes by that slot of an invite, through member `by`.
    fn join(&mut self, invite: &InviteKey, slot: u16, by: usize) -> usize {
        let nick = format!("member {}", self.sim.len());
        let (mut config, key) = self.chat.newcomer(&nick, invite, slot);
        let credential = invite.admit(MemberId(key.public()), slot, self.sim.now().unix_ms);
        match &mut config.kind {
            NodeKind::Signed(state) => state.credential = credential.clone(),
            NodeKind::Classic(_) => unreachable!("a signed chat"),
        }
        let index = self.sim.add(config);
        self.people.push(Person { key, credential });
        self.connect(index, by);
        self.sim.run_for(secs(3));
        index
    }

    fn connect(&mut self, index: usize, to: usize) {
        let address = self.sim.address(to);
        let client_id = None;
        self.sim.tell(index, Input::Connect { client_id, address });
    }

    /// Somebody's program is started again, with what it has stored.
    fn restart(&mut self, index: usize, facts: Vec<StoredFact>, to: usize) {
        let config = self.config(index, facts);
        self.sim.start(index, config);
        self.connect(index, to);
    }

    fn config(&self, index: usize, facts: Vec<StoredFact>) -> NodeConfig {
        let Person { key, credential } = self.people[index].clone();
        let mut config = self
            .chat
            .config(&format!("member {index}"), key, credential, None, true);
        if let NodeKind::Signed(state) = &mut config.kind {
            state.charter = Some(self.chat.charter.clone());
            state.facts = facts;
        }
        config
    }

    fn member(&self, index: usize) -> MemberId {
        self.people[index].credential.member()
    }

    fn invite_of(&self, index: usize) -> InviteId {
        match Admitted::of(&self.people[index].credential).by {
            Some((invite, _)) => invite,
            None => unreachable!("not the founder"),
        }
    }

    fn moderate(&mut self, by: usize, deed: Moderation) {
        self.sim.tell(by, Input::Moderate(deed));
        self.sim.run_for(secs(2));
    }

    fn ban(&mut self, by: usize, index: usize, with_invite: bool) {
        let deed = Moderation::Ban {
            member: self.member(index),
            reason: "noise".into(),
            with_invite,
            hide_all: false,
        };
        self.moderate(by, deed);
    }

    fn promote(&mut self, index: usize) {
        let deed = Moderation::SetRole(self.member(index), Role::Moderator);
        self.moderate(0, deed);
    }

    fn say(&mut self, index: usize, text: &str) {
        let (text, action) = (text.to_owned(), false);
        self.sim.tell(index, Input::Say { text, action });
        self.sim.run_for(secs(2));
    }

    /// Who hears these words now.
    fn heard(&mut self, text: &str) -> Vec<usize> {
        let mut by: Vec<usize> = self
            .sim
            .take_events()
            .into_iter()
            .filter(
                |(_, _, event)| matches!(event, NodeEvent::Message(said) if said.text == text && !said.own),
            )
            .map(|(_, index, _)| index)
            .collect();
        by.sort_unstable();
        by
    }

    fn state_of(&self, index: usize) -> Vec<u8> {
        self.sim.node(index).state().expect("a state").to_bytes()
    }

    fn assert_agreed(&self, who: impl IntoIterator<Item = usize>) {
        let first = self.state_of(0);
        for index in who {
            assert_eq!(
                self.sim.node(index).facts_root(),
                self.sim.node(0).facts_root(),
                "root of {index}"
            );
            assert_eq!(self.state_of(index), first, "state of {index}");
        }
    }

    /// The facts that somebody's program was told to keep, out of all events so far.
    fn kept(events: &[(std::time::Duration, usize, NodeEvent)], who: usize) -> Vec<StoredFact> {
        let mut kept: Vec<StoredFact> = Vec::new();
        for (_, index, event) in events {
            if let NodeEvent::FactsChanged { added, removed } = event
                && *index == who
            {
                kept.retain(|fact| !removed.contains(&fact.id));
                kept.extend(added.iter().cloned());
            }
        }
        kept
    }

    fn role(&self, seen_by: usize, index: usize) -> Role {
        let member = self.member(index);
        let members = self.sim.node(seen_by).members();
        let known = members.iter().find(|known| known.member == member);
        known.expect("a known member").role
    }

    /// An invite by member `by`, a moderator.
    fn invite_by(&self, by: usize, slots: u16) -> InviteKey {
        InviteKey::issue_in_office(
            &self.people[by].key,
            self.sim.node(by).own_office().expect("an office"),
            self.chat.id,
            self.chat.rendezvous,
            1,
            Rights::Member,
            slots,
            0,
            Vec::new(),
            &mut ChaCha20Rng::seed_from_u64(u64::from(slots)),
        )
    }
}
