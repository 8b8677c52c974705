//! One program for each profile: a later start hands what it was started with to the program that has the profile, and
//! ends.
//!
//! The program that has the profile listens on a socket in the profile's folder, `throng.sock`. A later start connects
//! to it and writes one request; the answer says that the window shows it, or that there is no window. The socket is
//! removed at the end. One that a killed program left behind refuses connections, which says the same as no socket.
//!
//! Only the same user is listened to, and only they are told anything: both ends ask the system who the other is. What
//! is read is bounded in length and time, and none of it is logged: invites are secrets.
//!
//! On systems without such sockets nothing listens, and a later start is told that the profile is in use.

use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;

use tokio::sync::{mpsc, oneshot};

/// Requests that may wait for the window. A person opens a few links at a time. A guess.
pub(super) const MAX_WAITING_OPENINGS: usize = 16;

/// Where an invite comes from that a program is started with.
#[derive(Clone, PartialEq, Eq)]
pub enum InviteSource {
    /// A file.
    Path(PathBuf),
    /// The armoured text or a link.
    Text(String),
}

impl InviteSource {
    /// What a desktop hands to the program: a link, or a file as a path or a `file:` URI.
    pub fn from_argument(argument: &OsStr) -> Self {
        let text = argument.to_str().unwrap_or_default();
        let has_scheme = |scheme: &str| {
            text.get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        if has_scheme("throng:") {
            return Self::Text(text.to_owned());
        }
        let local = has_scheme("file://").then(|| &text["file://".len()..]);
        match local.and_then(|rest| rest.find('/').map(|root| &rest[root..])) {
            Some(path) => Self::Path(percent_decoded(path).into()),
            None => Self::Path(argument.into()),
        }
    }
}

/// Without the words: an invite is a secret.
impl fmt::Debug for InviteSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Path(_) => "Path(…)",
            Self::Text(_) => "Text(…)",
        })
    }
}

/// The text with `%41` and its like replaced by their bytes; as it is if those make no text.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = (*first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|digits| data_encoding::HEXLOWER_PERMISSIVE.decode(digits).ok());
        match escaped {
            Some(byte) => {
                bytes.extend(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// What became of handing over what this program was started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandOver {
    /// The window of the program that has the profile shows it: there is nothing left to do.
    Shown,
    /// No program listens for this profile: this one can have it.
    Nobody,
    /// A program has the profile and can't show it; the sentence says why and what to do.
    Refused(String),
}

/// A later start of the program, which waits for this window to show itself.
#[derive(Debug)]
pub struct Opening {
    /// The invite that it was started with.
    pub invite: Option<InviteSource>,
    shown: oneshot::Sender<()>,
}

impl Opening {
    /// The window shows itself, and the invite: the other program may end.
    pub fn shown(self) {
        // Unless it has given up.
        let _ = self.shown.send(());
    }
}

/// What a window hears of other starts of the program.
#[derive(Debug)]
pub enum OtherStart {
    /// A later one wants this window to show itself.
    Later(Opening),
    /// An earlier one has the profile, and its window shows what this one was started with: this one is to end.
    Earlier,
}

/// How a window hears of other starts of the program.
#[derive(Debug)]
pub struct OtherStarts(pub(super) mpsc::Receiver<OtherStart>);

impl OtherStarts {
    /// The next one, if there is one, without waiting.
    pub fn try_recv(&mut self) -> Option<OtherStart> {
        self.0.try_recv().ok()
    }
}

#[cfg(unix)]
pub use self::unix::hand_over;
#[cfg(unix)]
pub(super) use self::unix::{ask, listen};

#[cfg(not(unix))]
pub use self::other::hand_over;
#[cfg(not(unix))]
pub(super) use self::other::{ask, listen};

#[cfg(unix)]
mod unix {
    use std::ffi::OsString;
    use std::fs::{self, File, Permissions};
    use std::io;
    use std::os::fd::AsRawFd;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::os::unix::fs::PermissionsExt;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::net::{UnixListener, UnixStream};
    use tokio::sync::{mpsc, oneshot};
    use tokio::task::JoinHandle;
    use tokio::time::{sleep, timeout};

    use super::{HandOver, InviteSource, Opening, OtherStart};
    use crate::runtime::{Options, profile_folder};
    use crate::store::SOCKET;

    /// The longest path of a socket, in bytes: the smallest of the systems' (108 on Linux, 104 on macOS), with room for
    /// the zero at its end.
    const MAX_PATH_LEN: usize = 100;

    /// The longest request in bytes. Linux has no longer arguments (128 KiB), and no invite is nearly as long.
    const MAX_REQUEST_LEN: usize = (128 << 10) + 16;

    /// How long a start waits for the program that has the profile. It answers within a frame unless it hangs. A guess.
    const ANSWER_WITHIN: Duration = Duration::from_secs(5);

    /// The same for a start that shows nothing meanwhile. A guess.
    const ANSWER_AT_ONCE_WITHIN: Duration = Duration::from_secs(2);

    /// How long the program that has the profile waits for a request to come in whole. A guess.
    const REQUEST_WITHIN: Duration = Duration::from_secs(2);

    /// How long it waits before it listens again after it could not, for want of files that may be open, say.
    const LISTEN_AGAIN_AFTER: Duration = Duration::from_secs(1);

    // Requests: what is to be shown, and from the line's end on, the invite.
    const WINDOW: &[u8] = b"window\n";
    const TEXT: &[u8] = b"text\n";
    const PATH: &[u8] = b"path\n";

    // Answers.
    const SHOWN: &[u8] = b"shown\n";
    const NO_WINDOW: &[u8] = b"no window\n";

    /// Hands what this program was started with to the one that has the profile. Waits for its answer, for at most 2 s: a
    /// window that is opened then asks again, and waits longer.
    pub fn hand_over(options: &Options, invite: Option<&InviteSource>) -> HandOver {
        let Some(folder) = profile_folder(options) else {
            return HandOver::Nobody;
        };
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build();
        match tokio {
            Ok(tokio) => tokio.block_on(ask_within(&folder, invite, ANSWER_AT_ONCE_WITHIN)),
            // Starting will say what is the matter.
            Err(_) => HandOver::Nobody,
        }
    }

    /// As [`hand_over`], for one that shows already that it waits: for at most 5 s.
    pub(in crate::runtime) async fn ask(folder: &Path, invite: Option<&InviteSource>) -> HandOver {
        ask_within(folder, invite, ANSWER_WITHIN).await
    }

    async fn ask_within(folder: &Path, invite: Option<&InviteSource>, patience: Duration) -> HandOver {
        let request = encode(invite);
        let asked = async {
            let socket = SocketPath::in_folder(folder)?;
            let stream = UnixStream::connect(&socket.path).await?;
            if !is_same_user(&stream)? {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            write_all(&stream, &request).await?;
            read_to_end(stream, SHOWN.len().max(NO_WINDOW.len())).await
        };
        match timeout(patience, asked).await {
            Ok(Ok(answer)) if answer == SHOWN => HandOver::Shown,
            Ok(Ok(answer)) if answer == NO_WINDOW => HandOver::Refused(format!(
                "Throng is already running with the profile in {}, without a window (throng headless). End it to \
                 open its chats in a window, or start with another folder (--profile DIR).",
                folder.display()
            )),
            Ok(Ok(_)) => HandOver::Nobody, // It is about to end.
            Ok(Err(error)) => {
                tracing::debug!(%error, "no program listens for this profile");
                HandOver::Nobody
            }
            Err(_) => HandOver::Refused(format!(
                "Throng is already running with the profile in {}, but it does not answer. Wait until it does, or end \
                 it, and start again.",
                folder.display()
            )),
        }
    }

    /// Listens for later starts for as long as this lives.
    pub(in crate::runtime) struct Listening {
        socket: SocketPath,
        task: JoinHandle<()>,
    }

    impl Drop for Listening {
        fn drop(&mut self) {
            self.task.abort();
            // One that can't be removed refuses connections.
            let _ = fs::remove_file(&self.socket.path);
        }
    }

    /// Listens in a profile that this program has locked. What later starts want goes to the window; without one they
    /// are told so. None: the folder takes no sockets, and later starts will be told that the profile is in use.
    pub(in crate::runtime) fn listen(
        folder: &Path,
        window: Option<mpsc::Sender<OtherStart>>,
        wake: Arc<dyn Fn() + Send + Sync>,
    ) -> Option<Listening> {
        let opened = SocketPath::in_folder(folder).and_then(|socket| {
            // Nobody else has the profile, so nobody listens on what lies there.
            let _ = fs::remove_file(&socket.path);
            let listener = UnixListener::bind(&socket.path)?;
            fs::set_permissions(&socket.path, Permissions::from_mode(0o600))?;
            Ok((socket, listener))
        });
        match opened {
            Ok((socket, listener)) => Some(Listening {
                socket,
                task: tokio::spawn(accept(listener, window, wake)),
            }),
            Err(error) => {
                tracing::warn!(%error, "later starts can't be listened for");
                None
            }
        }
    }

    async fn accept(
        listener: UnixListener,
        window: Option<mpsc::Sender<OtherStart>>,
        wake: Arc<dyn Fn() + Send + Sync>,
    ) {
        loop {
            match listener.accept().await {
                // One at a time: each is soon done, or given up.
                Ok((stream, _)) => {
                    if let Err(error) = serve(stream, window.as_ref(), &*wake).await {
                        tracing::debug!(%error, "a later start was not answered");
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "a later start was not heard");
                    sleep(LISTEN_AGAIN_AFTER).await;
                }
            }
        }
    }

    async fn serve(
        stream: UnixStream,
        window: Option<&mpsc::Sender<OtherStart>>,
        wake: &(dyn Fn() + Send + Sync),
    ) -> io::Result<()> {
        if !is_same_user(&stream)? {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let request = timeout(REQUEST_WITHIN, read_request(&stream)).await??;
        let invite = decode(&request).ok_or(io::ErrorKind::InvalidData)?;
        let Some(window) = window else {
            return write_all(&stream, NO_WINDOW).await;
        };
        let (shown, is_shown) = oneshot::channel();
        let opening = OtherStart::Later(Opening { invite, shown });
        window.try_send(opening).map_err(|_| io::ErrorKind::WouldBlock)?;
        wake();
        match timeout(ANSWER_WITHIN, is_shown).await {
            Ok(Ok(())) => write_all(&stream, SHOWN).await,
            // The window hangs, or is about to close: without an answer the other program knows.
            _ => Ok(()),
        }
    }

    fn encode(invite: Option<&InviteSource>) -> Vec<u8> {
        let (kind, invite) = match invite {
            None => (WINDOW, Vec::new()),
            Some(InviteSource::Text(text)) => (TEXT, text.clone().into_bytes()),
            Some(InviteSource::Path(path)) => {
                // The other program has another folder to begin at.
                let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                (PATH, path.into_os_string().into_vec())
            }
        };
        let length = u32::try_from(kind.len() + invite.len()).unwrap_or(u32::MAX);
        [&length.to_be_bytes(), kind, &invite[..]].concat()
    }

    /// What a request wants shown; none: it is not one.
    #[allow(clippy::option_option, reason = "a request need not have an invite")]
    fn decode(request: &[u8]) -> Option<Option<InviteSource>> {
        if request == WINDOW {
            return Some(None);
        }
        if let Some(text) = request.strip_prefix(TEXT) {
            return Some(Some(InviteSource::Text(String::from_utf8(text.to_vec()).ok()?)));
        }
        let path = request.strip_prefix(PATH)?;
        Some(Some(InviteSource::Path(OsString::from_vec(path.to_vec()).into())))
    }

    fn is_same_user(stream: &UnixStream) -> io::Result<bool> {
        // Both ends of a pair are ours.
        let (own, _other) = UnixStream::pair()?;
        Ok(stream.peer_cred()?.uid() == own.peer_cred()?.uid())
    }

    /// Reads a request: its length as 4 bytes, the highest first, then as many.
    async fn read_request(stream: &UnixStream) -> io::Result<Vec<u8>> {
        let mut length = [0; 4];
        read_exact(stream, &mut length).await?;
        let length = u32::from_be_bytes(length) as usize;
        if length > MAX_REQUEST_LEN {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut request = vec![0; length];
        read_exact(stream, &mut request).await?;
        Ok(request)
    }

    async fn read_exact(stream: &UnixStream, mut into: &mut [u8]) -> io::Result<()> {
        while !into.is_empty() {
            stream.readable().await?;
            match stream.try_read(into) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => into = &mut into[read..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads until the other end closes, `most` bytes at most.
    async fn read_to_end(stream: UnixStream, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; most];
        let mut filled = 0;
        while filled < most {
            stream.readable().await?;
            match stream.try_read(&mut bytes[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    async fn write_all(stream: &UnixStream, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            stream.writable().await?;
            match stream.try_write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The path of the socket in a folder, in a form that is short enough for a socket.
    struct SocketPath {
        path: PathBuf,
        /// Open for as long as the path leads through it.
        _folder: Option<File>,
    }

    impl SocketPath {
        fn in_folder(folder: &Path) -> io::Result<Self> {
            let path = folder.join(SOCKET);
            if path.as_os_str().as_bytes().len() <= MAX_PATH_LEN {
                return Ok(Self { path, _folder: None });
            }
            let folder = File::open(folder)?;
            let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd()));
            Ok(Self {
                path,
                _folder: Some(folder),
            })
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn requests_are_read_as_they_were_written() {
            let not_text = OsString::from_vec(b"/tmp/\xFF.throng".to_vec());
            for invite in [
                None,
                Some(InviteSource::Text("throng:AQAB".to_owned())),
                Some(InviteSource::Path(PathBuf::from(not_text))),
            ] {
                let request = encode(invite.as_ref());
                let (length, request) = request.split_at(4);
                assert_eq!(length, u32::try_from(request.len()).expect("short").to_be_bytes());
                assert!(decode(request) == Some(invite));
            }
            for nonsense in [
                &b""[..],
                b"window",
                b"text",
                b"text\n\xFF",
                b"quit\n",
                b"window\nmore",
            ] {
                assert!(decode(nonsense).is_none(), "{nonsense:?}");
            }
        }
    }
}

#[cfg(not(unix))]
mod other {
    use std::path::Path;
    use std::sync::Arc;

    use tokio::sync::mpsc;

    use super::{HandOver, InviteSource, OtherStart};
    use crate::runtime::Options;

    /// Nobody listens here: the profile's lock says that it is in use.
    pub fn hand_over(_options: &Options, _invite: Option<&InviteSource>) -> HandOver {
        HandOver::Nobody
    }

    pub(in crate::runtime) async fn ask(_folder: &Path, _invite: Option<&InviteSource>) -> HandOver {
        HandOver::Nobody
    }

    pub(in crate::runtime) fn listen(
        _folder: &Path,
        _window: Option<mpsc::Sender<OtherStart>>,
        _wake: Arc<dyn Fn() + Send + Sync>,
    ) -> Option<()> {
        None
    }
}
