use super::body::short;
use super::{Body, Fork, Malformed, ShortFactId};
use crate::crypto::{self, Signature, SigningKey};
use crate::id::{ChatId, FactId, MemberId};
use crate::wire::Reader;

/// The longest fact, in bytes: it goes whole into one packet, with the packet's own overhead.
pub const MAX_FACT_LEN: usize = 880;

const LABEL: &str = "throng/1 fact";
const FORK: u8 = 10;
const MEMBER_TOPIC: u8 = 14;
const SIGNATURE_LEN: usize = 64;

/// A signed fact: 129 bytes and its body (109 of a member's topic), at most [`MAX_FACT_LEN`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Who signed it; of a fork, who said the two things.
    pub issuer: MemberId,
    /// Where it stands.
    pub place: Place,
    /// When, ms since 1970 by the issuer's clock. For display alone.
    pub at_ms: u64,
    /// What it says.
    pub body: Body,
    /// By the issuer. Zeros in a fork, which is not signed as a whole and does not carry them.
    pub signature: Signature,
}

/// Where a fact stands: in its issuer's chain, and after which of the founder's. What is in no chain carries no seq and no
/// prev.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Of the issuer's facts, from 1 on; 0 for what is in no chain.
    pub seq: u32,
    /// The issuer's fact before it; zeros if it is the first or in no chain.
    pub prev: ShortFactId,
    /// How many of the founder's facts the issuer had seen; of a fact of the founder's, its own seq.
    pub epoch: u32,
}

impl Place {
    /// Of a member's topic.
    pub fn in_no_chain(epoch: u32) -> Self {
        Self {
            seq: 0,
            prev: [0; 16],
            epoch,
        }
    }
}

impl Fact {
    /// Signs a fact. Lists in the body are put in order.
    ///
    /// # Errors
    /// A body outside its bounds, or a place that such a body can't have.
    pub fn sign(
        issuer: &SigningKey,
        chat: &ChatId,
        place: Place,
        at_ms: u64,
        body: Body,
    ) -> Result<Self, Malformed> {
        let mut fact = Self {
            issuer: MemberId(issuer.public()),
            place,
            at_ms,
            body: body.in_order(),
            signature: [0; 64],
        };
        fact.signature = issuer.sign(LABEL, chat, &fact.signed());
        if Self::decode(&fact.encode())? == fact {
            Ok(fact)
        } else {
            Err(Malformed)
        }
    }

    /// The proof that a member said two things under one number.
    pub fn fork(member: MemberId, fork: Fork) -> Self {
        Self {
            issuer: member,
            place: Place::in_no_chain(0),
            at_ms: 0,
            body: Body::Fork(fork),
            signature: [0; 64],
        }
    }

    /// The fact in bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.signed();
        if !matches!(self.body, Body::Fork(_)) {
            bytes.extend_from_slice(&self.signature);
        }
        bytes
    }

    /// Reads what [`Self::encode`] wrote, all of it.
    ///
    /// # Errors
    /// What is no fact, of a type that is not known, or outside its bounds.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > MAX_FACT_LEN {
            return Err(Malformed);
        }
        let mut reader = Reader::new(bytes);
        let kind = reader.u8()?;
        let issuer = MemberId(reader.array()?);
        if kind == FORK {
            return Ok(Self::fork(issuer, Fork::read(reader.rest())?));
        }
        let place = if kind == MEMBER_TOPIC {
            Place::in_no_chain(reader.u32()?)
        } else {
            Place {
                seq: reader.u32()?,
                prev: reader.array()?,
                epoch: reader.u32()?,
            }
        };
        if place.seq == 0 && kind != MEMBER_TOPIC {
            return Err(Malformed);
        }
        let at_ms = reader.u64()?;
        let body = Body::read(kind, reader.all_but(SIGNATURE_LEN)?)?;
        let signature = reader.array()?;
        Ok(Self {
            issuer,
            place,
            at_ms,
            body,
            signature,
        })
    }

    /// Whether its issuer signed it, for this chat; of a fork, both says.
    pub fn verify(&self, chat: &ChatId) -> bool {
        match &self.body {
            Body::Fork(fork) => fork.verify(chat, &self.issuer),
            _ => crypto::verify(&self.issuer.0, LABEL, chat, &self.signed(), &self.signature),
        }
    }

    /// Its id: the hash of what is signed; of a fork, of all its bytes.
    pub fn id(&self, chat: &ChatId) -> FactId {
        FactId(crypto::hash_signed(LABEL, chat, &self.signed()))
    }

    /// By which other facts name it.
    pub fn short_id(&self, chat: &ChatId) -> ShortFactId {
        short(&self.id(chat))
    }

    fn signed(&self) -> Vec<u8> {
        let mut bytes = vec![self.body.kind()];
        bytes.extend_from_slice(&self.issuer.0);
        if !matches!(self.body, Body::Fork(_) | Body::MemberTopic { .. }) {
            bytes.extend_from_slice(&self.place.seq.to_be_bytes());
            bytes.extend_from_slice(&self.place.prev);
        }
        if !matches!(self.body, Body::Fork(_)) {
            bytes.extend_from_slice(&self.place.epoch.to_be_bytes());
            bytes.extend_from_slice(&self.at_ms.to_be_bytes());
        }
        self.body.write(&mut bytes);
        bytes
    }
}
