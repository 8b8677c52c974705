//! The members of a chat, in the order of the member list.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;

use super::answer::MemberInfo;
use super::command::Status;
use super::text::{nick_key, nick_look, shown_nick};
use crate::facts::Role;
use crate::id::MemberId;

/// How many former members are still known by nick. A guess: more than a chat's history mentions.
const MAX_FORMER: usize = 1_024;

/// The members of a chat: those who are online first, higher roles before lower ones, then by nick; the banned last.
#[derive(Debug, Clone, Default)]
pub struct Members {
    by_id: BTreeMap<MemberId, Member>,
    sorted: BTreeSet<(Place, String, MemberId)>,
    /// How many of them are banned.
    banned: usize,
    /// The nicks of former members.
    former: BTreeMap<MemberId, String>,
    /// The same, the first who left at the front.
    former_order: VecDeque<MemberId>,
    /// How many members have nicks that look the same.
    sharing: BTreeMap<String, BTreeSet<MemberId>>,
    /// All members whose nick looks like another's.
    shared_nicks: BTreeSet<MemberId>,
    version: u64,
}

/// A member's sort key in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    is_banned: bool,
    is_offline: bool,
    role: std::cmp::Reverse<Role>,
}

/// A ban, as far as it is known here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BanInfo {
    /// Who banned them; `None` if that was before this program ran.
    pub by: Option<MemberId>,
    /// Why, in their words, cleaned; empty if not said or not known.
    pub reason: String,
    /// Whether none of the banned's words are shown.
    pub hide_all: bool,
}

/// A member of a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub id: MemberId,
    /// Their nick, cleaned; never empty.
    pub nick: String,
    /// What they may do.
    pub role: Role,
    /// Their status, as they say it.
    pub status: Status,
    /// Whether they have a live session.
    pub online: bool,
    /// Oneself.
    pub own: bool,
    /// When they were admitted, by their own clock then, if that is known.
    pub since: Option<Timestamp>,
    /// What keeps them out, if anything does.
    pub ban: Option<BanInfo>,
    /// Whether the user does not want to see what they say.
    pub ignored: bool,
    /// Whether they left while this program ran. Then their coming back is news.
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
            since: None,
            ban: None,
            ignored: false,
            was_seen_leaving: false,
        }
    }

    /// Their presence, in a word.
    pub fn presence(&self) -> &'static str {
        match (self.online, self.status) {
            _ if self.ban.is_some() => "Banned",
            (false, _) => "Offline",
            (true, Status::Online) => "Online",
            (true, Status::Away) => "Away",
            (true, Status::Busy) => "Busy",
        }
    }

    /// What is kept of a member when an event brings a new state.
    fn inherit(&mut self, before: &Self) {
        self.since = self.since.or(before.since);
        self.ban = self.ban.take().map(|ban| before.ban.clone().unwrap_or(ban));
        self.was_seen_leaving = before.was_seen_leaving;
    }

    fn sort_key(&self) -> (Place, String, MemberId) {
        let place = Place {
            is_banned: self.ban.is_some(),
            is_offline: !self.online,
            role: std::cmp::Reverse(self.role),
        };
        (place, nick_key(&self.nick), self.id)
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
    /// Replaces all members.
    pub(super) fn replace(&mut self, infos: &[MemberInfo]) {
        let mut before = std::mem::take(&mut self.by_id);
        *self = Self {
            version: self.version,
            former: std::mem::take(&mut self.former),
            former_order: std::mem::take(&mut self.former_order),
            ..Self::default()
        };
        for info in infos {
            let mut member = Member {
                online: info.online && !info.banned,
                since: info.since,
                ban: info.banned.then(BanInfo::default),
                ignored: info.ignored,
                ..Member::new(info.member, &info.nick, info.role, info.status, info.own)
            };
            if let Some(before) = before.remove(&info.member) {
                member.inherit(&before);
            }
            self.put(member);
        }
        for gone in before.into_values() {
            self.keep_name(gone);
        }
    }

    pub(super) fn of_one(member: Member) -> Self {
        let mut members = Self::default();
        members.put(member);
        members
    }

    /// All but the banned, in the order of the list.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Member> {
        self.all().take(self.len())
    }

    /// Those whom a ban keeps out, by nick.
    pub fn banned(&self) -> impl DoubleEndedIterator<Item = &Member> {
        self.all().skip(self.len())
    }

    /// All of them, the banned last.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Member> + ExactSizeIterator {
        let by_id = &self.by_id;
        self.sorted
            .iter()
            .map(|(_, _, id)| by_id.get(id).expect("who is sorted is known"))
    }

    /// A member's nick, or that of a former member.
    pub fn nick_of(&self, id: MemberId) -> Option<&str> {
        let member = self.by_id.get(&id).map(|member| &member.nick);
        member.or_else(|| self.former.get(&id)).map(String::as_str)
    }

    /// One of them.
    pub fn get(&self, id: MemberId) -> Option<&Member> {
        self.by_id.get(&id)
    }

    /// How many there are, the user included, without the banned.
    pub fn len(&self) -> usize {
        self.by_id.len() - self.banned
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many are banned.
    pub fn banned_len(&self) -> usize {
        self.banned
    }

    /// How many are online.
    pub fn online(&self) -> usize {
        let is_here = |member: &&Member| member.online && member.ban.is_none();
        self.by_id.values().filter(is_here).count()
    }

    /// How many there are besides the user.
    pub fn others(&self) -> usize {
        self.iter().filter(|member| !member.own).count()
    }

    /// All members whose nick looks like another's.
    pub fn shared_nicks(&self) -> &BTreeSet<MemberId> {
        &self.shared_nicks
    }

    /// The nicks of the others, those who are online first. The caller may keep them until [`Self::version`] changes.
    pub fn nicks(&self) -> Vec<String> {
        self.iter()
            .filter(|member| !member.own)
            .map(|member| member.nick.clone())
            .collect()
    }

    /// A number from 1 that changes whenever something about a member does.
    pub fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn put(&mut self, member: Member) {
        self.take(member.id);
        self.insert(member);
    }

    /// Somebody is online, who may have been known before.
    pub(super) fn arrive(&mut self, mut member: Member) {
        if let Some(before) = self.take(member.id) {
            member.inherit(&before);
            member.ignored = before.ignored;
        }
        self.insert(member);
    }

    /// They are no longer a member. Their nick stays known.
    pub(super) fn remove(&mut self, id: MemberId) {
        if let Some(gone) = self.take(id) {
            self.keep_name(gone);
        }
    }

    pub(super) fn set_ban(&mut self, id: MemberId, ban: Option<BanInfo>) {
        self.change(id, |member| {
            member.online &= ban.is_none();
            member.ban = ban;
        });
    }

    pub(super) fn set_role(&mut self, id: MemberId, role: Role) {
        self.change(id, |member| member.role = role);
    }

    pub(super) fn set_ignored(&mut self, id: MemberId, ignored: bool) {
        self.change(id, |member| member.ignored = ignored);
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

    fn keep_name(&mut self, gone: Member) {
        if self.former.insert(gone.id, gone.nick).is_none() {
            self.former_order.push_back(gone.id);
        }
        if self.former_order.len() > MAX_FORMER
            && let Some(first) = self.former_order.pop_front()
        {
            self.former.remove(&first);
        }
    }

    fn insert(&mut self, member: Member) {
        self.version += 1;
        self.banned += usize::from(member.ban.is_some());
        self.sorted.insert(member.sort_key());
        let alike = self.sharing.entry(nick_look(&member.nick)).or_default();
        alike.insert(member.id);
        if alike.len() > 1 {
            self.shared_nicks.extend(alike.iter());
        }
        self.by_id.insert(member.id, member);
    }

    fn take(&mut self, id: MemberId) -> Option<Member> {
        let member = self.by_id.remove(&id)?;
        self.version += 1;
        self.banned -= usize::from(member.ban.is_some());
        self.sorted.remove(&member.sort_key());
        self.shared_nicks.remove(&id);
        let key = nick_look(&member.nick);
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

/// The nick of a member of whom no nick is known.
fn named(id: MemberId, nick: &str) -> String {
    let shown = shown_nick(nick);
    if shown.is_empty() {
        format!("Member {}", id.short())
    } else {
        shown
    }
}
