use super::{Admission, Charter, InviteCertificate, InviteError, SessionCertificate};
use crate::id::{ChatId, ClientId, MemberId};
use crate::wire::Reader;

const INVITED: u8 = 0;
const FOUNDER: u8 = 1;

/// What admits a member for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// They founded the chat.
    Founder(Charter),
    /// They came by an invite.
    Invited {
        /// What the chat signed.
        invite: InviteCertificate,
        /// What the invite signed.
        admission: Admission,
    },
}

impl Credential {
    /// The credential in bytes: 224 if invited, 140 to 203 of the founder.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Founder(charter) => [vec![FOUNDER], charter.encode()].concat(),
            Self::Invited { invite, admission } => {
                [vec![INVITED], invite.encode(), admission.encode()].concat()
            }
        }
    }

    /// Reads a credential off the front of bytes, and gives back the rest of them.
    ///
    /// # Errors
    /// [`InviteError::Damaged`]
    pub fn decode(bytes: &[u8]) -> Result<(Self, &[u8]), InviteError> {
        let mut reader = Reader::new(bytes);
        let credential = Self::read(&mut reader)?;
        Ok((credential, reader.rest()))
    }

    /// Whom it admits.
    pub fn member(&self) -> MemberId {
        match self {
            Self::Founder(charter) => charter.founder,
            Self::Invited { admission, .. } => admission.member,
        }
    }

    /// Whether it leads from the chat's key to the member. Whether the slot is another's, the invite closed or
    /// its time over, does not show here.
    pub fn verify(&self, chat: &ChatId) -> bool {
        match self {
            Self::Founder(charter) => charter.verify(chat),
            Self::Invited { invite, admission } => {
                invite.has_slot(admission.slot)
                    && invite.verify(chat)
                    && admission.verify(chat, &invite.invite)
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, InviteError> {
        match reader.u8()? {
            INVITED => Ok(Self::Invited {
                invite: InviteCertificate::read(reader)?,
                admission: Admission::read(reader)?,
            }),
            FOUNDER => Ok(Self::Founder(Charter::read(reader)?)),
            _ => Err(InviteError::Damaged),
        }
    }
}

/// All certificates from the chat's key to a session: 298 bytes if invited, 214 to 277 of the founder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// From the chat to the member.
    pub credential: Credential,
    /// From the member to the session.
    pub session: SessionCertificate,
}

impl Chain {
    /// The chain in bytes.
    pub fn encode(&self) -> Vec<u8> {
        [self.credential.encode(), self.session.encode()].concat()
    }

    /// Reads what [`Self::encode`] wrote, all of it.
    ///
    /// # Errors
    /// [`InviteError::Damaged`]
    pub fn decode(bytes: &[u8]) -> Result<Self, InviteError> {
        let mut reader = Reader::new(bytes);
        let credential = Credential::read(&mut reader)?;
        let session = SessionCertificate::read(&mut reader)?;
        reader.finish()?;
        Ok(Self { credential, session })
    }

    /// Whose session it is.
    pub fn member(&self) -> MemberId {
        self.credential.member()
    }

    /// Whether it leads from the chat's key to this client_id, which has to be the one spelling of a proper key.
    pub fn verify(&self, chat: &ChatId, client_id: &ClientId) -> bool {
        self.session.verify(chat, &self.member(), client_id) && self.credential.verify(chat)
    }
}
