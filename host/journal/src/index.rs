//! The SQLite projection that serves queries: `DIR/index.sqlite`.
//!
//! It is read from the journal's files by a thread of its own, never by who commits, so it may lag. Nothing in it is the truth:
//! when it is damaged, of another version, or does not fit the journal, it is deleted and built anew.

mod project;
mod rows;
mod schema;
mod thread;

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use portcullis_core::{Digest, Sequence};
use rusqlite::{Connection, OptionalExtension, params};

use crate::{FileStorage, JournalError, Tail};

pub use thread::Indexer;

/// Entries indexed in one transaction.
const TRANSACTION_ENTRIES: usize = 2_000;

/// The projection of a data directory's journal.
#[derive(Debug)]
pub struct Index {
    directory: PathBuf,
    database: Connection,
    tail: Tail,
    next: Sequence,
}

/// Deletes the index of a data directory and builds it anew. Returns the number of entries indexed.
///
/// # Errors
///
/// [`JournalError::Index`] when the database cannot be written, [`JournalError::Corrupt`] when the journal is damaged: what precedes
/// the damage is indexed.
pub fn reindex(directory: &Path) -> Result<u64, JournalError> {
    delete(directory)?;
    let mut index = Index::open(directory)?;
    index.catch_up()?;
    Ok(index.next().0)
}

impl Index {
    /// Opens the index of a data directory; checks its integrity and that it is a projection of this very journal, and begins anew
    /// where it is not. Indexes nothing yet: see [`catch_up`](Self::catch_up).
    ///
    /// # Errors
    ///
    /// [`JournalError::Index`] when no database can be made, [`JournalError::Storage`] when the directory cannot be written.
    pub fn open(directory: &Path) -> Result<Self, JournalError> {
        if let Some(index) = Self::open_existing(directory)? {
            return Ok(index);
        }
        delete(directory)?;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o640)
            .open(path(directory))
            .map_err(JournalError::storage("create the index"))?;
        let database = connect(directory)?;
        database.execute_batch(schema::CREATE)?;
        database.execute("INSERT INTO watermark (id, next, head) VALUES (1, 0, zeroblob(32))", [])?;
        Ok(Self::new(directory, database, Sequence(0)))
    }

    /// Indexes everything written to the journal so far. Returns the number of new entries.
    ///
    /// # Errors
    ///
    /// [`JournalError::Index`] or [`JournalError::Corrupt`]; what was indexed before stays.
    pub fn catch_up(&mut self) -> Result<u64, JournalError> {
        let begun = self.next;
        loop {
            let entries: Vec<_> = self.tail.by_ref().take(TRANSACTION_ENTRIES).collect::<Result<_, _>>()?;
            let Some(last) = entries.last() else { break };
            let (next, head) = (Sequence(last.entry.sequence.0.saturating_add(1)), last.leaf);
            let transaction = self.database.transaction()?;
            for stored in &entries {
                project::project(&transaction, stored)?;
            }
            transaction.execute(
                "UPDATE watermark SET next = ?1, head = ?2",
                params![project::integer(next.0), head.0],
            )?;
            transaction.commit()?;
            self.next = next;
        }
        Ok(self.next.0.saturating_sub(begun.0))
    }

    /// The first sequence that is not indexed yet.
    pub fn next(&self) -> Sequence {
        self.next
    }

    /// The database, for queries.
    pub fn database(&self) -> &Connection {
        &self.database
    }

    fn new(directory: &Path, database: Connection, next: Sequence) -> Self {
        let tail = Tail::new(FileStorage::read_only(directory), next, false);
        Self { directory: directory.to_owned(), database, tail, next }
    }

    /// Deletes the file and begins anew.
    fn rebuild(self) -> Result<Self, JournalError> {
        let directory = self.directory.clone();
        drop(self);
        delete(&directory)?;
        Self::open(&directory)
    }

    /// The index as it lies there; `None` when there is none that can be gone on with.
    fn open_existing(directory: &Path) -> Result<Option<Self>, JournalError> {
        if !path(directory).exists() {
            return Ok(None);
        }
        let Ok((database, next, head)) = connect(directory).and_then(sound_watermark) else {
            tracing::warn!("the index is damaged or of another version; building it anew");
            return Ok(None);
        };
        if !fits(directory, next, head)? {
            tracing::warn!("the index does not fit the journal; building it anew");
            return Ok(None);
        }
        Ok(Some(Self::new(directory, database, next)))
    }
}

fn connect(directory: &Path) -> Result<Connection, rusqlite::Error> {
    let database = Connection::open(path(directory))?;
    // Losing the last transactions in a crash is harmless: they are indexed again.
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.pragma_update(None, "synchronous", "NORMAL")?;
    // The gateway can write nowhere but in its own directories.
    database.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(database)
}

/// How far an existing database got, when it is whole and of this version.
fn sound_watermark(database: Connection) -> Result<(Connection, Sequence, Digest), rusqlite::Error> {
    let version: i32 = database.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let integrity: String = database.pragma_query_value(None, "integrity_check", |row| row.get(0))?;
    let watermark: Option<(i64, [u8; 32])> = database
        .query_row("SELECT next, head FROM watermark", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match watermark {
        Some((next, head)) if version == schema::VERSION && integrity == "ok" => {
            Ok((database, Sequence(u64::try_from(next).unwrap_or(0)), Digest(head)))
        }
        _ => Err(rusqlite::Error::InvalidQuery),
    }
}

/// Whether the last entry indexed is in the journal still, with the same leaf.
fn fits(directory: &Path, next: Sequence, head: Digest) -> Result<bool, JournalError> {
    let Some(last) = next.0.checked_sub(1) else { return Ok(true) };
    let stored = Tail::new(FileStorage::read_only(directory), Sequence(last), false).next().transpose()?;
    Ok(stored.is_some_and(|stored| stored.leaf == head))
}

fn path(directory: &Path) -> PathBuf {
    directory.join("index.sqlite")
}

fn delete(directory: &Path) -> Result<(), JournalError> {
    for name in ["index.sqlite", "index.sqlite-wal", "index.sqlite-shm"] {
        match fs::remove_file(directory.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(JournalError::storage("delete the index")(error));
            }
            _ => {}
        }
    }
    Ok(())
}
