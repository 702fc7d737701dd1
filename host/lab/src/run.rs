//! The driver: hands events to strategies and lets the world pass, in virtual time (RULES T4–T7).

use std::collections::BTreeMap;

use portcullis_core::{Amount, MarketEvent, Span, Timestamp};
use portcullis_gateway::Step;

use crate::guest::{Guest, GuestFault};
use crate::lane::{Deed, Lane, Packed};
use crate::world::{LabRoad, World};

/// Strategies and their world, until the market ends.
#[derive(Debug)]
pub(crate) struct Run<'d, G> {
    pub(crate) world: World<'d>,
    pub(crate) lanes: Vec<Lane<G>>,
    pub(crate) lookahead: Span,
}

/// What is left of a run.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) road: LabRoad,
    /// Market events that passed.
    pub(crate) events: u64,
    pub(crate) drawdown: Amount,
    /// Events each strategy consumed, and its gauges.
    pub(crate) strategies: Vec<(u64, BTreeMap<String, f64>)>,
}

impl<G: Guest> Run<'_, G> {
    /// Runs until the last market event has passed.
    pub(crate) fn finish(mut self) -> Result<Finished, GuestFault> {
        loop {
            self.tell()?;
            let Some(market) = self.world.ahead().first().map(|event| event.time) else { break };
            let own = self.lanes.iter().filter_map(Lane::due).min();
            let next = own.map_or(market, |own| own.min(market));
            // What happens elsewhere by then may give strategies something to see first.
            if self.world.due() <= next {
                self.world.proceed();
                continue;
            }
            match self.lanes.as_mut_slice() {
                [] => {
                    let all = self.world.ahead().len();
                    self.world.advance(all);
                }
                [_] => self.step_alone()?,
                _ => self.step_together()?,
            }
        }
        let strategies = self.lanes.iter().map(|lane| (lane.delivered(), lane.gauges().clone())).collect();
        let (road, events, drawdown) = self.world.finish();
        Ok(Finished { road, events, drawdown, strategies })
    }

    /// Passes on what the gate wants strategies to know.
    fn tell(&mut self) -> Result<(), GuestFault> {
        for (due, notice) in self.world.take_told() {
            if let Some(lane) = self.lanes.iter_mut().find(|lane| lane.id == notice.strategy) {
                lane.tell(due, notice);
            }
        }
        match self.world.take_floods().first() {
            None => Ok(()),
            Some(_) => Err(GuestFault {
                code: "FLOOD",
                detail:
                    "more intents than intents_burst_max and intents_per_second_max allow, for a whole second"
                        .to_owned(),
            }),
        }
    }

    /// One strategy: it gets as much as nothing can come between, and stops itself where its own actions could (RULES T3).
    fn step_alone(&mut self) -> Result<(), GuestFault> {
        let Self { world, lanes, .. } = self;
        let Some(lane) = lanes.first_mut() else { return Ok(()) };
        let until = world.due();
        let most = lane.size.most();
        let clear = world.clear(most);
        let ahead = world.ahead();
        let packed = lane.pack(ahead.get(..clear).unwrap_or(ahead), until, most);
        if packed.records == 0 {
            // Nothing of it concerns the strategy.
            return pass_unseen(world, packed);
        }
        let (deeds, done) = lane.call()?;
        lane.size.consumed(done == packed.span, packed.full);
        let id = lane.id;
        let mut passed = 0;
        for deed in deeds {
            match deed.place {
                Some(place) => {
                    let after = place.saturating_add(1);
                    world.advance(after.saturating_sub(passed));
                    passed = after;
                }
                None => world.settle(deed.time),
            }
            world.act(deed.time, id, deed.steps);
        }
        world.advance(done.saturating_sub(passed));
        Ok(())
    }

    /// Several strategies on one account: a window [T, T + L) in which none can see what another did. All are asked first; what they did
    /// is then put in order (RULES T5, T7). Without a lookahead a window is one event.
    fn step_together(&mut self) -> Result<(), GuestFault> {
        let Self { world, lanes, lookahead } = self;
        let market = world.ahead().first().map(|event| event.time);
        let own = lanes.iter().filter_map(Lane::due).min();
        let Some(first) = own.into_iter().chain(market).min() else { return Ok(()) };
        let own_comes_first = own == Some(first);
        let (end, most) = match lookahead.0 {
            0 => (first.after(Span(1)), usize::from(!own_comes_first)),
            _ => (first.after(*lookahead), crate::frames::MOST),
        };
        let until = end.min(world.due());
        let clear = world.clear(most.max(1)).min(most);
        let ahead = world.ahead();
        let inside = ahead.get(..clear).unwrap_or(ahead);
        let inside = inside.get(..inside.partition_point(|event| event.time < until)).unwrap_or(inside);
        let mut deeds = Vec::new();
        for (number, lane) in lanes.iter_mut().enumerate() {
            let one_deed = *lookahead == Span(0);
            ask(lane, inside, until, one_deed, &mut |deed| deeds.push((number, deed)))?;
        }
        // Before a market event comes what is a strategy's own; among equals the strategies' order counts. The sort is stable, so that
        // each strategy's own order stays.
        deeds.sort_by_key(|(number, deed)| {
            (deed.time, deed.place.map_or(0, |place| place.saturating_add(1)), *number)
        });
        let times: Vec<Timestamp> = inside.iter().map(|event| event.time).collect();
        let mut passed = 0;
        for (number, deed) in deeds {
            let before = || times.partition_point(|time| *time < deed.time);
            let after = deed.place.map_or_else(before, |place| place.saturating_add(1));
            world.advance(after.saturating_sub(passed));
            passed = passed.max(after);
            if deed.place.is_none() {
                world.settle(deed.time);
            }
            let Some(lane) = lanes.get(number) else { continue };
            world.act(deed.time, lane.id, deed.steps);
        }
        world.advance(times.len().saturating_sub(passed));
        Ok(())
    }
}

/// Lets events pass that no strategy sees.
fn pass_unseen(world: &mut World<'_>, packed: Packed) -> Result<(), GuestFault> {
    if packed.span == 0 {
        let detail = "an event does not fit into a frame".to_owned();
        return Err(GuestFault { code: "HOST", detail });
    }
    world.advance(packed.span);
    Ok(())
}

/// Asks one strategy about everything it sees in a window; with `one_deed` it is asked no further once it did something.
fn ask<G: Guest>(
    lane: &mut Lane<G>,
    inside: &[MarketEvent],
    until: Timestamp,
    one_deed: bool,
    take: &mut impl FnMut(Deed),
) -> Result<(), GuestFault> {
    let mut passed = 0;
    loop {
        let rest = inside.get(passed..).unwrap_or_default();
        if rest.is_empty() && lane.due().is_none_or(|due| due >= until) {
            return Ok(());
        }
        let most = lane.size.most();
        let packed = lane.pack(rest, until, most);
        if packed.records == 0 {
            if packed.span == 0 {
                return Ok(());
            }
            passed = passed.saturating_add(packed.span);
            continue;
        }
        let (deeds, done) = lane.call()?;
        lane.size.consumed(done == packed.span, packed.full);
        let mut acted = false;
        for deed in deeds {
            acted |= deed.steps.iter().any(asks);
            take(deed.moved(passed));
        }
        passed = passed.saturating_add(done);
        if one_deed && acted {
            return Ok(());
        }
    }
}

/// Whether a step has consequences, so that a strategy stops after it where there is no lookahead.
fn asks(step: &Step) -> bool {
    match step {
        Step::Warm | Step::Resynced => false,
        Step::Action(..) => true,
    }
}
