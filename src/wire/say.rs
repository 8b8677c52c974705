use super::{Body, MAX_PLAIN_LEN, Reader, WireError, saturated};
use crate::id::ClientId;

/// The most data of a say without a certificate chain, in bytes: what kind 1, flags 1, tree 1, hops 1, the signed part
/// besides the data, and signature 64 leave of a datagram.
pub const MAX_SAY_DATA_LEN: usize = MAX_PLAIN_LEN - 1 - 3 - SIGNED_LEN - SIGNATURE_LEN;

/// client_id 32, number 4, hlc 8, after 8, message id 1
const SIGNED_LEN: usize = 32 + 4 + 8 + 8 + 1;
const SIGNATURE_LEN: usize = 64;

const FLAG_CHAIN: u8 = 1;

/// Kind 99: a signed broadcast, as one peer passes it to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Say {
    /// Which tree it travels in. Not signed.
    pub tree: u8,
    /// How many peers it went through. Not signed.
    pub hops: u8,
    /// The certificate chain of the origin's session, as in [`crate::invite`], for receivers that don't know it yet.
    pub chain: Option<Vec<u8>>,
    /// What its author's member key signed.
    pub signed: SignedSay,
    /// Ed25519, label "throng/1 say", over [`SignedSay::encode`].
    pub signature: [u8; SIGNATURE_LEN],
}

impl Say {
    pub(super) fn len(&self) -> usize {
        let chain = self.chain.as_ref().map_or(0, |chain| 2 + chain.len());
        3 + chain + self.signed.len() + SIGNATURE_LEN
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(if self.chain.is_some() { FLAG_CHAIN } else { 0 });
        out.push(self.tree);
        out.push(self.hops);
        if let Some(chain) = &self.chain {
            out.extend_from_slice(&saturated(chain.len(), u16::MAX).to_be_bytes());
            out.extend_from_slice(chain);
        }
        self.signed.write(out);
        out.extend_from_slice(&self.signature);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let flags = reader.u8()?;
        if flags & !FLAG_CHAIN != 0 {
            return Err(WireError::UnknownValue);
        }
        let (tree, hops) = (reader.u8()?, reader.u8()?);
        let chain = if flags & FLAG_CHAIN == 0 {
            None
        } else {
            Some(reader.counted()?.to_vec())
        };
        let signed = SignedSay::decode(reader.all_but(SIGNATURE_LEN)?)?;
        Ok(Self {
            tree,
            hops,
            chain,
            signed,
            signature: reader.array()?,
        })
    }
}

/// The part of a say that its author signs, so that nobody can change it on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedSay {
    /// The author's session.
    pub client_id: ClientId,
    /// The session's count of its says, from 1. Never 0.
    pub number: u32,
    /// The hybrid logical clock (Kulkarni and others 2014): 48 bits of ms since 1970, then a 16-bit counter. It rises strictly
    /// within a session.
    pub hlc: u64,
    /// The first 8 bytes of the id of the last message that its author had got before; zeros if none.
    pub after: [u8; 8],
    /// What it says.
    pub body: Body,
}

impl SignedSay {
    /// The bytes that are signed (after label and chat): 53 and the data.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.len());
        self.write(&mut out);
        out
    }

    /// Reads what [`Self::encode`] wrote, all of it.
    ///
    /// # Errors
    /// Among them [`WireError::NotInSigned`] for ids that have no place in a signed chat.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new(bytes);
        let client_id = ClientId(reader.array()?);
        let number = reader.u32()?;
        let hlc = reader.u64()?;
        let after = reader.array()?;
        let id = reader.u8()?;
        let body = Body::decode(id, reader.rest())?;
        if number == 0 {
            return Err(WireError::NumberZero);
        }
        if !body.rules().is_signed {
            return Err(WireError::NotInSigned);
        }
        Ok(Self {
            client_id,
            number,
            hlc,
            after,
            body,
        })
    }

    fn len(&self) -> usize {
        SIGNED_LEN + self.body.data_len()
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.client_id.0);
        out.extend_from_slice(&self.number.to_be_bytes());
        out.extend_from_slice(&self.hlc.to_be_bytes());
        out.extend_from_slice(&self.after);
        out.push(self.body.id());
        self.body.write_data(out);
    }
}
