//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use throng::runtime::Options;

/// Group chats without a server.
///
/// Opens the window. Everything of one user is kept in one folder, the profile; a second window takes another.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Cli {
    /// What to do instead of opening the window.
    #[command(subcommand)]
    pub(crate) mode: Option<Mode>,
    /// An invite to open in the window: a .throng file, or a throng: link
    pub(crate) invite: Option<OsString>,
    #[command(flatten)]
    start: StartArgs,
}

/// What the program can do apart from opening its window.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Mode {
    /// Runs without a window: JSON commands on stdin, a line each, and JSON events on stdout.
    Headless,
}

/// Flags of both modes, to be given before or after the subcommand.
#[derive(Debug, Args)]
struct StartArgs {
    /// The folder to keep everything in [default: the system's place for this user's data]
    #[arg(long, global = true, value_name = "DIR")]
    profile: Option<PathBuf>,
    /// Where to listen, for example 0.0.0.0:4000 or [::]:0. Port 0: any free one. With several chats, each takes the
    /// next free one [default: any]
    #[arg(long, global = true, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Only use addresses that were given: from invites, from members, and typed in
    #[arg(long, global = true)]
    no_discovery: bool,
}

impl Cli {
    /// What the flags ask of the runtime.
    pub(crate) fn into_options(self) -> Options {
        let StartArgs {
            profile,
            listen,
            no_discovery,
        } = self.start;
        Options {
            profile,
            listen,
            discovery: !no_discovery,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_invite_is_what_a_desktop_hands_over() {
        let cli = Cli::try_parse_from(["throng", "--profile", "p", "throng:AQAB"]).expect("an invite");
        assert_eq!(cli.invite.as_deref(), Some("throng:AQAB".as_ref()));
        assert!(cli.mode.is_none());
    }

    #[test]
    fn flags_stand_before_or_after_the_subcommand() {
        let flags = ["--profile", "p", "--listen", "[::1]:4000", "--no-discovery"];
        let before = [&["throng"], &flags[..], &["headless"]].concat();
        let after = [&["throng", "headless"], &flags[..]].concat();
        for line in [before, after] {
            let cli = Cli::try_parse_from(&line).expect("both orders are allowed");
            assert!(matches!(cli.mode, Some(Mode::Headless)), "{line:?}");
            let options = cli.into_options();
            assert_eq!(options.profile, Some(PathBuf::from("p")), "{line:?}");
            assert_eq!(
                options.listen,
                Some(SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 4000))),
                "{line:?}"
            );
            assert!(!options.discovery, "{line:?}");
        }
    }
}
