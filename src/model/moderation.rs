//! What founder and moderators have done, in sentences for everybody, and what the user may do.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::answer::InviteInfo;
use super::chat::{Chat, Join};
use super::chats::Effects;
use super::command::{ChatCommand, ChatKind};
use super::event::ChatEvent;
use super::limits::MAX_NICK_LEN;
use super::members::{BanInfo, Member};
use super::text::{nick_key, shown_text};
use crate::facts::{Circumstances, Deed, Denied, Door, DoorMode, HistoryRule, Role};
use crate::id::{InviteId, MemberId};

/// How many of the newest messages are asked for again when somebody's messages are to be shown again. A guess: a page.
const SHOWN_AGAIN: u32 = 200;

/// How many hex digits name a member: as many as are shown where two nicks look alike.
pub const SHORT_FINGERPRINT: usize = 8;

/// Why the user can only read in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadsOnly {
    /// Because of their role.
    Observer,
    /// Newcomers can, until somebody lets them write.
    AwaitsApproval,
    /// Newcomers can, for some minutes after they joined.
    Newcomer {
        /// How many.
        minutes: u16,
        /// How long it will be.
        rest: Duration,
    },
}

/// With which invite somebody joined a chat, for those who may see its invites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CameBy {
    /// The invite, as its issuer counts them.
    pub number: u32,
    /// Whether it is the one in the chat's link.
    pub public_link: bool,
    /// How many joined with it, as far as is known.
    pub people: usize,
}

impl Chat {
    /// Whether the user may do something here, as far as the window knows; the node has the last word.
    ///
    /// # Errors
    /// Why not, a sentence.
    pub fn may(&self, deed: Deed) -> Result<(), String> {
        self.may_against(deed, Role::Observer)
    }

    /// Whether the user may do something to a member.
    ///
    /// # Errors
    /// Why not, a sentence.
    pub fn may_to(&self, deed: Deed, member: &Member) -> Result<(), String> {
        let other = match deed {
            Deed::Lift => self.role_of_banner(member),
            _ => member.role,
        };
        if deed == Deed::Ban && member.ban.is_some() {
            return Err("They are banned already.".to_owned());
        }
        self.may_against(deed, other)
    }

    /// Whether the user may give a member a role.
    ///
    /// # Errors
    /// Why not, a sentence.
    pub fn may_set_role(&self, member: &Member, role: Role) -> Result<(), String> {
        if member.own {
            return Err("Nobody changes their own role.".to_owned());
        }
        if member.role == Role::Founder || role == Role::Founder {
            return Err("A chat has one founder, for good.".to_owned());
        }
        if member.ban.is_some() {
            return Err("They are banned. Lift the ban first.".to_owned());
        }
        if role == Role::Moderator {
            return self.may_to(Deed::Promote, member);
        }
        if member.role == Role::Moderator {
            self.may_to(Deed::Demote, member)?;
        }
        self.may_to(Deed::SetRole, member)
    }

    fn may_against(&self, deed: Deed, other: Role) -> Result<(), String> {
        if self.own_ban().is_some() {
            return Err(Denied::Banned.to_string());
        }
        if self.kind == ChatKind::Classic {
            let is_free = matches!(deed, Deed::Read | Deed::Speak | Deed::SetTopic);
            let sentence = "A classic chat has no roles, and no bans that hold.";
            return if is_free { Ok(()) } else { Err(sentence.to_owned()) };
        }
        let circumstances = Circumstances {
            is_topic_locked: self.topic_locked,
            other,
        };
        deed.check(self.role, circumstances)
            .map_err(|denied| denied.to_string())
    }

    /// The role of the one who banned a member, which decides who may lift the ban. Where it is not known, the node decides.
    fn role_of_banner(&self, member: &Member) -> Role {
        let by = member.ban.as_ref().and_then(|ban| ban.by);
        by.and_then(|by| self.members.get(by))
            .map_or(Role::Observer, |by| by.role)
    }

    /// The ban that keeps us out, if one does.
    pub fn own_ban(&self) -> Option<&BanInfo> {
        self.members.get(self.own)?.ban.as_ref()
    }

    /// Why the user can only read, if so.
    pub fn reads_only(&self, now: Timestamp) -> Option<ReadsOnly> {
        let is_observer = self.role == Role::Observer;
        let waits = is_observer
            && self.kind == ChatKind::Public
            && self.door.mode == DoorMode::Approval
            && !self.has_named_role;
        self.newcomer(now)
            .or(waits.then_some(ReadsOnly::AwaitsApproval))
            .or(is_observer.then_some(ReadsOnly::Observer))
    }

    fn newcomer(&self, now: Timestamp) -> Option<ReadsOnly> {
        let Door { mode, minutes, .. } = self.door;
        if mode != DoorMode::ReadFirst || self.role > Role::Member {
            return None;
        }
        let rest = Duration::try_from(self.reads_until?.duration_since(now)).ok()?;
        (!rest.is_zero()).then_some(ReadsOnly::Newcomer { minutes, rest })
    }

    /// For how long our messages still wait, because we spoke faster than the chat allows.
    pub fn slow_for(&self, now: Timestamp) -> Option<Duration> {
        let rest = Duration::try_from(self.slow_until?.duration_since(now)).ok()?;
        (!rest.is_zero()).then_some(rest)
    }

    /// In how long a sentence of this module changes although nothing happens: once a second while slow mode counts down, once
    /// a minute while a newcomer waits.
    pub fn next_change_in(&self, now: Timestamp) -> Option<Duration> {
        let to_next = |rest: Duration, step: u64| {
            let step = Duration::from_secs(step);
            let over = rest.as_nanos() % step.as_nanos();
            let over = u64::try_from(over).map_or(step, Duration::from_nanos);
            if over.is_zero() { step } else { over }
        };
        let slow = self.slow_for(now).map(|rest| to_next(rest, 1));
        let newcomer = match self.reads_only(now) {
            Some(ReadsOnly::Newcomer { rest, .. }) => Some(to_next(rest, 60)),
            _ => None,
        };
        slow.into_iter().chain(newcomer).min()
    }

    /// With which invite a member joined, if we may see that.
    pub fn came_by(&self, member: MemberId) -> Option<CameBy> {
        self.came_by.get(&member).copied()
    }

    /// The member with this nick, or with these first digits of a fingerprint (at least [`SHORT_FINGERPRINT`]).
    ///
    /// # Errors
    /// Why there is none, or not one alone, as a sentence.
    pub fn find_member(&self, name: &str) -> Result<&Member, String> {
        self.the_one_called(name).unwrap_or_else(|| {
            let name = shown_text(name);
            Err(format!("Nobody here is called {name}. Tab completes a nick."))
        })
    }

    /// None: nobody is called that.
    fn the_one_called(&self, name: &str) -> Option<Result<&Member, String>> {
        let name = name.trim().trim_start_matches('@').trim_end_matches(':');
        let key = nick_key(name);
        let members = || self.members.all();
        let mut called: Vec<&Member> = members().filter(|member| nick_key(&member.nick) == key).collect();
        if called.is_empty() && name.len() >= SHORT_FINGERPRINT {
            let digits = name.to_lowercase();
            called.extend(members().filter(|member| member.id.to_string().starts_with(&digits)));
        }
        match called[..] {
            [] => None,
            [member] => Some(Ok(member)),
            [first, second, ..] => Some(Err(format!(
                "More than one member is called {}. Name them by the first digits of their fingerprint: {} or {}.",
                first.nick,
                first.id.short(),
                second.id.short()
            ))),
        }
    }

    /// Splits what was typed into the member whose nick stands at its beginning, and the rest.
    ///
    /// # Errors
    /// Why it is not clear who is meant, as a sentence.
    pub fn find_member_before<'a>(&self, text: &'a str) -> Result<(&Member, &'a str), String> {
        // A nick may have spaces, so the longest that fits counts. There may be a sign before and after it.
        let spaces = text.char_indices().filter(|(_, c)| c.is_whitespace());
        let ends: Vec<usize> = spaces.map(|(at, _)| at).chain([text.len()]).collect();
        let longest = ends
            .iter()
            .rev()
            .filter(|end| **end <= MAX_NICK_LEN + 2)
            .find_map(|end| Some((self.the_one_called(&text[..*end])?, text[*end..].trim())));
        match longest {
            Some((member, rest)) => Ok((member?, rest)),
            None => Ok((self.find_member(&text[..ends[0]])?, "")),
        }
    }

    pub(super) fn apply_moderation(&mut self, event: &ChatEvent, now: Timestamp) -> Effects {
        match event {
            ChatEvent::Banned {
                member,
                by,
                reason,
                hide_all,
            } => {
                let ban = BanInfo {
                    by: Some(*by),
                    reason: shown_text(reason),
                    hide_all: *hide_all,
                };
                self.member_banned(*member, *by, ban, now);
            }
            ChatEvent::Unbanned { member, by } => return self.member_unbanned(*member, *by, now),
            ChatEvent::RoleChanged { member, role, by } => self.role_changed(*member, *role, *by, now),
            ChatEvent::DoorChanged { door, by } => {
                self.door_changed(*door, *by, now);
                // The list of members tells whether it lets us write.
                return Effects::of(ChatCommand::Members.to(self.id));
            }
            ChatEvent::HistoryRuleChanged { rule, by } => self.history_rule_changed(*rule, *by, now),
            ChatEvent::InviteClosed { invite, by } => self.invite_closed(*invite, *by, now),
            ChatEvent::TopicChanged { topic, locked, by } => self.topic_changed(topic, *locked, *by, now),
            ChatEvent::Forked { member } => self.forked(*member, now),
            ChatEvent::Slow { wait_ms } => {
                let wait = SignedDuration::from_millis(i64::from(*wait_ms));
                self.slow_until = now.checked_add(wait).ok();
            }
            ChatEvent::ClockOff { by_ms } => self.clock_is_off(*by_ms, now),
            ChatEvent::ModerationStale { stale } => self.is_moderation_stale = *stale,
            ChatEvent::IgnoreChanged { member, ignored } => self.ignore_changed(*member, *ignored),
            ChatEvent::Invites { invites } => self.invites_came(invites),
            ChatEvent::ModerationLog { entries } => {
                self.log = Some(self.log_lines(entries));
            }
            _ => {}
        }
        Effects::default()
    }

    /// Hides the messages of those who are ignored, or banned with `hide_all`, and shows those of all others.
    pub(super) fn hide_words(&mut self) {
        let members: Vec<MemberId> = self.members.all().map(|member| member.id).collect();
        for member in members {
            self.hide_words_of(member);
        }
    }

    pub(super) fn hide_words_of(&mut self, member: MemberId) {
        let hide = self.members.get(member).is_some_and(|member| {
            let hide_all = member.ban.as_ref().is_some_and(|ban| ban.hide_all);
            member.ignored || hide_all
        });
        if self.timeline.is_hidden(member) == hide {
            return;
        }
        let before = self.unread_after_read();
        self.timeline.set_hidden(member, hide);
        let after = self.unread_after_read();
        // The count may include messages that are not loaded, so only those that are hidden are subtracted.
        self.unread = (self.unread + after.0).saturating_sub(before.0);
        self.mentions = (self.mentions + after.1).saturating_sub(before.1);
        self.renew_last_line();
    }

    fn member_banned(&mut self, id: MemberId, by: MemberId, ban: BanInfo, now: Timestamp) {
        let known = self.members.get(id);
        let is_news = known.is_none_or(|member| member.ban.is_none()) && !self.is_arriving(now);
        let (who, banner) = (self.object(id), self.called(by));
        let why = if ban.reason.is_empty() {
            String::new()
        } else {
            format!(": {}", ban.reason)
        };
        if known.is_some() {
            self.members.set_ban(id, Some(ban.clone()));
        } else if self.kind != ChatKind::Classic {
            let banned = Member::new(id, "", Role::Member, super::Status::Online, id == self.own);
            self.members.put(Member {
                ban: Some(ban.clone()),
                online: false,
                ..banned
            });
        }
        if self.kind == ChatKind::Classic && id != self.own {
            self.members.remove(id);
        }
        self.hide_words_of(id);
        if id == self.own {
            self.join = Join::Failed(Denied::Banned.to_string());
        }
        if is_news {
            let hidden = if ban.hide_all {
                ". What they said is hidden."
            } else {
                ""
            };
            self.timeline
                .insert_notice(now, format!("{banner} banned {who}{why}{hidden}"));
        }
    }

    fn member_unbanned(&mut self, id: MemberId, by: MemberId, now: Timestamp) -> Effects {
        let is_news = self.members.get(id).is_some_and(|member| member.ban.is_some());
        self.members.set_ban(id, None);
        self.hide_words_of(id);
        if !is_news {
            return Effects::default();
        }
        if id == self.own {
            self.look_again(now);
        }
        if !self.is_arriving(now) || id == self.own {
            let (who, by) = (self.object(id), self.called(by));
            self.timeline
                .insert_notice(now, format!("{by} lifted the ban on {who}"));
        }
        Effects::of(
            ChatCommand::History {
                before: None,
                after: None,
                around: None,
                at: None,
                limit: SHOWN_AGAIN,
            }
            .to(self.id),
        )
    }

    fn role_changed(&mut self, id: MemberId, role: Role, by: Option<MemberId>, now: Timestamp) {
        let before = if id == self.own {
            Some(self.role)
        } else {
            self.members.get(id).map(|member| member.role)
        };
        self.members.set_role(id, role);
        if id == self.own {
            self.role = role;
            self.has_named_role |= by.is_some();
            if by.is_some() {
                self.reads_until = None;
            }
        }
        if before.is_none_or(|before| before == role) || self.is_arriving(now) {
            return;
        }
        let sentence = match by {
            Some(by) => {
                let (by, who) = (self.called(by), self.object(id));
                format!("{by} made {who} {}", role.with_article())
            }
            None if id == self.own && role == Role::Observer => "You only read here now".to_owned(),
            None if id == self.own && before == Some(Role::Observer) => "You may write here now".to_owned(),
            // A door or an invite changed it, perhaps for many at once.
            None => return,
        };
        self.timeline.insert_notice(now, sentence);
    }

    fn door_changed(&mut self, door: Door, by: Option<MemberId>, now: Timestamp) {
        let is_news = std::mem::replace(&mut self.door, door) != door;
        if let Some(by) = by
            && is_news
            && !self.is_arriving(now)
        {
            let sentence = format!("{} changed the door: {}", self.called(by), door_words(door));
            self.timeline.insert_notice(now, sentence);
        }
    }

    fn history_rule_changed(&mut self, rule: HistoryRule, by: Option<MemberId>, now: Timestamp) {
        let is_news = std::mem::replace(&mut self.history_rule, rule) != rule;
        if let Some(by) = by
            && is_news
            && !self.is_arriving(now)
        {
            let sentence = format!(
                "{} changed what newcomers see: {}",
                self.called(by),
                history_rule_words(rule)
            );
            self.timeline.insert_notice(now, sentence);
        }
    }

    /// Shown to those who could have closed it themselves.
    fn invite_closed(&mut self, invite: InviteId, by: Option<MemberId>, now: Timestamp) {
        let listed = self.invites.iter_mut().flatten();
        for info in listed.filter(|info| info.invite == invite) {
            info.closed = true;
        }
        if let Some(by) = by
            && self.may(Deed::CloseInvite).is_ok()
            && !self.is_arriving(now)
        {
            let sentence = format!("{} closed an invite", self.called(by));
            self.timeline.insert_notice(now, sentence);
        }
    }

    fn topic_changed(&mut self, topic: &str, locked: bool, by: MemberId, now: Timestamp) {
        let is_other = self.topic != topic;
        let lock_is_other = std::mem::replace(&mut self.topic_locked, locked) != locked;
        topic.clone_into(&mut self.topic);
        if self.is_arriving(now) {
            return;
        }
        let by = self.called(by);
        let changed = match shown_text(topic) {
            _ if !is_other => None,
            shown if shown.is_empty() => Some(format!("{by} cleared the topic")),
            shown => Some(format!("{by} changed the topic: {shown}")),
        };
        let lock = match (lock_is_other, locked) {
            (false, _) => None,
            (true, true) => Some(format!("{by} locked the topic")),
            (true, false) => Some(format!("{by} unlocked the topic")),
        };
        for sentence in changed.into_iter().chain(lock) {
            self.timeline.insert_notice(now, sentence);
        }
    }

    fn forked(&mut self, id: MemberId, now: Timestamp) {
        let whose = if id == self.own {
            "your program".to_owned()
        } else {
            format!("{}'s program", self.nick_of(id))
        };
        let sentence = format!(
            "Two different messages under one number came from {whose}. Both are shown; what follows them is not, \
             until it is started again."
        );
        self.timeline.insert_notice(now, sentence);
    }

    fn clock_is_off(&mut self, by_ms: i64, now: Timestamp) {
        let minutes = (by_ms.unsigned_abs() / 60_000).max(1);
        let how_much = match (minutes / 60, minutes % 60) {
            (0, 1) => "a minute".to_owned(),
            (0, minutes) => format!("{minutes} minutes"),
            (hours, minutes) => format!("{hours} h {minutes} min"),
        };
        let how = if by_ms > 0 { "slow" } else { "fast" };
        let sentence = format!(
            "This computer's clock is {how_much} {how}, by what the others' clocks show. Set it right in the system's \
             settings. What you write bears the right time nevertheless."
        );
        self.timeline.insert_notice(now, sentence);
    }

    fn ignore_changed(&mut self, id: MemberId, ignored: bool) {
        self.members.set_ignored(id, ignored);
        self.hide_words_of(id);
    }

    fn invites_came(&mut self, invites: &[InviteInfo]) {
        self.invites = Some(invites.to_vec());
        self.came_by.clear();
        for invite in invites {
            let came_by = CameBy {
                number: invite.number,
                public_link: invite.public_link,
                people: invite.used_by.len(),
            };
            self.came_by
                .extend(invite.used_by.iter().map(|user| (user.member, came_by)));
        }
    }

    /// A member's name where it matters who it was: the nick, with the first digits of their fingerprint if another nick looks
    /// the same.
    pub fn called(&self, id: MemberId) -> String {
        let nick = self.nick_of(id);
        if id != self.own && self.members.shared_nicks().contains(&id) {
            format!("{nick} ({})", id.short())
        } else {
            nick
        }
    }

    /// The same, as the object of a sentence.
    pub(super) fn object(&self, id: MemberId) -> String {
        if id == self.own {
            "you".to_owned()
        } else {
            self.called(id)
        }
    }
}

impl Role {
    /// "a moderator".
    pub fn with_article(self) -> &'static str {
        match self {
            Self::Founder => "the founder",
            Self::Moderator => "a moderator",
            Self::Member => "a member",
            Self::Observer => "an observer",
        }
    }
}

/// The history rule as part of a sentence: "what was said in the 7 days before they came".
pub fn history_rule_words(rule: HistoryRule) -> String {
    match rule {
        HistoryRule::All => "all that was said before they came".to_owned(),
        HistoryRule::Days { days: 1 } => "what was said in the day before they came".to_owned(),
        HistoryRule::Days { days } => format!("what was said in the {days} days before they came"),
        HistoryRule::FromJoining => "nothing that was said before they came".to_owned(),
    }
}

/// The door as part of a sentence: "anyone who has the link comes in".
pub fn door_words(door: Door) -> String {
    let minutes = |minutes: u16| match minutes {
        1 => "1 minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    };
    match door.mode {
        DoorMode::Open => "anyone who has the link comes in".to_owned(),
        DoorMode::Work => "anyone who has the link comes in, after some work by their computer".to_owned(),
        DoorMode::ReadFirst => format!("newcomers only read for the first {}", minutes(door.minutes)),
        DoorMode::Approval => "newcomers only read until a moderator lets them write".to_owned(),
        DoorMode::Closed => "nobody new comes in by the link".to_owned(),
    }
}
