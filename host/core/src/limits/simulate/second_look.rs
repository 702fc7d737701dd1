//! One recorded check, held against other limits.

use super::wanted::Wanted;
use crate::ledger::DAY_NS;
use crate::limits::bound::About;
use crate::recent_orders::Content;
use crate::{
    Amount, Category, CheckId, CheckOutcome, InstrumentLimits, InstrumentSpec, Limits, Price, Rate,
    RefusalCode, Rounding, Side, State, StrategyLimits, Timestamp, Verdict,
};

/// Nanoseconds in a minute.
const MINUTE_NS: u64 = 60_000_000_000;

/// What the check says under the other limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SecondLook {
    /// The limit it looks at is the same, or there is none.
    Same,
    /// Yes.
    Pass,
    /// No, with the bound that says so.
    Deny(i128),
    /// The journal does not hold what it takes to tell, which is this.
    Unknown(&'static str),
}

/// What the second look sees.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) old: &'a Limits,
    pub(super) new: &'a Limits,
    pub(super) about: About<'a>,
    pub(super) wanted: Option<&'a Wanted>,
    /// Whether that is an order at the market.
    pub(super) is_market: bool,
    /// The books as the candidate would have kept them.
    pub(super) state: &'a State,
    pub(super) at: Timestamp,
}

/// A second look of a check's own.
type Look<'a> = fn(&Scene<'a>, &CheckOutcome) -> SecondLook;

impl<'a> Scene<'a> {
    /// The checks that are no plain comparison with one number of the file.
    const OWN: [(CheckId, Look<'a>); 10] = [
        (CheckId::CollarMarket, Self::near_collar),
        (CheckId::CollarMark, Self::near_collar),
        (CheckId::CollarWindow, Self::window_collar),
        (CheckId::Protection, Self::protection),
        (CheckId::PriceRange, Self::price_range),
        (CheckId::OpenWindow, Self::open_window),
        (CheckId::AccountMode, Self::account_mode),
        (CheckId::DuplicateIntent, Self::duplicate),
        (CheckId::LossCooldown, Self::loss_cooldown),
        (CheckId::RepeatedExecutions, Self::repeated_executions),
    ];

    pub(super) fn look(&self, outcome: &CheckOutcome) -> SecondLook {
        match outcome.verdict {
            Verdict::CannotEvaluate(code) => self.uncomputed(outcome.check, code),
            Verdict::Overridden => SecondLook::Pass,
            Verdict::Pass | Verdict::Deny(_) => self.computed(outcome),
        }
    }

    /// A check that could not be computed then.
    fn uncomputed(&self, check: CheckId, code: RefusalCode) -> SecondLook {
        let instrument = |limits: &Limits| self.about.spec.and_then(|spec| limits.instrument(spec)).cloned();
        let older = |age: fn(&InstrumentLimits) -> u64| {
            instrument(self.new).map(|new| age(&new)) > instrument(self.old).map(|old| age(&old))
        };
        let wallet = self.new.account.wallet_age_max > self.old.account.wallet_age_max;
        match (code, check) {
            (RefusalCode::LimitMissing, _) => {
                SecondLook::Unknown("there was no limit then, so its number is not recorded")
            }
            (RefusalCode::NoReferencePrice | RefusalCode::StaleMarketData, _)
                if older(|limits| limits.market_data_age_max.0) || older(|limits| limits.mark_age_max.0) =>
            {
                SecondLook::Unknown("the price was too old then, so what it gives is not recorded")
            }
            (_, CheckId::Leverage | CheckId::InitialMargin | CheckId::MaintenanceMargin) if wallet => {
                SecondLook::Unknown("the wallet was too old then, so what it gives is not recorded")
            }
            _ => SecondLook::Same,
        }
    }

    fn computed(&self, outcome: &CheckOutcome) -> SecondLook {
        let check = outcome.check;
        let needs_wallet =
            matches!(check, CheckId::Leverage | CheckId::InitialMargin | CheckId::MaintenanceMargin);
        let own = Self::OWN.iter().find(|(of, _)| *of == check).map(|(_, look)| *look);
        match own {
            Some(look) => look(self, outcome),
            None if needs_wallet && self.wallet_is_too_old() => SecondLook::Deny(0),
            None if check == CheckId::OpenConditional && !self.waits_for_trigger() => SecondLook::Same,
            None => self.at_most(outcome),
        }
    }

    fn at_most(&self, outcome: &CheckOutcome) -> SecondLook {
        let old = self.old.at_most(outcome.check, self.about);
        match self.new.at_most(outcome.check, self.about) {
            new if new == old => SecondLook::Same,
            Some(new) if outcome.seen > new && self.only_closes(outcome.check) => SecondLook::Pass,
            Some(new) => within(outcome.seen, new),
            // The candidate has no section for it.
            None => SecondLook::Deny(0),
        }
    }

    /// The recorded width scales with the fraction, unless the ticks were wider.
    fn collar(&self, outcome: &CheckOutcome, fraction: fn(&InstrumentLimits) -> Rate) -> SecondLook {
        let (Some(spec), Some(old)) = (self.about.spec, self.instrument(self.old)) else {
            return SecondLook::Same;
        };
        let Some(new) = self.instrument(self.new) else { return SecondLook::Deny(0) };
        let unchanged = fraction(old) == fraction(new) && old.collar_ticks == new.collar_ticks;
        // Spot has no mark, and then there is no width.
        if unchanged || outcome.limit == 0 {
            return SecondLook::Same;
        }
        if outcome.check != CheckId::CollarWindow && self.is_market {
            // Its price is the collar's edge, wherever that is.
            return SecondLook::Pass;
        }
        match widths(
            outcome.limit,
            (fraction(old), old.collar_ticks),
            (fraction(new), new.collar_ticks),
            spec,
        ) {
            Some((low, _)) if outcome.seen <= low => SecondLook::Pass,
            Some((_, high)) if outcome.seen > high => SecondLook::Deny(high),
            Some(_) => SecondLook::Unknown(
                "the ticks were wider than the fraction, so the reference price is not recorded",
            ),
            None => SecondLook::Unknown("the width is beyond all bounds"),
        }
    }

    fn near_collar(&self, outcome: &CheckOutcome) -> SecondLook {
        self.collar(outcome, |limits| limits.collar_fraction)
    }

    fn window_collar(&self, outcome: &CheckOutcome) -> SecondLook {
        let changed =
            |limits| self.instrument(limits).map(|limits| (limits.collar_fraction, limits.collar_ticks));
        let moves = self.is_market && changed(self.old) != changed(self.new);
        match self.collar(outcome, |limits| limits.window_fraction) {
            SecondLook::Deny(_) if moves => SecondLook::Unknown(
                "a market order's price moves with the collar, so its distance is not known",
            ),
            look @ (SecondLook::Same | SecondLook::Pass | SecondLook::Deny(_) | SecondLook::Unknown(_)) => {
                look
            }
        }
    }

    fn protection(&self, outcome: &CheckOutcome) -> SecondLook {
        let protection =
            |limits| self.instrument(limits).map(|limits| limits.protection.map(|one| one.stop_fraction));
        let (Some(spec), Some(old)) = (self.about.spec, protection(self.old)) else {
            return SecondLook::Same;
        };
        match (old, protection(self.new)) {
            (_, None) => SecondLook::Deny(0),
            (old, Some(new)) if old == new => SecondLook::Same,
            (_, Some(None)) => SecondLook::Pass,
            (_, Some(Some(_))) if spec.category == Category::Spot => SecondLook::Deny(0),
            (Some(old), Some(Some(new))) => match scaled(outcome.limit, old, new) {
                Some(limit) => within(outcome.seen, limit),
                None => SecondLook::Unknown("the distance is beyond all bounds"),
            },
            (None, Some(Some(new))) => match self.wanted.and_then(|wanted| wanted.stop_distance(new, spec)) {
                Some((distance, widest)) => within(distance.0, widest.0),
                None => SecondLook::Unknown("the price of the order is not recorded"),
            },
        }
    }

    fn price_range(&self, outcome: &CheckOutcome) -> SecondLook {
        let (Some(spec), Some(old)) = (self.about.spec, self.instrument(self.old)) else {
            return SecondLook::Same;
        };
        let Some(new) = self.instrument(self.new) else { return SecondLook::Deny(0) };
        if (old.price_min, old.price_max) == (new.price_min, new.price_max) {
            return SecondLook::Same;
        }
        let mantissa = |bound: Amount, rounding| {
            i128::from(bound.to_price(spec.price_decimals, rounding).unwrap_or(Price(i64::MAX)).0)
        };
        let (lowest, highest) =
            (mantissa(new.price_min, Rounding::Up), mantissa(new.price_max, Rounding::Down));
        let trigger = self.wanted.and_then(|wanted| wanted.trigger).map(|price| i128::from(price.0));
        let prices = [
            Some(outcome.seen),
            self.wanted.and_then(|wanted| wanted.price).map(|price| price.0.into()),
            trigger,
        ];
        let prices = || prices.into_iter().flatten();
        if prices().any(|price| price < lowest) {
            SecondLook::Deny(lowest)
        } else if prices().any(|price| price > highest) {
            SecondLook::Deny(highest)
        } else {
            SecondLook::Pass
        }
    }

    fn open_window(&self, _: &CheckOutcome) -> SecondLook {
        if self.old.account.no_open == self.new.account.no_open {
            return SecondLook::Same;
        }
        let minute = u16::try_from(self.at.0 % DAY_NS / MINUTE_NS).unwrap_or(u16::MAX);
        match self.new.account.no_open.iter().find(|window| window.contains(minute)) {
            Some(window) => SecondLook::Deny(window.until.into()),
            None => SecondLook::Pass,
        }
    }

    fn account_mode(&self, outcome: &CheckOutcome) -> SecondLook {
        if self.old.account.margin_mode == self.new.account.margin_mode {
            SecondLook::Same
        } else if outcome.seen & 2 == 0 {
            SecondLook::Deny(0)
        } else {
            SecondLook::Unknown("the account's margin mode is not recorded")
        }
    }

    fn duplicate(&self, _: &CheckOutcome) -> SecondLook {
        let window = |limits: &Limits| self.strategy(limits).map(|limits| limits.duplicate_window);
        let (Some(strategy), Some(new)) = (self.about.strategy, window(self.new)) else {
            return SecondLook::Same;
        };
        let Some(wanted) = self.wanted.filter(|wanted| wanted.is_place && window(self.old) != Some(new))
        else {
            return SecondLook::Same;
        };
        let content =
            Content::new(wanted.instrument, wanted.side, wanted.quantity, wanted.price, wanted.time_in_force);
        match strategy.recent.age(&content, new, self.at) {
            Some(_) => SecondLook::Deny(new.0.into()),
            None => SecondLook::Pass,
        }
    }

    fn loss_cooldown(&self, outcome: &CheckOutcome) -> SecondLook {
        let (Some(old), Some(new)) = (self.strategy(self.old), self.strategy(self.new)) else {
            return SecondLook::Same;
        };
        let bounds = |limits: &StrategyLimits| (limits.losses_in_a_row_max, limits.loss_cooldown);
        let Some(strategy) = self.about.strategy.filter(|_| bounds(old) != bounds(new)) else {
            return SecondLook::Same;
        };
        let since = self.at.since(strategy.losses.last());
        if since >= new.loss_cooldown {
            return SecondLook::Pass;
        }
        let (ended, most) =
            (i128::from(strategy.losses.losses()), i128::from(new.losses_in_a_row_max).saturating_sub(1));
        // Whether the position that was open then had lost is recorded only where the old pause still ran.
        let (low, high) = if since < old.loss_cooldown {
            (outcome.seen, outcome.seen)
        } else {
            (ended, ended.saturating_add(1))
        };
        match (low > most, high > most) {
            (true, _) => SecondLook::Deny(most),
            (false, false) => SecondLook::Pass,
            (false, true) => SecondLook::Unknown("whether the open position had lost then is not recorded"),
        }
    }

    fn repeated_executions(&self, _: &CheckOutcome) -> SecondLook {
        let bounds = |limits: &Limits| {
            self.strategy(limits)
                .map(|limits| (limits.repeated_executions_max, limits.repeated_executions_pause))
        };
        let (Some(strategy), Some(spec), Some((max, pause))) =
            (self.about.strategy, self.about.spec, bounds(self.new))
        else {
            return SecondLook::Same;
        };
        if bounds(self.old) == Some((max, pause)) {
            return SecondLook::Same;
        }
        let row = strategy.repeats.count(spec.id, self.at, pause);
        within(row.into(), i128::from(max).saturating_sub(1))
    }

    /// Whether it is a bound of worst-case positions and the order only closes what is held, which passes all of those.
    fn only_closes(&self, check: CheckId) -> bool {
        let is_worst_case = matches!(
            check,
            CheckId::PositionInstrument
                | CheckId::PositionStrategy
                | CheckId::PositionAccount
                | CheckId::DirectionAccount
                | CheckId::Leverage
        );
        let Some(wanted) = self.wanted.filter(|wanted| wanted.is_place && is_worst_case) else {
            return false;
        };
        let mut exposure = self.state.orders().exposure(wanted.instrument);
        let side = if wanted.side == Side::Buy { &mut exposure.buys } else { &mut exposure.sells };
        *side = side.saturating_add(wanted.quantity.0.into());
        exposure.only_closes(wanted.side, self.state.ledger().quantity(wanted.instrument))
    }

    /// Whether the wallet would have been too old to count.
    fn wallet_is_too_old(&self) -> bool {
        let (old, new) = (self.old.account.wallet_age_max, self.new.account.wallet_age_max);
        new < old && self.state.wallet().is_some_and(|wallet| self.at.since(wallet.venue_time) > new)
    }

    fn waits_for_trigger(&self) -> bool {
        self.wanted.is_some_and(|wanted| wanted.is_place && wanted.trigger.is_some())
    }

    fn instrument<'l>(&self, limits: &'l Limits) -> Option<&'l InstrumentLimits> {
        limits.instrument(self.about.spec?)
    }

    fn strategy<'l>(&self, limits: &'l Limits) -> Option<&'l StrategyLimits> {
        Some(limits.strategy(&self.about.strategy?.name))
    }
}

fn within(seen: i128, limit: i128) -> SecondLook {
    if seen <= limit { SecondLook::Pass } else { SecondLook::Deny(limit) }
}

/// What a distance of `old` times a price is with `new`; `None` when it does not fit.
fn scaled(distance: i128, old: Rate, new: Rate) -> Option<i128> {
    distance.checked_mul(new.0.into())?.checked_div(old.0.into())
}

/// The least and the largest the width may be with the new fraction and ticks, from the width with the old ones.
fn widths(recorded: i128, old: (Rate, u64), new: (Rate, u64), spec: &InstrumentSpec) -> Option<(i128, i128)> {
    let tick = spec.tick.to_amount(spec.price_decimals)?.0;
    let (old_ticks, new_ticks) = (tick.checked_mul(old.1.into())?, tick.checked_mul(new.1.into())?);
    let fraction = scaled(recorded, old.0, new.0)?;
    let high = fraction.max(new_ticks);
    Some((if recorded > old_ticks { high } else { new_ticks }, high))
}

#[cfg(test)]
mod tests {
    use super::widths;
    use crate::{Amount, Category, InstrumentId, InstrumentSpec, Price, Qty, Rate};

    fn spec() -> InstrumentSpec {
        InstrumentSpec {
            id: InstrumentId(0),
            category: Category::Linear,
            symbol: "XUSDT".parse().unwrap(),
            price_decimals: 2,
            quantity_decimals: 0,
            tick: Price(1),
            step: Qty(1),
            min_quantity: Qty(1),
            max_quantity: Qty(1),
            max_market_quantity: Qty(1),
            min_notional: Amount::ZERO,
            taker_fee: Rate(0),
            maker_fee: Rate(0),
            trading: true,
            has_price_limits: false,
        }
    }

    #[test]
    fn a_width_scales_with_the_fraction_and_the_ticks_bound_it_from_below() {
        let amount = |text: &str| Amount::parse(text).unwrap().0;
        let rate = |text: &str| Rate::parse(text).unwrap();
        let (two, one) = ((rate("0.02"), 10), (rate("0.01"), 10));
        // Two per cent of 100 were two; one per cent is one.
        assert_eq!(widths(amount("2"), two, one, &spec()), Some((amount("1"), amount("1"))));
        // The ten ticks were wider than two per cent of less than five, so the price is not known: the ticks are the least.
        assert_eq!(widths(amount("0.1"), two, one, &spec()), Some((amount("0.1"), amount("0.1"))));
        let wider = (rate("0.04"), 10);
        assert_eq!(widths(amount("0.1"), two, wider, &spec()), Some((amount("0.1"), amount("0.2"))));
        assert_eq!(widths(i128::MAX, two, one, &spec()), None);
    }
}
