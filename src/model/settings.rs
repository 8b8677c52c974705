//! The user's settings, and how the window was left.

use serde::{Deserialize, Serialize};

use crate::id::{ChatId, MessageId};

/// Light, dark, or as the system has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// As the system; dark where it does not say.
    #[default]
    System,
    /// Dark text on white.
    Light,
    /// Light text on near black.
    Dark,
}

/// The user's settings. An older program drops fields that a newer one added; missing fields take their default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The nick to offer for new chats. Empty until the first start has asked for it.
    pub nick: String,
    /// Light, dark or system.
    pub theme: Theme,
    /// Zoom of the window in percent, 50 to 300.
    pub zoom_percent: u16,
    /// Rows without the space between authors.
    pub compact: bool,
    /// Whether the list of members is shown.
    pub members_shown: bool,
    /// Minutes without input until the status becomes away; 0 for never.
    pub away_after_minutes: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            nick: String::new(),
            theme: Theme::System,
            zoom_percent: 100,
            compact: false,
            members_shown: true,
            away_after_minutes: 10,
        }
    }
}

/// How much of a chat is kept on this computer. The oldest messages beyond that are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "keep", rename_all = "snake_case")]
pub enum Retention {
    /// All of it, for ever.
    #[default]
    Forever,
    /// What was said in the last days.
    Days {
        /// How many, at least 1.
        days: u16,
    },
    /// The newest messages up to a size.
    Mib {
        /// In MiB of text and signatures, at least 1.
        mib: u32,
    },
}

/// A chat as the window left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenChat {
    /// Which.
    pub chat: ChatId,
    /// What was typed and not sent.
    pub draft: String,
    /// The newest message that was seen.
    pub read: Option<MessageId>,
    /// How many messages of others came after it.
    pub unread: u32,
}

/// How the window was left.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Workspace {
    /// The chats whose tabs are open, in order.
    pub tabs: Vec<ChatId>,
    /// The tab in front.
    pub selected: Option<ChatId>,
}
