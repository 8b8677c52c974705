use std::fmt;

use crate::wire::WireError;

/// Bytes that are no fact, or a fact outside its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is not a fact, or one of its parts is longer than it may be")
    }
}

impl std::error::Error for Malformed {}

impl From<WireError> for Malformed {
    /// What does not come apart as it should is no fact, whatever is wrong with it.
    fn from(_: WireError) -> Self {
        Self
    }
}

/// Why a set does not take a fact. None of them depends on when it came, but for the last two, which are about
/// bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refused {
    /// Its signature, or one of a fork's two, does not hold.
    BadSignature,
    /// A fact of the founder names its own number as its epoch.
    NotItsEpoch,
    /// A moderator's number over [`super::MAX_MODERATOR_FACTS`].
    NumberTooHigh,
    /// A member's topic or a fork needs what admits the member beside it, and that is missing, of somebody else, of
    /// another slot, or does not hold.
    NotAdmitted,
    /// The founder sets the topic by a fact of the chain.
    NotForFounder,
    /// A moderator was demoted, and it comes after the last of their facts that counts.
    CutOff,
    /// Of these facts only some are kept, and all of them come before it.
    Outdone,
    /// There is no room: its issuer, or all moderators together, have made as many facts as a chat holds.
    Full,
    /// It does not count yet, and no more can wait.
    TooManyWaiting,
}

impl Refused {
    /// The reason's name among the counters of what was dropped.
    pub fn cause(self) -> &'static str {
        match self {
            Self::BadSignature => "bad_signature",
            Self::NotItsEpoch => "fact_epoch",
            Self::NumberTooHigh => "fact_number",
            Self::NotAdmitted => "fact_of_unknown_member",
            Self::NotForFounder => "fact_type",
            Self::CutOff => "fact_cut_off",
            Self::Outdone => "fact_outdone",
            Self::Full => "facts_full",
            Self::TooManyWaiting => "facts_waiting",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cause())
    }
}

impl std::error::Error for Refused {}

/// Why somebody may not do what they want to. Each is a sentence for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Denied {
    /// They are banned.
    Banned,
    /// They came by an invite that was closed before anyone confirmed them.
    InviteClosed,
    /// Observers read.
    ReadsOnly,
    /// The topic is locked.
    TopicLocked,
    /// Moderators and the founder may.
    ModeratorsOnly,
    /// The founder may.
    FounderOnly,
    /// Nobody acts against an equal or somebody higher.
    NotBelow,
    /// What was done by somebody higher is not theirs to undo.
    DoneByHigher,
    /// No such ban stands.
    NoSuchBan,
    /// Whom the founder has banned can't become a moderator before that ban is lifted.
    LiftFirst,
}

impl Denied {
    /// A short, stable name.
    pub fn code(self) -> &'static str {
        match self {
            Self::Banned => "banned",
            Self::InviteClosed => "invite_closed",
            Self::ReadsOnly => "reads_only",
            Self::TopicLocked => "topic_locked",
            Self::ModeratorsOnly => "moderators_only",
            Self::FounderOnly => "founder_only",
            Self::NotBelow => "not_below",
            Self::DoneByHigher => "done_by_higher",
            Self::NoSuchBan => "no_such_ban",
            Self::LiftFirst => "lift_first",
        }
    }
}

impl Denied {
    /// The same of somebody else: why what they did has no effect.
    pub fn of_another(self) -> &'static str {
        match self {
            Self::Banned => "They were banned.",
            Self::InviteClosed => "The invite that they came by was closed before they were confirmed.",
            Self::ReadsOnly => "They were an observer.",
            Self::TopicLocked => "The topic was locked, and they were no moderator.",
            Self::ModeratorsOnly => "They were no moderator then.",
            Self::FounderOnly => "Only the founder may do that.",
            Self::NotBelow => "It was done to somebody whose role was not below theirs.",
            Self::DoneByHigher => "Somebody of a higher role had done what they undid.",
            Self::NoSuchBan => "No such ban stood.",
            Self::LiftFirst => "Whom they made a moderator was banned by the founder.",
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Banned => "You are banned from this chat. A moderator or the founder can lift the ban.",
            Self::InviteClosed => {
                "The invite that you came by was closed before you were confirmed. Ask for a new invite."
            }
            Self::ReadsOnly => "You may read here, but not write. A moderator or the founder can let you.",
            Self::TopicLocked => "The topic is locked: only moderators and the founder may set it.",
            Self::ModeratorsOnly => "Only moderators and the founder may do that.",
            Self::FounderOnly => "Only the founder may do that.",
            Self::NotBelow => "You may do that only to somebody whose role is below yours.",
            Self::DoneByHigher => "Somebody of a higher role did that, so only they can undo it.",
            Self::NoSuchBan => "That ban does not stand any more.",
            Self::LiftFirst => "They are banned. Lift the ban first, then make them a moderator.",
        })
    }
}

impl std::error::Error for Denied {}
