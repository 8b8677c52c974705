use super::{
    Broadcast, Facts, Hello, Keepalive, Link, MAX_PLAIN_LEN, PingId, Reader, Roster, RosterAsk, Say,
    SendNodes, TokenCounter, Welcome, WireError,
};

const GET_NODES: u8 = 48;
const SEND_NODES: u8 = 49;
const BROADCAST: u8 = 50;
const HELLO: u8 = 96;
const WELCOME: u8 = 97;
const LINK: u8 = 98;
const SAY: u8 = 99;
const KEEPALIVE: u8 = 104;
const FACTS: u8 = 105;
const ROSTER_ASK: u8 = 114;
const ROSTER: u8 = 115;
/// "Unknown kinds of 96–127 are dropped and counted, never an error" of the peer: a newer program may send them.
const EXTENSIONS: std::ops::RangeInclusive<u8> = 96..=127;

/// What is in the box of a datagram: a kind, and its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// 48: asks for nodes, and whether the peer is at this address.
    GetNodes {
        /// To be sent back.
        ping_id: PingId,
    },
    /// 49: answers it.
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
    /// 104.
    Keepalive(Keepalive),
    /// 105.
    Facts(Facts),
    /// 114.
    RosterAsk(RosterAsk),
    /// 115.
    Roster(Roster),
}

impl Packet {
    /// Reads what was in a datagram's box, all of it.
    ///
    /// # Errors
    /// It has not exactly the form of its kind, or the kind is not known.
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
            KEEPALIVE => Self::Keepalive(Keepalive::read(body)?),
            FACTS => Self::Facts(Facts::read(body)?),
            ROSTER_ASK => Self::RosterAsk(RosterAsk::read(body)?),
            ROSTER => Self::Roster(Roster::read(body)?),
            kind if EXTENSIONS.contains(&kind) => return Err(WireError::UnknownExtension),
            _ => return Err(WireError::UnknownKind),
        };
        reader.finish()?;
        Ok(packet)
    }

    /// The bytes to be sealed. Of values outside their bounds they are what a receiver refuses; and they are at
    /// most [`MAX_PLAIN_LEN`] only if the parts of free length are short enough.
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
            Self::Keepalive(body) => body.write(&mut out),
            Self::Facts(body) => body.write(&mut out),
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
            Self::Keepalive(_) => KEEPALIVE,
            Self::Facts(_) => FACTS,
            Self::RosterAsk(_) => ROSTER_ASK,
            Self::Roster(_) => ROSTER,
        }
    }

    /// Token and counter, of the kinds that go over a standing link and begin with them.
    pub fn token_counter(&self) -> Option<&TokenCounter> {
        match self {
            Self::Link(body) => Some(&body.t),
            Self::Keepalive(body) => Some(&body.t),
            Self::Facts(body) => Some(&body.t),
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

    /// How many bytes it will be, where that is many packets' matter; else enough for most.
    fn len_hint(&self) -> usize {
        match self {
            Self::Broadcast(body) => 1 + body.len(),
            Self::Say(body) => 1 + body.len(),
            Self::GetNodes { .. } => 9,
            _ => 128,
        }
    }
}
