//! The packets, part by part.

use std::net::{IpAddr, SocketAddr};

use throng::crypto::{self, BoxKeyPair, Nonce, SharedKeys};
use throng::facts::FactSet;
use throng::id::ClientId;
use throng::wire::{
    self, Digest, Facts, FactsAsk, Header, Hello, Items, Keepalive, Link, LinkOp, NodeAddress, NotHeld,
    NumberRange, Packet, Roster, RosterAsk, Say, ShortId, Slow, TokenCounter, Want, Welcome, WelcomeStatus,
};

use super::Sealed;
use super::cast::{Cast, FOUNDERS_TOKEN, HELLO_NONCE, MEMBERS_TOKEN, NOON, introduction, message, part};
use super::certificates::{self, gate_mark, roster_fingerprint};
use crate::page::{Parts, hex, joined};

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
    let hello = seal(
        "hello",
        from_member,
        ("rendezvous key", &cast.gate),
        knock,
        plain,
        packet,
    );
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
    let (plain, packet) = roster();
    let roster = make("roster", from_founder, from_member, plain, packet);
    let (plain, packet) = slow(cast);
    let slow = make("slow", from_founder, from_member, plain, packet);
    let data = [&[64, 1, 2], "and so on.".as_bytes()].concat();
    let (plain, packet) = say_parts(&part(cast), data);
    let part = make("say (fragment)", from_founder, from_member, plain, packet);
    let history: Vec<Sealed> = super::history::exchange(cast)
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
    let (plain, packet) = welcome_banned(cast);
    let banned = make("welcome (banned)", from_founder, from_member, plain, packet);
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
    packets.extend([digest, want, not_held, banned]);
    packets
}

/// The nonce of a hello to the rendezvous key: random bytes, and the mark.
fn marked_nonce(cast: &Cast) -> Nonce {
    let mut nonce = [0xD1; 24];
    nonce[16..].copy_from_slice(&gate_mark(cast)[..8]);
    nonce
}

pub(crate) fn seal(
    name: &'static str,
    (from, sender): (&'static str, &BoxKeyPair),
    (to, receiver): (&'static str, &BoxKeyPair),
    nonce: [u8; 24],
    plain: Parts,
    packet: Packet,
) -> Sealed {
    let bytes = joined(&plain);
    assert_eq!(hex(&packet.encode()), hex(&bytes), "{name}");
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
    hello_of(Hello {
        capabilities: 0,
        nonce: HELLO_NONCE,
        token: MEMBERS_TOKEN,
        time_ms: NOON + 62_000,
        facts_root: [0; 32],
        members: 1,
        nick: "Bea".to_owned(),
        chain: cast.members_chain.encode(),
    })
}

pub(crate) fn hello_of(hello: Hello) -> (Parts, Packet) {
    let parts = vec![
        ("kind", vec![96]),
        ("version", vec![1]),
        ("capabilities", hello.capabilities.to_be_bytes().to_vec()),
        ("nonce", hello.nonce.to_vec()),
        ("token", hello.token.to_vec()),
        ("time", hello.time_ms.to_be_bytes().to_vec()),
        ("facts root", hello.facts_root.to_vec()),
        ("members", hello.members.to_be_bytes().to_vec()),
        ("nick length", vec![hello.nick.len() as u8]),
        ("nick", hello.nick.as_bytes().to_vec()),
        ("chain", hello.chain.clone()),
    ];
    (parts, Packet::Hello(hello))
}

fn welcome(cast: &Cast) -> (Parts, Packet) {
    welcome_of(Welcome {
        capabilities: 0,
        nonce: HELLO_NONCE,
        token: FOUNDERS_TOKEN,
        time_ms: NOON + 62_050,
        facts_root: cast.facts_root(),
        observed: "192.0.2.7:40001".parse().unwrap(),
        free_slots: [Welcome::NO_SLOT; 4],
        status: WelcomeStatus::Linked,
        work_bits: 0,
        charter: cast.charter.encode(),
        chain: cast.founders_chain.encode(),
        ban: Vec::new(),
        nodes: vec![NodeAddress {
            client_id: ClientId([0xEE; 32]),
            address: "[2001:db8::1]:40002".parse().unwrap(),
        }],
    })
}

/// The member has been banned: the ban stands in the place of the charter.
fn welcome_banned(cast: &Cast) -> (Parts, Packet) {
    let mut facts = FactSet::new(cast.chat, &cast.charter);
    for fact in [&cast.topic, &cast.ban] {
        facts.insert(fact.clone(), None).unwrap();
    }
    welcome_of(Welcome {
        capabilities: 0,
        nonce: HELLO_NONCE,
        token: [0; 8],
        time_ms: NOON + 240_000,
        facts_root: facts.root(),
        observed: "192.0.2.7:40001".parse().unwrap(),
        free_slots: [Welcome::NO_SLOT; 4],
        status: WelcomeStatus::Banned,
        work_bits: 0,
        charter: Vec::new(),
        chain: cast.founders_chain.encode(),
        ban: cast.ban.encode(),
        nodes: Vec::new(),
    })
}

pub(crate) fn welcome_of(welcome: Welcome) -> (Parts, Packet) {
    let length = |bytes: &[u8]| (bytes.len() as u16).to_be_bytes().to_vec();
    let [family, ip, port] = address(&welcome.observed);
    let mut parts = vec![
        ("kind", vec![97]),
        ("version", vec![1]),
        ("capabilities", welcome.capabilities.to_be_bytes().to_vec()),
        ("the hello's nonce", welcome.nonce.to_vec()),
        ("token", welcome.token.to_vec()),
        ("time", welcome.time_ms.to_be_bytes().to_vec()),
        ("facts root", welcome.facts_root.to_vec()),
        ("observed: family", family),
        ("observed: ip", ip),
        ("observed: port", port),
        (
            "free slots",
            welcome
                .free_slots
                .iter()
                .flat_map(|slot| slot.to_be_bytes())
                .collect(),
        ),
        ("status", vec![welcome.status as u8]),
        ("work bits", vec![welcome.work_bits]),
    ];
    for (name_of_length, name, bytes) in [
        ("charter length", "charter", &welcome.charter),
        ("chain length", "chain", &welcome.chain),
        ("ban length", "ban", &welcome.ban),
    ] {
        parts.push((name_of_length, length(bytes)));
        if !bytes.is_empty() {
            parts.push((name, bytes.clone()));
        }
    }
    for node in &welcome.nodes {
        let [family, ip, port] = address(&node.address);
        parts.extend([
            ("node: client_id", node.client_id.0.to_vec()),
            ("node: family", family),
            ("node: ip", ip),
            ("node: port", port),
        ]);
    }
    (parts, Packet::Welcome(welcome))
}

/// Family, ip and port.
fn address(address: &SocketAddr) -> [Vec<u8>; 3] {
    let (family, ip) = match address.ip() {
        IpAddr::V4(ip) => (2, [&ip.octets()[..], &[0; 12]].concat()),
        IpAddr::V6(ip) => (10, ip.octets().to_vec()),
    };
    [vec![family], ip, address.port().to_be_bytes().to_vec()]
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

/// Names the own session, and one of somebody who has left, in the order of their client_ids.
fn roster_ask(cast: &Cast) -> (Parts, Packet) {
    let own = (cast.members_session.client_id(), [1, 0]);
    let left = (ClientId([0xE5; 32]), [1, 2]);
    assert!(left.0 < own.0);
    let known = [left, own].map(|(session, [name, status])| {
        let hash = crypto::hash(&[b"throng/1 session\0", &FOUNDERS_TOKEN, &session.0]);
        [hash[0], hash[1], hash[2], hash[3], name, status]
    });
    let parts = vec![
        ("kind", vec![114]),
        ("token", FOUNDERS_TOKEN.to_vec()),
        ("counter", vec![0, 0, 0, 2]),
        ("after", vec![0; 32]),
        ("to", vec![0xFF; 32]),
        ("known: hash", known[0][..4].to_vec()),
        ("numbers", known[0][4..].to_vec()),
        ("known, own: hash", known[1][..4].to_vec()),
        ("numbers", known[1][4..].to_vec()),
    ];
    let t = TokenCounter {
        token: FOUNDERS_TOKEN,
        counter: 2,
    };
    let (after, to, known) = (ClientId([0; 32]), ClientId([0xFF; 32]), known.to_vec());
    (parts, Packet::RosterAsk(RosterAsk { t, after, to, known }))
}

/// All has been told, and the first that the question names stands no more.
fn roster() -> (Parts, Packet) {
    let last = ClientId([0xFF; 32]);
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
