//! The members of a chat, sorted as they are listed.

use std::collections::{BTreeMap, BTreeSet};

use super::command::Status;
use super::event::MemberInfo;
use super::text::{nick_key, shown_nick};
use crate::facts::Role;
use crate::id::MemberId;

/// The members of a chat: those who are there first, then by nick.
#[derive(Debug, Clone, Default)]
pub struct Members {
    by_id: BTreeMap<MemberId, Member>,
    sorted: BTreeSet<(bool, String, MemberId)>,
    /// How many members look to be called the same.
    sharing: BTreeMap<String, BTreeSet<MemberId>>,
    /// All whose nick alone does not say who they are.
    shared_nicks: BTreeSet<MemberId>,
    version: u64,
}

/// A member of a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub id: MemberId,
    /// What they are called, fit to be shown; never empty.
    pub nick: String,
    /// What they may do.
    pub role: Role,
    /// What they say of their presence.
    pub status: Status,
    /// Whether a session of theirs stands.
    pub online: bool,
    /// Oneself.
    pub own: bool,
    /// Whether they went while this program ran: then their coming back is news.
    pub(super) was_seen_leaving: bool,
}

impl Member {
    pub(super) fn new(id: MemberId, nick: &str, role: Role, status: Status, own: bool) -> Self {
        Self {
            id,
            nick: named(id, nick),
            role,
            status,
            online: true,
            own,
            was_seen_leaving: false,
        }
    }

    /// How they are, in a word.
    pub fn presence(&self) -> &'static str {
        match (self.online, self.status) {
            (false, _) => "Offline",
            (true, Status::Online) => "Online",
            (true, Status::Away) => "Away",
            (true, Status::Busy) => "Busy",
        }
    }

    fn sort_key(&self) -> (bool, String, MemberId) {
        (!self.online, nick_key(&self.nick), self.id)
    }
}

impl Role {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Founder => "Founder",
            Self::Moderator => "Moderator",
            Self::Member => "Member",
            Self::Observer => "Observer",
        }
    }
}

impl Members {
    /// Forgets all and takes these.
    pub(super) fn replace(&mut self, infos: &[MemberInfo]) {
        *self = Self {
            version: self.version,
            ..Self::default()
        };
        for info in infos {
            let member = Member::new(info.member, &info.nick, info.role, info.status, info.own);
            self.put(Member {
                online: info.online,
                ..member
            });
        }
    }

    pub(super) fn of_one(member: Member) -> Self {
        let mut members = Self::default();
        members.put(member);
        members
    }

    /// As they are listed.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Member> {
        self.sorted.iter().filter_map(|(_, _, id)| self.by_id.get(id))
    }

    /// One of them.
    pub fn get(&self, id: MemberId) -> Option<&Member> {
        self.by_id.get(&id)
    }

    /// How many there are, oneself among them.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// How many are there now.
    pub fn online(&self) -> usize {
        self.by_id.values().filter(|member| member.online).count()
    }

    /// How many there are besides oneself.
    pub fn others(&self) -> usize {
        self.by_id.values().filter(|member| !member.own).count()
    }

    /// All whose nick alone does not say who they are.
    pub fn shared_nicks(&self) -> &BTreeSet<MemberId> {
        &self.shared_nicks
    }

    /// What the others are called, those who are there first. To be kept until [`Self::version`] is another.
    pub fn nicks(&self) -> Vec<String> {
        self.iter()
            .filter(|member| !member.own)
            .map(|member| member.nick.clone())
            .collect()
    }

    /// Another number whenever something about a member has changed, from 1.
    pub fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn put(&mut self, member: Member) {
        self.take(member.id);
        self.insert(member);
    }

    pub(super) fn remove(&mut self, id: MemberId) {
        self.take(id);
    }

    pub(super) fn set_offline(&mut self, id: MemberId) {
        self.change(id, |member| {
            member.online = false;
            member.was_seen_leaving = true;
        });
    }

    pub(super) fn set_status(&mut self, id: MemberId, status: Status) {
        self.change(id, |member| member.status = status);
    }

    pub(super) fn rename(&mut self, id: MemberId, nick: &str) {
        self.change(id, |member| member.nick = named(id, nick));
    }

    fn change(&mut self, id: MemberId, change: impl FnOnce(&mut Member)) {
        if let Some(mut member) = self.take(id) {
            change(&mut member);
            self.insert(member);
        }
    }

    fn insert(&mut self, member: Member) {
        self.version += 1;
        self.sorted.insert(member.sort_key());
        let alike = self.sharing.entry(nick_key(&member.nick)).or_default();
        alike.insert(member.id);
        if alike.len() > 1 {
            self.shared_nicks.extend(alike.iter());
        }
        self.by_id.insert(member.id, member);
    }

    fn take(&mut self, id: MemberId) -> Option<Member> {
        let member = self.by_id.remove(&id)?;
        self.version += 1;
        self.sorted.remove(&member.sort_key());
        self.shared_nicks.remove(&id);
        let key = nick_key(&member.nick);
        if let Some(alike) = self.sharing.get_mut(&key) {
            alike.remove(&id);
            if alike.len() == 1 {
                self.shared_nicks.retain(|other| !alike.contains(other));
            } else if alike.is_empty() {
                self.sharing.remove(&key);
            }
        }
        Some(member)
    }
}

/// What a member is called where nothing better is known.
fn named(id: MemberId, nick: &str) -> String {
    let shown = shown_nick(nick);
    if shown.is_empty() {
        format!("Member {}", id.short())
    } else {
        shown
    }
}
