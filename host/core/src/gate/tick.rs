//! What time brings about.

use crate::ledger::DAY_NS;
use crate::{
    FindingKind, OrderId, OrderNumber, Origin, Record, RefusalCode, RefusedSummary, Scope, Span, StateCause,
    StrategyId, TradingState,
};

use super::turn::Turn;

/// How often the slower work is done.
const SWEEP: Span = Span::from_secs(1);

impl Turn<'_> {
    /// Time passed.
    pub(super) fn tick(&mut self) {
        let due: Vec<OrderId> = self.state.orders().due(self.now).collect();
        for id in due {
            self.cancel(id, Origin::GoodTill, None, &[]);
        }
        self.overdue();
        if self.now.since(self.desk.swept_at) < SWEEP {
            return;
        }
        self.summarise_floods();
        self.roll_day();
        self.check_losses();
        self.check_sound();
        self.check_inhibits();
        self.pursue_halts();
        self.pursue_protection();
        self.put_off_unsigned();
        self.ask_about_orders();
        self.keep_reconciling();
        self.desk.swept_at = self.now;
    }

    /// One record for all intents of a strategy beyond its bucket, and a strike (RULES G9).
    fn summarise_floods(&mut self) {
        let flooded: Vec<(StrategyId, u64, u64)> = self
            .desk
            .live
            .iter_mut()
            .filter(|(_, live)| live.overflow > 0)
            .map(|(id, live)| {
                (*id, std::mem::take(&mut live.overflow), std::mem::take(&mut live.overflow_number))
            })
            .collect();
        for (strategy, count, last_number) in flooded {
            self.record(Record::RefusedSummary(RefusedSummary {
                strategy,
                code: RefusalCode::IntentRate,
                count,
                last_number: OrderNumber(last_number),
                at: self.now,
            }));
            self.effects.strikes.push(strategy);
        }
    }

    /// Anchors the day's loss at the first moment of the day at which every position can be valued.
    pub(super) fn roll_day(&mut self) {
        if self.now.0 / DAY_NS > self.state.anchor.day
            && let Some(anchor) = self.day_anchor()
        {
            self.record(Record::DayAnchor(anchor));
        }
    }

    /// Books whose sums do not fit their types bound nothing.
    fn check_sound(&mut self) {
        if self.state.ledger().is_unsound() {
            let detail = "a sum in the books does not fit".to_owned();
            if self.raise(Scope::Account, TradingState::EntriesCancelled, StateCause::Unsound, detail.clone())
            {
                self.finding(crate::Finding {
                    kind: FindingKind::Unsound,
                    order: None,
                    instrument: None,
                    detail,
                    at: self.now,
                });
            }
        }
    }
}
