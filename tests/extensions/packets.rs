//! The packets, part by part.

use data_encoding::HEXLOWER;
use throng::crypto::{self, BoxKeyPair, Nonce, SharedKeys};
use throng::id::ClientId;
use throng::wire::{
    self, Digest, Facts, FactsAsk, Header, Hello, Items, Keepalive, Link, LinkOp, NodeAddress, NotHeld,
    NumberRange, Packet, Roster, RosterAsk, Say, ShortId, Slow, TokenCounter, Want, Welcome, WelcomeStatus,
};

use crate::cast::{Cast, FOUNDERS_TOKEN, HELLO_NONCE, MEMBERS_TOKEN, NOON, introduction, message, part};
use crate::certificates::{self, gate_mark, roster_fingerprint};
use crate::{Parts, Sealed, joined};

pub(crate) fn packets(cast: &Cast) -> Vec<Sealed> {
    let from_member = ("member's session", &cast.members_session);
    let from_founder = ("founder's session", &cast.founders_session);
    let mut nonce = 0xD1;
    let mut make =
        |name, (from, sender): (_, &BoxKeyPair), (to, receiver): (_, &BoxKeyPair), plain: Parts, packet| {
            nonce += 1;
            seal(name, (from, sender), (to, receiver), [nonce; 24], plain, packet)
        };
    let (plain, packet) = hello(cast);
    let knock = marked_nonce(cast);
    let hello = seal("hello", from_member, ("gate", &cast.gate), knock, plain, packet);
    let (plain, packet) = welcome(cast);
    let welcome = make("welcome", from_founder, from_member, plain, packet);
    let (plain, packet) = link();
    let link = make("link (open)", from_member, from_founder, plain, packet);
    let (plain, packet) = say_parts(&introduction(cast), b"Bea".to_vec());
    let introduction = make("say (name, with chain)", from_member, from_founder, plain, packet);
    let (plain, packet) = say_parts(&message(cast), "Welcome, Bea — 你好".as_bytes().to_vec());
    let message = make("say (message)", from_founder, from_member, plain, packet);
    let (plain, packet) = keepalive(cast);
    let keepalive = make("keepalive", from_founder, from_member, plain, packet);
    let (plain, packet) = facts(cast);
    let facts = make("facts", from_founder, from_member, plain, packet);
    let (plain, packet) = facts_ask();
    let facts_ask = make("facts_ask", from_member, from_founder, plain, packet);
    let (plain, packet) = roster_ask(cast);
    let roster_ask = make("roster_ask", from_member, from_founder, plain, packet);
    let (plain, packet) = roster(cast);
    let roster = make("roster", from_founder, from_member, plain, packet);
    let (plain, packet) = slow(cast);
    let slow = make("slow", from_founder, from_member, plain, packet);
    let data = [&[64, 1, 2], "and so on.".as_bytes()].concat();
    let (plain, packet) = say_parts(&part(cast), data);
    let part = make("say (part)", from_founder, from_member, plain, packet);
    let history: Vec<Sealed> = crate::history::exchange(cast)
        .into_iter()
        .map(|(name, by_member, plain, packet)| match by_member {
            true => make(name, from_member, from_founder, plain, packet),
            false => make(name, from_founder, from_member, plain, packet),
        })
        .collect();
    let (plain, packet) = digest(cast);
    let digest = make("digest", from_founder, from_member, plain, packet);
    let (plain, packet) = want(cast);
    let want = make("want", from_member, from_founder, plain, packet);
    let (plain, packet) = not_held(cast);
    let not_held = make("not_held", from_founder, from_member, plain, packet);
    let mut packets = vec![
        hello,
        welcome,
        link,
        introduction,
        message,
        keepalive,
        facts,
        facts_ask,
        roster_ask,
        roster,
        slow,
        part,
    ];
    packets.extend(history);
    packets.extend([digest, want, not_held]);
    packets
}

/// The nonce of a hello to the gate: random bytes, and the mark.
fn marked_nonce(cast: &Cast) -> Nonce {
    let mut nonce = [0xD1; 24];
    nonce[16..].copy_from_slice(&gate_mark(cast)[..8]);
    nonce
}

fn seal(
    name: &'static str,
    (from, sender): (&'static str, &BoxKeyPair),
    (to, receiver): (&'static str, &BoxKeyPair),
    nonce: [u8; 24],
    plain: Parts,
    packet: Packet,
) -> Sealed {
    let bytes = joined(&plain);
    assert_eq!(
        HEXLOWER.encode(&packet.encode()),
        HEXLOWER.encode(&bytes),
        "{name}"
    );
    assert_eq!(Packet::decode(&bytes), Ok(packet), "{name}");
    let header = Header {
        receiver: receiver.client_id(),
        sender: sender.client_id(),
        nonce,
    };
    let sealed = SharedKeys::new(sender.clone(), 1)
        .seal(&header.receiver, &nonce, &bytes)
        .unwrap();
    let opened = SharedKeys::new(receiver.clone(), 1).open(&header.sender, &nonce, &sealed);
    assert_eq!(opened, Some(bytes), "{name}");
    let datagram = wire::join_datagram(&header, &sealed);
    assert!(datagram.len() <= wire::MAX_DATAGRAM_LEN, "{name}");
    Sealed {
        name,
        from,
        to,
        nonce,
        plain,
        packet: datagram,
    }
}

fn hello(cast: &Cast) -> (Parts, Packet) {
    let chain = cast.members_chain.encode();
    let parts = vec![
        ("kind", vec![96]),
        ("version", vec![1]),
        ("capabilities", vec![0, 0]),
        ("nonce", HELLO_NONCE.to_vec()),
        ("token", MEMBERS_TOKEN.to_vec()),
        ("time", (NOON + 62_000).to_be_bytes().to_vec()),
        ("facts root", vec![0; 32]),
        ("members", vec![0, 0, 0, 1]),
        ("nick length", vec![3]),
        ("nick", b"Bea".to_vec()),
        ("chain", chain.clone()),
    ];
    let hello = Hello {
        capabilities: 0,
        nonce: HELLO_NONCE,
        token: MEMBERS_TOKEN,
        time_ms: NOON + 62_000,
        facts_root: [0; 32],
        members: 1,
        nick: "Bea".to_owned(),
        chain,
    };
    (parts, Packet::Hello(hello))
}

fn welcome(cast: &Cast) -> (Parts, Packet) {
    let (charter, chain) = (cast.charter.encode(), cast.founders_chain.encode());
    let node = ClientId([0xEE; 32]);
    let parts = vec![
        ("kind", vec![97]),
        ("version", vec![1]),
        ("capabilities", vec![0, 0]),
        ("the hello's nonce", HELLO_NONCE.to_vec()),
        ("token", FOUNDERS_TOKEN.to_vec()),
        ("time", (NOON + 62_050).to_be_bytes().to_vec()),
        ("facts root", cast.facts_root().to_vec()),
        ("observed: family", vec![2]),
        ("observed: ip", [&[192, 0, 2, 7][..], &[0; 12]].concat()),
        ("observed: port", 40_001u16.to_be_bytes().to_vec()),
        ("free slots", vec![0xFF; 8]),
        ("status", vec![0]),
        ("work bits", vec![0]),
        ("charter length", (charter.len() as u16).to_be_bytes().to_vec()),
        ("charter", charter.clone()),
        ("chain length", (chain.len() as u16).to_be_bytes().to_vec()),
        ("chain", chain.clone()),
        ("ban length", vec![0, 0]),
        ("node: client_id", node.0.to_vec()),
        ("node: family", vec![10]),
        (
            "node: ip",
            vec![0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        ),
        ("node: port", 40_002u16.to_be_bytes().to_vec()),
    ];
    let welcome = Welcome {
        capabilities: 0,
        nonce: HELLO_NONCE,
        token: FOUNDERS_TOKEN,
        time_ms: NOON + 62_050,
        facts_root: cast.facts_root(),
        observed: "192.0.2.7:40001".parse().unwrap(),
        free_slots: [Welcome::NO_SLOT; 4],
        status: WelcomeStatus::Linked,
        work_bits: 0,
        charter,
        chain,
        ban: Vec::new(),
        nodes: vec![NodeAddress {
            client_id: node,
            address: "[2001:db8::1]:40002".parse().unwrap(),
        }],
    };
    (parts, Packet::Welcome(welcome))
}

fn link() -> (Parts, Packet) {
    let parts = vec![
        ("kind", vec![98]),
        ("token", FOUNDERS_TOKEN.to_vec()),
        ("counter", vec![0, 0, 0, 1]),
        ("op", vec![1]),
        ("tree", vec![0]),
        ("reason", vec![0]),
    ];
    let t = TokenCounter {
        token: FOUNDERS_TOKEN,
        counter: 1,
    };
    (
        parts,
        Packet::Link(Link {
            t,
            op: LinkOp::Open,
            tree: 0,
            reason: 0,
        }),
    )
}

fn say_parts(say: &Say, data: Vec<u8>) -> (Parts, Packet) {
    let mut parts = vec![
        ("kind", vec![99]),
        ("flags", vec![u8::from(say.chain.is_some())]),
        ("tree", vec![say.tree]),
        ("hops", vec![say.hops]),
    ];
    if let Some(chain) = &say.chain {
        parts.push(("chain length", (chain.len() as u16).to_be_bytes().to_vec()));
        parts.push(("chain", chain.clone()));
    }
    parts.extend([
        ("client_id", say.signed.client_id.0.to_vec()),
        ("number", say.signed.number.to_be_bytes().to_vec()),
        ("hlc", say.signed.hlc.to_be_bytes().to_vec()),
        ("after", say.signed.after.to_vec()),
        ("id", vec![say.signed.body.id()]),
        ("data", data),
        ("signature", say.signature.to_vec()),
    ]);
    (parts, Packet::Say(say.clone()))
}

fn keepalive(cast: &Cast) -> (Parts, Packet) {
    let facts_root = cast.facts_root();
    let fingerprint = roster_fingerprint(cast);
    let parts = vec![
        ("kind", vec![104]),
        ("token", MEMBERS_TOKEN.to_vec()),
        ("counter", vec![0, 0, 0, 1]),
        ("echo", vec![0, 0, 0, 0, 0, 0, 0x3A, 0x98]),
        ("echoed", vec![0; 8]),
        ("facts root", facts_root.to_vec()),
        ("roster", fingerprint.to_vec()),
    ];
    let keepalive = Keepalive {
        t: TokenCounter {
            token: MEMBERS_TOKEN,
            counter: 1,
        },
        echo: 15_000,
        echoed: 0,
        facts_root,
        roster: fingerprint,
    };
    (parts, Packet::Keepalive(keepalive))
}

fn facts(cast: &Cast) -> (Parts, Packet) {
    let credential = cast.founders_chain.credential.encode();
    let topic = cast.topic.encode();
    let parts = vec![
        ("kind", vec![105]),
        ("token", MEMBERS_TOKEN.to_vec()),
        ("counter", vec![0, 0, 0, 2]),
        (
            "item length",
            (1 + credential.len() as u16).to_be_bytes().to_vec(),
        ),
        ("a credential follows", vec![0]),
        ("credential", credential.clone()),
        ("item length", (topic.len() as u16).to_be_bytes().to_vec()),
        ("topic fact", topic.clone()),
    ];
    let facts = Facts {
        t: TokenCounter {
            token: MEMBERS_TOKEN,
            counter: 2,
        },
        facts: vec![[&[0][..], &credential].concat(), topic],
    };
    (parts, Packet::Facts(facts))
}

/// By somebody who has no facts.
fn facts_ask() -> (Parts, Packet) {
    let parts = vec![
        ("kind", vec![106]),
        ("token", FOUNDERS_TOKEN.to_vec()),
        ("counter", vec![0, 0, 0, 3]),
        ("flags", vec![1]),
        ("salt", vec![0x5A; 8]),
        ("founder's last seq", vec![0; 4]),
        ("short ids", vec![0]),
        ("from", vec![0; 32]),
        ("to", vec![0xFF; 32]),
    ];
    let t = TokenCounter {
        token: FOUNDERS_TOKEN,
        counter: 3,
    };
    let summary = parts[3..]
        .iter()
        .flat_map(|(_, bytes)| bytes.clone())
        .collect::<Vec<u8>>();
    let read = throng::facts::Summary::decode(&summary).map(|summary| summary.encode());
    assert_eq!(read.as_ref(), Ok(&summary), "a summary");
    (parts, Packet::FactsAsk(FactsAsk { t, summary }))
}

fn roster_ask(cast: &Cast) -> (Parts, Packet) {
    let session = cast.members_session.client_id();
    let hash = crypto::hash(&[b"throng/1 session\0", &FOUNDERS_TOKEN, &session.0]);
    let parts = vec![
        ("kind", vec![114]),
        ("token", FOUNDERS_TOKEN.to_vec()),
        ("counter", vec![0, 0, 0, 2]),
        ("after", vec![0; 32]),
        ("to", vec![0xFF; 32]),
        ("known, hash", hash[..4].to_vec()),
        ("numbers", vec![1, 2]),
    ];
    let known = vec![[hash[0], hash[1], hash[2], hash[3], 1, 2]];
    let t = TokenCounter {
        token: FOUNDERS_TOKEN,
        counter: 2,
    };
    let (after, to) = (ClientId([0; 32]), ClientId([0xFF; 32]));
    (parts, Packet::RosterAsk(RosterAsk { t, after, to, known }))
}

fn roster(cast: &Cast) -> (Parts, Packet) {
    let last = cast.founders_session.client_id();
    let parts = vec![
        ("kind", vec![115]),
        ("token", MEMBERS_TOKEN.to_vec()),
        ("counter", vec![0, 0, 0, 3]),
        ("last", last.0.to_vec()),
        ("more", vec![0]),
        ("gone", vec![0]),
    ];
    let t = TokenCounter {
        token: MEMBERS_TOKEN,
        counter: 3,
    };
    (
        parts,
        Packet::Roster(Roster {
            t,
            last,
            more: false,
            gone: vec![0],
        }),
    )
}

fn slow(cast: &Cast) -> (Parts, Packet) {
    let refused = message(cast).signed.encode();
    let id = crypto::hash_signed("throng/1 say", &cast.chat, &refused);
    let parts = vec![
        ("kind", vec![113]),
        ("token", MEMBERS_TOKEN.to_vec()),
        ("counter", vec![0, 0, 0, 4]),
        ("refused", id[..16].to_vec()),
        ("wait", vec![0, 0, 0, 200]),
    ];
    let t = TokenCounter {
        token: MEMBERS_TOKEN,
        counter: 4,
    };
    let mut refused = [0; 16];
    refused.copy_from_slice(&id[..16]);
    (
        parts,
        Packet::Slow(Slow {
            t,
            refused,
            wait_ms: 200,
        }),
    )
}

fn short_id(cast: &Cast) -> ShortId {
    let hash = crypto::hash(&[&joined(&certificates::short_id(cast))]);
    let mut short = [0; 6];
    short.copy_from_slice(&hash[..6]);
    short
}

fn digest(cast: &Cast) -> (Parts, Packet) {
    let short = short_id(cast);
    let parts = vec![
        ("kind", vec![101]),
        ("token", MEMBERS_TOKEN.to_vec()),
        ("counter", vec![0, 0, 0, 5]),
        ("seq", vec![0, 0, 0, 1]),
        ("held: count", vec![1]),
        ("short id", short.to_vec()),
        ("reached: count", vec![1]),
        ("short id", vec![0x5C; 6]),
        ("members", vec![0, 0, 0, 3]),
    ];
    let digest = Digest {
        t: TokenCounter {
            token: MEMBERS_TOKEN,
            counter: 5,
        },
        seq: 1,
        held: vec![short],
        reached: vec![([0x5C; 6], 3)],
    };
    (parts, Packet::Digest(digest))
}

fn want(cast: &Cast) -> (Parts, Packet) {
    let short = short_id(cast);
    let range = NumberRange {
        client_id: cast.founders_session.client_id(),
        first: 2,
        last: 4,
    };
    let parts = vec![
        ("kind", vec![102]),
        ("token", FOUNDERS_TOKEN.to_vec()),
        ("counter", vec![0, 0, 0, 4]),
        ("seq", vec![0, 0, 0, 1]),
        ("ids: count", vec![1]),
        ("short id", short.to_vec()),
        ("ranges: count", vec![1]),
        ("client_id", range.client_id.0.to_vec()),
        ("first", vec![0, 0, 0, 2]),
        ("last", vec![0, 0, 0, 4]),
    ];
    let want = Want {
        t: TokenCounter {
            token: FOUNDERS_TOKEN,
            counter: 4,
        },
        seq: 1,
        items: Items {
            ids: vec![short],
            ranges: vec![range],
        },
    };
    (parts, Packet::Want(want))
}

fn not_held(cast: &Cast) -> (Parts, Packet) {
    let range = NumberRange {
        client_id: cast.founders_session.client_id(),
        first: 3,
        last: 4,
    };
    let parts = vec![
        ("kind", vec![103]),
        ("token", MEMBERS_TOKEN.to_vec()),
        ("counter", vec![0, 0, 0, 6]),
        ("ids: count", vec![0]),
        ("ranges: count", vec![1]),
        ("client_id", range.client_id.0.to_vec()),
        ("first", vec![0, 0, 0, 3]),
        ("last", vec![0, 0, 0, 4]),
    ];
    let not_held = NotHeld {
        t: TokenCounter {
            token: MEMBERS_TOKEN,
            counter: 6,
        },
        items: Items {
            ids: Vec::new(),
            ranges: vec![range],
        },
    };
    (parts, Packet::NotHeld(not_held))
}
