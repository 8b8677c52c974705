//! Key pairs, sealing, signing, hashing: the only module that names the crates that do it.
//!
//! - [`BoxKeyPair`] and [`SharedKeys`]: X25519 and NaCl's `crypto_box`, what seals every datagram;
//! - [`SigningKey`] and [`verify`]: Ed25519, what certificates, says and facts are signed with;
//! - [`SealKey`] and [`Stretch`]: XSalsa20-Poly1305 and Argon2id, for what a passphrase keeps;
//! - [`hash`], [`hash_signed`], [`gate`] and [`gate_mark`]: what is derived by SHA-256.
//!
//! It knows nothing of what the bytes mean. Randomness is handed in.

mod boxes;
mod hashing;
mod sealing;
mod signing;

pub use boxes::{BoxKeyPair, Nonce, SharedKeys, is_canonical_key};
pub use hashing::{GATE_MARK_LEN, gate, gate_mark, hash, hash_signed};
pub use rand_core::{CryptoRng, RngCore};
pub use sealing::{SALT_LEN, SEAL_OVERHEAD, STRETCH_LEN, SealKey, Stretch};
pub use signing::{Signature, SigningKey, verify};

/// `label ‖ 0 ‖ chat ‖ body`: what is signed, and what is hashed to name it. No label is the beginning of another,
/// and the chat stands in it, so that nothing signed for one purpose or chat serves in another.
fn signed_bytes(label: &str, chat: &crate::id::ChatId, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(label.len() + 1 + chat.0.len() + body.len());
    bytes.extend_from_slice(label.as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(&chat.0);
    bytes.extend_from_slice(body);
    bytes
}
