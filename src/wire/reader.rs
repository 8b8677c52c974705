use super::WireError;

/// Takes fields off the front of bytes, all numbers big-endian.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(WireError::TooShort)?;
        self.rest = rest;
        Ok(*array)
    }

    pub(crate) fn slice(&mut self, len: usize) -> Result<&'a [u8], WireError> {
        let (slice, rest) = self.rest.split_at_checked(len).ok_or(WireError::TooShort)?;
        self.rest = rest;
        Ok(slice)
    }

    /// All but the last `len` bytes, which are left.
    pub(crate) fn all_but(&mut self, len: usize) -> Result<&'a [u8], WireError> {
        self.slice(self.rest.len().checked_sub(len).ok_or(WireError::TooShort)?)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, WireError> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, WireError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, WireError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, WireError> {
        self.array().map(u64::from_be_bytes)
    }

    /// Bytes with their length in 2 bytes before them.
    pub(crate) fn counted(&mut self) -> Result<&'a [u8], WireError> {
        let len = self.u16()?;
        self.slice(usize::from(len))
    }

    /// A number in LEB128: 7 bits per byte, the lowest first, all bytes but the last with their highest bit. Only the shortest
    /// form is accepted.
    pub(crate) fn varint(&mut self) -> Result<u64, WireError> {
        let mut number = 0_u64;
        for shift in (0..63).step_by(7) {
            let byte = self.u8()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                let is_shortest = byte != 0 || shift == 0;
                return if is_shortest {
                    Ok(number)
                } else {
                    Err(WireError::Varint)
                };
            }
        }
        Err(WireError::Varint)
    }

    pub(crate) fn zeros(&mut self, len: usize) -> Result<(), WireError> {
        if self.slice(len)?.iter().all(|byte| *byte == 0) {
            Ok(())
        } else {
            Err(WireError::Padding)
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// All that is left.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// Nothing may be left.
    pub(crate) fn finish(self) -> Result<(), WireError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(WireError::TooLong)
        }
    }
}
