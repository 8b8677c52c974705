//! What a stranger's packet costs a member, compared with one bare SHA-256 of its bytes: without a mark, with a mark but sealed
//! to nobody, recorded, over its budget, and a true hello, the most expensive (a key agreement, the checks of a certificate chain that
//! does not hold, and a welcome that says so).
//!
//! `cargo bench --bench strangers`

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use throng::crypto::{self, BoxKeyPair, SharedKeys, SigningKey};
use throng::id::{ChatId, MemberId};
use throng::invite::{Chain, Charter, Credential, InviteKey, Rights, SessionCertificate};
use throng::node::{Input, Node, NodeConfig, NodeKind, Now, SignedState};
use throng::wire::{Header, Hello, Packet, join_datagram};

const NOW_MS: u64 = 1_795_350_000_000;
const DAY: u64 = NOW_MS / 86_400_000;
const RENDEZVOUS: [u8; 16] = [7; 16];

/// A member, and a clock that gives every packet a budget of its own.
struct Member {
    node: Node,
    handled: u64,
}

impl Member {
    fn new() -> Self {
        let (chat_key, founder) = (SigningKey::from_seed([1; 32]), SigningKey::from_seed([2; 32]));
        let charter = Charter::sign(&chat_key, 0, NOW_MS, MemberId(founder.public()), "bench");
        let state = SignedState {
            chat: ChatId(chat_key.public()),
            charter: None,
            member_key: founder,
            credential: Credential::Founder(charter),
            invite_key: None,
            rendezvous: RENDEZVOUS,
            joined: true,
            admitted: Vec::new(),
            facts: Vec::new(),
            history: throng::node::HistoryState::default(),
        };
        let config = NodeConfig {
            kind: NodeKind::Signed(Box::new(state)),
            nick: String::new(),
            status: 0,
        };
        Self {
            node: Node::new(config, [3; 32], now(Duration::ZERO)),
            handled: 0,
        }
    }

    /// Takes a packet 20 ms after the last one and from another network, a /24, so that no budget is used up; or all packets at
    /// once from one network.
    fn take(&mut self, bytes: &[u8], is_flood: bool) {
        self.handled += u64::from(!is_flood);
        let [.., a, b, c] = self.handled.to_be_bytes();
        let from = if is_flood {
            SocketAddr::from(([203, 0, 113, 1], 1))
        } else {
            SocketAddr::from(([64 | a & 63, b, c, 1], 33_445))
        };
        self.node.handle(
            now(Duration::from_millis(20 * self.handled)),
            Input::Datagram { from, bytes },
        );
        while let Some(output) = self.node.poll_output() {
            black_box(output);
        }
    }
}

fn now(elapsed: Duration) -> Now {
    Now {
        elapsed,
        unix_ms: NOW_MS,
    }
}

/// A stranger's datagram to the rendezvous key, different for each `n`.
fn knock(n: u64, is_marked: bool, is_sealed: bool) -> Vec<u8> {
    let mut secret = [9; 32];
    secret[..8].copy_from_slice(&n.to_be_bytes());
    let session = BoxKeyPair::from_secret(secret);
    let sender = session.client_id();
    let mut nonce = [n as u8; 24];
    if is_marked {
        let mark = crypto::gate_mark(&RENDEZVOUS, DAY, &sender, &nonce[..16]);
        nonce[16..].copy_from_slice(&mark);
    }
    let receiver = crypto::gate(&RENDEZVOUS, DAY).client_id();
    let plain = hello(&session).encode();
    let mut sealed = SharedKeys::new(session, 1)
        .seal(&receiver, &nonce, &plain)
        .expect("a proper key");
    if !is_sealed {
        sealed[0] ^= 1;
    }
    let header = Header {
        receiver,
        sender,
        nonce,
    };
    join_datagram(&header, &sealed)
}

/// A hello with the certificate chain of another chat.
fn hello(session: &BoxKeyPair) -> Packet {
    let (other, member) = (SigningKey::from_seed([4; 32]), SigningKey::from_seed([5; 32]));
    let charter = Charter::sign(&other, 0, NOW_MS, MemberId(member.public()), "another");
    let mut rng = ChaCha20Rng::from_seed([6; 32]);
    let invite = InviteKey::issue(
        &other,
        &charter,
        RENDEZVOUS,
        1,
        Rights::Member,
        0,
        0,
        Vec::new(),
        &mut rng,
    );
    let credential = invite.admit(MemberId(member.public()), 0, NOW_MS);
    let chat = ChatId(other.public());
    let session = SessionCertificate::sign(&member, &chat, &session.client_id(), NOW_MS, 0);
    Packet::Hello(Hello {
        capabilities: 1,
        nonce: [1; 16],
        token: [2; 8],
        time_ms: NOW_MS,
        facts_root: [0; 32],
        members: 1,
        nick: String::new(),
        chain: Chain { credential, session }.encode(),
    })
}

fn strangers(c: &mut Criterion) {
    let mut group = c.benchmark_group("strange packet");
    group.throughput(Throughput::Elements(1));
    let unmarked = knock(0, false, true);
    group.bench_function("bare SHA-256 of its bytes", |b| {
        b.iter(|| crypto::hash(&[black_box(&unmarked)]));
    });
    let mut member = Member::new();
    group.bench_function("unmarked", |b| b.iter(|| member.take(&unmarked, true)));
    let marked = knock(0, true, false);
    group.bench_function("marked, over its budget", |b| {
        b.iter(|| member.take(&marked, true));
    });
    let recorded = knock(1, true, true);
    member.take(&recorded, false);
    group.bench_function("a recorded hello", |b| b.iter(|| member.take(&recorded, true)));
    for (name, is_sealed) in [
        ("marked but sealed to nobody", false),
        ("a stranger's hello", true),
    ] {
        let mut member = Member::new();
        let mut n = 10;
        group.bench_function(name, |b| {
            b.iter_batched(
                || {
                    n += 1;
                    knock(n, true, is_sealed)
                },
                |bytes| member.take(&bytes, false),
                BatchSize::SmallInput,
            );
        });
        let dropped = member.node.stats().dropped;
        let is_refused = dropped
            .keys()
            .any(|cause| cause.ends_with("_budget") || *cause == "replayed");
        assert!(!is_refused, "{name}: not all were looked into: {dropped:?}");
    }
    group.finish();
}

criterion_group!(benches, strangers);
criterion_main!(benches);
