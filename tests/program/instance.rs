//! A second start with a profile that a program has: what it was started with goes there.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command as Program, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use throng::model::{Code, Event};
use throng::runtime::{
    HandOver, Handle, InviteSource, Options, OtherStart, OtherStarts, hand_over, start, start_window,
};

/// Far longer than anything here takes on a slow machine.
const DEADLINE: Duration = Duration::from_secs(60);

const LINK: &str = "throng:AQAB";

fn options(profile: &Path) -> Options {
    Options {
        profile: Some(profile.to_owned()),
        listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
        discovery: false,
    }
}

fn link() -> InviteSource {
    InviteSource::Text(LINK.to_owned())
}

/// A node with a window before it.
struct Window {
    node: Handle,
    other_starts: OtherStarts,
    wakes: Receiver<()>,
}

impl Window {
    /// Started, whether or not it gets the profile.
    fn start(profile: &Path, invite: Option<InviteSource>) -> Self {
        let (sender, wakes) = channel();
        let wake = move || {
            // The test may have seen enough.
            let _ = sender.send(());
        };
        let (node, other_starts) = start_window(options(profile), invite, wake).expect("started");
        Self {
            node,
            other_starts,
            wakes,
        }
    }

    /// With its profile open.
    fn open(profile: &Path) -> Self {
        let mut window = Self::start(profile, None);
        window.wait_for(|event| matches!(event, Event::Ready { .. }).then_some(()));
        window
    }

    fn wait_for<T>(&mut self, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
        let give_up_at = Instant::now() + DEADLINE;
        loop {
            while let Some(report) = self.node.try_recv() {
                if let Some(found) = wanted(&report.event) {
                    return found;
                }
            }
            assert!(Instant::now() < give_up_at, "it did not come");
            let _ = self.wakes.recv_timeout(Duration::from_millis(100));
        }
    }

    fn next_start(&mut self) -> OtherStart {
        let give_up_at = Instant::now() + DEADLINE;
        loop {
            if let Some(start) = self.other_starts.try_recv() {
                return start;
            }
            assert!(Instant::now() < give_up_at, "no other start was heard of");
            // It is woken for this as well.
            let _ = self.wakes.recv_timeout(Duration::from_millis(100));
        }
    }

    /// Shows what the next later start wants, and says what that was.
    fn show_next(&mut self) -> Option<InviteSource> {
        match self.next_start() {
            OtherStart::Later(mut opening) => {
                let invite = opening.invite.take();
                opening.shown();
                invite
            }
            OtherStart::Earlier => panic!("this one has the profile"),
        }
    }
}

/// Why a start failed.
fn failure(window: &mut Window) -> (Code, String) {
    window.wait_for(|event| match event {
        Event::Error { code, message, .. } => Some((*code, message.clone())),
        Event::Ready { .. } => panic!("it got the profile"),
        _ => None,
    })
}

/// Runs the program itself, without a display.
fn throng(folder: &Path, arguments: &[&str]) -> Output {
    let program = Program::new(env!("CARGO_BIN_EXE_throng"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET")
        .stdin(Stdio::null())
        .output();
    program.expect("it runs")
}

#[test]
fn a_later_start_hands_its_invite_over_and_ends_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = folder.path().join("profile");
    let mut window = Window::open(&profile);
    let socket = fs::metadata(profile.join("throng.sock")).expect("a socket");
    assert_eq!(socket.permissions().mode() & 0o777, 0o600, "for its user alone");

    for (argument, invite) in [
        (Some(LINK), Some(link())),
        // A path is meant from where the second program was started.
        (
            Some("our friends.throng"),
            Some(InviteSource::Path(
                fs::canonicalize(folder.path())
                    .expect("it is there")
                    .join("our friends.throng"),
            )),
        ),
        (None, None),
    ] {
        let (at, arguments) = (
            folder.path().to_owned(),
            ["--profile", "profile"]
                .into_iter()
                .chain(argument)
                .collect::<Vec<_>>(),
        );
        let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
        let second = thread::spawn(move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            throng(&at, &arguments)
        });
        let shown = window.show_next();
        assert!(shown == invite, "{argument:?}");
        let output = second.join().expect("it ended");
        assert!(output.status.success(), "{argument:?}: {output:?}");
        assert!(output.stderr.is_empty(), "{argument:?}: {output:?}");
    }

    // Another profile is another program's.
    let other = options(&folder.path().join("other"));
    assert_eq!(hand_over(&other, Some(&link())), HandOver::Nobody);
    window.node.shutdown();
    assert!(!profile.join("throng.sock").exists(), "it is removed at the end");
    assert_eq!(hand_over(&options(&profile), None), HandOver::Nobody);
}

#[test]
fn the_socket_of_a_killed_program_is_no_hindrance() {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = folder.path().join("profile");
    fs::create_dir(&profile).expect("made");
    drop(UnixListener::bind(profile.join("throng.sock")).expect("bound"));
    assert_eq!(hand_over(&options(&profile), Some(&link())), HandOver::Nobody);
    let mut window = Window::open(&profile);
    let second = thread::spawn(move || hand_over(&options(&profile), Some(&link())));
    assert!(window.show_next() == Some(link()));
    assert_eq!(second.join().expect("it ended"), HandOver::Shown);
}

#[test]
fn a_long_path_has_a_socket_as_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = folder.path().join("a".repeat(120)).join("profile");
    let mut window = Window::open(&profile);
    let second = thread::spawn(move || hand_over(&options(&profile), Some(&link())));
    assert!(window.show_next() == Some(link()));
    assert_eq!(second.join().expect("it ended"), HandOver::Shown);
}

#[test]
fn a_program_that_hangs_is_said_to_hang() {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = folder.path().join("profile");
    // Its window shows nothing: nobody takes what comes in.
    let _hanging = Window::open(&profile);
    let output = throng(folder.path(), &["--profile", "profile", LINK]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("does not answer"), "{said}");
    assert!(!said.contains(LINK), "an invite is a secret: {said}");
    let mut second = Window::start(&profile, Some(link()));
    let (code, message) = failure(&mut second);
    assert_eq!(code, Code::Locked);
    assert!(message.contains("does not answer"), "{message}");
}

#[test]
fn a_program_without_a_window_says_that_it_has_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = folder.path().join("profile");
    let mut node = start(options(&profile), || {}).expect("started");
    while !matches!(
        node.blocking_recv().expect("it starts").event,
        Event::Ready { .. }
    ) {}
    let output = throng(folder.path(), &["--profile", "profile", LINK]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("without a window") && said.contains("--profile"),
        "{said}"
    );
    let (code, message) = failure(&mut Window::start(&profile, None));
    assert_eq!(code, Code::Locked);
    assert!(message.contains("without a window"), "{message}");
}

#[test]
fn a_window_waits_for_the_end_of_the_one_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = folder.path().join("profile");
    let first = Window::open(&profile);
    // As it is while the first one is closing: it has the profile, and does not listen any more.
    fs::remove_file(profile.join("throng.sock")).expect("removed");
    let mut second = Window::start(&profile, Some(link()));
    thread::sleep(Duration::from_millis(300));
    first.node.shutdown();
    second.wait_for(|event| match event {
        Event::Error { message, .. } => panic!("{message}"),
        event => matches!(event, Event::Ready { .. }).then_some(()),
    });
}

#[test]
fn of_two_that_start_at_once_one_hands_over_to_the_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = folder.path().join("profile");
    let mut first = Window::open(&profile);
    // The second one did not ask before, for nobody listened then.
    let mut second = Window::start(&profile, Some(link()));
    assert!(first.show_next() == Some(link()));
    assert!(matches!(second.next_start(), OtherStart::Earlier));
}

#[test]
fn nonsense_on_the_socket_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = folder.path().join("profile");
    let mut window = Window::open(&profile);
    let connect = || UnixStream::connect(profile.join("throng.sock")).expect("connected");
    for nonsense in [
        &b""[..],
        &[0, 0, 0, 5],
        &[0, 0, 0, 5, b'q', b'u', b'i', b't', b'\n'],
        &[0xFF, 0xFF, 0xFF, 0xFF, 0],
    ] {
        let mut stream = connect();
        stream.write_all(nonsense).expect("written");
        stream.shutdown(std::net::Shutdown::Write).expect("closed");
        let mut answer = Vec::new();
        // That the other end closed without reading all is an answer as well.
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.is_empty(), "{nonsense:?}");
    }
    // One that says nothing keeps the others waiting for a moment only.
    let _silent = connect();
    let at = PathBuf::from(&profile);
    let second = thread::spawn(move || {
        loop {
            if hand_over(&options(&at), None) == HandOver::Shown {
                return;
            }
        }
    });
    let give_up_at = Instant::now() + DEADLINE;
    while !second.is_finished() {
        assert!(Instant::now() < give_up_at, "the silent one keeps it waiting");
        if let Some(OtherStart::Later(opening)) = window.other_starts.try_recv() {
            opening.shown();
        }
        let _ = window.wakes.recv_timeout(Duration::from_millis(20));
    }
}
