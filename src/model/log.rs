//! The moderation log of a chat, in sentences.

use jiff::civil;

use super::answer::{LogEntry, LoggedDeed};
use super::chat::Chat;
use super::moderation::{door_words, history_rule_words};
use super::text::{shown_nick, shown_text};
use crate::id::{FactId, MemberId};

/// How many members are named in one sentence.
const NAMED: usize = 4;

/// A line of the moderation log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The fact.
    pub id: FactId,
    /// Who did it.
    pub by: MemberId,
    /// When, by their clock, in the reader's time zone.
    pub at: civil::DateTime,
    /// Who did what.
    pub sentence: String,
    /// Why it has no effect, as a sentence; `None` if it has one.
    pub denied: Option<String>,
}

impl Chat {
    /// The log as it is shown, the newest last.
    pub(super) fn log_lines(&self, entries: &[LogEntry]) -> Vec<LogLine> {
        entries.iter().map(|entry| self.log_line(entry)).collect()
    }

    fn log_line(&self, entry: &LogEntry) -> LogLine {
        let by = match self.members.nick_of(entry.by) {
            None if entry.by != self.own => shown_nick(&entry.nick),
            _ => self.called(entry.by),
        };
        LogLine {
            id: entry.id,
            by: entry.by,
            at: self.timeline.local(entry.at),
            sentence: format!("{by} {}", self.deed_words(entry)),
            denied: entry.denied.as_deref().map(shown_text),
        }
    }

    fn deed_words(&self, entry: &LogEntry) -> String {
        match &entry.deed {
            LoggedDeed::RoleSet { member, role } => {
                format!("made {} {}", self.object(*member), role.with_article())
            }
            LoggedDeed::Banned {
                member,
                reason,
                with_invite,
                holds,
            } => {
                let and_all = if *with_invite {
                    " and everyone who came by the same invite"
                } else {
                    ""
                };
                let why = match shown_text(reason) {
                    reason if reason.is_empty() => String::new(),
                    reason => format!(": {reason}"),
                };
                let lifted = if *holds || entry.denied.is_some() {
                    ""
                } else {
                    " (no longer holds)"
                };
                format!("banned {}{and_all}{why}{lifted}", self.object(*member))
            }
            LoggedDeed::Unbanned { members } => format!("lifted the ban on {}", self.names(members)),
            LoggedDeed::TopicSet { topic, locked } => {
                let locked = if *locked { ", and locked it" } else { "" };
                match shown_text(topic) {
                    topic if topic.is_empty() => format!("cleared the topic{locked}"),
                    topic => format!("set the topic to “{topic}”{locked}"),
                }
            }
            LoggedDeed::Confirmed { members, .. } => {
                let their = if entry.by == self.own { "your" } else { "their" };
                format!("let {their} program confirm {}", self.names(members))
            }
            LoggedDeed::InviteClosed { .. } => "closed an invite".to_owned(),
            LoggedDeed::DoorSet { door } => format!("changed the door: {}", door_words(*door)),
            LoggedDeed::HistoryRuleSet { rule } => {
                format!("changed what newcomers see: {}", history_rule_words(*rule))
            }
            LoggedDeed::Checkpoint => "vouched for everything above".to_owned(),
        }
    }

    fn names(&self, members: &[MemberId]) -> String {
        let named: Vec<String> = members
            .iter()
            .take(NAMED)
            .map(|member| self.object(*member))
            .collect();
        match (members.len() - named.len(), named.split_last()) {
            (_, None) => "nobody".to_owned(),
            (0, Some((last, []))) => last.clone(),
            (0, Some((last, others))) => format!("{} and {last}", others.join(", ")),
            (more, _) => format!("{} and {more} more", named.join(", ")),
        }
    }
}
