//! What happens, as the window, the headless mode and the tests hear of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::command::{ChatKind, Rights, Status, Tag};
use super::settings::{OpenChat, Retention, Settings, Workspace};
use crate::facts::{Door, HistoryRule, Role};
use crate::id::{ChatId, ClientId, FactId, InviteId, MemberId, MessageId};

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

/// Whether something was said or done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageBody {
    /// Said.
    Message,
    /// Done (/me).
    Action,
}

/// Something said in a chat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Where.
    pub chat: ChatId,
    /// By whom.
    pub member: MemberId,
    /// What they were called then.
    pub nick: String,
    /// Its name.
    pub id: MessageId,
    /// Its number in its author's session, from 1.
    pub number: u32,
    /// When its author says it was said (classic chats: when it came).
    pub at: Timestamp,
    /// Said or done.
    pub body: MessageBody,
    /// The words.
    pub text: String,
    /// One's own.
    pub own: bool,
    /// Said before it reached us live.
    pub history: bool,
    /// How far it has got, if it is one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryState>,
    /// Where it stands among the others, those of one place by id: ms since 1970 in the upper 48 bits, then a counter, as its
    /// author's clock had it when it was signed. 0: by its time and number.
    #[serde(skip)]
    pub place: u64,
}

impl Message {
    /// Where it stands among the others; before another of the same place if its id is the lower one.
    pub fn place(&self) -> u64 {
        match self.place {
            0 => place_at(self.at) | u64::from(self.number.min(0xFFFF)),
            place => place,
        }
    }
}

/// The first place of a time; for times before 1970 the first of all.
pub fn place_at(at: Timestamp) -> u64 {
    at.as_millisecond().max(0).cast_unsigned() << 16
}

/// A member of a chat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberInfo {
    /// Who.
    pub member: MemberId,
    /// What they are called.
    pub nick: String,
    /// What they may do.
    pub role: Role,
    /// What they say of their presence.
    pub status: Status,
    /// Whether a session of theirs stands.
    pub online: bool,
    /// Oneself.
    pub own: bool,
    /// When they were admitted, by their own clock then; none in a classic chat.
    pub since: Option<Timestamp>,
    /// Whether a ban keeps them out.
    pub banned: bool,
    /// Whether the user does not want to see what they say.
    pub ignored: bool,
    /// Until when one only reads, having just come in by a door that asks for it. Told of oneself alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads_until: Option<Timestamp>,
}

/// An invite, as those see it who may manage invites.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InviteInfo {
    /// Which.
    pub invite: InviteId,
    /// Counted by who issued it.
    pub number: u32,
    /// What those who come by it may do.
    pub rights: Rights,
    /// How many may come in by it; 0: any number.
    pub uses: u16,
    /// Who came by it, as far as is known here.
    pub used_by: Vec<InviteUser>,
    /// When it was made; none if it was made on another computer.
    pub created_at: Option<Timestamp>,
    /// Until when it is good; none: until it is closed.
    pub expires_at: Option<Timestamp>,
    /// Whether nobody new comes in by it any more, by a fact.
    pub closed: bool,
    /// Whether it is the one that lies in a public chat's link.
    pub public_link: bool,
}

/// Who came by an invite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InviteUser {
    /// Who.
    pub member: MemberId,
    /// What they are called.
    pub nick: String,
    /// Whether a moderator has confirmed them, so that nothing takes their place from them.
    pub confirmed: bool,
}

/// Something that the founder or a moderator did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The fact.
    pub id: FactId,
    /// Who.
    pub by: MemberId,
    /// What they are called.
    pub nick: String,
    /// When, by their clock.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub deed: LoggedDeed,
    /// Why it has no effect, a sentence; none if it has.
    pub denied: Option<String>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case")]
pub enum LoggedDeed {
    /// Somebody was given a role.
    RoleSet {
        /// Who.
        member: MemberId,
        /// Which.
        role: Role,
    },
    /// Somebody was banned.
    Banned {
        /// Who.
        member: MemberId,
        /// Why, in the words of who did it.
        reason: String,
        /// Whether all who came by the same invite were banned with them.
        with_invite: bool,
        /// Whether it still holds.
        holds: bool,
    },
    /// Bans were lifted.
    Unbanned {
        /// Whose.
        members: Vec<MemberId>,
    },
    /// The topic was set.
    TopicSet {
        /// To what; empty: none.
        topic: String,
        /// Whether members may not set another.
        locked: bool,
    },
    /// Those who came by an invite were confirmed. Programs of moderators do so by themselves.
    Confirmed {
        /// Which invite.
        invite: InviteId,
        /// Who.
        members: Vec<MemberId>,
    },
    /// An invite was closed.
    InviteClosed {
        /// Which.
        invite: InviteId,
    },
    /// The door was set.
    DoorSet {
        /// How.
        #[serde(flatten)]
        door: Door,
    },
    /// What of the past newcomers get was set.
    HistoryRuleSet {
        /// What they get.
        #[serde(flatten)]
        rule: HistoryRule,
    },
    /// The founder vouched for all facts so far.
    Checkpoint,
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

/// A link of ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkInfo {
    /// The peer's session.
    pub client_id: ClientId,
    /// Whose it is.
    pub member: MemberId,
    /// Where it proved to be.
    pub address: SocketAddr,
    /// The last measured round trip.
    pub round_trip_ms: Option<u32>,
}

/// The figures of a chat's node, since it was started.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Stats {
    /// How many links stand.
    pub links: u32,
    /// Each of them.
    pub peers: Vec<LinkInfo>,
    /// Members known, oneself among them.
    pub members: u32,
    /// Datagrams that came, and their bytes without IP and UDP headers.
    pub packets_in: u64,
    /// Bytes that came.
    pub bytes_in: u64,
    /// Datagrams sent.
    pub packets_out: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Broadcasts that had come before.
    pub duplicates: u64,
    /// Messages that a repair brought.
    pub repaired: u64,
    /// Datagrams dropped, by cause.
    pub dropped: BTreeMap<String, u64>,
}

/// How far an own message has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// No link stands; it goes out with the first one.
    Waiting,
    /// It went out.
    Sent,
    /// Given up.
    Failed,
}

/// What happens. The names and fields are those of the headless mode, and public.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
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
    /// A chat is being exported.
    ExportProgress {
        /// Which chat.
        chat: ChatId,
        /// Messages looked at so far.
        messages: u64,
        /// Of so many.
        of: u64,
    },
    /// A chat was exported.
    Exported {
        /// Which chat.
        chat: ChatId,
        /// The file.
        path: PathBuf,
        /// Messages in it.
        messages: u64,
    },
    /// The export of a chat was broken off.
    ExportCancelled {
        /// Which chat.
        chat: ChatId,
    },
    /// A chat is there: created, imported or found in the profile.
    ChatOpened {
        /// Its id.
        chat: ChatId,
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
    Joined {
        /// Which chat.
        chat: ChatId,
    },
    /// We were not let in, or could not get there.
    JoinFailed {
        /// Which chat.
        chat: ChatId,
        /// Why, for programs.
        code: Code,
        /// Why, and what to do.
        message: String,
    },
    /// The chat is gone from the profile.
    ChatClosed {
        /// Which chat.
        chat: ChatId,
    },
    /// An invite key was made.
    InviteExported {
        /// Which chat.
        chat: ChatId,
        /// Its id.
        invite: InviteId,
        /// The file, if one was written.
        path: Option<PathBuf>,
        /// The armoured text, the same as in the file.
        text: String,
        /// The same as a `throng:` link.
        link: String,
    },
    /// Something was said.
    Message(Message),
    /// How far an own message has got.
    Delivery {
        /// Where.
        chat: ChatId,
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
        /// Where.
        chat: ChatId,
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
        /// Where.
        chat: ChatId,
        /// Who.
        member: MemberId,
        /// What they were called.
        nick: String,
        /// Why.
        why: LeftWhy,
    },
    /// Somebody is called something else.
    NickChanged {
        /// Where.
        chat: ChatId,
        /// Who.
        member: MemberId,
        /// What they are called now.
        nick: String,
    },
    /// The topic is another.
    TopicChanged {
        /// Where.
        chat: ChatId,
        /// The topic; empty: none.
        topic: String,
        /// Whether only moderators and the founder may set it.
        locked: bool,
        /// Who changed it.
        by: MemberId,
    },
    /// Somebody's status is another.
    StatusChanged {
        /// Where.
        chat: ChatId,
        /// Whose.
        member: MemberId,
        /// The new one.
        status: Status,
    },
    /// Somebody was banned.
    Banned {
        /// Where.
        chat: ChatId,
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
        /// Where.
        chat: ChatId,
        /// Who may come back.
        member: MemberId,
        /// Who lifted it.
        by: MemberId,
    },
    /// Somebody's role is another.
    RoleChanged {
        /// Where.
        chat: ChatId,
        /// Whose.
        member: MemberId,
        /// What they may do now.
        role: Role,
        /// Who changed it, if it was done to them by name.
        by: Option<MemberId>,
    },
    /// The door of a public chat is another.
    DoorChanged {
        /// Where.
        chat: ChatId,
        /// How strangers come in now.
        #[serde(flatten)]
        door: Door,
        /// Who changed it.
        by: Option<MemberId>,
    },
    /// An invite is closed: nobody new comes in by it.
    InviteClosed {
        /// Where.
        chat: ChatId,
        /// Which.
        invite: InviteId,
        /// Who closed it.
        by: Option<MemberId>,
    },
    /// The invites of a chat, the newest first.
    Invites {
        /// Of which chat.
        chat: ChatId,
        /// All that are known here.
        invites: Vec<InviteInfo>,
    },
    /// What is agreed on in a chat. Equal on all members once they have the same facts.
    Facts {
        /// Of which chat.
        chat: ChatId,
        /// The hash of all facts, 64 hex digits.
        root: String,
        /// What holds by them, in hex (docs/protocol.md, "The state in bytes").
        state: String,
    },
    /// Who did what, the oldest first.
    ModerationLog {
        /// Of which chat.
        chat: ChatId,
        /// All of it.
        entries: Vec<LogEntry>,
    },
    /// Somebody said two different things under one number: both are shown, and the session is over.
    Forked {
        /// Where.
        chat: ChatId,
        /// Who.
        member: MemberId,
    },
    /// We speak faster than the chat allows: what was said goes out later.
    Slow {
        /// Where.
        chat: ChatId,
        /// After so long.
        wait_ms: u32,
    },
    /// This computer's clock is off by over two minutes, as others' clocks tell. What we say bears the right time.
    ClockOff {
        /// Where.
        chat: ChatId,
        /// What has to be added to the clock, in ms: negative if it is ahead.
        by_ms: i64,
    },
    /// A public chat asks for work before it lets us in; it is being done.
    Working {
        /// Which chat.
        chat: ChatId,
        /// How much is asked, in leading zero bits: 2 to the power of so many tries on average.
        bits: u8,
        /// Tries so far.
        tried: u64,
    },
    /// Whether somebody has lately confirmed what we know of roles and bans. It may be out of date while nobody has.
    ModerationStale {
        /// Where.
        chat: ChatId,
        /// Nobody has.
        stale: bool,
    },
    /// The user ignores somebody, or does no more.
    IgnoreChanged {
        /// Where.
        chat: ChatId,
        /// Whom.
        member: MemberId,
        /// Whether their words are hidden.
        ignored: bool,
    },
    /// A link stands.
    PeerLinked {
        /// Where.
        chat: ChatId,
        /// To which session.
        client_id: ClientId,
        /// Whose.
        member: MemberId,
        /// At what address.
        address: SocketAddr,
    },
    /// A link is gone.
    PeerLost {
        /// Where.
        chat: ChatId,
        /// To which session.
        client_id: ClientId,
        /// Whose.
        member: MemberId,
    },
    /// Stored messages, the oldest first.
    History {
        /// Of which chat.
        chat: ChatId,
        /// The oldest first.
        messages: Vec<Message>,
        /// Whether older ones than these are stored.
        more_before: bool,
        /// Whether newer ones than these are stored.
        more_after: bool,
    },
    /// What was said before is being fetched from others, or has been.
    HistoryProgress {
        /// Of which chat.
        chat: ChatId,
        /// Messages that came so far, in this round.
        fetched: u32,
        /// Up to when it goes back by now, if that is known.
        back_to: Option<Timestamp>,
        /// Whether the round is over.
        done: bool,
        /// Whether others may have more from before that: scrolling up asks for it.
        more: bool,
    },
    /// What a search has found, the newest first.
    SearchResults {
        /// The newest first.
        messages: Vec<Message>,
        /// Whether there are older ones.
        more: bool,
    },
    /// What was said in a chat is forgotten here.
    HistoryCleared {
        /// In which chat.
        chat: ChatId,
    },
    /// How much of a chat is kept here is another.
    RetentionChanged {
        /// Of which chat.
        chat: ChatId,
        /// How much.
        #[serde(flatten)]
        retention: Retention,
    },
    /// What of the past newcomers get is another.
    HistoryRuleChanged {
        /// In which chat.
        chat: ChatId,
        /// What they get.
        #[serde(flatten)]
        rule: HistoryRule,
        /// Who changed it.
        by: Option<MemberId>,
    },
    /// Who is in a chat, by nick.
    Members {
        /// Which chat.
        chat: ChatId,
        /// All of them.
        members: Vec<MemberInfo>,
    },
    /// The figures of a chat.
    Stats {
        /// Which chat.
        chat: ChatId,
        /// The figures.
        #[serde(flatten)]
        stats: Stats,
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
}
