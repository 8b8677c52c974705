//! QR codes of invites' links: they can be read again from the saved picture, and are small enough to be.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that it failed")]

use std::io::Cursor;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use throng::crypto::SigningKey;
use throng::facts::{Body, Fact, Place, Role};
use throng::id::{ChatId, MemberId};
use throng::invite::{Charter, InviteKey, Office, Rights, SeenAddress};
use throng::ui::qr::QrCode;

#[test]
fn every_link_has_a_code_that_reads_back_as_the_same_invite() {
    // As docs/protocol.md says.
    let private = [(269, 12), (294, 13), (319, 13), (345, 14)];
    let door = [(209, 10), (234, 11), (259, 12), (285, 12)];
    for (name, kind, expected) in [("private", 0, private), ("door", 1, door)] {
        for (addresses, expected) in (0..).zip(expected) {
            let invite = invite(kind, addresses);
            let link = invite.to_link();
            let (version, read) = read_back(&QrCode::new(&link).unwrap().to_png());
            assert_eq!(read, link);
            assert_eq!(InviteKey::parse(&read).unwrap().id(), invite.id());
            let found = (link.len(), version);
            assert_eq!(found, expected, "{name}, {addresses} addresses");
        }
    }
}

#[test]
fn a_moderators_link_has_a_code_that_reads_back_too() {
    // As docs/protocol.md says. The version depends on how many digits happen to stand together.
    for (addresses, len) in (0..).zip([633, 658, 683, 709]) {
        let link = invite(2, addresses).to_link();
        let (version, read) = read_back(&QrCode::new(&link).unwrap().to_png());
        assert_eq!(read, link);
        assert_eq!(link.len(), len);
        assert!((19..=21).contains(&version), "version {version}");
    }
}

/// Of kind 0, 1 the door's, or 2 a moderator's.
fn invite(kind: u8, addresses: u8) -> InviteKey {
    let mut rng = ChaCha20Rng::seed_from_u64(u64::from(kind) << 8 | u64::from(addresses));
    let chat = SigningKey::generate(&mut rng);
    let founder = SigningKey::generate(&mut rng);
    let charter = Charter::sign(&chat, kind % 2, 1, MemberId(founder.public()), "Friends");
    let seen = |last| SeenAddress {
        address: ([192, 0, 2, last], 40_000).into(),
        seen_ms: 0,
    };
    let addresses = (0..addresses).map(seen).collect();
    if kind == 0 {
        InviteKey::issue(
            &chat,
            &charter,
            [2; 16],
            1,
            Rights::Member,
            1,
            1_800_000_000_000,
            addresses,
            &mut rng,
        )
    } else if kind == 2 {
        invite_of_moderator(&chat, &founder, charter, addresses, &mut rng)
    } else {
        InviteKey::door(&chat, &charter, [2; 16], addresses, &mut rng)
    }
}

fn invite_of_moderator(
    chat: &SigningKey,
    founder: &SigningKey,
    charter: Charter,
    addresses: Vec<SeenAddress>,
    rng: &mut ChaCha20Rng,
) -> InviteKey {
    let (key, chat) = (SigningKey::generate(rng), ChatId(chat.public()));
    let moderator = MemberId(key.public());
    let place = Place {
        seq: 1,
        prev: [0; 16],
        epoch: 1,
    };
    let body = Body::Grant {
        member: moderator,
        role: Role::Moderator,
        counter: 1,
    };
    let grant = Fact::sign(founder, &chat, place, 1, body).unwrap();
    let office = Office {
        charter,
        moderator,
        seq: 1,
        prev: [0; 16],
        at_ms: 1,
        counter: 1,
        signature: grant.signature,
    };
    InviteKey::issue_in_office(
        &key,
        office,
        chat,
        [2; 16],
        1,
        Rights::Member,
        1,
        1_800_000_000_000,
        addresses,
        rng,
    )
}

/// The version and the text of the one QR code in a picture.
fn read_back(file: &[u8]) -> (usize, String) {
    let mut decoder = png::Decoder::new(Cursor::new(file));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut luma = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut luma).unwrap();
    let side = info.width as usize;
    assert_eq!((info.height as usize, luma.len()), (side, side * side));

    let margin = 4 * 8;
    for row in luma
        .chunks(side)
        .take(margin)
        .chain(luma.chunks(side).skip(side - margin))
    {
        assert!(row.iter().all(|pixel| *pixel == 0xFF), "the margin is white");
    }
    for row in luma.chunks(side) {
        let (left, right) = (&row[..margin], &row[side - margin..]);
        assert!(
            left.iter().chain(right).all(|pixel| *pixel == 0xFF),
            "the margin is white"
        );
    }

    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| luma[y * side + x]);
    let grids = picture.detect_grids();
    assert_eq!(grids.len(), 1, "codes in the picture");
    let (meta, text) = grids[0].decode().unwrap();
    (meta.version.0, text)
}
