//! What the program can be told to do.

use std::net::SocketAddr;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};
use strum::{IntoStaticStr, VariantNames};

use super::in_chat;
use super::passphrase::Passphrase;
use super::settings::{Retention, Settings, Workspace};
use crate::facts::{Door, HistoryRule, Role};
use crate::id::{ChatId, ClientId, FactId, InviteId, MemberId, MessageId};

/// Given with a command, repeated in the reports that answer it. Any JSON value.
pub type Tag = Value;

/// A command, and a tag by which its sender will know the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What to do.
    #[serde(flatten)]
    pub command: Command,
    /// Comes back in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Tag>,
}

impl From<Command> for Request {
    fn from(command: Command) -> Self {
        Self { command, tag: None }
    }
}

/// The kinds of chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatKind {
    /// Signed; one needs an invite key to come in.
    Private,
    /// Signed; anyone with its link comes in.
    Public,
    /// The base protocol and nothing else.
    Classic,
}

/// What an invite allows the one who uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rights {
    /// To read and to speak.
    #[default]
    Member,
    /// To read.
    Observer,
}

/// What a member says of their own presence. The numbers are those of the base protocol's status change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// 0.
    #[default]
    Online,
    /// 1.
    Away,
    /// 2.
    Busy,
}

/// The forms in which a chat can be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// One page for a browser.
    #[default]
    Html,
    /// Lines like those of an IRC log.
    Text,
    /// For programs.
    Json,
}

/// What the program can be told to do. The names and fields are those of the headless mode, and public: a command about
/// one chat is written as one object, with the chat's id after the command's name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, IntoStaticStr)]
#[serde(remote = "Self", tag = "command", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Command {
    /// Starts a chat of which this profile is the founder. Answer: `ChatOpened`.
    CreateChat {
        /// 1 to 64 bytes.
        name: String,
        /// Private, public or classic.
        kind: ChatKind,
        /// What to be called there, 1 to 128 bytes.
        nick: String,
        /// How strangers come into a public chat; without it: open.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        door: Option<Door>,
    },
    /// Joins the chat of an invite key, given as a file or as text (armour or link). Answers: `ChatOpened`, then
    /// `Joined` or `JoinFailed`. To a chat that is here already a new invite brings where members are now and, as long
    /// as we are not in, another way in; where a link stands it is not needed, and the error's code is `already`.
    ImportInvite {
        /// A `.throng` file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<PathBuf>,
        /// The armoured text or a `throng:` link.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// What to be called there, 1 to 128 bytes.
        nick: String,
    },
    /// Searches what is stored. Answer: `SearchResults`.
    Search {
        /// Words, all of which have to be there, and `from:`, `in:`, `before:`, `after:`.
        text: String,
        /// In this chat only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        chat: Option<ChatId>,
        /// Only what is older than this hit: the next page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<MessageId>,
        /// At most so many, and never over 1,000.
        limit: u32,
    },
    /// Writes the whole profile to one file, sealed with a passphrase of its own. Answer: `BackedUp`.
    Backup {
        /// Where the file goes.
        path: PathBuf,
        /// What will open it; not empty.
        passphrase: Passphrase,
    },
    /// Puts what a backup holds into this profile, which must not have chats. Answers: `Restored`, then a `ChatOpened` for
    /// every chat, or `PassphraseNeeded`.
    Restore {
        /// The backup.
        path: PathBuf,
        /// What it was sealed with.
        passphrase: Passphrase,
    },
    /// Sets, changes or removes the passphrase that seals the profile's keys. Answer: `PassphraseChanged`.
    SetPassphrase {
        /// The one that it has; empty if it has none.
        #[serde(default)]
        old: Passphrase,
        /// The one that it gets; empty: none.
        #[serde(default)]
        new: Passphrase,
    },
    /// Opens a profile that has a passphrase, after `PassphraseNeeded`. Answer: `Unlocked`, then what comes at every start; if
    /// it is another, `PassphraseNeeded` again.
    Unlock {
        /// Its passphrase.
        passphrase: Passphrase,
    },
    /// Asks for what the window keeps between runs. Answer: `Workspace`.
    LoadWorkspace,
    /// Keeps the order of the tabs and which one is open.
    SaveWorkspace {
        /// All of it.
        workspace: Workspace,
    },
    /// Keeps the settings.
    SaveSettings {
        /// All of them.
        settings: Settings,
    },
    /// Says goodbye in every chat, flushes the store, stops. Answer: `Bye`, then the end of the channel.
    Shutdown,
    /// About one chat.
    #[serde(skip)]
    Chat {
        /// Which.
        chat: ChatId,
        /// What.
        command: ChatCommand,
    },
}

/// A command about one chat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, IntoStaticStr, VariantNames)]
#[serde(tag = "command", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ChatCommand {
    /// Makes an invite key; writes it to `path` if there is one. In a public chat without `uses`, `expires_in` and
    /// `rights`: the chat's link, which every member can hand out. Answer: `InviteExported`.
    ExportInvite {
        /// Where the file goes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        path: Option<PathBuf>,
        /// How many may come in by it; 0: any number. Without it: one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uses: Option<u16>,
        /// Seconds from now; without it, it stays open until closed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_in: Option<u64>,
        /// What those who come in may do.
        #[serde(default)]
        rights: Rights,
    },
    /// Tries a peer at an address (a classic chat needs it to begin). It counts as being in the chat. Answer in
    /// time: `PeerLinked`.
    Connect {
        /// The peer's key.
        client_id: ClientId,
        /// Where it is.
        address: SocketAddr,
    },
    /// Broadcasts that a key is now in a classic chat (new_peer).
    Admit {
        /// The new key.
        client_id: ClientId,
    },
    /// Says something. Answer: `Message`, own, with its number.
    Say {
        /// At least 1 byte.
        text: String,
    },
    /// Says what one does (/me).
    Act {
        /// At least 1 byte.
        text: String,
    },
    /// Changes what one is called in a chat.
    SetNick {
        /// 1 to 128 bytes.
        nick: String,
    },
    /// Changes the topic; an empty one clears it.
    SetTopic {
        /// 0 to 512 bytes.
        topic: String,
        /// Whether only moderators and the founder may set it from now on; without it: as it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        locked: Option<bool>,
    },
    /// Changes one's status.
    SetStatus {
        /// The new one.
        status: Status,
    },
    /// Bans a member. Answer: `Banned`.
    Ban {
        /// Whom.
        member: MemberId,
        /// Why, 0 to 100 bytes.
        #[serde(default)]
        reason: String,
        /// Close the invite by which they came, and ban all who came by it.
        #[serde(default)]
        with_invite: bool,
        /// Show none of their words any more.
        #[serde(default)]
        hide_all: bool,
    },
    /// Lifts all bans on a member that one may lift. Answer: `Unbanned`.
    Unban {
        /// Whose.
        member: MemberId,
    },
    /// Ends the office of the moderator who did something, and takes it back with all that they did after it: what the
    /// founder does about a moderator gone bad. Answer: `RoleChanged`.
    UndoFrom {
        /// The deed, by the moderation log.
        fact: FactId,
    },
    /// Gives a member a role. Answer: `RoleChanged`.
    SetRole {
        /// Whom.
        member: MemberId,
        /// Moderator, member or observer.
        role: Role,
    },
    /// Asks for the invites of a chat. Answer: `Invites`.
    Invites,
    /// Closes an invite: nobody new comes in by it. Answer: `InviteClosed`.
    CloseInvite {
        /// Which.
        invite: InviteId,
    },
    /// Sets how strangers come into a public chat. Answer: `DoorChanged`.
    SetDoor {
        /// How.
        #[serde(flatten)]
        door: Door,
    },
    /// Asks for what is agreed on. Answer: `Facts`.
    Facts,
    /// Asks who did what. Answer: `ModerationLog`.
    ModerationLog,
    /// Hides what a member says from the user alone, or shows it again. Answer: `IgnoreChanged`.
    Ignore {
        /// Whom.
        member: MemberId,
        /// Hide it.
        ignored: bool,
    },
    /// Asks for what is stored. Without `before`, `after` and `around`: the newest. Answer: `History`.
    History {
        /// Only what comes before this message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<MessageId>,
        /// Only what comes after this message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<MessageId>,
        /// This message and as many on either side.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        around: Option<MessageId>,
        /// The first message from this time on, and as many on either side.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
        /// At most so many, and never over 1,000.
        limit: u32,
    },
    /// Forgets what was said in a chat, here and for good. Answer: `HistoryCleared`.
    ClearHistory,
    /// Sets how much of a chat is kept here. Answer: `RetentionChanged`.
    SetRetention {
        /// How much.
        #[serde(flatten)]
        retention: Retention,
    },
    /// Sets what of the past newcomers get; the founder may. Answer: `HistoryRuleChanged`.
    SetHistoryRule {
        /// What they get.
        #[serde(flatten)]
        rule: HistoryRule,
    },
    /// Says a message again that has failed. Answer: `Delivery`.
    Resend {
        /// Which.
        id: MessageId,
    },
    /// Writes a chat to a file, as far as bans, forks and the user's own ignoring leave it to be shown. Answers:
    /// `ExportProgress` now and then, then `Exported`.
    Export {
        /// Where the file goes. What is there is replaced once the new file is whole.
        path: PathBuf,
        /// In which form.
        format: ExportFormat,
    },
    /// Breaks the export of a chat off: no file is left. Answer: `ExportCancelled`; the export itself fails with the
    /// code `cancelled`.
    CancelExport,
    /// Asks who is in a chat. Answer: `Members`.
    Members,
    /// Asks for the figures of a chat. Answer: `Stats`.
    Stats,
    /// Says goodbye and forgets the chat, its keys and its history, with own messages that were not sent. Answer:
    /// `ChatClosed`, which tells how many those were.
    LeaveChat,
    /// Tries again to reach the members of a chat, now, after a failure or a change of network.
    Retry,
    /// Keeps what was typed and not yet sent.
    SaveDraft {
        /// Empty: no draft.
        text: String,
    },
    /// Keeps up to where a chat was read.
    MarkRead {
        /// The newest message that was seen.
        message: MessageId,
    },
}

impl Command {
    /// Its name in the headless mode, for errors.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Chat { command, .. } => command.into(),
            command => command.into(),
        }
    }

    /// The chat that it is about.
    pub fn chat(&self) -> Option<ChatId> {
        match self {
            Self::Chat { chat, .. } => Some(*chat),
            Self::Search { chat, .. } => *chat,
            _ => None,
        }
    }
}

impl ChatCommand {
    /// The same about a chat.
    pub fn to(self, chat: ChatId) -> Command {
        Command::Chat { chat, command: self }
    }
}

impl Serialize for Command {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Chat { chat, command } => in_chat::serialize(*chat, command, serializer),
            command => Self::serialize(command, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Map::deserialize(deserializer)?;
        if ChatCommand::VARIANTS.contains(&in_chat::name(&object, "command")) {
            let (chat, command) = in_chat::deserialize(object)?;
            return Ok(Self::Chat { chat, command });
        }
        Self::deserialize(Value::Object(object)).map_err(de::Error::custom)
    }
}
