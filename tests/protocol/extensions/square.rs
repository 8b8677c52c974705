//! A newcomer knocks at the door of the public chat, and is asked for more work.

use throng::crypto::{self, BoxKeyPair, Nonce, SigningKey};
use throng::facts::{Body, Door, DoorMode, Fact, FactSet, Place};
use throng::invite::{Chain, Credential, SessionCertificate};
use throng::wire::{Hello, Welcome, WelcomeStatus};

use super::cast::{Cast, DAY, HELLO_NONCE, MEMBERS_TOKEN, NOON, RENDEZVOUS};
use super::packets::{hello_of, seal, welcome_of};
use super::{Certificate, Hash, Key, KnownAnswers};
use crate::page::{Parts, joined};

/// More than the newcomer has done.
const ASKED_BITS: u8 = 18;

pub(crate) fn add(cast: &Cast, answers: &mut KnownAnswers) {
    let square = &cast.square;
    let session = |secret: u8| BoxKeyPair::from_secret([secret; 32]);
    let (founders_session, newcomers_session) = (session(15), session(16));
    let chain = |credential, key: &SigningKey, session: &BoxKeyPair, start_ms| Chain {
        credential,
        session: SessionCertificate::sign(key, &square.chat, &session.client_id(), start_ms, 0),
    };
    let founders = Credential::Founder(square.charter.clone());
    let founders = chain(founders, &square.founder, &founders_session, NOON + 1_000);
    let newcomers = Credential::Invited {
        invite: square.door.certificate.clone(),
        admission: square.admission.clone(),
    };
    let newcomers = chain(newcomers, &square.newcomer, &newcomers_session, NOON + 61_000);
    for (chain, session) in [(&founders, &founders_session), (&newcomers, &newcomers_session)] {
        assert!(chain.verify(&square.chat, &session.client_id()));
    }
    let door = door(cast);
    let mut facts = FactSet::new(square.chat, &square.charter);
    facts.insert(door.0.clone(), None).unwrap();

    let (nonce, mark) = knock(&newcomers_session);
    answers.keys.extend([
        Key {
            name: "founder of the public chat",
            secret: square.founder.seed().to_vec(),
            public: square.founder.public(),
        },
        Key {
            name: "session of the founder of the public chat",
            secret: vec![15; 32],
            public: founders_session.client_id().0,
        },
        Key {
            name: "session of the member of the public chat",
            secret: vec![16; 32],
            public: newcomers_session.client_id().0,
        },
    ]);
    answers.hashes.push(Hash {
        name: "mark of the hello to the public chat: it begins with 12 zero bits",
        hash: nonce[16..].to_vec(),
        hashed: mark,
    });
    answers.certificates.push(door.1);
    let from_newcomer = ("session of the member of the public chat", &newcomers_session);
    let from_founder = ("session of the founder of the public chat", &founders_session);
    let (plain, packet) = hello_of(Hello {
        capabilities: 1,
        nonce: HELLO_NONCE,
        token: MEMBERS_TOKEN,
        time_ms: NOON + 62_000,
        facts_root: [0; 32],
        members: 1,
        nick: String::new(),
        chain: newcomers.encode(),
    });
    answers.packets.push(seal(
        "hello to the public chat, from one without a link",
        from_newcomer,
        ("rendezvous key", &cast.gate),
        nonce,
        plain,
        packet,
    ));
    let (plain, packet) = welcome_of(Welcome {
        capabilities: 0,
        nonce: HELLO_NONCE,
        token: [0; 8],
        time_ms: NOON + 62_050,
        facts_root: facts.root(),
        observed: "[2001:db8::7]:40001".parse().unwrap(),
        free_slots: [Welcome::NO_SLOT; 4],
        status: WelcomeStatus::Busy,
        work_bits: ASKED_BITS,
        charter: square.charter.encode(),
        chain: founders.encode(),
        ban: Vec::new(),
        nodes: Vec::new(),
    });
    answers.packets.push(seal(
        "welcome (work is asked for)",
        from_founder,
        from_newcomer,
        [0xEC; 24],
        plain,
        packet,
    ));
}

/// The founder asks for work at the door.
fn door(cast: &Cast) -> (Fact, Certificate) {
    let square = &cast.square;
    let (at_ms, label) = (NOON + 30_000, "throng/1 fact");
    let signed: Parts = vec![
        ("type", vec![8]),
        ("issuer", square.founder.public().to_vec()),
        ("seq", vec![0, 0, 0, 1]),
        ("prev", vec![0; 16]),
        ("epoch", vec![0, 0, 0, 1]),
        ("at", at_ms.to_be_bytes().to_vec()),
        ("counter", vec![0, 0, 0, 1]),
        ("mode", vec![1]),
        ("work bits", vec![ASKED_BITS]),
        ("minutes", vec![0, 0]),
        ("rate", vec![0, 0]),
    ];
    let signature = square.founder.sign(label, &square.chat, &joined(&signed));
    let place = Place {
        seq: 1,
        prev: [0; 16],
        epoch: 1,
    };
    let door = Door {
        mode: DoorMode::Work,
        work_bits: ASKED_BITS,
        minutes: 0,
        rate: 0,
    };
    let body = Body::Door { counter: 1, door };
    let fact = Fact::sign(&square.founder, &square.chat, place, at_ms, body).unwrap();
    let bytes = fact.encode();
    assert_eq!([&joined(&signed)[..], &signature].concat(), bytes);
    let certificate = Certificate {
        name: "door of the public chat, a fact",
        label,
        signed_by: "founder of the public chat",
        signed,
        signature,
        bytes,
    };
    (fact, certificate)
}

/// The first nonce, counting up, whose mark will do; and what is hashed for that.
fn knock(session: &BoxKeyPair) -> (Nonce, Parts) {
    let day = NOON / DAY;
    for step in 0_u64.. {
        let mut random = [0xE9; 16];
        random[8..].copy_from_slice(&(0xE9E9_E9E9_0000_0000 + step).to_be_bytes());
        let parts: Parts = vec![
            ("label and zero", b"throng/1 mark\0".to_vec()),
            ("rendezvous", RENDEZVOUS.to_vec()),
            ("day", day.to_be_bytes().to_vec()),
            ("sender's client_id", session.client_id().0.to_vec()),
            ("nonce, its first 16", random.to_vec()),
        ];
        let mark = crypto::hash(&[&joined(&parts)]);
        if mark[0] == 0 && mark[1] < 16 {
            let known = crypto::gate_mark(&RENDEZVOUS, day, &session.client_id(), &random);
            assert_eq!(known[..], mark[..8]);
            let mut nonce = [0; 24];
            nonce[..16].copy_from_slice(&random);
            nonce[16..].copy_from_slice(&mark[..8]);
            return (nonce, parts);
        }
    }
    unreachable!("one of 4,096 nonces will do")
}
