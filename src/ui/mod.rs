//! To come.

pub mod composer;
pub mod identicon;
pub mod theme;
pub mod timeline;

/// Opens the window, and runs until it is closed. To come.
pub fn run(_options: crate::runtime::Options) -> std::process::ExitCode {
    eprintln!("The window is not built yet. Use `throng headless`.");
    std::process::ExitCode::FAILURE
}
