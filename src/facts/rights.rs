use serde::{Deserialize, Serialize};

use super::Denied;
use crate::id::{FactId, MemberId};

/// What somebody is in a chat, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Observer,
    /// Speaks.
    #[default]
    Member,
    /// Keeps order.
    Moderator,
    /// Founded the chat; there is one.
    Founder,
}

impl Role {
    /// As in [`crate::invite::Rights`], and on from there.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Member => 0,
            Self::Observer => 1,
            Self::Moderator => 2,
            Self::Founder => 3,
        }
    }

    /// The role of a grant.
    pub(super) fn granted(code: u8) -> Option<Self> {
        [Self::Member, Self::Observer, Self::Moderator]
            .into_iter()
            .find(|role| role.code() == code)
    }
}

/// Something that one wants to do, with whom or what it is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Be in the chat and follow it.
    Read,
    /// Say something.
    Speak,
    /// Set the topic.
    SetTopic,
    /// Lock the topic, or unlock it.
    LockTopic,
    /// Make invites.
    Invite,
    /// Close an invite.
    CloseInvite,
    /// Confirm who came by an invite.
    Confirm,
    /// Set the door.
    SetDoor,
    /// Say what of the past newcomers get.
    SetHistoryRule,
    /// Make somebody a member or an observer.
    SetRole(MemberId),
    /// Make somebody a moderator.
    Promote(MemberId),
    /// Make a moderator a member.
    Demote(MemberId),
    /// Ban somebody.
    Ban(MemberId),
    /// Lift a ban.
    Lift(FactId),
    /// Vouch for the facts so far.
    Checkpoint,
}

/// An action by its kind, as it stands in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deed {
    /// [`Action::Read`]
    Read,
    /// [`Action::Speak`]
    Speak,
    /// [`Action::SetTopic`]
    SetTopic,
    /// [`Action::LockTopic`]
    LockTopic,
    /// [`Action::Invite`]
    Invite,
    /// [`Action::CloseInvite`]
    CloseInvite,
    /// [`Action::Confirm`]
    Confirm,
    /// [`Action::SetDoor`]
    SetDoor,
    /// [`Action::SetHistoryRule`]
    SetHistoryRule,
    /// [`Action::SetRole`]
    SetRole,
    /// [`Action::Promote`]
    Promote,
    /// [`Action::Demote`]
    Demote,
    /// [`Action::Ban`]
    Ban,
    /// [`Action::Lift`]
    Lift,
    /// [`Action::Checkpoint`]
    Checkpoint,
}

/// Whether a role may do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// It may.
    Yes,
    /// It may not.
    No,
    /// Unless the topic is locked.
    Unlocked,
    /// To somebody of a lower role.
    Below,
    /// What was done by the same or a lower role.
    UpToOwn,
}

use Rule::{Below, No, Unlocked, UpToOwn, Yes};

/// Who may do what: for each deed the rule for observer, member, moderator and founder. The window, the node and the
/// rules that judge facts all go by this table.
pub const RIGHTS: [(Deed, [Rule; 4]); 15] = [
    (Deed::Read, [Yes, Yes, Yes, Yes]),
    (Deed::Speak, [No, Yes, Yes, Yes]),
    (Deed::SetTopic, [No, Unlocked, Yes, Yes]),
    (Deed::LockTopic, [No, No, Yes, Yes]),
    (Deed::Invite, [No, No, Yes, Yes]),
    (Deed::CloseInvite, [No, No, Yes, Yes]),
    (Deed::Confirm, [No, No, Yes, Yes]),
    (Deed::SetDoor, [No, No, Yes, Yes]),
    (Deed::SetHistoryRule, [No, No, No, Yes]),
    (Deed::SetRole, [No, No, Below, Below]),
    (Deed::Promote, [No, No, No, Below]),
    (Deed::Demote, [No, No, No, Below]),
    (Deed::Ban, [No, No, Below, Below]),
    (Deed::Lift, [No, No, UpToOwn, UpToOwn]),
    (Deed::Checkpoint, [No, No, No, Yes]),
];

/// What the rules of a deed may depend on.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances {
    /// Whether the topic is locked.
    pub is_topic_locked: bool,
    /// The role of whom it is done to; of a lift, of who banned.
    pub other: Role,
}

impl Deed {
    fn rules(self) -> [Rule; 4] {
        RIGHTS
            .iter()
            .find(|(deed, _)| *deed == self)
            .map_or([No; 4], |(_, rules)| *rules)
    }

    /// Whether somebody of that role may do it, by the table alone.
    ///
    /// # Errors
    /// The reason, a sentence.
    pub fn check(self, role: Role, circumstances: Circumstances) -> Result<(), Denied> {
        let rules = self.rules();
        match rules[role as usize] {
            Yes => Ok(()),
            Unlocked if !circumstances.is_topic_locked => Ok(()),
            Unlocked => Err(Denied::TopicLocked),
            Below if circumstances.other < role => Ok(()),
            Below => Err(Denied::NotBelow),
            UpToOwn if circumstances.other <= role => Ok(()),
            UpToOwn => Err(Denied::DoneByHigher),
            No if rules[Role::Member as usize] != No => Err(Denied::ReadsOnly),
            No if rules[Role::Moderator as usize] != No => Err(Denied::ModeratorsOnly),
            No => Err(Denied::FounderOnly),
        }
    }
}

impl Action {
    /// Its kind.
    pub fn deed(&self) -> Deed {
        match self {
            Self::Read => Deed::Read,
            Self::Speak => Deed::Speak,
            Self::SetTopic => Deed::SetTopic,
            Self::LockTopic => Deed::LockTopic,
            Self::Invite => Deed::Invite,
            Self::CloseInvite => Deed::CloseInvite,
            Self::Confirm => Deed::Confirm,
            Self::SetDoor => Deed::SetDoor,
            Self::SetHistoryRule => Deed::SetHistoryRule,
            Self::SetRole(_) => Deed::SetRole,
            Self::Promote(_) => Deed::Promote,
            Self::Demote(_) => Deed::Demote,
            Self::Ban(_) => Deed::Ban,
            Self::Lift(_) => Deed::Lift,
            Self::Checkpoint => Deed::Checkpoint,
        }
    }
}
