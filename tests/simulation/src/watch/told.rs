//! What the gateway was told, kept apart from what it made of it.

use portcullis_core::{InstrumentSpec, LinkChange, MarketBody, Side};

use crate::exchange::SPECS;

/// What this life of the gateway was told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    public: bool,
    private: bool,
    /// Whether a snapshot came since the books were last in doubt.
    compared: bool,
    skew: Option<i64>,
    signer_down: bool,
    disk_low: bool,
    rate_used_up: bool,
    pub(crate) limits: bool,
    pub(crate) markets: [View; SPECS],
}

/// A market as told. Prices at 1e-18.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct View {
    bid: Option<i128>,
    ask: Option<i128>,
    last: Option<i128>,
    mark: Option<i128>,
    best_at: Option<Heard>,
    last_at: Option<Heard>,
    mark_at: Option<Heard>,
}

/// When something was heard.
#[derive(Debug, Clone, Copy)]
struct Heard {
    now: u64,
    offset: i64,
}

impl Heard {
    /// How long ago that was at the least, by a clock that may have been set meanwhile.
    fn age(self, now: u64, offset: i64) -> u64 {
        let slack = (offset - self.offset).unsigned_abs() + (-self.offset).max(0) as u64;
        (now - self.now).saturating_sub(slack)
    }
}

impl Told {
    pub(crate) fn link(&mut self, change: LinkChange) {
        match change {
            LinkChange::Public { up } => self.public = up,
            LinkChange::Private { up } => {
                self.private = up;
                self.compared &= up;
            }
            LinkChange::Skew { millis } => self.skew = Some(millis),
            LinkChange::Signer { up } => self.signer_down = !up,
            LinkChange::Disk { up } => self.disk_low = !up,
            LinkChange::RateBudget { up } => self.rate_used_up = !up,
            LinkChange::Journal { .. }
            | LinkChange::Book { .. }
            | LinkChange::SignerCap { .. }
            | LinkChange::Watchdog { .. } => {}
        }
    }

    pub(crate) fn snapshot(&mut self) {
        self.compared = true;
    }

    pub(crate) fn market(
        &mut self,
        instrument: usize,
        spec: &InstrumentSpec,
        body: &MarketBody,
        now: u64,
        offset: i64,
    ) {
        let fine = |price: i64| i128::from(price) * 10_i128.pow(18 - u32::from(spec.price_decimals));
        let heard = Some(Heard { now, offset });
        let view = &mut self.markets[instrument];
        match body {
            MarketBody::Quote { bid, ask } => {
                (view.bid, view.ask, view.best_at) =
                    (Some(fine(bid.price.0)), Some(fine(ask.price.0)), heard);
            }
            MarketBody::Trade { price, .. } => (view.last, view.last_at) = (Some(fine(price.0)), heard),
            MarketBody::Mark { mark, .. } => (view.mark, view.mark_at) = (Some(mark.0), heard),
            MarketBody::Book(_) | MarketBody::Bar(_) | MarketBody::Funding { .. } => {}
        }
    }

    /// Why nothing that adds risk may leave now.
    pub(crate) fn inhibited(&self) -> Option<&'static str> {
        let reasons = [
            (!self.public, "public stream down"),
            (!self.private, "private stream down"),
            (!self.compared, "not reconciled"),
            (self.skew.is_none_or(|skew| skew.unsigned_abs() > 500), "clock skew"),
            (self.signer_down, "signer down"),
            (self.disk_low, "disk nearly full"),
            (self.rate_used_up, "rate budget used up"),
            (!self.limits, "no limits"),
        ];
        reasons.into_iter().find_map(|(holds, why)| holds.then_some(why))
    }
}

impl View {
    /// The highest price in sight.
    pub(crate) fn highest(&self) -> Option<i128> {
        [self.bid, self.ask, self.last, self.mark].into_iter().flatten().max()
    }

    /// What an order of this side would meet.
    pub(crate) fn opposite(&self, side: Side) -> Option<i128> {
        if side == Side::Buy { self.ask } else { self.bid }.or(self.last)
    }

    pub(crate) fn mark(&self) -> Option<i128> {
        self.mark
    }

    /// Ages of the best prices (or of the last trade) and of the mark.
    pub(crate) fn ages(&self, now: u64, offset: i64) -> (Option<u64>, Option<u64>) {
        let age = |heard: Option<Heard>| heard.map(|heard| heard.age(now, offset));
        (age(self.best_at.or(self.last_at)), age(self.mark_at))
    }
}
