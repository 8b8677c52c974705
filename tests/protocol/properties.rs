//! What has to hold of any bytes and of any value: nothing panics, what is encoded decodes to the same, and what is
//! taken encodes to the same bytes, so that nothing has two forms.

use std::net::{IpAddr, SocketAddr};

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use throng::crypto::{BoxKeyPair, SharedKeys, SigningKey, hash};
use throng::facts::{self, Fact, Place, Role};
use throng::id::{ChatId, ClientId, InviteId, MemberId};
use throng::invite::{
    Admission, Chain, Charter, Credential, InviteCertificate, InviteError, InviteKey, MAX_INVITE_FILE_LEN,
    Office, Rights, SeenAddress, SessionCertificate,
};
use throng::wire::{
    Body, Broadcast, Digest, Facts, FactsAsk, Header, Hello, History, HistoryAnswer, HistoryAsk,
    HistoryAuthor, HistoryMember, HistoryQuestion, HistorySay, HistoryStatus, Items, Keepalive, Link, LinkOp,
    MAX_KNOWN_SESSIONS, MAX_PARTS, MAX_PLAIN_LEN, NodeAddress, NodeFormat, NotHeld, NumberRange, Packet,
    Part, Roster, RosterAsk, Say, SendNodes, SignedSay, Slow, TokenCounter, Want, Welcome, WelcomeStatus,
    join_datagram, split_datagram,
};

const KINDS: [u8; 17] = [
    48, 49, 50, 96, 97, 98, 99, 101, 102, 103, 104, 105, 107, 108, 113, 114, 115,
];

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

fn any_kind() -> impl Strategy<Value = u8> {
    prop_oneof![4 => prop::sample::select(&KINDS[..]), 1 => any::<u8>()]
}

fn any_packet() -> impl Strategy<Value = Packet> {
    prop_oneof![
        any::<[u8; 8]>().prop_map(|ping_id| Packet::GetNodes { ping_id }),
        any_send_nodes().prop_map(Packet::SendNodes),
        (any_client_id(), 1u32.., any_classic_body())
            .prop_map(|(origin, number, body)| Packet::Broadcast(Broadcast { origin, number, body })),
        any_hello().prop_map(Packet::Hello),
        any_welcome().prop_map(Packet::Welcome),
        any_link().prop_map(Packet::Link),
        any_say().prop_map(Packet::Say),
        (any_t(), any::<[u8; 16]>(), any::<u32>()).prop_map(|(t, refused, wait_ms)| Packet::Slow(Slow {
            t,
            refused,
            wait_ms
        })),
        (
            any_t(),
            any::<u64>(),
            any::<u64>(),
            any::<[u8; 32]>(),
            any::<[u8; 16]>()
        )
            .prop_map(
                |(t, echo, echoed, facts_root, roster)| Packet::Keepalive(Keepalive {
                    t,
                    echo,
                    echoed,
                    facts_root,
                    roster
                })
            ),
        (any_t(), vec(vec(any::<u8>(), 1..100), 1..=8))
            .prop_map(|(t, facts)| Packet::Facts(Facts { t, facts })),
        (any_t(), vec(any::<u8>(), 0..=880))
            .prop_map(|(t, summary)| Packet::FactsAsk(FactsAsk { t, summary })),
        (
            any_t(),
            1u32..,
            vec(any::<[u8; 6]>(), 0..=64),
            vec(any::<([u8; 6], u32)>(), 1..=16)
        )
            .prop_map(|(t, seq, held, reached)| Packet::Digest(Digest {
                t,
                seq,
                held,
                reached
            })),
        (any_t(), 1u32.., any_items()).prop_map(|(t, seq, items)| Packet::Want(Want { t, seq, items })),
        (any_t(), any_items(), any::<[u8; 6]>()).prop_map(|(t, mut items, id)| {
            items.ids.truncate(63);
            items.ids.push(id);
            Packet::NotHeld(NotHeld { t, items })
        }),
        (any_t(), any::<u32>(), any_question())
            .prop_map(|(t, ask, question)| Packet::HistoryAsk(HistoryAsk { t, ask, question })),
        (any_t(), any::<u32>(), any_answer()).prop_map(|(t, ask, answer)| Packet::History(History {
            t,
            ask,
            answer
        })),
        (
            any_t(),
            any_client_id(),
            any_client_id(),
            vec(any::<[u8; 6]>(), 0..MAX_KNOWN_SESSIONS)
        )
            .prop_map(|(t, after, to, known)| Packet::RosterAsk(RosterAsk { t, after, to, known })),
        (
            any_t(),
            any_client_id(),
            any::<bool>(),
            btree_set(0..MAX_KNOWN_SESSIONS as u8, 0..20)
        )
            .prop_map(|(t, last, more, gone)| Packet::Roster(Roster {
                t,
                last,
                more,
                gone: gone.into_iter().collect()
            })),
    ]
}

fn any_items() -> impl Strategy<Value = Items> {
    let range =
        (any_client_id(), 1..=u32::MAX - 63, 0..64u32).prop_map(|(client_id, first, more)| NumberRange {
            client_id,
            first,
            last: first + more,
        });
    (vec(any::<[u8; 6]>(), 0..=64), vec(range, 0..=8)).prop_map(|(ids, ranges)| Items { ids, ranges })
}

fn any_question() -> impl Strategy<Value = HistoryQuestion> {
    let compare =
        (any::<u64>(), vec((1..1_u64 << 50, any::<[u8; 16]>()), 1..=34)).prop_map(|(from, steps)| {
            let from = from >> 8;
            let mut to = from;
            let spans = steps.into_iter().map(|(step, fingerprint)| {
                to += step;
                (to, fingerprint)
            });
            HistoryQuestion::Compare {
                from,
                spans: spans.collect(),
            }
        });
    let fetch = (
        (0..u64::MAX / 2, 1..u64::MAX / 2, 1u16.., any::<bool>()),
        btree_set(any::<[u8; 3]>(), 0..30),
        btree_set(any::<[u8; 6]>(), 0..=130),
    );
    let fetch =
        fetch.prop_map(
            |((from, len, limit, with_credentials), known, held)| HistoryQuestion::Fetch {
                from,
                to: from + len,
                limit,
                with_credentials,
                known: known.into_iter().collect(),
                held: held.into_iter().collect(),
            },
        );
    prop_oneof![compare, fetch]
}

fn any_answer() -> impl Strategy<Value = HistoryAnswer> {
    let status = prop::sample::select(vec![
        HistoryStatus::All,
        HistoryStatus::More,
        HistoryStatus::NotHeld,
        HistoryStatus::Later,
        HistoryStatus::Whole,
    ]);
    let author = prop_oneof![
        any::<[u8; 32]>().prop_map(|member| HistoryMember::Id(MemberId(member))),
        vec(any::<u8>(), 1..260).prop_map(HistoryMember::Credential),
    ];
    let author =
        (any_client_id(), author).prop_map(|(client_id, author)| HistoryAuthor { client_id, author });
    let body = prop_oneof![
        any_text(1, 100).prop_map(Body::Message),
        any_text(1, 100).prop_map(|text| Body::Action {
            text,
            historic_id: false
        }),
    ];
    let say = (
        (any::<[u8; 3]>(), 1u32.., 0..1_u64 << 40, any::<u16>()),
        any::<Option<[u8; 8]>>(),
        body,
        any::<[u8; 32]>(),
    );
    let says = (1_u64 << 47..1 << 48, vec(say, 1..=3)).prop_map(|(time, says)| {
        let mut ms = time;
        let count = says.len();
        let says = says.into_iter().enumerate();
        let says = says.map(|(at, ((session, number, earlier, counter), after, body, half))| {
            ms -= if at == 0 { 0 } else { earlier };
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&half);
            HistorySay {
                session,
                number,
                hlc: ms << 16 | u64::from(counter),
                after: if at + 1 == count {
                    after.or(Some([0; 8]))
                } else {
                    after
                },
                body,
                signature,
            }
        });
        HistoryAnswer::Says(says.collect())
    });
    prop_oneof![
        (any::<u64>(), vec(any::<u8>(), 1..=5))
            .prop_map(|(held_from, differing)| HistoryAnswer::Compared { held_from, differing }),
        vec(author, 1..=3).prop_map(HistoryAnswer::Authors),
        says,
        (status, any::<u8>(), any::<u64>(), any::<u64>()).prop_map(|(status, parts, down_to, held_from)| {
            HistoryAnswer::End {
                status,
                parts,
                down_to,
                held_from,
            }
        }),
    ]
}

fn any_client_id() -> impl Strategy<Value = ClientId> {
    any::<[u8; 32]>().prop_map(ClientId)
}

fn any_address() -> impl Strategy<Value = SocketAddr> {
    (any::<IpAddr>(), any::<u16>()).prop_map(SocketAddr::from)
}

fn any_node() -> impl Strategy<Value = NodeAddress> {
    (any_client_id(), any_address()).prop_map(|(client_id, address)| NodeAddress { client_id, address })
}

fn any_send_nodes() -> impl Strategy<Value = SendNodes> {
    let short =
        (any_client_id(), any::<[u8; 4]>(), any::<u16>()).prop_map(|(client_id, ip, port)| NodeAddress {
            client_id,
            address: (ip, port).into(),
        });
    let nodes = prop_oneof![
        vec(any_node(), 0..=6).prop_map(|nodes| (nodes, NodeFormat::Long)),
        vec(short, 1..=6).prop_map(|nodes| (nodes, NodeFormat::Short)),
    ];
    (any::<[u8; 8]>(), nodes).prop_map(|(ping_id, (nodes, format))| SendNodes {
        ping_id,
        nodes,
        format,
    })
}

/// A text of so many bytes at most.
fn any_text(least: usize, most: usize) -> impl Strategy<Value = String> {
    vec(any::<char>(), least..most).prop_map(move |chars| {
        let mut text: String = chars.into_iter().collect();
        while text.len() > most {
            text.pop();
        }
        text
    })
}

fn any_shared_body() -> impl Strategy<Value = Body> {
    prop_oneof![
        Just(Body::Ping),
        Just(Body::Quit),
        any_text(1, 128).prop_map(Body::Name),
        (0u8..=2).prop_map(Body::Status),
        any_text(1, 400).prop_map(Body::Message),
        any_text(1, 400).prop_map(|text| Body::Action {
            text,
            historic_id: false
        }),
    ]
}

fn any_classic_body() -> impl Strategy<Value = Body> {
    prop_oneof![
        4 => any_shared_body(),
        1 => any_client_id().prop_map(Body::NewPeer),
        1 => any_client_id().prop_map(Body::BanPeer),
        1 => any_text(0, 512).prop_map(Body::Topic),
        1 => any_text(1, 881).prop_map(|text| Body::Action { text, historic_id: true }),
    ]
}

fn any_part() -> impl Strategy<Value = Part> {
    (any::<bool>(), 2u8..=MAX_PARTS, any::<u8>(), any_text(1, 400)).prop_map(
        |(action, count, index, text)| Part {
            action,
            index: index % count,
            count,
            text,
        },
    )
}

fn any_signed_body() -> impl Strategy<Value = Body> {
    prop_oneof![
        4 => any_shared_body(),
        1 => any_client_id().prop_map(Body::Gone),
        1 => any_part().prop_map(Body::Part),
        1 => (66u8..=191, vec(any::<u8>(), 0..400))
            .prop_filter("an id of newer programs", |(id, _)| *id != 72)
            .prop_map(|(id, data)| Body::Unknown { id, data }),
    ]
}

fn any_t() -> impl Strategy<Value = TokenCounter> {
    (any::<[u8; 8]>(), any::<u32>()).prop_map(|(token, counter)| TokenCounter { token, counter })
}

fn any_hello() -> impl Strategy<Value = Hello> {
    (
        any::<(u16, [u8; 16], [u8; 8], u64, [u8; 32], u32)>(),
        prop_oneof![Just(String::new()), any_text(1, 128)],
        vec(any::<u8>(), 0..300),
    )
        .prop_map(
            |((capabilities, nonce, token, time_ms, facts_root, members), nick, chain)| Hello {
                capabilities,
                nonce,
                token,
                time_ms,
                facts_root,
                members,
                nick,
                chain,
            },
        )
}

fn any_welcome() -> impl Strategy<Value = Welcome> {
    let status = prop::sample::select(vec![
        WelcomeStatus::Linked,
        WelcomeStatus::Full,
        WelcomeStatus::Spent,
        WelcomeStatus::Closed,
        WelcomeStatus::Banned,
        WelcomeStatus::Busy,
        WelcomeStatus::Slow,
        WelcomeStatus::Expired,
        WelcomeStatus::Stranger,
    ]);
    (
        any::<(u16, [u8; 16], [u8; 8], u64, [u8; 32], [u16; 4])>(),
        any_address(),
        (status, 0..=Welcome::MAX_WORK_BITS),
        vec(any::<u8>(), 0..203),
        vec(any::<u8>(), 0..299),
        vec(any::<u8>(), 0..100),
        vec(any_node(), 0..=2),
    )
        .prop_map(
            |(fixed, observed, (status, work_bits), charter, chain, ban, nodes)| {
                let (capabilities, nonce, token, time_ms, facts_root, free_slots) = fixed;
                Welcome {
                    capabilities,
                    nonce,
                    token,
                    time_ms,
                    facts_root,
                    observed,
                    free_slots,
                    status,
                    work_bits: if status == WelcomeStatus::Busy {
                        work_bits
                    } else {
                        0
                    },
                    charter,
                    chain,
                    ban,
                    nodes,
                }
            },
        )
}

fn any_link() -> impl Strategy<Value = Link> {
    (any_t(), any::<(bool, u8, u8)>()).prop_map(|(t, (open, tree, reason))| Link {
        t,
        op: if open { LinkOp::Open } else { LinkOp::Close },
        tree,
        reason,
    })
}

fn any_say() -> impl Strategy<Value = Say> {
    let signed = (
        any_client_id(),
        1u32..,
        any::<u64>(),
        any::<[u8; 8]>(),
        any_signed_body(),
    )
        .prop_map(|(client_id, number, hlc, after, body)| SignedSay {
            client_id,
            number,
            hlc,
            after,
            body,
        });
    (
        any::<(u8, u8)>(),
        prop::option::of(vec(any::<u8>(), 0..300)),
        signed,
        any::<[u8; 64]>(),
    )
        .prop_map(|((tree, hops), chain, signed, signature)| Say {
            tree,
            hops,
            chain,
            signed,
            signature,
        })
}

fn any_charter() -> impl Strategy<Value = Charter> {
    (
        0u8..=1,
        any::<(u64, [u8; 32], [u8; 32])>(),
        any_text(1, 64),
        any::<[u8; 64]>(),
    )
        .prop_map(|(kind, (created_ms, founder, heir), name, signature)| Charter {
            kind,
            created_ms,
            founder: MemberId(founder),
            heir,
            name,
            signature,
        })
}

/// What a moderator shows with an invite.
fn any_office() -> impl Strategy<Value = Office> {
    let grant = any::<([u8; 32], u32, [u8; 16], u64, u32)>();
    (any_charter(), grant, any::<[u8; 64]>()).prop_map(
        |(charter, (moderator, seq, prev, at_ms, counter), signature)| Office {
            charter,
            moderator: MemberId(moderator),
            seq,
            prev,
            at_ms,
            counter,
            signature,
        },
    )
}

fn any_chain() -> impl Strategy<Value = Chain> {
    let invite = (
        any::<([u8; 32], u32, bool, u16)>(),
        0u64..1 << 48,
        any::<[u8; 64]>(),
        prop::option::of(any_office()),
    )
        .prop_map(
            |((invite, number, observer, slots), until_ms, signature, office)| InviteCertificate {
                invite: InviteId(invite),
                number,
                rights: if observer {
                    Rights::Observer
                } else {
                    Rights::Member
                },
                slots,
                until_ms,
                signature,
                office: office.map(Box::new),
            },
        );
    let admission = any::<([u8; 32], u16, u64, u64)>();
    let admission =
        (admission, any::<[u8; 64]>()).prop_map(|((member, slot, at_ms, work), signature)| Admission {
            member: MemberId(member),
            slot,
            at_ms,
            work,
            signature,
        });
    let credential = prop_oneof![
        any_charter().prop_map(Credential::Founder),
        (invite, admission).prop_map(|(invite, admission)| Credential::Invited { invite, admission }),
    ];
    (credential, any::<(u64, u16)>(), any::<[u8; 64]>()).prop_map(
        |(credential, (start_ms, capabilities), signature)| Chain {
            credential,
            session: SessionCertificate {
                start_ms,
                capabilities,
                signature,
            },
        },
    )
}

fn any_invite() -> impl Strategy<Value = InviteKey> {
    let addresses = vec((any_address(), 0u64..1 << 48), 0..=8);
    let terms = any::<([u8; 32], [u8; 32], [u8; 16], u32, u16, bool, bool, bool)>();
    (terms, 0u8..=1, any_text(1, 64), addresses).prop_map(|(terms, kind, name, addresses)| {
        let (chat, secret, rendezvous, number, slots, has_charter, is_door, in_office) = terms;
        // If the kind is a public chat's.
        let (number, slots) = if is_door { (0, 0) } else { (number, slots) };
        let (chat, secret) = (SigningKey::from_seed(chat), SigningKey::from_seed(secret));
        let invite = InviteId(secret.public());
        let founder = SigningKey::from_seed([9; 32]);
        let charter = Charter::sign(&chat, kind, 1, MemberId(founder.public()), &name);
        let chat_id = ChatId(chat.public());
        let certificate = if in_office {
            let (moderator, office) = granted(&chat_id, &founder, &charter, number);
            InviteCertificate::sign_in_office(
                &moderator,
                office,
                &chat_id,
                invite,
                number,
                Rights::Member,
                slots.max(1),
                0,
            )
        } else {
            InviteCertificate::sign(&chat, invite, number, Rights::Member, slots, 0)
        };
        InviteKey {
            kind,
            chat: chat_id,
            secret,
            rendezvous,
            certificate,
            charter: (has_charter || in_office).then_some(charter),
            addresses: addresses
                .into_iter()
                .map(|(address, seen_ms)| SeenAddress { address, seen_ms })
                .collect(),
        }
    })
}

/// A moderator, and their office by the founder's fact after so many others.
fn granted(chat: &ChatId, founder: &SigningKey, charter: &Charter, after: u32) -> (SigningKey, Office) {
    let moderator = SigningKey::from_seed([8; 32]);
    let (seq, at_ms, counter) = (after.saturating_add(1), 2, 3);
    let place = Place {
        seq,
        prev: [4; 16],
        epoch: seq,
    };
    let member = MemberId(moderator.public());
    let body = facts::Body::Grant {
        member,
        role: Role::Moderator,
        counter,
    };
    let grant = Fact::sign(founder, chat, place, at_ms, body).unwrap();
    let office = Office {
        charter: charter.clone(),
        moderator: member,
        seq,
        prev: place.prev,
        at_ms,
        counter,
        signature: grant.signature,
    };
    (moderator, office)
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
