//! The lines of a market file, unpacked on the way, each of bounded length.

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use portcullis_core::{InstrumentId, MarketBody, MarketEvent, Timestamp};

use super::{DataError, Place, Recording, zip};

/// Most events a set of files may hold.
const EVENTS_MAX: usize = 50_000_000;
/// Most book levels a set of files may hold: 1 GiB of memory.
const LEVELS_MAX: usize = 64 << 20;
/// Longest line of a file, in bytes.
const LINE_MAX: u64 = 4 << 20;
/// Most bytes a file may unpack to.
const UNPACKED_MAX: u64 = 16 << 30;

/// With which a gzip file begins.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The lines of a file.
pub(crate) struct Lines {
    pub(super) file: PathBuf,
    reader: Box<dyn BufRead>,
    number: u64,
    /// Bytes read so far, unpacked.
    read: u64,
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
    /// Opens a file: gzip, zip or plain.
    pub(super) fn open(file: &Path) -> Result<Self, DataError> {
        let unreadable = |source| DataError::Unreadable { file: file.to_owned(), source };
        let mut reader = BufReader::with_capacity(1 << 16, File::open(file).map_err(unreadable)?);
        let start = reader.fill_buf().map_err(unreadable)?;
        let reader: Box<dyn BufRead> = if start.starts_with(&GZIP) {
            Box::new(BufReader::new(MultiGzDecoder::new(reader)))
        } else if zip::is_zip(start) {
            let archive = |reason| DataError::Archive { file: file.to_owned(), reason };
            Box::new(BufReader::new(zip::open(reader.into_inner()).map_err(archive)?))
        } else {
            Box::new(reader)
        };
        Ok(Self { file: file.to_owned(), reader, number: 0, read: 0, order: RefCell::default() })
    }

    /// The next line without its end; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<String>, DataError> {
        let mut line = Vec::new();
        let read = (&mut self.reader).take(LINE_MAX).read_until(b'\n', &mut line);
        let read = read.map_err(|source| DataError::Unreadable { file: self.file.clone(), source })?;
        if read == 0 {
            return Ok(None);
        }
        let read = u64::try_from(read).unwrap_or(u64::MAX);
        self.number = self.number.saturating_add(1);
        self.read = self.read.saturating_add(read);
        if self.read > UNPACKED_MAX {
            return Err(DataError::TooLarge { file: self.file.clone() });
        }
        if line.last() != Some(&b'\n') && read >= LINE_MAX {
            return Err(self.bad("line", "longer than 4 MiB"));
        }
        while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            line.pop();
        }
        String::from_utf8(line).map(Some).map_err(|_| self.bad("line", "not UTF-8"))
    }

    pub(super) fn bad(&self, column: &'static str, reason: impl Into<String>) -> DataError {
        DataError::BadLine { file: self.file.clone(), line: self.number, column, reason: reason.into() }
    }

    /// Keeps an event, unless there are too many.
    pub(super) fn push(&self, into: &mut Recording, event: MarketEvent) -> Result<(), DataError> {
        if let MarketBody::Book(book) = &event.body {
            into.levels = into.levels.saturating_add(book.bids.len()).saturating_add(book.asks.len());
        }
        if into.events.len() >= EVENTS_MAX || into.levels > LEVELS_MAX {
            return Err(DataError::TooMany { file: self.file.clone(), line: self.number });
        }
        self.order.borrow_mut().note(self, event.instrument, event.venue_time);
        into.events.push(event);
        Ok(())
    }

    pub(super) fn place(&self, before: Timestamp, at: Timestamp) -> Place {
        Place { file: self.file.clone(), line: self.number, before, at }
    }

    /// The words of the file's name.
    pub(super) fn words(&self) -> impl Iterator<Item = String> {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.split(|letter: char| !letter.is_ascii_alphanumeric())
            .map(str::to_owned)
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The first row out of order, in a file that is sorted neither way.
    pub(super) fn disorder(self) -> Option<Place> {
        let order = self.order.into_inner();
        order.fell.filter(|_| order.rose)
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::{Book, Level, Price, Qty};

    use super::*;

    fn lines() -> Lines {
        let (file, reader) = ("a".into(), Box::new(std::io::empty()));
        Lines { file, reader, number: 7, read: 0, order: RefCell::default() }
    }

    #[test]
    fn more_book_levels_than_memory_allows_are_refused_where_they_are_too_many() {
        let levels = vec![Level { price: Price(1), quantity: Qty(1) }; 50];
        let book = Book { update: 1, bids: levels.clone(), asks: levels };
        let (instrument, time) = (InstrumentId(0), Timestamp(1));
        let event =
            MarketEvent { instrument, time, venue_time: time, body: MarketBody::Book(Box::new(book)) };
        let mut into = Recording { levels: LEVELS_MAX - 150, ..Recording::default() };
        assert!(lines().push(&mut into, event.clone()).is_ok());
        let refused = lines().push(&mut into, event);
        assert!(matches!(refused, Err(DataError::TooMany { line: 7, .. })), "{refused:?}");
        assert_eq!(into.events.len(), 1);
    }

    #[test]
    fn a_file_that_unpacks_without_end_is_given_up() {
        let mut lines = Lines { reader: Box::new(BufReader::new(std::io::repeat(b'\n'))), ..lines() };
        assert!(matches!(lines.next(), Ok(Some(line)) if line.is_empty()));
        lines.read = UNPACKED_MAX;
        assert!(matches!(lines.next(), Err(DataError::TooLarge { .. })));
    }
}
