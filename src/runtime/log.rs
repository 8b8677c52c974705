//! The moderation log of a chat, as the model has it.

use super::chat::Chat;
use super::clock::timestamp;
use crate::facts::{self, Body, ShortFactId};
use crate::model::{LogEntry, LoggedDeed, Role};

impl Chat {
    /// Who did what, the oldest first.
    pub(super) fn moderation_log(&self) -> Vec<LogEntry> {
        let log = self.node.state().map_or(&[][..], |state| state.log());
        log.iter()
            .filter_map(|entry| self.log_entry(entry, log))
            .collect()
    }

    fn log_entry(&self, entry: &facts::LogEntry, log: &[facts::LogEntry]) -> Option<LogEntry> {
        Some(LogEntry {
            id: entry.id,
            by: entry.by,
            nick: self.nick_of(&entry.by),
            at: timestamp(entry.at_ms),
            deed: self.deed(entry, log)?,
            denied: entry.denied.map(|denied| denied.of_another().to_owned()),
        })
    }

    /// `None` for facts that are nobody's deed.
    fn deed(&self, entry: &facts::LogEntry, log: &[facts::LogEntry]) -> Option<LoggedDeed> {
        Some(match &entry.body {
            Body::Grant { member, role, .. } => LoggedDeed::RoleSet {
                member: *member,
                role: *role,
            },
            Body::Demote { member, .. } => LoggedDeed::RoleSet {
                member: *member,
                role: Role::Member,
            },
            Body::Ban(ban) => LoggedDeed::Banned {
                member: ban.member,
                reason: ban.reason.clone(),
                with_invite: ban.with_invite.is_some(),
                holds: self
                    .node
                    .state()
                    .is_some_and(|state| state.bans().any(|ban| ban.id == entry.id)),
            },
            Body::Lift(bans) => LoggedDeed::Unbanned {
                members: bans.iter().filter_map(|ban| banned_by(ban, log)).collect(),
            },
            Body::Topic { locked, text, .. } => LoggedDeed::TopicSet {
                topic: text.clone(),
                locked: *locked,
            },
            Body::Confirm { invite, slots } => LoggedDeed::Confirmed {
                invite: *invite,
                members: slots.iter().map(|(_, member)| *member).collect(),
            },
            Body::Close { invite } => LoggedDeed::InviteClosed { invite: *invite },
            Body::Door { door, .. } => LoggedDeed::DoorSet { door: *door },
            Body::HistoryRule { rule, .. } => LoggedDeed::HistoryRuleSet { rule: *rule },
            Body::Checkpoint { .. } => LoggedDeed::Checkpoint,
            Body::Fork(_) | Body::MemberTopic { .. } => return None,
        })
    }
}

/// The member whom a ban in the log names.
fn banned_by(short: &ShortFactId, log: &[facts::LogEntry]) -> Option<crate::id::MemberId> {
    let entry = log.iter().find(|entry| entry.id.0.starts_with(short))?;
    match &entry.body {
        Body::Ban(ban) => Some(ban.member),
        _ => None,
    }
}
