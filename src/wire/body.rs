use super::WireError;
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
/// "65 action … 63 is taken as the same on receipt: the historic implementation sends that."
const HISTORIC_ACTION: u8 = 63;
const MESSAGE: u8 = 64;
const ACTION: u8 = 65;
/// Ids that newer programs may say and that are passed on unread.
const UNKNOWN: std::ops::RangeInclusive<u8> = 66..=191;

/// What is told to everyone: a message id and its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// 0: still there.
    Ping,
    /// 16: this key is in the chat now.
    NewPeer(ClientId),
    /// 17: this key is in the chat no more.
    BanPeer(ClientId),
    /// 18: the topic, 0 to 512 bytes. Empty clears it.
    Topic(String),
    /// 24: goodbye.
    Quit,
    /// 25: this session does not answer any more. In signed chats only.
    Gone(ClientId),
    /// 48: the origin's nick, 1 to 128 bytes.
    Name(String),
    /// 49: the origin's status: 0 online, 1 away, 2 busy.
    Status(u8),
    /// 64: words, at least 1 byte.
    Message(String),
    /// 65: an action (/me), at least 1 byte.
    Action {
        /// What the origin does.
        text: String,
        /// Whether it came with id 63, so that it is passed on as it came. Never in signed chats.
        historic_id: bool,
    },
    /// An id of 66 to 191 from a newer program. In signed chats only.
    Unknown {
        /// Which.
        id: u8,
        /// Whatever it means.
        data: Vec<u8>,
    },
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
            Self::Unknown { id, .. } => *id,
        }
    }

    /// The data after the id. Of a value outside its bounds (a nick of 129 bytes, say) it is what a receiver refuses.
    pub fn encode_data(&self) -> Vec<u8> {
        let mut data = Vec::new();
        self.write_data(&mut data);
        data
    }

    /// Reads the data of any id that there is, in either kind of chat; which ids a packet may carry is for
    /// [`super::Broadcast`] and [`super::SignedSay`] to say.
    ///
    /// # Errors
    /// The id is unknown, or the data has not exactly the id's form.
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
