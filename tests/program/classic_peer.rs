//! A peer written from the base protocol's document alone, with nothing of Throng's own code, takes part in a
//! classic chat with the real program.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use crypto_box::aead::Aead;
use crypto_box::{Nonce, PublicKey, SalsaBox, SecretKey};
use data_encoding::HEXLOWER;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::json;

use crate::process::{DEADLINE, Program, text};
use crate::scene::folder;

const PACKET: u8 = 48;
const GET_NODES: u8 = 48;
const SEND_NODES: u8 = 49;
const BROADCAST: u8 = 50;
const NODE_LEN: usize = 51;

type Key = [u8; 32];

/// Data to everyone, as it came.
#[derive(Debug, Clone, PartialEq)]
struct Heard {
    from: Key,
    origin: Key,
    number: u32,
    id: u8,
    data: Vec<u8>,
}

/// A peer of the base protocol that does what it is told, and answers get_nodes.
struct Peer {
    secret: SecretKey,
    key: Key,
    socket: UdpSocket,
    address: SocketAddr,
    rng: ChaCha20Rng,
    /// Who is in the chat, as far as it was told.
    members: Vec<Key>,
    number: u32,
    heard: Vec<Heard>,
    /// The answers to its get_nodes: by whom, the ping_id, the nodes' bytes.
    answers: Vec<(Key, [u8; 8], Vec<u8>)>,
    /// Who asked it, and how often.
    asked: BTreeMap<Key, u32>,
}

impl Peer {
    fn new(seed: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        let secret = SecretKey::from(bytes);
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        socket
            .set_read_timeout(Some(Duration::from_millis(20)))
            .expect("a time-out");
        Self {
            key: *secret.public_key().as_bytes(),
            secret,
            address: socket.local_addr().expect("bound"),
            socket,
            rng,
            members: Vec::new(),
            number: 0,
            heard: Vec::new(),
            answers: Vec::new(),
            asked: BTreeMap::new(),
        }
    }

    fn hex(&self) -> String {
        HEXLOWER.encode(&self.key)
    }

    /// `[48][receiver 32][sender 32][nonce 24][sealed: [kind 1][body]]`
    fn send(&mut self, to: SocketAddr, receiver: &Key, kind: u8, body: &[u8]) {
        let mut nonce = [0; 24];
        self.rng.fill_bytes(&mut nonce);
        let sealed = SalsaBox::new(&PublicKey::from(*receiver), &self.secret)
            .encrypt(&Nonce::from(nonce), [&[kind], body].concat().as_slice())
            .expect("sealed");
        let datagram = [&[PACKET], &receiver[..], &self.key, &nonce, &sealed].concat();
        assert!(datagram.len() <= 1024);
        self.socket.send_to(&datagram, to).expect("sent");
    }

    fn get_nodes(&mut self, to: SocketAddr, receiver: &Key) -> [u8; 8] {
        let mut ping_id = [0; 8];
        self.rng.fill_bytes(&mut ping_id);
        self.send(to, receiver, GET_NODES, &ping_id);
        ping_id
    }

    /// `[origin 32][number 4][id 1][data]`
    fn broadcast(&mut self, to: SocketAddr, receiver: &Key, id: u8, data: &[u8]) -> u32 {
        self.number += 1;
        let body = [&self.key[..], &self.number.to_be_bytes(), &[id], data].concat();
        self.send(to, receiver, BROADCAST, &body);
        self.number
    }

    /// Takes in what comes until `done`.
    fn run_until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let until = Instant::now() + DEADLINE;
        while !done(self) {
            assert!(
                Instant::now() < until,
                "{what} did not come; heard {:?}, asked {:?}",
                self.heard,
                self.asked
            );
            self.receive();
        }
    }

    /// Waits for data to everyone of that id and content.
    fn hears(&mut self, origin: &Key, id: u8, data: &[u8]) -> Heard {
        let is_it = |heard: &Heard| heard.origin == *origin && heard.id == id && heard.data == data;
        self.run_until(&format!("broadcast {id} {data:?}"), |peer| {
            peer.heard.iter().any(is_it)
        });
        self.heard
            .iter()
            .find(|heard| is_it(heard))
            .expect("just seen")
            .clone()
    }

    fn receive(&mut self) {
        let mut buffer = [0; 2048];
        let (len, from) = match self.socket.recv_from(&mut buffer) {
            Ok(received) => received,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return,
            Err(error) => panic!("{error}"),
        };
        let packet = &buffer[..len];
        assert!(len <= 1024, "{len} bytes");
        assert_eq!(
            (packet[0], &packet[1..33]),
            (PACKET, &self.key[..]),
            "addressed to us"
        );
        let sender: Key = packet[33..65].try_into().expect("32 bytes");
        if !self.members.contains(&sender) {
            return;
        }
        let nonce: [u8; 24] = packet[65..89].try_into().expect("24 bytes");
        let plain = SalsaBox::new(&PublicKey::from(sender), &self.secret)
            .decrypt(&Nonce::from(nonce), &packet[89..])
            .expect("it opens");
        let (kind, body) = plain.split_first().expect("a kind");
        match *kind {
            GET_NODES => {
                assert_eq!(body.len(), 8, "a ping_id");
                *self.asked.entry(sender).or_default() += 1;
                // No nodes: those who know more may say so.
                self.send(from, &sender, SEND_NODES, body);
            }
            SEND_NODES => {
                let (ping_id, nodes) = body.split_at(8);
                assert!(
                    nodes.len() % NODE_LEN == 0 && nodes.len() <= 6 * NODE_LEN,
                    "{} bytes of nodes",
                    nodes.len()
                );
                self.answers
                    .push((sender, ping_id.try_into().expect("8 bytes"), nodes.to_vec()));
            }
            BROADCAST => self.heard.push(Heard {
                from: sender,
                origin: body[..32].try_into().expect("32 bytes"),
                number: u32::from_be_bytes(body[32..36].try_into().expect("4 bytes")),
                id: body[36],
                data: body[37..].to_vec(),
            }),
            other => panic!("kind {other} is none of the base protocol's"),
        }
    }
}

/// A classic chat of the program, and where it is.
fn start(name: &str, folder: &Path) -> (Program, String, Key, SocketAddr) {
    let mut throng = Program::start(name, folder);
    let command = json!({ "command": "create_chat", "name": "Plain", "kind": "classic", "nick": name });
    let opened = throng.done(command, "chat_opened");
    assert_eq!(opened["member"], opened["client_id"]);
    let key = HEXLOWER
        .decode(text(&opened, "client_id").as_bytes())
        .expect("hex")
        .try_into()
        .expect("32 bytes");
    let address = text(&opened, "listen").parse().expect("an address");
    (throng, text(&opened, "chat"), key, address)
}

#[test]
fn a_peer_by_the_document_takes_part() {
    let folder = folder();
    let (mut throng, chat, its_key, its_address) = start("ann", folder.path());
    let (mut one, mut two) = (Peer::new(1), Peer::new(2));
    one.members = vec![its_key];
    two.members = vec![its_key];

    // A link has proved its address.
    throng
        .tell(&json!({ "command": "connect", "chat": chat, "client_id": one.hex(), "address": one.address }));
    one.run_until("get_nodes", |peer| peer.asked.contains_key(&its_key));
    let linked = throng.event("peer_linked", &chat);
    assert_eq!(
        (text(&linked, "client_id"), text(&linked, "address")),
        (one.hex(), one.address.to_string())
    );
    let ping_id = one.get_nodes(its_address, &its_key);
    one.run_until("send_nodes", |peer| {
        peer.answers.iter().any(|answer| answer.1 == ping_id)
    });

    // What one side says the other hears: message, action (both ids), name, status, topic.
    let named = one.hears(&its_key, 48, b"ann");
    let said = throng.done(
        json!({ "command": "say", "chat": chat, "text": "hello" }),
        "message",
    );
    let heard = one.hears(&its_key, 64, b"hello");
    assert_eq!(json!(heard.number), said["number"]);
    assert!(heard.number > named.number && named.number >= 1);
    throng.done(
        json!({ "command": "act", "chat": chat, "text": "waves" }),
        "message",
    );
    assert_eq!(one.hears(&its_key, 65, b"waves").number, heard.number + 1);
    throng.done(
        json!({ "command": "set_status", "chat": chat, "status": "away" }),
        "status_changed",
    );
    one.hears(&its_key, 49, &[1]);
    throng.done(
        json!({ "command": "set_topic", "chat": chat, "topic": "plain" }),
        "topic_changed",
    );
    one.hears(&its_key, 18, b"plain");

    let number = one.broadcast(its_address, &its_key, 64, "hello, I am nobody yet".as_bytes());
    let message = throng.hears("hello, I am nobody yet");
    assert_eq!(
        (text(&message, "member"), &message["number"]),
        (one.hex(), &json!(number))
    );
    assert_eq!(text(&message, "nick"), one.hex()[..8]);
    one.broadcast(its_address, &its_key, 48, "Émile".as_bytes());
    assert_eq!(throng.event("nick_changed", &chat)["nick"], "Émile");
    one.broadcast(its_address, &its_key, 65, b"bows");
    let action = throng.hears("bows");
    assert_eq!(
        (&action["body"], &action["nick"]),
        (&json!("action"), &json!("Émile"))
    );
    one.broadcast(its_address, &its_key, 63, b"bows as of old");
    assert_eq!(throng.hears("bows as of old")["body"], "action");
    one.broadcast(its_address, &its_key, 49, &[2]);
    throng.expect("busy", |event| {
        event["event"] == "status_changed" && event["status"] == "busy"
    });
    one.broadcast(its_address, &its_key, 18, b"");
    throng.expect("no topic", |event| {
        event["event"] == "topic_changed" && event["topic"] == ""
    });
    // A number may jump.
    one.number += 1_000_000;
    one.broadcast(its_address, &its_key, 64, b"after a lull");
    throng.hears("after a lull");

    // A stranger is not heard until it is admitted; then everyone is told, and it becomes a link.
    two.broadcast(its_address, &its_key, 64, b"nobody hears me");
    // Until it has come: a datagram and a command take different ways.
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let stats = throng.done(json!({ "command": "stats", "chat": chat }), "stats");
        if stats["dropped"]["not_in_chat"] == json!(1) {
            break;
        }
        assert!(Instant::now() < until, "{stats}");
    }
    throng.tell(&json!({ "command": "admit", "chat": chat, "client_id": two.hex() }));
    one.hears(&its_key, 16, &two.key);
    let ping_id = two.get_nodes(its_address, &its_key);
    let of_two = two.hex();
    two.run_until("get_nodes", |peer| peer.asked.contains_key(&its_key));
    throng.expect("a link to the second", |event| {
        event["event"] == "peer_linked" && event["client_id"] == json!(of_two)
    });
    two.run_until("send_nodes", |peer| {
        peer.answers.iter().any(|answer| answer.1 == ping_id)
    });
    let stats = throng.done(json!({ "command": "stats", "chat": chat }), "stats");
    assert_eq!(stats["links"], json!(2));

    // Asked again, it lists the first: 51 bytes, the IPv4 address in the first 4 of 16.
    let ping_id = two.get_nodes(its_address, &its_key);
    two.run_until("send_nodes", |peer| {
        peer.answers.iter().any(|answer| answer.1 == ping_id)
    });
    let nodes = &two.answers.last().expect("an answer").2;
    let SocketAddr::V4(address) = one.address else {
        panic!("an IPv4 address")
    };
    let node = [
        &one.key[..],
        &[2],
        &address.ip().octets(),
        &[0; 12],
        &address.port().to_be_bytes(),
    ]
    .concat();
    assert_eq!(*nodes, node);

    // Passed on to the links other than the one it came from, once.
    two.members.push(one.key);
    one.members.push(two.key);
    let number = two.broadcast(its_address, &its_key, 64, b"from two to one");
    let heard = one.hears(&two.key, 64, b"from two to one");
    assert_eq!((heard.from, heard.number), (its_key, number));
    throng.hears("from two to one");
    two.number -= 1;
    two.broadcast(its_address, &its_key, 64, b"from two to one");
    two.broadcast(its_address, &its_key, 64, b"the next");
    one.hears(&two.key, 64, b"the next");
    let copies = |peer: &Peer, data: &[u8]| peer.heard.iter().filter(|heard| heard.data == data).count();
    assert_eq!(copies(&one, b"from two to one"), 1);
    assert_eq!(
        copies(&two, b"from two to one"),
        0,
        "not back to where it came from"
    );

    // Nothing of what is not exactly right is acted on.
    let good = |number: u32, id: u8, data: &[u8]| [&two.key[..], &number.to_be_bytes(), &[id], data].concat();
    let bad = [
        good(0, 64, b"number 0"),
        good(900, 64, b""),
        good(901, 64, b"\xFF"),
        good(902, 49, &[3]),
        good(903, 48, b""),
        good(904, 0, b"x"),
        good(905, 99, b"no such id"),
    ];
    for body in &bad {
        two.send(its_address, &its_key, BROADCAST, body);
    }
    two.send(its_address, &its_key, 51, b"no such kind");
    two.send(its_address, &its_key, GET_NODES, b"not a ping_id");
    two.broadcast(its_address, &its_key, 64, b"after all that");
    throng.hears("after all that");
    one.hears(&two.key, 64, b"after all that");
    assert!(
        one.heard
            .iter()
            .all(|heard| heard.number < 900 || heard.origin != two.key)
    );

    // Goodbyes both ways.
    one.broadcast(its_address, &its_key, 24, b"");
    let left = throng.event("member_left", &chat);
    assert_eq!((text(&left, "member"), &left["why"]), (one.hex(), &json!("quit")));
    two.hears(&one.key, 24, b"");
    throng.shut_down();
    two.hears(&its_key, 24, b"");
}

#[test]
fn after_a_restart_a_classic_chat_has_another_key_and_waits_for_connect() {
    let folder = folder();
    let (throng, chat, old_key, _) = start("ann", folder.path());
    throng.shut_down();
    let mut throng = Program::start("ann", folder.path());
    let opened = throng.event("chat_opened", &chat);
    let key = HEXLOWER
        .decode(text(&opened, "client_id").as_bytes())
        .expect("hex");
    assert_ne!(key, old_key);

    let mut peer = Peer::new(3);
    peer.members = vec![key.try_into().expect("32 bytes")];
    throng.tell(&json!({
        "command": "connect", "chat": chat, "client_id": peer.hex(), "address": peer.address, "tag": "mine",
    }));
    let its_key = peer.members[0];
    peer.run_until("get_nodes", |peer| peer.asked.contains_key(&its_key));
    assert_eq!(throng.event("peer_linked", &chat)["tag"], "mine");
    throng.shut_down();
}
