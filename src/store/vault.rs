//! The keys of the profile under a passphrase, by envelope encryption.
//!
//! With a passphrase there is a profile key, 32 random bytes. It seals each secret of each chat (`chat_seed`,
//! `member_seed`, `invite`, `rendezvous`). The passphrase, stretched by Argon2id, seals the profile key. So changing the
//! passphrase seals one key anew and touches no chat. Without a passphrase the secrets are not sealed. Messages, nicks and
//! members are never sealed: SQLCipher, which could do that, needs OpenSSL to be built.
//!
//! A sealed secret is 24 random bytes of nonce and then the box. The key of each box is derived from the profile key, the
//! chat and the column, so that no box can be moved to another place.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, params};
use zeroize::Zeroizing;

use crate::crypto::{Nonce, SALT_LEN, STRETCH_LEN, SealKey, Stretch};
use crate::id::ChatId;
use crate::model::Passphrase;

/// The columns of `chat` that hold secrets.
const SECRET_COLUMNS: [&str; 4] = ["chat_seed", "member_seed", "invite", "rendezvous"];

/// The purpose that the profile key's box is bound to.
const PROFILE_KEY: &str = "throng profile key";

/// The purpose that a secret's box is bound to, beside chat and column.
const SECRET: &str = "throng secret";

/// Whether the secrets can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// There is no passphrase.
    None,
    /// There is one, and it has not been given yet.
    Locked,
    /// It has been given.
    Unlocked,
}

/// Opens and seals the secrets.
#[derive(Debug)]
pub(super) enum Vault {
    /// They are not sealed.
    Plain,
    /// Nothing can be read or written.
    Locked,
    /// They are sealed by this key.
    Unlocked(SealKey),
}

/// The sealed profile key, as in the database.
struct SealedKey {
    stretch: Stretch,
    salt: [u8; SALT_LEN],
    /// Nonce and box.
    sealed: Vec<u8>,
}

impl Vault {
    /// Reads it from the database, before any passphrase was given.
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        Ok(match SealedKey::load(connection)? {
            Some(_) => Self::Locked,
            None => Self::Plain,
        })
    }

    /// What can be done.
    pub(super) fn lock(&self) -> Lock {
        match self {
            Self::Plain => Lock::None,
            Self::Locked => Lock::Locked,
            Self::Unlocked(_) => Lock::Unlocked,
        }
    }

    /// Opens the secrets if the passphrase is right.
    pub(super) fn unlock(
        &mut self,
        connection: &Connection,
        passphrase: &Passphrase,
    ) -> rusqlite::Result<bool> {
        let key = SealedKey::load(connection)?.and_then(|sealed| sealed.open(passphrase));
        let right = key.is_some();
        if let Some(key) = key {
            *self = Self::Unlocked(key);
        }
        Ok(right)
    }

    /// Seals a secret for the database.
    pub(super) fn seal(
        &self,
        chat: &ChatId,
        column: &str,
        secret: &[u8],
    ) -> rusqlite::Result<Zeroizing<Vec<u8>>> {
        match self {
            Self::Plain => Ok(Zeroizing::new(secret.to_vec())),
            Self::Unlocked(key) => Ok(Zeroizing::new(sealed(&secret_key(key, chat, column), secret))),
            // The worker asks before.
            Self::Locked => Err(rusqlite::Error::InvalidQuery),
        }
    }

    /// Opens a secret from the database.
    pub(super) fn open(
        &self,
        chat: &ChatId,
        column: &str,
        stored: Zeroizing<Vec<u8>>,
    ) -> rusqlite::Result<Zeroizing<Vec<u8>>> {
        match self {
            Self::Plain => Ok(stored),
            Self::Unlocked(key) => opened(&secret_key(key, chat, column), &stored).ok_or_else(damaged),
            Self::Locked => Err(rusqlite::Error::InvalidQuery),
        }
    }

    /// Changes the passphrase; an empty one stands for none. Call it in a transaction, after which the returned vault replaces
    /// this one. `None` if the old passphrase is wrong.
    pub(super) fn with_passphrase(
        &self,
        connection: &Connection,
        old: &Passphrase,
        new: &Passphrase,
    ) -> rusqlite::Result<Option<Self>> {
        let stored = SealedKey::load(connection)?;
        let key = match &stored {
            None if old.is_empty() => None,
            None => return Ok(None),
            Some(sealed) => match sealed.open(old) {
                Some(key) => Some(key),
                None => return Ok(None),
            },
        };
        let now = key.clone().map_or(Self::Plain, Self::Unlocked);
        let then = match (key, new.is_empty()) {
            (_, true) => Self::Plain,
            (Some(key), false) => Self::Unlocked(key),
            // A copy somewhere may have the old profile key, if there was one, beside what it sealed.
            (None, false) => Self::Unlocked(SealKey::new(Zeroizing::new(random()))),
        };
        match &then {
            Self::Unlocked(key) => SealedKey::seal(key, new).store(connection)?,
            Self::Plain | Self::Locked => {
                connection.execute("DELETE FROM profile_key", [])?;
            }
        }
        if now.lock() != then.lock() {
            now.reseal(connection, &then)?;
        }
        Ok(Some(then))
    }

    /// Seals every secret anew, as another vault does.
    fn reseal(&self, connection: &Connection, other: &Self) -> rusqlite::Result<()> {
        for column in SECRET_COLUMNS {
            let mut statement = connection.prepare(&format!(
                "SELECT key, id, {column} FROM chat WHERE {column} IS NOT NULL"
            ))?;
            let rows: Vec<(i64, ChatId, Zeroizing<Vec<u8>>)> = statement
                .query_map([], |row| {
                    Ok((row.get(0)?, ChatId(row.get(1)?), Zeroizing::new(row.get(2)?)))
                })?
                .collect::<rusqlite::Result<_>>()?;
            for (key, chat, stored) in rows {
                let secret = self.open(&chat, column, stored)?;
                let sealed = other.seal(&chat, column, &secret)?;
                connection.execute(
                    &format!("UPDATE chat SET {column} = ?2 WHERE key = ?1"),
                    params![key, *sealed],
                )?;
            }
        }
        Ok(())
    }
}

impl SealedKey {
    fn load(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        let row: Option<(Vec<u8>, [u8; SALT_LEN], Vec<u8>)> = connection
            .query_row("SELECT stretch, salt, sealed FROM profile_key", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let Some((stretch, salt, sealed)) = row else {
            return Ok(None);
        };
        let stretch = <[u8; STRETCH_LEN]>::try_from(stretch).ok();
        let stretch = stretch
            .and_then(|bytes| Stretch::decode(&bytes))
            .ok_or_else(damaged)?;
        Ok(Some(Self {
            stretch,
            salt,
            sealed,
        }))
    }

    fn seal(key: &SealKey, passphrase: &Passphrase) -> Self {
        let (stretch, salt) = (Stretch::STANDARD, random());
        let by = stretch.key(passphrase.as_bytes(), &salt).derive(PROFILE_KEY, &[]);
        Self {
            stretch,
            salt,
            sealed: sealed(&by, key.bytes()),
        }
    }

    fn open(&self, passphrase: &Passphrase) -> Option<SealKey> {
        let by = self
            .stretch
            .key(passphrase.as_bytes(), &self.salt)
            .derive(PROFILE_KEY, &[]);
        let key = opened(&by, &self.sealed)?;
        Some(SealKey::new(Zeroizing::new(key.as_slice().try_into().ok()?)))
    }

    fn store(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute(
            "INSERT INTO profile_key (key, stretch, salt, sealed) VALUES (1, ?1, ?2, ?3)
             ON CONFLICT (key) DO UPDATE SET stretch = excluded.stretch, salt = excluded.salt, sealed = excluded.sealed",
            params![self.stretch.encode(), self.salt, self.sealed],
        )?;
        Ok(())
    }
}

fn secret_key(key: &SealKey, chat: &ChatId, column: &str) -> SealKey {
    key.derive(SECRET, &[&chat.0, column.as_bytes()].concat())
}

fn sealed(key: &SealKey, plain: &[u8]) -> Vec<u8> {
    let nonce: Nonce = random();
    [&nonce[..], &key.seal(&nonce, plain)].concat()
}

fn opened(key: &SealKey, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed.split_first_chunk()?;
    key.open(nonce, sealed)
}

fn damaged() -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(0, "a sealed key".to_owned(), Type::Blob)
}

/// Bytes that nobody can guess.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes
}
