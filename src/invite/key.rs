use std::fmt;
use std::net::SocketAddr;

use zeroize::{Zeroize, Zeroizing};

use super::{
    Admission, Charter, Credential, InviteCertificate, InviteError, Rights, read_time, text, write_time,
};
use crate::crypto::{self, CryptoRng, RngCore, SigningKey};
use crate::id::{ChatId, InviteId, MemberId};
use crate::wire::{Reader, read_address, write_address};

/// The most addresses in an invite file.
pub const MAX_FILE_ADDRESSES: usize = 8;

/// The most addresses in a link, which has to stay short enough for a QR picture.
pub const MAX_LINK_ADDRESSES: usize = 3;

const VERSION: u8 = 1;
const CHECKSUM_LEN: usize = 4;

const FLAG_CHARTER: u8 = 1;
const FLAG_FILE: u8 = 2;

/// An invite: the key that admits members, what empowers it, and where members were last seen. Whoever holds it can
/// come in.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteKey {
    /// The chat's: 0 private, 1 public.
    pub kind: u8,
    /// The chat.
    pub chat: ChatId,
    /// The key that admits.
    pub secret: SigningKey,
    /// What the chat's gate is derived from. Secret.
    pub rendezvous: [u8; 16],
    /// The chat's signature under the key.
    pub certificate: InviteCertificate,
    /// What the chat is called and who founded it; a link leaves it out.
    pub charter: Option<Charter>,
    /// Where members were seen, the best first: a file takes 8 of them, a link 3.
    pub addresses: Vec<SeenAddress>,
}

/// Where a member was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenAddress {
    /// Where.
    pub address: SocketAddr,
    /// When, ms since 1970, at most 2^48-1; 0: not known (links leave it out).
    pub seen_ms: u64,
}

/// Which of the two forms bytes are: what they leave out differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// With the charter, if there is one, and with times.
    File,
    /// With neither.
    Link,
}

impl InviteKey {
    /// Makes a new invite to the chat whose key this is.
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

    /// The invite's public key.
    pub fn id(&self) -> InviteId {
        self.certificate.invite
    }

    /// Admits a member under one of the invite's slots.
    pub fn admit(&self, member: MemberId, slot: u16, at_ms: u64) -> Credential {
        Credential::Invited {
            invite: self.certificate.clone(),
            admission: Admission::sign(&self.secret, &self.chat, member, slot, at_ms, 0),
        }
    }

    /// The text of a `.throng` file: a line in words, then the invite in base64. It holds the invite's secret.
    pub fn to_armour(&self) -> String {
        text::armour(
            self.charter.as_ref().map(|charter| charter.name.as_str()),
            &self.encode(Form::File),
        )
    }

    /// The `throng:` link. It holds the invite's secret.
    pub fn to_link(&self) -> String {
        text::link(&self.encode(Form::Link))
    }

    /// Finds the invite, in either form, in a text as people paste or mail it.
    ///
    /// # Errors
    /// All of [`InviteError`].
    pub fn parse(text: &str) -> Result<Self, InviteError> {
        text::find(text)
    }

    pub(super) fn encode(&self, form: Form) -> Zeroizing<Vec<u8>> {
        let charter = self.charter.as_ref().filter(|_| form == Form::File);
        // Room for all, so that no copy of the secret is left behind when the bytes grow.
        let mut out = Zeroizing::new(Vec::with_capacity(1024));
        out.extend_from_slice(&[VERSION, self.kind]);
        out.extend_from_slice(&self.chat.0);
        out.extend_from_slice(&*self.secret.seed());
        out.extend_from_slice(&self.rendezvous);
        out.push(match form {
            Form::Link => 0,
            Form::File => FLAG_FILE | charter.map_or(0, |_| FLAG_CHARTER),
        });
        out.extend(self.certificate.encode());
        out.extend(charter.map(Charter::encode).unwrap_or_default());
        let addresses = &self.addresses[..self.addresses.len().min(form.max_addresses())];
        for seen in addresses {
            write_address(&seen.address, &mut out);
            if form == Form::File {
                write_time(seen.seen_ms, &mut out);
            }
        }
        let checksum = checksum(&out);
        out.extend_from_slice(&checksum);
        out
    }

    pub(super) fn decode(bytes: &[u8], form: Form) -> Result<Self, InviteError> {
        let (content, check) = bytes.split_last_chunk().ok_or(InviteError::Damaged)?;
        if checksum(content) != *check {
            return Err(InviteError::Damaged);
        }
        let mut reader = Reader::new(content);
        match reader.u8()? {
            VERSION => {}
            0 => return Err(InviteError::Damaged),
            _ => return Err(InviteError::NewerVersion),
        }
        let invite = Self::read(&mut reader, form)?;
        if !invite.certificate.verify(&invite.chat)
            || invite
                .charter
                .as_ref()
                .is_some_and(|charter| !charter.verify(&invite.chat))
        {
            return Err(InviteError::WrongChat);
        }
        Ok(invite)
    }

    fn read(reader: &mut Reader<'_>, form: Form) -> Result<Self, InviteError> {
        let kind = reader.u8()?;
        let chat = ChatId(reader.array()?);
        let secret = SigningKey::from_seed(reader.array()?);
        let rendezvous = reader.array()?;
        let has_charter = match (form, reader.u8()?) {
            (Form::Link, 0) | (Form::File, FLAG_FILE) => false,
            (Form::File, flags) if flags == FLAG_FILE | FLAG_CHARTER => true,
            _ => return Err(InviteError::Damaged),
        };
        let certificate = InviteCertificate::read(reader)?;
        let charter = if has_charter {
            Some(Charter::read(reader)?)
        } else {
            None
        };
        let mut addresses = Vec::new();
        while !reader.is_empty() {
            let address = read_address(reader)?;
            let seen_ms = if form == Form::File { read_time(reader)? } else { 0 };
            addresses.push(SeenAddress { address, seen_ms });
        }
        let fits = kind <= 1
            && certificate.invite == InviteId(secret.public())
            && charter.as_ref().is_none_or(|charter| charter.kind == kind)
            && addresses.len() <= form.max_addresses();
        if !fits {
            return Err(InviteError::Damaged);
        }
        Ok(Self {
            kind,
            chat,
            secret,
            rendezvous,
            certificate,
            charter,
            addresses,
        })
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

impl Form {
    fn max_addresses(self) -> usize {
        match self {
            Self::File => MAX_FILE_ADDRESSES,
            Self::Link => MAX_LINK_ADDRESSES,
        }
    }
}

/// The first 4 bytes of SHA-256: against accidents, not against people.
fn checksum(content: &[u8]) -> [u8; CHECKSUM_LEN] {
    let [a, b, c, d, ..] = crypto::hash(&[content]);
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::invite::text::armour;

    fn chat_key() -> SigningKey {
        SigningKey::from_seed([1; 32])
    }

    fn invite() -> InviteKey {
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

    fn with(change: impl FnOnce(&mut InviteKey)) -> InviteKey {
        let mut invite = invite();
        change(&mut invite);
        invite
    }

    /// The bytes with another checksum, so that only what is changed can be found fault with.
    fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
        bytes.truncate(bytes.len() - CHECKSUM_LEN);
        let check = checksum(&bytes);
        [bytes, check.to_vec()].concat()
    }

    fn parse_changed(change: impl Fn(&mut Vec<u8>)) -> InviteError {
        let mut bytes = invite().encode(Form::File).to_vec();
        change(&mut bytes);
        InviteKey::parse(&armour(None, &resealed(bytes))).expect_err("it was changed")
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
    fn every_fault_has_its_own_error() {
        let wrong_chat = with(|invite| invite.chat = ChatId(SigningKey::from_seed([9; 32]).public()));
        assert_eq!(
            InviteKey::parse(&wrong_chat.to_armour()),
            Err(InviteError::WrongChat)
        );
        assert_eq!(
            InviteKey::parse(&wrong_chat.to_link()),
            Err(InviteError::WrongChat)
        );
        let other_charter = Charter::sign(
            &SigningKey::from_seed([9; 32]),
            0,
            7,
            MemberId([2; 32]),
            "Friends",
        );
        let wrong_charter = with(|invite| invite.charter = Some(other_charter));
        assert_eq!(
            InviteKey::parse(&wrong_charter.to_armour()),
            Err(InviteError::WrongChat)
        );

        assert_eq!(parse_changed(|bytes| bytes[0] = 2), InviteError::NewerVersion);
        assert_eq!(parse_changed(|bytes| bytes[0] = 0), InviteError::Damaged);
        assert_eq!(parse_changed(|bytes| bytes[1] = 2), InviteError::Damaged, "kind");
        assert_eq!(
            parse_changed(|bytes| bytes[1] = 1),
            InviteError::Damaged,
            "the charter's kind is another"
        );
        assert_eq!(
            parse_changed(|bytes| bytes[34] ^= 1),
            InviteError::Damaged,
            "the key is another"
        );
        assert_eq!(
            parse_changed(|bytes| bytes[82] |= 4),
            InviteError::Damaged,
            "unassigned flag"
        );
        assert_eq!(
            parse_changed(|bytes| bytes[83 + 40] ^= 1),
            InviteError::WrongChat,
            "certificate"
        );

        for text in ["", "hello", "throng:", "what about throng: and such?", "\0\0\0"] {
            assert_eq!(InviteKey::parse(text), Err(InviteError::NotAnInvite), "{text:?}");
        }
        assert_eq!(
            InviteKey::parse(&" ".repeat(16 * 1024 + 1)),
            Err(InviteError::TooLarge)
        );
        let (armour, link) = (invite().to_armour(), invite().to_link());
        assert_eq!(
            InviteKey::parse(&armour[..armour.len() / 2]),
            Err(InviteError::Damaged)
        );
        assert_eq!(
            InviteKey::parse(&link[..link.len() / 2]),
            Err(InviteError::Damaged)
        );
        assert_eq!(
            InviteKey::parse(&format!("throng:nothing {link}")).map(|found| found.id()),
            Ok(invite().id())
        );
    }

    #[test]
    fn more_addresses_than_fit_are_left_out_and_refused() {
        let seen = invite().addresses[0];
        let mut many = invite();
        many.addresses = vec![seen; 20];
        let found = InviteKey::parse(&many.to_armour()).expect("8 of them fit");
        assert_eq!(found.addresses.len(), MAX_FILE_ADDRESSES);
        let found = InviteKey::parse(&many.to_link()).expect("3 of them fit");
        assert_eq!(found.addresses.len(), MAX_LINK_ADDRESSES);

        many.addresses.truncate(MAX_FILE_ADDRESSES);
        let mut bytes = many.encode(Form::File).to_vec();
        let at = bytes.len() - CHECKSUM_LEN;
        let one_more = bytes[at - 25..at].to_vec();
        bytes.splice(at..at, one_more);
        assert_eq!(
            InviteKey::decode(&resealed(bytes), Form::File),
            Err(InviteError::Damaged)
        );
    }

    #[test]
    fn what_a_chat_is_called_cannot_pass_for_the_invite() {
        let name = "\n-----BEGIN THRONG INVITE-----\nthrong:a\u{202E}b";
        let charter = Charter::sign(&chat_key(), 0, 7, MemberId([2; 32]), name);
        let invite = with(|invite| invite.charter = Some(charter));
        assert_eq!(InviteKey::parse(&invite.to_armour()), Ok(invite));
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

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        // The checksum keeps chance away from what is behind it, so it is made to fit here.
        #[test]
        fn any_bytes_are_an_invite_of_that_form_alone_or_none(
            at in any::<prop::sample::Index>(), byte in any::<u8>(), len in any::<prop::sample::Index>(), cut in any::<bool>(),
        ) {
            for form in [Form::File, Form::Link] {
                let mut bytes = invite().encode(form).to_vec();
                let at = at.index(bytes.len());
                bytes[at] = byte;
                bytes.truncate(if cut { CHECKSUM_LEN + len.index(bytes.len() - CHECKSUM_LEN) } else { bytes.len() });
                let bytes = resealed(bytes);
                for form in [Form::File, Form::Link] {
                    if let Ok(found) = InviteKey::decode(&bytes, form) {
                        prop_assert_eq!(&**found.encode(form), &bytes[..]);
                    }
                }
            }
        }
    }
}
