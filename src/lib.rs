//! Throng: group chats without a server.
//!
//! The layers, from bytes to window; each knows only those below it (`tests/docs/layers.rs` checks it):
//!
//! | module | what it is for | knows |
//! |---|---|---|
//! | [`id`] | the names that everybody shares | nobody |
//! | [`wire`] | bytes to packets and back | `id` |
//! | [`crypto`] | key pairs, sealing, signing | `id` |
//! | [`invite`] | certificates and invite keys | `wire`, `crypto` |
//! | [`facts`] | signed facts: who is what in a chat, and who may do what | `wire`, `crypto`, `invite` |
//! | [`node`] | one chat as a state machine without I/O | `wire`, `crypto`, `invite`, `facts` |
//! | [`model`] | commands, events, the picture of all chats | `id` |
//! | `export` | a chat as a file to keep | `model`, `crypto` |
//! | `store` | SQLite on a thread of its own | `model`, `crypto` |
//! | `runtime` | tokio: sockets, clock and randomness for the nodes | `node`, `store`, `model`, `export` |
//! | `headless` | commands and events as JSON lines | `runtime`, `model` |
//! | `ui` | the window | `runtime`, `model`, `invite` |

pub mod crypto;
pub mod facts;
pub mod id;
pub mod invite;
pub mod model;
pub mod node;
pub mod wire;

#[cfg(feature = "net")]
pub mod export;
#[cfg(feature = "net")]
pub mod headless;
#[cfg(feature = "net")]
pub mod runtime;
#[cfg(feature = "net")]
pub mod store;
#[cfg(feature = "gui")]
pub mod ui;
