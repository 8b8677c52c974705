//! The program in headless mode, as a bot would run it: its own process, JSON lines in and out.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

#[cfg(unix)]
use rustix::process::{Pid, Signal, kill_process};
#[cfg(target_os = "linux")]
use rustix::process::{Resource, Rlimit, getrlimit, prlimit};
use serde_json::{Value, json};

/// Far longer than anything here takes on a slow machine, unless it fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A running program. It is killed when dropped.
pub(crate) struct Program {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    events: Receiver<Value>,
    /// Events that came and that nobody has asked for yet.
    unclaimed: Vec<Value>,
    /// All events, for the message of a failure.
    log: Vec<Value>,
    commands: u32,
}

impl Program {
    /// Starts the program and waits until it is ready.
    pub(crate) fn start(name: &str, profile: &Path) -> Self {
        Self::start_at(name, profile, "127.0.0.1:0")
    }

    /// The same with another `--listen`.
    pub(crate) fn start_at(name: &str, profile: &Path, listen: &str) -> Self {
        let mut program = Self::spawn(name, profile, listen);
        let ready = program.next("ready");
        assert_eq!(ready["event"], "ready", "{name}: `ready` comes first");
        assert!(
            ready["version"].is_string() && ready["listen"].is_string(),
            "{ready}"
        );
        program
    }

    /// Starts the program; all that it logs goes into a file.
    pub(crate) fn start_logging(name: &str, profile: &Path, log: &Path) -> Self {
        let mut command = Self::command(profile, "127.0.0.1:0");
        let log = File::create(log).expect("a file to log into");
        command.env("RUST_LOG", "trace").stderr(log);
        let mut program = Self::run(name, command);
        assert_eq!(program.next("ready")["event"], "ready", "{name}");
        program
    }

    /// Starts the program so that a signal, by its name without SIG, does not end it. What it logs is not written. Only a
    /// shell can do that without `unsafe`; any Unix has one.
    pub(crate) fn start_without_signal(name: &str, profile: &Path, signal: &str) -> Self {
        let program = Self::command(profile, "127.0.0.1:0");
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("trap '' {signal}; exec \"$0\" \"$@\"")])
            .arg(program.get_program())
            .args(program.get_args())
            .stderr(Stdio::null());
        let mut program = Self::run(name, command);
        assert_eq!(program.next("ready")["event"], "ready", "{name}");
        program
    }

    /// Starts the program.
    pub(crate) fn spawn(name: &str, profile: &Path, listen: &str) -> Self {
        Self::run(name, Self::command(profile, listen))
    }

    fn command(profile: &Path, listen: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_throng"));
        command
            .args(["headless", "--no-discovery", "--listen", listen, "--profile"])
            .arg(profile);
        command
    }

    fn run(name: &str, mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdout = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        let (sender, events) = channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or_else(|_| json!({ "not_json": line }));
                if sender.send(event).is_err() {
                    break;
                }
            }
        });
        let stdin = child.stdin.take();
        Self {
            name: name.to_owned(),
            child,
            stdin,
            events,
            unclaimed: Vec::new(),
            log: Vec::new(),
            commands: 0,
        }
    }

    /// Writes a line as it is.
    pub(crate) fn line(&mut self, line: &[u8]) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        stdin
            .write_all(line)
            .and_then(|()| stdin.write_all(b"\n"))
            .expect("the program reads its stdin");
    }

    /// Writes a command.
    pub(crate) fn tell(&mut self, command: &Value) {
        self.line(command.to_string().as_bytes());
    }

    /// Writes a command with a tag and waits for what answers it.
    pub(crate) fn ask(&mut self, mut command: Value) -> Value {
        self.commands += 1;
        let tag = json!({ "n": self.commands });
        command["tag"] = tag.clone();
        self.tell(&command);
        self.expect(&format!("an answer to {command}"), |event| event["tag"] == tag)
    }

    /// The same for a command that is to work: fails on `error`.
    pub(crate) fn done(&mut self, command: Value, answer: &str) -> Value {
        let event = self.ask(command);
        assert_eq!(event["event"], answer, "{}: {event}", self.name);
        event
    }

    /// The same for a command that is to fail: the code and the sentence.
    pub(crate) fn fails(&mut self, command: Value) -> (String, String) {
        let event = self.ask(command.clone());
        assert_eq!(event["event"], "error", "{}: {event}", self.name);
        assert_eq!(event["command"], command["command"]);
        let text = |field: &str| event[field].as_str().expect("a string").to_owned();
        assert!(text("message").ends_with('.'), "a sentence: {event}");
        (text("code"), text("message"))
    }

    /// The first event, of those not yet asked for or to come, that is as wished.
    pub(crate) fn expect(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.unclaimed.iter().position(&is_it) {
            return self.unclaimed.remove(at);
        }
        let until = Instant::now() + DEADLINE;
        loop {
            let event = self.receive(until, what);
            if is_it(&event) {
                return event;
            }
            self.unclaimed.push(event);
        }
    }

    /// The first event of this name in this chat, as by [`Self::expect`].
    pub(crate) fn event(&mut self, name: &str, chat: &str) -> Value {
        self.expect(&format!("{name} in {chat}"), |event| {
            event["event"] == name && event["chat"] == chat
        })
    }

    /// The message with this text.
    pub(crate) fn hears(&mut self, text: &str) -> Value {
        self.expect(&format!("the message {text:?}"), |event| {
            event["event"] == "message" && event["text"] == text
        })
    }

    /// The next event of all.
    pub(crate) fn next(&mut self, what: &str) -> Value {
        if self.unclaimed.is_empty() {
            self.receive(Instant::now() + DEADLINE, what)
        } else {
            self.unclaimed.remove(0)
        }
    }

    /// The next event of all, if one comes before then.
    pub(crate) fn next_until(&mut self, until: Instant) -> Option<Value> {
        if !self.unclaimed.is_empty() {
            return Some(self.unclaimed.remove(0));
        }
        let left = until.saturating_duration_since(Instant::now());
        self.events.recv_timeout(left).ok()
    }

    /// Events that have come and were not asked for.
    pub(crate) fn unclaimed(&mut self) -> &[Value] {
        while let Ok(event) = self.events.try_recv() {
            self.log.push(event.clone());
            self.unclaimed.push(event);
        }
        &self.unclaimed
    }

    fn receive(&mut self, until: Instant, what: &str) -> Value {
        match self
            .events
            .recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            Ok(event) => {
                self.log.push(event.clone());
                event
            }
            Err(why) => {
                let came = self.log.iter().fold(String::new(), |mut text, event| {
                    let _ = writeln!(text, "  {event}");
                    text
                });
                let why = match why {
                    RecvTimeoutError::Timeout => "in time",
                    RecvTimeoutError::Disconnected => "before the end",
                };
                panic!("{}: {what} did not come {why}. What came:\n{came}", self.name)
            }
        }
    }

    /// Shuts it down in order.
    pub(crate) fn shut_down(mut self) {
        self.done(json!({ "command": "shutdown" }), "bye");
        assert!(self.ended().success(), "{}: status 0 after bye", self.name);
    }

    /// Closes its stdin, which is to end it as well.
    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Waits for its end; nothing comes after `bye`.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let until = Instant::now() + DEADLINE;
        match self.events.recv_timeout(DEADLINE) {
            Err(RecvTimeoutError::Disconnected) => {}
            other => panic!("{}: the end of output, not {other:?}", self.name),
        }
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(Instant::now() < until, "{} does not end", self.name);
            thread::yield_now();
        }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, as a shutdown of the system would (SIGTERM).
    #[cfg(unix)]
    pub(crate) fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("it runs");
    }

    /// From now on no file of the program may grow beyond so many bytes; none: as far as there is room.
    #[cfg(target_os = "linux")]
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        // It has inherited what we may have at most.
        let maximum = getrlimit(Resource::Fsize).maximum;
        let limit = Rlimit {
            current: bytes.or(maximum),
            maximum,
        };
        let pid = Some(Pid::from_child(&self.child));
        prlimit(pid, Resource::Fsize, limit).expect("a limit below the greatest");
    }

    /// Kills it: no goodbye, nothing flushed. The events that had come and were not asked for.
    pub(crate) fn kill(mut self) -> Vec<Value> {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
        self.unclaimed.extend(self.events.iter());
        std::mem::take(&mut self.unclaimed)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A field that is a string.
pub(crate) fn text(event: &Value, field: &str) -> String {
    event[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} is a string in {event}"))
        .to_owned()
}
