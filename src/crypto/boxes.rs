use std::fmt;

use crypto_box::aead::{AeadInPlace, generic_array::GenericArray};
use crypto_box::{PublicKey, SalsaBox, SecretKey};
use hashlink::LruCache;
use rand_core::{CryptoRng, RngCore};
use zeroize::Zeroizing;

use crate::id::ClientId;

/// Makes two boxes between the same keys differ: 24 bytes, random and used once.
pub type Nonce = [u8; 24];

/// Length of the Poly1305 tag before the sealed bytes, in bytes.
const TAG_LEN: usize = 16;

/// An X25519 key pair: a session's, or a rendezvous key's. The secret half is wiped on drop.
#[derive(Clone)]
pub struct BoxKeyPair {
    secret: SecretKey,
    client_id: ClientId,
}

impl BoxKeyPair {
    /// A new one.
    pub fn generate(rng: &mut (impl CryptoRng + RngCore)) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        rng.fill_bytes(&mut *secret);
        Self::from_secret(*secret)
    }

    /// The key pair with this secret half.
    pub fn from_secret(secret: [u8; 32]) -> Self {
        let secret = SecretKey::from_bytes(*Zeroizing::new(secret));
        let client_id = ClientId(secret.public_key().to_bytes());
        Self { secret, client_id }
    }

    /// The public half.
    pub fn client_id(&self) -> ClientId {
        self.client_id
    }
}

impl fmt::Debug for BoxKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxKeyPair")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// An own key pair, with a bounded cache of the keys that it shares with its peers: a key agreement costs some 25 times
/// as much as opening a datagram.
pub struct SharedKeys {
    own: BoxKeyPair,
    shared: LruCache<ClientId, SalsaBox>,
}

impl SharedKeys {
    /// Caches the shared keys of the `capacity` peers that were used last (at least one).
    pub fn new(own: BoxKeyPair, capacity: usize) -> Self {
        Self {
            own,
            shared: LruCache::new(capacity.max(1)),
        }
    }

    /// The public half of the own key pair.
    pub fn client_id(&self) -> ClientId {
        self.own.client_id
    }

    /// Seals to a peer; the box is 16 bytes longer than `plain`. `None` if the peer's key is of low order: anybody could
    /// open such a box.
    pub fn seal(&mut self, peer: &ClientId, nonce: &Nonce, plain: &[u8]) -> Option<Vec<u8>> {
        let mut sealed = Vec::with_capacity(TAG_LEN + plain.len());
        sealed.extend_from_slice(&[0; TAG_LEN]);
        sealed.extend_from_slice(plain);
        let (tag, text) = sealed.split_at_mut(TAG_LEN);
        let computed = self
            .shared_with(peer)?
            .encrypt_in_place_detached(GenericArray::from_slice(nonce), &[], text)
            .expect("any length can be sealed, and there is no associated data");
        tag.copy_from_slice(&computed);
        Some(sealed)
    }

    /// Opens a box from a peer, or our own to it, since both directions share one key. `None` if it does not authenticate,
    /// or if the peer's key is of low order.
    pub fn open(&mut self, peer: &ClientId, nonce: &Nonce, sealed: &[u8]) -> Option<Vec<u8>> {
        let (tag, text) = sealed.split_at_checked(TAG_LEN)?;
        let mut plain = text.to_vec();
        self.shared_with(peer)?
            .decrypt_in_place_detached(
                GenericArray::from_slice(nonce),
                &[],
                &mut plain,
                GenericArray::from_slice(tag),
            )
            .ok()?;
        Some(plain)
    }

    fn shared_with(&mut self, peer: &ClientId) -> Option<&SalsaBox> {
        if !self.shared.contains_key(peer) {
            if is_low_order(peer) {
                return None;
            }
            self.shared.insert(
                *peer,
                SalsaBox::new(&PublicKey::from_bytes(peer.0), &self.own.secret),
            );
        }
        self.shared.get(peer)
    }
}

impl fmt::Debug for SharedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedKeys")
            .field("own", &self.own)
            .field("peers", &self.shared.len())
            .finish_non_exhaustive()
    }
}

/// Whether a client_id is canonical: below 2^255-19 and not of low order. X25519 takes other spellings of a key (it
/// ignores the top bit), so without this check one key could have certificates under several names.
pub fn is_canonical_key(key: &ClientId) -> bool {
    // Little-endian: the most significant byte is the last one.
    let below_prime = key.0.iter().rev().lt(PRIME.iter().rev());
    below_prime && !is_low_order(key)
}

/// 2^255-19, little-endian.
const PRIME: [u8; 32] = {
    let mut prime = [0xFF; 32];
    prime[0] = 0xED;
    prime[31] = 0x7F;
    prime
};

/// The u-coordinates of points of order 1, 2, 4 and 8 on curve25519 and on its twist, in every spelling below
/// 2^255. With any of them the shared secret is all zeros.
/// Source: <https://cr.yp.to/ecdh.html>, "How do I validate Curve25519 public keys?".
const LOW_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    small(1),
    [
        0xE0, 0xEB, 0x7A, 0x7C, 0x3B, 0x41, 0xB8, 0xAE, 0x16, 0x56, 0xE3, 0xFA, 0xF1, 0x9F, 0xC4, 0x6A, 0xDA,
        0x09, 0x8D, 0xEB, 0x9C, 0x32, 0xB1, 0xFD, 0x86, 0x62, 0x05, 0x16, 0x5F, 0x49, 0xB8, 0x00,
    ],
    [
        0x5F, 0x9C, 0x95, 0xBC, 0xA3, 0x50, 0x8C, 0x24, 0xB1, 0xD0, 0xB1, 0x55, 0x9C, 0x83, 0xEF, 0x5B, 0x04,
        0x44, 0x5C, 0xC4, 0x58, 0x1C, 0x8E, 0x86, 0xD8, 0x22, 0x4E, 0xDD, 0xD0, 0x9F, 0x11, 0x57,
    ],
    near_prime(0xEC),
    near_prime(0xED),
    near_prime(0xEE),
];

const fn small(first: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = first;
    bytes
}

const fn near_prime(first: u8) -> [u8; 32] {
    let mut bytes = PRIME;
    bytes[0] = first;
    bytes
}

fn is_low_order(key: &ClientId) -> bool {
    let mut bytes = key.0;
    bytes[31] &= 0x7F;
    LOW_ORDER.contains(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(byte: u8) -> BoxKeyPair {
        BoxKeyPair::from_secret([byte; 32])
    }

    #[test]
    fn a_box_opens_for_its_receiver_alone_and_unchanged() {
        let (alice, bob, carol) = (pair(1), pair(2), pair(3));
        let mut to_bob = SharedKeys::new(alice.clone(), 4);
        let mut at_bob = SharedKeys::new(bob.clone(), 4);
        let nonce = [7; 24];
        for plain in [&b""[..], b"hello"] {
            let mut sealed = to_bob
                .seal(&bob.client_id(), &nonce, plain)
                .expect("a proper key");
            assert_eq!(sealed.len(), 16 + plain.len());
            assert_eq!(
                at_bob.open(&alice.client_id(), &nonce, &sealed).as_deref(),
                Some(plain)
            );
            assert_eq!(at_bob.open(&carol.client_id(), &nonce, &sealed), None);
            assert_eq!(at_bob.open(&alice.client_id(), &[8; 24], &sealed), None);
            sealed[0] ^= 1;
            assert_eq!(at_bob.open(&alice.client_id(), &nonce, &sealed), None);
        }
        assert_eq!(at_bob.open(&alice.client_id(), &nonce, &[0; 15]), None);
    }

    #[test]
    fn keys_of_low_order_are_refused_in_every_spelling() {
        let mut keys = SharedKeys::new(pair(1), 4);
        for mut bytes in LOW_ORDER {
            for top in [0, 0x80] {
                bytes[31] = bytes[31] & 0x7F | top;
                let key = ClientId(bytes);
                // Tested by their effect: everybody shares the same key with them.
                let sealed = |own: u8| {
                    let shared = SalsaBox::new(&PublicKey::from_bytes(bytes), &pair(own).secret);
                    shared
                        .encrypt_in_place_detached(&GenericArray::default(), &[], &mut [0; 8])
                        .expect("it can be sealed all the same")
                };
                assert_eq!(sealed(1), sealed(2), "{key}");
                assert!(!is_canonical_key(&key), "{key}");
                assert_eq!(keys.seal(&key, &[0; 24], b"x"), None, "{key}");
                assert_eq!(keys.open(&key, &[0; 24], &[0; 17]), None, "{key}");
            }
        }
    }

    #[test]
    fn only_one_spelling_of_a_key_is_canonical() {
        let mut key = pair(1).client_id();
        assert!(is_canonical_key(&key));
        key.0[31] |= 0x80;
        assert!(!is_canonical_key(&key));
        // 2^255-19+9 is another spelling of 9, the base point.
        assert!(is_canonical_key(&ClientId(small(9))));
        assert!(!is_canonical_key(&ClientId(near_prime(0xED + 9))));
        // The greatest canonical one.
        assert!(is_canonical_key(&ClientId(near_prime(0xEB))));
    }

    #[test]
    fn the_cache_stays_within_its_bound() {
        let mut keys = SharedKeys::new(pair(1), 3);
        for byte in 2..20 {
            let peer = pair(byte).client_id();
            assert!(keys.seal(&peer, &[0; 24], b"x").is_some());
            assert!(keys.shared.len() <= 3);
        }
    }

    #[test]
    fn secrets_do_not_show() {
        let text = format!("{:?} {:?}", pair(0xAB), SharedKeys::new(pair(0xAB), 1));
        assert!(
            !text.to_lowercase().contains("abab") && !text.contains("171, 171"),
            "{text}"
        );
    }
}
