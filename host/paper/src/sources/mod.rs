//! Where markets come from: recorded files or the seeded synthetic market.

mod csv;
mod feed;
mod kline;
mod random;
mod raw_feed;
mod synthetic;
mod trades;

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use portcullis_core::{InstrumentId, MarketEvent, Timestamp};

use crate::listing::Listing;

pub use feed::{Feed, Speed};
pub(crate) use random::{Random, mix};

/// Most events a set of files may hold.
const EVENTS_MAX: usize = 50_000_000;
/// Longest line of a file, in bytes.
const LINE_MAX: u64 = 4 << 20;

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
         (Bybit trades), start_ms,open,high,low,close,volume (klines), and raw Binance feeds", file = file.display()
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
    #[error("{file}: more than 50,000,000 events in all", file = file.display())]
    TooMany {
        /// The file at which it was too much.
        file: PathBuf,
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
    /// The first kline that does not follow the one before at the file's interval.
    pub gap: Option<Place>,
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
    read(&mut lines, file, listing, into)?;
    let order = lines.order.into_inner();
    if let Some(fell) = order.fell.filter(|_| order.rose)
        && into.disorder.is_none()
    {
        into.disorder = Some(fell);
    }
    Ok(())
}

fn read(
    lines: &mut Lines,
    file: &Path,
    listing: &mut Listing,
    into: &mut Recording,
) -> Result<(), DataError> {
    let first = lines.next()?.unwrap_or_default();
    if first.starts_with("market,symbol,") {
        trades::binance(lines, &first, listing, into)
    } else if first.starts_with("timestamp,symbol,side,") {
        trades::bybit(lines, &first, listing, into)
    } else if first.starts_with("start_ms,open,") || first.starts_with("open_ms,open,") {
        kline::read(lines, &first, listing, into)
    } else if first.starts_with(|letter: char| letter.is_ascii_digit()) && first.contains(" {") {
        raw_feed::read(lines, first, listing, into)
    } else {
        let cut = first.get(..first.floor_char_boundary(80)).unwrap_or_default();
        Err(DataError::UnknownFormat { file: file.to_owned(), line: cut.to_owned() })
    }
}

/// The lines of a file, unpacked if it is gzip.
pub(crate) struct Lines {
    file: PathBuf,
    reader: Box<dyn BufRead>,
    number: u64,
    order: RefCell<Order>,
}

/// In which order the rows of a file come.
#[derive(Default)]
struct Order {
    /// The time of the last row of each instrument.
    last: Vec<(InstrumentId, Timestamp)>,
    rose: bool,
    fell: Option<Place>,
}

impl Order {
    fn note(&mut self, lines: &Lines, instrument: InstrumentId, at: Timestamp) {
        let Some((_, last)) = self.last.iter_mut().find(|(id, _)| *id == instrument) else {
            self.last.push((instrument, at));
            return;
        };
        let before = std::mem::replace(last, at);
        self.rose |= at > before;
        if at < before && self.fell.is_none() {
            self.fell = Some(lines.place(before, at));
        }
    }
}

impl Lines {
    fn open(file: &Path) -> Result<Self, DataError> {
        let unreadable = |source| DataError::Unreadable { file: file.to_owned(), source };
        let mut reader = BufReader::with_capacity(1 << 16, File::open(file).map_err(unreadable)?);
        let packed = reader.fill_buf().map_err(unreadable)?.starts_with(&[0x1f, 0x8b]);
        let reader: Box<dyn BufRead> =
            if packed { Box::new(BufReader::new(MultiGzDecoder::new(reader))) } else { Box::new(reader) };
        Ok(Self { file: file.to_owned(), reader, number: 0, order: RefCell::default() })
    }

    /// The next line without its end; `None` at the end of the file.
    fn next(&mut self) -> Result<Option<String>, DataError> {
        let mut line = Vec::new();
        let read = self.reader.by_ref().take(LINE_MAX).read_until(b'\n', &mut line);
        let read = read.map_err(|source| DataError::Unreadable { file: self.file.clone(), source })?;
        if read == 0 {
            return Ok(None);
        }
        self.number = self.number.saturating_add(1);
        if line.last() != Some(&b'\n') && u64::try_from(read).is_ok_and(|read| read >= LINE_MAX) {
            return Err(self.bad("line", "longer than 4 MiB"));
        }
        while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            line.pop();
        }
        String::from_utf8(line).map(Some).map_err(|_| self.bad("line", "not UTF-8"))
    }

    pub(crate) fn bad(&self, column: &'static str, reason: impl Into<String>) -> DataError {
        DataError::BadLine { file: self.file.clone(), line: self.number, column, reason: reason.into() }
    }

    fn push(&self, into: &mut Recording, event: MarketEvent) -> Result<(), DataError> {
        if into.events.len() >= EVENTS_MAX {
            return Err(DataError::TooMany { file: self.file.clone() });
        }
        self.order.borrow_mut().note(self, event.instrument, event.venue_time);
        into.events.push(event);
        Ok(())
    }

    fn place(&self, before: Timestamp, at: Timestamp) -> Place {
        Place { file: self.file.clone(), line: self.number, before, at }
    }

    /// The words of the file's name.
    fn words(&self) -> impl Iterator<Item = String> {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.split(|letter: char| !letter.is_ascii_alphanumeric())
            .map(str::to_owned)
            .collect::<Vec<_>>()
            .into_iter()
    }
}
