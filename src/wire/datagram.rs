use super::{Reader, WireError};
use crate::id::ClientId;

/// The longest datagram, in bytes.
pub const MAX_DATAGRAM_LEN: usize = 1024;

/// What a datagram has besides what is in its box: first byte 1, two client_ids of 32, nonce 24, the box's mark 16.
pub const OVERHEAD_LEN: usize = 1 + 32 + 32 + 24 + TAG_LEN;

/// The most that fits in the box of a datagram, in bytes: a kind and its body.
pub const MAX_PLAIN_LEN: usize = MAX_DATAGRAM_LEN - OVERHEAD_LEN;

/// What Poly1305 adds to what is sealed, in bytes.
const TAG_LEN: usize = 16;

/// Every datagram's first byte.
const FIRST_BYTE: u8 = 48;

/// What stands in clear before the box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Whom it is for: a session, or a gate.
    pub receiver: ClientId,
    /// Who sealed it.
    pub sender: ClientId,
    /// Fresh and random in every datagram.
    pub nonce: [u8; 24],
}

/// Takes a datagram apart into its header and the box, which has at least the 16 bytes of its mark.
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

/// Puts a datagram together. It is at most [`MAX_DATAGRAM_LEN`] bytes long if what was sealed had at most
/// [`MAX_PLAIN_LEN`].
pub fn join_datagram(header: &Header, sealed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(OVERHEAD_LEN - TAG_LEN + sealed.len());
    bytes.push(FIRST_BYTE);
    bytes.extend_from_slice(&header.receiver.0);
    bytes.extend_from_slice(&header.sender.0);
    bytes.extend_from_slice(&header.nonce);
    bytes.extend_from_slice(sealed);
    bytes
}
