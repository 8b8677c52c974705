//! The program as it is started from a shell.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use throng::store::Store;

/// Runs the program to its end, without a display and with nothing to read.
fn throng(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_throng"));
    for variable in ["DISPLAY", "WAYLAND_SOCKET", "RUST_LOG"] {
        command.env_remove(variable);
    }
    // Empty is as good as not set.
    command
        .env("WAYLAND_DISPLAY", "")
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

fn headless(profile: &Path) -> Output {
    throng(&[
        "headless",
        "--profile",
        profile.to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
        "--no-discovery",
    ])
}

/// The events that were printed, and that nothing else was.
fn events(output: &Output) -> Vec<serde_json::Value> {
    stdout(output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn help_names_the_flags_and_the_subcommand() {
    let output = throng(&["--help"]);
    assert!(output.status.success());
    for word in ["--profile", "--listen", "--no-discovery", "headless", "--version"] {
        assert!(
            stdout(&output).contains(word),
            "{word} is not in:\n{}",
            stdout(&output)
        );
    }
    assert!(throng(&["headless", "--help"]).status.success());
}

#[test]
fn version_is_the_package_s() {
    let output = throng(&["--version"]);
    assert!(output.status.success());
    assert_eq!(
        stdout(&output),
        concat!("throng ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn what_it_does_not_know_it_says() {
    for args in [
        &["--colour", "red"][..],
        &["friends.throng", "dance"],
        &["--listen", "nowhere"],
        &["headless", "--listen", "4000"],
    ] {
        let output = throng(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(
            stderr(&output).contains(args[args.len() - 1]) || stderr(&output).contains(args[0]),
            "{args:?}"
        );
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
#[cfg(all(feature = "gui", target_os = "linux"))]
fn without_a_display_it_says_what_is_missing_and_touches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("profile");
    let output = throng(&["--profile", profile.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    for word in ["WAYLAND_DISPLAY", "DISPLAY", "throng headless"] {
        assert!(stderr(&output).contains(word), "{}", stderr(&output));
    }
    assert!(output.stdout.is_empty());
    assert!(!profile.exists());
}

#[test]
#[cfg(not(feature = "gui"))]
fn a_build_without_a_window_says_so() {
    let output = throng(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("throng headless"), "{}", stderr(&output));
}

#[test]
fn headless_starts_and_ends_with_its_input() {
    let profile = tempfile::tempdir().unwrap();
    let output = headless(profile.path());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let events = events(&output);
    assert_eq!(events.first().unwrap()["event"], "ready");
    assert_eq!(events.last().unwrap()["event"], "bye");
}

#[test]
fn a_profile_that_can_t_be_opened_is_named_in_a_sentence() {
    let locked = tempfile::tempdir().unwrap();
    let _store = Store::open(locked.path()).unwrap();
    let damaged = tempfile::tempdir().unwrap();
    std::fs::write(damaged.path().join("throng.db"), "Dear diary, ".repeat(500)).unwrap();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("file"), "").unwrap();

    let not_writable = outside.path().join("file").join("profile");
    for (profile, code) in [
        (locked.path(), "locked"),
        (damaged.path(), "damaged"),
        (&not_writable, "file"),
    ] {
        let output = headless(profile);
        assert_eq!(output.status.code(), Some(1), "{code}");
        let error = events(&output)
            .into_iter()
            .find(|event| event["event"] == "error")
            .unwrap();
        assert_eq!(error["code"], code);
        let sentence = error["message"].as_str().unwrap();
        assert!(sentence.contains(profile.to_str().unwrap()), "{sentence}");
    }
}
