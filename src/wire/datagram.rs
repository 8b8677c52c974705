use super::{Reader, WireError};
use crate::id::ClientId;

/// The longest datagram, in bytes.
pub const MAX_DATAGRAM_LEN: usize = 1024;

/// The overhead of a datagram, in bytes: first byte 1, two client_ids of 32, nonce 24, the box's tag 16.
pub const OVERHEAD_LEN: usize = 1 + 32 + 32 + 24 + TAG_LEN;

/// The most that fits in the box of a datagram, in bytes: a kind and its body.
pub const MAX_PLAIN_LEN: usize = MAX_DATAGRAM_LEN - OVERHEAD_LEN;

/// Length of the Poly1305 tag of a box, in bytes.
const TAG_LEN: usize = 16;

/// Every datagram's first byte.
const FIRST_BYTE: u8 = 48;

/// The cleartext before the box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The receiver: a session, or a rendezvous key.
    pub receiver: ClientId,
    /// The sender, who sealed the box.
    pub sender: ClientId,
    /// Fresh and random in every datagram.
    pub nonce: [u8; 24],
}

/// Splits a datagram into its header and the box, which has at least the 16 bytes of its tag.
///
/// # Errors
/// [`WireError::DatagramTooLong`], [`WireError::DatagramTooShort`], [`WireError::FirstByte`].
pub fn split_datagram(bytes: &[u8]) -> Result<(Header, &[u8]), WireError> {
    if bytes.len() > MAX_DATAGRAM_LEN {
        return Err(WireError::DatagramTooLong);
    }
    if bytes.len() < OVERHEAD_LEN {
        return Err(WireError::DatagramTooShort);
    }
    let mut reader = Reader::new(bytes);
    if reader.u8()? != FIRST_BYTE {
        return Err(WireError::FirstByte);
    }
    let header = Header {
        receiver: ClientId(reader.array()?),
        sender: ClientId(reader.array()?),
        nonce: reader.array()?,
    };
    Ok((header, reader.rest()))
}

/// Joins a datagram. It is at most [`MAX_DATAGRAM_LEN`] bytes long if at most [`MAX_PLAIN_LEN`] bytes were sealed.
pub fn join_datagram(header: &Header, sealed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(OVERHEAD_LEN - TAG_LEN + sealed.len());
    bytes.push(FIRST_BYTE);
    bytes.extend_from_slice(&header.receiver.0);
    bytes.extend_from_slice(&header.sender.0);
    bytes.extend_from_slice(&header.nonce);
    bytes.extend_from_slice(sealed);
    bytes
}
