//! One chat as the window paints it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::answer::{InviteInfo, Stats};
use super::chats::Effects;
use super::command::{ChatKind, Status};
use super::entry::Entry;
use super::event::{ChatEvent, Code, LeftWhy};
use super::log::LogLine;
use super::members::{Member, Members};
use super::moderation::CameBy;
use super::settings::{OpenChat, Retention};
use super::text::shown_nick;
use super::timeline::{Delivery, Page, RowKey, Timeline};
use crate::facts::{Door, HistoryRule, Role};
use crate::id::{ChatId, ClientId, MemberId, MessageId};

/// How long after our first link the roster and the topic take to come. A guess: a roster takes two round trips.
const ARRIVING: SignedDuration = SignedDuration::from_secs(3);

/// How long we look for members before we say that nobody is reachable. A guess: a few rounds of asking.
const NOBODY_AFTER: Duration = Duration::from_secs(20);

/// One chat as the window paints it.
#[derive(Debug)]
pub struct Chat {
    /// Its id.
    pub id: ChatId,
    /// Its name, fit to be shown.
    pub name: String,
    /// Its kind.
    pub kind: ChatKind,
    /// Our session's key.
    pub client_id: ClientId,
    /// Who we are there.
    pub own: MemberId,
    /// Where our socket listens.
    pub listen: SocketAddr,
    /// What we are called there.
    pub nick: String,
    /// What it is about; empty: not said.
    pub topic: String,
    /// Whether only moderators and the founder may set that.
    pub topic_locked: bool,
    /// How strangers come into a public chat.
    pub door: Door,
    /// What of the past newcomers get.
    pub history_rule: HistoryRule,
    /// How much of it is kept here.
    pub retention: Retention,
    /// What we may do there.
    pub role: Role,
    /// How we are.
    pub status: Status,
    /// Whether we are in.
    pub join: Join,
    /// Who is there.
    pub members: Members,
    /// What was said, and what happened between.
    pub timeline: Timeline,
    /// What was typed and not sent.
    pub draft: String,
    /// The newest message that was seen.
    pub read: Option<MessageId>,
    /// Where that stands, if it is known.
    pub(super) read_at: Option<RowKey>,
    /// How many messages of others came after it.
    pub unread: u32,
    /// How many of those say our nick.
    pub mentions: u32,
    /// The newest message as one line, with its author's nick; empty if nothing was said.
    pub last_line: String,
    /// Its invites, the newest first; `None` until they were asked for.
    pub invites: Option<Vec<InviteInfo>>,
    /// What is known of our coming in.
    pub(super) entry: Entry,
    /// Whether what is known of roles and bans is stale.
    pub is_moderation_stale: bool,
    /// The moderation log, the newest last; `None` until it was asked for.
    pub log: Option<Vec<LogLine>>,
    /// With which invites members joined, as far as we may see that.
    pub(super) came_by: BTreeMap<MemberId, CameBy>,
    /// Until when our messages wait, because we spoke too fast.
    pub(super) slow_until: Option<Timestamp>,
    /// Until when we can only read, because we have just joined.
    pub(super) reads_until: Option<Timestamp>,
    /// Whether somebody gave us our role by name, in this run.
    pub(super) has_named_role: bool,
    /// The round of history that is under way, if there is one.
    pub fetching: Option<Fetching>,
    links: BTreeMap<ClientId, MemberId>,
    looking_since: Timestamp,
    /// When we joined, if that was in this run.
    arrived_at: Option<Timestamp>,
}

/// A round of fetching history from other members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetching {
    /// Messages that came so far.
    pub fetched: u32,
    /// How far back it has got, if that is known.
    pub back_to: Option<Timestamp>,
}

/// Whether we were let into a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Join {
    /// Yes.
    Joined,
    /// We are asking.
    Asking,
    /// Nobody has answered; we go on asking. The sentence says what else to do.
    Unanswered(String),
    /// No; the sentence says why and what to do.
    Failed(String),
}

/// How a chat is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// Links to this many members are up.
    Linked(usize),
    /// Nobody else is known to be in the chat.
    Alone,
    /// We are looking for members.
    Looking,
    /// We have looked for long enough to say that nobody can be reached.
    Nobody,
    /// We were not let in.
    Refused,
}

impl Chat {
    /// The chat of a `ChatOpened`; `None` for any other event.
    pub(super) fn opened(id: ChatId, event: &ChatEvent, now: Timestamp, zone: TimeZone) -> Option<Self> {
        let ChatEvent::ChatOpened {
            name,
            kind,
            client_id,
            member,
            listen,
            nick,
            topic,
            role,
            joined,
            topic_locked,
            door,
            history_rule,
            retention,
        } = event
        else {
            return None;
        };
        let mut timeline = Timeline::new(zone);
        timeline.set_own_nick(nick);
        Some(Self {
            id,
            name: shown_name(name),
            kind: *kind,
            client_id: *client_id,
            own: *member,
            listen: *listen,
            nick: nick.clone(),
            topic: topic.clone(),
            topic_locked: *topic_locked,
            door: *door,
            history_rule: *history_rule,
            retention: *retention,
            role: *role,
            status: Status::Online,
            join: if *joined { Join::Joined } else { Join::Asking },
            members: Members::of_one(Member::new(*member, nick, *role, Status::Online, true)),
            timeline,
            draft: String::new(),
            read: None,
            read_at: None,
            unread: 0,
            mentions: 0,
            last_line: String::new(),
            invites: None,
            entry: Entry::default(),
            is_moderation_stale: false,
            log: None,
            came_by: BTreeMap::new(),
            slow_until: None,
            reads_until: None,
            has_named_role: false,
            fetching: None,
            links: BTreeMap::new(),
            looking_since: now,
            arrived_at: None,
        })
    }

    /// Takes over from an earlier session what a new one does not change.
    pub(super) fn inherit(&mut self, before: Self) {
        self.members = before.members;
        self.timeline = before.timeline;
        self.timeline.set_own_nick(&self.nick);
        self.draft = before.draft;
        (self.read, self.read_at) = (before.read, before.read_at);
        self.unread = before.unread;
        self.mentions = before.mentions;
        self.last_line = before.last_line;
        self.invites = before.invites;
        self.arrived_at = before.arrived_at;
    }

    /// Takes over how the window was left.
    pub(super) fn restore(&mut self, saved: &OpenChat) {
        self.draft.clone_from(&saved.draft);
        self.read = saved.read;
        self.unread = saved.unread;
        self.read_at = saved.read.and_then(|read| self.timeline.key_of(read));
        self.timeline.set_read_mark(saved.read);
        self.mentions = self.unread_after_read().1;
    }

    /// How it is connected. It changes by itself with time alone when [`Self::gives_up_in`] says so.
    pub fn connection(&self, now: Timestamp) -> Connection {
        if matches!(self.join, Join::Failed(_)) {
            Connection::Refused
        } else if !self.links.is_empty() {
            Connection::Linked(self.linked_members())
        } else if self.join == Join::Joined && self.members.others() == 0 {
            Connection::Alone
        } else if self.looked_for(now) < NOBODY_AFTER && !matches!(self.join, Join::Unanswered(_)) {
            Connection::Looking
        } else {
            Connection::Nobody
        }
    }

    /// In how long [`Connection::Looking`] turns into [`Connection::Nobody`] if nothing happens.
    pub fn gives_up_in(&self, now: Timestamp) -> Option<Duration> {
        (self.connection(now) == Connection::Looking)
            .then(|| NOBODY_AFTER.saturating_sub(self.looked_for(now)))
    }

    /// Starts the wait for [`Connection::Nobody`] anew, as after a retry.
    pub fn look_again(&mut self, now: Timestamp) {
        self.looking_since = now;
        if self.join != Join::Joined {
            self.join = Join::Asking;
            self.entry.clear();
        }
    }

    /// What a member is called, for a sentence.
    pub fn nick_of(&self, member: MemberId) -> String {
        if member == self.own {
            return "You".to_owned();
        }
        let known = self.members.nick_of(member);
        known.map_or_else(|| format!("Member {}", member.short()), str::to_owned)
    }

    /// The position of the newest message that was seen, if it is known.
    pub fn read_row(&self) -> Option<RowKey> {
        self.read_at
    }

    /// Whether unread messages are stored that begin outside of the loaded rows.
    pub fn has_unread_before(&self) -> bool {
        self.unread > 0 && self.read.is_some_and(|read| self.timeline.key_of(read).is_none())
    }

    fn looked_for(&self, now: Timestamp) -> Duration {
        Duration::try_from(now.duration_since(self.looking_since)).unwrap_or(Duration::ZERO)
    }

    fn linked_members(&self) -> usize {
        self.links.values().collect::<BTreeSet<_>>().len()
    }

    /// Takes in what happened. `page`: the part of the history that it answers, if it does.
    pub(super) fn apply(&mut self, event: &ChatEvent, page: Option<Page>, now: Timestamp) -> Effects {
        match event {
            ChatEvent::Joined => {
                self.members.set_ban(self.own, None);
                self.arrive(now);
            }
            ChatEvent::JoinFailed {
                code: Code::Unreachable,
                message,
            } => {
                self.join = Join::Unanswered(message.clone());
            }
            ChatEvent::JoinFailed { code, message } => {
                self.join = Join::Failed(message.clone());
                self.entry.refuse(*code);
            }
            ChatEvent::Working { bits, tried } => self.working(*bits, *tried, now),
            ChatEvent::Delivery {
                id,
                state,
                reached,
                of,
            } => {
                let (state, reached, of) = (*state, *reached, *of);
                self.timeline.set_delivery(*id, Delivery { state, reached, of });
            }
            ChatEvent::MemberJoined {
                member,
                nick,
                role,
                status,
            } => {
                self.member_joined(*member, nick, *role, *status, now);
            }
            ChatEvent::MemberLeft { member, nick, why } => self.member_left(*member, nick, *why, now),
            ChatEvent::NickChanged { member, nick } => self.nick_changed(*member, nick, now),
            ChatEvent::StatusChanged { member, status } => self.status_changed(*member, *status),
            ChatEvent::PeerLinked {
                client_id, member, ..
            } => {
                self.links.insert(*client_id, *member);
                self.arrive(now);
            }
            ChatEvent::PeerLost { client_id, .. } => self.link_lost(*client_id, now),
            ChatEvent::History {
                messages,
                more_before,
                more_after,
            } => self.history_came(page, messages, *more_before, *more_after),
            ChatEvent::HistoryProgress {
                fetched,
                back_to,
                done,
                more,
            } => self.history_progressed(*fetched, *back_to, *done, *more),
            ChatEvent::HistoryCleared => self.history_cleared(),
            ChatEvent::RetentionChanged { retention } => self.retention = *retention,
            ChatEvent::Members { members } => {
                self.members.replace(members);
                if let Some(own) = self.members.get(self.own) {
                    (self.status, self.role) = (own.status, own.role);
                }
                let own = members.iter().find(|member| member.own);
                self.reads_until = own.and_then(|own| own.reads_until);
                self.hide_words();
            }
            ChatEvent::Stats { stats } => self.stats_came(stats),
            event => return self.apply_moderation(event, now),
        }
        Effects::default()
    }

    fn working(&mut self, bits: u8, tried: u64, now: Timestamp) {
        self.entry.working(bits, tried, now);
        if self.join != Join::Joined {
            // A node that asks for work has answered.
            self.join = Join::Asking;
            self.looking_since = now;
        }
    }

    fn arrive(&mut self, now: Timestamp) {
        self.entry.clear();
        if std::mem::replace(&mut self.join, Join::Joined) != Join::Joined {
            self.arrived_at = Some(now);
        }
    }

    /// Whether we have only just joined, so that what we hear of now was so before.
    pub(super) fn is_arriving(&self, now: Timestamp) -> bool {
        let since = |at| now.duration_since(at) < ARRIVING;
        self.join != Join::Joined || self.arrived_at.is_some_and(since)
    }

    fn member_joined(&mut self, id: MemberId, nick: &str, role: Role, status: Status, now: Timestamp) {
        let known = self
            .members
            .get(id)
            .map(|member| (member.online, member.was_seen_leaving));
        self.members
            .arrive(Member::new(id, nick, role, status, id == self.own));
        self.hide_words_of(id);
        let nick = self.nick_of(id);
        match known {
            _ if id == self.own => {}
            // Was there before us.
            None if self.is_arriving(now) => {}
            None => self.timeline.insert_notice(now, format!("{nick} joined")),
            Some((false, true)) => self.timeline.insert_notice(now, format!("{nick} is back")),
            // They were there all along; we are the ones who came back.
            Some(_) => {}
        }
    }

    fn member_left(&mut self, id: MemberId, nick: &str, why: LeftWhy, now: Timestamp) {
        let nick = self
            .members
            .get(id)
            .map_or_else(|| shown_nick(nick), |member| member.nick.clone());
        match (why, self.kind) {
            // In a classic chat a member is no more than a session.
            (_, ChatKind::Classic) => self.members.remove(id),
            // Listed apart, as soon as it is told who banned them.
            (LeftWhy::Banned, _) => self.members.set_offline(id),
            _ => self.members.set_offline(id),
        }
        match why {
            LeftWhy::Quit => self.timeline.insert_notice(now, format!("{nick} left")),
            LeftWhy::Lost => self
                .timeline
                .insert_notice(now, format!("{nick} can't be reached any more")),
            // Said where the ban is.
            LeftWhy::Banned => {}
        }
    }

    fn nick_changed(&mut self, id: MemberId, nick: &str, now: Timestamp) {
        let before = self.members.get(id).map(|member| member.nick.clone());
        self.members.rename(id, nick);
        let shown = shown_nick(nick);
        if id == self.own {
            if self.nick != nick {
                self.timeline.insert_notice(now, format!("You are {shown} now"));
            }
            self.nick = nick.to_owned();
            self.timeline.set_own_nick(nick);
        } else if let Some(before) = before
            && before != shown
        {
            self.timeline
                .insert_notice(now, format!("{before} is {shown} now"));
        }
    }

    fn status_changed(&mut self, id: MemberId, status: Status) {
        self.members.set_status(id, status);
        if id == self.own {
            self.status = status;
        }
    }

    fn link_lost(&mut self, client_id: ClientId, now: Timestamp) {
        self.links.remove(&client_id);
        if self.links.is_empty() {
            self.fetching = None;
            self.looking_since = now;
        }
    }

    fn stats_came(&mut self, stats: &Stats) {
        self.links = stats
            .peers
            .iter()
            .map(|peer| (peer.client_id, peer.member))
            .collect();
    }
}

/// The name of a chat as it is shown. Somebody else chose it, so it is cleaned.
fn shown_name(name: &str) -> String {
    let shown = shown_nick(name);
    if shown.is_empty() {
        "Unnamed chat".to_owned()
    } else {
        shown
    }
}
