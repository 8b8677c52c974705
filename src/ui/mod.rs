//! The window: an immediate-mode GUI that reads the model, returns actions and sends commands. It never waits, and touches
//! neither sockets nor the store.
//!
//! [`app`] holds the state and decides; the other modules paint a part each, do no I/O and return
//! [`action::Action`]s. [`commands`] is the one table behind shortcuts, menu and palette; [`theme`] alone knows colours
//! and sizes.

pub mod action;
pub mod app;
pub mod backend;
pub mod chat_list;
pub mod chat_view;
pub mod clock;
pub mod commands;
pub mod composer;
pub mod dialogs;
pub mod files;
pub mod header;
pub mod icons;
pub mod identicon;
mod in_order;
pub mod joining;
pub mod members;
mod notices;
mod outbox;
pub mod qr;
pub mod search;
mod secret_field;
pub mod status_bar;
pub mod switcher;
pub mod tabs;
pub mod theme;
mod time_words;
pub mod timeline;
pub mod toasts;
pub mod welcome;
pub mod widgets;
mod window;

pub use window::run;
