use super::{Body, MAX_PLAIN_LEN, Reader, WireError};
use crate::id::ClientId;

/// The most data of a broadcast that fits in a datagram, in bytes.
pub const MAX_BROADCAST_DATA_LEN: usize = MAX_PLAIN_LEN - 1 - FIXED_LEN;

/// origin 32, number 4, message id 1
const FIXED_LEN: usize = 32 + 4 + 1;

/// Kind 50: data to everyone in a classic chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broadcast {
    /// The author. The sender of the packet may have passed it on only.
    pub origin: ClientId,
    /// The origin's count of its broadcasts: the first is 1, and 2^32-1 is followed by 1. Never 0.
    pub number: u32,
    /// What it says.
    pub body: Body,
}

impl Broadcast {
    pub(super) fn len(&self) -> usize {
        FIXED_LEN + self.body.data_len()
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.origin.0);
        out.extend_from_slice(&self.number.to_be_bytes());
        out.push(self.body.id());
        self.body.write_data(out);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let origin = ClientId(reader.array()?);
        let number = reader.u32()?;
        let id = reader.u8()?;
        let body = Body::decode(id, reader.all_but(0)?)?;
        if number == 0 {
            return Err(WireError::NumberZero);
        }
        if !body.rules().is_classic {
            return Err(WireError::UnknownBody);
        }
        Ok(Self { origin, number, body })
    }
}
