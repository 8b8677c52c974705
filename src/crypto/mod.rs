//! Key pairs, sealing, signing, hashing. The only module that names the crates for them.
//!
//! - [`BoxKeyPair`] and [`SharedKeys`]: X25519 and NaCl's `crypto_box` (Bernstein, Lange, Schwabe 2012), for every datagram;
//! - [`SigningKey`] and [`verify`]: Ed25519 (RFC 8032), for certificates, says and facts;
//! - [`SealKey`] and [`Stretch`]: XSalsa20-Poly1305 and Argon2id (RFC 9106), for secrets under a passphrase;
//! - [`hash`], [`hash_signed`], [`gate`] and [`gate_mark`]: what SHA-256 derives.
//!
//! The module does not know what the bytes mean. Randomness is handed in.

mod boxes;
mod hashing;
mod sealing;
mod signing;

pub use boxes::{BoxKeyPair, Nonce, SharedKeys, is_canonical_key};
pub use hashing::{GATE_MARK_LEN, gate, gate_mark, hash, hash_signed};
pub use rand_core::{CryptoRng, RngCore};
pub use sealing::{SALT_LEN, SEAL_OVERHEAD, STRETCH_LEN, SealKey, Stretch};
pub use signing::{Signature, SigningKey, verify};

/// `label ‖ 0 ‖ chat ‖ body`: the bytes that are signed, and hashed for an id (domain separation). No label is a prefix
/// of another, so nothing that was signed for one purpose or chat is valid for another.
fn signed_bytes(label: &str, chat: &crate::id::ChatId, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(label.len() + 1 + chat.0.len() + body.len());
    bytes.extend_from_slice(label.as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(&chat.0);
    bytes.extend_from_slice(body);
    bytes
}
