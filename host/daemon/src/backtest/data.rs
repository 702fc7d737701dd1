//! The markets of a backtest: recorded files, or the series of the head-to-head.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use portcullis_core::{InstrumentSpec, MarketEvent, Rate};
use portcullis_lab::h1_instrument;
use portcullis_paper::sources::{DataError, Place, load};
use portcullis_paper::{Fees, Listing};

use crate::failure::Failure;

/// How the series of the head-to-head is named: the trades alone, and with the book around them.
const H1: &str = "synthetic:h1:";
const H1_DEPTH: &str = "synthetic:h1-depth:";

/// Most trades of the series in one run.
const H1_MOST: u64 = 1_000_000_000;

/// Market data, checked.
pub(crate) enum Data {
    /// The head-to-head's series.
    H1 { spec: InstrumentSpec, count: u64, depth: bool },
    /// Files.
    Recorded { specs: Vec<InstrumentSpec>, events: Vec<MarketEvent>, skipped: u64 },
}

impl Data {
    /// Reads what `--data` names.
    pub(crate) fn load(named: &[PathBuf], taker: Rate, allow_gaps: bool) -> Result<Self, Failure> {
        let synthetic = |name: &Path| name.to_str().is_some_and(|name| name.starts_with("synthetic:"));
        match named {
            [one] if synthetic(one) => Self::h1(&one.to_string_lossy(), taker),
            _ if named.iter().any(|name| synthetic(name)) => {
                Err(Failure::Usage("a synthetic series cannot be mixed with other data".to_owned()))
            }
            files => Self::recorded(files, taker, allow_gaps),
        }
    }

    /// Whether nothing was read.
    pub(crate) fn is_synthetic(&self) -> bool {
        matches!(self, Self::H1 { .. })
    }

    /// Rows left out because they are of markets that are not served.
    pub(crate) fn skipped(&self) -> u64 {
        match self {
            Self::H1 { .. } => 0,
            Self::Recorded { skipped, .. } => *skipped,
        }
    }

    /// The rules of its instruments.
    pub(crate) fn specs(&self) -> &[InstrumentSpec] {
        match self {
            Self::H1 { spec, .. } => std::slice::from_ref(spec),
            Self::Recorded { specs, .. } => specs,
        }
    }

    fn h1(name: &str, taker: Rate) -> Result<Self, Failure> {
        let depth = name.starts_with(H1_DEPTH);
        let count = name.strip_prefix(if depth { H1_DEPTH } else { H1 });
        let count = count.and_then(|count| count.parse().ok());
        let count = count.filter(|count| (1..=H1_MOST).contains(count)).ok_or_else(|| {
            Failure::Usage(format!(
                "--data {name}: write {H1}N or {H1_DEPTH}N, with N from 1 to {H1_MOST} trades"
            ))
        })?;
        let spec = h1_instrument(taker).ok_or_else(|| anyhow!("no rules for the series' instrument"))?;
        Ok(Self::H1 { spec, count, depth })
    }

    fn recorded(files: &[PathBuf], taker: Rate, allow_gaps: bool) -> Result<Self, Failure> {
        let mut listing = Listing::new(Fees { taker, spot_taker: taker, ..Fees::default() });
        let failed = |error: DataError| Failure::finding(error.code(), error);
        let recording = load(files, &mut listing).map_err(failed)?;
        if let Some(place) = &recording.disorder {
            let what = "lies before the row above it; sort the file by time, either way";
            return Err(Failure::finding("DATA_DISORDER", describe(place, what)));
        }
        if let Some(place) = recording.gap.as_ref().filter(|_| !allow_gaps) {
            let what = "does not follow the one above it at the file's interval; \
                        complete the file, or take it as it is with --allow-gaps";
            return Err(Failure::finding("DATA_GAP", describe(place, what)));
        }
        Ok(Self::Recorded {
            specs: listing.specs().to_vec(),
            events: recording.events,
            skipped: recording.skipped,
        })
    }
}

/// A fee rate in ten-thousandths, as `5.5`.
pub(crate) fn fee(bps: &str) -> Result<Rate, Failure> {
    let wrong = || Failure::Usage(format!("--taker-bps {bps}: must be a decimal from 0 to 1000"));
    let rate = Rate::parse(bps).map_err(|_| wrong())?;
    if !(0..=1_000_000_000_000_000).contains(&rate.0) {
        return Err(wrong());
    }
    rate.0.checked_div(10_000).map(Rate).ok_or_else(wrong)
}

fn describe(place: &Place, what: &str) -> String {
    format!(
        "{}: line {}: the row at {} ms {what} ({} ms)",
        place.file.display(),
        place.line,
        place.at.millis(),
        place.before.millis()
    )
}
