//! Timeline and composer through egui: by the names that a screen reader hears, and as pictures.

mod chat;
mod composer;
mod pictures;
mod rows;
