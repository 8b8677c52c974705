use super::{InviteError, with_signature};
use crate::crypto::{self, Signature, SigningKey};
use crate::id::{ChatId, MemberId};
use crate::wire::{Reader, saturated};

/// The longest chat name, in bytes.
pub const MAX_CHAT_NAME_LEN: usize = 64;

const LABEL: &str = "throng/1 charter";

/// What a chat is, signed by the chat's own key when it is founded. 139 to 202 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charter {
    /// 0 private, 1 public.
    pub kind: u8,
    /// When the chat was founded, ms since 1970 by the founder's clock.
    pub created_ms: u64,
    /// The founder.
    pub founder: MemberId,
    /// Reserved for a hash of a successor's key; zeros.
    pub heir: [u8; 32],
    /// The chat's name, 1 to 64 bytes.
    pub name: String,
    /// The chat's signature.
    pub signature: Signature,
}

impl Charter {
    /// Founds a chat. Check the name first: if it does not have 1 to 64 bytes, nobody accepts the charter.
    pub fn sign(chat: &SigningKey, kind: u8, created_ms: u64, founder: MemberId, name: &str) -> Self {
        let name = name.to_owned();
        let mut charter = Self {
            kind,
            created_ms,
            founder,
            heir: [0; 32],
            name,
            signature: [0; 64],
        };
        charter.signature = chat.sign(LABEL, &ChatId(chat.public()), &charter.body());
        charter
    }

    /// The charter in bytes.
    pub fn encode(&self) -> Vec<u8> {
        with_signature(self.body(), &self.signature)
    }

    /// Reads exactly what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`InviteError::Damaged`]
    pub fn decode(bytes: &[u8]) -> Result<Self, InviteError> {
        let mut reader = Reader::new(bytes);
        let charter = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(charter)
    }

    /// Whether this chat signed it.
    pub fn verify(&self, chat: &ChatId) -> bool {
        crypto::verify(&chat.0, LABEL, chat, &self.body(), &self.signature)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, InviteError> {
        let kind = reader.u8()?;
        let created_ms = reader.u64()?;
        let founder = MemberId(reader.array()?);
        let heir = reader.array()?;
        let len = usize::from(reader.u8()?);
        if kind > 1 || len == 0 || len > MAX_CHAT_NAME_LEN {
            return Err(InviteError::Damaged);
        }
        let name = std::str::from_utf8(reader.slice(len)?)
            .map_err(|_| InviteError::Damaged)?
            .to_owned();
        Ok(Self {
            kind,
            created_ms,
            founder,
            heir,
            name,
            signature: reader.array()?,
        })
    }

    fn body(&self) -> Vec<u8> {
        let mut body = vec![self.kind];
        body.extend_from_slice(&self.created_ms.to_be_bytes());
        body.extend_from_slice(&self.founder.0);
        body.extend_from_slice(&self.heir);
        body.push(saturated(self.name.len(), u8::MAX));
        body.extend_from_slice(self.name.as_bytes());
        body
    }
}
