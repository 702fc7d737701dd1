//! What must hold after every step of the gateway (invariants 2, 4 and 5).

use std::collections::BTreeMap;

use portcullis_core::{Gate, InstrumentId, LinkId, OrderStatus, Scope, TradingState};

use super::bounds::worth;
use super::{Watch, worst};
use crate::exchange::{Exchange, SPECS, specs};
use crate::network::Network;
use crate::words::tail;

impl Watch {
    /// Looks at everything.
    pub(crate) fn stepped(&mut self, gate: &Gate, exchange: &Exchange, network: &Network) {
        self.own(gate);
        self.check_reserved(gate, exchange);
        self.check_ends(gate, exchange, network);
        self.check_positions(exchange, network);
        self.check_ladder(gate);
        self.check_halts(gate, exchange, network);
    }

    /// The second step of a rearm is over. Where the crash came in it, the disk may have it or not.
    pub(crate) fn confirmed(&mut self, scope: Scope, crashed: bool) {
        self.rearming = None;
        if crashed {
            self.rearmed.insert(scope);
        }
    }

    /// What was in force when the journal was last flushed is on the disk.
    pub(crate) fn flushed(&mut self) {
        self.durable_ladder.clone_from(&self.ladder);
        self.rearmed.clear();
    }

    pub(super) fn own(&mut self, gate: &Gate) {
        for (instrument, owner) in self.owners.iter_mut().enumerate() {
            *owner = gate.state().owner(InstrumentId(instrument as u32));
        }
    }

    /// Every order of ours that is open at the venue counts in the gate, in full.
    fn check_reserved(&mut self, gate: &Gate, exchange: &Exchange) {
        for order in exchange.open() {
            let Some(link) = order
                .link
                .as_ref()
                .filter(|link| self.creates.get(*link).is_some_and(|create| create.witnessed))
            else {
                continue;
            };
            let left = order.left();
            let detail = match gate.state().orders().by_link(link) {
                None => format!("{} is open at the venue and the gate does not know it", tail(link)),
                Some(known) if !known.status.is_open() => {
                    format!("{} is open at the venue and {} in the gate", tail(link), known.status.as_str())
                }
                Some(known) if known.exposure().0 < left => {
                    format!("{} can execute {left}, and {} is reserved", tail(link), known.exposure().0)
                }
                Some(known) if known.side != order.side || known.reduce_only != order.reduce_only => {
                    format!("{} is another order at the venue", tail(link))
                }
                Some(_) => continue,
            };
            return self.violate("reserved", detail);
        }
    }

    /// Nothing that the venue took, or still may take, counts as never having got there.
    fn check_ends(&mut self, gate: &Gate, exchange: &Exchange, network: &Network) {
        let mut settled: Vec<LinkId> = Vec::new();
        let mut found = None;
        for (link, _) in self.creates.iter().filter(|(_, create)| !create.settled) {
            let there = exchange.order_of(link);
            let taken = there.is_some_and(|order| order.status != portcullis_core::VenueStatus::Rejected);
            let coming = there.is_none() && network.will_be_taken(link);
            let Some(known) = gate.state().orders().by_link(link) else {
                if taken || coming {
                    found = Some(format!("{} left, and the gate does not know it", tail(link)));
                }
                continue;
            };
            let never =
                matches!(known.status, OrderStatus::Rejected | OrderStatus::Absent | OrderStatus::NotSent);
            if never && (taken || coming) {
                let where_it_is = if taken { "is at the venue" } else { "is on its way to the venue" };
                found =
                    Some(format!("{} {where_it_is} and {} in the gate", tail(link), known.status.as_str()));
            }
            let over = there.is_some_and(|order| !order.is_open()) && !known.status.is_open() && !never;
            if over || (never && !taken && !network.is_flying_at_all(link)) {
                settled.push(link.clone());
            }
        }
        for link in settled {
            if let Some(create) = self.creates.get_mut(&link) {
                create.settled = true;
            }
        }
        if let Some(detail) = found {
            self.violate("false-end", detail);
        }
    }

    /// The real worst case stays inside the bound for ever, at the lowest price there ever was.
    fn check_positions(&mut self, exchange: &Exchange, network: &Network) {
        for (instrument, spec) in specs().iter().enumerate().take(SPECS) {
            let Some(limits) = self.limits_of(instrument) else { continue };
            if exchange.disturbed[instrument] {
                continue;
            }
            let worst = worst(instrument, exchange.positions[instrument], exchange, network, &[]);
            let lowest = i128::from(exchange.markets[instrument].lowest)
                * 10_i128.pow(18 - u32::from(spec.price_decimals));
            let value = worth(spec, lowest, worst.long.max(worst.short));
            if value > limits.position_notional_max.0 {
                self.violate("worst-case", format!("instrument {instrument}: {worst:?}, at least {value}"));
            }
        }
    }

    /// A latched state never falls without a rearm of its scope.
    fn check_ladder(&mut self, gate: &Gate) {
        let now: BTreeMap<Scope, TradingState> =
            gate.state().ladder().rungs().map(|(scope, rung)| (scope, rung.state)).collect();
        if now == self.ladder {
            return;
        }
        for (scope, before) in &self.ladder {
            let after = now.get(scope).copied().unwrap_or_default();
            if after < *before && self.rearming == Some(*scope) {
                self.rearmed.insert(*scope);
            } else if after < *before {
                let detail = format!("{scope:?} went from {before} to {after}");
                self.violation.get_or_insert(super::Violation { rule: "ladder-lowered", detail });
            }
        }
        self.ladder = now;
    }

    /// Where a halt says that it is proven, nothing of ours that could add is left, and nothing is on its way.
    fn check_halts(&mut self, gate: &Gate, exchange: &Exchange, network: &Network) {
        for instrument in 0..SPECS {
            if gate.halt_is_proven(InstrumentId(instrument as u32)) != Some(true) {
                continue;
            }
            let ours =
                |link: &Option<LinkId>| link.as_ref().is_some_and(|link| self.creates.contains_key(link));
            let open = exchange.open_in(instrument).find(|order| !order.reduce_only && ours(&order.link));
            let coming = network.creates_in(instrument, exchange).find(|place| !place.reduce_only);
            if open.is_some() || coming.is_some() {
                let detail = format!("instrument {instrument}: {open:?} {coming:?} and the halt is proven");
                return self.violate("halt-proof", detail);
            }
        }
    }

    /// After a restart: what was on the disk must be in force again, or more.
    pub(super) fn check_ladder_survived(&mut self, gate: &Gate) {
        for (scope, before) in self.durable_ladder.clone() {
            let after = gate.state().ladder().of(scope);
            if after < before && !self.rearmed.contains(&scope) {
                self.violate("ladder-lost", format!("{scope:?} was {before} on the disk and is {after}"));
            }
        }
    }

    pub(super) fn take_over_ladder(&mut self, gate: &Gate) {
        self.ladder = gate.state().ladder().rungs().map(|(scope, rung)| (scope, rung.state)).collect();
        self.durable_ladder.clone_from(&self.ladder);
        self.rearmed.clear();
    }
}

impl Network {
    /// Whether a create under this client id will reach the venue inside its window.
    fn will_be_taken(&self, link: &LinkId) -> bool {
        self.flying
            .values()
            .any(|request| request.command.is_create() && request.link == *link && request.arrives_in_time())
    }

    fn is_flying_at_all(&self, link: &LinkId) -> bool {
        self.flying.values().any(|request| request.command.is_create() && request.link == *link)
    }
}
