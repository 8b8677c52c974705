//! What happens, as the window, the headless mode and the tests hear of it.

use std::net::SocketAddr;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};
use strum::VariantNames;

use super::answer::{InviteInfo, LogEntry, MemberInfo, Stats};
use super::command::{ChatKind, Status, Tag};
use super::in_chat;
use super::message::{DeliveryState, Message};
use super::settings::{OpenChat, Retention, Settings, Workspace};
use crate::facts::{Door, HistoryRule, Role};
use crate::id::{ChatId, ClientId, InviteId, MemberId, MessageId};

/// An event, with the tag of the command that it answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
    /// The tag of the command that this answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Tag>,
}

impl From<Event> for Report {
    fn from(event: Event) -> Self {
        Self { event, tag: None }
    }
}

/// What went wrong: short and stable, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Not a command, or a field is missing or of the wrong form.
    BadCommand,
    /// No such chat, member, message or file.
    NotFound,
    /// One has not the right to it.
    NotAllowed,
    /// Longer than it may be.
    TooLong,
    /// An invite or a file that is cut or altered.
    Damaged,
    /// Made by a newer version of the program.
    NewerVersion,
    /// The invite's time is over.
    Expired,
    /// The invite has been used as often as it may be.
    Spent,
    /// The invite was closed.
    Closed,
    /// One is banned there.
    Banned,
    /// The invite's parts do not belong to one chat.
    WrongChat,
    /// The members do not accept the invite as one of theirs.
    Stranger,
    /// Nobody answers.
    Unreachable,
    /// Another program has the profile open.
    Locked,
    /// No room on the disk.
    DiskFull,
    /// A file could not be read or written.
    File,
    /// The network could not be used.
    Network,
    /// A bound was met: too many chats, links or requests.
    Busy,
    /// Already so: for example one is in that chat.
    Already,
    /// It was cancelled.
    Cancelled,
    /// The profile is locked until it is given its passphrase.
    PassphraseNeeded,
    /// The passphrase is another.
    WrongPassphrase,
}

/// Why somebody left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftWhy {
    /// They said goodbye.
    Quit,
    /// Nothing was heard of them any more.
    Lost,
    /// They were banned.
    Banned,
}

/// What happens. The names and fields are those of the headless mode, and public: an event of one chat is written as one
/// object, with the chat's id after the event's name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The first of all, unless a passphrase is needed before: the program stands. A `ChatOpened` for every chat of the
    /// profile follows.
    Ready {
        /// The program's version.
        version: String,
        /// What chats listen on unless they say otherwise.
        listen: SocketAddr,
        /// Whether a passphrase seals the profile's keys.
        #[serde(default)]
        passphrase: bool,
    },
    /// The profile's keys are sealed: nothing but `unlock` and `shutdown` is taken until the passphrase has come.
    PassphraseNeeded {
        /// Whether one was given that is not it.
        wrong: bool,
    },
    /// The passphrase was right.
    Unlocked,
    /// The profile has another passphrase, or none.
    PassphraseChanged {
        /// Whether it has one.
        set: bool,
    },
    /// The profile was written to a backup.
    BackedUp {
        /// The file.
        path: PathBuf,
    },
    /// What a backup held is in the profile now.
    Restored {
        /// The backup.
        path: PathBuf,
        /// How many chats it had.
        chats: u32,
        /// Whether a passphrase seals the keys in it.
        passphrase: bool,
    },
    /// The profile was damaged, and was made anew of what could be read of it.
    Rebuilt {
        /// The damaged file, which is kept.
        path: PathBuf,
        /// Chats that could be read.
        chats: u32,
        /// Chats whose keys could not be read: they are gone from the profile.
        lost_chats: u32,
        /// Messages that could be read.
        messages: u64,
        /// The same in words.
        message: String,
    },
    /// Something was said.
    Message(Message),
    /// What a search has found, the newest first.
    SearchResults {
        /// The newest first.
        messages: Vec<Message>,
        /// Whether there are older ones.
        more: bool,
    },
    /// What the window keeps between runs.
    Workspace {
        /// What the user chose.
        settings: Settings,
        /// The tabs.
        workspace: Workspace,
        /// Drafts and read state of every chat.
        chats: Vec<OpenChat>,
    },
    /// A command failed, or something else that the user should know of.
    Error {
        /// The chat that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        chat: Option<ChatId>,
        /// The command that failed; empty if none did.
        command: String,
        /// What failed, for programs.
        code: Code,
        /// What failed and what to do.
        message: String,
    },
    /// After an error of the code `disk_full` or `file`, by which no command failed: the disk takes again what is to be
    /// kept.
    DiskRecovered {
        /// The same as a sentence.
        message: String,
    },
    /// The reader fell behind and events were dropped: ask again for what is shown.
    Lagged,
    /// The last of all.
    Bye,
    /// About one chat.
    #[serde(skip)]
    Chat {
        /// Which.
        chat: ChatId,
        /// What.
        event: ChatEvent,
    },
}

/// What happens in one chat, or to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, VariantNames)]
#[serde(tag = "event", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ChatEvent {
    /// A chat is being exported.
    ExportProgress {
        /// Messages looked at so far.
        messages: u64,
        /// Of so many.
        of: u64,
    },
    /// A chat was exported.
    Exported {
        /// The file.
        path: PathBuf,
        /// Messages in it.
        messages: u64,
    },
    /// The export of a chat was broken off.
    ExportCancelled,
    /// A chat is there: created, imported or found in the profile.
    ChatOpened {
        /// Its name.
        name: String,
        /// Its kind.
        kind: ChatKind,
        /// Our session's key.
        client_id: ClientId,
        /// Who we are there.
        member: MemberId,
        /// Where its socket listens.
        listen: SocketAddr,
        /// What we are called there.
        nick: String,
        /// Its topic as last known.
        topic: String,
        /// What we may do there.
        role: Role,
        /// Whether we were ever let in (a founder is from the start).
        joined: bool,
        /// Whether only moderators and the founder may set the topic.
        topic_locked: bool,
        /// How strangers come into a public chat.
        door: Door,
        /// What of the past newcomers get.
        #[serde(default)]
        history_rule: HistoryRule,
        /// How much of it is kept here.
        #[serde(default)]
        retention: Retention,
    },
    /// The first link stands: we are in.
    Joined,
    /// We were not let in, or could not get there.
    JoinFailed {
        /// Why, for programs.
        code: Code,
        /// Why, and what to do.
        message: String,
    },
    /// The chat is gone from the profile.
    ChatClosed {
        /// So many own messages had not been sent and are gone with it.
        #[serde(default)]
        unsent: u32,
    },
    /// An invite key was made.
    InviteExported {
        /// Its id.
        invite: InviteId,
        /// The file, if one was written.
        path: Option<PathBuf>,
        /// The armoured text, the same as in the file.
        text: String,
        /// The same as a `throng:` link.
        link: String,
    },
    /// How far an own message has got.
    Delivery {
        /// Which.
        id: MessageId,
        /// How far.
        state: DeliveryState,
        /// How many members have it, as far as is known; until some have said so, to how many it was sent.
        reached: u32,
        /// Of so many that are there; 0: not known.
        #[serde(default)]
        of: u32,
    },
    /// Somebody came.
    MemberJoined {
        /// Who.
        member: MemberId,
        /// What they are called.
        nick: String,
        /// What they may do.
        role: Role,
        /// How they are.
        status: Status,
    },
    /// Somebody went.
    MemberLeft {
        /// Who.
        member: MemberId,
        /// What they were called.
        nick: String,
        /// Why.
        why: LeftWhy,
    },
    /// Somebody is called something else.
    NickChanged {
        /// Who.
        member: MemberId,
        /// What they are called now.
        nick: String,
    },
    /// The topic is another.
    TopicChanged {
        /// The topic; empty: none.
        topic: String,
        /// Whether only moderators and the founder may set it.
        locked: bool,
        /// Who changed it.
        by: MemberId,
    },
    /// Somebody's status is another.
    StatusChanged {
        /// Whose.
        member: MemberId,
        /// The new one.
        status: Status,
    },
    /// Somebody was banned.
    Banned {
        /// Who.
        member: MemberId,
        /// By whom.
        by: MemberId,
        /// Why, in their words.
        reason: String,
        /// Whether none of the banned's words are shown any more.
        hide_all: bool,
    },
    /// A ban was lifted.
    Unbanned {
        /// Who may come back.
        member: MemberId,
        /// Who lifted it.
        by: MemberId,
    },
    /// Somebody's role is another.
    RoleChanged {
        /// Whose.
        member: MemberId,
        /// What they may do now.
        role: Role,
        /// Who changed it, if it was done to them by name.
        by: Option<MemberId>,
    },
    /// The door of a public chat is another.
    DoorChanged {
        /// How strangers come in now.
        #[serde(flatten)]
        door: Door,
        /// Who changed it.
        by: Option<MemberId>,
    },
    /// An invite is closed: nobody new comes in by it.
    InviteClosed {
        /// Which.
        invite: InviteId,
        /// Who closed it.
        by: Option<MemberId>,
    },
    /// The invites of a chat, the newest first.
    Invites {
        /// All that are known here.
        invites: Vec<InviteInfo>,
    },
    /// What is agreed on in a chat. Equal on all members once they have the same facts.
    Facts {
        /// The hash of all facts, 64 hex digits.
        root: String,
        /// What holds by them, in hex (docs/protocol.md, "The state in bytes").
        state: String,
    },
    /// Who did what, the oldest first.
    ModerationLog {
        /// All of it.
        entries: Vec<LogEntry>,
    },
    /// Somebody said two different things under one number: both are shown, and the session is over.
    Forked {
        /// Who.
        member: MemberId,
    },
    /// We speak faster than the chat allows: what was said goes out later.
    Slow {
        /// After so long.
        wait_ms: u32,
    },
    /// This computer's clock is off by over two minutes, as others' clocks tell. What we say bears the right time.
    ClockOff {
        /// What has to be added to the clock, in ms: negative if it is ahead.
        by_ms: i64,
    },
    /// A public chat asks for work before it lets us in; it is being done.
    Working {
        /// How much is asked, in leading zero bits: 2 to the power of so many tries on average.
        bits: u8,
        /// Tries so far.
        tried: u64,
    },
    /// Whether somebody has lately confirmed what we know of roles and bans. It may be out of date while nobody has.
    ModerationStale {
        /// Nobody has.
        stale: bool,
    },
    /// The user ignores somebody, or does no more.
    IgnoreChanged {
        /// Whom.
        member: MemberId,
        /// Whether their words are hidden.
        ignored: bool,
    },
    /// A link stands.
    PeerLinked {
        /// To which session.
        client_id: ClientId,
        /// Whose.
        member: MemberId,
        /// At what address.
        address: SocketAddr,
    },
    /// A link is gone.
    PeerLost {
        /// To which session.
        client_id: ClientId,
        /// Whose.
        member: MemberId,
    },
    /// Stored messages, the oldest first.
    History {
        /// The oldest first.
        messages: Vec<Message>,
        /// Whether older ones than these are stored.
        more_before: bool,
        /// Whether newer ones than these are stored.
        more_after: bool,
    },
    /// What was said before is being fetched from others, or has been.
    HistoryProgress {
        /// Messages that came so far, in this round.
        fetched: u32,
        /// Up to when it goes back by now, if that is known.
        back_to: Option<Timestamp>,
        /// Whether the round is over.
        done: bool,
        /// Whether others may have more from before that: scrolling up asks for it.
        more: bool,
    },
    /// What was said in a chat is forgotten here.
    HistoryCleared,
    /// How much of a chat is kept here is another.
    RetentionChanged {
        /// How much.
        #[serde(flatten)]
        retention: Retention,
    },
    /// What of the past newcomers get is another.
    HistoryRuleChanged {
        /// What they get.
        #[serde(flatten)]
        rule: HistoryRule,
        /// Who changed it.
        by: Option<MemberId>,
    },
    /// Who is in a chat, by nick.
    Members {
        /// All of them.
        members: Vec<MemberInfo>,
    },
    /// The figures of a chat.
    Stats {
        /// The figures.
        #[serde(flatten)]
        stats: Stats,
    },
}

impl Event {
    /// The chat in which it happens; of an error and of what a search finds none.
    pub fn chat(&self) -> Option<ChatId> {
        match self {
            Self::Chat { chat, .. } => Some(*chat),
            Self::Message(message) => Some(message.chat),
            _ => None,
        }
    }
}

impl ChatEvent {
    /// The same of a chat.
    pub fn of(self, chat: ChatId) -> Event {
        Event::Chat { chat, event: self }
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Chat { chat, event } => in_chat::serialize(*chat, event, serializer),
            event => Self::serialize(event, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Map::deserialize(deserializer)?;
        if ChatEvent::VARIANTS.contains(&in_chat::name(&object, "event")) {
            let (chat, event) = in_chat::deserialize(object)?;
            return Ok(Self::Chat { chat, event });
        }
        Self::deserialize(Value::Object(object)).map_err(de::Error::custom)
    }
}
