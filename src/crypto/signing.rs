use std::fmt;

use ed25519_dalek::{Signer, VerifyingKey};
use rand_core::{CryptoRng, RngCore};
use zeroize::Zeroizing;

use super::signed_bytes;
use crate::id::ChatId;

/// An Ed25519 signature, 64 bytes.
pub type Signature = [u8; 64];

/// An Ed25519 key pair: a chat's, a member's or an invite's. The secret half is wiped on drop.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// A new one.
    pub fn generate(rng: &mut (impl CryptoRng + RngCore)) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *seed);
        Self::from_seed(*seed)
    }

    /// The key pair of this seed (RFC 8032's private key).
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(&Zeroizing::new(seed)))
    }

    /// The seed. Everybody who has it can sign: it belongs in the store and in invites, nowhere else.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Signs `label ‖ 0 ‖ chat ‖ body`.
    pub fn sign(&self, label: &str, chat: &ChatId, body: &[u8]) -> Signature {
        self.0.sign(&signed_bytes(label, chat, body)).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SigningKey(of {}…)",
            data_encoding::HEXLOWER.encode(&self.public()[..4])
        )
    }
}

impl PartialEq for SigningKey {
    /// Compares the public halves, which are no secrets.
    fn eq(&self, other: &Self) -> bool {
        self.public() == other.public()
    }
}

impl Eq for SigningKey {}

/// Whether `public` signed `label ‖ 0 ‖ chat ‖ body`. Verification is strict (no keys of low order, one spelling of a
/// signature), so that all nodes agree on what is signed.
pub fn verify(public: &[u8; 32], label: &str, chat: &ChatId, body: &[u8], signature: &Signature) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(public) else {
        return false;
    };
    let signature = ed25519_dalek::Signature::from_bytes(signature);
    key.verify_strict(&signed_bytes(label, chat, body), &signature)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_key_label_chat_and_body_alone() {
        let (key, other) = (SigningKey::from_seed([1; 32]), SigningKey::from_seed([2; 32]));
        let (chat, elsewhere) = (ChatId([3; 32]), ChatId([4; 32]));
        let mut signature = key.sign("throng/1 say", &chat, b"hi");
        let holds = |key: &SigningKey, label, chat, body, signature: &Signature| {
            verify(&key.public(), label, chat, body, signature)
        };
        assert!(holds(&key, "throng/1 say", &chat, b"hi", &signature));
        assert!(!holds(&other, "throng/1 say", &chat, b"hi", &signature));
        assert!(!holds(&key, "throng/1 fact", &chat, b"hi", &signature));
        assert!(!holds(&key, "throng/1 say", &elsewhere, b"hi", &signature));
        assert!(!holds(&key, "throng/1 say", &chat, b"ho", &signature));
        signature[63] ^= 0x80;
        assert!(!holds(&key, "throng/1 say", &chat, b"hi", &signature));
    }

    #[test]
    fn a_key_of_low_order_signs_nothing() {
        // The neutral point, and a signature (R neutral, s = 0) that lenient verification takes for any text.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        assert!(!verify(
            &neutral,
            "throng/1 say",
            &ChatId([0; 32]),
            b"anything",
            &signature
        ));
    }

    #[test]
    fn the_seed_does_not_show_and_gives_the_key_back() {
        let key = SigningKey::from_seed([0xAB; 32]);
        assert!(!format!("{key:?}").to_lowercase().contains("abab"));
        assert_eq!(SigningKey::from_seed(*key.seed()), key);
    }
}
