//! The program itself, in processes of its own, as a shell, a bot or a peer meets it.

mod process;
mod scene;

mod classic_peer;
mod cli;
mod commands;
mod exports;
mod files;
mod flood;
mod full_disk;
mod headless;
mod history;
#[cfg(unix)]
mod instance;
mod joining;
mod killed;
mod moderation;
mod secrets;
mod takeout;
