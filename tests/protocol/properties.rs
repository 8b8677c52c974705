//! What has to hold of any bytes and of any value: nothing panics, what is encoded decodes to the same, and what is
//! taken encodes to the same bytes, so that nothing has two forms.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use throng::crypto::{BoxKeyPair, SharedKeys, SigningKey, hash};
use throng::id::{ChatId, InviteId, MemberId};
use throng::invite::{
    Chain, Charter, Credential, InviteCertificate, InviteError, InviteKey, MAX_INVITE_FILE_LEN, Rights,
    SeenAddress,
};
use throng::wire::{Header, Hello, MAX_PLAIN_LEN, Packet, SignedSay, join_datagram, split_datagram};

use crate::any::{any_chain, any_charter, any_invite, any_kind, any_packet, any_text};

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 512,
        // A failure's seed is printed and kept here.
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/protocol/properties.regressions",
        ))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_are_a_packet_of_that_form_alone_or_none(kind in any_kind(), body in vec(any::<u8>(), 0..1000)) {
        let plain = [&[kind][..], &body].concat();
        if let Ok(packet) = Packet::decode(&plain) {
            prop_assert_eq!(packet.encode(), plain);
        }
    }

    #[test]
    fn any_bytes_are_a_datagram_of_that_form_alone_or_none(bytes in vec(any::<u8>(), 0..1100), first in any::<bool>()) {
        let bytes = if first { [&[48][..], &bytes].concat() } else { bytes };
        if let Ok((header, sealed)) = split_datagram(&bytes) {
            prop_assert!(sealed.len() >= 16);
            prop_assert_eq!(join_datagram(&header, sealed), bytes);
        }
    }

    #[test]
    fn a_packet_comes_back_as_it_was(packet in any_packet()) {
        let plain = packet.encode();
        prop_assert!(plain.len() <= MAX_PLAIN_LEN, "{} bytes", plain.len());
        prop_assert_eq!(plain[0], packet.kind());
        prop_assert_eq!(Packet::decode(&plain), Ok(packet));
    }

    #[test]
    fn a_changed_packet_is_refused_or_another_of_one_form(
        packet in any_packet(), at in any::<prop::sample::Index>(), byte in any::<u8>(), how in 0..3,
    ) {
        let plain = changed(packet.encode(), at, byte, how);
        if let Ok(other) = Packet::decode(&plain) {
            prop_assert_eq!(other.encode(), plain);
        }
    }

    #[test]
    fn a_sealed_packet_comes_back_as_it_was(
        packet in any_packet(), sender in any::<[u8; 32]>(), receiver in any::<[u8; 32]>(), nonce in any::<[u8; 24]>(),
    ) {
        let (sender, receiver) = (BoxKeyPair::from_secret(sender), BoxKeyPair::from_secret(receiver));
        let header = Header { receiver: receiver.client_id(), sender: sender.client_id(), nonce };
        let sealed = SharedKeys::new(sender, 1).seal(&header.receiver, &nonce, &packet.encode()).unwrap();
        let bytes = join_datagram(&header, &sealed);
        let (split, rest) = split_datagram(&bytes).unwrap();
        prop_assert_eq!(split, header);
        let plain = SharedKeys::new(receiver, 1).open(&split.sender, &split.nonce, rest).unwrap();
        prop_assert_eq!(Packet::decode(&plain), Ok(packet));
    }

    #[test]
    fn any_bytes_are_certificates_of_that_form_alone_or_none(bytes in vec(any::<u8>(), 0..700), first in 0u8..6) {
        let bytes = [&[first][..], &bytes].concat();
        check_certificates(&bytes);
    }

    #[test]
    fn certificates_come_back_as_they_were(
        chain in any_chain(), charter in any_charter(), behind in vec(any::<u8>(), 0..9),
    ) {
        prop_assert_eq!(Chain::decode(&chain.encode()), Ok(chain.clone()));
        prop_assert_eq!(Charter::decode(&charter.encode()), Ok(charter));
        let bytes = [chain.credential.encode(), behind.clone()].concat();
        prop_assert_eq!(Credential::decode(&bytes), Ok((chain.credential, &behind[..])));
    }

    #[test]
    fn any_chain_fits_in_a_hello_with_the_longest_name(chain in any_chain(), nick in any_text(1, 128)) {
        let hello = Hello {
            capabilities: 1, nonce: [1; 16], token: [2; 8], time_ms: 3, facts_root: [4; 32], members: 5, nick,
            chain: chain.encode(),
        };
        let plain = Packet::Hello(hello.clone()).encode();
        prop_assert!(plain.len() <= MAX_PLAIN_LEN, "{} bytes", plain.len());
        prop_assert_eq!(Packet::decode(&plain), Ok(Packet::Hello(hello)));
    }

    #[test]
    fn changed_certificates_are_refused_or_others_of_one_form(
        chain in any_chain(), charter in any_charter(),
        at in any::<prop::sample::Index>(), byte in any::<u8>(), how in 0..3,
    ) {
        for bytes in [chain.encode(), charter.encode()] {
            check_certificates(&changed(bytes, at, byte, how));
        }
    }

    #[test]
    fn an_invite_comes_back_as_it_was(invite in any_invite()) {
        let armour = invite.to_armour();
        let parsed = InviteKey::parse(&armour).unwrap();
        prop_assert_eq!(parsed.to_armour(), armour);
        prop_assert_eq!(&parsed, &invite);

        let link = invite.to_link();
        let of_office = invite.certificate.office.as_ref().map_or(0, |office| 266 + office.charter.name.len());
        let bytes = if invite.is_door() { 151 } else { 196 } + of_office + 19 * invite.addresses.len().min(3);
        prop_assert_eq!(link.len(), "throng:".len() + (4 * bytes).div_ceil(3));
        let parsed = InviteKey::parse(&link).unwrap();
        prop_assert_eq!(parsed.to_link(), link);
        prop_assert_eq!(parsed, as_linked(invite));
    }

    #[test]
    fn an_invite_is_found_as_people_paste_it(
        invite in any_invite(), before in "[^:]{0,80}", after in "[^:]{0,80}", broken_at in 40usize..79,
    ) {
        let armour = invite.to_armour();
        for text in [
            armour.replace('\n', "\r\n"),
            format!("{before}\n{armour}{after}"),
            armour.lines().map(|line| format!("> > {line}\r\n")).collect(),
            armour.lines().map(|line| format!("   {line}  \n\n")).collect(),
        ] {
            prop_assert_eq!(InviteKey::parse(&text), Ok(invite.clone()), "{}", text);
        }
        let link = invite.to_link();
        for text in [
            format!("{before}\n{link} !"),
            format!("{before} <{link}>. {after}"),
            link.replacen("throng", "THRONG", 1),
            link.as_bytes().chunks(broken_at).map(|line| format!("> {}\r\n", std::str::from_utf8(line).unwrap())).collect(),
        ] {
            prop_assert_eq!(InviteKey::parse(&text), Ok(as_linked(invite.clone())), "{}", text);
        }
    }

    #[test]
    fn a_whole_link_is_found_among_broken_ones(
        invite in any_invite(), other in any_invite(), cut in any::<prop::sample::Index>(),
        before in "(throng:|THRONG:|[a-zA-Z0-9 .,:>\n_-]){0,60}", between in "[\n ]|, |\r\n> ", after in "([^a-zA-Z0-9_-]\\PC{0,40})?",
    ) {
        let (link, other) = (invite.to_link(), other.to_link());
        let broken = &other[..cut.index(other.len())];
        let text = format!("{before} {broken}{between}{link}{after}");
        prop_assert_eq!(InviteKey::parse(&text), Ok(as_linked(invite)), "{}", text);
    }

    #[test]
    fn a_newer_version_is_known_whatever_it_holds(version in 2u8.., content in vec(any::<u8>(), 0..900)) {
        let bytes = [&[version][..], &content].concat();
        let bytes = [&bytes[..], &hash(&[&bytes])[..4]].concat();
        for text in [as_link(&bytes), as_armour(&bytes)] {
            prop_assert_eq!(InviteKey::parse(&text), Err(InviteError::NewerVersion), "{}", text);
        }
    }

    #[test]
    fn any_text_is_an_invite_or_none(text in "(\\PC|[\n\r>]|throng:|-----BEGIN THRONG INVITE-----\n|-----END THRONG INVITE-----\n|[A-Za-z0-9]{64}){0,40}") {
        prop_assert!(InviteKey::parse(&text).is_err());
    }
}

#[test]
fn an_invite_cut_or_changed_anywhere_is_refused_or_the_same() {
    let (invite, door) = (full_invite(), full_door());
    for (text, whole) in [
        (invite.to_armour(), invite.clone()),
        (invite.to_link(), as_linked(invite)),
        (door.to_armour(), door.clone()),
        (door.to_link(), as_linked(door)),
    ] {
        let bytes = text.as_bytes();
        let check = |changed: &[u8], what: &str| match InviteKey::parse(&String::from_utf8_lossy(changed)) {
            Ok(found) => assert_eq!(found, whole, "{what}"),
            Err(error) => assert!(
                matches!(error, InviteError::Damaged | InviteError::NotAnInvite),
                "{what}: {error:?}"
            ),
        };
        for at in 0..bytes.len() {
            check(&bytes[..at], &format!("cut at {at}"));
            check(&bytes[at..], &format!("begun at {at}"));
            check(
                &[&bytes[..at], &bytes[at + 1..]].concat(),
                &format!("without byte {at}"),
            );
            for bit in 0..8 {
                let mut changed = bytes.to_vec();
                changed[at] ^= 1 << bit;
                check(&changed, &format!("bit {bit} of byte {at}"));
            }
        }
    }
}

#[test]
fn what_is_too_large_for_an_invite_is_not_looked_into() {
    let invite = full_invite();
    for text in [invite.to_armour(), invite.to_link()] {
        let padded = |len| format!("{text}\n{}", " ".repeat(len - text.len() - 1));
        assert!(InviteKey::parse(&padded(MAX_INVITE_FILE_LEN)).is_ok());
        let error = InviteKey::parse(&padded(MAX_INVITE_FILE_LEN + 1));
        assert_eq!(error, Err(InviteError::TooLarge));
    }
}

#[test]
fn nulls_are_no_invite() {
    for len in [0, 1, 4, 5, 151, 196, MAX_INVITE_FILE_LEN] {
        let nulls = vec![0; len];
        let text = String::from_utf8(nulls.clone()).unwrap();
        assert_eq!(
            InviteKey::parse(&text),
            Err(InviteError::NotAnInvite),
            "{len} nulls"
        );
        let with_checksum = [&nulls[..], &hash(&[&nulls])[..4]].concat();
        for bytes in [nulls, with_checksum] {
            let expected = match bytes.len() {
                0 => InviteError::NotAnInvite,
                1..12_000 => InviteError::Damaged,
                _ => InviteError::TooLarge,
            };
            assert_eq!(
                InviteKey::parse(&as_link(&bytes)),
                Err(expected),
                "{len} nulls in a link"
            );
        }
    }
}

/// Bytes as if they were an invite's.
fn as_link(bytes: &[u8]) -> String {
    format!("throng:{}", data_encoding::BASE64URL_NOPAD.encode(bytes))
}

fn as_armour(bytes: &[u8]) -> String {
    let base64 = data_encoding::BASE64.encode(bytes);
    format!("-----BEGIN THRONG INVITE-----\n{base64}\n-----END THRONG INVITE-----\n")
}

/// Takes bytes for each kind of certificate.
fn check_certificates(bytes: &[u8]) {
    if let Ok(chain) = Chain::decode(bytes) {
        assert_eq!(chain.encode(), bytes);
    }
    if let Ok((credential, rest)) = Credential::decode(bytes) {
        assert_eq!([&credential.encode()[..], rest].concat(), bytes);
    }
    if let Ok(charter) = Charter::decode(bytes) {
        assert_eq!(charter.encode(), bytes);
    }
    if let Ok(signed) = SignedSay::decode(bytes) {
        assert_eq!(signed.encode(), bytes);
    }
}

/// With a byte set, cut off from there, or with a byte more.
fn changed(mut bytes: Vec<u8>, at: prop::sample::Index, byte: u8, how: i32) -> Vec<u8> {
    let at = at.index(bytes.len());
    match how {
        0 => bytes[at] = byte,
        1 => bytes.truncate(at),
        _ => bytes.insert(at, byte),
    }
    bytes
}

/// What a link keeps of an invite.
fn as_linked(mut invite: InviteKey) -> InviteKey {
    invite.charter = invite
        .certificate
        .office
        .as_ref()
        .map(|office| office.charter.clone());
    invite.addresses.truncate(3);
    invite.addresses.iter_mut().for_each(|seen| seen.seen_ms = 0);
    invite
}

/// One with everything in it that there can be.
fn full_invite() -> InviteKey {
    let chat = SigningKey::from_seed([1; 32]);
    let secret = SigningKey::from_seed([2; 32]);
    let invite = InviteId(secret.public());
    let seen = |last: u8| SeenAddress {
        address: ([192, 0, 2, last], 40_000 + u16::from(last)).into(),
        seen_ms: 1_795_000_000_000 + u64::from(last),
    };
    InviteKey {
        kind: 0,
        chat: ChatId(chat.public()),
        secret,
        rendezvous: [3; 16],
        certificate: InviteCertificate::sign(&chat, invite, 1, Rights::Member, 1, 1_800_000_000_000),
        charter: Some(Charter::sign(
            &chat,
            0,
            1_790_000_000_000,
            MemberId([4; 32]),
            "Friends — ﷽",
        )),
        addresses: (1..=8).map(seen).collect(),
    }
}

fn full_door() -> InviteKey {
    let chat = SigningKey::from_seed([1; 32]);
    let charter = Charter::sign(&chat, 1, 1_790_000_000_000, MemberId([4; 32]), "The square");
    let addresses = full_invite().addresses.clone();
    let mut rng = <rand_chacha::ChaCha20Rng as rand_core::SeedableRng>::seed_from_u64(1);
    InviteKey::door(&chat, &charter, [3; 16], addresses, &mut rng)
}
