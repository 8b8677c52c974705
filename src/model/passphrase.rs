//! A passphrase on its way from the field where it was typed to what it opens.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// The longest passphrase in bytes of UTF-8. A guess: far over what anybody types.
pub const MAX_PASSPHRASE_LEN: usize = 1024;

/// A passphrase. It is wiped on drop, and `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// The passphrase that was typed.
    pub fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// Its text.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Whether it is empty, which stands for none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Passphrase {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

impl Serialize for Passphrase {
    /// Only commands are serialised with one; no event has one.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Passphrase {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// How strong a passphrase is, as far as its look tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Guessed in minutes or days.
    Weak,
    /// Guessed by somebody who tries hard.
    Fair,
    /// Not guessed, if it was drawn at random and not made up.
    Good,
}

impl Strength {
    /// Judges by length and by the number of different characters. No program can tell whether a phrase is in a book, so this is
    /// an upper bound. The limits are guesses: eight characters of any kind are weak, four words from a list fair, five or more
    /// good.
    pub fn of(text: &str) -> Self {
        let mut different: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
        let len = different.len();
        different.sort_unstable();
        different.dedup();
        match (len, different.len()) {
            (24.., 9..) => Self::Good,
            (14.., 7..) => Self::Fair,
            _ => Self::Weak,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_does_not_show() {
        let passphrase = Passphrase::from("correct horse");
        assert_eq!(format!("{passphrase:?}"), "Passphrase(…)");
        assert!(!passphrase.is_empty() && Passphrase::default().is_empty());
    }

    #[test]
    fn strength_is_not_overstated() {
        for (text, strength) in [
            ("", Strength::Weak),
            ("Tr0ub4dor&3", Strength::Weak),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Strength::Weak),
            ("abababababababababababababababab", Strength::Weak),
            ("lamp river oak tin", Strength::Fair),
            ("lamp river oak tin window seven", Strength::Good),
        ] {
            assert_eq!(Strength::of(text), strength, "{text}");
        }
    }
}
