//! Strangers who flood a running program over real sockets, as fast as one core sends: from many networks of loopback,
//! with the right marks and without.
#![cfg(target_os = "linux")] // Where all of 127.0.0.0/8 can be bound.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::{Value, json};
use throng::crypto::{self, BoxKeyPair, SharedKeys, SigningKey};
use throng::id::{ChatId, ClientId, MemberId};
use throng::invite::{Chain, Charter, InviteKey, Rights, SessionCertificate};
use throng::wire::{Header, Hello, Packet, join_datagram};

use crate::process::{DEADLINE, Program, text};
use crate::scene::{folder_alone, import_text, invite, say};

/// Networks that the flood comes from: 127.10.0.0 to 127.10.63.0, each a /24.
const NETWORKS: u8 = 64;

/// Datagrams that have to reach the node before the test ends: it was a flood indeed.
const FLOOD: u64 = 50_000;

/// A stranger who knows the chat's gate but was never let in: somebody whose invite has been used up, say.
struct Stranger {
    socket: UdpSocket,
    keys: SharedKeys,
    client_id: ClientId,
    /// A whole hello, whose chain leads to another chat.
    hello: Vec<u8>,
}

impl Stranger {
    fn new(network: u8, rng: &mut ChaCha20Rng, now_ms: u64) -> Self {
        let socket = UdpSocket::bind((format!("127.10.{network}.1"), 0)).expect("a port");
        socket.set_nonblocking(true).expect("a socket");
        let pair = BoxKeyPair::generate(rng);
        let client_id = pair.client_id();
        let (chat_key, member_key) = (SigningKey::generate(rng), SigningKey::generate(rng));
        let (chat, member) = (ChatId(chat_key.public()), MemberId(member_key.public()));
        let charter = Charter::sign(&chat_key, 0, now_ms, member, "another");
        let invite = InviteKey::issue(
            &chat_key,
            &charter,
            [0; 16],
            1,
            Rights::Member,
            0,
            0,
            Vec::new(),
            rng,
        );
        let credential = invite.admit(member, 0, now_ms);
        let session = SessionCertificate::sign(&member_key, &chat, &client_id, now_ms, 0);
        let hello = Hello {
            capabilities: 1,
            nonce: [1; 16],
            token: [2; 8],
            time_ms: now_ms,
            facts_root: [0; 32],
            members: 1,
            nick: "stranger".into(),
            chain: Chain { credential, session }.encode(),
        };
        let hello = Packet::Hello(hello).encode();
        Self {
            socket,
            keys: SharedKeys::new(pair, 4),
            client_id,
            hello,
        }
    }

    /// Sends a hello that opens and costs the checks of a chain, with a fresh nonce; what has the mark and does not open;
    /// and what has no mark.
    fn flood(&mut self, rng: &mut ChaCha20Rng, rendezvous: &[u8; 16], day: u64, target: &str) {
        let receiver = crypto::gate(rendezvous, day).client_id();
        let mut nonce = [0; 24];
        rng.fill_bytes(&mut nonce[..16]);
        let mark = crypto::gate_mark(rendezvous, day, &self.client_id, &nonce[..16]);
        nonce[16..].copy_from_slice(&mark);
        let sealed = self
            .keys
            .seal(&receiver, &nonce, &self.hello)
            .expect("a proper key");
        self.send(receiver, self.client_id, nonce, &sealed, target);

        let mut garbage = [0; 400];
        rng.fill_bytes(&mut garbage);
        let mut sender = [0; 32];
        rng.fill_bytes(&mut sender);
        let sender = ClientId(sender);
        let mark = crypto::gate_mark(rendezvous, day, &sender, &nonce[..16]);
        nonce[16..].copy_from_slice(&mark);
        self.send(receiver, sender, nonce, &garbage, target);
        nonce[16] ^= 1;
        self.send(receiver, sender, nonce, &garbage, target);
    }

    fn send(&self, receiver: ClientId, sender: ClientId, nonce: [u8; 24], sealed: &[u8], target: &str) {
        let header = Header {
            receiver,
            sender,
            nonce,
        };
        // A full buffer is the flooder's own trouble.
        let _ = self.socket.send_to(&join_datagram(&header, sealed), target);
    }
}

/// Members' messages and a newcomer's way in, while strangers flood the one member whom the newcomer can ask.
///
/// What is claimed is that the newcomer is in within 2 s: that is measured and printed, as is what became of the flood.
/// What is asserted is ten times as long, since machines that run this have other work, and the flood takes a core.
#[test]
#[allow(clippy::print_stdout, reason = "the figures")]
fn strangers_at_full_speed_keep_no_invited_newcomer_out() {
    let folder = folder_alone();
    let mut ann = Program::start("ann", &folder.path().join("ann"));
    let mut bob = Program::start_at("bob", &folder.path().join("bob"), "127.20.0.1:0");
    let mut eve = Program::start_at("eve", &folder.path().join("eve"), "127.30.0.1:0");
    let command = json!({ "command": "create_chat", "name": "Besieged", "kind": "private", "nick": "ann" });
    let opened = ann.done(command, "chat_opened");
    let (chat, target) = (text(&opened, "chat"), text(&opened, "listen"));
    let exported = text(&invite(&mut ann, &chat, &json!({ "uses": 5 })), "text");
    import_text(&mut bob, &exported, "bob");
    bob.event("joined", &chat);
    let rendezvous = InviteKey::parse(&exported).expect("an invite").rendezvous;

    let (over, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let flood = {
        let (over, sent) = (over.clone(), sent.clone());
        thread::spawn(move || {
            let mut rng = ChaCha20Rng::seed_from_u64(12);
            let mut strangers: Vec<Stranger> = (0..NETWORKS)
                .map(|network| Stranger::new(network, &mut rng, now_ms()))
                .collect();
            while !over.load(Ordering::Relaxed) {
                let day = now_ms() / 86_400_000;
                for stranger in &mut strangers {
                    stranger.flood(&mut rng, &rendezvous, day, &target);
                    sent.fetch_add(3, Ordering::Relaxed);
                }
            }
        })
    };
    // When it is at its height.
    until_came(&mut ann, &chat, 5_000);

    let began_at = Instant::now();
    import_text(&mut eve, &exported, "eve");
    eve.event("joined", &chat);
    let joined = began_at.elapsed();
    let mut longest = Duration::ZERO;
    for n in 0..20 {
        let (words, said_at) = (format!("message {n}"), Instant::now());
        say(&mut ann, &chat, &words);
        bob.hears(&words);
        eve.hears(&words);
        longest = longest.max(said_at.elapsed());
    }
    say(&mut eve, &chat, "still here");
    ann.hears("still here");
    bob.hears("still here");

    let stats = until_came(&mut ann, &chat, FLOOD);
    over.store(true, Ordering::Relaxed);
    flood.join().expect("ended");
    println!(
        "the newcomer was in after {joined:?}; of 20 messages the slowest took {longest:?}; {} datagrams were sent, {} came: {}",
        sent.load(Ordering::Relaxed),
        stats["packets_in"],
        stats["dropped"]
    );
    let dropped = |cause: &str| stats["dropped"][cause].as_u64().unwrap_or(0);
    assert!(dropped("no_mark") > FLOOD / 10, "{stats}");
    assert!(
        dropped("address_budget") + dropped("network_budget") + dropped("stranger_budget") > FLOOD / 10,
        "{stats}"
    );
    assert!(dropped("does_not_open") > 0, "some cost a key agreement: {stats}");
    assert!(
        dropped("bad_chain") > 0,
        "some cost the checks of a chain: {stats}"
    );
    assert!(joined < Duration::from_secs(20), "in after {joined:?}");
    assert!(longest < Duration::from_secs(20), "a message took {longest:?}");
}

/// Waits until so many datagrams have come; the figures then.
fn until_came(program: &mut Program, chat: &str, count: u64) -> Value {
    let began_at = Instant::now();
    loop {
        let stats = program.done(json!({ "command": "stats", "chat": chat }), "stats");
        let came = stats["packets_in"].as_u64().expect("a number");
        if came >= count {
            return stats;
        }
        assert!(began_at.elapsed() < DEADLINE, "only {came} datagrams came");
        thread::sleep(Duration::from_millis(20));
    }
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970").as_millis() as u64
}
