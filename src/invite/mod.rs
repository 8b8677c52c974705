//! Certificates, which lead from a chat's key to every session in it, and invites, with which people join. The certificates
//! follow SPKI (RFC 2693): they name keys and what these may do. Pure: bytes and keys in, bytes and yes or no out.
//!
//! | certificate | signed by | label |
//! |---|---|---|
//! | [`Charter`] | the chat | `throng/1 charter` |
//! | [`InviteCertificate`] | the chat, or a moderator who shows an [`Office`] | `throng/1 invite` |
//! | [`Admission`] | the invite | `throng/1 admission` |
//! | [`SessionCertificate`] | the member | `throng/1 session` |
//!
//! A [`Credential`] admits a member for good. A [`Chain`] adds the certificate of a session. An [`InviteKey`] is the content
//! of a `.throng` file or a `throng:` link. A public chat has one invite that everybody may pass on, the door's, and may ask
//! for [`work`] there. Each of these has exactly one encoding. `docs/protocol.md` has the bytes.

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

/// A time in ms since 1970 as 6 bytes. A time that does not fit becomes the last that does.
fn write_time(time_ms: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&time_ms.min(MAX_TIME_MS).to_be_bytes()[2..]);
}

fn read_time(reader: &mut Reader<'_>) -> Result<u64, WireError> {
    let [a, b, c, d, e, f] = reader.array()?;
    Ok(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
}

/// The signed part, then the signature.
fn with_signature(mut body: Vec<u8>, signature: &Signature) -> Vec<u8> {
    body.extend_from_slice(signature);
    body
}
