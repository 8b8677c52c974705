//! What a packet costs: a 200-byte broadcast sealed and opened, against the bare calls of the crypto crate (aim: at
//! most 1.15 times them), and a signed say verified and encoded again to be passed on.
//!
//! `cargo bench --bench crypto`

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use crypto_box::aead::{AeadInPlace, generic_array::GenericArray};
use crypto_box::{PublicKey, SalsaBox, SecretKey};
use throng::crypto::{self, BoxKeyPair, SharedKeys, SigningKey};
use throng::id::ChatId;
use throng::wire::{self, Body, Broadcast, Header, Packet, Say, SignedSay};

const TEXT_LEN: usize = 200;
const NONCE: [u8; 24] = [7; 24];

/// The bare calls: one shared key, and bytes that are sealed and opened in place.
fn bare(c: &mut Criterion) {
    let (alice, bob) = (SecretKey::from_bytes([1; 32]), SecretKey::from_bytes([2; 32]));
    let shared = SalsaBox::new(&bob.public_key(), &alice);
    let plain = broadcast().encode();
    let nonce = GenericArray::from_slice(&NONCE);
    let mut sealed = plain.clone();
    let tag = shared
        .encrypt_in_place_detached(nonce, &[], &mut sealed)
        .expect("any length can be sealed");

    let mut group = c.benchmark_group("broadcast of 200 bytes");
    group.throughput(Throughput::Elements(1));
    group.bench_function("seal, bare", |b| {
        b.iter(|| {
            let mut bytes = plain.clone();
            let tag = shared.encrypt_in_place_detached(nonce, &[], black_box(&mut bytes));
            (bytes, tag)
        });
    });
    group.bench_function("open, bare", |b| {
        b.iter(|| {
            let mut bytes = sealed.clone();
            let opened = shared.decrypt_in_place_detached(nonce, &[], black_box(&mut bytes), &tag);
            opened.map(|()| bytes)
        });
    });
    group.finish();
    c.bench_function("key agreement, bare", |b| {
        let bob = PublicKey::from_bytes(bob.public_key().to_bytes());
        b.iter(|| SalsaBox::new(black_box(&bob), &alice));
    });
}

/// The same through `crypto` and `wire`, from packet to datagram and back.
fn whole(c: &mut Criterion) {
    let (alice, bob) = (BoxKeyPair::from_secret([1; 32]), BoxKeyPair::from_secret([2; 32]));
    let header = Header {
        receiver: bob.client_id(),
        sender: alice.client_id(),
        nonce: NONCE,
    };
    let mut at_alice = SharedKeys::new(alice, 1024);
    let mut at_bob = SharedKeys::new(bob, 1024);
    let packet = broadcast();
    let mut seal = move |packet: &Packet| {
        let sealed = at_alice
            .seal(&header.receiver, &header.nonce, &packet.encode())
            .expect("a proper key");
        wire::join_datagram(&header, &sealed)
    };
    let datagram = seal(&packet);

    let mut group = c.benchmark_group("broadcast of 200 bytes");
    group.throughput(Throughput::Elements(1));
    group.bench_function("seal", |b| b.iter(|| seal(black_box(&packet))));
    group.bench_function("open", |b| {
        b.iter(|| {
            let (header, sealed) = wire::split_datagram(black_box(&datagram)).expect("a datagram");
            let plain = at_bob
                .open(&header.sender, &header.nonce, sealed)
                .expect("sealed to us");
            Packet::decode(&plain).expect("a packet")
        });
    });
    group.finish();
}

/// What a relay does with a say: decode, hash, verify, encode with a hop more.
fn say(c: &mut Criterion) {
    let chat = ChatId([3; 32]);
    let member = SigningKey::from_seed([4; 32]);
    let public = member.public();
    let signed = SignedSay {
        client_id: BoxKeyPair::from_secret([1; 32]).client_id(),
        number: 1,
        hlc: 1 << 40,
        after: [0; 8],
        body: Body::Message("x".repeat(TEXT_LEN)),
    };
    let signature = member.sign("throng/1 say", &chat, &signed.encode());
    let plain = Packet::Say(Say {
        tree: 0,
        hops: 0,
        chain: None,
        signed,
        signature,
    })
    .encode();

    let mut group = c.benchmark_group("say of 200 bytes");
    group.throughput(Throughput::Elements(1));
    group.bench_function("verified and encoded again", |b| {
        b.iter(|| {
            let Ok(Packet::Say(say)) = Packet::decode(black_box(&plain)) else {
                panic!("a say")
            };
            let signed = say.signed.encode();
            let id = crypto::hash_signed("throng/1 say", &chat, &signed);
            assert!(crypto::verify(
                &public,
                "throng/1 say",
                &chat,
                &signed,
                &say.signature
            ));
            (
                id,
                Packet::Say(Say {
                    hops: say.hops + 1,
                    ..say
                })
                .encode(),
            )
        });
    });
    group.bench_function("signed", |b| {
        b.iter(|| member.sign("throng/1 say", &chat, black_box(&plain)));
    });
    group.finish();
}

fn broadcast() -> Packet {
    Packet::Broadcast(Broadcast {
        origin: BoxKeyPair::from_secret([1; 32]).client_id(),
        number: 1,
        body: Body::Message("x".repeat(TEXT_LEN)),
    })
}

criterion_group!(benches, bare, whole, say);
criterion_main!(benches);
