use std::fmt;
use std::net::SocketAddr;

use zeroize::Zeroize;

use super::certificate::DOOR_NUMBER;
use super::{Admission, Charter, Credential, InviteCertificate, Office, Rights};
use crate::crypto::{CryptoRng, RngCore, SigningKey};
use crate::id::{ChatId, InviteId, MemberId};

/// The most addresses in an invite file.
pub const MAX_FILE_ADDRESSES: usize = 8;

/// The most addresses in an invite link, which has to stay short enough for a QR code.
pub const MAX_LINK_ADDRESSES: usize = 3;

/// The kind of a public chat in its invites; a private one's is 0.
pub(super) const KIND_PUBLIC: u8 = 1;

/// An invite: the key that admits members, what empowers it, and where members were last seen. It is a bearer capability:
/// everybody who has it can join.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteKey {
    /// The kind of the chat: 0 private, 1 public.
    pub kind: u8,
    /// The chat.
    pub chat: ChatId,
    /// The key that admits members.
    pub secret: SigningKey,
    /// The rendezvous secret, from which the chat's rendezvous keys are derived.
    pub rendezvous: [u8; 16],
    /// The certificate that empowers the key.
    pub certificate: InviteCertificate,
    /// The chat's charter; a link leaves it out.
    pub charter: Option<Charter>,
    /// Where members were seen, the best first. A file has room for 8, a link for 3.
    pub addresses: Vec<SeenAddress>,
}

/// Where a member was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenAddress {
    /// The address.
    pub address: SocketAddr,
    /// When it was seen, ms since 1970, at most 2^48-1; 0 if not known (links leave it out).
    pub seen_ms: u64,
}

impl InviteKey {
    /// Makes a new invite to the chat that has this key.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a field of the certificate or of the invite"
    )]
    pub fn issue(
        chat_key: &SigningKey,
        charter: &Charter,
        rendezvous: [u8; 16],
        number: u32,
        rights: Rights,
        slots: u16,
        until_ms: u64,
        addresses: Vec<SeenAddress>,
        rng: &mut (impl CryptoRng + RngCore),
    ) -> Self {
        let secret = SigningKey::generate(rng);
        let invite = InviteId(secret.public());
        Self {
            kind: charter.kind,
            chat: ChatId(chat_key.public()),
            secret,
            rendezvous,
            certificate: InviteCertificate::sign(chat_key, invite, number, rights, slots, until_ms),
            charter: Some(charter.clone()),
            addresses,
        }
    }

    /// Makes a new invite as a moderator.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a field of the certificate or of the invite"
    )]
    pub fn issue_in_office(
        moderator: &SigningKey,
        office: Office,
        chat: ChatId,
        rendezvous: [u8; 16],
        number: u32,
        rights: Rights,
        slots: u16,
        until_ms: u64,
        addresses: Vec<SeenAddress>,
        rng: &mut (impl CryptoRng + RngCore),
    ) -> Self {
        let secret = SigningKey::generate(rng);
        let invite = InviteId(secret.public());
        let charter = office.charter.clone();
        Self {
            kind: charter.kind,
            chat,
            secret,
            rendezvous,
            certificate: InviteCertificate::sign_in_office(
                moderator, office, &chat, invite, number, rights, slots, until_ms,
            ),
            charter: Some(charter),
            addresses,
        }
    }

    /// Makes the door's invite of a public chat. It is issued when the chat is founded, admits any number of members for good,
    /// and every member may pass it on.
    pub fn door(
        chat_key: &SigningKey,
        charter: &Charter,
        rendezvous: [u8; 16],
        addresses: Vec<SeenAddress>,
        rng: &mut (impl CryptoRng + RngCore),
    ) -> Self {
        Self::issue(
            chat_key,
            charter,
            rendezvous,
            DOOR_NUMBER,
            Rights::Member,
            0,
            0,
            addresses,
            rng,
        )
    }

    /// Whether it is the [door's invite](Self::door) of a public chat. Its link is the shortest of all.
    pub fn is_door(&self) -> bool {
        self.kind == KIND_PUBLIC && self.certificate.is_of_door()
    }

    /// The invite's public key.
    pub fn id(&self) -> InviteId {
        self.certificate.invite
    }

    /// Admits a member under one of the invite's slots, or under any number if it has no slots.
    pub fn admit(&self, member: MemberId, slot: u16, at_ms: u64) -> Credential {
        self.admit_with_work(member, slot, at_ms, 0)
    }

    /// Admits a member with the [work](super::work) that was done for exactly this time and this invite.
    pub fn admit_with_work(&self, member: MemberId, slot: u16, at_ms: u64, work: u64) -> Credential {
        Credential::Invited {
            invite: self.certificate.clone(),
            admission: Admission::sign(&self.secret, &self.chat, member, slot, at_ms, work),
        }
    }
}

impl fmt::Debug for InviteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InviteKey")
            .field("chat", &self.chat)
            .field("certificate", &self.certificate)
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

impl Drop for InviteKey {
    fn drop(&mut self) {
        self.rendezvous.zeroize();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::invite) fn chat_key() -> SigningKey {
        SigningKey::from_seed([1; 32])
    }

    pub(in crate::invite) fn invite() -> InviteKey {
        let charter = Charter::sign(&chat_key(), 0, 7, MemberId([2; 32]), "Friends");
        let seen = SeenAddress {
            address: ([192, 0, 2, 1], 40_000).into(),
            seen_ms: 9,
        };
        let mut rng = <rand_chacha::ChaCha20Rng as rand_core::SeedableRng>::seed_from_u64(1);
        InviteKey::issue(
            &chat_key(),
            &charter,
            [0xAB; 16],
            1,
            Rights::Member,
            2,
            0,
            vec![seen],
            &mut rng,
        )
    }

    pub(in crate::invite) fn door() -> InviteKey {
        let charter = Charter::sign(&chat_key(), 1, 7, MemberId([2; 32]), "The square");
        let mut rng = <rand_chacha::ChaCha20Rng as rand_core::SeedableRng>::seed_from_u64(2);
        InviteKey::door(
            &chat_key(),
            &charter,
            [0xAB; 16],
            invite().addresses.clone(),
            &mut rng,
        )
    }

    pub(in crate::invite) fn with(change: impl FnOnce(&mut InviteKey)) -> InviteKey {
        let mut invite = invite();
        change(&mut invite);
        invite
    }

    #[test]
    fn an_issued_invite_admits_under_its_slots() {
        let invite = invite();
        assert_eq!(invite.id(), InviteId(invite.secret.public()));
        let member = MemberId([5; 32]);
        assert!(invite.admit(member, 1, 3).verify(&invite.chat));
        assert_eq!(invite.admit(member, 1, 3).member(), member);
        assert!(
            !invite.admit(member, 2, 3).verify(&invite.chat),
            "it has slots 0 and 1"
        );
    }

    #[test]
    fn an_admission_keeps_its_work() {
        let (invite, member) = (invite(), MemberId([5; 32]));
        let Credential::Invited { admission, .. } = invite.admit_with_work(member, 1, 3, 77) else {
            panic!("it is an invited member's");
        };
        assert_eq!((admission.at_ms, admission.work), (3, 77));
        assert!(admission.verify(&invite.chat, &invite.id()));
    }

    #[test]
    fn secrets_do_not_show() {
        let invite = with(|invite| invite.secret = SigningKey::from_seed([0xAB; 32]));
        let text = format!("{invite:?}");
        assert!(
            !text.to_lowercase().contains("abab") && !text.contains("171, 171"),
            "{text}"
        );
    }
}
