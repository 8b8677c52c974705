//! A chat, the people in it, and sets of facts that learn of each other.

use throng::crypto::SigningKey;
use throng::facts::{
    Action, Admitted, Body, Denied, Fact, FactSet, Fork, Inserted, Place, Refused, Role, State, Summary,
};
use throng::id::{ChatId, ClientId, FactId, InviteId, MemberId};
use throng::invite::{Admission, Charter, Credential, InviteCertificate, Rights};
use throng::wire::{Body as SayBody, SignedSay};

/// 2 December 2026, noon UTC. What facts say of the time is for display, so one time does for all.
pub(crate) const NOON: u64 = 1_796_212_800_000;

/// Somebody with a key, and what admits them.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) key: SigningKey,
    pub(crate) id: MemberId,
    pub(crate) credential: Credential,
}

impl Person {
    pub(crate) fn admitted(&self) -> Admitted {
        Admitted::of(&self.credential)
    }
}

/// Everybody's keys, all from fixed seeds.
#[derive(Clone)]
pub(crate) struct Cast {
    pub(crate) chat_key: SigningKey,
    pub(crate) chat: ChatId,
    pub(crate) charter: Charter,
    pub(crate) founder: Person,
}

impl Cast {
    pub(crate) fn private() -> Self {
        Self::of_kind(0)
    }

    pub(crate) fn public() -> Self {
        Self::of_kind(1)
    }

    fn of_kind(kind: u8) -> Self {
        let chat_key = SigningKey::from_seed([1; 32]);
        let key = SigningKey::from_seed([2; 32]);
        let id = MemberId(key.public());
        let charter = Charter::sign(&chat_key, kind, NOON, id, "Friends");
        let credential = Credential::Founder(charter.clone());
        Self {
            chat: ChatId(chat_key.public()),
            chat_key,
            charter,
            founder: Person { key, id, credential },
        }
    }

    /// The key of an invite.
    pub(crate) fn invite(number: u8) -> SigningKey {
        SigningKey::from_seed([number; 32])
    }

    pub(crate) fn invite_id(number: u8) -> InviteId {
        InviteId(Self::invite(number).public())
    }

    /// Somebody who came by an invite of so many slots.
    pub(crate) fn person(&self, seed: u8, invite: u8, slots: u16, slot: u16, rights: Rights) -> Person {
        let key = SigningKey::from_seed([seed; 32]);
        let id = MemberId(key.public());
        let invite_key = Self::invite(invite);
        let credential = Credential::Invited {
            invite: InviteCertificate::sign(
                &self.chat_key,
                InviteId(invite_key.public()),
                u32::from(invite),
                rights,
                slots,
                0,
            ),
            admission: Admission::sign(&invite_key, &self.chat, id, slot, NOON, 0),
        };
        Person { key, id, credential }
    }

    /// A member who came by an invite of their own.
    pub(crate) fn member(&self, seed: u8) -> Person {
        self.person(seed, seed + 100, 1, 0, Rights::Member)
    }

    pub(crate) fn half(&self) -> Half {
        Half {
            cast: self.clone(),
            set: FactSet::new(self.chat, &self.charter),
        }
    }

    pub(crate) fn sign(&self, by: &Person, place: Place, body: Body) -> Fact {
        Fact::sign(&by.key, &self.chat, place, NOON, body).unwrap()
    }

    /// The proof that somebody said two things under one number.
    pub(crate) fn fork(&self, by: &Person, session: u8, number: u32, texts: [&str; 2]) -> Fact {
        let says = texts.map(|text| {
            let say = SignedSay {
                client_id: ClientId([session; 32]),
                number,
                hlc: NOON << 16,
                after: [0; 8],
                body: SayBody::Message(text.to_owned()),
            };
            let signed = say.encode();
            let signature = by.key.sign("throng/1 say", &self.chat, &signed);
            (signed, signature)
        });
        let [one, other] = &says;
        Fact::fork(by.id, Fork::new((&one.0, one.1), (&other.0, other.1)).unwrap())
    }
}

/// A part of a chat: those who have the same facts.
#[derive(Clone)]
pub(crate) struct Half {
    pub(crate) cast: Cast,
    pub(crate) set: FactSet,
}

impl Half {
    /// Does something, in the next place of one's chain; gives the fact.
    pub(crate) fn act(&mut self, by: &Person, body: Body) -> Fact {
        let place = self.set.next(&by.id).expect("they have a chain, and it goes on");
        self.act_at(by, place, body)
    }

    /// Does something in a place of one's choice.
    pub(crate) fn act_at(&mut self, by: &Person, place: Place, body: Body) -> Fact {
        let fact = self.cast.sign(by, place, body);
        self.take(&fact).unwrap();
        fact
    }

    pub(crate) fn take(&mut self, fact: &Fact) -> Result<Inserted, Refused> {
        self.set.insert(fact.clone(), None)
    }

    pub(crate) fn take_of(&mut self, fact: &Fact, of: &Person) -> Result<Inserted, Refused> {
        self.set.insert(fact.clone(), Some(&of.credential))
    }

    pub(crate) fn id(&self, fact: &Fact) -> FactId {
        fact.id(&self.cast.chat)
    }

    pub(crate) fn by_founder(&mut self, body: Body) -> Fact {
        self.act(&self.cast.founder.clone(), body)
    }

    pub(crate) fn grant(&mut self, to: &Person, role: Role) -> Fact {
        let founder = self.cast.founder.clone();
        self.grant_by(&founder, to, role)
    }

    pub(crate) fn grant_by(&mut self, by: &Person, to: &Person, role: Role) -> Fact {
        let counter = self.state().next_grant_counter(&to.id);
        let member = to.id;
        self.act(
            by,
            Body::Grant {
                member,
                role,
                counter,
            },
        )
    }

    /// The founder demotes a moderator; `good`: the last of their facts that counts.
    pub(crate) fn demote(&mut self, who: &Person, good: Option<&Fact>) -> Fact {
        let chat = self.cast.chat;
        self.by_founder(Body::Demote {
            member: who.id,
            seq: good.map_or(0, |fact| fact.place.seq),
            last_good: good.map_or([0; 16], |fact| fact.short_id(&chat)),
        })
    }

    pub(crate) fn ban(&mut self, by: &Person, whom: &Person) -> Fact {
        self.act(by, Body::Ban(ban_of(whom)))
    }

    pub(crate) fn lift(&mut self, by: &Person, ban: &Fact) -> Fact {
        let id = ban.short_id(&self.cast.chat);
        self.act(by, Body::Lift(vec![id]))
    }

    pub(crate) fn set_topic(&mut self, by: &Person, text: &str, locked: bool) -> Fact {
        let counter = self.state().next_topic_counter();
        let text = text.to_owned();
        self.act(
            by,
            Body::Topic {
                counter,
                locked,
                text,
            },
        )
    }

    /// An ordinary member's.
    pub(crate) fn set_members_topic(&mut self, by: &Person, text: &str) -> Fact {
        let counter = self.state().next_topic_counter();
        let fact = self.members_topic(by, self.set.epoch(), counter, text);
        self.take_of(&fact, by).unwrap();
        fact
    }

    pub(crate) fn members_topic(&self, by: &Person, epoch: u32, counter: u32, text: &str) -> Fact {
        let (invite, slot) = by.admitted().by.unwrap();
        let body = Body::MemberTopic {
            invite,
            slot,
            counter,
            text: text.to_owned(),
        };
        self.cast.sign(by, Place::in_no_chain(epoch), body)
    }

    pub(crate) fn state(&self) -> State {
        State::of(&self.set)
    }

    pub(crate) fn may(&self, who: &Person, action: Action) -> Result<(), Denied> {
        self.state().may(&who.admitted(), action)
    }

    pub(crate) fn role(&self, who: &Person) -> Role {
        self.state().role(&who.admitted())
    }

    pub(crate) fn is_banned(&self, who: &Person) -> bool {
        self.may(who, Action::Read) == Err(Denied::Banned)
    }

    pub(crate) fn topic(&self) -> Option<String> {
        self.state().topic().map(|topic| topic.text.clone())
    }
}

pub(crate) fn ban_of(whom: &Person) -> throng::facts::Ban {
    throng::facts::Ban {
        member: whom.id,
        hide_all: false,
        with_invite: None,
        kept: Vec::new(),
        reason: "spam".to_owned(),
    }
}

/// Tells `to` what it lacks of `from`, as over a link: by summaries and facts in bytes. Gives how many facts went over.
pub(crate) fn tell(from: &FactSet, to: &mut FactSet, salt: u64) -> usize {
    let mut told = 0;
    for summary in to.summary(salt.to_be_bytes()) {
        let bytes = summary.encode();
        assert!(bytes.len() <= throng::facts::MAX_SUMMARY_LEN);
        let summary = Summary::decode(&bytes).unwrap();
        for held in from.missing_for(&summary) {
            let credential = held.credential.as_ref().map(|bytes| {
                let (credential, rest) = Credential::decode(bytes).unwrap();
                assert!(rest.is_empty());
                credential
            });
            let fact = Fact::decode(&held.fact.encode()).unwrap();
            // What the other refuses it has reason to.
            let _ = to.insert(fact, credential.as_ref());
            told += 1;
        }
    }
    told
}

/// Both tell each other until they agree.
pub(crate) fn meet(one: &mut Half, other: &mut Half) {
    for salt in 0..8 {
        tell(&one.set, &mut other.set, salt);
        tell(&other.set, &mut one.set, salt);
        if one.set.root() == other.set.root() {
            assert_eq!(one.state(), other.state());
            return;
        }
    }
    panic!("they do not agree");
}
