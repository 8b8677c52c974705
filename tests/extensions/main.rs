//! Known answers for signed chats. Every form is put together here by hand, from named parts; the library has to
//! write the same bytes and to read them back. The answers stand in `tests/vectors/extensions.json` and at the end
//! of `docs/protocol.md`; with `UPDATE_VECTORS=1` both are written anew.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that it failed")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use cast::Cast;
use moderator::ByModerator;

mod cast;
mod certificates;
mod history;
mod invites;
mod moderator;
mod packets;

#[test]
fn the_known_answers_hold() {
    let answers = KnownAnswers::new();
    let json = format!("{:#}\n", answers.json());
    let markdown = answers.markdown();
    let (json_path, page_path) = (path("tests/vectors/extensions.json"), path("docs/protocol.md"));
    let page = std::fs::read_to_string(&page_path).unwrap();
    let (before, rest) = page
        .split_once(BEGIN)
        .expect("the page has a place for known answers");
    let (held, after) = rest.split_once(END).expect("that place has an end");
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(&json_path, &json).unwrap();
        std::fs::write(&page_path, format!("{before}{BEGIN}{markdown}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(std::fs::read_to_string(&json_path).unwrap(), json);
    assert_eq!(held, markdown);
}

const BEGIN: &str = "<!-- known answers: written by tests/extensions -->\n";
const END: &str = "<!-- end of the known answers -->\n";

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Bytes with what they are called, in their order.
type Parts = Vec<(&'static str, Vec<u8>)>;

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
            write!(page, "\n### Chain: {}\n\n```text\n", chain.name).unwrap();
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

fn joined(parts: &Parts) -> Vec<u8> {
    parts.iter().flat_map(|(_, bytes)| bytes).copied().collect()
}

fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

fn parts_json(parts: &Parts) -> Value {
    parts
        .iter()
        .map(|(name, bytes)| json!([name, hex(bytes)]))
        .collect()
}

fn lines(page: &mut String, parts: &Parts) {
    for (name, bytes) in parts {
        line(page, name, &hex(bytes));
    }
}

/// A name, and hex after it in rows of 40 bytes.
fn line(page: &mut String, name: &str, hex: &str) {
    let mut name = name;
    let mut rest = hex;
    loop {
        let (row, after) = rest.split_at(rest.len().min(80));
        page.push_str(format!("{name:<22}{row}").trim_end());
        page.push('\n');
        if after.is_empty() {
            return;
        }
        (name, rest) = ("", after);
    }
}
