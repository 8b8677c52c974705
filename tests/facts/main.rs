//! Facts: that any of them, however merged, come to one state; each rule by itself; and known answers.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that it failed")]

mod bans;
mod chains;
mod forms;
mod hostile;
mod invites;
mod merge;
#[path = "../common/page.rs"]
mod page;
mod people;
mod rights;
mod topics;
mod vectors;
