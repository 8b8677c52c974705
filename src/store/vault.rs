//! The keys of the profile under a passphrase.
//!
//! With a passphrase there is a profile key, 32 random bytes. It seals each secret of each chat (`chat_seed`,
//! `member_seed`, `invite`, `rendezvous`); the passphrase, stretched by Argon2id, seals it. So another passphrase seals one
//! key anew and touches no chat. Without a passphrase the secrets lie there as they are. What was said, names, and who is in
//! a chat are never sealed: SQLCipher, which could do that, needs OpenSSL to be built.
//!
//! A secret is sealed as 24 random bytes of nonce and then the box; the key of each box is derived from the profile key, the
//! chat and the column, so that none can be put in another's place.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, params};
use zeroize::Zeroizing;

use crate::crypto::{Nonce, SALT_LEN, STRETCH_LEN, SealKey, Stretch};
use crate::id::ChatId;
use crate::model::Passphrase;

/// The columns of `chat` that hold secrets.
const SECRET_COLUMNS: [&str; 4] = ["chat_seed", "member_seed", "invite", "rendezvous"];

/// What the profile key's box is about.
const PROFILE_KEY: &str = "throng profile key";

/// What a secret's box is about, beside chat and column.
const SECRET: &str = "throng secret";

/// Whether the secrets can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// There is no passphrase.
    None,
    /// There is one, and it was not given yet.
    Locked,
    /// It was given.
    Unlocked,
}

/// What opens and seals the secrets.
#[derive(Debug)]
pub(super) enum Vault {
    /// They lie there as they are.
    Plain,
    /// Nothing can be read or written.
    Locked,
    /// They are sealed by this.
    Unlocked(SealKey),
}

/// How the profile key lies in the database.
struct SealedKey {
    stretch: Stretch,
    salt: [u8; SALT_LEN],
    /// Nonce and box.
    sealed: Vec<u8>,
}

impl Vault {
    /// As the database has it, before any passphrase was given.
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

    /// Opens it if the passphrase is right.
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

    /// A secret as it is to lie in the database.
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

    /// A secret as it lies in the database, opened.
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

    /// The vault under another passphrase; an empty one: none. To be called in a transaction, after which the new vault takes
    /// the place of this one. Nothing if the old passphrase is another.
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
            // The old one, if there was any, may lie in some copy beside what it sealed.
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

    /// Puts every secret as another vault seals it.
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
