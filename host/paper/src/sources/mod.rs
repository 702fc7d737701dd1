//! Where markets come from: recorded files, the seeded synthetic market, or the public streams of the real exchange.

mod csv;
mod depth;
mod feed;
mod frames;
mod kline;
mod lines;
mod live;
mod random;
mod raw_feed;
mod recorded_frames;
mod synthetic;
mod trades;
mod zip;

use std::path::{Path, PathBuf};

use portcullis_core::{MarketEvent, Timestamp};

use crate::listing::Listing;

use lines::Lines;

pub use feed::{Feed, Speed};
pub use live::{Live, LiveError};
pub(crate) use live::{LiveQueue, follow};
pub(crate) use random::{Random, mix};

/// Why market data cannot be used. Each names the file.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The file cannot be opened or read, or its compression is broken.
    #[error("{file}: cannot be read: {source}", file = file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The first line is that of no known format.
    #[error(
        "{file}: unknown format; its first line is {line:?}. Known: market,symbol,… (Binance trades), timestamp,symbol,side,… \
         and id,timestamp,price,volume,side (Bybit trades), start_ms,open,high,low,close,volume and 2024.01.31 23:59,… (klines), \
         frames of Bybit's public streams, one a line, as in its order book archives, and raw Binance feeds", file = file.display()
    )]
    UnknownFormat {
        /// The file.
        file: PathBuf,
        /// Its first line, cut to 80 bytes.
        line: String,
    },
    /// A line does not hold what its format says.
    #[error("{file}: line {line}, column {column}: {reason}", file = file.display())]
    BadLine {
        /// The file.
        file: PathBuf,
        /// Counted from 1, the header included.
        line: u64,
        /// Name of the column.
        column: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The name of a kline file names no instrument we have rules for.
    #[error("{file}: the file name names no known symbol (for example BTCUSDT)", file = file.display())]
    NoSymbol {
        /// The file.
        file: PathBuf,
    },
    /// The files hold no event that can be used.
    #[error("{file}: holds no market events that can be used", file = file.display())]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// The files hold more events than fit.
    #[error(
        "{file}: line {line}: more than 50,000,000 events or 67,108,864 book levels in all; give fewer files, or cut this one \
         before that line", file = file.display()
    )]
    TooMany {
        /// The file at which it was too much.
        file: PathBuf,
        /// The line at which it was too much.
        line: u64,
    },
    /// The file unpacks to more than is read.
    #[error("{file}: unpacks to more than 16 GiB; cut it into smaller files", file = file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
    },
    /// The archive is broken, or not one that can be read.
    #[error("{file}: {reason}", file = file.display())]
    Archive {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl DataError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "DATA_UNREADABLE",
            Self::UnknownFormat { .. } => "DATA_FORMAT",
            Self::BadLine { .. } => "DATA_LINE",
            Self::NoSymbol { .. } => "DATA_SYMBOL",
            Self::Empty { .. } => "DATA_EMPTY",
            Self::TooMany { .. } => "DATA_TOO_MANY",
            Self::TooLarge { .. } => "DATA_TOO_LARGE",
            Self::Archive { .. } => "DATA_ARCHIVE",
        }
    }
}

/// Market events of one or more files, merged by time.
#[derive(Debug, Default)]
pub struct Recording {
    /// In order of time; both times of an event are the file's.
    pub events: Vec<MarketEvent>,
    /// Rows left out because they are of a market that is not served, such as coin-margined contracts.
    pub skipped: u64,
    /// The first row that lies before the row above it, in a file that is sorted neither way. The events are sorted all the same.
    pub disorder: Option<Place>,
    /// The first kline that does not follow the one before at the file's interval, or book update that does not follow its number.
    pub gap: Option<Place>,
    /// How many such there are.
    pub gaps: u64,
    /// Book levels in all events, for the bound on memory.
    levels: usize,
}

impl Recording {
    fn note_gap(&mut self, place: Place) {
        self.gaps = self.gaps.saturating_add(1);
        self.gap.get_or_insert(place);
    }
}

/// A row of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// Its line, counted from 1, the header included.
    pub line: u64,
    /// When the row above it was.
    pub before: Timestamp,
    /// When this row is.
    pub at: Timestamp,
}

/// Reads files of any known format and merges them by time. Instruments are listed as they are met.
///
/// # Errors
///
/// A [`DataError`] that names the file and, for a broken line, the line and column.
pub fn load(files: &[PathBuf], listing: &mut Listing) -> Result<Recording, DataError> {
    let mut recording = Recording::default();
    for file in files {
        let before = recording.events.len();
        load_one(file, listing, &mut recording)?;
        if recording.events.len() == before {
            return Err(DataError::Empty { file: file.clone() });
        }
    }
    // Stable: events of one moment keep the order of the files and of their lines.
    recording.events.sort_by_key(|event| event.venue_time);
    Ok(recording)
}

fn load_one(file: &Path, listing: &mut Listing, into: &mut Recording) -> Result<(), DataError> {
    let mut lines = Lines::open(file)?;
    read(&mut lines, listing, into)?;
    if into.disorder.is_none() {
        into.disorder = lines.disorder();
    }
    Ok(())
}

fn read(lines: &mut Lines, listing: &mut Listing, into: &mut Recording) -> Result<(), DataError> {
    let first = lines.next()?.unwrap_or_default();
    if first.starts_with("market,symbol,") {
        trades::binance(lines, &first, listing, into)
    } else if first.starts_with("timestamp,symbol,side,") {
        trades::bybit(lines, &first, listing, into)
    } else if first.starts_with("id,timestamp,price,volume,side") {
        trades::bybit_spot(lines, listing, into)
    } else if first.starts_with("start_ms,open,") || first.starts_with("open_ms,open,") {
        kline::read(lines, &first, listing, into)
    } else if kline::is_minute(&first) {
        kline::read_minutes(lines, first, listing, into)
    } else if first.starts_with('{') {
        recorded_frames::read(lines, first, listing, into)
    } else if first.starts_with(|letter: char| letter.is_ascii_digit()) && first.contains(" {") {
        raw_feed::read(lines, first, listing, into)
    } else {
        let cut = first.get(..first.floor_char_boundary(80)).unwrap_or_default();
        Err(DataError::UnknownFormat { file: lines.file.clone(), line: cut.to_owned() })
    }
}
