//! The async shell around the nodes: the only place with a real clock, real randomness and sockets.
//!
//! One [`actor`] owns all chats and does everything in turns of one `select!`: commands, batches of datagrams, the next
//! deadline, answers of the store and the file system. It never waits for a peer: a datagram that the socket won't take is
//! dropped and counted. It never waits for its reader: a report without room is dropped, and
//! [`Event::Lagged`](crate::model::Event::Lagged) says so.
//!
//! The parts, a file each: `actor` (the loop, start and end), `commands` (what a command does), `joining` (how chats
//! are made, and how one comes into them), `invites` and `invite_file`, `export`, `takeout`, `backup_file` and `whole_file`, `moderation` and `log` (roles, bans, the door),
//! `work` (what a door may ask for), `history`, `sync` (what nodes look up and fetch), `chat` (a node with its socket), `events` (what a node says, in the
//! words of the model), `outlet` (nothing is told before it is kept), `reconnect` (when to try which addresses again), `instance` (other starts with the same profile),
//! `network` (sleep, changed networks), `socket`, `clock`, `reports`.

mod actor;
mod backup_file;
mod cause;
mod chat;
mod clock;
mod commands;
mod events;
mod export;
mod failure;
mod history;
mod instance;
mod invite_file;
mod invites;
mod joining;
mod log;
mod moderation;
mod network;
mod outlet;
mod reconnect;
mod reports;
mod retention;
mod search;
mod socket;
mod sync;
mod takeout;
mod whole_file;
mod work;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc};

pub use self::instance::{HandOver, InviteSource, Opening, OtherStart, OtherStarts, hand_over};
pub use self::whole_file::write_file;
pub use crate::store::OwnFiles;

use self::reports::ReportReceiver;
use crate::model::{Command, Report, Request};
use crate::store;

/// How a node is started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The profile's folder; without it the system's folder for this user's data of this program.
    pub profile: Option<PathBuf>,
    /// Where the first chat listens; further ones take the next free ports. Port 0 means any free one. Without it, each chat
    /// listens on all addresses, on the port that it had last if that is free.
    pub listen: Option<SocketAddr>,
    /// Whether to look for members beyond the addresses that were given.
    pub discovery: bool,
}

/// Why nothing could be started. What fails later (a locked profile, for example) comes as an event.
#[derive(Debug)]
pub enum StartError {
    /// The system gives no threads or no event queue.
    Threads(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Threads(error) => {
                write!(
                    f,
                    "The system did not let Throng start its threads ({error}). Close other programs and try again."
                )
            }
        }
    }
}

impl std::error::Error for StartError {}

/// A command was not accepted, and comes back.
#[derive(Debug, Clone, PartialEq)]
pub enum SendError {
    /// 256 commands wait already; try again later.
    Full(Box<Request>),
    /// The node has stopped.
    Stopped(Box<Request>),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Throng is busy with earlier commands. Try again in a moment.",
            Self::Stopped(_) => "Throng is closing.",
        })
    }
}

impl std::error::Error for SendError {}

/// How many commands can wait for the actor. A person types one a second; a bot that pipes them waits. A guess.
const MAX_WAITING_COMMANDS: usize = 256;

/// Threads for sockets and files. The nodes all run in the actor, on a thread of its own.
const WORKERS: usize = 2;

/// How long [`Handle::shutdown`] waits for goodbyes to go out and the store to be flushed.
const SHUTDOWN_WITHIN: Duration = Duration::from_secs(5);

/// How long work on files can delay the end after everything else has stopped.
const WORKERS_END_WITHIN: Duration = Duration::from_secs(1);

/// How long a program may take to end after the system has asked it to; then it is ended. Three times what a shutdown
/// takes at most.
const END_WITHIN: Duration = Duration::from_secs(15);

/// The folder of the profile; none if it was not named and the user has no home.
fn profile_folder(options: &Options) -> Option<PathBuf> {
    options.profile.clone().or_else(store::default_profile)
}

/// Starts a node in the background, and opens its profile there. `wake` is called after something was put for the
/// reader of [`Handle::try_recv`], from another thread, and not again before the reader has taken everything.
pub fn start(options: Options, wake: impl Fn() + Send + Sync + 'static) -> Result<Handle, StartError> {
    start_node(options, None, Arc::new(wake))
}

/// As [`start`], for a window: it hears of other starts of the program with its profile, for which `wake` is called as
/// well. While another program has the profile this one offers it `invite`, and waits for some seconds for the end of
/// that program if it does not answer.
pub fn start_window(
    options: Options,
    invite: Option<InviteSource>,
    wake: impl Fn() + Send + Sync + 'static,
) -> Result<(Handle, OtherStarts), StartError> {
    let (sender, receiver) = mpsc::channel(instance::MAX_WAITING_OPENINGS);
    let window = actor::WindowBefore {
        invite,
        other_starts: sender,
    };
    let handle = start_node(options, Some(window), Arc::new(wake))?;
    Ok((handle, OtherStarts(receiver)))
}

fn start_node(
    options: Options,
    window: Option<actor::WindowBefore>,
    wake: Arc<dyn Fn() + Send + Sync>,
) -> Result<Handle, StartError> {
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("throng-worker")
        .enable_all()
        .build()
        .map_err(StartError::Threads)?;
    let executor = tokio.handle().clone();
    let (command_sender, command_receiver) = mpsc::channel(MAX_WAITING_COMMANDS);
    let wake_reader = wake.clone();
    let (report_sender, report_receiver) = reports::channel(move || wake_reader());
    let stop = Arc::new(Notify::new());
    let stopped = stop.clone();
    let own_files = OwnFiles::of(&profile_folder(&options).unwrap_or_default());
    let thread = thread::Builder::new()
        .name("throng-node".to_owned())
        .spawn(move || {
            tokio.block_on(Box::pin(actor::run(
                options,
                window,
                wake,
                command_receiver,
                report_sender,
                stopped,
            )));
            tokio.shutdown_timeout(WORKERS_END_WITHIN);
        })
        .map_err(StartError::Threads)?;
    Ok(Handle {
        commands: command_sender,
        reports: report_receiver,
        executor,
        own_files,
        stop,
        thread: Some(thread),
    })
}

/// The two ends of a running node: commands in, reports out. Dropping it shuts the node down.
#[derive(Debug)]
pub struct Handle {
    commands: mpsc::Sender<Request>,
    reports: ReportReceiver,
    executor: tokio::runtime::Handle,
    own_files: OwnFiles,
    stop: Arc<Notify>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Handle {
    /// Hands in a command, a [`Command`] or a [`Request`], without waiting.
    pub fn send(&self, request: impl Into<Request>) -> Result<(), SendError> {
        self.commands
            .try_send(request.into())
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(request) => SendError::Full(Box::new(request)),
                mpsc::error::TrySendError::Closed(request) => SendError::Stopped(Box::new(request)),
            })
    }

    /// The end for commands, for those who have to wait for room or are on another thread.
    pub fn commands(&self) -> mpsc::Sender<Request> {
        self.commands.clone()
    }

    /// The next report, if there is one. Call it until there is none; otherwise `wake` won't be called again.
    pub fn try_recv(&mut self) -> Option<Report> {
        self.reports.try_recv()
    }

    /// The next report; `None` after [`Event::Bye`](crate::model::Event::Bye).
    pub async fn recv(&mut self) -> Option<Report> {
        self.reports.recv().await
    }

    /// The same as [`Self::recv`] for a thread that may block.
    pub fn blocking_recv(&mut self) -> Option<Report> {
        self.reports.blocking_recv()
    }

    /// Where futures can be spawned (the window's file dialogs).
    pub fn tokio(&self) -> &tokio::runtime::Handle {
        &self.executor
    }

    /// The files of the profile, over which nothing is to be written.
    pub fn own_files(&self) -> &OwnFiles {
        &self.own_files
    }

    /// Shuts down in order when the system asks the program to end (Ctrl-C, SIGTERM).
    pub fn shut_down_on_signals(&self) {
        let commands = self.commands.clone();
        self.executor.spawn(async move {
            if termination().await.is_ok() {
                // If this fails, it is shutting down already.
                let _ = commands.send(Command::Shutdown.into()).await;
            }
        });
    }

    /// Says goodbye in every chat, flushes the store and waits for the end, for at most 5 s. Reports that come in the
    /// meantime are dropped.
    pub fn shutdown(mut self) {
        self.stop_and_join();
    }

    fn stop_and_join(&mut self) {
        self.stop.notify_one();
        let Some(thread) = self.thread.take() else { return };
        let give_up_at = Instant::now() + SHUTDOWN_WITHIN;
        while !thread.is_finished() && Instant::now() < give_up_at {
            while self.reports.try_recv().is_some() {}
            thread::sleep(Duration::from_millis(2));
        }
        if thread.is_finished() {
            // A panic there has been printed; there is nothing to add.
            let _ = thread.join();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop_and_join();
    }
}

/// Calls `told` when the system asks the program to end (Ctrl-C, SIGTERM), whatever state the program is in. If it has
/// not ended 15 s later, or is asked again, it is ended.
pub fn on_termination(told: impl Fn() + Send + 'static) -> Result<(), StartError> {
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(StartError::Threads)?;
    let wait = async move {
        if termination().await.is_ok() {
            told();
            // It ends as soon as the first of these does.
            let _ = tokio::time::timeout(END_WITHIN, termination()).await;
            process::exit(1);
        }
    };
    // A thread of its own, which ends with the program: a node that could not start has ended with its threads.
    thread::Builder::new()
        .name("throng-signals".to_owned())
        .spawn(move || tokio.block_on(wait))
        .map_err(StartError::Threads)?;
    Ok(())
}

/// Waits until the system asks the program to end.
#[cfg(unix)]
async fn termination() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut hang_up) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
        _ = hang_up.recv() => Ok(()),
    }
}

/// Waits until the system asks the program to end.
#[cfg(not(unix))]
async fn termination() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{RecvTimeoutError, channel};

    use super::*;
    use crate::model::{ChatEvent, ChatKind, Event};

    /// Far longer than a start takes on a slow machine.
    const DEADLINE: Duration = Duration::from_secs(60);

    #[test]
    fn a_window_is_woken_and_the_end_is_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = Options {
            profile: Some(folder.path().join("profile")),
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
            discovery: false,
        };
        for round in 0..2 {
            let (sender, wakes) = channel();
            let mut node = start(options.clone(), move || {
                // The test may have seen enough.
                let _ = sender.send(());
            })
            .expect("started");
            let kind = ChatKind::Private;
            let command = Command::CreateChat {
                door: None,
                name: "A".to_owned(),
                kind,
                nick: "ann".to_owned(),
            };
            node.send(command).expect("room");
            let mut opened = 0;
            while opened <= round {
                match wakes.recv_timeout(DEADLINE) {
                    Ok(()) => {}
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => panic!("not woken"),
                }
                while let Some(report) = node.try_recv() {
                    opened += usize::from(matches!(
                        report.event,
                        Event::Chat {
                            event: ChatEvent::ChatOpened { .. },
                            ..
                        }
                    ));
                }
            }
            // It gives the profile free, or the second round would find it locked.
            node.shutdown();
        }
    }
}
