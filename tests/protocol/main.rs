//! Bytes and the rules that follow from them alone: packets, certificates, invites, facts, with known answers.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that it failed")]

mod any;
mod page;

mod extensions;
mod facts;
mod properties;
mod seed_packets;
