//! The gateway comes up, dies, and comes up again.

use portcullis_core::{Input, Limits};

use super::{REST, World};
use crate::clock::{MS, SECOND, START};
use crate::disk::Crash;
use crate::exchange::{SPECS, specs};
use crate::faults::Fault;
use crate::gateway;
use crate::plan::Sabotage;
use crate::queue::{Event, Stream};
use crate::wire::Wire;

impl World {
    /// The gateway starts on what the disk holds.
    pub(super) fn restart(&mut self, time: u64) {
        if self.road.is_some() {
            return;
        }
        self.clock.reach(time);
        let before = self.last.take();
        if self.session > 0 {
            self.disk = self.disk.after();
        }
        if self.outside.get().sabotage == Some(Sabotage::ForgetTail) {
            self.disk.forget_tail();
        }
        if self.session > 0 && self.outside.get().faults.strikes(Fault::Crash, 100) {
            let operations = self.chaos.below(6) as u32;
            self.disk.trouble(|trouble| trouble.crash_in = Some(Crash { operations, power: true }));
        }
        let (gate, log) = match gateway::open(self.disk.clone()) {
            Ok(opened) => opened,
            Err(error) => {
                let detail = format!("the journal does not open: {error}");
                return self.outside.get().watch.violate("journal-opens", detail);
            }
        };
        if self.disk.is_crashed() {
            return self.die();
        }
        self.session += 1;
        let session = self.session;
        {
            let mut outside = self.outside.get();
            outside.network.session = session;
            let (head, _) = log.head();
            outside
                .note(&[20, head.0], || format!("gateway starts for time {session} on {} entries", head.0));
            outside.watch.restarted(&gate, &log, &self.disk, before.as_ref());
            if self.chaos.chance(250) {
                outside.watch.opened_twice(&gate, &self.disk);
            }
        }
        let last_execution = gate.state().last_execution().0;
        self.seen = if last_execution > 0 { last_execution } else { START };
        let known = gate.state().limits_hash();
        let wire = Wire {
            outside: self.outside.clone(),
            disk: self.disk.clone(),
            clock: self.clock.clone(),
            session,
        };
        self.road = Some(gateway::road(gate, log, wire, self.clock.clone()));
        self.begin(known);
    }

    fn begin(&mut self, known: portcullis_core::Digest) {
        let start = gateway::session(self.clock.local());
        self.input(Input::Session(start));
        let limits = Limits::parse(&self.plan.limits).unwrap();
        if known != limits.hash() && !(self.session == 1 && self.chaos.chance(30)) {
            self.input(Input::Limits(Box::new(limits)));
            self.outside.get().watch.told.limits = true;
        }
        for spec in specs() {
            self.input(Input::Instrument(spec.clone()));
        }
        let session = self.session;
        let now = self.clock.now();
        let mut outside = self.outside.get();
        outside.queue.at(now, Event::Skew { session });
        outside.queue.at(now + 20 * MS, Event::Connect { stream: Stream::Public, session });
        outside.queue.at(now + 30 * MS, Event::Connect { stream: Stream::Private, session });
        outside.queue.at(now + 100 * MS, Event::Tick { session });
        for which in 0..SPECS {
            let delay = 50 * MS + self.turns.below(2 * SECOND);
            outside.queue.at(now + delay, Event::Launch { session, which });
        }
    }

    /// The crash has come: everything in memory is gone.
    pub(super) fn die(&mut self) {
        self.road = None;
        self.strategies = Default::default();
        let down = 100 * MS + self.chaos.below(20 * SECOND);
        let mut outside = self.outside.get();
        outside.note(&[21], || "gateway is gone".to_owned());
        for stream in [Stream::Public, Stream::Private] {
            outside.network.line(stream).cut();
        }
        outside.network.held = None;
        // What the gateway did in a stall is later than the event under way.
        let at = self.clock.now().max(outside.now) + if self.calm { SECOND } else { down };
        outside.queue.at(at, Event::Restart);
    }

    /// Kills the gateway between two steps, with everything on the disk.
    pub(super) fn kill(&mut self, power: bool) {
        let Some(road) = self.road.as_mut() else { return };
        road.flush();
        if !self.disk.has_failed() && !self.disk.is_crashed() {
            self.last = Some((road.journal().head().0, road.gate().state().clone()));
            self.outside.get().watch.flushed();
        }
        self.disk.crash(power);
        self.die();
    }

    /// The end of faults and orders. What is down comes back.
    pub(super) fn calm_down(&mut self, time: u64) {
        self.calm = true;
        self.clock.reach(time);
        self.clock.set_offset(0);
        {
            let mut outside = self.outside.get();
            outside.faults.end();
            outside.network.down_until = 0;
            outside.note(&[22], || "calm".to_owned());
            // What the gateway wrote down while its clock was ahead comes due only when that time is reached.
            let end = self.clock.now().max(time) + REST + self.ahead;
            outside.queue.at(end, Event::Finish);
        }
        self.disk.trouble(|trouble| *trouble = Default::default());
        if self.road.is_some() && self.disk.has_failed() {
            self.kill(false);
        }
        for which in 0..3 {
            if self.road.is_some() {
                self.link(super::trouble::neighbour(which, true));
            }
        }
    }

    /// Everything is at rest: the books must be right, and fold to the same again.
    pub(super) fn finish(&mut self, time: u64) {
        self.clock.reach(time);
        let Some(road) = self.road.as_mut() else {
            return self
                .outside
                .get()
                .watch
                .violate("down-at-rest", "the gateway did not come back".to_owned());
        };
        road.flush();
        {
            let mut outside = self.outside.get();
            let outside = &mut *outside;
            outside.watch.at_rest(road.gate(), &outside.exchange);
        }
        self.kill(true);
        self.restart(time);
    }
}
