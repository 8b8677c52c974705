use super::{MAX_SAY_DATA_LEN, WireError};
use crate::id::ClientId;

/// The longest nick, in bytes.
pub const MAX_NAME_LEN: usize = 128;

/// The longest topic, in bytes.
pub const MAX_TOPIC_LEN: usize = 512;

const PING: u8 = 0;
const NEW_PEER: u8 = 16;
const BAN_PEER: u8 = 17;
const TOPIC: u8 = 18;
const QUIT: u8 = 24;
const GONE: u8 = 25;
const NAME: u8 = 48;
const STATUS: u8 = 49;
/// The id under which historic programs send an action. It is taken as one and passed on as it came, and never sent.
const HISTORIC_ACTION: u8 = 63;
const MESSAGE: u8 = 64;
const ACTION: u8 = 65;
const PART: u8 = 72;
/// Ids of newer programs, which are passed on unread.
const UNKNOWN: std::ops::RangeInclusive<u8> = 66..=191;

/// The content of a broadcast or say: a message id and its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// 0: the sender is still online.
    Ping,
    /// 16: this key is in the chat now.
    NewPeer(ClientId),
    /// 17: this key is no longer in the chat.
    BanPeer(ClientId),
    /// 18: the topic, 0 to 512 bytes. Empty clears it.
    Topic(String),
    /// 24: goodbye.
    Quit,
    /// 25: this session no longer answers. In signed chats only.
    Gone(ClientId),
    /// 48: the origin's nick, 1 to 128 bytes.
    Name(String),
    /// 49: the origin's status: 0 online, 1 away, 2 busy.
    Status(u8),
    /// 64: a text, at least 1 byte.
    Message(String),
    /// 65: an action (/me), at least 1 byte.
    Action {
        /// What the origin does.
        text: String,
        /// Whether it came with id 63, to be passed on as it came. Never in signed chats.
        historic_id: bool,
    },
    /// 72: a fragment of a message or action that does not fit into one datagram. In signed chats only.
    Part(Part),
    /// An id of 66 to 191, except 72, from a newer program. In signed chats only.
    Unknown {
        /// Which.
        id: u8,
        /// Its data, unread.
        data: Vec<u8>,
    },
}

/// The longest text of a fragment, in bytes: the room of a say less the fragment's own header.
pub const MAX_PART_TEXT_LEN: usize = MAX_SAY_DATA_LEN - PART_HEAD_LEN;

/// The most fragments of one message. Six hold the longest message, 4 KiB, wherever its characters end.
pub const MAX_PARTS: u8 = 6;

/// kind 1, index 1, count 1
const PART_HEAD_LEN: usize = 3;

/// A fragment of a long message or action. The fragments of one message have consecutive numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Whether it is an action.
    pub action: bool,
    /// Its index among the fragments, from 0.
    pub index: u8,
    /// How many there are: 2 to [`MAX_PARTS`].
    pub count: u8,
    /// 1 to [`MAX_PART_TEXT_LEN`] bytes.
    pub text: String,
}

impl Part {
    fn decode(data: &[u8]) -> Result<Self, WireError> {
        let Some(([kind, index, count], words)) = data.split_first_chunk() else {
            return Err(WireError::TooShort);
        };
        let action = match *kind {
            MESSAGE => false,
            ACTION => true,
            _ => return Err(WireError::UnknownValue),
        };
        if !(2..=MAX_PARTS).contains(count) || index >= count {
            return Err(WireError::UnknownValue);
        }
        Ok(Self {
            action,
            index: *index,
            count: *count,
            text: text(words, 1, MAX_PART_TEXT_LEN)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[if self.action { ACTION } else { MESSAGE }, self.index, self.count]);
        out.extend_from_slice(self.text.as_bytes());
    }
}

impl Body {
    /// The message id.
    pub fn id(&self) -> u8 {
        match self {
            Self::Ping => PING,
            Self::NewPeer(_) => NEW_PEER,
            Self::BanPeer(_) => BAN_PEER,
            Self::Topic(_) => TOPIC,
            Self::Quit => QUIT,
            Self::Gone(_) => GONE,
            Self::Name(_) => NAME,
            Self::Status(_) => STATUS,
            Self::Message(_) => MESSAGE,
            Self::Action {
                historic_id: false, ..
            } => ACTION,
            Self::Action {
                historic_id: true, ..
            } => HISTORIC_ACTION,
            Self::Part(_) => PART,
            Self::Unknown { id, .. } => *id,
        }
    }

    /// The data after the id. A value outside its bounds (a nick of 129 bytes, for example) gives data that receivers refuse.
    pub fn encode_data(&self) -> Vec<u8> {
        let mut data = Vec::new();
        self.write_data(&mut data);
        data
    }

    /// Reads the data of any known id. [`super::Broadcast`] and [`super::SignedSay`] say which ids a packet may carry.
    ///
    /// # Errors
    /// The id is unknown, or the data does not have exactly the id's form.
    pub fn decode(id: u8, data: &[u8]) -> Result<Self, WireError> {
        Ok(match id {
            PING => exactly(data).map(|[]| Self::Ping)?,
            NEW_PEER => exactly(data).map(|key| Self::NewPeer(ClientId(key)))?,
            BAN_PEER => exactly(data).map(|key| Self::BanPeer(ClientId(key)))?,
            TOPIC => Self::Topic(text(data, 0, MAX_TOPIC_LEN)?),
            QUIT => exactly(data).map(|[]| Self::Quit)?,
            GONE => exactly(data).map(|key| Self::Gone(ClientId(key)))?,
            NAME => Self::Name(text(data, 1, MAX_NAME_LEN)?),
            STATUS => match exactly(data)? {
                [status @ 0..=2] => Self::Status(status),
                [_] => return Err(WireError::Status),
            },
            MESSAGE => Self::Message(text(data, 1, usize::MAX)?),
            ACTION | HISTORIC_ACTION => Self::Action {
                text: text(data, 1, usize::MAX)?,
                historic_id: id == HISTORIC_ACTION,
            },
            PART => Self::Part(Part::decode(data)?),
            id if UNKNOWN.contains(&id) => Self::Unknown {
                id,
                data: data.to_vec(),
            },
            _ => return Err(WireError::UnknownBody),
        })
    }

    pub(super) fn write_data(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ping | Self::Quit => {}
            Self::NewPeer(key) | Self::BanPeer(key) | Self::Gone(key) => out.extend_from_slice(&key.0),
            Self::Topic(text) | Self::Name(text) | Self::Message(text) | Self::Action { text, .. } => {
                out.extend_from_slice(text.as_bytes());
            }
            Self::Status(status) => out.push(*status),
            Self::Part(part) => part.write(out),
            Self::Unknown { data, .. } => out.extend_from_slice(data),
        }
    }

    /// How many bytes [`Self::write_data`] writes.
    pub(super) fn data_len(&self) -> usize {
        match self {
            Self::Ping | Self::Quit => 0,
            Self::NewPeer(_) | Self::BanPeer(_) | Self::Gone(_) => 32,
            Self::Topic(text) | Self::Name(text) | Self::Message(text) | Self::Action { text, .. } => {
                text.len()
            }
            Self::Status(_) => 1,
            Self::Part(part) => PART_HEAD_LEN + part.text.len(),
            Self::Unknown { data, .. } => data.len(),
        }
    }
}

/// Strict UTF-8 of `least` to `most` bytes.
pub(super) fn text(data: &[u8], least: usize, most: usize) -> Result<String, WireError> {
    if data.len() < least || data.len() > most {
        return Err(WireError::TextLen);
    }
    let text = std::str::from_utf8(data).map_err(|_| WireError::NotUtf8)?;
    Ok(text.to_owned())
}

fn exactly<const N: usize>(data: &[u8]) -> Result<[u8; N], WireError> {
    data.try_into().map_err(|_| {
        if data.len() < N {
            WireError::TooShort
        } else {
            WireError::TooLong
        }
    })
}
