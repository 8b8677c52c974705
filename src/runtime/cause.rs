//! Why something is done: which of our own events answers a command.

use crate::id::{InviteId, MemberId, MessageId};
use crate::model::{ChatCommand, Tag};

/// The own event that a command in flight waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InFlight {
    Message,
    /// How far this message has got.
    Delivery(MessageId),
    Topic,
    Ban(MemberId),
    Unban(MemberId),
    Role(MemberId),
    Door,
    HistoryRule,
    InviteClosed(InviteId),
    /// No event of the node: what carries the command out answers it.
    Other,
}

/// A command that is being carried out in a chat. Its tag goes to the event that answers it.
#[derive(Debug, Default)]
pub(super) struct Cause {
    /// None once it is answered.
    in_flight: Option<InFlight>,
    tag: Option<Tag>,
    /// The stored message that is said again.
    pub(super) again: Option<MessageId>,
}

impl Cause {
    /// No command.
    pub(super) fn none() -> Self {
        Self::default()
    }

    /// A command.
    pub(super) fn of(command: &ChatCommand, tag: Option<Tag>) -> Self {
        let in_flight = match command {
            ChatCommand::Say { .. } | ChatCommand::Act { .. } => InFlight::Message,
            ChatCommand::Resend { id } => InFlight::Delivery(*id),
            ChatCommand::SetTopic { .. } => InFlight::Topic,
            ChatCommand::Ban { member, .. } => InFlight::Ban(*member),
            ChatCommand::Unban { member } => InFlight::Unban(*member),
            ChatCommand::SetRole { member, .. } => InFlight::Role(*member),
            ChatCommand::SetDoor { .. } => InFlight::Door,
            ChatCommand::SetHistoryRule { .. } => InFlight::HistoryRule,
            ChatCommand::CloseInvite { invite } => InFlight::InviteClosed(*invite),
            _ => InFlight::Other,
        };
        Self {
            in_flight: Some(in_flight),
            tag,
            again: None,
        }
    }

    /// A message that had not gone out when the program was stopped is said again.
    pub(super) fn again(id: MessageId) -> Self {
        Self {
            again: Some(id),
            ..Self::default()
        }
    }

    /// Takes the tag if our own event of this kind answers the command.
    pub(super) fn take_answer(&mut self, event: InFlight) -> Option<Tag> {
        self.in_flight.take_if(|in_flight| *in_flight == event)?;
        self.tag.take()
    }

    /// Takes the tag unless the command was answered before.
    pub(super) fn take_unanswered(&mut self) -> Option<Option<Tag>> {
        self.in_flight.take().map(|_| self.tag.take())
    }
}
