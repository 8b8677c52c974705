//! Known answers for signed chats. Every form is put together here by hand, from named parts; the library has to
//! write the same bytes and to read them back. The answers stand in `tests/vectors/extensions.json` and in
//! `docs/vectors.md`; with `UPDATE_VECTORS=1` both are written anew.

use std::fmt::Write;
use std::path::Path;

use cast::Cast;
use moderator::ByModerator;
use serde_json::{Value, json};

use crate::page::{Parts, hex, line, lines};

mod cast;
mod certificates;
mod history;
mod invites;
mod moderator;
mod packets;
mod square;

#[test]
fn the_known_answers_hold() {
    let answers = KnownAnswers::new();
    let json = format!("{:#}\n", answers.json());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/extensions.json");
    if crate::page::is_update() {
        std::fs::write(&path, &json).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), json);
    crate::page::assert_part("vectors.md", "signed chats", &answers.markdown());
}

struct KnownAnswers {
    keys: Vec<Key>,
    hashes: Vec<Hash>,
    certificates: Vec<Certificate>,
    chains: Vec<ChainForm>,
    packets: Vec<Sealed>,
    invites: Vec<InviteForm>,
}

struct Key {
    name: &'static str,
    secret: Vec<u8>,
    public: [u8; 32],
}

struct Hash {
    name: &'static str,
    hashed: Parts,
    hash: Vec<u8>,
}

struct Certificate {
    name: &'static str,
    label: &'static str,
    signed_by: &'static str,
    /// What is signed, after label, zero byte and chat.
    signed: Parts,
    signature: [u8; 64],
    /// As it travels.
    bytes: Vec<u8>,
}

struct Sealed {
    name: &'static str,
    from: &'static str,
    to: &'static str,
    nonce: [u8; 24],
    plain: Parts,
    packet: Vec<u8>,
}

struct ChainForm {
    name: &'static str,
    parts: Parts,
}

struct InviteForm {
    name: &'static str,
    parts: Parts,
    text: String,
}

impl KnownAnswers {
    fn new() -> Self {
        let cast = Cast::new();
        let by_moderator = ByModerator::new(&cast);
        let mut answers = Self {
            keys: certificates::keys(&cast),
            hashes: certificates::hashes(&cast),
            certificates: certificates::certificates(&cast),
            chains: vec![by_moderator.chain(&cast)],
            packets: packets::packets(&cast),
            invites: invites::invites(&cast),
        };
        answers.keys.extend(by_moderator.keys());
        answers.certificates.extend(by_moderator.certificates(&cast));
        answers.invites.push(by_moderator.link(&cast));
        square::add(&cast, &mut answers);
        answers
    }

    fn json(&self) -> Value {
        let keys = self
            .keys
            .iter()
            .map(|key| json!({"name": key.name, "secret": hex(&key.secret), "public": hex(&key.public)}));
        let hashes = self.hashes.iter().map(
            |hash| json!({"name": hash.name, "hashed": parts_json(&hash.hashed), "hash": hex(&hash.hash)}),
        );
        let certificates = self.certificates.iter().map(|certificate| {
            json!({
                "name": certificate.name,
                "label": certificate.label,
                "signed_by": certificate.signed_by,
                "signed": parts_json(&certificate.signed),
                "signature": hex(&certificate.signature),
                "bytes": hex(&certificate.bytes),
            })
        });
        let chains = self
            .chains
            .iter()
            .map(|chain| json!({"name": chain.name, "parts": parts_json(&chain.parts)}));
        let packets = self.packets.iter().map(|packet| {
            json!({
                "name": packet.name,
                "sender": packet.from,
                "receiver": packet.to,
                "nonce": hex(&packet.nonce),
                "plain": parts_json(&packet.plain),
                "packet": hex(&packet.packet),
            })
        });
        let invites = self.invites.iter().map(
            |invite| json!({"name": invite.name, "parts": parts_json(&invite.parts), "text": invite.text}),
        );
        json!({
            "about": "Known answers for signed chats, all bytes in hex. Lists of [name, bytes] are what stands one \
                      after the other. A certificate's 'signed' comes after label, a zero byte and the chat's key: \
                      the public chat's where its name says so.",
            "keys": keys.collect::<Vec<_>>(),
            "hashes": hashes.collect::<Vec<_>>(),
            "certificates": certificates.collect::<Vec<_>>(),
            "chains": chains.collect::<Vec<_>>(),
            "packets": packets.collect::<Vec<_>>(),
            "invites": invites.collect::<Vec<_>>(),
        })
    }

    fn markdown(&self) -> String {
        let mut page = String::from("\n### Keys\n\n```text\n");
        for key in &self.keys {
            line(&mut page, key.name, "");
            line(&mut page, "  secret", &hex(&key.secret));
            line(&mut page, "  public", &hex(&key.public));
        }
        page.push_str("```\n");
        for hash in &self.hashes {
            write!(page, "\n### Hash: {}\n\n```text\n", hash.name).unwrap();
            lines(&mut page, &hash.hashed);
            line(&mut page, "= hash", &hex(&hash.hash));
            page.push_str("```\n");
        }
        for certificate in &self.certificates {
            let Certificate {
                name,
                label,
                signed_by,
                ..
            } = certificate;
            write!(
                page,
                "\n### Certificate: {name}\n\nSigned by the {signed_by}, label `{label}`.\n\n```text\n"
            )
            .unwrap();
            lines(&mut page, &certificate.signed);
            line(&mut page, "= signature", &hex(&certificate.signature));
            page.push_str("```\n");
        }
        for chain in &self.chains {
            write!(page, "\n### Certificate chain: {}\n\n```text\n", chain.name).unwrap();
            lines(&mut page, &chain.parts);
            page.push_str("```\n");
        }
        for packet in &self.packets {
            let Sealed { name, from, to, .. } = packet;
            write!(
                page,
                "\n### Packet: {name}\n\nFrom the {from} to the {to}.\n\n```text\n"
            )
            .unwrap();
            lines(&mut page, &packet.plain);
            line(&mut page, "box nonce", &hex(&packet.nonce));
            line(&mut page, "= datagram", &hex(&packet.packet));
            page.push_str("```\n");
        }
        for invite in &self.invites {
            write!(page, "\n### Invite: {}\n\n```text\n", invite.name).unwrap();
            lines(&mut page, &invite.parts);
            write!(page, "```\n\n```text\n{}\n```\n", invite.text.trim_end()).unwrap();
        }
        page.push('\n');
        page
    }
}

fn parts_json(parts: &Parts) -> Value {
    parts
        .iter()
        .map(|(name, bytes)| json!([name, hex(bytes)]))
        .collect()
}
