//! The exchange's state on disk: one append-only file of JSON lines. The first line says whose state it is; every further line
//! is one batch of events, written with one call, so that a batch is there whole or not at all. State is the fold of the lines.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use portcullis_core::Category;
use serde::{Deserialize, Serialize};

use crate::engine::Event;
use crate::listing::Listing;

/// The file's format.
const VERSION: u32 = 1;
/// Growth after which the file is rewritten without what is no longer needed.
const COMPACT_AFTER: u64 = 64 << 20;

/// Why the state cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system said no.
    #[error("{file}: {source}", file = file.display())]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A line that is not the last is not what was written.
    #[error("{file}: line {line} is damaged: {reason}", file = file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
}

/// Whose state it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    version: u32,
    /// Tells the names of one exchange from another's.
    pub(crate) realm: u64,
    /// The listed instruments in the order of their numbers.
    pub(crate) instruments: Vec<(Category, String)>,
}

impl Header {
    pub(crate) fn new(realm: u64, listing: &Listing) -> Self {
        let name = |spec: &portcullis_core::InstrumentSpec| (spec.category, spec.symbol.to_string());
        Self { version: VERSION, realm, instruments: listing.specs().iter().map(name).collect() }
    }
}

/// The open file.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    file: File,
    /// Bytes appended since the file was written anew.
    grown: u64,
    line: Vec<u8>,
}

/// What an earlier run left.
pub(crate) struct Saved {
    pub(crate) header: Header,
    pub(crate) events: Vec<Event>,
}

impl Store {
    /// Reads what an earlier run left in a folder; `None` when there was none. A last line without its end was never acknowledged
    /// and is left out.
    pub(crate) fn read(dir: &Path) -> Result<Option<Saved>, StoreError> {
        let path = path_in(dir);
        let io = |source| StoreError::Io { file: path.clone(), source };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(io(source)),
        };
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let (mut line, mut number, mut saved) = (Vec::new(), 0_u64, None);
        loop {
            line.clear();
            if reader.read_until(b'\n', &mut line).map_err(io)? == 0 || line.last() != Some(&b'\n') {
                return Ok(saved);
            }
            number = number.saturating_add(1);
            let damaged = |reason: serde_json::Error| StoreError::Damaged {
                file: path.clone(),
                line: number,
                reason: reason.to_string(),
            };
            match &mut saved {
                None => {
                    let header: Header = serde_json::from_slice(&line).map_err(damaged)?;
                    if header.version != VERSION {
                        let reason = format!("version {}, this program reads {VERSION}", header.version);
                        return Err(StoreError::Damaged { file: path, line: number, reason });
                    }
                    saved = Some(Saved { header, events: Vec::new() });
                }
                Some(saved) => {
                    let batch: Vec<Event> = serde_json::from_slice(&line).map_err(damaged)?;
                    saved.events.extend(batch);
                }
            }
        }
    }

    /// Writes the state anew, in place of what was there, and stays open behind it.
    pub(crate) fn create<'a>(
        dir: &Path,
        header: &Header,
        events: impl Iterator<Item = &'a Event>,
    ) -> Result<Self, StoreError> {
        let path = path_in(dir);
        let io = |source| StoreError::Io { file: path.clone(), source };
        fs::create_dir_all(dir).map_err(|source| StoreError::Io { file: dir.to_owned(), source })?;
        let draft = path.with_extension("new");
        let mut file = BufWriter::new(File::create(&draft).map_err(io)?);
        write_line(&mut file, header).map_err(io)?;
        for event in events {
            write_line(&mut file, &[event]).map_err(io)?;
        }
        let file = file.into_inner().map_err(|error| io(error.into_error()))?;
        file.sync_data().map_err(io)?;
        fs::rename(&draft, &path).map_err(io)?;
        let file = OpenOptions::new().append(true).open(&path).map_err(io)?;
        Ok(Self { path, file, grown: 0, line: Vec::new() })
    }

    /// Appends one batch. It survives the death of this process, not that of the machine: paper money is not worth an `fsync`.
    pub(crate) fn append(&mut self, events: &[Event]) -> Result<(), StoreError> {
        self.line.clear();
        let result = write_line(&mut self.line, &events).and_then(|()| self.file.write_all(&self.line));
        result.map_err(|source| StoreError::Io { file: self.path.clone(), source })?;
        self.grown = self.grown.saturating_add(u64::try_from(self.line.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Whether it is time to write the state anew.
    pub(crate) fn is_long(&self) -> bool {
        self.grown >= COMPACT_AFTER
    }

    /// The folder it lies in.
    pub(crate) fn dir(&self) -> PathBuf {
        self.path.parent().unwrap_or(Path::new(".")).to_owned()
    }
}

fn path_in(dir: &Path) -> PathBuf {
    dir.join("state.jsonl")
}

fn write_line(into: &mut impl Write, row: &impl Serialize) -> std::io::Result<()> {
    let text = serde_json::to_vec(row).map_err(std::io::Error::other)?;
    into.write_all(&text)?;
    into.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use portcullis_core::Amount;

    use super::*;
    use crate::engine::Wallet;

    fn wallet(balance: i128) -> Event {
        let zero = Amount(0);
        Event::Wallet(Wallet {
            coin: crate::engine::Coin::USDT,
            balance: Amount(balance),
            deposits: zero,
            realised: zero,
            traded: zero,
            fees: zero,
            funding: zero,
        })
    }

    fn header() -> Header {
        Header { version: VERSION, realm: 9, instruments: vec![(Category::Linear, "BTCUSDT".to_owned())] }
    }

    #[test]
    fn what_was_written_is_read_and_a_torn_batch_is_not() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Store::read(dir.path()).unwrap().is_none());
        let (one, two) = (wallet(1), wallet(i128::MAX));
        let mut store = Store::create(dir.path(), &header(), [&one].into_iter()).unwrap();
        store.append(&[two.clone(), one.clone()]).unwrap();
        store.append(std::slice::from_ref(&two)).unwrap();
        drop(store);
        let saved = Store::read(dir.path()).unwrap().unwrap();
        assert_eq!(
            (saved.header, saved.events),
            (header(), vec![one.clone(), two.clone(), one.clone(), two.clone()])
        );
        let path = path_in(dir.path());
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(Store::read(dir.path()).unwrap().unwrap().events.len(), 3);
    }

    #[test]
    fn damage_before_the_end_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::create(dir.path(), &header(), [&wallet(1)].into_iter()).unwrap();
        store.append(&[wallet(2)]).unwrap();
        let path = path_in(dir.path());
        let text = fs::read_to_string(&path).unwrap().replacen("balance", "ba1ance", 1);
        fs::write(&path, text).unwrap();
        assert!(matches!(Store::read(dir.path()), Err(StoreError::Damaged { line: 2, .. })));
    }
}
