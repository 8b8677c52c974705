//! Certificates, which lead from a chat's key to every session in it, and invites, which let somebody make
//! theirs. Pure: bytes and keys in, bytes and yes or no out.
//!
//! | certificate | signed by | label |
//! |---|---|---|
//! | [`Charter`] | the chat | `throng/1 charter` |
//! | [`InviteCertificate`] | the chat, or a moderator who shows an [`Office`] | `throng/1 invite` |
//! | [`Admission`] | the invite | `throng/1 admission` |
//! | [`SessionCertificate`] | the member | `throng/1 session` |
//!
//! A [`Credential`] is what admits a member for good, a [`Chain`] adds the session's certificate to it, an
//! [`InviteKey`] is what a `.throng` file or a `throng:` link holds; the one that everybody may hand on is the **door**
//! of a public chat, where [`work`] may be asked for. Each has one encoding: what is taken is given back to the byte.
//! `docs/protocol.md` has them in bytes.

mod certificate;
mod chain;
mod charter;
mod error;
mod form;
mod key;
mod office;
mod text;
pub mod work;

pub use certificate::{Admission, InviteCertificate, Rights, SessionCertificate};
pub use chain::{Chain, Credential};
pub use charter::{Charter, MAX_CHAT_NAME_LEN};
pub use error::InviteError;
pub use key::{InviteKey, MAX_FILE_ADDRESSES, MAX_LINK_ADDRESSES, SeenAddress};
pub use office::Office;
pub use text::MAX_INVITE_FILE_LEN;

use crate::crypto::Signature;
use crate::wire::{Reader, WireError};

/// The greatest time that fits in 6 bytes, in ms: the year 10,889.
const MAX_TIME_MS: u64 = (1 << 48) - 1;

/// A time in ms since 1970 as 6 bytes; a later one than fits becomes the last that does.
fn write_time(time_ms: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&time_ms.min(MAX_TIME_MS).to_be_bytes()[2..]);
}

fn read_time(reader: &mut Reader<'_>) -> Result<u64, WireError> {
    let [a, b, c, d, e, f] = reader.array()?;
    Ok(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
}

/// What is signed, and the signature after it.
fn with_signature(mut body: Vec<u8>, signature: &Signature) -> Vec<u8> {
    body.extend_from_slice(signature);
    body
}
