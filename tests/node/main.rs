//! The node as its peers meet it: without a clock, sockets or a profile, alone against packets made by hand, or in
//! simulated crowds in virtual time.
//!
//! These need nothing but the node: `cargo test --no-default-features --features sim --test node`.

#[path = "../common/mod.rs"]
mod common;

mod clocks;
mod crowds;
mod doors;
mod facts;
mod golden;
mod history;
mod history_hostile;
mod hostile;
mod long_messages;
mod metering;
mod moderation;
mod newcomers;
mod packets;
mod repair;
mod spread;
mod strangers;
mod threats;
