//! The one table of the kinds of message: what holds for each wherever it matters. A new kind is a variant of [`Body`], its
//! bytes in `body`, and a row here; the compiler asks for all three.

use super::Body;

/// What holds for a kind of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindRules {
    /// A classic chat takes it.
    pub is_classic: bool,
    /// A signed chat takes it.
    pub is_signed: bool,
    /// Archives keep it, and history hands it on.
    pub is_kept: bool,
    /// Which of a member's meters it counts on.
    pub meter: MeterKind,
    /// Only who may speak may say it.
    pub needs_speech: bool,
    /// Its author is told how many it reached.
    pub is_counted: bool,
}

/// The meters of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeterKind {
    /// What people type.
    Messages,
    /// What programs tell by themselves: names, statuses, who is gone.
    Others,
    /// None: a goodbye may always be said, once in a session.
    Unmetered,
}

/// What programs tell by themselves, in both kinds of chat.
const TOLD: KindRules = KindRules {
    is_classic: true,
    is_signed: true,
    is_kept: false,
    meter: MeterKind::Others,
    needs_speech: false,
    is_counted: false,
};

/// What people say, in both kinds of chat.
const SAID: KindRules = KindRules {
    is_kept: true,
    meter: MeterKind::Messages,
    needs_speech: true,
    is_counted: true,
    ..TOLD
};

impl Body {
    /// What holds for messages of this kind.
    pub fn rules(&self) -> KindRules {
        match self {
            Self::Ping | Self::Name(_) | Self::Status(_) => TOLD,
            Self::Quit => KindRules {
                meter: MeterKind::Unmetered,
                ..TOLD
            },
            // In a signed chat certificates and facts decide who is a member and what the topic is.
            Self::NewPeer(_) | Self::BanPeer(_) | Self::Topic(_) => KindRules {
                is_signed: false,
                ..TOLD
            },
            Self::Gone(_) => KindRules {
                is_classic: false,
                ..TOLD
            },
            // No historic program speaks in a signed chat.
            Self::Action { historic_id, .. } => KindRules {
                is_signed: !historic_id,
                ..SAID
            },
            Self::Message(_) => SAID,
            // A long message is counted once, by its first fragment.
            Self::Part(part) => KindRules {
                is_classic: false,
                is_counted: part.index == 0,
                ..SAID
            },
            // A classic chat can't pass on what it can't check. A signed one passes it on unread.
            Self::Unknown { .. } => KindRules {
                is_classic: false,
                ..TOLD
            },
        }
    }
}
