use super::{MAX_FACT_LEN, Malformed};
use crate::crypto::{self, Signature};
use crate::id::{ChatId, ClientId, MemberId};
use crate::wire::{MAX_SAY_DATA_LEN, Reader, saturated};

const SAY_LABEL: &str = "throng/1 say";

/// hlc 8, after 8, id 1: what a say has signed beside client_id, number and data.
const LEAST_REST_LEN: usize = 17;

/// Two says of one session under one number, both signed by its member. It proves itself, so nobody issues it. Says that
/// are too long to stand in one fact together (some 640 bytes of data) can't be proved so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// The session.
    pub client_id: ClientId,
    /// The number of both, not 0.
    pub number: u32,
    /// The two, by their bytes ascending.
    pub says: [ForkedSay; 2],
}

/// What was said, as far as it is not in both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ForkedSay {
    /// What was signed after client_id and number: hlc 8, after 8, id 1, data.
    pub rest: Vec<u8>,
    /// By the member.
    pub signature: Signature,
}

impl Fork {
    /// The proof by two says, each given as what was signed (client_id first) and the signature. None if they are not two
    /// of one session and number, or too long together.
    pub fn new(one: (&[u8], Signature), other: (&[u8], Signature)) -> Option<Self> {
        let (head, _) = one.0.split_at_checked(36)?;
        let says = [one, other].map(|(signed, signature)| {
            let rest = signed.strip_prefix(head)?.to_vec();
            Some(ForkedSay { rest, signature })
        });
        let [Some(one), Some(other)] = says else {
            return None;
        };
        let mut reader = Reader::new(head);
        let fork = Self {
            client_id: ClientId(reader.array().ok()?),
            number: reader.u32().ok()?,
            says: if one.rest < other.rest {
                [one, other]
            } else {
                [other, one]
            },
        };
        let mut bytes = Vec::new();
        fork.write(&mut bytes);
        (bytes.len() + 1 + 32 <= MAX_FACT_LEN && Self::read(&bytes).is_ok()).then_some(fork)
    }

    /// Whether the member signed both.
    pub fn verify(&self, chat: &ChatId, member: &MemberId) -> bool {
        self.says.iter().all(|say| {
            let mut signed = self.head();
            signed.extend_from_slice(&say.rest);
            crypto::verify(&member.0, SAY_LABEL, chat, &signed, &say.signature)
        })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.head());
        for say in &self.says {
            out.extend_from_slice(&saturated(say.rest.len(), u16::MAX).to_be_bytes());
            out.extend_from_slice(&say.rest);
            out.extend_from_slice(&say.signature);
        }
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let client_id = ClientId(reader.array()?);
        let number = reader.u32()?;
        let says = [read_say(&mut reader)?, read_say(&mut reader)?];
        reader.finish()?;
        if number == 0 || says[0].rest >= says[1].rest {
            return Err(Malformed);
        }
        Ok(Self {
            client_id,
            number,
            says,
        })
    }

    fn head(&self) -> Vec<u8> {
        let mut head = self.client_id.0.to_vec();
        head.extend_from_slice(&self.number.to_be_bytes());
        head
    }
}

fn read_say(reader: &mut Reader<'_>) -> Result<ForkedSay, Malformed> {
    let rest = reader.counted()?.to_vec();
    if !(LEAST_REST_LEN..=LEAST_REST_LEN + MAX_SAY_DATA_LEN).contains(&rest.len()) {
        return Err(Malformed);
    }
    Ok(ForkedSay {
        rest,
        signature: reader.array()?,
    })
}
