//! The kinds from 96 on that signed chats add to the base protocol, except say, repair and history.

use std::net::SocketAddr;

use super::body::text;
use super::{MAX_NAME_LEN, NodeAddress, Reader, WireError, read_address, saturated, write_address};
use crate::id::ClientId;

/// The version of hello and welcome that we speak.
pub const VERSION: u8 = 1;

/// The most nodes in a welcome.
pub const MAX_WELCOME_NODES: usize = 2;

/// The most facts in one packet. A guess: a topic of 100 bytes makes a fact of 233, and three of those fill a
/// datagram.
pub const MAX_FACTS: usize = 8;

/// "T", the first 12 bytes of every packet between linked peers, except say. A reflected or replayed packet does not carry
/// a token and counter that fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenCounter {
    /// The token that the receiver gave the sender.
    pub token: [u8; 8],
    /// Counts the packets that the sender sent under this token, from 1.
    pub counter: u32,
}

impl TokenCounter {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.token);
        out.extend_from_slice(&self.counter.to_be_bytes());
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            token: reader.array()?,
            counter: reader.u32()?,
        })
    }
}

/// Kind 96: somebody wants to link to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// What the sender can do, a bit each; none is assigned.
    pub capabilities: u16,
    /// Random. The welcome carries it back.
    pub nonce: [u8; 16],
    /// The token under which the receiver will send.
    pub token: [u8; 8],
    /// The sender's clock, ms since 1970.
    pub time_ms: u64,
    /// The root of the facts that the sender holds; zeros: none.
    pub facts_root: [u8; 32],
    /// How many members the sender knows of.
    pub members: u32,
    /// The sender's nick, 0 to 128 bytes.
    pub nick: String,
    /// The certificates of the sender's session, as in [`crate::invite`].
    pub chain: Vec<u8>,
}

impl Hello {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        out.extend_from_slice(&self.capabilities.to_be_bytes());
        out.extend_from_slice(&self.nonce);
        out.extend_from_slice(&self.token);
        out.extend_from_slice(&self.time_ms.to_be_bytes());
        out.extend_from_slice(&self.facts_root);
        out.extend_from_slice(&self.members.to_be_bytes());
        out.push(saturated(self.nick.len(), u8::MAX));
        out.extend_from_slice(self.nick.as_bytes());
        out.extend_from_slice(&self.chain);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        check_version(reader)?;
        Ok(Self {
            capabilities: reader.u16()?,
            nonce: reader.array()?,
            token: reader.array()?,
            time_ms: reader.u64()?,
            facts_root: reader.array()?,
            members: reader.u32()?,
            nick: {
                let len = reader.u8()?;
                text(reader.slice(usize::from(len))?, 0, MAX_NAME_LEN)?
            },
            chain: reader.all_but(0)?.to_vec(),
        })
    }
}

/// Kind 97: a member's answer to a hello.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Welcome {
    /// What the sender can do, a bit each; none is assigned.
    pub capabilities: u16,
    /// The hello's.
    pub nonce: [u8; 16],
    /// The token under which the receiver will send.
    pub token: [u8; 8],
    /// The sender's clock, ms since 1970.
    pub time_ms: u64,
    /// The root of the facts that the sender holds; zeros: none.
    pub facts_root: [u8; 32],
    /// Where the hello came from, as the sender sees it.
    pub observed: SocketAddr,
    /// Slots of the hello's invite that are free as far as the sender knows; [`Welcome::NO_SLOT`] fills up.
    pub free_slots: [u16; 4],
    /// Whether the link is welcome, and if not, why.
    pub status: WelcomeStatus,
    /// With [`WelcomeStatus::Busy`]: the work that opens the door, in leading zero bits, 1 to [`Welcome::MAX_WORK_BITS`], or
    /// 0 if no work does and the newcomer should try again later. With any other status 0.
    pub work_bits: u8,
    /// The chat's charter, as in [`crate::invite`]; empty if not known, or left out.
    pub charter: Vec<u8>,
    /// The certificates of the sender's session, as in [`crate::invite`].
    pub chain: Vec<u8>,
    /// With [`WelcomeStatus::Banned`] the fact that bans, as in [`crate::facts`], so that the newcomer hears by whom and why.
    /// Otherwise empty.
    pub ban: Vec<u8>,
    /// 0 to 2 other nodes to try.
    pub nodes: Vec<NodeAddress>,
}

impl Welcome {
    /// Fills [`Welcome::free_slots`] where there is no free slot.
    pub const NO_SLOT: u16 = 0xFFFF;

    /// The most work that a door can ask for, in leading zero bits.
    pub const MAX_WORK_BITS: u8 = 32;

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        out.extend_from_slice(&self.capabilities.to_be_bytes());
        out.extend_from_slice(&self.nonce);
        out.extend_from_slice(&self.token);
        out.extend_from_slice(&self.time_ms.to_be_bytes());
        out.extend_from_slice(&self.facts_root);
        write_address(&self.observed, out);
        for slot in self.free_slots {
            out.extend_from_slice(&slot.to_be_bytes());
        }
        out.push(self.status as u8);
        out.push(self.work_bits);
        for part in [&self.charter, &self.chain, &self.ban] {
            out.extend_from_slice(&saturated(part.len(), u16::MAX).to_be_bytes());
            out.extend_from_slice(part);
        }
        for node in &self.nodes {
            node.write(out);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        check_version(reader)?;
        let welcome = Self {
            capabilities: reader.u16()?,
            nonce: reader.array()?,
            token: reader.array()?,
            time_ms: reader.u64()?,
            facts_root: reader.array()?,
            observed: read_address(reader)?,
            free_slots: [reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?],
            status: WelcomeStatus::read(reader)?,
            work_bits: reader.u8()?,
            charter: reader.counted()?.to_vec(),
            chain: reader.counted()?.to_vec(),
            ban: reader.counted()?.to_vec(),
            nodes: {
                let mut nodes = Vec::new();
                while !reader.is_empty() {
                    if nodes.len() == MAX_WELCOME_NODES {
                        return Err(WireError::TooManyNodes);
                    }
                    nodes.push(NodeAddress::read(reader)?);
                }
                nodes
            },
        };
        let most = match welcome.status {
            WelcomeStatus::Busy => Self::MAX_WORK_BITS,
            _ => 0,
        };
        if welcome.work_bits > most {
            return Err(WireError::UnknownValue);
        }
        Ok(welcome)
    }
}

/// A member's answer to a hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WelcomeStatus {
    /// Welcome: the link is up with the newcomer's answer.
    Linked = 0,
    /// We have all links that we can have. The nodes in the welcome may have room.
    Full = 1,
    /// The slot is another member's. `free_slots` may name others.
    Spent = 2,
    /// The invite was closed.
    Closed = 3,
    /// Banned.
    Banned = 4,
    /// Too many strangers ask at once: do the work, or try again later.
    Busy = 5,
    /// The sender asks too often.
    Slow = 6,
    /// The invite's time is over.
    Expired = 7,
    /// The certificate chain does not lead to the chat's key.
    Stranger = 8,
}

impl WelcomeStatus {
    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(match reader.u8()? {
            0 => Self::Linked,
            1 => Self::Full,
            2 => Self::Spent,
            3 => Self::Closed,
            4 => Self::Banned,
            5 => Self::Busy,
            6 => Self::Slow,
            7 => Self::Expired,
            8 => Self::Stranger,
            _ => return Err(WireError::UnknownValue),
        })
    }
}

/// Kind 98: opens or closes a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Token and counter.
    pub t: TokenCounter,
    /// Whether it opens or closes.
    pub op: LinkOp,
    /// Which tree it is about.
    pub tree: u8,
    /// Why; 0 if no reason is given.
    pub reason: u8,
}

impl Link {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.t.write(out);
        out.extend_from_slice(&[self.op as u8, self.tree, self.reason]);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            t: TokenCounter::read(reader)?,
            op: match reader.u8()? {
                0 => LinkOp::Close,
                1 => LinkOp::Open,
                _ => return Err(WireError::UnknownValue),
            },
            tree: reader.u8()?,
            reason: reader.u8()?,
        })
    }
}

/// What a [`Link`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkOp {
    /// The link is down.
    Close = 0,
    /// The link is up. The packet carries the token of a welcome, which proves its sender's address.
    Open = 1,
}

/// Kind 104: the sender is still there, and this is the state of what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keepalive {
    /// Token and counter.
    pub t: TokenCounter,
    /// To be sent back; 0 in an answer.
    pub echo: u64,
    /// In an answer, the `echo` that it answers; otherwise 0.
    pub echoed: u64,
    /// The root of the facts that the sender holds; zeros: none.
    pub facts_root: [u8; 32],
    /// The fingerprint of the sender's roster.
    pub roster: [u8; 16],
}

impl Keepalive {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.t.write(out);
        out.extend_from_slice(&self.echo.to_be_bytes());
        out.extend_from_slice(&self.echoed.to_be_bytes());
        out.extend_from_slice(&self.facts_root);
        out.extend_from_slice(&self.roster);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            t: TokenCounter::read(reader)?,
            echo: reader.u64()?,
            echoed: reader.u64()?,
            facts_root: reader.array()?,
            roster: reader.array()?,
        })
    }
}

/// Kind 105: whole signed facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Token and counter.
    pub t: TokenCounter,
    /// 1 to 8 of them, none empty; what is in them is [`crate::invite`]'s to read.
    pub facts: Vec<Vec<u8>>,
}

impl Facts {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.t.write(out);
        for fact in &self.facts {
            out.extend_from_slice(&saturated(fact.len(), u16::MAX).to_be_bytes());
            out.extend_from_slice(fact);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let t = TokenCounter::read(reader)?;
        let mut facts = Vec::new();
        while !reader.is_empty() {
            let fact = reader.counted()?;
            if fact.is_empty() || facts.len() == MAX_FACTS {
                return Err(WireError::FactCount);
            }
            facts.push(fact.to_vec());
        }
        if facts.is_empty() {
            Err(WireError::FactCount)
        } else {
            Ok(Self { t, facts })
        }
    }
}

/// Kind 106: which facts the sender has, so that it is sent those that it lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactsAsk {
    /// Token and counter.
    pub t: TokenCounter,
    /// A summary, as in [`crate::facts`], at most 880 bytes.
    pub summary: Vec<u8>,
}

impl FactsAsk {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.t.write(out);
        out.extend_from_slice(&self.summary);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            t: TokenCounter::read(reader)?,
            summary: reader.all_but(0)?.to_vec(),
        })
    }
}

/// A session in [`RosterAsk::known`]: the first 4 bytes of a hash of the token and its client_id, then the last byte of
/// the number of its last name, and of its last status.
pub type ShortSessionState = [u8; 6];

/// How many sessions one [`RosterAsk`] can name: as many as fit into a datagram.
pub const MAX_KNOWN_SESSIONS: usize = 140;

/// Kind 114: who is online? Asks for the first sessions above `after` up to `to`, in the order of their client_ids, except
/// those that the asker knows as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterAsk {
    /// Token and counter.
    pub t: TokenCounter,
    /// The last client_id that was asked for before; zeros to begin.
    pub after: ClientId,
    /// The last client_id that is asked for now; ones for all of the rest.
    pub to: ClientId,
    /// All sessions between the two that the asker knows to be live and has a nick for, at most [`MAX_KNOWN_SESSIONS`].
    pub known: Vec<ShortSessionState>,
}

impl RosterAsk {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.t.write(out);
        out.extend_from_slice(&self.after.0);
        out.extend_from_slice(&self.to.0);
        out.extend(self.known.iter().flatten());
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let (t, after, to) = (
            TokenCounter::read(reader)?,
            ClientId(reader.array()?),
            ClientId(reader.array()?),
        );
        let mut known = Vec::new();
        while !reader.is_empty() {
            if known.len() >= MAX_KNOWN_SESSIONS {
                return Err(WireError::UnknownValue);
            }
            known.push(reader.array()?);
        }
        Ok(Self { t, after, to, known })
    }
}

/// Kind 115: the end of a page. The says that introduce its sessions came before it, as kind 99.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    /// Token and counter.
    pub t: TokenCounter,
    /// The greatest client_id that the page tells of.
    pub last: ClientId,
    /// Whether there are greater ones.
    pub more: bool,
    /// Indices into [`RosterAsk::known`], ascending, of sessions that the answering node knows to be over.
    pub gone: Vec<u8>,
}

impl Roster {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.t.write(out);
        out.extend_from_slice(&self.last.0);
        out.push(u8::from(self.more));
        out.extend_from_slice(&self.gone);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let roster = Self {
            t: TokenCounter::read(reader)?,
            last: ClientId(reader.array()?),
            more: match reader.u8()? {
                0 => false,
                1 => true,
                _ => return Err(WireError::UnknownValue),
            },
            gone: reader.slice(reader.len())?.to_vec(),
        };
        let is_ascending = roster.gone.is_sorted_by(|one, next| one < next);
        let is_of_known = roster.gone.iter().all(|at| usize::from(*at) < MAX_KNOWN_SESSIONS);
        match is_ascending && is_of_known {
            true => Ok(roster),
            false => Err(WireError::UnknownValue),
        }
    }
}

/// Kind 113: a say of the receiver's came too fast and was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slow {
    /// Token and counter.
    pub t: TokenCounter,
    /// The first 16 bytes of the refused say's id.
    pub refused: [u8; 16],
    /// After how many ms it can be said again.
    pub wait_ms: u32,
}

impl Slow {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.t.write(out);
        out.extend_from_slice(&self.refused);
        out.extend_from_slice(&self.wait_ms.to_be_bytes());
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            t: TokenCounter::read(reader)?,
            refused: reader.array()?,
            wait_ms: reader.u32()?,
        })
    }
}

fn check_version(reader: &mut Reader<'_>) -> Result<(), WireError> {
    if reader.u8()? == VERSION {
        Ok(())
    } else {
        Err(WireError::Version)
    }
}
