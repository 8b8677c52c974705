use super::{Admission, Charter, InviteCertificate, InviteError, SessionCertificate};
use crate::id::{ChatId, ClientId, MemberId};
use crate::wire::Reader;

const INVITED: u8 = 0;
const FOUNDER: u8 = 1;
const INVITED_BY_MODERATOR: u8 = 2;

/// What admits a member for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// The member founded the chat.
    Founder(Charter),
    /// The member joined with an invite.
    Invited {
        /// Signed by the chat, or by a moderator.
        invite: InviteCertificate,
        /// Signed by the invite.
        admission: Admission,
    },
}

impl Credential {
    /// The credential in bytes: 224 for an invited member, 491 to 554 if a moderator invited them, 140 to 203 for the founder.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Founder(charter) => [vec![FOUNDER], charter.encode()].concat(),
            Self::Invited { invite, admission } => {
                let kind = match invite.office {
                    None => INVITED,
                    Some(_) => INVITED_BY_MODERATOR,
                };
                [vec![kind], invite.encode(), admission.encode()].concat()
            }
        }
    }

    /// Reads a credential from the front of `bytes`, and returns the rest.
    ///
    /// # Errors
    /// [`InviteError::Damaged`]
    pub fn decode(bytes: &[u8]) -> Result<(Self, &[u8]), InviteError> {
        let mut reader = Reader::new(bytes);
        let credential = Self::read(&mut reader)?;
        Ok((credential, reader.rest()))
    }

    /// The member that it admits.
    pub fn member(&self) -> MemberId {
        match self {
            Self::Founder(charter) => charter.founder,
            Self::Invited { admission, .. } => admission.member,
        }
    }

    /// Whether it leads from the chat's key to the member. It does not show whether the slot is another's, the invite
    /// closed, or its time over.
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

    /// The charter, if the credential has it: the founder's has, and that of a member whom a moderator invited.
    pub fn charter(&self) -> Option<&Charter> {
        match self {
            Self::Founder(charter) => Some(charter),
            Self::Invited { invite, .. } => invite.office.as_ref().map(|office| &office.charter),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, InviteError> {
        match reader.u8()? {
            kind @ (INVITED | INVITED_BY_MODERATOR) => Ok(Self::Invited {
                invite: InviteCertificate::read(reader, kind == INVITED_BY_MODERATOR)?,
                admission: Admission::read(reader)?,
            }),
            FOUNDER => Ok(Self::Founder(Charter::read(reader)?)),
            _ => Err(InviteError::Damaged),
        }
    }
}

/// A certificate chain: all certificates from the chat's key to a session. 298 bytes for an invited member, 565 to 628 if a
/// moderator invited them, 214 to 277 for the founder.
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

    /// Reads exactly what [`Self::encode`] wrote.
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

    /// The member whose session it is.
    pub fn member(&self) -> MemberId {
        self.credential.member()
    }

    /// Whether it leads from the chat's key to this client_id, which has to be canonical.
    pub fn verify(&self, chat: &ChatId, client_id: &ClientId) -> bool {
        self.session.verify(chat, &self.member(), client_id) && self.credential.verify(chat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{BoxKeyPair, SigningKey};
    use crate::id::InviteId;
    use crate::invite::Rights;

    struct Cast {
        chat_key: SigningKey,
        chat: ChatId,
        invite: SigningKey,
        member: SigningKey,
        client_id: ClientId,
    }

    fn cast() -> Cast {
        let chat_key = SigningKey::from_seed([1; 32]);
        Cast {
            chat: ChatId(chat_key.public()),
            chat_key,
            invite: SigningKey::from_seed([2; 32]),
            member: SigningKey::from_seed([3; 32]),
            client_id: BoxKeyPair::from_secret([4; 32]).client_id(),
        }
    }

    impl Cast {
        fn chain(&self) -> Chain {
            let invite = InviteId(self.invite.public());
            Chain {
                credential: Credential::Invited {
                    invite: InviteCertificate::sign(&self.chat_key, invite, 1, Rights::Member, 1, 0),
                    admission: Admission::sign(
                        &self.invite,
                        &self.chat,
                        MemberId(self.member.public()),
                        0,
                        5,
                        0,
                    ),
                },
                session: SessionCertificate::sign(&self.member, &self.chat, &self.client_id, 6, 0),
            }
        }

        fn founders_chain(&self) -> Chain {
            let founder = MemberId(self.member.public());
            Chain {
                credential: Credential::Founder(Charter::sign(&self.chat_key, 0, 5, founder, "Friends")),
                session: SessionCertificate::sign(&self.member, &self.chat, &self.client_id, 6, 0),
            }
        }
    }

    #[test]
    fn a_chain_leads_from_its_chat_to_its_session_alone() {
        let cast = cast();
        let lengths = [(cast.chain(), 298), (cast.founders_chain(), 1 + 138 + 7 + 74)];
        for (chain, len) in lengths {
            assert_eq!(chain.encode().len(), len);
            assert_eq!(chain.member(), MemberId(cast.member.public()));
            assert!(chain.verify(&cast.chat, &cast.client_id));
            assert!(!chain.verify(&ChatId([9; 32]), &cast.client_id));
            let other = BoxKeyPair::from_secret([5; 32]).client_id();
            assert!(!chain.verify(&cast.chat, &other));
        }
    }

    #[test]
    fn no_byte_of_a_chain_can_be_changed() {
        let cast = cast();
        for chain in [cast.chain(), cast.founders_chain()] {
            let bytes = chain.encode();
            for at in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[at] ^= 1;
                let holds =
                    Chain::decode(&changed).is_ok_and(|chain| chain.verify(&cast.chat, &cast.client_id));
                assert!(!holds, "byte {at}");
            }
        }
    }

    #[test]
    fn other_spellings_of_a_client_id_are_refused_even_if_certified() {
        let cast = cast();
        let mut flipped = cast.client_id;
        flipped.0[31] |= 0x80;
        for client_id in [flipped, ClientId([0; 32])] {
            let session = SessionCertificate::sign(&cast.member, &cast.chat, &client_id, 6, 0);
            assert!(
                !Chain {
                    session,
                    ..cast.chain()
                }
                .verify(&cast.chat, &client_id)
            );
        }
    }

    #[test]
    fn an_invites_own_key_admits_nobody_without_the_chats_word() {
        let cast = cast();
        let invite = InviteId(cast.invite.public());
        let chain = Chain {
            credential: Credential::Invited {
                invite: InviteCertificate::sign(&cast.invite, invite, 1, Rights::Member, 1, 0),
                admission: Admission::sign(&cast.invite, &cast.chat, MemberId(cast.member.public()), 0, 5, 0),
            },
            ..cast.chain()
        };
        assert!(!chain.verify(&cast.chat, &cast.client_id));
    }
}
