//! Keys that seal data on the disk, and how they are derived from a passphrase: NaCl's `secretbox`, Argon2id (RFC 9106).

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use crypto_secretbox::aead::{Aead, KeyInit};
use crypto_secretbox::{Nonce as SealNonce, XSalsa20Poly1305};
use zeroize::Zeroizing;

use super::{Nonce, hash};

/// By how many bytes sealing makes data longer.
pub const SEAL_OVERHEAD: usize = 16;

/// Length of [`Stretch::encode`], in bytes.
pub const STRETCH_LEN: usize = 9;

/// Length of the salt for a passphrase, in bytes, as RFC 9106 (section 3.1) recommends.
pub const SALT_LEN: usize = 16;

/// The most memory that a file can ask for, in KiB: 256 MiB. A guess: four times what is used today.
const MAX_MEMORY_KIB: u32 = 256 << 10;

/// The most passes that a file can ask for. A guess: some seconds of work with the memory above.
const MAX_PASSES: u32 = 16;

/// The most lanes that a file can ask for. A guess.
const MAX_LANES: u8 = 16;

/// A key of 32 bytes for XSalsa20-Poly1305 (NaCl's `secretbox`). It is wiped on drop.
#[derive(Clone)]
pub struct SealKey(Zeroizing<[u8; 32]>);

impl SealKey {
    /// The key of these bytes.
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// Its bytes, to seal them by another.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Derives another key: SHA-256 over `label`, a zero byte, this key and `about`. Sealed data is bound to what it is
    /// about, so it can't be moved to another place.
    pub fn derive(&self, label: &str, about: &[u8]) -> Self {
        Self(Zeroizing::new(hash(&[label.as_bytes(), &[0], &*self.0, about])))
    }

    /// Seals. Never use a nonce twice with one key.
    pub fn seal(&self, nonce: &Nonce, plain: &[u8]) -> Vec<u8> {
        self.cipher()
            .encrypt(SealNonce::from_slice(nonce), plain)
            .expect("what lies in memory is not too long to be sealed")
    }

    /// Opens. `None` if it was not sealed with this key and this nonce.
    pub fn open(&self, nonce: &Nonce, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let plain = self.cipher().decrypt(SealNonce::from_slice(nonce), sealed);
        plain.ok().map(Zeroizing::new)
    }

    fn cipher(&self) -> XSalsa20Poly1305 {
        XSalsa20Poly1305::new((&*self.0).into())
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(…)")
    }
}

/// The cost of deriving a key from a passphrase by Argon2id, version 0x13. Every guess costs as much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    memory_kib: u32,
    passes: u32,
    lanes: u8,
}

impl Stretch {
    /// For new files: 64 MiB, 3 passes, 4 lanes, the second recommendation of RFC 9106 (section 4), for computers that
    /// can't spare 2 GiB.
    pub const STANDARD: Self = Self {
        memory_kib: 64 << 10,
        passes: 3,
        lanes: 4,
    };

    /// Memory in KiB and passes, 4 bytes each, big-endian; lanes, 1 byte.
    pub fn encode(&self) -> [u8; STRETCH_LEN] {
        let mut bytes = [0; STRETCH_LEN];
        bytes[..4].copy_from_slice(&self.memory_kib.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.passes.to_be_bytes());
        bytes[8] = self.lanes;
        bytes
    }

    /// Reads what [`Self::encode`] wrote. `None` if Argon2 does not take it, or if it asks for more than 256 MiB, 16 passes
    /// or 16 lanes: a file must not fill the memory or keep the processor busy for hours.
    pub fn decode(bytes: &[u8; STRETCH_LEN]) -> Option<Self> {
        let number = |at: usize| bytes[at..].first_chunk().copied().map(u32::from_be_bytes);
        let stretch = Self {
            memory_kib: number(0)?,
            passes: number(4)?,
            lanes: bytes[8],
        };
        let bounded = stretch.memory_kib <= MAX_MEMORY_KIB
            && stretch.passes <= MAX_PASSES
            && stretch.lanes <= MAX_LANES;
        (bounded && stretch.params().is_some()).then_some(stretch)
    }

    /// Derives the key of a passphrase. This takes a good part of a second, and the memory that it says.
    pub fn key(&self, passphrase: &[u8], salt: &[u8; SALT_LEN]) -> SealKey {
        let mut key = Zeroizing::new([0; 32]);
        let params = self.params().expect("checked when it was read");
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase, salt, &mut *key)
            .expect("a passphrase is far shorter than 4 GiB, and salt and key have their lengths");
        SealKey(key)
    }

    fn params(&self) -> Option<Params> {
        Params::new(self.memory_kib, self.passes, u32::from(self.lanes), Some(32)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SealKey {
        SealKey::new(Zeroizing::new([byte; 32]))
    }

    #[test]
    fn what_is_sealed_opens_by_its_key_and_nonce_alone_and_unchanged() {
        for plain in [&b""[..], b"a seed"] {
            let sealed = key(1).seal(&[7; 24], plain);
            assert_eq!(sealed.len(), plain.len() + SEAL_OVERHEAD);
            assert_eq!(
                key(1).open(&[7; 24], &sealed).as_deref().map(Vec::as_slice),
                Some(plain)
            );
            assert!(key(2).open(&[7; 24], &sealed).is_none());
            assert!(key(1).open(&[8; 24], &sealed).is_none());
            assert!(key(1).derive("label", b"a").open(&[7; 24], &sealed).is_none());
            for at in 0..sealed.len() {
                let mut changed = sealed.clone();
                changed[at] ^= 1;
                assert!(key(1).open(&[7; 24], &changed).is_none(), "byte {at}");
            }
            assert!(key(1).open(&[7; 24], &sealed[1..]).is_none());
        }
    }

    #[test]
    fn no_file_can_ask_for_more_than_its_share() {
        assert_eq!(
            Stretch::decode(&Stretch::STANDARD.encode()),
            Some(Stretch::STANDARD)
        );
        let asks = |memory_kib: u32, passes: u32, lanes: u8| {
            Stretch::decode(
                &Stretch {
                    memory_kib,
                    passes,
                    lanes,
                }
                .encode(),
            )
            .is_some()
        };
        assert!(asks(256 << 10, 16, 16));
        assert!(!asks((256 << 10) + 1, 3, 4), "over 256 MiB");
        assert!(!asks(100 << 20, 3, 4), "100 GiB");
        assert!(!asks(u32::MAX, u32::MAX, u8::MAX));
        assert!(!asks(64 << 10, 17, 4) && !asks(64 << 10, 3, 17));
        assert!(!asks(64 << 10, 0, 4) && !asks(64 << 10, 3, 0) && !asks(7, 3, 1));
    }

    #[test]
    fn passphrase_salt_and_work_all_count() {
        let stretch = Stretch {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        };
        let one = stretch.key(b"one", &[1; SALT_LEN]);
        let others = [
            stretch.key(b"two", &[1; SALT_LEN]),
            stretch.key(b"one", &[2; SALT_LEN]),
            Stretch { passes: 2, ..stretch }.key(b"one", &[1; SALT_LEN]),
        ];
        assert_eq!(one.bytes(), stretch.key(b"one", &[1; SALT_LEN]).bytes());
        assert!(others.iter().all(|other| other.bytes() != one.bytes()));
        assert_eq!(format!("{one:?}"), "SealKey(…)");
    }
}
