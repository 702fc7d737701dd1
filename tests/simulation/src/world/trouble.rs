//! Faults that come at a time of their own; those of single messages are the network's.

use portcullis_core::LinkChange;

use super::World;
use crate::clock::{MS, SECOND};
use crate::disk::Crash;
use crate::faults::Fault;
use crate::queue::{Event, Stream};
use crate::rng::Rng;

/// Clock difference that the gateway must stand without harm, because it is told of it only every ten seconds.
const SMALL_STEP_MS: i64 = 400;

impl World {
    pub(super) fn fault(&mut self, time: u64) {
        if self.calm {
            return;
        }
        let pause = self.plan.fault_every_s as u64 * SECOND;
        let pause = pause / 2 + self.chaos.below(pause);
        self.outside.get().after(pause, Event::Fault);
        let class = *self.chaos.pick(Fault::ALL);
        let mut rng = self.chaos.fork();
        if !self.outside.get().faults.strikes(class, 1_000) {
            return;
        }
        self.outside.get().note(&[50, class as u64], || format!("fault: {}", class.name()));
        match class {
            Fault::Crash => self.crash(time, &mut rng),
            Fault::Disk => {
                let full = rng.chance(500);
                let both = rng.chance(250);
                self.disk.trouble(|trouble| {
                    (trouble.full, trouble.sync_fails, trouble.reserve_fails) = (full, !full, both);
                });
            }
            Fault::Stall => {
                let most = *rng.pick(&[100 * MS, 2 * SECOND, 30 * SECOND]);
                let stall = rng.below(most);
                self.disk.trouble(|trouble| trouble.stall = stall);
            }
            Fault::Private => self.outside.get().cut(Stream::Private),
            Fault::Public => self.outside.get().cut(Stream::Public),
            Fault::Restart => {
                let down = rng.below(20 * SECOND);
                let mut outside = self.outside.get();
                outside.network.down_until = time + down;
                outside.cut(Stream::Private);
                outside.cut(Stream::Public);
            }
            Fault::Venue => {
                let mut outside = self.outside.get();
                outside.exchange.at(time).venue_acts();
                outside.speak();
            }
            Fault::LateFill => {
                let mut outside = self.outside.get();
                let outside = &mut *outside;
                if outside.exchange.at(time).fill_late()
                    && let Some(execution) = outside.exchange.executions.last()
                {
                    outside.watch.unforeseen(execution);
                }
                outside.speak();
            }
            Fault::Foreign => {
                let mut outside = self.outside.get();
                outside.exchange.at(time).somebody_trades();
                outside.speak();
            }
            Fault::Clock => self.set_clock(&mut rng),
            Fault::Pause => {
                self.clock.reach(time);
                let most = *rng.pick(&[SECOND, 10 * SECOND, 120 * SECOND]);
                let pause = rng.below(most);
                self.clock.advance(pause);
            }
            Fault::Neighbour => {
                let which = rng.below(3) as u8;
                if self.road.is_some() {
                    self.clock.reach(time);
                    self.link(neighbour(which, false));
                    let back = rng.below(20 * SECOND);
                    let session = self.session;
                    self.outside.get().after(back, Event::Neighbour { session, which });
                }
            }
            // These strike single messages, commands and moves.
            Fault::Lost
            | Fault::Duplicate
            | Fault::Reorder
            | Fault::Timeout
            | Fault::Late
            | Fault::Twice
            | Fault::RateLimit
            | Fault::Query
            | Fault::Race
            | Fault::Leap => {}
        }
    }

    /// A crash between two steps, or one that comes in the middle of what the gateway does next. A disk in trouble can be repaired
    /// only by a new start.
    fn crash(&mut self, time: u64, rng: &mut Rng) {
        self.clock.reach(time);
        let power = rng.chance(600);
        if rng.chance(500) || self.disk.has_failed() {
            return self.kill(power);
        }
        let operations = rng.below(12) as u32;
        self.disk.trouble(|trouble| trouble.crash_in = Some(Crash { operations, power }));
    }

    fn set_clock(&mut self, rng: &mut Rng) {
        let offset = match rng.below(10) {
            0..=5 => rng.between(-SMALL_STEP_MS, SMALL_STEP_MS),
            6..=7 => rng.between(0, 180_000),
            _ => 0,
        };
        self.clock.set_offset(offset * MS as i64);
        self.ahead = self.ahead.max(offset.max(0) as u64 * MS);
    }
}

/// What a neighbour's coming and going is called.
pub(super) fn neighbour(which: u8, up: bool) -> LinkChange {
    match which {
        0 => LinkChange::Signer { up },
        1 => LinkChange::Disk { up },
        _ => LinkChange::RateBudget { up },
    }
}
