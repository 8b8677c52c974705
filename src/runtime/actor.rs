//! The actor (Hewitt, Bishop and Steiger 1973): owns all chats, does one thing at a time, starts and ends in order.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::cause::Cause;
use super::chat::Chat;
use super::clock::{Clock, timestamp};
use super::export::Sifting;
use super::failure::Failure;
use super::history::Reading;
use super::instance::{self, HandOver, InviteSource, OtherStart};
use super::network::NetworkWatch;
use super::outlet::Outlet;
use super::reports::ReportSender;
use super::socket::{Batch, ChatSocket};
use super::work::Slice;
use super::{Options, profile_folder};
use crate::id::ChatId;
use crate::model::{Code, Event, Report, Request, Tag};
use crate::node::{self, ArchiveAnswer, Input};
use crate::store::{ChatRecord, HistoryPage, Settled, Store, StoreError, StoredMessage, Write};

/// The most chats in one profile. Each costs a socket and some 100 kB. A guess: more than anybody has.
pub(super) const MAX_CHATS: usize = 256;

/// How many batches of datagrams, of all chats, can wait for the actor. More wait in the system's buffers.
const MAX_WAITING_BATCHES: usize = 8;

/// Questions to the store and work on files under way at once: a window asks for the history of all its chats when it
/// starts. A guess.
const MAX_ERRANDS: u32 = 1024;

/// How long such errands may hold up a shutdown.
const ERRANDS_END_WITHIN: Duration = Duration::from_secs(2);

/// How long a window waits for the end of another program that has its profile: a little longer than an orderly end
/// takes at most.
const UNLOCKED_WITHIN: Duration = Duration::from_secs(6);

/// How soon it looks again. A guess.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Where chats listen by default: on all addresses, on any port.
const LISTEN_ANYWHERE: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0);

/// What a node has to know of a window that stands before it.
pub(super) struct WindowBefore {
    /// What it was started with.
    pub(super) invite: Option<InviteSource>,
    /// The way by which it hears of other starts.
    pub(super) other_starts: mpsc::Sender<OtherStart>,
}

/// Runs until it is told to stop or everybody who could send commands is gone.
pub(super) async fn run(
    options: Options,
    window: Option<WindowBefore>,
    wake: Arc<dyn Fn() + Send + Sync>,
    mut commands: mpsc::Receiver<Request>,
    reports: ReportSender,
    stop: Arc<Notify>,
) {
    let Some(folder) = profile_folder(&options) else {
        return give_up(reports, no_home()).await;
    };
    let opened = tokio::select! {
        () = stop.notified() => return,
        opened = open_or_hand_over(&folder, window.as_ref()) => opened,
    };
    let store = match opened {
        Ok(Some(store)) => store,
        Ok(None) => return wake(),
        Err(failure) => return give_up(reports, failure).await,
    };
    let listening = instance::listen(&folder, window.map(|window| window.other_starts), wake);
    let (mut actor, mut inputs) = Actor::new(options, store, reports);
    if let Err(error) = actor.open_profile(None).await {
        actor.outlet.failed(None, error.into());
        return actor.outlet.finish(Event::Bye.into()).await;
    }
    actor.tell_rebuilt();
    while !actor.ending {
        actor.go_on_with_work();
        actor.go_on_with_looks();
        actor.go_on_with_history();
        actor.outlet.end_turn();
        let deadline = actor.next_deadline();
        let behind = actor.outlet.is_behind();
        tokio::select! {
            () = stop.notified() => break,
            request = commands.recv() => match request {
                Some(request) => actor.handle_request(request).await,
                None => break,
            },
            Some(batch) = inputs.batches.recv() => actor.handle_batch(&batch),
            Some(errand) = inputs.errands.recv() => actor.handle_errand(errand).await,
            // What was told waits for it; if it is gone, nothing does.
            Ok(()) = inputs.settled.changed() => {}
            () = actor.outlet.catch_up(), if behind => {}
            () = tokio::time::sleep_until(deadline) => {
                actor.handle_deadlines();
                actor.keep_what_is_to_be_kept().await;
            }
        }
    }
    // Who starts from now on waits for the profile.
    drop(listening);
    // What was asked for before the end was: a draft, a read mark.
    while !actor.ending
        && let Ok(request) = commands.try_recv()
    {
        actor.handle_request(request).await;
    }
    actor.shut_down(inputs).await;
}

/// Opens the profile. A window whose profile another program has hands over what it was started with: then there is
/// no store, and it has been told. A program that is about to end is waited for.
async fn open_or_hand_over(folder: &Path, window: Option<&WindowBefore>) -> Result<Option<Store>, Failure> {
    let give_up_at = Instant::now() + UNLOCKED_WITHIN;
    loop {
        let opened = open_store(folder).await;
        let is_locked = matches!(opened, Err(StoreError::Locked { .. }));
        let Some(window) = window.filter(|_| is_locked) else {
            return Ok(Some(opened?));
        };
        match instance::ask(folder, window.invite.as_ref()).await {
            HandOver::Shown => {
                // There is room: nothing else is told before.
                let _ = window.other_starts.try_send(OtherStart::Earlier);
                return Ok(None);
            }
            HandOver::Refused(why) => return Err(Failure::new(Code::Locked, why)),
            HandOver::Nobody if Instant::now() >= give_up_at => return Ok(Some(opened?)),
            HandOver::Nobody => tokio::time::sleep(LOOK_AGAIN_AFTER).await,
        }
    }
}

/// Opens the profile, which can wait for the disk.
async fn open_store(folder: &Path) -> Result<Store, StoreError> {
    let folder = folder.to_owned();
    let opened = tokio::task::spawn_blocking(move || Store::open(&folder)).await;
    opened.unwrap_or(Err(StoreError::Closed))
}

fn no_home() -> Failure {
    Failure::new(
        Code::NotFound,
        "Throng could not find your home folder. Start it with --profile DIR.",
    )
}

/// Ends before anything began.
async fn give_up(mut reports: ReportSender, failure: Failure) {
    let Failure { code, message } = failure;
    reports.put(
        Event::Error {
            chat: None,
            command: String::new(),
            code,
            message,
        }
        .into(),
    );
    reports.finish(Event::Bye.into()).await;
}

/// What comes to the actor, apart from commands.
pub(super) struct Inputs {
    batches: mpsc::Receiver<Batch>,
    errands: mpsc::Receiver<Errand>,
    settled: watch::Receiver<Settled>,
}

/// What somebody was sent for and came back with.
pub(super) enum Errand {
    /// The answer to a command.
    Answer {
        command: &'static str,
        chat: Option<ChatId>,
        tag: Option<Tag>,
        result: Result<Box<Event>, Failure>,
    },
    /// The text of an invite file to be imported.
    InviteRead {
        nick: String,
        tag: Option<Tag>,
        result: Result<String, Failure>,
    },
    /// A page of history, to be looked through.
    HistoryRead {
        reading: Box<Reading>,
        result: Result<HistoryPage, StoreError>,
    },
    /// What was searched for, and whether there is more.
    Searched {
        tag: Option<Tag>,
        result: Result<(Vec<StoredMessage>, bool), StoreError>,
    },
    /// What a node wanted to know of what is kept.
    Looked {
        chat: ChatId,
        ticket: u64,
        answer: Box<ArchiveAnswer>,
    },
    /// A slice of the work that a door asked for; none if it was broken off.
    Worked { chat: ChatId, slice: Option<Box<Slice>> },
    /// A page of a chat that is being exported, to be looked through.
    Sift(Box<Sifting>),
    /// How far something is that a command began.
    Progress(Box<Event>),
    /// A backup was put in the profile's place.
    Restored {
        tag: Option<Tag>,
        result: Result<PathBuf, Failure>,
    },
    /// The end of an export.
    Exported {
        chat: ChatId,
        tag: Option<Tag>,
        result: Result<Event, Failure>,
    },
}

/// All chats, and what they need.
pub(super) struct Actor {
    pub(super) listen: Option<SocketAddr>,
    pub(super) clock: Clock,
    pub(super) chats: BTreeMap<ChatId, Chat>,
    pub(super) outlet: Outlet,
    pub(super) network: NetworkWatch,
    /// When retention was last checked, as [`Now::elapsed`].
    pub(super) retention_looked_at: Option<Duration>,
    /// The chats that are being exported, and how to stop that.
    pub(super) exports: BTreeMap<ChatId, Arc<AtomicBool>>,
    /// The profile's keys wait for their passphrase.
    pub(super) locked: bool,
    /// [`Event::Ready`] was told.
    is_ready: bool,
    /// The command to shut down has come.
    pub(super) ending: bool,
    /// Its tag.
    pub(super) ending_tag: Option<Tag>,
    batches: mpsc::Sender<Batch>,
    errands: mpsc::Sender<Errand>,
    errands_at_once: Arc<Semaphore>,
}

impl Actor {
    fn new(options: Options, store: Store, reports: ReportSender) -> (Self, Inputs) {
        let (batches, batch_receiver) = mpsc::channel(MAX_WAITING_BATCHES);
        let (errands, errand_receiver) = mpsc::channel(MAX_ERRANDS as usize);
        let outlet = Outlet::new(store, reports);
        let settled = outlet.watch_store();
        let clock = Clock::start();
        let actor = Self {
            listen: options.listen,
            clock,
            chats: BTreeMap::new(),
            outlet,
            network: NetworkWatch::new(clock.now()),
            retention_looked_at: None,
            exports: BTreeMap::new(),
            locked: false,
            is_ready: false,
            ending: false,
            ending_tag: None,
            batches,
            errands,
            errands_at_once: Arc::new(Semaphore::new(MAX_ERRANDS as usize)),
        };
        (
            actor,
            Inputs {
                batches: batch_receiver,
                errands: errand_receiver,
                settled,
            },
        )
    }

    /// Reports that the program is ready: once, even if a backup is restored later.
    pub(super) fn tell_ready(&mut self, passphrase: bool) {
        if !self.is_ready {
            self.is_ready = true;
            let ready = Event::Ready {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                listen: self.listen.unwrap_or(LISTEN_ANYWHERE),
                passphrase,
            };
            self.outlet.report(ready, None);
        }
    }

    /// Opens all chats that are stored.
    pub(super) async fn open_chats(&mut self, records: Vec<ChatRecord>) {
        for record in records {
            let id = record.chat;
            // A chat that was created while a backup was read.
            if self.chats.contains_key(&id) {
                continue;
            }
            if let Err(failure) = self.open_chat(record, None).await {
                tracing::warn!(chat = %id, "a stored chat could not be opened");
                self.outlet.failed(Some(id), failure);
            }
            if let Err(error) = self.recall(id).await {
                self.outlet.failed(Some(id), error.into());
            }
            // Nobody waits for the chats that come after.
            self.outlet.end_turn();
        }
    }

    /// Tells a chat's node what is stored, so that a message that comes again is not taken for a new one (sessions over 48 h old
    /// are refused anyway), and so that incomplete messages can be completed. In a classic chat, where nobody else keeps
    /// messages, those that were not sent are said again.
    async fn recall(&mut self, id: ChatId) -> Result<(), StoreError> {
        let store = self.outlet.store.clone();
        let now = self.clock.now();
        let Some(chat) = self.chats.get_mut(&id) else {
            return Ok(());
        };
        if chat.is_classic() {
            let waiting = store.waiting(id).await?;
            chat.say_again(waiting, now, &mut self.outlet);
            return Ok(());
        }
        let since = now.unix_ms.saturating_sub(node::SESSION_VALID_MS);
        chat.node
            .has_seen(store.said_since(id, timestamp(since), node::SEEN).await?);
        chat.has_parts(store.orphan_parts(id).await?);
        chat.drain(now, &mut Cause::none(), &mut self.outlet);
        Ok(())
    }

    /// Starts a stored chat, and reports that it is open. Its first addresses are tried in the next turn.
    pub(super) async fn open_chat(&mut self, record: ChatRecord, tag: Option<Tag>) -> Result<(), Failure> {
        let (id, name) = (record.chat, record.name.clone());
        let unsent = match self.outlet.store.unsent(id).await {
            // People can talk in a chat even if it could not be kept.
            Err(StoreError::NotFound) => BTreeMap::new(),
            unsent => unsent?,
        };
        let hearsay = match self.outlet.store.hearsay(id).await {
            Err(StoreError::NotFound) => Vec::new(),
            hearsay => hearsay?,
        };
        let chat = Chat::start(record, unsent, hearsay, self.clock.now(), random()).map_err(|_| {
            Failure::new(
                Code::Damaged,
                format!(
                    "What is stored of the chat “{name}” is damaged, so it can't be opened. Put back a copy of the \
                     profile."
                ),
            )
        })?;
        self.chats.insert(id, chat);
        let opened = self.open_socket(id).await;
        if let Some(chat) = self.chats.get(&id) {
            self.outlet.report(chat.opened(), tag);
        }
        if let Err(failure) = opened {
            self.outlet.failed(Some(id), failure);
        }
        Ok(())
    }

    /// Gives a chat its socket.
    pub(super) async fn open_socket(&mut self, id: ChatId) -> Result<(), Failure> {
        let Some(chat) = self.chats.get_mut(&id) else {
            return Ok(());
        };
        let opened = ChatSocket::open(id, self.listen, chat.record.port, self.batches.clone()).await;
        let socket = opened.map_err(|error| no_socket(&chat.record.name, self.listen, &error))?;
        let port = socket.local().port();
        if chat.record.port != Some(port) {
            chat.record.port = Some(port);
            self.outlet.keep(Write::SetPort { chat: id, port });
        }
        chat.socket = Some(socket);
        Ok(())
    }

    /// Sends somebody for an answer that takes time.
    pub(super) fn send_for(
        &self,
        permit: OwnedSemaphorePermit,
        errand: impl Future<Output = Errand> + Send + 'static,
    ) {
        let errands = self.errands.clone();
        tokio::spawn(async move {
            // The actor takes results until all are back, or until it can't wait any longer.
            let _ = errands.send(errand.await).await;
            drop(permit);
        });
    }

    /// The way back to the actor, for those who have to ask it on their way.
    pub(super) fn way_back(&self) -> mpsc::Sender<Errand> {
        self.errands.clone()
    }

    /// Leave to send somebody for something.
    pub(super) fn errand_permit(&self) -> Result<OwnedSemaphorePermit, Failure> {
        self.errands_at_once.clone().try_acquire_owned().map_err(|_| {
            Failure::new(
                Code::Busy,
                "Throng is still busy with earlier requests. Try again in a moment.",
            )
        })
    }

    async fn handle_errand(&mut self, errand: Errand) {
        match errand {
            Errand::Answer {
                tag,
                result: Ok(event),
                ..
            } => self.outlet.report(*event, tag),
            Errand::Answer {
                command,
                chat,
                tag,
                result: Err(failure),
            } => {
                self.outlet.command_failed(command, chat, tag, failure);
            }
            Errand::InviteRead { nick, tag, result } => {
                let imported = match result {
                    Ok(text) => self.import_text(&text, nick, tag.clone()).await,
                    Err(failure) => Err(failure),
                };
                if let Err(failure) = imported {
                    self.outlet.command_failed("import_invite", None, tag, failure);
                }
            }
            Errand::Searched { tag, result } => self.searched(tag, result),
            Errand::HistoryRead { reading, result } => self.history_read(*reading, result),
            Errand::Looked { chat, ticket, answer } => self.looked(chat, ticket, *answer),
            Errand::Worked { chat, slice } => self.worked(chat, slice),
            Errand::Restored { tag, result } => self.restored(tag, result).await,
            Errand::Sift(sifting) => self.sift(*sifting),
            Errand::Progress(event) => self.outlet.report(*event, None),
            Errand::Exported { chat, tag, result } => self.exported(chat, tag, result),
        }
    }

    fn handle_batch(&mut self, batch: &Batch) {
        // A chat that was left while this waited.
        let Some(chat) = self.chats.get_mut(&batch.chat) else {
            return;
        };
        for (from, bytes) in &batch.datagrams {
            let now = self.clock.now();
            chat.node.handle(now, Input::Datagram { from: *from, bytes });
            chat.drain(now, &mut Cause::none(), &mut self.outlet);
        }
    }

    /// The next deadline.
    fn next_deadline(&self) -> tokio::time::Instant {
        let of_chats = self.chats.values().filter_map(Chat::next_deadline);
        let next = of_chats.chain([self.network.next_look()]).min();
        self.clock.instant(next.unwrap_or_default())
    }

    fn handle_deadlines(&mut self) {
        let now = self.clock.now();
        if self.network.next_look() <= now.elapsed && self.network.look(now) {
            tracing::info!("the computer slept or its network changed");
            for chat in self.chats.values_mut() {
                chat.network_changed(now, &mut self.outlet);
            }
        }
        for chat in self.chats.values_mut() {
            chat.handle_deadlines(now, &mut self.outlet);
        }
    }

    /// Leaves the chats (goodbye is said), waits a moment for errands, flushes the store, says the last word.
    async fn shut_down(mut self, mut inputs: Inputs) {
        let now = self.clock.now();
        for chat in self.chats.values_mut() {
            chat.node.handle(now, Input::Quit);
            chat.drain(now, &mut Cause::none(), &mut self.outlet);
        }
        self.cancel_exports();
        let all_back = self.errands_at_once.clone();
        let deadline = tokio::time::Instant::now() + ERRANDS_END_WITHIN;
        loop {
            tokio::select! {
                biased;
                Some(errand) = inputs.errands.recv() => {
                    if let Errand::Answer { .. } | Errand::HistoryRead { .. } | Errand::Exported { .. } = errand {
                        self.handle_errand(errand).await;
                    }
                }
                _ = all_back.acquire_many(MAX_ERRANDS) => break,
                () = tokio::time::sleep_until(deadline) => break,
            }
        }
        self.chats.clear();
        let bye = Report {
            event: Event::Bye,
            tag: self.ending_tag,
        };
        self.outlet.finish(bye).await;
    }
}

/// The error of a chat that has no socket.
fn no_socket(name: &str, listen: Option<SocketAddr>, error: &io::Error) -> Failure {
    let advice = match (error.kind(), listen) {
        (io::ErrorKind::AddrInUse, Some(listen)) => {
            format!(
                "Other programs use {listen} and the ports after it. Close them, or start Throng with another --listen."
            )
        }
        (_, Some(listen)) => {
            format!(
                "The system does not let Throng listen on {listen} ({error}). Start it with another --listen."
            )
        }
        (_, None) => format!(
            "The system does not let Throng use the network ({error}). Check its settings and try again."
        ),
    };
    Failure::new(
        Code::Network,
        format!("The chat “{name}” can neither send nor receive. {advice}"),
    )
}

/// Bytes that nobody can guess.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes
}
