use super::{InviteError, with_signature};
use crate::crypto::{self, Signature, SigningKey};
use crate::id::{ChatId, MemberId};
use crate::wire::{MAX_TOPIC_LEN, Reader};

const LABEL: &str = "throng/1 fact";
const TYPE: u8 = 5;
const SIGNATURE_LEN: usize = 64;

/// The signed fact that a chat's topic is this; of several the one of the greatest (counter, hash) holds. 133
/// bytes and the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicFact {
    /// Who set it.
    pub issuer: MemberId,
    /// Of the issuer's facts, from 1 on.
    pub seq: u32,
    /// The first 16 bytes of the hash of the issuer's fact before it; zeros: it is the first.
    pub prev: [u8; 16],
    /// The newest of the founder's facts that the issuer had seen; 0: none.
    pub epoch: u32,
    /// When, ms since 1970 by the issuer's clock. For display alone.
    pub at_ms: u64,
    /// One more than that of the topic it takes the place of.
    pub counter: u32,
    /// 0 to 512 bytes; empty: none.
    pub topic: String,
    /// By the issuer.
    pub signature: Signature,
}

impl TopicFact {
    /// Signs the fact: puts in the issuer and the signature, whatever stood there.
    pub fn sign(mut self, issuer: &SigningKey, chat: &ChatId) -> Self {
        self.issuer = MemberId(issuer.public());
        self.signature = issuer.sign(LABEL, chat, &self.body());
        self
    }

    /// The fact in bytes.
    pub fn encode(&self) -> Vec<u8> {
        with_signature(self.body(), &self.signature)
    }

    /// Reads what [`Self::encode`] wrote, all of it.
    ///
    /// # Errors
    /// [`InviteError::Damaged`], also for facts of other types.
    pub fn decode(bytes: &[u8]) -> Result<Self, InviteError> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != TYPE {
            return Err(InviteError::Damaged);
        }
        let issuer = MemberId(reader.array()?);
        let seq = reader.u32()?;
        let prev = reader.array()?;
        let epoch = reader.u32()?;
        let at_ms = reader.u64()?;
        let counter = reader.u32()?;
        let topic = std::str::from_utf8(reader.all_but(SIGNATURE_LEN)?).map_err(|_| InviteError::Damaged)?;
        if topic.len() > MAX_TOPIC_LEN {
            return Err(InviteError::Damaged);
        }
        let signature = reader.array()?;
        Ok(Self {
            issuer,
            seq,
            prev,
            epoch,
            at_ms,
            counter,
            topic: topic.to_owned(),
            signature,
        })
    }

    /// Whether its issuer signed it, for this chat.
    pub fn verify(&self, chat: &ChatId) -> bool {
        crypto::verify(&self.issuer.0, LABEL, chat, &self.body(), &self.signature)
    }

    /// Its id: the hash of what is signed.
    pub fn hash(&self, chat: &ChatId) -> [u8; 32] {
        crypto::hash_signed(LABEL, chat, &self.body())
    }

    fn body(&self) -> Vec<u8> {
        let mut body = vec![TYPE];
        body.extend_from_slice(&self.issuer.0);
        body.extend_from_slice(&self.seq.to_be_bytes());
        body.extend_from_slice(&self.prev);
        body.extend_from_slice(&self.epoch.to_be_bytes());
        body.extend_from_slice(&self.at_ms.to_be_bytes());
        body.extend_from_slice(&self.counter.to_be_bytes());
        body.extend_from_slice(self.topic.as_bytes());
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsigned(topic: &str) -> TopicFact {
        TopicFact {
            issuer: MemberId([0; 32]),
            seq: 1,
            prev: [0; 16],
            epoch: 0,
            at_ms: 5,
            counter: 1,
            topic: topic.to_owned(),
            signature: [0; 64],
        }
    }

    #[test]
    fn no_byte_of_a_fact_can_be_changed() {
        let chat = ChatId([7; 32]);
        let fact = unsigned("Tea at 5").sign(&SigningKey::from_seed([1; 32]), &chat);
        assert!(fact.verify(&chat));
        assert!(!fact.verify(&ChatId([8; 32])));
        let bytes = fact.encode();
        assert_eq!(bytes.len(), 133 + 8);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(
                !TopicFact::decode(&changed).is_ok_and(|fact| fact.verify(&chat)),
                "byte {at}"
            );
        }
    }

    #[test]
    fn a_topic_has_512_bytes_at_most_and_may_be_empty() {
        for (topic, fits) in [("", true), (&*"a".repeat(512), true), (&*"a".repeat(513), false)] {
            assert_eq!(
                TopicFact::decode(&unsigned(topic).encode()).is_ok(),
                fits,
                "{} bytes",
                topic.len()
            );
        }
    }
}
