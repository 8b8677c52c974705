//! The facts of a signed chat: kept, told to the links, and brought to be the same everywhere. A new fact goes to all
//! links at once. Each keepalive, hello and welcome names the root of the sender's facts; whoever sees another root than
//! its own says what it has, and is sent what it lacks.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Rights;
use crate::facts::{Fact, FactSet, HeldFact, Inserted, State, Summary};
use crate::id::{ChatId, ClientId, FactId, MemberId};
use crate::invite::{Charter, Credential};
use crate::node::bucket::{Bucket, Rate, try_take};
use crate::node::core::Core;
use crate::node::members::Members;
use crate::node::overlay::Overlay;
use crate::node::{NodeEvent, StoredFact};
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
/// 10 min" (docs/security.md, row 22).
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
    /// When the link ends, because its member may not be here any more.
    pub(super) ends_at: Option<Duration>,
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

impl Rights {
    /// A link named the root of its facts.
    pub(in crate::node) fn compare(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        sender: ClientId,
        root: [u8; 32],
    ) {
        let same = self.root() == root;
        let Some(agreeing) = self.agreeing.get_mut(&sender) else {
            return;
        };
        agreeing.root = Some((root, core.now()));
        agreeing.tries = 0;
        if !same {
            self.ask_facts(core, overlay, sender);
        }
    }

    /// Says what we have, so that the link sends what we lack.
    fn ask_facts(&mut self, core: &mut Core, overlay: &mut Overlay, client_id: ClientId) {
        let (now, salt) = (core.now(), core.random());
        let Some(agreed) = &self.agreed else { return };
        let summaries = agreed.set.summary(salt);
        let Some(agreeing) = self.agreeing.get_mut(&client_id) else {
            return;
        };
        let waited =
            now.saturating_sub(agreeing.asked_at) >= ASK_AGAIN || agreeing.asked_at == Duration::ZERO;
        if !waited || agreeing.tries >= TRIES {
            return;
        }
        agreeing.asked_at = now;
        agreeing.tries += 1;
        for summary in summaries {
            let Some((address, t)) = overlay.next_token(&client_id) else {
                break;
            };
            let summary = summary.encode();
            core.send(address, client_id, &Packet::FactsAsk(FactsAsk { t, summary }));
        }
        core.wake_soon();
    }

    /// Asks again where roots still differ.
    pub(in crate::node) fn ask_again(&mut self, core: &mut Core, overlay: &mut Overlay) {
        let (now, own) = (core.now(), self.root());
        let differing = self.agreeing.iter().filter(|(_, agreeing)| {
            agreeing.is_waiting()
                && agreeing.root.is_some_and(|(root, _)| root != own)
                && now.saturating_sub(agreeing.asked_at) >= ASK_AGAIN
        });
        let differing: Vec<ClientId> = differing.map(|(client_id, _)| *client_id).collect();
        for client_id in differing {
            self.ask_facts(core, overlay, client_id);
        }
    }

    /// Whether a link may soon be asked again, or ends soon.
    pub(in crate::node) fn is_busy(&self) -> bool {
        let mut agreeing = self.agreeing.values();
        agreeing.any(|agreeing| agreeing.is_waiting() || agreeing.ends_at.is_some())
    }

    /// Somebody said what they have.
    pub(in crate::node) fn on_facts_ask(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        sender: ClientId,
        ask: &FactsAsk,
    ) {
        let Ok(summary) = Summary::decode(&ask.summary) else {
            return core.drop_packet("malformed_summary");
        };
        let Some(agreed) = &self.agreed else { return };
        let packets = packed(agreed.set.missing_for(&summary).into_iter());
        self.send_facts(core, overlay, sender, packets, true);
    }

    /// Sends facts over a link; what is an answer is paced.
    fn send_facts(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        client_id: ClientId,
        packets: Vec<Vec<Vec<u8>>>,
        is_answer: bool,
    ) {
        let Some(agreeing) = self.agreeing.get_mut(&client_id) else {
            return;
        };
        for facts in packets {
            if is_answer && !try_take(&mut agreeing.answers, ANSWERS, core.now()) {
                return core.drop_packet("facts_budget");
            }
            let Some((address, t)) = overlay.next_token(&client_id) else {
                return;
            };
            core.send(address, client_id, &Packet::Facts(Facts { t, facts }));
        }
    }

    /// Facts came.
    pub(in crate::node) fn on_facts(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        members: &mut Members,
        sender: ClientId,
        facts: Vec<Vec<u8>>,
    ) {
        let Some(of) = overlay.member_of(&sender) else {
            return;
        };
        let mut credential = None;
        let mut changes = Changes::default();
        for item in facts {
            match item.split_first() {
                Some((&CREDENTIAL_ITEM, bytes)) => {
                    credential = self.take_credential(core, overlay, members, bytes);
                }
                _ => match Fact::decode(&item) {
                    Ok(fact) => {
                        let from = (sender, &of);
                        self.take_fact(core, members, fact, credential.as_ref(), from, &mut changes);
                    }
                    Err(_) => core.drop_packet("malformed_fact"),
                },
            }
        }
        self.changed(core, overlay, members, changes, Some(sender));
    }

    /// Takes a fact from a link and its member.
    fn take_fact(
        &mut self,
        core: &mut Core,
        members: &Members,
        fact: Fact,
        credential: Option<&Credential>,
        (sender, of): (ClientId, &MemberId),
        changes: &mut Changes,
    ) {
        let known = members.credential_of(&fact.issuer).and_then(decoded);
        let Some(agreed) = &mut self.agreed else {
            return core.drop_packet("facts_before_charter");
        };
        if agreed.set.contains(&fact.id(&self.chat)) {
            return;
        }
        let is_own_work = *of == fact.issuer && fact.issuer != agreed.state.founder();
        if is_own_work
            && let Some(agreeing) = self.agreeing.get_mut(&sender)
            && !try_take(&mut agreeing.issues, FACTS, core.now())
        {
            return core.drop_packet("facts_metered");
        }
        let credential = credential
            .filter(|credential| credential.member() == fact.issuer)
            .or(known.as_ref());
        match agreed.set.insert(fact, credential) {
            Ok(Inserted::Changed { added, removed }) => changes.add(added, removed),
            Ok(Inserted::Known | Inserted::Waits) => {}
            Err(why) => core.drop_packet(why.cause()),
        }
    }

    /// Puts a fact among the others that did not come from a link: our own, or the proof that somebody said two things
    /// under one number.
    pub(in crate::node) fn take_own_fact(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        members: &mut Members,
        fact: Fact,
    ) {
        let credential = members.credential_of(&fact.issuer).and_then(decoded);
        let mut changes = Changes::default();
        if let Some(agreed) = &mut self.agreed
            && let Ok(Inserted::Changed { added, removed }) = agreed.set.insert(fact, credential.as_ref())
        {
            changes.add(added, removed);
        }
        self.changed(core, overlay, members, changes, None);
    }

    /// The set is another: it is kept, told to the other links, and what follows from it is done.
    fn changed(
        &mut self,
        core: &mut Core,
        overlay: &mut Overlay,
        members: &mut Members,
        changes: Changes,
        sender: Option<ClientId>,
    ) {
        let Changes { added, removed } = changes;
        if added.is_empty() && removed.is_empty() {
            return;
        }
        let Some(agreed) = &mut self.agreed else { return };
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
        core.emit(NodeEvent::FactsChanged {
            added: stored.collect(),
            removed,
        });
        let packets = packed(held.into_iter());
        let others = overlay.linked().filter(|client_id| Some(**client_id) != sender);
        let others: Vec<ClientId> = others.copied().collect();
        for client_id in others {
            self.send_facts(core, overlay, client_id, packets.clone(), false);
        }
        self.state_changed(core, overlay, members, &before);
    }

    /// Tells when nobody vouches for our facts any more: whether they were confirmed lately, by two links that came by
    /// different invites, if there are so many.
    pub(in crate::node) fn check_vouched(&mut self, core: &mut Core, overlay: &Overlay, members: &Members) {
        let now = core.now();
        let own = self.root();
        let lately = |at: Duration| now.saturating_sub(at) < VOUCHED_FOR;
        let invite_of = |member: &MemberId| members.member(member).and_then(|known| known.admitted().by);
        let linked: BTreeSet<_> = overlay
            .links()
            .map(|(_, link)| invite_of(&link.member()))
            .collect();
        let vouches = |client_id: &ClientId| {
            let root = self.agreeing.get(client_id).and_then(|agreeing| agreeing.root);
            root.is_some_and(|(root, at)| root == own && lately(at))
        };
        let vouching = overlay.links().filter(|(client_id, _)| vouches(client_id));
        let vouching: BTreeSet<_> = vouching.map(|(_, link)| invite_of(&link.member())).collect();
        let is_alone = members.count() <= 1;
        if is_alone || !linked.is_empty() && vouching.len() >= linked.len().min(2) {
            self.vouched_at = now;
        }
        let is_stale = now.saturating_sub(self.vouched_at) >= VOUCHED_FOR;
        if std::mem::replace(&mut self.is_stale, is_stale) != is_stale {
            core.emit(NodeEvent::ModerationStale(is_stale));
        }
    }

    /// What admits somebody came, for a fact that needs it.
    fn take_credential(
        &mut self,
        core: &mut Core,
        overlay: &Overlay,
        members: &mut Members,
        bytes: &[u8],
    ) -> Option<Credential> {
        let Some(credential) = decoded(bytes) else {
            core.drop_packet("malformed_chain");
            return None;
        };
        if members.is_admitted(&credential.member()) {
            return Some(credential);
        }
        if !credential.verify(&self.chat) {
            core.drop_packet("bad_chain");
            return None;
        }
        self.admit(core, overlay, members, &credential);
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
