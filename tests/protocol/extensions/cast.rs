//! Who takes part in the known answers: their keys, certificates and words.

use throng::crypto::{self, BoxKeyPair, SigningKey};
use throng::facts::{self, Fact, Place};
use throng::id::{ChatId, InviteId, MemberId};
use throng::invite::work::Search;
use throng::invite::{
    Admission, Chain, Charter, Credential, InviteCertificate, InviteKey, Rights, SeenAddress,
    SessionCertificate,
};
use throng::wire::{Body, Part, Say, SignedSay};

/// 2 December 2026, noon UTC.
pub(crate) const NOON: u64 = 20_789 * DAY + DAY / 2;
pub(crate) const DAY: u64 = 86_400_000;

pub(crate) const RENDEZVOUS: [u8; 16] = [0x07; 16];
/// What the door of the public chat asks for, in leading zero bits.
pub(crate) const WORK_BITS: u8 = 16;
pub(crate) const HELLO_NONCE: [u8; 16] = [0xA0; 16];
/// Given by the member, so that the founder sends under it.
pub(crate) const MEMBERS_TOKEN: [u8; 8] = [0xB0; 8];
/// Given by the founder, so that the member sends under it.
pub(crate) const FOUNDERS_TOKEN: [u8; 8] = [0xC0; 8];

/// Everybody's keys and certificates.
pub(crate) struct Cast {
    pub(crate) chat_key: SigningKey,
    pub(crate) chat: ChatId,
    pub(crate) founder: SigningKey,
    pub(crate) invite: SigningKey,
    pub(crate) member: SigningKey,
    pub(crate) founders_session: BoxKeyPair,
    pub(crate) members_session: BoxKeyPair,
    pub(crate) gate: BoxKeyPair,
    pub(crate) charter: Charter,
    pub(crate) invite_certificate: InviteCertificate,
    pub(crate) admission: Admission,
    pub(crate) founders_chain: Chain,
    pub(crate) members_chain: Chain,
    pub(crate) topic: Fact,
    /// What the founder may say after the topic: that the member is banned.
    pub(crate) ban: Fact,
    pub(crate) square: Square,
}

impl Cast {
    pub(crate) fn new() -> Self {
        let key = |byte| SigningKey::from_seed([byte; 32]);
        let (chat_key, founder, invite, member) = (key(1), key(2), key(3), key(4));
        let (founders_session, members_session) =
            (BoxKeyPair::from_secret([5; 32]), BoxKeyPair::from_secret([6; 32]));
        let chat = ChatId(chat_key.public());
        let charter = Charter::sign(&chat_key, 0, NOON, MemberId(founder.public()), "Friends");
        let until_ms = NOON + 7 * DAY;
        let invite_certificate = InviteCertificate::sign(
            &chat_key,
            InviteId(invite.public()),
            1,
            Rights::Member,
            4,
            until_ms,
        );
        let admission = Admission::sign(&invite, &chat, MemberId(member.public()), 2, NOON + 60_000, 0);
        let session = |of: &SigningKey, session: &BoxKeyPair, start_ms| {
            SessionCertificate::sign(of, &chat, &session.client_id(), start_ms, 0)
        };
        let founders_chain = Chain {
            credential: Credential::Founder(charter.clone()),
            session: session(&founder, &founders_session, NOON + 1_000),
        };
        let members_chain = Chain {
            credential: Credential::Invited {
                invite: invite_certificate.clone(),
                admission: admission.clone(),
            },
            session: session(&member, &members_session, NOON + 61_000),
        };
        let place = Place {
            seq: 1,
            prev: [0; 16],
            epoch: 1,
        };
        let body = facts::Body::Topic {
            counter: 1,
            locked: false,
            text: "Tea at five".to_owned(),
        };
        let topic = Fact::sign(&founder, &chat, place, NOON + 30_000, body).unwrap();
        let ban = ban(&founder, &chat, &topic, &member, &members_session);
        Self {
            chat,
            topic,
            ban,
            gate: crypto::gate(&RENDEZVOUS, NOON / DAY),
            chat_key,
            founder,
            invite,
            member,
            founders_session,
            members_session,
            charter,
            invite_certificate,
            admission,
            founders_chain,
            members_chain,
            square: Square::new(),
        }
    }
}

fn ban(founder: &SigningKey, chat: &ChatId, topic: &Fact, member: &SigningKey, session: &BoxKeyPair) -> Fact {
    let place = Place {
        seq: 2,
        prev: topic.short_id(chat),
        epoch: 2,
    };
    let ban = facts::Ban {
        member: MemberId(member.public()),
        hide_all: false,
        with_invite: None,
        kept: vec![(session.client_id().0[..8].try_into().unwrap(), 1)],
        reason: "spam".to_owned(),
    };
    Fact::sign(founder, chat, place, NOON + 180_000, facts::Body::Ban(ban)).unwrap()
}

/// A public chat, and somebody who came in by its door and worked for it.
pub(crate) struct Square {
    pub(crate) chat_key: SigningKey,
    pub(crate) chat: ChatId,
    pub(crate) founder: SigningKey,
    pub(crate) charter: Charter,
    pub(crate) door: InviteKey,
    pub(crate) newcomer: SigningKey,
    pub(crate) admission: Admission,
}

impl Square {
    fn new() -> Self {
        let key = |byte| SigningKey::from_seed([byte; 32]);
        let (chat_key, founder, door, newcomer) = (key(8), key(9), key(10), key(11));
        let chat = ChatId(chat_key.public());
        let charter = Charter::sign(&chat_key, 1, NOON, MemberId(founder.public()), "The square");
        let door = InviteKey {
            kind: 1,
            chat,
            certificate: InviteCertificate::sign(&chat_key, InviteId(door.public()), 0, Rights::Member, 0, 0),
            secret: door,
            rendezvous: RENDEZVOUS,
            charter: Some(charter.clone()),
            addresses: vec![SeenAddress {
                address: "192.0.2.1:40000".parse().unwrap(),
                seen_ms: 0,
            }],
        };
        assert!(door.is_door());
        let (member, at_ms) = (MemberId(newcomer.public()), NOON + 60_000);
        let work = Search::new(&chat, &door.id(), &member, at_ms, WORK_BITS)
            .run(u64::MAX)
            .unwrap();
        let Credential::Invited { admission, .. } = door.admit_with_work(member, 3, at_ms, work) else {
            panic!("by the door one comes invited");
        };
        Self {
            chat_key,
            chat,
            founder,
            charter,
            door,
            newcomer,
            admission,
        }
    }
}

impl Cast {
    /// Of the one fact that there is.
    pub(crate) fn facts_root(&self) -> [u8; 32] {
        let mut facts = facts::FactSet::new(self.chat, &self.charter);
        facts.insert(self.topic.clone(), None).unwrap();
        facts.root()
    }
}

/// The member says its name, to those who have not met it.
pub(crate) fn introduction(cast: &Cast) -> Say {
    let signed = SignedSay {
        client_id: cast.members_session.client_id(),
        number: 1,
        hlc: (NOON + 62_500) << 16,
        after: [0; 8],
        body: Body::Name("Bea".to_owned()),
    };
    let signature = cast.member.sign("throng/1 say", &cast.chat, &signed.encode());
    Say {
        tree: 0,
        hops: 0,
        chain: Some(cast.members_chain.encode()),
        signed,
        signature,
    }
}

pub(crate) fn message(cast: &Cast) -> Say {
    let signed = SignedSay {
        client_id: cast.founders_session.client_id(),
        number: 2,
        hlc: (NOON + 63_000) << 16 | 1,
        after: [0; 8],
        body: Body::Message("Welcome, Bea — 你好".to_owned()),
    };
    let signature = cast.founder.sign("throng/1 say", &cast.chat, &signed.encode());
    Say {
        tree: 0,
        hops: 0,
        chain: None,
        signed,
        signature,
    }
}

/// The second of two fragments of a long message.
pub(crate) fn part(cast: &Cast) -> Say {
    let signed = SignedSay {
        client_id: cast.founders_session.client_id(),
        number: 4,
        hlc: (NOON + 64_000) << 16,
        after: [0; 8],
        body: Body::Part(Part {
            action: false,
            index: 1,
            count: 2,
            text: "and so on.".to_owned(),
        }),
    };
    let signature = cast.founder.sign("throng/1 say", &cast.chat, &signed.encode());
    Say {
        tree: 0,
        hops: 0,
        chain: None,
        signed,
        signature,
    }
}
