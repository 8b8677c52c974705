use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use super::body::short;
use super::chain::Chain;
use super::office::{Offices, Standing};
use super::{Body, Fact, Place, Refused, Role, State};
use crate::crypto;
use crate::id::{ChatId, FactId, MemberId};
use crate::invite::{Charter, Credential, Office, Rights};

/// Facts of the founder, in bytes. With [`MAX_MODERATOR_BYTES`] and the members' topics and forks the set stays under
/// 1 MiB.
pub const MAX_FOUNDER_BYTES: usize = 384 * 1024;

/// Facts of all moderators together, in bytes.
pub const MAX_MODERATOR_BYTES: usize = 512 * 1024;

/// Facts of one moderator.
pub const MAX_MODERATOR_FACTS: u32 = 4_096;

/// Members' topics, one of each member: those with the greatest (epoch, counter, id). A guess; it is there so that the
/// topic falls back to another when its setter is banned.
pub const MAX_MEMBER_TOPICS: usize = 16;

/// Proofs that a member said two things under one number, one of each member: those with the smallest ids. A
/// guess.
pub const MAX_FORKS: usize = 32;

/// Facts that wait for others. They are not in the set. A guess.
pub const MAX_WAITING: usize = 512;

/// Of them, facts of one issuer. A guess.
pub const MAX_WAITING_OF_ONE: usize = 128;

/// The facts of a chat that count. Whatever order they come in, the same facts make the same set, as long as it is not
/// full.
///
/// - of the founder: all, without a gap from 1 on, also several under one number;
/// - of moderators: those made in office (by the epoch that they name) and not cut off by a demotion, without a gap
///   from 1 on, each naming the one before, up to a fork, of which the two smallest ids are kept;
/// - of members: one topic each, with what admits them;
/// - forks, one of each member.
///
/// What does not count but may when others have come waits, outside of the set.
#[derive(Debug, Clone)]
pub struct FactSet {
    pub(super) chat: ChatId,
    pub(super) founder: MemberId,
    pub(super) is_public: bool,
    pub(super) founders: Chain,
    /// What the founder's facts say of who was a moderator when.
    pub(super) offices: Offices,
    /// Of those who were moderators at any time. None is empty.
    pub(super) moderators: BTreeMap<MemberId, Chain>,
    pub(super) topics: BTreeMap<MemberId, HeldFact>,
    pub(super) forks: BTreeMap<MemberId, HeldFact>,
    waiting: BTreeMap<(MemberId, u32, FactId), HeldFact>,
    ids: BTreeSet<FactId>,
    /// The hash of `ids`, once it was asked for.
    root: OnceLock<[u8; 32]>,
}

/// A fact in a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldFact {
    /// Its id.
    pub id: FactId,
    /// The fact.
    pub fact: Fact,
    /// What admits its issuer, in bytes, where the fact needs it: a member's topic and a fork.
    pub credential: Option<Vec<u8>>,
    pub(super) len_bytes: usize,
}

/// What became of a fact that a set took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inserted {
    /// It was there already, or waits already.
    Known,
    /// It does not count yet: it waits for what it follows, or for the founder's facts that its issuer had seen.
    Waits,
    /// It is in the set.
    Changed {
        /// This fact, and those that waited for it, in an order in which another can take them.
        added: Vec<FactId>,
        /// Facts that are no longer in the set: behind a fork or a cut, or in the place of which others came.
        removed: Vec<FactId>,
    },
}

/// What to do with a fact.
enum Verdict {
    Put,
    Wait,
    Refuse(Refused),
}

/// What a new fact has driven out of the set.
#[derive(Default)]
struct Gone {
    /// It may count again.
    to_wait: Vec<HeldFact>,
    for_good: Vec<HeldFact>,
}

#[derive(Default)]
struct Changes {
    added: Vec<FactId>,
    removed: Vec<FactId>,
}

impl FactSet {
    /// The empty set of a chat whose charter has been verified.
    pub fn new(chat: ChatId, charter: &Charter) -> Self {
        Self {
            chat,
            founder: charter.founder,
            is_public: charter.kind == 1,
            founders: Chain::default(),
            offices: Offices::new(charter.founder),
            moderators: BTreeMap::new(),
            topics: BTreeMap::new(),
            forks: BTreeMap::new(),
            waiting: BTreeMap::new(),
            ids: BTreeSet::new(),
            root: OnceLock::new(),
        }
    }

    /// Takes a fact. A member's topic and a fork need beside them what admits the member; of other facts it is not
    /// looked at. The signature is verified last, and not at all of what would be refused anyway.
    ///
    /// # Errors
    /// Why it is not taken. That changes nothing.
    pub fn insert(&mut self, fact: Fact, credential: Option<&Credential>) -> Result<Inserted, Refused> {
        let id = fact.id(&self.chat);
        if self.ids.contains(&id) || self.waiting.contains_key(&waiting_key(&fact, id)) {
            return Ok(Inserted::Known);
        }
        self.check_alone(&fact)?;
        let verdict = self.judge(&fact, &id);
        if let Verdict::Refuse(why) = verdict {
            return Err(why);
        }
        let credential = self.check_credential(&fact, credential)?;
        if !fact.verify(&self.chat) {
            return Err(Refused::BadSignature);
        }
        let len_bytes = fact.encode().len();
        let held = HeldFact {
            id,
            fact,
            credential,
            len_bytes,
        };
        if matches!(verdict, Verdict::Wait) {
            self.wait(held)?;
            return Ok(Inserted::Waits);
        }
        let mut changes = Changes::default();
        self.put(held, &mut changes)?;
        self.settle(&mut changes);
        let Changes { added, removed } = changes;
        Ok(Inserted::Changed { added, removed })
    }

    /// The hash of the sorted ids; zeros if there are none.
    pub fn root(&self) -> [u8; 32] {
        *self.root.get_or_init(|| root_of(&self.ids))
    }

    /// How many facts it holds.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Whether it holds that fact.
    pub fn contains(&self, id: &FactId) -> bool {
        self.ids.contains(id)
    }

    /// How many facts wait for others, outside of the set.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// All facts, in an order in which an empty set can take them: for storing.
    pub fn iter(&self) -> impl Iterator<Item = &HeldFact> {
        self.founders
            .facts()
            .chain(self.moderators.values().flat_map(Chain::facts))
            .chain(self.topics.values())
            .chain(self.forks.values())
    }

    /// How many of the founder's facts there are without a gap: what a new fact names as its epoch.
    pub fn epoch(&self) -> u32 {
        self.founders.last()
    }

    /// Where the next fact of the founder or of a moderator stands. None of who is neither (for an ordinary member's topic
    /// see [`Place::in_no_chain`]), or whose chain has ended: by a fork, or with its greatest number.
    pub fn next(&self, issuer: &MemberId) -> Option<Place> {
        let is_founder = *issuer == self.founder;
        if !is_founder && self.offices.rank(issuer) < Role::Moderator {
            return None;
        }
        let none = Chain::default();
        let chain = if is_founder {
            &self.founders
        } else {
            self.moderators.get(issuer).unwrap_or(&none)
        };
        let seq = chain.last().checked_add(1)?;
        let ended = !is_founder && (chain.forked_at().is_some() || seq > MAX_MODERATOR_FACTS);
        let prev = chain.at(chain.last()).first();
        (!ended).then(|| Place {
            seq,
            prev: prev.map_or([0; 16], |held| short(&held.id)),
            epoch: if is_founder { seq } else { self.epoch() },
        })
    }

    /// What can be said of a fact without the others.
    fn check_alone(&self, fact: &Fact) -> Result<(), Refused> {
        let is_founder = fact.issuer == self.founder;
        match fact.body {
            Body::Fork(_) => Ok(()),
            Body::MemberTopic { .. } if is_founder => Err(Refused::NotForFounder),
            Body::MemberTopic { .. } => Ok(()),
            _ if is_founder && fact.place.epoch != fact.place.seq => Err(Refused::NotItsEpoch),
            _ if !is_founder && fact.place.seq > MAX_MODERATOR_FACTS => Err(Refused::NumberTooHigh),
            _ => Ok(()),
        }
    }

    /// What admits the issuer, where it is needed.
    fn check_credential(
        &self,
        fact: &Fact,
        credential: Option<&Credential>,
    ) -> Result<Option<Vec<u8>>, Refused> {
        let is_admitted = |credential: &&Credential| {
            credential.member() == fact.issuer
                && credential.verify(&self.chat)
                && fits(&fact.body, credential)
        };
        if !matches!(fact.body, Body::Fork(_) | Body::MemberTopic { .. }) {
            return Ok(None);
        }
        let credential = credential.filter(is_admitted).ok_or(Refused::NotAdmitted)?;
        Ok(Some(credential.encode()))
    }

    /// Where a fact that is right in itself belongs.
    fn judge(&self, fact: &Fact, id: &FactId) -> Verdict {
        let Place { seq, prev, epoch } = fact.place;
        match fact.body {
            Body::Fork(_) => Verdict::Put,
            // Epochs to come would be greater than all that are.
            Body::MemberTopic { .. } => put_if(epoch <= self.epoch()),
            _ if fact.issuer == self.founder => put_if(seq <= self.founders.last() + 1),
            _ => match self.offices.judge(fact, id) {
                Standing::CutOff => Verdict::Refuse(Refused::CutOff),
                Standing::NotInOffice => Verdict::Wait,
                Standing::Counts => {
                    let chain = self.moderators.get(&fact.issuer);
                    put_if(chain.map_or(seq == 1 && prev == [0; 16], |chain| {
                        chain.links(seq, &prev) && chain.has_room(seq, id)
                    }))
                }
            },
        }
    }

    fn wait(&mut self, held: HeldFact) -> Result<(), Refused> {
        let issuer = held.fact.issuer;
        let of_issuer = (issuer, 0, FactId([0; 32]))..=(issuer, u32::MAX, FactId([0xFF; 32]));
        if self.waiting.len() >= MAX_WAITING || self.waiting.range(of_issuer).count() >= MAX_WAITING_OF_ONE {
            return Err(Refused::TooManyWaiting);
        }
        self.waiting.insert(waiting_key(&held.fact, held.id), held);
        Ok(())
    }

    /// Takes what waited and need not any more.
    fn settle(&mut self, changes: &mut Changes) {
        loop {
            let ready = self
                .waiting
                .iter()
                .find(|(_, held)| !matches!(self.judge(&held.fact, &held.id), Verdict::Wait))
                .map(|(key, _)| *key);
            let Some(held) = ready.and_then(|key| self.waiting.remove(&key)) else {
                return;
            };
            if matches!(self.judge(&held.fact, &held.id), Verdict::Put) {
                // If it is refused after all it just waits no more.
                let _ = self.put(held, changes);
            }
        }
    }

    /// Puts a fact where it belongs.
    fn put(&mut self, held: HeldFact, changes: &mut Changes) -> Result<(), Refused> {
        let id = held.id;
        let put = match held.fact.body {
            Body::Fork(_) => self.put_fork(held),
            Body::MemberTopic { .. } => self.put_topic(held),
            _ if held.fact.issuer == self.founder => Ok(self.put_founders(held)),
            _ => Ok(self.put_moderators(held)),
        };
        let Gone { to_wait, for_good } = put?;
        self.root = OnceLock::new();
        self.ids.insert(id);
        changes.added.push(id);
        for held in for_good.iter().chain(&to_wait) {
            self.forget(held, changes);
        }
        for held in to_wait {
            // What is refused now has left. For the rest there may be no room: it comes again with what makes it count.
            let _ = match self.judge(&held.fact, &held.id) {
                Verdict::Put => self.put(held, changes),
                Verdict::Wait => self.wait(held),
                Verdict::Refuse(why) => Err(why),
            };
        }
        if self.ids.contains(&id) {
            Ok(())
        } else {
            changes.removed.retain(|removed| *removed != id);
            Err(Refused::Full)
        }
    }

    fn put_founders(&mut self, held: HeldFact) -> Gone {
        let (id, epoch) = (held.id, held.fact.place.epoch);
        let is_last = epoch > self.founders.last();
        let mut gone = Gone::default();
        self.founders.put(held);
        while self.founders.len_bytes_before_last() >= MAX_FOUNDER_BYTES {
            gone.for_good.extend(self.founders.pop());
        }
        match self.founders.at(epoch) {
            [held] if is_last && held.id == id => {
                let touched = self.offices.take(held);
                let off = touched.and_then(|member| self.recheck(&member));
                gone.to_wait.extend(off.into_iter().flatten());
            }
            _ => self.look_again_at_all(&mut gone),
        }
        gone
    }

    /// After something other than a new last fact of the founder: who was a moderator when is found out anew.
    fn look_again_at_all(&mut self, gone: &mut Gone) {
        self.offices = Offices::new(self.founder);
        for held in self.founders.facts() {
            self.offices.take(held);
        }
        let members: Vec<MemberId> = self.moderators.keys().copied().collect();
        for member in members {
            gone.to_wait.extend(self.recheck(&member).into_iter().flatten());
        }
        let epoch = self.epoch();
        let early: Vec<MemberId> = self
            .topics
            .iter()
            .filter(|(_, held)| held.fact.place.epoch > epoch)
            .map(|(member, _)| *member)
            .collect();
        gone.to_wait
            .extend(early.iter().filter_map(|member| self.topics.remove(member)));
    }

    /// Takes off of a moderator's chain what counts no more, and all after it.
    fn recheck(&mut self, member: &MemberId) -> Option<Vec<HeldFact>> {
        let chain = self.moderators.get_mut(member)?;
        let first_bad = chain
            .facts()
            .find(|held| self.offices.judge(&held.fact, &held.id) != Standing::Counts)?
            .fact
            .place
            .seq;
        let off = chain.cut_after(first_bad - 1);
        if chain.last() == 0 {
            self.moderators.remove(member);
        }
        Some(off)
    }

    fn put_moderators(&mut self, held: HeldFact) -> Gone {
        let chain = self.moderators.entry(held.fact.issuer).or_default();
        let mut gone = Gone::default();
        let seq = held.fact.place.seq;
        chain.put(held);
        gone.to_wait.extend(chain.take_over_fork(seq));
        if let Some(forked_at) = chain.forked_at() {
            gone.to_wait.extend(chain.cut_after(forked_at));
        }
        gone.for_good.extend(self.make_room());
        gone
    }

    /// When the moderators together have made too much, the facts with the greatest (seq, issuer) go: so each of them has
    /// as much room as the others.
    fn make_room(&mut self) -> Vec<HeldFact> {
        let mut total: usize = self.moderators.values().map(Chain::len_bytes).sum();
        let mut removed = Vec::new();
        while let Some((_, longest)) = self
            .moderators
            .iter_mut()
            .max_by_key(|(member, chain)| (chain.last(), **member))
            && total - longest.last_len_bytes() >= MAX_MODERATOR_BYTES
        {
            total -= longest.last_len_bytes();
            removed.extend(longest.cut_after(longest.last() - 1));
        }
        self.moderators.retain(|_, chain| chain.last() > 0);
        removed
    }

    fn put_topic(&mut self, held: HeldFact) -> Result<Gone, Refused> {
        let rank = topic_rank;
        if let Some(other) = self.topics.get(&held.fact.issuer)
            && rank(other) > rank(&held)
        {
            return Err(Refused::Outdone);
        }
        let id = held.id;
        let mut for_good: Vec<HeldFact> = self.topics.insert(held.fact.issuer, held).into_iter().collect();
        if self.topics.len() > MAX_MEMBER_TOPICS
            && let Some(least) = self.topics.values().min_by_key(|held| rank(held)).cloned()
        {
            self.topics.remove(&least.fact.issuer);
            if least.id == id {
                return Err(Refused::Outdone);
            }
            for_good.push(least);
        }
        Ok(Gone::for_good(for_good))
    }

    fn put_fork(&mut self, held: HeldFact) -> Result<Gone, Refused> {
        if let Some(other) = self.forks.get(&held.fact.issuer)
            && other.id < held.id
        {
            return Err(Refused::Outdone);
        }
        let id = held.id;
        let mut for_good: Vec<HeldFact> = self.forks.insert(held.fact.issuer, held).into_iter().collect();
        if self.forks.len() > MAX_FORKS
            && let Some(greatest) = self.forks.values().max_by_key(|held| held.id).cloned()
        {
            self.forks.remove(&greatest.fact.issuer);
            if greatest.id == id {
                return Err(Refused::Outdone);
            }
            for_good.push(greatest);
        }
        Ok(Gone::for_good(for_good))
    }

    fn forget(&mut self, held: &HeldFact, changes: &mut Changes) {
        self.ids.remove(&held.id);
        if changes.added.contains(&held.id) {
            changes.added.retain(|added| *added != held.id);
        } else {
            changes.removed.push(held.id);
        }
    }
}

impl Gone {
    fn for_good(for_good: Vec<HeldFact>) -> Self {
        Self {
            for_good,
            ..Self::default()
        }
    }
}

fn put_if(fits: bool) -> Verdict {
    if fits { Verdict::Put } else { Verdict::Wait }
}

/// The root of the set of facts of these ids; zeros if there are none.
pub fn root_of(ids: &BTreeSet<FactId>) -> [u8; 32] {
    if ids.is_empty() {
        return [0; 32];
    }
    let ids: Vec<u8> = ids.iter().flat_map(|id| id.0).collect();
    crypto::hash(&[b"throng/1 facts\0", &ids])
}

/// What orders members' topics: the greatest (epoch, counter, id) comes first.
pub(super) fn topic_rank(held: &HeldFact) -> (u32, u32, FactId) {
    let counter = match held.fact.body {
        Body::MemberTopic { counter, .. } => counter,
        _ => 0,
    };
    (held.fact.place.epoch, counter, held.id)
}

fn waiting_key(fact: &Fact, id: FactId) -> (MemberId, u32, FactId) {
    (fact.issuer, fact.place.seq, id)
}

impl FactSet {
    /// What empowers a moderator to issue invites: the last grant of the office to them that has not ended.
    pub fn office_of(&self, state: &State, charter: &Charter, moderator: &MemberId) -> Option<Office> {
        let grants = self.iter().filter_map(|held| match &held.fact.body {
            Body::Grant {
                member,
                role: Role::Moderator,
                counter,
            } if held.fact.issuer == charter.founder && member == moderator => Some((held, *counter)),
            _ => None,
        });
        grants
            .filter(|(held, _)| !state.has_office_ended(Some((*moderator, held.fact.place.seq))))
            .max_by_key(|(held, _)| (held.fact.place.seq, held.id))
            .map(|(held, counter)| Office {
                charter: charter.clone(),
                moderator: *moderator,
                seq: held.fact.place.seq,
                prev: held.fact.place.prev,
                at_ms: held.fact.at_ms,
                counter,
                signature: held.fact.signature,
            })
    }
}

/// Whether a member who names that invite and slot came by them, to speak.
fn fits(body: &Body, credential: &Credential) -> bool {
    let Body::MemberTopic { invite, slot, .. } = body else {
        return true;
    };
    match credential {
        Credential::Founder(_) => false,
        Credential::Invited {
            invite: certificate,
            admission,
        } => {
            let came_by = (certificate.slots != 0).then_some(admission.slot);
            certificate.rights == Rights::Member && certificate.invite == *invite && came_by == *slot
        }
    }
}
