use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{BoxKeyPair, signed_bytes};
use crate::id::{ChatId, ClientId};

/// SHA-256 over the concatenated parts.
pub fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update(part);
    }
    sha.finalize().into()
}

/// The id of a message or fact: SHA-256 over the bytes that [`super::SigningKey::sign`] signs.
pub fn hash_signed(label: &str, chat: &ChatId, body: &[u8]) -> [u8; 32] {
    hash(&[&signed_bytes(label, chat, body)])
}

/// The rendezvous key of a chat on a day (ms since 1970, divided by 86,400,000). Everyone who holds an invite can derive
/// this key pair. A hello is sealed to it when no client_id is known. It is an address, not a lock.
pub fn gate(rendezvous: &[u8; 16], day: u64) -> BoxKeyPair {
    let secret = Zeroizing::new(hash(&[b"throng/1 gate\0", rendezvous, &day.to_be_bytes()]));
    BoxKeyPair::from_secret(*secret)
}

/// Length of a [`gate_mark`], in bytes.
pub const GATE_MARK_LEN: usize = 8;

/// The mark at the end of the nonce of a packet that is sealed to a rendezvous key. Only somebody with the rendezvous
/// secret can make it, and one hash checks it, as with WireGuard's mac1. `random` are the nonce's other 16 bytes.
pub fn gate_mark(rendezvous: &[u8; 16], day: u64, sender: &ClientId, random: &[u8]) -> [u8; GATE_MARK_LEN] {
    let hash = hash(&[
        b"throng/1 mark\0",
        rendezvous,
        &day.to_be_bytes(),
        &sender.0,
        random,
    ]);
    let mut mark = [0; GATE_MARK_LEN];
    mark.copy_from_slice(&hash[..GATE_MARK_LEN]);
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            data_encoding::HEXLOWER.encode(&hash(&[b"a", b"", b"bc"])),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            hash_signed("throng/1 say", &ChatId([3; 32]), b"body"),
            hash(&[b"throng/1 say", &[0], &[3; 32], b"body"])
        );
    }

    #[test]
    fn every_day_and_chat_has_its_own_gate() {
        let gates = [(1, 0), (1, 1), (1, 256), (2, 0)];
        for (at, one) in gates.iter().enumerate() {
            for other in &gates[at + 1..] {
                assert_ne!(
                    gate(&[one.0; 16], one.1).client_id(),
                    gate(&[other.0; 16], other.1).client_id()
                );
            }
        }
    }
}
