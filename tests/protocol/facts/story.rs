//! A story that makes a fact of each type, put together by hand from named parts.

use serde_json::{Value, json};
use throng::crypto::{self, SigningKey};
use throng::facts::{Ban, Body, Door, DoorMode, Fact, FactSet, HistoryRule, Place, Role};
use throng::id::{ClientId, MemberId};
use throng::invite::{Credential, Rights};

use super::people::{Cast, NOON, Person};
use crate::page::{Parts, hex, joined};

pub(super) const SALT: [u8; 8] = [0x5A; 8];

pub(super) const PEOPLE: [&str; 4] = ["founder", "bea", "max", "nina"];

/// A fact that was put together by hand.
pub(super) struct Known {
    pub(super) name: &'static str,
    pub(super) by: &'static str,
    pub(super) signed: Parts,
    pub(super) fact: Fact,
    pub(super) credential: Option<Credential>,
}

/// The founder makes Bea a moderator; who then does what, one fact of each type, and what contradicts it.
pub(super) struct Story {
    pub(super) cast: Cast,
    pub(super) bea: Person,
    pub(super) max: Person,
    pub(super) nina: Person,
    pub(super) facts: Vec<Known>,
}

/// Of whom, under which seq, after which fact, in which epoch.
pub(super) type At<'a> = (&'static str, u32, Option<&'a str>, u32);

impl Story {
    pub(super) fn new() -> Self {
        let cast = Cast::private();
        let mut story = Self {
            bea: cast.member(10),
            max: cast.person(20, 80, 2, 1, Rights::Member),
            nina: cast.person(21, 80, 2, 1, Rights::Member),
            cast,
            facts: Vec::new(),
        };
        story.founders();
        story.beas();
        story.members();
        story
    }

    pub(super) fn founders(&mut self) {
        let (bea, max) = (self.bea.id, self.max.id);
        let grant = |member, role, code, counter: u32| {
            let parts: Parts = vec![
                ("member", id(&member)),
                ("role", vec![code]),
                ("counter", counter.to_be_bytes().to_vec()),
            ];
            (
                parts,
                Body::Grant {
                    member,
                    role,
                    counter,
                },
            )
        };
        self.add(
            "grant",
            ("founder", 1, None, 1),
            grant(bea, Role::Moderator, 2, 1),
        );
        let parts: Parts = vec![
            ("counter", vec![0, 0, 0, 1]),
            ("mode", vec![3]),
            ("work bits", vec![20]),
            ("minutes", vec![0, 15]),
            ("rate", vec![0, 60]),
        ];
        let door = Door {
            mode: DoorMode::Approval,
            work_bits: 20,
            minutes: 15,
            rate: 60,
        };
        self.add(
            "door",
            ("founder", 2, Some("grant"), 2),
            (parts, Body::Door { counter: 1, door }),
        );
        self.add(
            "grant of observer",
            ("founder", 3, Some("door"), 3),
            grant(max, Role::Observer, 1, 1),
        );
        let parts: Parts = vec![("counter", vec![0, 0, 0, 1]), ("days", vec![0, 7])];
        let rule = HistoryRule::Days { days: 7 };
        self.add(
            "history rule",
            ("founder", 4, Some("grant of observer"), 4),
            (parts, Body::HistoryRule { counter: 1, rule }),
        );
    }

    pub(super) fn beas(&mut self) {
        let (max, nina) = (self.max.id, self.nina.id);
        let ban = |member: MemberId, reason: &str| Ban {
            member,
            hide_all: false,
            with_invite: None,
            kept: Vec::new(),
            reason: reason.to_owned(),
        };
        let full = Ban {
            hide_all: true,
            with_invite: Some(Cast::invite_id(90)),
            kept: vec![([0x11; 8], 7), ([0x22; 8], 0)],
            ..ban(nina, "spam")
        };
        let parts: Parts = vec![
            ("member", id(&nina)),
            ("flags", vec![3]),
            ("invite", Cast::invite_id(90).0.to_vec()),
            ("count", vec![2]),
            ("session", vec![0x11; 8]),
            ("last kept", vec![0, 0, 0, 7]),
            ("session", vec![0x22; 8]),
            ("last kept", vec![0; 4]),
            ("reason", b"spam".to_vec()),
        ];
        self.add("ban", ("bea", 1, None, 1), (parts, Body::Ban(full)));
        let parts: Parts = vec![
            ("member", id(&max)),
            ("flags", vec![0]),
            ("count", vec![0]),
            ("reason", "Nö".as_bytes().to_vec()),
        ];
        self.add(
            "second ban",
            ("bea", 2, Some("ban"), 1),
            (parts, Body::Ban(ban(max, "Nö"))),
        );
        let lifted = self.get("second ban").fact.short_id(&self.cast.chat);
        let parts: Parts = vec![("ban", lifted.to_vec())];
        self.add(
            "lift",
            ("bea", 3, Some("second ban"), 2),
            (parts, Body::Lift(vec![lifted])),
        );
        let topic = |text: &str| {
            let parts: Parts = vec![
                ("counter", vec![0, 0, 0, 1]),
                ("locked", vec![0]),
                ("text", text.as_bytes().to_vec()),
            ];
            let body = Body::Topic {
                counter: 1,
                locked: false,
                text: text.to_owned(),
            };
            (parts, body)
        };
        self.add("topic", ("bea", 4, Some("lift"), 3), topic("Tea at five"));
        let invite = Cast::invite_id(80);
        let parts: Parts = vec![
            ("invite", invite.0.to_vec()),
            ("count", vec![1]),
            ("slot", vec![0, 1]),
            ("member", id(&max)),
        ];
        let slots = vec![(1, max)];
        self.add(
            "confirm",
            ("bea", 5, Some("topic"), 3),
            (parts, Body::Confirm { invite, slots }),
        );
        let parts: Parts = vec![("invite", invite.0.to_vec())];
        self.add(
            "close",
            ("bea", 6, Some("confirm"), 3),
            (parts, Body::Close { invite }),
        );
        self.add(
            "other branch",
            ("bea", 4, Some("lift"), 3),
            topic("Coffee at five"),
        );
    }

    pub(super) fn members(&mut self) {
        let (invite, slot) = (Cast::invite_id(80), Some(1));
        let parts: Parts = vec![
            ("invite", invite.0.to_vec()),
            ("slot", vec![0, 1]),
            ("counter", vec![0, 0, 0, 2]),
            ("text", b"Cake!".to_vec()),
        ];
        let body = Body::MemberTopic {
            invite,
            slot,
            counter: 2,
            text: "Cake!".to_owned(),
        };
        self.add("member's topic", ("max", 0, None, 3), (parts, body));
        let root = self.set_of(&["grant", "door"]).root();
        let parts: Parts = vec![
            ("epoch", vec![0, 0, 0, 2]),
            ("root", root.to_vec()),
            ("count", vec![0, 0, 0, 2]),
        ];
        let body = Body::Checkpoint {
            epoch: 2,
            root,
            count: 2,
        };
        self.add(
            "checkpoint",
            ("founder", 5, Some("history rule"), 5),
            (parts, body),
        );
        let last_good = self.get("second ban").fact.short_id(&self.cast.chat);
        let member = self.bea.id;
        let parts: Parts = vec![
            ("member", id(&member)),
            ("last good seq", vec![0, 0, 0, 2]),
            ("last good", last_good.to_vec()),
        ];
        let body = Body::Demote {
            member,
            seq: 2,
            last_good,
        };
        self.add("demote", ("founder", 6, Some("checkpoint"), 6), (parts, body));
        self.add_fork();
    }

    /// Puts a fact together by hand; the library has to write the same, and to read it.
    pub(super) fn add(&mut self, name: &'static str, at: At<'_>, (parts, body): (Parts, Body)) {
        let (by, seq, after, epoch) = at;
        let author = self.person(by).clone();
        let prev = after.map_or([0; 16], |name| self.get(name).fact.short_id(&self.cast.chat));
        let mut signed: Parts = vec![("type", vec![body.kind()]), ("issuer", id(&author.id))];
        if seq > 0 {
            signed.push(("seq", seq.to_be_bytes().to_vec()));
            signed.push(("prev", prev.to_vec()));
        }
        signed.push(("epoch", epoch.to_be_bytes().to_vec()));
        signed.push(("at", NOON.to_be_bytes().to_vec()));
        signed.extend(parts);
        let fact = self.cast.sign(&author, Place { seq, prev, epoch }, body);
        let credential = (seq == 0).then(|| author.credential.clone());
        self.check(&author.key, &signed, &fact);
        self.facts.push(Known {
            name,
            by,
            signed,
            fact,
            credential,
        });
    }

    pub(super) fn check(&self, key: &SigningKey, signed: &Parts, fact: &Fact) {
        let signed = joined(signed);
        let signature = key.sign("throng/1 fact", &self.cast.chat, &signed);
        let bytes = [&signed[..], &signature].concat();
        assert_eq!(fact.encode(), bytes);
        assert_eq!(Fact::decode(&bytes).as_ref(), Ok(fact));
        let named = [b"throng/1 fact\0", &self.cast.chat.0[..], &signed].concat();
        assert_eq!(fact.id(&self.cast.chat).0, crypto::hash(&[&named]));
    }

    pub(super) fn add_fork(&mut self) {
        let fact = self.cast.fork(&self.nina, 6, 3, ["no", "yes"]);
        let session = ClientId([6; 32]);
        let mut signed: Parts = vec![
            ("type", vec![10]),
            ("member", id(&self.nina.id)),
            ("client_id", session.0.to_vec()),
            ("number", vec![0, 0, 0, 3]),
        ];
        for text in ["no", "yes"] {
            let rest = [&(NOON << 16).to_be_bytes()[..], &[0; 8], &[64], text.as_bytes()].concat();
            let said = [&session.0[..], &[0, 0, 0, 3], &rest].concat();
            let signature = self.nina.key.sign("throng/1 say", &self.cast.chat, &said);
            signed.push(("length", (rest.len() as u16).to_be_bytes().to_vec()));
            signed.push(("hlc, after, id, data", rest));
            signed.push(("signature", signature.to_vec()));
        }
        assert_eq!(fact.encode(), joined(&signed));
        self.facts.push(Known {
            name: "equivocation",
            by: "nina",
            signed,
            fact,
            credential: Some(self.nina.credential.clone()),
        });
    }

    pub(super) fn person(&self, name: &str) -> &Person {
        match name {
            "founder" => &self.cast.founder,
            "bea" => &self.bea,
            "max" => &self.max,
            _ => &self.nina,
        }
    }

    pub(super) fn get(&self, name: &str) -> &Known {
        self.facts.iter().find(|known| known.name == name).unwrap()
    }

    pub(super) fn set_of(&self, names: &[&str]) -> FactSet {
        let mut set = FactSet::new(self.cast.chat, &self.cast.charter);
        for name in names {
            let known = self.get(name);
            // Some of them are refused, or wait.
            let _ = set.insert(known.fact.clone(), known.credential.as_ref());
        }
        set
    }
}

pub(super) fn id(member: &MemberId) -> Vec<u8> {
    member.0.to_vec()
}

pub(super) fn parts_json(parts: &Parts) -> Value {
    parts
        .iter()
        .map(|(name, bytes)| json!([name, hex(bytes)]))
        .collect()
}
