use super::{
    Broadcast, Digest, Facts, FactsAsk, Hello, History, HistoryAsk, Keepalive, Link, MAX_PLAIN_LEN, NotHeld,
    PingId, Reader, Roster, RosterAsk, Say, SendNodes, Slow, TokenCounter, Want, Welcome, WireError,
};

const GET_NODES: u8 = 48;
const SEND_NODES: u8 = 49;
const BROADCAST: u8 = 50;
const HELLO: u8 = 96;
const WELCOME: u8 = 97;
const LINK: u8 = 98;
const SAY: u8 = 99;
const DIGEST: u8 = 101;
const WANT: u8 = 102;
const NOT_HELD: u8 = 103;
const KEEPALIVE: u8 = 104;
const FACTS: u8 = 105;
const FACTS_ASK: u8 = 106;
const HISTORY_ASK: u8 = 107;
const HISTORY: u8 = 108;
const SLOW: u8 = 113;
const ROSTER_ASK: u8 = 114;
const ROSTER: u8 = 115;
/// Unknown kinds in this range are dropped and counted, and are no error of the peer: a newer program may send them.
const EXTENSIONS: std::ops::RangeInclusive<u8> = 96..=127;

/// The content of a datagram's box: a kind and its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// 48: asks for nodes, and so whether the peer is at this address.
    GetNodes {
        /// To be sent back.
        ping_id: PingId,
    },
    /// 49: answers get_nodes.
    SendNodes(SendNodes),
    /// 50: data to everyone.
    Broadcast(Broadcast),
    /// 96.
    Hello(Hello),
    /// 97.
    Welcome(Welcome),
    /// 98.
    Link(Link),
    /// 99.
    Say(Say),
    /// 101.
    Digest(Digest),
    /// 102.
    Want(Want),
    /// 103.
    NotHeld(NotHeld),
    /// 104.
    Keepalive(Keepalive),
    /// 105.
    Facts(Facts),
    /// 106.
    FactsAsk(FactsAsk),
    /// 107.
    HistoryAsk(HistoryAsk),
    /// 108.
    History(History),
    /// 113.
    Slow(Slow),
    /// 114.
    RosterAsk(RosterAsk),
    /// 115.
    Roster(Roster),
}

impl Packet {
    /// Reads the whole content of a datagram's box.
    ///
    /// # Errors
    /// It does not have exactly the form of its kind, or the kind is unknown.
    pub fn decode(plain: &[u8]) -> Result<Self, WireError> {
        if plain.len() > MAX_PLAIN_LEN {
            return Err(WireError::DatagramTooLong);
        }
        let mut reader = Reader::new(plain);
        let body = &mut reader;
        let packet = match body.u8().map_err(|_| WireError::EmptyBox)? {
            GET_NODES => Self::GetNodes {
                ping_id: body.array()?,
            },
            SEND_NODES => Self::SendNodes(SendNodes::read(body)?),
            BROADCAST => Self::Broadcast(Broadcast::read(body)?),
            HELLO => Self::Hello(Hello::read(body)?),
            WELCOME => Self::Welcome(Welcome::read(body)?),
            LINK => Self::Link(Link::read(body)?),
            SAY => Self::Say(Say::read(body)?),
            DIGEST => Self::Digest(Digest::read(body)?),
            WANT => Self::Want(Want::read(body)?),
            NOT_HELD => Self::NotHeld(NotHeld::read(body)?),
            KEEPALIVE => Self::Keepalive(Keepalive::read(body)?),
            FACTS => Self::Facts(Facts::read(body)?),
            FACTS_ASK => Self::FactsAsk(FactsAsk::read(body)?),
            HISTORY_ASK => Self::HistoryAsk(HistoryAsk::read(body)?),
            HISTORY => Self::History(History::read(body)?),
            SLOW => Self::Slow(Slow::read(body)?),
            ROSTER_ASK => Self::RosterAsk(RosterAsk::read(body)?),
            ROSTER => Self::Roster(Roster::read(body)?),
            kind if EXTENSIONS.contains(&kind) => return Err(WireError::UnknownExtension),
            _ => return Err(WireError::UnknownKind),
        };
        reader.finish()?;
        Ok(packet)
    }

    /// The bytes to be sealed. Values outside their bounds give bytes that receivers refuse. They are at most
    /// [`MAX_PLAIN_LEN`] only if the fields of variable length are short enough.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.len_hint());
        out.push(self.kind());
        match self {
            Self::GetNodes { ping_id } => out.extend_from_slice(ping_id),
            Self::SendNodes(body) => body.write(&mut out),
            Self::Broadcast(body) => body.write(&mut out),
            Self::Hello(body) => body.write(&mut out),
            Self::Welcome(body) => body.write(&mut out),
            Self::Link(body) => body.write(&mut out),
            Self::Say(body) => body.write(&mut out),
            Self::Digest(body) => body.write(&mut out),
            Self::Want(body) => body.write(&mut out),
            Self::NotHeld(body) => body.write(&mut out),
            Self::Keepalive(body) => body.write(&mut out),
            Self::Facts(body) => body.write(&mut out),
            Self::FactsAsk(body) => body.write(&mut out),
            Self::HistoryAsk(body) => body.write(&mut out),
            Self::History(body) => body.write(&mut out),
            Self::Slow(body) => body.write(&mut out),
            Self::RosterAsk(body) => body.write(&mut out),
            Self::Roster(body) => body.write(&mut out),
        }
        out
    }

    /// The first byte.
    pub fn kind(&self) -> u8 {
        match self {
            Self::GetNodes { .. } => GET_NODES,
            Self::SendNodes(_) => SEND_NODES,
            Self::Broadcast(_) => BROADCAST,
            Self::Hello(_) => HELLO,
            Self::Welcome(_) => WELCOME,
            Self::Link(_) => LINK,
            Self::Say(_) => SAY,
            Self::Digest(_) => DIGEST,
            Self::Want(_) => WANT,
            Self::NotHeld(_) => NOT_HELD,
            Self::Keepalive(_) => KEEPALIVE,
            Self::Facts(_) => FACTS,
            Self::FactsAsk(_) => FACTS_ASK,
            Self::HistoryAsk(_) => HISTORY_ASK,
            Self::History(_) => HISTORY,
            Self::Slow(_) => SLOW,
            Self::RosterAsk(_) => ROSTER_ASK,
            Self::Roster(_) => ROSTER,
        }
    }

    /// Token and counter, if the kind goes over a link and begins with them.
    pub fn token_counter(&self) -> Option<&TokenCounter> {
        match self {
            Self::Link(body) => Some(&body.t),
            Self::Digest(body) => Some(&body.t),
            Self::Want(body) => Some(&body.t),
            Self::NotHeld(body) => Some(&body.t),
            Self::Keepalive(body) => Some(&body.t),
            Self::Facts(body) => Some(&body.t),
            Self::FactsAsk(body) => Some(&body.t),
            Self::HistoryAsk(body) => Some(&body.t),
            Self::History(body) => Some(&body.t),
            Self::Slow(body) => Some(&body.t),
            Self::RosterAsk(body) => Some(&body.t),
            Self::Roster(body) => Some(&body.t),
            Self::GetNodes { .. }
            | Self::SendNodes(_)
            | Self::Broadcast(_)
            | Self::Hello(_)
            | Self::Welcome(_)
            | Self::Say(_) => None,
        }
    }

    /// A capacity for the encoded bytes: exact for the most frequent kinds, enough for most of the others.
    fn len_hint(&self) -> usize {
        match self {
            Self::Broadcast(body) => 1 + body.len(),
            Self::Say(body) => 1 + body.len(),
            Self::GetNodes { .. } => 9,
            _ => 128,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ClientId;
    use crate::wire::{Body, MAX_BROADCAST_DATA_LEN, MAX_SAY_DATA_LEN, SignedSay};

    fn refusal(parts: &[&[u8]]) -> WireError {
        Packet::decode(&parts.concat()).expect_err("it has not the form of its kind")
    }

    #[test]
    fn every_fault_has_its_own_cause() {
        let t = [0; 12];
        let origin = [[1; 32].as_slice(), &[0, 0, 0, 1]].concat();
        let nodes = |bytes: &[u8]| refusal(&[&[SEND_NODES], &[0; 8], &[0; 32], bytes]);
        let broadcast = |bytes: &[u8]| refusal(&[&[BROADCAST], &origin, bytes]);
        let say =
            |flags: u8, bytes: &[u8]| refusal(&[&[SAY, flags, 0, 0], &origin, &[0; 16], bytes, &[0; 64]]);

        assert_eq!(refusal(&[]), WireError::EmptyBox);
        assert_eq!(refusal(&[&[47]]), WireError::UnknownKind);
        assert_eq!(refusal(&[&[128]]), WireError::UnknownKind);
        assert_eq!(refusal(&[&[100]]), WireError::UnknownExtension);
        assert_eq!(
            refusal(&[&[GET_NODES; MAX_PLAIN_LEN + 1]]),
            WireError::DatagramTooLong
        );
        assert_eq!(refusal(&[&[GET_NODES; 8]]), WireError::TooShort);
        assert_eq!(refusal(&[&[GET_NODES; 10]]), WireError::TooLong);
        assert_eq!(nodes(&[3; 19]), WireError::AddressFamily);
        assert_eq!(
            nodes(&[2; 19]),
            WireError::Padding,
            "after an IPv4 address, long form"
        );
        assert_eq!(nodes(&[2; 8]), WireError::Padding, "short form");
        assert_eq!(nodes(&[2; 9]), WireError::RaggedNodes);
        assert_eq!(
            refusal(&[&[SEND_NODES], &[0; 8 + 7 * 40]]),
            WireError::TooManyNodes
        );
        assert_eq!(
            refusal(&[&[BROADCAST], &[1; 32], &[0; 4], &[0]]),
            WireError::NumberZero
        );
        assert_eq!(broadcast(&[1]), WireError::UnknownBody);
        assert_eq!(
            broadcast(&[[25].as_slice(), &[0; 32]].concat()),
            WireError::UnknownBody,
            "gone"
        );
        assert_eq!(broadcast(&[66]), WireError::UnknownBody);
        assert_eq!(broadcast(&[49, 3]), WireError::Status);
        assert_eq!(broadcast(&[64]), WireError::TextLen);
        assert_eq!(broadcast(&[64, 0xFF]), WireError::NotUtf8);
        assert_eq!(
            broadcast(&[[18].as_slice(), &[b'x'; 513]].concat()),
            WireError::TextLen
        );
        assert_eq!(say(0, &[18]), WireError::NotInSigned);
        assert_eq!(say(0, &[63, b'x']), WireError::NotInSigned);
        assert_eq!(say(0, &[192]), WireError::UnknownBody);
        assert_eq!(say(2, &[0]), WireError::UnknownValue, "unassigned flag");
        assert_eq!(refusal(&[&[HELLO, 2], &[0; 71]]), WireError::Version);
        assert_eq!(refusal(&[&[WELCOME, 2], &[0; 90]]), WireError::Version);
        for (status, bits) in [(0, 1), (5, 33)] {
            let welcome = [
                [1].as_slice(),
                &[0; 66],
                &[2; 1],
                &[0; 18],
                &[0; 8],
                &[status, bits],
            ]
            .concat();
            assert_eq!(
                refusal(&[&[WELCOME], &welcome, &[0; 6]]),
                WireError::UnknownValue,
                "work that nobody may ask for"
            );
        }
        assert_eq!(refusal(&[&[LINK], &t, &[2, 0, 0]]), WireError::UnknownValue);
        assert_eq!(refusal(&[&[FACTS], &t]), WireError::FactCount);
        assert_eq!(refusal(&[&[FACTS], &t, &[0, 0]]), WireError::FactCount);
        assert_eq!(
            refusal(&[&[FACTS], &t, &[0, 1, 5].repeat(9)]),
            WireError::FactCount
        );
        assert_eq!(refusal(&[&[ROSTER], &t, &[0; 32], &[2]]), WireError::UnknownValue);
        let seq = [0, 0, 0, 1];
        assert_eq!(refusal(&[&[DIGEST], &t, &seq, &[0, 0]]), WireError::ItemCount);
        assert_eq!(
            refusal(&[&[DIGEST], &t, &[0; 4], &[1], &[7; 6], &[0]]),
            WireError::NumberZero
        );
        assert_eq!(
            refusal(&[&[DIGEST], &t, &seq, &[65], &[7; 65 * 6], &[0]]),
            WireError::ItemCount
        );
        assert_eq!(
            refusal(&[&[WANT], &t, &[0; 4], &[1], &[7; 6], &[0]]),
            WireError::ItemCount,
            "ids are those of a digest"
        );
        let range = |first: u32, last: u32| {
            let numbers = [first.to_be_bytes(), last.to_be_bytes()].concat();
            refusal(&[&[WANT], &t, &[0; 4], &[0, 1], &[1; 32], &numbers])
        };
        assert_eq!(range(0, 3), WireError::NumberZero);
        assert_eq!(range(5, 4), WireError::UnknownValue);
        assert_eq!(range(5, 69), WireError::UnknownValue, "65 numbers");
        assert_eq!(refusal(&[&[NOT_HELD], &t, &[0, 0]]), WireError::ItemCount);
    }

    #[test]
    fn the_longest_texts_fill_a_datagram() {
        let client_id = ClientId([1; 32]);
        let text = |len| Body::Message("x".repeat(len));
        let broadcast = |len| {
            Packet::Broadcast(Broadcast {
                origin: client_id,
                number: 1,
                body: text(len),
            })
        };
        assert_eq!(broadcast(MAX_BROADCAST_DATA_LEN).encode().len(), MAX_PLAIN_LEN);
        let signed = |len| SignedSay {
            client_id,
            number: 1,
            hlc: 0,
            after: [0; 8],
            body: text(len),
        };
        let say = |len| {
            Packet::Say(Say {
                tree: 0,
                hops: 0,
                chain: None,
                signed: signed(len),
                signature: [0; 64],
            })
        };
        assert_eq!(say(MAX_SAY_DATA_LEN).encode().len(), MAX_PLAIN_LEN);
    }

    #[test]
    fn values_out_of_bounds_encode_to_what_nobody_takes() {
        let client_id = ClientId([1; 32]);
        let nick = "x".repeat(300);
        let body = Body::Name(nick.clone());
        let packets = [
            Packet::Broadcast(Broadcast {
                origin: client_id,
                number: 1,
                body,
            }),
            Packet::Broadcast(Broadcast {
                origin: client_id,
                number: 0,
                body: Body::Ping,
            }),
            Packet::Hello(Hello {
                capabilities: 0,
                nonce: [0; 16],
                token: [0; 8],
                time_ms: 0,
                facts_root: [0; 32],
                members: 0,
                nick,
                chain: Vec::new(),
            }),
            Packet::Facts(Facts {
                t: TokenCounter {
                    token: [0; 8],
                    counter: 0,
                },
                facts: vec![vec![0; 70_000]],
            }),
        ];
        for packet in packets {
            assert!(Packet::decode(&packet.encode()).is_err(), "{packet:?}");
        }
    }
}
