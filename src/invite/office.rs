use super::{Charter, InviteError};
use crate::crypto::{self, Signature};
use crate::id::{ChatId, MemberId};
use crate::wire::Reader;

/// The label, type and role of the fact that makes somebody a moderator.
const FACT_LABEL: &str = "throng/1 fact";
const GRANT: u8 = 1;
const MODERATOR: u8 = 2;

/// Shows a moderator's right to issue invites to somebody who knows no facts yet: the charter, which names the founder, and
/// the founder's grant, which is a fact. 267 to 330 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Office {
    /// The chat's charter.
    pub charter: Charter,
    /// The moderator.
    pub moderator: MemberId,
    /// The grant's seq among the founder's facts, which is its epoch as well.
    pub seq: u32,
    /// The first 16 bytes of the id of the fact before it.
    pub prev: [u8; 16],
    /// When it was granted, ms since 1970 by the founder's clock.
    pub at_ms: u64,
    /// The grant's counter.
    pub counter: u32,
    /// The founder's signature.
    pub signature: Signature,
}

impl Office {
    /// The office in bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.charter.encode();
        bytes.extend_from_slice(&self.moderator.0);
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(&self.prev);
        bytes.extend_from_slice(&self.at_ms.to_be_bytes());
        bytes.extend_from_slice(&self.counter.to_be_bytes());
        bytes.extend_from_slice(&self.signature);
        bytes
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, InviteError> {
        Ok(Self {
            charter: Charter::read(reader)?,
            moderator: MemberId(reader.array()?),
            seq: reader.u32()?,
            prev: reader.array()?,
            at_ms: reader.u64()?,
            counter: reader.u32()?,
            signature: reader.array()?,
        })
    }

    /// Whether this chat's founder granted it. Facts tell whether it has ended since.
    pub fn verify(&self, chat: &ChatId) -> bool {
        let founder = &self.charter.founder.0;
        self.charter.verify(chat)
            && crypto::verify(founder, FACT_LABEL, chat, &self.signed(), &self.signature)
    }

    /// The grant in bytes, as the founder signed it.
    fn signed(&self) -> Vec<u8> {
        let mut bytes = vec![GRANT];
        bytes.extend_from_slice(&self.charter.founder.0);
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(&self.prev);
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend_from_slice(&self.at_ms.to_be_bytes());
        bytes.extend_from_slice(&self.moderator.0);
        bytes.push(MODERATOR);
        bytes.extend_from_slice(&self.counter.to_be_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{BoxKeyPair, SigningKey};
    use crate::id::InviteId;
    use crate::invite::{Admission, Chain, Credential, InviteCertificate, Rights, SessionCertificate};

    fn office(chat_key: &SigningKey, founder: &SigningKey, moderator: &SigningKey) -> Office {
        let charter = Charter::sign(chat_key, 0, 5, MemberId(founder.public()), "Friends");
        let mut office = Office {
            charter,
            moderator: MemberId(moderator.public()),
            seq: 3,
            prev: [7; 16],
            at_ms: 6,
            counter: 1,
            signature: [0; 64],
        };
        office.signature = founder.sign(FACT_LABEL, &ChatId(chat_key.public()), &office.signed());
        office
    }

    /// The chain of somebody who joined with an invite of `slots` slots that `issuer` signed, showing the moderator's office.
    fn chain(issuer: &SigningKey, slots: u16) -> (Chain, ChatId, crate::id::ClientId) {
        let [chat_key, founder, moderator, invite, member] =
            [1, 2, 3, 4, 5].map(|seed| SigningKey::from_seed([seed; 32]));
        let (chat, client_id) = (
            ChatId(chat_key.public()),
            BoxKeyPair::from_secret([6; 32]).client_id(),
        );
        let office = office(&chat_key, &founder, &moderator);
        let id = InviteId(invite.public());
        let certificate =
            InviteCertificate::sign_in_office(issuer, office, &chat, id, 1, Rights::Member, slots, 0);
        let admission = Admission::sign(&invite, &chat, MemberId(member.public()), 0, 5, 0);
        let credential = Credential::Invited {
            invite: certificate,
            admission,
        };
        let session = SessionCertificate::sign(&member, &chat, &client_id, 6, 0);
        (Chain { credential, session }, chat, client_id)
    }

    #[test]
    fn a_chain_leads_by_the_founders_grant_and_no_byte_of_it_can_be_changed() {
        let (chain, chat, client_id) = chain(&SigningKey::from_seed([3; 32]), 2);
        let bytes = chain.encode();
        assert_eq!(bytes.len(), 564 + "Friends".len());
        assert_eq!(Chain::decode(&bytes), Ok(chain.clone()));
        assert!(chain.verify(&chat, &client_id));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let holds = Chain::decode(&changed).is_ok_and(|chain| chain.verify(&chat, &client_id));
            assert!(!holds, "byte {at}");
        }
    }

    #[test]
    fn nobody_else_issues_by_it_and_nothing_without_an_end() {
        let moderator = SigningKey::from_seed([3; 32]);
        let (by_another, chat, client_id) = chain(&SigningKey::from_seed([9; 32]), 2);
        assert!(!by_another.verify(&chat, &client_id));
        let (without_slots, chat, client_id) = chain(&moderator, 0);
        assert!(!without_slots.verify(&chat, &client_id));
        let (by_another_grant, chat, client_id) = {
            let (mut chain, chat, client_id) = chain(&moderator, 2);
            if let Credential::Invited { invite, .. } = &mut chain.credential
                && let Some(office) = &mut invite.office
            {
                let founder = SigningKey::from_seed([2; 32]);
                office.seq = 4;
                office.signature = founder.sign(FACT_LABEL, &chat, &office.signed());
            }
            (chain, chat, client_id)
        };
        assert!(
            !by_another_grant.verify(&chat, &client_id),
            "an invite is bound to its grant"
        );
    }
}
