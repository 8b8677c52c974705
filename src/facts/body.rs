use serde::{Deserialize, Serialize};

use super::{Fork, Malformed, Role};
use crate::id::{FactId, InviteId, MemberId};
use crate::wire::{MAX_TOPIC_LEN, Reader, saturated};

/// The longest reason of a ban, in bytes.
pub const MAX_BAN_REASON_LEN: usize = 100;

/// Of how many sessions a ban can say how far their words are kept. A session lasts a day at most.
pub const MAX_BAN_SESSIONS: usize = 8;

/// Bans lifted by one fact.
pub const MAX_LIFTS: usize = 16;

/// Slots confirmed by one fact.
pub const MAX_CONFIRM_SLOTS: usize = 20;

/// The most work that a door can ask for, in leading zero bits. 2^32 tries take a computer some
/// minutes (88 ns each, measured): more would close the door. A guess.
pub const MAX_WORK_BITS: u8 = 32;

/// The first 16 bytes of a fact's id, by which other facts name it.
pub type ShortFactId = [u8; 16];

const HIDE_ALL: u8 = 1;
const WITH_INVITE: u8 = 2;

/// Stands for the slot of who came by an invite without slots, of which an invite never has so many.
const NO_SLOT: u16 = u16::MAX;

/// What of the past newcomers get: the founder's to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum HistoryRule {
    /// All that anybody has.
    #[default]
    All,
    /// What was said in so many days before they came.
    Days {
        /// 1 to 65,534.
        days: u16,
    },
    /// What is said from then on.
    FromJoining,
}

/// What a fact says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// 1: a member's role is this: moderator (from now on), member or observer.
    Grant {
        /// Whose.
        member: MemberId,
        /// Not founder.
        role: Role,
        /// One more than that of the grant it takes the place of.
        counter: u32,
    },
    /// 2: a moderator is one no more. What they did after the last good fact does not count.
    Demote {
        /// Who.
        member: MemberId,
        /// Number of the last of their facts that counts, 0: none.
        seq: u32,
        /// That fact; zeros for none.
        last_good: ShortFactId,
    },
    /// 3: a member is banned.
    Ban(Ban),
    /// 4: these bans hold no more. 1 to [`MAX_LIFTS`], ascending.
    Lift(Vec<ShortFactId>),
    /// 5: the topic, set by the founder or a moderator.
    Topic {
        /// One more than that of the topic it takes the place of.
        counter: u32,
        /// Whether members may not set another.
        locked: bool,
        /// 0 to 512 bytes; empty: none.
        text: String,
    },
    /// 6: these slots of an invite are these members', for good. 1 to [`MAX_CONFIRM_SLOTS`], by slot.
    Confirm {
        /// Of which invite.
        invite: InviteId,
        /// Slot and member.
        slots: Vec<(u16, MemberId)>,
    },
    /// 7: an invite is closed: of those who came by its slots only the confirmed stay.
    Close {
        /// Which.
        invite: InviteId,
    },
    /// 8: how strangers come in.
    Door {
        /// One more than that of the door it takes the place of.
        counter: u32,
        /// How.
        door: Door,
    },
    /// 15: what of the past newcomers get.
    HistoryRule {
        /// One more than that of the rule it takes the place of.
        counter: u32,
        /// What they get.
        rule: HistoryRule,
    },
    /// 9: the founder vouches for the set of facts that had this root, up to an epoch. It changes nothing; it
    /// is there for programs that will leave out what came before it.
    Checkpoint {
        /// Up to which of the founder's facts.
        epoch: u32,
        /// The root of the set.
        root: [u8; 32],
        /// How many facts were in it.
        count: u32,
    },
    /// 10: a member said two things under one number.
    Fork(Fork),
    /// 14: the topic, set by a member. It stands in no chain; of each member one is kept.
    MemberTopic {
        /// The invite by which they came.
        invite: InviteId,
        /// Under which slot; none if the invite has no slots.
        slot: Option<u16>,
        /// One more than that of the topic it takes the place of.
        counter: u32,
        /// 0 to 512 bytes; empty: none.
        text: String,
    },
}

/// A ban.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// Who is banned.
    pub member: MemberId,
    /// Whether none of their words are shown any more.
    pub hide_all: bool,
    /// The invite that is closed with it, and all who came by it banned.
    pub with_invite: Option<InviteId>,
    /// Sessions, by the first 8 bytes of their client_id, ascending, with the last number of theirs that is kept. What
    /// they said in other sessions is hidden. Up to [`MAX_BAN_SESSIONS`].
    pub kept: Vec<([u8; 8], u32)>,
    /// Up to 100 bytes.
    pub reason: String,
}

/// How strangers come into a public chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Door {
    /// What is asked of them.
    pub mode: DoorMode,
    /// Proof of work in leading zero bits, at most [`MAX_WORK_BITS`].
    #[serde(default)]
    pub work_bits: u8,
    /// How long newcomers only read, in minutes.
    #[serde(default)]
    pub minutes: u16,
    /// Messages a minute that a member may say; 0: as usual.
    #[serde(default)]
    pub rate: u16,
}

impl Door {
    /// What holds as long as nobody has set another.
    pub const OPEN: Self = Self {
        mode: DoorMode::Open,
        work_bits: 0,
        minutes: 0,
        rate: 0,
    };
}

/// What a door asks of who comes in by an invite without slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoorMode {
    /// Nothing.
    Open = 0,
    /// Proof of work.
    Work = 1,
    /// To read only, for the first minutes.
    ReadFirst = 2,
    /// To read only, until a grant names them.
    Approval = 3,
    /// To stay outside.
    Closed = 4,
}

impl Body {
    /// The type's number.
    pub fn kind(&self) -> u8 {
        match self {
            Self::Grant { .. } => 1,
            Self::Demote { .. } => 2,
            Self::Ban(_) => 3,
            Self::Lift(_) => 4,
            Self::Topic { .. } => 5,
            Self::Confirm { .. } => 6,
            Self::Close { .. } => 7,
            Self::Door { .. } => 8,
            Self::Checkpoint { .. } => 9,
            Self::Fork(_) => 10,
            Self::MemberTopic { .. } => 14,
            Self::HistoryRule { .. } => 15,
        }
    }

    /// Lists in their one order, without doubles.
    pub(super) fn in_order(mut self) -> Self {
        match &mut self {
            Self::Ban(ban) => {
                ban.kept.sort_unstable();
                ban.kept.dedup_by_key(|(session, _)| *session);
            }
            Self::Lift(bans) => {
                bans.sort_unstable();
                bans.dedup();
            }
            Self::Confirm { slots, .. } => {
                slots.sort_unstable();
                slots.dedup_by_key(|(slot, _)| *slot);
            }
            _ => {}
        }
        self
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Grant {
                member,
                role,
                counter,
            } => {
                out.extend_from_slice(&member.0);
                out.push(role.code());
                out.extend_from_slice(&counter.to_be_bytes());
            }
            Self::Demote {
                member,
                seq,
                last_good,
            } => {
                out.extend_from_slice(&member.0);
                out.extend_from_slice(&seq.to_be_bytes());
                out.extend_from_slice(last_good);
            }
            Self::Ban(ban) => ban.write(out),
            Self::Lift(bans) => out.extend(bans.iter().flatten()),
            Self::Topic {
                counter,
                locked,
                text,
            } => {
                out.extend_from_slice(&counter.to_be_bytes());
                out.push(u8::from(*locked));
                out.extend_from_slice(text.as_bytes());
            }
            Self::Confirm { invite, slots } => {
                out.extend_from_slice(&invite.0);
                out.push(saturated(slots.len(), u8::MAX));
                for (slot, member) in slots {
                    out.extend_from_slice(&slot.to_be_bytes());
                    out.extend_from_slice(&member.0);
                }
            }
            Self::Close { invite } => out.extend_from_slice(&invite.0),
            Self::Door { counter, door } => {
                out.extend_from_slice(&counter.to_be_bytes());
                door.write(out);
            }
            Self::HistoryRule { counter, rule } => {
                out.extend_from_slice(&counter.to_be_bytes());
                out.extend_from_slice(&rule.code().to_be_bytes());
            }
            Self::Checkpoint { epoch, root, count } => {
                out.extend_from_slice(&epoch.to_be_bytes());
                out.extend_from_slice(root);
                out.extend_from_slice(&count.to_be_bytes());
            }
            Self::Fork(fork) => fork.write(out),
            Self::MemberTopic {
                invite,
                slot,
                counter,
                text,
            } => {
                out.extend_from_slice(&invite.0);
                out.extend_from_slice(&slot.unwrap_or(NO_SLOT).to_be_bytes());
                out.extend_from_slice(&counter.to_be_bytes());
                out.extend_from_slice(text.as_bytes());
            }
        }
    }

    /// Reads a body of that type, all of it.
    pub(super) fn read(kind: u8, bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let body = match kind {
            1 => Self::Grant {
                member: MemberId(reader.array()?),
                role: Role::granted(reader.u8()?).ok_or(Malformed)?,
                counter: reader.u32()?,
            },
            2 => read_demote(&mut reader)?,
            3 => Self::Ban(Ban::read(&mut reader)?),
            4 => Self::Lift(read_lifts(&mut reader)?),
            5 => Self::Topic {
                counter: reader.u32()?,
                locked: read_flag(&mut reader)?,
                text: read_text(&mut reader, MAX_TOPIC_LEN)?,
            },
            6 => Self::Confirm {
                invite: InviteId(reader.array()?),
                slots: read_slots(&mut reader)?,
            },
            7 => Self::Close {
                invite: InviteId(reader.array()?),
            },
            8 => Self::Door {
                counter: reader.u32()?,
                door: Door::read(&mut reader)?,
            },
            9 => Self::Checkpoint {
                epoch: reader.u32()?,
                root: reader.array()?,
                count: reader.u32()?,
            },
            14 => Self::MemberTopic {
                invite: InviteId(reader.array()?),
                slot: Some(reader.u16()?).filter(|slot| *slot != NO_SLOT),
                counter: reader.u32()?,
                text: read_text(&mut reader, MAX_TOPIC_LEN)?,
            },
            15 => Self::HistoryRule {
                counter: reader.u32()?,
                rule: HistoryRule::of_code(reader.u16()?),
            },
            _ => return Err(Malformed),
        };
        reader.finish()?;
        Ok(body)
    }
}

impl Ban {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.member.0);
        let hide_all = if self.hide_all { HIDE_ALL } else { 0 };
        let with_invite = if self.with_invite.is_some() {
            WITH_INVITE
        } else {
            0
        };
        out.push(hide_all | with_invite);
        if let Some(invite) = self.with_invite {
            out.extend_from_slice(&invite.0);
        }
        out.push(saturated(self.kept.len(), u8::MAX));
        for (session, number) in &self.kept {
            out.extend_from_slice(session);
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(self.reason.as_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let member = MemberId(reader.array()?);
        let flags = reader.u8()?;
        if flags & !(HIDE_ALL | WITH_INVITE) != 0 {
            return Err(Malformed);
        }
        let with_invite = if flags & WITH_INVITE != 0 {
            Some(InviteId(reader.array()?))
        } else {
            None
        };
        let count = usize::from(reader.u8()?);
        if count > MAX_BAN_SESSIONS {
            return Err(Malformed);
        }
        let mut kept = Vec::with_capacity(count);
        for _ in 0..count {
            kept.push((reader.array()?, reader.u32()?));
        }
        Ok(Self {
            member,
            hide_all: flags & HIDE_ALL != 0,
            with_invite,
            kept: ascending(kept, |(session, _)| *session)?,
            reason: read_text(reader, MAX_BAN_REASON_LEN)?,
        })
    }
}

impl HistoryRule {
    /// In days, from 1 on; 0 stands for none, the greatest for all.
    pub(super) fn code(self) -> u16 {
        match self {
            Self::FromJoining => 0,
            Self::Days { days } => days.clamp(1, u16::MAX - 1),
            Self::All => u16::MAX,
        }
    }

    fn of_code(code: u16) -> Self {
        match code {
            0 => Self::FromJoining,
            u16::MAX => Self::All,
            days => Self::Days { days },
        }
    }
}

impl Door {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.mode as u8, self.work_bits]);
        out.extend_from_slice(&self.minutes.to_be_bytes());
        out.extend_from_slice(&self.rate.to_be_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mode = match reader.u8()? {
            0 => DoorMode::Open,
            1 => DoorMode::Work,
            2 => DoorMode::ReadFirst,
            3 => DoorMode::Approval,
            4 => DoorMode::Closed,
            _ => return Err(Malformed),
        };
        let work_bits = reader.u8()?;
        if work_bits > MAX_WORK_BITS {
            return Err(Malformed);
        }
        Ok(Self {
            mode,
            work_bits,
            minutes: reader.u16()?,
            rate: reader.u16()?,
        })
    }
}

/// The short form of an id.
pub(super) fn short(id: &FactId) -> ShortFactId {
    *id.0.first_chunk().expect("16 is less than 32")
}

fn read_demote(reader: &mut Reader<'_>) -> Result<Body, Malformed> {
    let member = MemberId(reader.array()?);
    let seq = reader.u32()?;
    let last_good = reader.array()?;
    if seq == 0 && last_good != [0; 16] {
        return Err(Malformed);
    }
    Ok(Body::Demote {
        member,
        seq,
        last_good,
    })
}

fn read_lifts(reader: &mut Reader<'_>) -> Result<Vec<ShortFactId>, Malformed> {
    let mut bans = Vec::new();
    while !reader.is_empty() {
        bans.push(reader.array()?);
        if bans.len() > MAX_LIFTS {
            return Err(Malformed);
        }
    }
    if bans.is_empty() {
        return Err(Malformed);
    }
    ascending(bans, |ban| *ban)
}

fn read_slots(reader: &mut Reader<'_>) -> Result<Vec<(u16, MemberId)>, Malformed> {
    let count = usize::from(reader.u8()?);
    if count == 0 || count > MAX_CONFIRM_SLOTS {
        return Err(Malformed);
    }
    let mut slots = Vec::with_capacity(count);
    for _ in 0..count {
        slots.push((reader.u16()?, MemberId(reader.array()?)));
    }
    ascending(slots, |(slot, _)| *slot)
}

fn read_flag(reader: &mut Reader<'_>) -> Result<bool, Malformed> {
    match reader.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed),
    }
}

/// A text up to the end.
fn read_text(reader: &mut Reader<'_>, longest: usize) -> Result<String, Malformed> {
    let bytes = reader.all_but(0)?;
    if bytes.len() > longest {
        return Err(Malformed);
    }
    Ok(std::str::from_utf8(bytes).map_err(|_| Malformed)?.to_owned())
}

/// A list that is taken only in its one order.
fn ascending<T, K: Ord>(list: Vec<T>, key: impl Fn(&T) -> K) -> Result<Vec<T>, Malformed> {
    if list.is_sorted_by(|a, b| key(a) < key(b)) {
        Ok(list)
    } else {
        Err(Malformed)
    }
}
