//! `console.sqlite`: users, tokens, sessions and failed attempts.
//!
//! The running console and the commands that add users may have it open at once. Every change is on the disk before it is answered.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::names::{AccountName, Right};
use crate::secret::SecretHash;

/// Name of the file in the data directory.
const FILE: &str = "console.sqlite";

/// Version of the tables; a newer file belongs to a newer program.
const VERSION: i64 = 1;

/// Longest wait for another process to finish its change.
const BUSY_PATIENCE: Duration = Duration::from_secs(5);

/// Most sessions of one user; a new one ends the oldest.
const SESSIONS_PER_USER_MAX: u32 = 16;

const TABLES: &str = "
    CREATE TABLE user (
        name TEXT PRIMARY KEY, password TEXT NOT NULL, created_s INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE token (
        name TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, access TEXT NOT NULL,
        created_s INTEGER NOT NULL, expires_s INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE session (
        hash BLOB PRIMARY KEY, user TEXT NOT NULL REFERENCES user(name) ON DELETE CASCADE,
        address TEXT NOT NULL, created_s INTEGER NOT NULL, expires_s INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE attempt (key TEXT NOT NULL, time_s INTEGER NOT NULL) STRICT;
    CREATE INDEX attempt_key ON attempt(key);
    CREATE INDEX attempt_time ON attempt(time_s);
    CREATE TABLE lockout (key TEXT PRIMARY KEY, until_s INTEGER NOT NULL) STRICT;
";

/// Why the database failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// As SQLite says.
    #[error("console.sqlite: {0}")]
    Database(#[from] rusqlite::Error),
    /// The file cannot be made.
    #[error("console.sqlite cannot be opened: {0}")]
    File(#[from] std::io::Error),
    /// The file was written by a newer version.
    #[error("console.sqlite has version {0}, this program knows up to {VERSION}: use the newer program")]
    Newer(i64),
    /// A task of ours was lost.
    #[error("the database's thread is gone")]
    Lost,
}

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) user: AccountName,
    pub(crate) address: String,
    pub(crate) expires_s: u64,
}

/// An account as it is listed: a user, or a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) created_s: u64,
    pub(crate) right: Option<Right>,
    pub(crate) expires_s: Option<u64>,
}

/// The database.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    connection: Arc<Mutex<Connection>>,
}

impl Store {
    pub(crate) fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(FILE);
        // SQLite gives its side files the mode of this one.
        drop(OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?);
        let mut connection = Connection::open(&path)?;
        connection.busy_timeout(BUSY_PATIENCE)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // The console can write nowhere but in its own directory.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        match version {
            0 => {
                transaction.execute_batch(TABLES)?;
                transaction.pragma_update(None, "user_version", VERSION)?;
            }
            VERSION => {}
            newer => return Err(StoreError::Newer(newer)),
        }
        transaction.commit()?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)) })
    }

    /// Works on the database, off the threads that serve.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        tokio::task::spawn_blocking(move || store.with(work)).await.map_err(|_| StoreError::Lost)?
    }

    /// Works on the database, here.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        // A panic under the lock cannot leave a change half done: a transaction that is dropped is rolled back.
        let mut connection = self.connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(work(&mut connection)?)
    }
}

/// The stored hash of a user's password.
pub(crate) fn password(connection: &Connection, user: &AccountName) -> rusqlite::Result<Option<String>> {
    connection
        .query_row("SELECT password FROM user WHERE name = ?1", [user.as_str()], |row| row.get(0))
        .optional()
}

/// Adds a user; false when there is one of this name.
pub(crate) fn add_user(
    connection: &Connection,
    user: &AccountName,
    password: &str,
    now_s: u64,
) -> rusqlite::Result<bool> {
    let sql = "INSERT OR IGNORE INTO user (name, password, created_s) VALUES (?1, ?2, ?3)";
    Ok(connection.execute(sql, params![user.as_str(), password, seconds(now_s)])? == 1)
}

/// Changes a password and ends the user's sessions; false when there is no such user.
pub(crate) fn set_password(
    connection: &mut Connection,
    user: &AccountName,
    password: &str,
) -> rusqlite::Result<bool> {
    let transaction = connection.transaction()?;
    let changed = transaction
        .execute("UPDATE user SET password = ?2 WHERE name = ?1", params![user.as_str(), password])?;
    transaction.execute("DELETE FROM session WHERE user = ?1", [user.as_str()])?;
    transaction.commit()?;
    Ok(changed == 1)
}

/// Removes a user and its sessions; false when there is none.
pub(crate) fn remove_user(connection: &Connection, user: &AccountName) -> rusqlite::Result<bool> {
    Ok(connection.execute("DELETE FROM user WHERE name = ?1", [user.as_str()])? == 1)
}

/// Every user, by name.
pub(crate) fn users(connection: &Connection) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare("SELECT name, created_s FROM user ORDER BY name")?;
    let rows = statement.query_map([], |row| {
        Ok(Row { name: row.get(0)?, created_s: unsigned(row.get(1)?), right: None, expires_s: None })
    })?;
    rows.collect()
}

/// Adds a token; false when there is one of this name.
pub(crate) fn add_token(
    connection: &Connection,
    token: &AccountName,
    hash: &SecretHash,
    right: Right,
    now_s: u64,
    expires_s: u64,
) -> rusqlite::Result<bool> {
    // The name of a token that has expired is free again.
    connection.execute(
        "DELETE FROM token WHERE name = ?1 AND expires_s <= ?2",
        params![token.as_str(), seconds(now_s)],
    )?;
    let sql =
        "INSERT OR IGNORE INTO token (name, hash, access, created_s, expires_s) VALUES (?1, ?2, ?3, ?4, ?5)";
    let values = params![token.as_str(), hash.as_bytes(), right.as_str(), seconds(now_s), seconds(expires_s)];
    Ok(connection.execute(sql, values)? == 1)
}

/// Removes a token; false when there is none.
pub(crate) fn revoke_token(connection: &Connection, token: &AccountName) -> rusqlite::Result<bool> {
    Ok(connection.execute("DELETE FROM token WHERE name = ?1", [token.as_str()])? == 1)
}

/// Every token, by name.
pub(crate) fn tokens(connection: &Connection) -> rusqlite::Result<Vec<Row>> {
    let mut statement =
        connection.prepare("SELECT name, created_s, access, expires_s FROM token ORDER BY name")?;
    let rows = statement.query_map([], |row| {
        Ok(Row {
            name: row.get(0)?,
            created_s: unsigned(row.get(1)?),
            right: row.get::<_, String>(2)?.parse().ok(),
            expires_s: Some(unsigned(row.get(3)?)),
        })
    })?;
    rows.collect()
}

/// The token with this hash, unless it has expired.
pub(crate) fn token(
    connection: &Connection,
    hash: &SecretHash,
    now_s: u64,
) -> rusqlite::Result<Option<(AccountName, Right)>> {
    let sql = "SELECT name, access FROM token WHERE hash = ?1 AND expires_s > ?2";
    let found: Option<(String, String)> = connection
        .query_row(sql, params![hash.as_bytes(), seconds(now_s)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.and_then(|(name, right)| Some((name.parse().ok()?, right.parse().ok()?))))
}

/// Keeps a new session, drops those that have expired and the oldest of too many.
pub(crate) fn add_session(
    connection: &mut Connection,
    hash: &SecretHash,
    session: &Session,
    now_s: u64,
) -> rusqlite::Result<()> {
    let user = session.user.as_str();
    let transaction = connection.transaction()?;
    transaction.execute("DELETE FROM session WHERE expires_s <= ?1", [seconds(now_s)])?;
    transaction.execute(
        "INSERT INTO session (hash, user, address, created_s, expires_s) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![hash.as_bytes(), user, session.address, seconds(now_s), seconds(session.expires_s)],
    )?;
    transaction.execute(
        "DELETE FROM session WHERE user = ?1 AND rowid NOT IN
            (SELECT rowid FROM session WHERE user = ?1 ORDER BY created_s DESC, rowid DESC LIMIT ?2)",
        params![user, SESSIONS_PER_USER_MAX],
    )?;
    transaction.commit()
}

/// The session with this hash, unless it has expired.
pub(crate) fn session(
    connection: &Connection,
    hash: &SecretHash,
    now_s: u64,
) -> rusqlite::Result<Option<Session>> {
    let sql = "SELECT user, address, expires_s FROM session WHERE hash = ?1 AND expires_s > ?2";
    let found: Option<(String, String, i64)> = connection
        .query_row(sql, params![hash.as_bytes(), seconds(now_s)], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    Ok(found.and_then(|(user, address, expires_s)| {
        Some(Session { user: user.parse().ok()?, address, expires_s: unsigned(expires_s) })
    }))
}

/// Ends a session.
pub(crate) fn end_session(connection: &Connection, hash: &SecretHash) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM session WHERE hash = ?1", [hash.as_bytes()]).map(drop)
}

/// SQLite keeps signed numbers; times beyond them are as good as never.
pub(crate) fn seconds(time_s: u64) -> i64 {
    i64::try_from(time_s).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(time_s: i64) -> u64 {
    u64::try_from(time_s).unwrap_or(0)
}
