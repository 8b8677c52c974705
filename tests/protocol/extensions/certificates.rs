//! Keys, hashes and certificates, part by part.

use throng::crypto::{self, BoxKeyPair, SigningKey};
use throng::facts::Fact;
use throng::invite::{Admission, Chain, work};

use super::cast::{Cast, DAY, MEMBERS_TOKEN, NOON, RENDEZVOUS, Square, WORK_BITS, message};
use super::{Certificate, Hash, Key};
use crate::page::{Parts, joined};

pub(crate) fn keys(cast: &Cast) -> Vec<Key> {
    let signing = |name, key: &SigningKey| Key {
        name,
        secret: key.seed().to_vec(),
        public: key.public(),
    };
    let gate_secret = crypto::hash(&[b"throng/1 gate\0", &RENDEZVOUS, &(NOON / DAY).to_be_bytes()]);
    let boxes = |name, secret: [u8; 32]| {
        let public = BoxKeyPair::from_secret(secret).client_id().0;
        Key {
            name,
            secret: secret.to_vec(),
            public,
        }
    };
    let gate = boxes("rendezvous key", gate_secret);
    assert_eq!(gate.public, cast.gate.client_id().0);
    vec![
        signing("chat", &cast.chat_key),
        signing("founder", &cast.founder),
        signing("invite", &cast.invite),
        signing("member", &cast.member),
        boxes("founder's session", [5; 32]),
        boxes("member's session", [6; 32]),
        gate,
        signing("public chat", &cast.square.chat_key),
        signing("door of the public chat", &cast.square.door.secret),
        signing("member of the public chat", &cast.square.newcomer),
    ]
}

pub(crate) fn hashes(cast: &Cast) -> Vec<Hash> {
    let make = |name, hashed: Parts, len: usize| {
        let hash = crypto::hash(&[&joined(&hashed)])[..len].to_vec();
        Hash { name, hashed, hash }
    };
    let message = message(cast);
    let signed = |label: &'static str, body: Vec<u8>| -> Parts {
        vec![
            ("label", label.as_bytes().to_vec()),
            ("zero", vec![0]),
            ("chat", cast.chat.0.to_vec()),
            ("signed", body),
        ]
    };
    let [task, work] = work_hashes(cast);
    let task = make("task of the admission with work below", task, 32);
    let work = make("work for it, at least 16 zero bits", work, 32);
    let mut fact = cast.topic.encode();
    fact.truncate(fact.len() - 64);
    let mut answers = vec![
        make(
            "secret half of the rendezvous key of 2 December 2026",
            vec![
                ("label and zero", b"throng/1 gate\0".to_vec()),
                ("rendezvous", RENDEZVOUS.to_vec()),
                ("day", (NOON / DAY).to_be_bytes().to_vec()),
            ],
            32,
        ),
        make("mark of the hello below", mark(cast), 8),
        make(
            "id of the message below",
            signed("throng/1 say", message.signed.encode()),
            32,
        ),
        make("id of the topic fact below", signed("throng/1 fact", fact), 32),
        make(
            "facts root of the topic fact alone",
            vec![
                ("label and zero", b"throng/1 facts\0".to_vec()),
                ("id", cast.topic.id(&cast.chat).0.to_vec()),
            ],
            32,
        ),
        make("fingerprint of a roster of both sessions", roster(cast), 16),
        make(
            "ring position of the member on that day",
            vec![
                ("label and zero", b"throng/1 place\0".to_vec()),
                ("chat", cast.chat.0.to_vec()),
                ("member", cast.member.public().to_vec()),
                ("day", (NOON / DAY).to_be_bytes().to_vec()),
            ],
            32,
        ),
        task,
        work,
        make("short id of the message in the digest below", short_id(cast), 6),
    ];
    for print in super::history::fingerprints(cast) {
        answers.push(make(print.name, print.hashed, 16));
    }
    assert_eq!(
        answers[2].hash,
        crypto::hash_signed("throng/1 say", &cast.chat, &message.signed.encode())
    );
    assert_eq!(answers[3].hash, cast.topic.id(&cast.chat).0);
    assert_eq!(answers[4].hash, cast.facts_root());
    answers
}

/// The end of the nonce of the member's hello to the gate.
pub(crate) fn gate_mark(cast: &Cast) -> Vec<u8> {
    let hash = crypto::hash(&[&joined(&mark(cast))]);
    hash[..8].to_vec()
}

fn mark(cast: &Cast) -> Parts {
    let (random, sender) = ([0xD1; 16], cast.members_session.client_id());
    let parts = vec![
        ("label and zero", b"throng/1 mark\0".to_vec()),
        ("rendezvous", RENDEZVOUS.to_vec()),
        ("day", (NOON / DAY).to_be_bytes().to_vec()),
        ("sender's client_id", sender.0.to_vec()),
        ("nonce, its first 16", random.to_vec()),
    ];
    assert_eq!(
        crypto::gate_mark(&RENDEZVOUS, NOON / DAY, &sender, &random)[..],
        crypto::hash(&[&joined(&parts)])[..8]
    );
    parts
}

/// What a keepalive says of who is there, when both have told their names.
pub(crate) fn roster_fingerprint(cast: &Cast) -> [u8; 16] {
    let hash = crypto::hash(&[&joined(&roster(cast))]);
    hash[..16].try_into().unwrap()
}

/// What is hashed for a task, and what for the work.
fn work_hashes(cast: &Cast) -> [Parts; 2] {
    let Square {
        chat,
        door,
        admission,
        ..
    } = &cast.square;
    let Admission {
        member, at_ms, work, ..
    } = admission;
    let task = vec![
        ("label and zero", b"throng/1 work\0".to_vec()),
        ("chat", chat.0.to_vec()),
        ("invite", door.id().0.to_vec()),
        ("member", member.0.to_vec()),
        ("at", at_ms.to_be_bytes().to_vec()),
    ];
    let tried = |work: u64| -> Parts {
        let task = crypto::hash(&[&joined(&task)]).to_vec();
        vec![("task", task), ("work", work.to_be_bytes().to_vec())]
    };
    for at in 0..=*work {
        let hash = crypto::hash(&[&joined(&tried(at))]);
        let bits = work::zero_bits(chat, &door.id(), member, *at_ms, at);
        let zeros = u128::from_be_bytes(hash[..16].try_into().unwrap()).leading_zeros();
        assert_eq!(u32::from(bits), zeros);
        assert_eq!(bits >= WORK_BITS, at == *work, "{at}: it is the least that does");
    }
    let work = tried(*work);
    [task, work]
}

fn roster(cast: &Cast) -> Parts {
    let mut sessions = [(&cast.founders_session, 1u32), (&cast.members_session, 1)];
    sessions.sort_by_key(|(session, _)| session.client_id());
    vec![
        ("label and zero", b"throng/1 roster\0".to_vec()),
        ("client_id", sessions[0].0.client_id().0.to_vec()),
        ("name's number", sessions[0].1.to_be_bytes().to_vec()),
        ("status's number", vec![0; 4]),
        ("client_id", sessions[1].0.client_id().0.to_vec()),
        ("name's number", sessions[1].1.to_be_bytes().to_vec()),
        ("status's number", vec![0; 4]),
    ]
}

pub(crate) fn certificates(cast: &Cast) -> Vec<Certificate> {
    let charter: Parts = vec![
        ("kind", vec![0]),
        ("created", NOON.to_be_bytes().to_vec()),
        ("founder", cast.founder.public().to_vec()),
        ("heir", vec![0; 32]),
        ("name length", vec![7]),
        ("name", b"Friends".to_vec()),
    ];
    let invite: Parts = vec![
        ("invite", cast.invite.public().to_vec()),
        ("number", vec![0, 0, 0, 1]),
        ("rights", vec![0]),
        ("slots", vec![0, 4]),
        ("until", (NOON + 7 * DAY).to_be_bytes()[2..].to_vec()),
    ];
    let admission: Parts = vec![
        ("member", cast.member.public().to_vec()),
        ("slot", vec![0, 2]),
        ("at", (NOON + 60_000).to_be_bytes().to_vec()),
        ("work", vec![0; 8]),
    ];
    let session: Parts = vec![
        ("client_id", cast.members_session.client_id().0.to_vec()),
        ("start", (NOON + 61_000).to_be_bytes().to_vec()),
        ("capabilities", vec![0; 2]),
    ];
    let fact: Parts = vec![
        ("type", vec![5]),
        ("issuer", cast.founder.public().to_vec()),
        ("seq", vec![0, 0, 0, 1]),
        ("prev", vec![0; 16]),
        ("epoch", vec![0, 0, 0, 1]),
        ("at", (NOON + 30_000).to_be_bytes().to_vec()),
        ("counter", vec![0, 0, 0, 1]),
        ("locked", vec![0]),
        ("topic", b"Tea at five".to_vec()),
    ];
    let ban: Parts = vec![
        ("type", vec![3]),
        ("issuer", cast.founder.public().to_vec()),
        ("seq", vec![0, 0, 0, 2]),
        ("prev", cast.topic.short_id(&cast.chat).to_vec()),
        ("epoch", vec![0, 0, 0, 2]),
        ("at", (NOON + 180_000).to_be_bytes().to_vec()),
        ("member", cast.member.public().to_vec()),
        ("flags", vec![0]),
        ("count", vec![1]),
        ("session", cast.members_session.client_id().0[..8].to_vec()),
        ("last kept", vec![0, 0, 0, 1]),
        ("reason", b"spam".to_vec()),
    ];
    let square = &cast.square;
    let door: Parts = vec![
        ("invite", square.door.id().0.to_vec()),
        ("number", vec![0; 4]),
        ("rights", vec![0]),
        ("slots", vec![0; 2]),
        ("until", vec![0; 6]),
    ];
    let admission_with_work: Parts = vec![
        ("member", square.newcomer.public().to_vec()),
        ("slot", vec![0, 3]),
        ("at", (NOON + 60_000).to_be_bytes().to_vec()),
        ("work", square.admission.work.to_be_bytes().to_vec()),
    ];
    let make_in = |chat, name, label, signed_by, key: &SigningKey, signed: Parts, bytes: Vec<u8>| {
        let body = joined(&signed);
        let signature = key.sign(label, chat, &body);
        // The client_id is left out on the wire.
        let elided = if name == "session" { 32 } else { 0 };
        assert_eq!([&body[elided..], &signature].concat(), bytes, "{name}");
        Certificate {
            name,
            label,
            signed_by,
            signed,
            signature,
            bytes,
        }
    };
    let make = |name, label, signed_by, key, signed, bytes| {
        make_in(&cast.chat, name, label, signed_by, key, signed, bytes)
    };
    let answers = vec![
        make(
            "charter",
            "throng/1 charter",
            "chat",
            &cast.chat_key,
            charter,
            cast.charter.encode(),
        ),
        make(
            "invite",
            "throng/1 invite",
            "chat",
            &cast.chat_key,
            invite,
            cast.invite_certificate.encode(),
        ),
        make(
            "admission",
            "throng/1 admission",
            "invite",
            &cast.invite,
            admission,
            cast.admission.encode(),
        ),
        make(
            "session",
            "throng/1 session",
            "member",
            &cast.member,
            session,
            cast.members_chain.session.encode(),
        ),
        make(
            "topic fact",
            "throng/1 fact",
            "founder",
            &cast.founder,
            fact,
            cast.topic.encode(),
        ),
        make(
            "ban, a fact after that",
            "throng/1 fact",
            "founder",
            &cast.founder,
            ban,
            cast.ban.encode(),
        ),
        make_in(
            &square.chat,
            "invite that is the door of the public chat",
            "throng/1 invite",
            "public chat",
            &square.chat_key,
            door,
            square.door.certificate.encode(),
        ),
        make_in(
            &square.chat,
            "admission with work to the public chat",
            "throng/1 admission",
            "door of the public chat",
            &square.door.secret,
            admission_with_work,
            square.admission.encode(),
        ),
    ];
    for (chain, session) in [
        (&cast.founders_chain, &cast.founders_session),
        (&cast.members_chain, &cast.members_session),
    ] {
        assert_eq!(Chain::decode(&chain.encode()).as_ref(), Ok(chain));
        assert!(chain.verify(&cast.chat, &session.client_id()));
    }
    assert_eq!(
        cast.members_chain.encode(),
        [&[0][..], &answers[1].bytes, &answers[2].bytes, &answers[3].bytes].concat()
    );
    assert_eq!(
        cast.founders_chain.encode(),
        [&[1][..], &answers[0].bytes, &cast.founders_chain.session.encode()].concat()
    );
    assert_eq!(Fact::decode(&cast.topic.encode()).as_ref(), Ok(&cast.topic));
    assert!(cast.topic.verify(&cast.chat));
    answers
}

/// The founder's message, as it is called in a digest to the member.
pub(crate) fn short_id(cast: &Cast) -> Parts {
    let signed = message(cast).signed.encode();
    let id = crypto::hash_signed("throng/1 say", &cast.chat, &signed);
    vec![
        ("label and zero", b"throng/1 short\0".to_vec()),
        ("token", MEMBERS_TOKEN.to_vec()),
        ("id of the message", id.to_vec()),
    ]
}
