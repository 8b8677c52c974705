//! Ids that every layer uses: 32 bytes each, shown to people and programs as 64 hex digits. Every module may name this
//! one; it names none.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER_PERMISSIVE;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The text is not 64 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id is 64 hex digits")
    }
}

impl std::error::Error for NotAnId {}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The first 8 hex digits: enough to tell two apart in a log, not to identify one.
            pub fn short(&self) -> String {
                data_encoding::HEXLOWER.encode(&self.0[..4])
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({}…)"), self.short())
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| NotAnId)?;
                Ok(Self(bytes.try_into().map_err(|_| NotAnId)?))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

id! {
    /// A session's X25519 public key, the base protocol's client_id, 32 bytes. It is made right before joining a chat, for
    /// that chat alone, and forgotten on leaving.
    ClientId
}
id! {
    /// A chat. A signed chat's id is its Ed25519 public key. A classic chat's is 32 random bytes that never leave this
    /// program, since the base protocol has no id for a chat.
    ChatId
}
id! {
    /// A member. In a signed chat it is the Ed25519 public key made for this chat alone; in a classic one, the client_id.
    MemberId
}
id! {
    /// A message: SHA-256 of what its author signed, without the signature. 16 bytes of it go on the wire.
    MessageId
}
id! {
    /// An invite: its Ed25519 public key.
    InviteId
}
id! {
    /// A signed fact: SHA-256 of what its issuer signed, without the signature. Facts name each other by the first 16 bytes.
    FactId
}

impl From<ClientId> for MemberId {
    /// In a classic chat a member is no more than a session.
    fn from(client_id: ClientId) -> Self {
        Self(client_id.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_goes_both_ways_and_nothing_else_is_taken() {
        let id = ChatId([0xA5; 32]);
        assert_eq!(id.to_string().parse::<ChatId>(), Ok(id));
        assert_eq!(id.to_string().to_uppercase().parse::<ChatId>(), Ok(id));
        for bad in ["", "a5", &"g".repeat(64), &"a".repeat(63), &"a".repeat(66)] {
            assert_eq!(bad.parse::<ChatId>(), Err(NotAnId), "{bad:?}");
        }
        let json = serde_json::to_string(&id).expect("an id is a string");
        assert_eq!(serde_json::from_str::<ChatId>(&json).expect("round trip"), id);
    }
}
