//! The picture of all chats that the window shows, and what is exported of it.

#[path = "../common/events.rs"]
mod events;
mod picture;

mod chats;
mod export;
mod json;
mod moderation;
mod notes;
