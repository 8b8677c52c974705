//! Exports the first chat of a profile in every form, and prints how long it took, how large the file is and how much memory
//! it needed. It fails if that is more than [`MOST_GROWTH`]. `export_history DIR`, of a profile that `fill_profile` made;
//! on Linux.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use throng::id::ChatId;
use throng::model::{ChatCommand, ChatEvent, Event, ExportFormat};
use throng::runtime::{self, Handle, Options};

/// By how much memory may grow while a chat is exported, in KiB. A guess: some pages of history and SQLite's caches.
const MOST_GROWTH: u64 = 16 * 1_024;

/// How long the program is left alone after its start, which is not what we measure.
const SETTLING: Duration = Duration::from_secs(1);

type Outcome<T> = Result<T, Box<dyn Error>>;

#[allow(clippy::print_stdout, reason = "it prints what it measured")]
fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [profile] = arguments.as_slice() else {
        return Err("usage: export_history DIR".into());
    };
    let out = tempfile::tempdir()?;
    let options = Options {
        profile: Some(PathBuf::from(profile)),
        listen: Some(([127, 0, 0, 1], 0).into()),
        discovery: false,
    };
    let mut handle = runtime::start(options, || {})?;
    let chat = loop {
        if let Event::Chat {
            chat,
            event: ChatEvent::ChatOpened { .. },
        } = next(&mut handle)?
        {
            break chat;
        }
    };
    std::thread::sleep(SETTLING);
    let mut most = 0;
    for format in [ExportFormat::Text, ExportFormat::Html, ExportFormat::Json] {
        let path = out.path().join("export");
        // From here on the system records a new peak.
        fs::write("/proc/self/clear_refs", "5")?;
        let before = peak()?;
        let began = Instant::now();
        let messages = export(&mut handle, chat, &path, format)?;
        let (took, growth) = (began.elapsed(), peak()?.saturating_sub(before));
        println!(
            "{format:?}: {messages} messages in {:.1} s, {} MB; memory: {before} KiB, and {growth} KiB more at most",
            took.as_secs_f64(),
            fs::metadata(&path)?.len() / 1_000_000,
        );
        most = most.max(growth);
        fs::remove_file(path)?;
    }
    handle.shutdown();
    if most > MOST_GROWTH {
        return Err("memory grows with the chat that is exported".into());
    }
    Ok(())
}

/// The number of messages in the file.
fn export(handle: &mut Handle, chat: ChatId, path: &Path, format: ExportFormat) -> Outcome<u64> {
    handle.send(
        ChatCommand::Export {
            path: path.to_owned(),
            format,
        }
        .to(chat),
    )?;
    loop {
        match next(handle)? {
            Event::Chat {
                event: ChatEvent::Exported { messages, .. },
                ..
            } => return Ok(messages),
            Event::Error { message, .. } => return Err(message.into()),
            _ => {}
        }
    }
}

fn next(handle: &mut Handle) -> Outcome<Event> {
    Ok(handle.blocking_recv().ok_or("the node ended early")?.event)
}

/// The peak of resident memory, in KiB.
fn peak() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let words = line.ok_or("no VmHWM")?;
    Ok(words.trim().trim_end_matches("kB").trim().parse()?)
}
