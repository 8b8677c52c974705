//! Facts: that any of them, however merged, come to one state; each rule by itself; and known answers.

mod bans;
mod chains;
mod forms;
mod hostile;
mod invites;
mod merge;
mod people;
mod rights;
mod story;
mod topics;
mod vectors;
