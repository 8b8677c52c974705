//! The window, by the names of its controls and as pictures.

mod stage;

mod app;
mod commands;
mod history;
mod invites;
mod leaving;
mod moderation;
mod opening;
mod pictures;
mod qr;
mod story;
mod tabs;
mod takeout;
mod timeline;
mod typing;
