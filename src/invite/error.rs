use std::fmt;

use crate::wire::WireError;

/// Why something is no invite or no certificate. Each shows as a sentence for the person who imports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InviteError {
    /// Nothing in it looks like an invite.
    NotAnInvite,
    /// An invite that was cut or changed.
    Damaged,
    /// A newer program made it.
    NewerVersion,
    /// The chat that it names did not issue it.
    WrongChat,
    /// More than [`super::MAX_INVITE_FILE_LEN`].
    TooLarge,
}

impl fmt::Display for InviteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAnInvite => {
                "This is not a Throng invite. Choose the .throng file that you were given, or paste the whole text \
                 that begins with “throng:”."
            }
            Self::Damaged => {
                "This invite is damaged: a part of it is missing or was changed on the way. Ask for it to be sent \
                 again, as a file if you can."
            }
            Self::NewerVersion => {
                "This invite was made by a newer version of Throng. Update Throng, then import it again."
            }
            Self::WrongChat => {
                "This invite was not issued by the chat that it names, so nobody there would let you in. Ask \
                 someone in the chat for another one."
            }
            Self::TooLarge => {
                "This is too large to be an invite: invites are smaller than 16 KiB. Choose the .throng file that \
                 you were given."
            }
        })
    }
}

impl std::error::Error for InviteError {}

impl From<WireError> for InviteError {
    /// A certificate that can't be parsed was changed on the way.
    fn from(_: WireError) -> Self {
        Self::Damaged
    }
}
