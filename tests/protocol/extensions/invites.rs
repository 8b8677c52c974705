//! The forms of an invite, part by part.

use throng::crypto;
use throng::invite::{InviteKey, SeenAddress};

use super::InviteForm;
use super::cast::{Cast, NOON, RENDEZVOUS};
use crate::page::{Parts, joined};

pub(crate) fn invites(cast: &Cast) -> Vec<InviteForm> {
    let address = |text: &str, seen_ms| SeenAddress {
        address: text.parse().unwrap(),
        seen_ms,
    };
    let invite = InviteKey {
        kind: 0,
        chat: cast.chat,
        secret: cast.invite.clone(),
        rendezvous: RENDEZVOUS,
        certificate: cast.invite_certificate.clone(),
        charter: Some(cast.charter.clone()),
        addresses: vec![
            address("192.0.2.1:40000", NOON),
            address("[2001:db8::1]:40002", 0),
        ],
    };
    let link_parts = private_parts(cast, 0);
    let link = invite.to_link();
    let encoded = data_encoding::BASE64URL_NOPAD.encode(&joined(&link_parts));
    assert_eq!(link, format!("throng:{encoded}"));
    let found = InviteKey::parse(&link).unwrap();
    assert_eq!(
        (found.id(), found.addresses.len(), found.charter.is_some()),
        (invite.id(), 2, false)
    );

    let file_parts = private_parts(cast, 3);
    let armour = invite.to_armour();
    let base64: String = armour
        .lines()
        .skip(3)
        .take_while(|line| !line.starts_with("-----"))
        .collect();
    assert_eq!(base64, data_encoding::BASE64.encode(&joined(&file_parts)));
    assert_eq!(InviteKey::parse(&armour).unwrap(), invite);
    vec![
        InviteForm {
            name: "link",
            parts: link_parts,
            text: link,
        },
        InviteForm {
            name: "file",
            parts: file_parts,
            text: armour,
        },
        door(cast),
    ]
}

/// The door of the public chat: of its certificate only the signature stands in the link.
fn door(cast: &Cast) -> InviteForm {
    let door = &cast.square.door;
    let head = [
        ("version", vec![1]),
        ("kind", vec![1]),
        ("chat", cast.square.chat.0.to_vec()),
        ("invite's secret seed", door.secret.seed().to_vec()),
        ("rendezvous", RENDEZVOUS.to_vec()),
        ("flags", vec![4]),
        ("door's signature", door.certificate.signature.to_vec()),
        ("address", addresses()[0].0.clone()),
    ];
    let parts = with_checksum(head.into());
    let text = door.to_link();
    let encoded = data_encoding::BASE64URL_NOPAD.encode(&joined(&parts));
    assert_eq!(text, format!("throng:{encoded}"));
    let found = InviteKey::parse(&text).unwrap();
    assert_eq!((&found.certificate, found.kind), (&door.certificate, 1));
    InviteForm {
        name: "link of the public chat",
        parts,
        text,
    }
}

fn private_parts(cast: &Cast, flags: u8) -> Parts {
    let mut parts: Parts = vec![
        ("version", vec![1]),
        ("kind", vec![0]),
        ("chat", cast.chat.0.to_vec()),
        ("invite's secret seed", cast.invite.seed().to_vec()),
        ("rendezvous", RENDEZVOUS.to_vec()),
        ("flags", vec![flags]),
        ("invite certificate", cast.invite_certificate.encode()),
    ];
    if flags & 1 != 0 {
        parts.push(("charter", cast.charter.encode()));
    }
    for (address, seen_ms) in addresses() {
        parts.push(("address", address));
        if flags & 2 != 0 {
            parts.push(("when seen", seen_ms.to_be_bytes()[2..].to_vec()));
        }
    }
    with_checksum(parts)
}

/// Both addresses, and when a member was seen there.
fn addresses() -> [(Vec<u8>, u64); 2] {
    [
        (
            [&[2, 192, 0, 2, 1][..], &[0; 12], &40_000u16.to_be_bytes()].concat(),
            NOON,
        ),
        (
            [
                &[10, 0x20, 1, 0x0D, 0xB8][..],
                &[0; 11],
                &[1],
                &40_002u16.to_be_bytes(),
            ]
            .concat(),
            0,
        ),
    ]
}

pub(crate) fn with_checksum(mut parts: Parts) -> Parts {
    let checksum = crypto::hash(&[&joined(&parts)])[..4].to_vec();
    parts.push(("checksum", checksum));
    parts
}
