//! Why something is done.

use crate::id::MessageId;
use crate::model::{Command, Tag};

/// The command that is being carried out: its tag goes to the event that answers it.
#[derive(Debug, Default)]
pub(super) struct Cause {
    name: &'static str,
    /// Whom or what it is about, if that is a member or an invite.
    about: Vec<u8>,
    tag: Option<Tag>,
    /// The stored message that is said again.
    pub(super) again: Option<MessageId>,
}

impl Cause {
    /// Nobody asked for it.
    pub(super) fn none() -> Self {
        Self::default()
    }

    /// A command.
    pub(super) fn command(command: &Command, tag: Option<Tag>) -> Self {
        let about = match command {
            Command::Ban { member, .. } | Command::Unban { member, .. } | Command::SetRole { member, .. } => {
                member.0.to_vec()
            }
            Command::CloseInvite { invite, .. } => invite.0.to_vec(),
            Command::Resend { id, .. } => id.0.to_vec(),
            _ => Vec::new(),
        };
        Self {
            name: command.name(),
            about,
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

    /// The tag, if one of these commands is being carried out and was not answered before.
    pub(super) fn answer(&mut self, commands: &[&str]) -> Option<Tag> {
        if commands.contains(&self.name) {
            self.name = "";
            self.tag.take()
        } else {
            None
        }
    }

    /// The tag, if our own deed answers the command, which is of that name and about that member or invite.
    pub(super) fn answer_of(&mut self, is_own: bool, command: &str, about: &[u8]) -> Option<Tag> {
        (is_own && self.about == about)
            .then(|| self.answer(&[command]))
            .flatten()
    }

    /// The tag, unless the command was answered before.
    pub(super) fn unanswered(&mut self) -> Option<Option<Tag>> {
        (!self.name.is_empty()).then(|| self.tag.take())
    }
}
