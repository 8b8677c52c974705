//! An invite in bytes, in two forms: for a file and for a link.

use zeroize::Zeroizing;

use super::key::{KIND_PUBLIC, MAX_FILE_ADDRESSES, MAX_LINK_ADDRESSES};
use super::{Charter, InviteCertificate, InviteError, InviteKey, SeenAddress, read_time, write_time};
use crate::crypto::{self, SigningKey};
use crate::id::{ChatId, InviteId};
use crate::wire::{Reader, read_address, write_address};

const VERSION: u8 = 1;
const CHECKSUM_LEN: usize = 4;

const FLAG_CHARTER: u8 = 1;
const FLAG_FILE: u8 = 2;
/// The certificate is there as its signature alone.
const FLAG_DOOR: u8 = 4;
/// Made by a moderator: their office, with the charter in it, comes before the certificate.
const FLAG_OFFICE: u8 = 8;

/// The two forms, which leave out different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A file: with the charter, if there is one, and with times.
    File,
    /// A link: with neither.
    Link,
}

impl InviteKey {
    pub(super) fn encode(&self, form: Form) -> Zeroizing<Vec<u8>> {
        let in_office = self.certificate.office.is_some();
        let charter = self.charter.as_ref().filter(|_| form == Form::File && !in_office);
        // The capacity is enough for everything, so that no copy of the secret is left behind when the bytes grow.
        let mut out = Zeroizing::new(Vec::with_capacity(1024));
        out.extend_from_slice(&[VERSION, self.kind]);
        out.extend_from_slice(&self.chat.0);
        out.extend_from_slice(&*self.secret.seed());
        out.extend_from_slice(&self.rendezvous);
        let is_door = self.is_door();
        out.push(form.flags(is_door, in_office, charter.is_some()));
        if is_door {
            out.extend_from_slice(&self.certificate.signature);
        } else {
            out.extend(self.certificate.encode());
        }
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
        let flags = reader.u8()?;
        let (is_door, has_charter) = (flags & FLAG_DOOR != 0, flags & FLAG_CHARTER != 0);
        let in_office = flags & FLAG_OFFICE != 0;
        let certificate = if is_door {
            InviteCertificate::of_door(InviteId(secret.public()), reader.array()?)
        } else {
            InviteCertificate::read(reader, in_office)?
        };
        let charter = if has_charter {
            Some(Charter::read(reader)?)
        } else {
            certificate.office.as_ref().map(|office| office.charter.clone())
        };
        let mut addresses = Vec::new();
        while !reader.is_empty() {
            let address = read_address(reader)?;
            let seen_ms = if form == Form::File { read_time(reader)? } else { 0 };
            addresses.push(SeenAddress { address, seen_ms });
        }
        let invite = Self {
            kind,
            chat,
            secret,
            rendezvous,
            certificate,
            charter,
            addresses,
        };
        let fits = kind <= KIND_PUBLIC
            && flags == form.flags(invite.is_door(), in_office, has_charter)
            && invite.certificate.invite == InviteId(invite.secret.public())
            && invite.charter.as_ref().is_none_or(|charter| charter.kind == kind)
            && invite.addresses.len() <= form.max_addresses();
        if fits {
            Ok(invite)
        } else {
            Err(InviteError::Damaged)
        }
    }
}

impl Form {
    fn flags(self, is_door: bool, in_office: bool, has_charter: bool) -> u8 {
        let of_form = match self {
            Self::File if has_charter => FLAG_FILE | FLAG_CHARTER,
            Self::File => FLAG_FILE,
            Self::Link => 0,
        };
        match (is_door, in_office) {
            (true, _) => of_form | FLAG_DOOR,
            (false, true) => of_form | FLAG_OFFICE,
            (false, false) => of_form,
        }
    }

    fn max_addresses(self) -> usize {
        match self {
            Self::File => MAX_FILE_ADDRESSES,
            Self::Link => MAX_LINK_ADDRESSES,
        }
    }
}

/// The first 4 bytes of SHA-256. This protects from accidents, not from people.
fn checksum(content: &[u8]) -> [u8; CHECKSUM_LEN] {
    let [a, b, c, d, ..] = crypto::hash(&[content]);
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::MemberId;
    use crate::invite::Rights;
    use crate::invite::key::tests::{chat_key, door, invite, with};
    use crate::invite::text::armour;

    /// The bytes with a checksum that fits, so that nothing but the change can be at fault.
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
    fn a_door_comes_back_from_its_short_link() {
        let door = door();
        assert!(door.is_door());
        assert!(door.admit(MemberId([5; 32]), 60_000, 3).verify(&door.chat));
        assert_eq!(door.encode(Form::Link).len(), 83 + 64 + 19 + 4);
        let found = InviteKey::parse(&door.to_link()).expect("it is whole");
        assert!(found.is_door());
        assert_eq!(
            (&found.certificate, found.rendezvous),
            (&door.certificate, door.rendezvous)
        );
        assert_eq!(InviteKey::parse(&door.to_armour()), Ok(door));
    }

    #[test]
    fn whatever_differs_from_a_door_is_none_and_has_a_long_link() {
        let other = |number, rights, slots, until_ms| {
            let mut invite = door();
            invite.certificate =
                InviteCertificate::sign(&chat_key(), invite.id(), number, rights, slots, until_ms);
            invite
        };
        let mut private = other(0, Rights::Member, 0, 0);
        private.kind = 0;
        for invite in [
            other(1, Rights::Member, 0, 0),
            other(0, Rights::Observer, 0, 0),
            other(0, Rights::Member, 1, 0),
            other(0, Rights::Member, 0, 1),
            private,
        ] {
            assert!(!invite.is_door(), "{invite:?}");
            let bytes = invite.encode(Form::Link);
            assert_eq!(bytes.len(), 83 + 109 + 19 + 4);
            let found = InviteKey::decode(&bytes, Form::Link).expect("it is whole");
            assert_eq!(found.certificate, invite.certificate);
        }
    }

    #[test]
    fn a_door_has_one_form_and_its_chats_signature() {
        let mut long = door().encode(Form::Link).to_vec();
        long[82] = 0;
        long.splice(83..83 + 64, door().certificate.encode());
        assert_eq!(
            InviteKey::decode(&resealed(long), Form::Link),
            Err(InviteError::Damaged)
        );

        let changed = |at: usize| {
            let mut bytes = door().encode(Form::Link).to_vec();
            bytes[at] ^= 1;
            InviteKey::decode(&resealed(bytes), Form::Link)
        };
        // The public half follows from the seed, and what is signed follows from that.
        for (at, part) in [(2, "chat"), (34, "seed"), (83, "signature")] {
            assert_eq!(changed(at), Err(InviteError::WrongChat), "{part}");
        }
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
            parse_changed(|bytes| bytes[82] |= 8),
            InviteError::Damaged,
            "unassigned flag"
        );
        assert_eq!(
            parse_changed(|bytes| bytes[82] |= FLAG_DOOR),
            InviteError::Damaged,
            "a private chat has no door"
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

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        // Random changes would stop at the checksum, so it is made to fit.
        #[test]
        fn any_bytes_are_an_invite_of_that_form_alone_or_none(
            at in any::<prop::sample::Index>(), byte in any::<u8>(), len in any::<prop::sample::Index>(), cut in any::<bool>(),
        ) {
            for (invite, form) in [
                (invite(), Form::File), (invite(), Form::Link), (door(), Form::File), (door(), Form::Link),
            ] {
                let mut bytes = invite.encode(form).to_vec();
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
