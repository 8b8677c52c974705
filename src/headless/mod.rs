//! The program without a window: commands as JSON lines on stdin, events as JSON lines on stdout. For bots, peers that
//! are always online, and tests.
//!
//! A line on stdin is a [`Request`], a line on stdout a [`Report`](crate::model::Report). `docs/headless.md` lists them all.
//! A line that is not a command changes nothing and is answered by an `error` event. The end of stdin, Ctrl-C and SIGTERM
//! mean `shutdown`.

mod lines;

use std::io::{self, BufReader, Write};
use std::process::ExitCode;
use std::thread;

use tokio::sync::mpsc;

use self::lines::{Line, Lines};
use crate::model::{Code, Command, Event, Report, Request};
use crate::runtime::{self, Options};

/// Runs until `shutdown`, the end of stdin or a signal. The status is 0 after an orderly end, and 1 if the node could not
/// start or nobody reads stdout any more.
pub fn run(options: Options) -> ExitCode {
    let mut node = match runtime::start(options, || {}) {
        Ok(node) => node,
        Err(error) => {
            tracing::error!(%error, "could not start");
            return ExitCode::FAILURE;
        }
    };
    node.shut_down_on_signals();
    let (mut began, mut bye) = (false, false);
    while let Some(report) = node.blocking_recv() {
        if let Err(error) = write_report(&report) {
            tracing::error!(%error, "nobody reads the events");
            node.shutdown();
            return ExitCode::FAILURE;
        }
        match report.event {
            Event::Ready { .. } | Event::PassphraseNeeded { .. } if !began => {
                began = true;
                // Commands are read only now, so that one of these events comes first. The thread may wait for a line for
                // ever, so it is not joined and ends with the program.
                let commands = node.commands();
                thread::spawn(move || read_commands(&commands));
            }
            Event::Bye => bye = true,
            _ => {}
        }
    }
    if began && bye {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Passes the lines of stdin on until its end. While the node is busy this waits, and so does the writer of the lines.
fn read_commands(commands: &mpsc::Sender<Request>) {
    let mut lines = Lines::new(BufReader::new(io::stdin()));
    loop {
        let request = match lines.next_line() {
            Ok(Line::Text(line)) => lines::parse(line),
            Ok(Line::TooLong) => Err(lines::too_long()),
            Ok(Line::End) => break,
            Err(error) => {
                tracing::error!(%error, "stdin can't be read");
                break;
            }
        };
        let stopped = match request {
            Ok(Some(request)) => commands.blocking_send(request).is_err(),
            Ok(None) => false,
            Err(malformed) => {
                let (command, message) = (malformed.command, malformed.message);
                let event = Event::Error {
                    chat: None,
                    command,
                    code: Code::BadCommand,
                    message,
                };
                write_report(&Report {
                    event,
                    tag: malformed.tag,
                })
                .is_err()
            }
        };
        if stopped {
            return;
        }
    }
    // If this fails, it is shutting down already.
    let _ = commands.blocking_send(Command::Shutdown.into());
}

/// Writes a whole line and flushes it.
fn write_report(report: &Report) -> io::Result<()> {
    let mut line = serde_json::to_vec(report)?;
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(&line)?;
    stdout.flush()
}
