//! Timeline and composer through egui: by the names that a screen reader hears, and as pictures.

mod chat;
mod composer;
#[allow(unreachable_pub, reason = "shared with other tests")]
#[path = "../stage/drawing.rs"]
mod drawing;
mod pictures;
mod timeline;
