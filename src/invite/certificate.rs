use super::{InviteError, MAX_TIME_MS, Office, read_time, with_signature, write_time};
use crate::crypto::{self, Signature, SigningKey};
use crate::id::{ChatId, ClientId, InviteId, MemberId};
use crate::wire::Reader;

/// The number in the certificate of the door's invite. Other invites are counted from 1.
pub(super) const DOOR_NUMBER: u32 = 0;

/// Length of a certificate that the chat's own key signed, in bytes.
const CHATS_OWN_LEN: usize = 109;

const INVITE_LABEL: &str = "throng/1 invite";
const ADMISSION_LABEL: &str = "throng/1 admission";
const SESSION_LABEL: &str = "throng/1 session";

/// What an invite lets its members do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// Read and speak.
    Member = 0,
    /// Read.
    Observer = 1,
}

/// Empowers an invite's key to admit members. 109 bytes; if a moderator issued it, their [`Office`] comes before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteCertificate {
    /// The invite's public key.
    pub invite: InviteId,
    /// The issuer's count of invites.
    pub number: u32,
    /// What those who are admitted may do.
    pub rights: Rights,
    /// How many members it can admit, under slots 0 to `slots - 1`; 0 for any number.
    pub slots: u16,
    /// Until when it admits, ms since 1970, at most 2^48-1; 0 for good.
    pub until_ms: u64,
    /// The chat's signature, or the moderator's.
    pub signature: Signature,
    /// What empowers the moderator who issued it; `None` if the chat's own key did.
    pub office: Option<Box<Office>>,
}

impl InviteCertificate {
    /// Issues an invite. A time that does not fit in 6 bytes becomes the last that does.
    pub fn sign(
        chat: &SigningKey,
        invite: InviteId,
        number: u32,
        rights: Rights,
        slots: u16,
        until_ms: u64,
    ) -> Self {
        let until_ms = until_ms.min(MAX_TIME_MS);
        let mut certificate = Self {
            invite,
            number,
            rights,
            slots,
            until_ms,
            signature: [0; 64],
            office: None,
        };
        certificate.signature = chat.sign(INVITE_LABEL, &ChatId(chat.public()), &certificate.body());
        certificate
    }

    /// Issues an invite as a moderator. Without slots nobody would accept it: it would have no end that all agree on.
    #[expect(clippy::too_many_arguments, reason = "each is a field of the certificate")]
    pub fn sign_in_office(
        moderator: &SigningKey,
        office: Office,
        chat: &ChatId,
        invite: InviteId,
        number: u32,
        rights: Rights,
        slots: u16,
        until_ms: u64,
    ) -> Self {
        let mut certificate = Self {
            invite,
            number,
            rights,
            slots,
            until_ms: until_ms.min(MAX_TIME_MS),
            signature: [0; 64],
            office: Some(Box::new(office)),
        };
        certificate.signature = moderator.sign(INVITE_LABEL, chat, &certificate.signed());
        certificate
    }

    /// The certificate of the door's invite. All of it but the signature follows from the invite's id.
    pub(super) fn of_door(invite: InviteId, signature: Signature) -> Self {
        Self {
            invite,
            number: DOOR_NUMBER,
            rights: Rights::Member,
            slots: 0,
            until_ms: 0,
            signature,
            office: None,
        }
    }

    /// Whether it has the form of [`Self::of_door`].
    pub(super) fn is_of_door(&self) -> bool {
        *self == Self::of_door(self.invite, self.signature)
    }

    /// The certificate in bytes.
    pub fn encode(&self) -> Vec<u8> {
        let office = self.office.as_ref().map(|office| office.encode());
        [
            office.unwrap_or_default(),
            with_signature(self.body(), &self.signature),
        ]
        .concat()
    }

    /// Whether this chat issued it, or somebody whom its founder made a moderator. It does not show whether they still are one.
    pub fn verify(&self, chat: &ChatId) -> bool {
        let (issuer, is_good) = match &self.office {
            None => (chat.0, true),
            Some(office) => (office.moderator.0, self.slots != 0 && office.verify(chat)),
        };
        is_good && crypto::verify(&issuer, INVITE_LABEL, chat, &self.signed(), &self.signature)
    }

    /// Whether it has such a slot.
    pub fn has_slot(&self, slot: u16) -> bool {
        self.slots == 0 || slot < self.slots
    }

    /// Reads exactly what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`InviteError::Damaged`]
    pub fn decode(bytes: &[u8]) -> Result<Self, InviteError> {
        let mut reader = Reader::new(bytes);
        let certificate = Self::read(&mut reader, bytes.len() != CHATS_OWN_LEN)?;
        reader.finish()?;
        Ok(certificate)
    }

    pub(super) fn read(reader: &mut Reader<'_>, in_office: bool) -> Result<Self, InviteError> {
        let office = if in_office {
            Some(Box::new(Office::read(reader)?))
        } else {
            None
        };
        Ok(Self {
            invite: InviteId(reader.array()?),
            number: reader.u32()?,
            rights: match reader.u8()? {
                0 => Rights::Member,
                1 => Rights::Observer,
                _ => return Err(InviteError::Damaged),
            },
            slots: reader.u16()?,
            until_ms: read_time(reader)?,
            signature: reader.array()?,
            office,
        })
    }

    fn body(&self) -> Vec<u8> {
        let mut body = self.invite.0.to_vec();
        body.extend_from_slice(&self.number.to_be_bytes());
        body.push(self.rights as u8);
        body.extend_from_slice(&self.slots.to_be_bytes());
        write_time(self.until_ms, &mut body);
        body
    }

    /// A moderator also signs under which grant: a later grant does not bring back invites that ended with that one.
    fn signed(&self) -> Vec<u8> {
        let mut signed = self.body();
        if let Some(office) = &self.office {
            signed.extend_from_slice(&office.seq.to_be_bytes());
        }
        signed
    }
}

/// Admits a member under a slot of an invite. 114 bytes. It does not expire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// Who.
    pub member: MemberId,
    /// The slot of the invite.
    pub slot: u16,
    /// When, ms since 1970 by the newcomer's clock.
    pub at_ms: u64,
    /// Proof of work ([`super::work`]); 0 if none was asked for.
    pub work: u64,
    /// The invite's signature.
    pub signature: Signature,
}

impl Admission {
    /// Admits a member with an invite's key.
    pub fn sign(
        invite: &SigningKey,
        chat: &ChatId,
        member: MemberId,
        slot: u16,
        at_ms: u64,
        work: u64,
    ) -> Self {
        let mut admission = Self {
            member,
            slot,
            at_ms,
            work,
            signature: [0; 64],
        };
        admission.signature = invite.sign(ADMISSION_LABEL, chat, &admission.body());
        admission
    }

    /// The certificate in bytes.
    pub fn encode(&self) -> Vec<u8> {
        with_signature(self.body(), &self.signature)
    }

    /// Whether this invite signed it.
    pub fn verify(&self, chat: &ChatId, invite: &InviteId) -> bool {
        crypto::verify(&invite.0, ADMISSION_LABEL, chat, &self.body(), &self.signature)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, InviteError> {
        Ok(Self {
            member: MemberId(reader.array()?),
            slot: reader.u16()?,
            at_ms: reader.u64()?,
            work: reader.u64()?,
            signature: reader.array()?,
        })
    }

    fn body(&self) -> Vec<u8> {
        let mut body = self.member.0.to_vec();
        body.extend_from_slice(&self.slot.to_be_bytes());
        body.extend_from_slice(&self.at_ms.to_be_bytes());
        body.extend_from_slice(&self.work.to_be_bytes());
        body
    }
}

/// Makes a client_id a member's session. 74 bytes. The client_id is signed but not among them, since everybody who gets
/// the certificate knows it already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionCertificate {
    /// When the session started, ms since 1970 by the member's clock.
    pub start_ms: u64,
    /// What the session's program can do, a bit each; none is assigned.
    pub capabilities: u16,
    /// The member's signature.
    pub signature: Signature,
}

impl SessionCertificate {
    /// Certifies a session of the member.
    pub fn sign(
        member: &SigningKey,
        chat: &ChatId,
        client_id: &ClientId,
        start_ms: u64,
        capabilities: u16,
    ) -> Self {
        let mut certificate = Self {
            start_ms,
            capabilities,
            signature: [0; 64],
        };
        certificate.signature = member.sign(SESSION_LABEL, chat, &certificate.signed_body(client_id));
        certificate
    }

    /// The certificate in bytes.
    pub fn encode(&self) -> Vec<u8> {
        with_signature(self.body(), &self.signature)
    }

    /// Whether the member signed it for this client_id, and the client_id is canonical.
    pub fn verify(&self, chat: &ChatId, member: &MemberId, client_id: &ClientId) -> bool {
        crypto::is_canonical_key(client_id)
            && crypto::verify(
                &member.0,
                SESSION_LABEL,
                chat,
                &self.signed_body(client_id),
                &self.signature,
            )
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, InviteError> {
        Ok(Self {
            start_ms: reader.u64()?,
            capabilities: reader.u16()?,
            signature: reader.array()?,
        })
    }

    fn body(&self) -> Vec<u8> {
        let mut body = self.start_ms.to_be_bytes().to_vec();
        body.extend_from_slice(&self.capabilities.to_be_bytes());
        body
    }

    fn signed_body(&self, client_id: &ClientId) -> Vec<u8> {
        let mut body = client_id.0.to_vec();
        body.extend(self.body());
        body
    }
}
