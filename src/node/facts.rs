//! The facts of a signed chat: kept, told to the links, and brought to be the same everywhere. A new fact goes to all
//! links at once. Each keepalive, hello and welcome names the root of the sender's facts; whoever sees another root than
//! its own says what it has, and is sent what it lacks.

use std::net::SocketAddr;
use std::time::Duration;

use super::bucket::{Bucket, Rate};
use super::signed::Signed;
use super::{Kind, Node, NodeEvent, StoredFact};
use crate::facts::{Fact, FactSet, HeldFact, Inserted, State, Summary};
use crate::id::{ChatId, ClientId, FactId, MemberId};
use crate::invite::{Charter, Credential};
use crate::wire::{Facts, FactsAsk, MAX_FACTS, Packet};

/// The first byte of an item that is an encoded credential: what admits the issuer of the facts after it.
const CREDENTIAL_ITEM: u8 = 0;

/// Bytes that the items of one packet may have together, each with the 2 bytes of its length: what is left of a datagram.
const MAX_ITEMS_LEN: usize = 900;

/// What differs is asked for again after so long, as long as that helps. Guesses.
const ASK_AGAIN: Duration = Duration::from_secs(2);
const TRIES: u8 = 4;

/// Packets of facts sent at once and a second in answer to one link: 1 MiB in 20 s. A guess.
const ANSWERS: Rate = Rate::per_second(64.0, 64.0);

/// Facts of one moderator that are taken from their own links at once, and how fast that fills up again: "32 facts in
/// 10 min" (threats.md, row 22).
const FACTS: Rate = Rate::per_second(32.0 / 600.0, 32.0);

/// Links that say they have our facts vouch for them as long as this: four keepalives.
const VOUCHED_FOR: Duration = Duration::from_secs(60);

/// The facts of a chat whose charter is known, and what holds by them.
#[derive(Debug)]
pub(super) struct Agreed {
    pub(super) set: FactSet,
    pub(super) state: State,
}

/// How far a link and we agree.
#[derive(Debug, Default)]
pub(super) struct Agreeing {
    /// The root that it named last, and when.
    root: Option<([u8; 32], Duration)>,
    asked_at: Duration,
    tries: u8,
    answers: Option<Bucket>,
    /// Of what its member issues themself.
    issues: Option<Bucket>,
}

impl Agreeing {
    /// Whether it may soon be asked again.
    pub(super) fn is_waiting(&self) -> bool {
        (1..TRIES).contains(&self.tries)
    }
}

impl Agreed {
    /// What holds by these facts.
    pub(super) fn new(chat: ChatId, charter: &Charter, stored: &[StoredFact]) -> Self {
        let mut set = FactSet::new(chat, charter);
        let mut facts: Vec<_> = stored
            .iter()
            .filter_map(|stored| Some((Fact::decode(&stored.fact).ok()?, credential_of(stored))))
            .collect();
        // In an order in which few have to wait for others.
        facts.sort_by_key(|(fact, _)| (fact.issuer != charter.founder, fact.place.seq));
        for (fact, credential) in facts {
            // What is not taken is damaged, or is not needed any more.
            let _ = set.insert(fact, credential.as_ref());
        }
        let state = State::of(&set);
        Self { set, state }
    }
}

impl Signed {
    /// The root of the facts that we hold; zeros if there are none.
    pub(super) fn facts_root(&self) -> [u8; 32] {
        self.agreed.as_ref().map_or([0; 32], |agreed| agreed.set.root())
    }
}

impl Node {
    /// A link named the root of its facts.
    pub(super) fn compare_facts(&mut self, sender: ClientId, root: [u8; 32]) {
        let now = self.now.elapsed;
        let Kind::Signed(signed) = &self.kind else { return };
        let same = signed.facts_root() == root;
        let Some(link) = self.links.get_mut(&sender) else {
            return;
        };
        link.facts.root = Some((root, now));
        link.facts.tries = 0;
        if !same {
            self.ask_facts(sender);
        }
    }

    /// Says what we have, so that the link sends what we lack.
    fn ask_facts(&mut self, client_id: ClientId) {
        let (now, salt) = (self.now.elapsed, self.random());
        let Kind::Signed(signed) = &self.kind else { return };
        let Some(agreed) = &signed.agreed else { return };
        let summaries = agreed.set.summary(salt);
        let Some(link) = self.links.get_mut(&client_id) else {
            return;
        };
        let waited =
            now.saturating_sub(link.facts.asked_at) >= ASK_AGAIN || link.facts.asked_at == Duration::ZERO;
        if !waited || link.facts.tries >= TRIES {
            return;
        }
        link.facts.asked_at = now;
        link.facts.tries += 1;
        let address = link.address;
        let packets: Vec<Packet> = summaries
            .iter()
            .filter_map(|summary| {
                let t = link.next_token()?;
                let summary = summary.encode();
                Some(Packet::FactsAsk(FactsAsk { t, summary }))
            })
            .collect();
        for packet in packets {
            self.send(address, client_id, &packet);
        }
        self.wake_soon();
    }

    /// Asks again where roots still differ; tells when nobody vouches for ours any more.
    pub(super) fn look_after_facts(&mut self) {
        let now = self.now.elapsed;
        let Kind::Signed(signed) = &self.kind else { return };
        let own = signed.facts_root();
        let differing: Vec<ClientId> = self
            .links
            .iter()
            .filter(|(_, link)| {
                link.facts.is_waiting()
                    && link.facts.root.is_some_and(|(root, _)| root != own)
                    && now.saturating_sub(link.facts.asked_at) >= ASK_AGAIN
            })
            .map(|(client_id, _)| *client_id)
            .collect();
        for client_id in differing {
            self.ask_facts(client_id);
        }
        self.end_links_of_the_banned();
        self.check_vouched();
    }

    /// Somebody said what they have.
    pub(super) fn handle_facts_ask(&mut self, from: SocketAddr, sender: ClientId, ask: FactsAsk) {
        if !self.accept_token(from, sender, &ask.t) {
            return;
        }
        let Ok(summary) = Summary::decode(&ask.summary) else {
            return self.drop_packet("malformed_summary");
        };
        let Kind::Signed(signed) = &self.kind else { return };
        let Some(agreed) = &signed.agreed else { return };
        let packets = packed(agreed.set.missing_for(&summary).into_iter());
        self.send_facts(sender, packets, true);
    }

    /// Sends facts over a link; what is an answer is paced.
    fn send_facts(&mut self, client_id: ClientId, packets: Vec<Vec<Vec<u8>>>, is_answer: bool) {
        let now = self.now.elapsed;
        for facts in packets {
            let Some(link) = self.links.get_mut(&client_id) else {
                return;
            };
            let answers = link
                .facts
                .answers
                .get_or_insert_with(|| Bucket::full(ANSWERS, now));
            if is_answer && !answers.take(ANSWERS, now) {
                return self.drop_packet("facts_budget");
            }
            let address = link.address;
            let Some(t) = link.next_token() else { return };
            self.send(address, client_id, &Packet::Facts(Facts { t, facts }));
        }
    }

    /// Facts came.
    pub(super) fn handle_facts(&mut self, from: SocketAddr, sender: ClientId, facts: Facts) {
        if !self.accept_token(from, sender, &facts.t) {
            return;
        }
        let Some(of) = self.links.get(&sender).map(|link| link.member) else {
            return;
        };
        let mut credential = None;
        let mut changes = Changes::default();
        for item in facts.facts {
            match item.split_first() {
                Some((&CREDENTIAL_ITEM, bytes)) => credential = self.take_credential(bytes),
                _ => match Fact::decode(&item) {
                    Ok(fact) => self.take_fact(fact, credential.as_ref(), &of, sender, &mut changes),
                    Err(_) => self.drop_packet("malformed_fact"),
                },
            }
        }
        self.facts_changed(changes, Some(sender));
    }

    fn take_fact(
        &mut self,
        fact: Fact,
        credential: Option<&Credential>,
        of: &MemberId,
        sender: ClientId,
        changes: &mut Changes,
    ) {
        let now = self.now.elapsed;
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        let known = signed.credential_of(&fact.issuer).and_then(decoded);
        let Some(agreed) = &mut signed.agreed else {
            return self.drop_packet("facts_before_charter");
        };
        if agreed.set.contains(&fact.id(&signed.chat)) {
            return;
        }
        let is_own_work = *of == fact.issuer && fact.issuer != agreed.state.founder();
        if is_own_work && let Some(link) = self.links.get_mut(&sender) {
            let issues = link.facts.issues.get_or_insert_with(|| Bucket::full(FACTS, now));
            if !issues.take(FACTS, now) {
                return self.drop_packet("facts_metered");
            }
        }
        let credential = credential
            .filter(|credential| credential.member() == fact.issuer)
            .or(known.as_ref());
        match agreed.set.insert(fact, credential) {
            Ok(Inserted::Changed { added, removed }) => changes.add(added, removed),
            Ok(Inserted::Known | Inserted::Waits) => {}
            Err(why) => self.drop_packet(why.cause()),
        }
    }

    /// Puts a fact among the others that did not come from a link: our own, or the proof that somebody said two things
    /// under one number.
    pub(super) fn take_own_fact(&mut self, fact: Fact) {
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        let credential = signed.credential_of(&fact.issuer).and_then(decoded);
        let mut changes = Changes::default();
        if let Some(agreed) = &mut signed.agreed
            && let Ok(Inserted::Changed { added, removed }) = agreed.set.insert(fact, credential.as_ref())
        {
            changes.add(added, removed);
        }
        self.facts_changed(changes, None);
    }

    /// The set is another: it is kept, told to the other links, and what follows from it is done.
    fn facts_changed(&mut self, changes: Changes, sender: Option<ClientId>) {
        let Changes { added, removed } = changes;
        if added.is_empty() && removed.is_empty() {
            return;
        }
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        let Some(agreed) = &mut signed.agreed else { return };
        let state = State::of(&agreed.set);
        let before = std::mem::replace(&mut agreed.state, state);
        let held: Vec<&HeldFact> = agreed
            .set
            .iter()
            .filter(|held| added.contains(&held.id))
            .collect();
        let stored = held.iter().map(|held| StoredFact {
            id: held.id,
            fact: held.fact.encode(),
            credential: held.credential.clone(),
        });
        let event = NodeEvent::FactsChanged {
            added: stored.collect(),
            removed,
        };
        let packets = packed(held.into_iter());
        self.emit(event);
        let others: Vec<ClientId> = self
            .links
            .keys()
            .filter(|client_id| Some(**client_id) != sender)
            .copied()
            .collect();
        for client_id in others {
            self.send_facts(client_id, packets.clone(), false);
        }
        self.state_changed(&before);
    }

    /// Whether what we go by was confirmed lately: by two links that came by different invites, if there are so many.
    fn check_vouched(&mut self) {
        let now = self.now.elapsed;
        let Kind::Signed(signed) = &mut self.kind else {
            return;
        };
        let own = signed.facts_root();
        let lately = |at: Duration| now.saturating_sub(at) < VOUCHED_FOR;
        let invite_of = |member: &MemberId| signed.admitted(member).and_then(|admitted| admitted.by);
        let linked: std::collections::BTreeSet<_> =
            self.links.values().map(|link| invite_of(&link.member)).collect();
        let vouching: std::collections::BTreeSet<_> = self
            .links
            .values()
            .filter(|link| {
                link.facts
                    .root
                    .is_some_and(|(root, at)| root == own && lately(at))
            })
            .map(|link| invite_of(&link.member))
            .collect();
        let is_alone = signed.members.len() <= 1;
        if is_alone || !linked.is_empty() && vouching.len() >= linked.len().min(2) {
            signed.vouched_at = now;
        }
        let is_stale = now.saturating_sub(signed.vouched_at) >= VOUCHED_FOR;
        if std::mem::replace(&mut signed.is_stale, is_stale) != is_stale {
            self.emit(NodeEvent::ModerationStale(is_stale));
        }
    }

    /// What admits somebody came, for a fact that needs it.
    fn take_credential(&mut self, bytes: &[u8]) -> Option<Credential> {
        let Kind::Signed(signed) = &self.kind else {
            return None;
        };
        let Some(credential) = decoded(bytes) else {
            self.drop_packet("malformed_chain");
            return None;
        };
        if signed.is_admitted(&credential.member()) {
            return Some(credential);
        }
        if !credential.verify(&signed.chat) {
            self.drop_packet("bad_chain");
            return None;
        }
        self.admit_member(&credential);
        Some(credential)
    }
}

/// What one packet or deed does to the set.
#[derive(Debug, Default)]
struct Changes {
    added: Vec<FactId>,
    removed: Vec<FactId>,
}

impl Changes {
    fn add(&mut self, added: Vec<FactId>, removed: Vec<FactId>) {
        self.added.retain(|id| !removed.contains(id));
        self.removed.extend(removed);
        self.added.extend(added);
    }
}

/// Facts as the items of packets, each with what admits its issuer before it where that is needed.
fn packed<'a>(facts: impl Iterator<Item = &'a HeldFact>) -> Vec<Vec<Vec<u8>>> {
    let mut packets: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut len = 0;
    let items = facts.flat_map(|held| {
        let credential = held
            .credential
            .iter()
            .map(|credential| [&[CREDENTIAL_ITEM], credential.as_slice()].concat());
        credential.chain([held.fact.encode()]).collect::<Vec<_>>()
    });
    for item in items {
        len += 2 + item.len();
        match packets.last_mut() {
            Some(packet) if len <= MAX_ITEMS_LEN && packet.len() < MAX_FACTS => packet.push(item),
            _ => {
                len = 2 + item.len();
                packets.push(vec![item]);
            }
        }
    }
    packets
}

fn credential_of(stored: &StoredFact) -> Option<Credential> {
    decoded(stored.credential.as_deref()?)
}

fn decoded(bytes: &[u8]) -> Option<Credential> {
    match Credential::decode(bytes) {
        Ok((credential, [])) => Some(credential),
        _ => None,
    }
}
