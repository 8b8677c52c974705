//! One chat as the window paints it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::chats::Effects;
use super::command::{ChatKind, Status};
use super::entry::Entry;
use super::event::{Code, Event, InviteInfo, LeftWhy, Message, MessageBody, Stats};
use super::members::{Member, Members};
use super::settings::OpenChat;
use super::text::{mentions, shown_nick, shown_text};
use super::timeline::{Row, RowKey, Timeline};
use crate::facts::{Door, Role};
use crate::id::{ChatId, ClientId, InviteId, MemberId, MessageId};

/// Who is there and what the topic is comes within so long of our first link. A guess: a roster takes two round trips.
const ARRIVING: SignedDuration = SignedDuration::from_secs(3);

/// How long one looks for members before saying that nobody is reachable (a guess: a few rounds of asking).
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
    /// How many messages of others came after it.
    pub unread: u32,
    /// How many of those say our nick.
    pub mentions: u32,
    /// The newest message in a line, with its author's nick; empty if nothing was said.
    pub last_line: String,
    /// How strangers come in, if it is public.
    pub door: Door,
    /// Its invites, the newest first; nothing until they were asked for.
    pub invites: Option<Vec<InviteInfo>>,
    /// What is known of our coming in.
    pub(super) entry: Entry,
    links: BTreeMap<ClientId, MemberId>,
    looking_since: Timestamp,
    /// When we first came in, if that was in this run.
    arrived_at: Option<Timestamp>,
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
    /// Links stand to so many members.
    Linked(usize),
    /// Nobody else is known to be in the chat.
    Alone,
    /// Others are being looked for.
    Looking,
    /// They were looked for long enough to say that none can be reached.
    Nobody,
    /// We were not let in.
    Refused,
}

impl Chat {
    /// The chat that a `ChatOpened` speaks of; nothing for another event.
    pub(super) fn opened(event: &Event, now: Timestamp, zone: TimeZone) -> Option<Self> {
        let Event::ChatOpened {
            chat,
            name,
            kind,
            client_id,
            member,
            listen,
            nick,
            topic,
            role,
            joined,
            door,
            ..
        } = event
        else {
            return None;
        };
        let mut timeline = Timeline::new(zone);
        timeline.set_own_nick(nick);
        Some(Self {
            id: *chat,
            name: shown_name(name),
            kind: *kind,
            client_id: *client_id,
            own: *member,
            listen: *listen,
            nick: nick.clone(),
            topic: topic.clone(),
            role: *role,
            status: Status::Online,
            join: if *joined { Join::Joined } else { Join::Asking },
            members: Members::of_one(Member::new(*member, nick, *role, Status::Online, true)),
            timeline,
            draft: String::new(),
            read: None,
            unread: 0,
            mentions: 0,
            last_line: String::new(),
            door: *door,
            invites: None,
            entry: Entry::default(),
            links: BTreeMap::new(),
            looking_since: now,
            arrived_at: None,
        })
    }

    /// Takes over what a new session does not change.
    pub(super) fn inherit(&mut self, before: Self) {
        self.members = before.members;
        self.timeline = before.timeline;
        self.timeline.set_own_nick(&self.nick);
        self.draft = before.draft;
        self.read = before.read;
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
        self.timeline.set_read_mark(saved.read);
        self.mentions = self.unread_after(saved.read).1;
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
        self.members.get(member).map_or_else(
            || format!("Member {}", member.short()),
            |member| member.nick.clone(),
        )
    }

    /// The row of the newest message that was seen, if it is among the rows.
    pub fn read_row(&self) -> Option<RowKey> {
        let index = self.timeline.index_of(self.read?)?;
        Some(self.timeline.row(index)?.key)
    }

    fn looked_for(&self, now: Timestamp) -> Duration {
        Duration::try_from(now.duration_since(self.looking_since)).unwrap_or(Duration::ZERO)
    }

    fn linked_members(&self) -> usize {
        self.links.values().collect::<BTreeSet<_>>().len()
    }

    pub(super) fn apply(&mut self, event: &Event, now: Timestamp) -> Effects {
        match event {
            Event::Joined { .. } => self.arrive(now),
            Event::JoinFailed {
                code: Code::Unreachable,
                message,
                ..
            } => {
                self.join = Join::Unanswered(message.clone());
            }
            Event::JoinFailed { code, message, .. } => {
                self.join = Join::Failed(message.clone());
                self.entry.refuse(*code);
            }
            Event::Working { bits, tried, .. } => self.working(*bits, *tried, now),
            Event::DoorChanged { door, .. } => self.door = *door,
            Event::RoleChanged { member, role, by, .. } if *member == self.own => {
                self.role = *role;
                self.entry.was_named(*by);
            }
            Event::Invites { invites, .. } => self.invites = Some(invites.clone()),
            Event::InviteClosed { invite, .. } => self.invite_closed(*invite),
            Event::Message(message) => self.message_came(message),
            Event::Delivery {
                id, state, reached, ..
            } => {
                self.timeline.set_delivery(*id, *state, *reached);
            }
            Event::MemberJoined {
                member,
                nick,
                role,
                status,
                ..
            } => {
                self.member_joined(*member, nick, *role, *status, now);
            }
            Event::MemberLeft {
                member, nick, why, ..
            } => self.member_left(*member, nick, *why, now),
            Event::NickChanged { member, nick, .. } => self.nick_changed(*member, nick, now),
            Event::TopicChanged { topic, by, .. } => self.topic_changed(topic, *by, now),
            Event::StatusChanged { member, status, .. } => self.status_changed(*member, *status),
            Event::Banned {
                member, by, reason, ..
            } => self.member_banned(*member, *by, reason, now),
            Event::PeerLinked {
                client_id, member, ..
            } => {
                self.links.insert(*client_id, *member);
                self.arrive(now);
            }
            Event::PeerLost { client_id, .. } => self.link_lost(*client_id, now),
            Event::History {
                messages,
                more_before,
                ..
            } => self.history_came(messages, *more_before),
            Event::Members { members, .. } => {
                self.members.replace(members);
                self.entry.members_came(members);
                self.status = self.members.get(self.own).map_or(self.status, |own| own.status);
            }
            Event::Stats { stats, .. } => self.stats_came(stats),
            _ => {}
        }
        Effects::default()
    }

    fn message_came(&mut self, message: &Message) {
        let is_new = self.timeline.insert(message.clone());
        self.renew_last_line();
        if is_new && !message.own {
            self.unread = self.unread.saturating_add(1);
            if mentions(&message.text, &self.nick) {
                self.mentions = self.mentions.saturating_add(1);
            }
        }
    }

    fn history_came(&mut self, messages: &[Message], more_before: bool) {
        for message in messages {
            // What is stored was said before this run: nobody hears any more how far it got.
            self.timeline.insert(Message {
                history: true,
                ..message.clone()
            });
        }
        self.renew_last_line();
        // Only the page that begins with the oldest row held says whether there is more before it.
        if messages
            .first()
            .is_none_or(|first| self.timeline.first_message() == Some(first.id))
        {
            self.timeline.set_more_before(more_before);
        }
        if self.read.is_some() {
            self.mentions = self.unread_after(self.read).1.min(self.unread);
        }
    }

    fn renew_last_line(&mut self) {
        let Some(said) = self.timeline.rows().rev().find_map(Row::said) else {
            return;
        };
        let line = said.text.lines().next().unwrap_or_default();
        self.last_line = match (said.body, said.own) {
            (MessageBody::Action, _) => format!("{} {line}", said.nick),
            (MessageBody::Message, true) => format!("You: {line}"),
            (MessageBody::Message, false) => format!("{}: {line}", said.nick),
        };
    }

    fn working(&mut self, bits: u8, tried: u64, now: Timestamp) {
        self.entry.working(bits, tried, now);
        if self.join != Join::Joined {
            // Whoever asks for work has answered.
            self.join = Join::Asking;
            self.looking_since = now;
        }
    }

    fn invite_closed(&mut self, invite: InviteId) {
        let invites = self.invites.iter_mut().flatten();
        for info in invites.filter(|info| info.invite == invite) {
            info.closed = true;
        }
    }

    fn arrive(&mut self, now: Timestamp) {
        self.entry.clear();
        if std::mem::replace(&mut self.join, Join::Joined) != Join::Joined {
            self.arrived_at = Some(now);
        }
    }

    /// Whether we have only just come in: what we hear of now was so before.
    fn is_arriving(&self, now: Timestamp) -> bool {
        let since = |at| now.duration_since(at) < ARRIVING;
        self.join != Join::Joined || self.arrived_at.is_some_and(since)
    }

    fn member_joined(&mut self, id: MemberId, nick: &str, role: Role, status: Status, now: Timestamp) {
        let known = self
            .members
            .get(id)
            .map(|member| (member.online, member.was_seen_leaving));
        self.members
            .put(Member::new(id, nick, role, status, id == self.own));
        let nick = self.nick_of(id);
        match known {
            _ if id == self.own => {}
            // Was there before us.
            None if self.is_arriving(now) => {}
            None => self.timeline.insert_notice(now, format!("{nick} joined")),
            Some((false, true)) => self.timeline.insert_notice(now, format!("{nick} is back")),
            // Was there all along; it is we who came back.
            Some(_) => {}
        }
    }

    fn member_left(&mut self, id: MemberId, nick: &str, why: LeftWhy, now: Timestamp) {
        let nick = self
            .members
            .get(id)
            .map_or_else(|| shown_nick(nick), |member| member.nick.clone());
        match (why, self.kind) {
            // In a classic chat the session was all that there was of them.
            (LeftWhy::Banned, _) | (_, ChatKind::Classic) => self.members.remove(id),
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

    fn topic_changed(&mut self, topic: &str, by: MemberId, now: Timestamp) {
        if self.topic == topic {
            return;
        }
        topic.clone_into(&mut self.topic);
        if self.is_arriving(now) {
            return;
        }
        let by = self.nick_of(by);
        let text = match shown_text(topic) {
            shown if shown.is_empty() => format!("{by} cleared the topic"),
            shown => format!("{by} changed the topic: {shown}"),
        };
        self.timeline.insert_notice(now, text);
    }

    fn status_changed(&mut self, id: MemberId, status: Status) {
        self.members.set_status(id, status);
        if id == self.own {
            self.status = status;
        }
    }

    fn member_banned(&mut self, id: MemberId, by: MemberId, reason: &str, now: Timestamp) {
        let (who, by) = (self.nick_of(id), self.nick_of(by));
        let were = if id == self.own { "were" } else { "was" };
        let by = if by == "You" { "you".to_owned() } else { by };
        let why = if reason.is_empty() {
            String::new()
        } else {
            format!(": {}", shown_text(reason))
        };
        self.members.remove(id);
        self.timeline
            .insert_notice(now, format!("{who} {were} banned by {by}{why}"));
        if id == self.own {
            self.join =
                Join::Failed("You were banned from this chat. Nobody there takes what you say.".to_owned());
        }
    }

    fn link_lost(&mut self, client_id: ClientId, now: Timestamp) {
        self.links.remove(&client_id);
        if self.links.is_empty() {
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

    /// Lets the "new" line go on to what is unread now; until then it stands where reading had stopped before.
    pub fn forget_new_line(&mut self) {
        self.timeline.set_read_mark(self.read);
    }

    /// Reads up to `message`. Whether that is news. A "new" line that stands stays, for the reader to find it.
    pub(super) fn mark_read(&mut self, message: MessageId) -> bool {
        if self.read == Some(message) && self.unread == 0 {
            return false;
        }
        // What was seen last frame may be older than what was read along since: reading never goes back.
        let row = self
            .timeline
            .index_of(message)
            .and_then(|index| self.timeline.row(index));
        if row.zip(self.read_row()).is_some_and(|(row, read)| row.key < read) {
            return false;
        }
        self.read = Some(message);
        (self.unread, self.mentions) = self.unread_after(self.read);
        if self.timeline.new_line().is_none() {
            self.forget_new_line();
        }
        true
    }

    /// How many messages of others the timeline holds after this one, and how many of them say our nick.
    fn unread_after(&self, read: Option<MessageId>) -> (u32, u32) {
        let (mut unread, mut mentioned) = (0, 0);
        for row in self.timeline.rows().rev() {
            let Some(said) = row.said() else { continue };
            if Some(said.message) == read {
                break;
            }
            unread += u32::from(!said.own);
            mentioned += u32::from(said.mentions_own);
        }
        (unread, mentioned)
    }
}

/// The name of a chat as it is shown: whoever made it chose it.
fn shown_name(name: &str) -> String {
    let shown = shown_nick(name);
    if shown.is_empty() {
        "Unnamed chat".to_owned()
    } else {
        shown
    }
}
