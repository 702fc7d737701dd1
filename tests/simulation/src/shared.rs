//! Everything outside the gateway's process, in one place: the venue, the wires, the faults, and who watches.

use std::cell::{RefCell, RefMut};
use std::rc::Rc;

use crate::clock::{SECOND, START};
use crate::exchange::Exchange;
use crate::faults::Faults;
use crate::network::Network;
use crate::plan::{Plan, Sabotage};
use crate::queue::{Event, Queue};
use crate::story::Story;
use crate::watch::Watch;

/// A handle to it, held by the world and by the gateway's side of the wire.
#[derive(Debug, Clone)]
pub(crate) struct Shared(Rc<RefCell<Outside>>);

/// Everything outside the gateway's process.
#[derive(Debug)]
pub(crate) struct Outside {
    pub(crate) queue: Queue,
    pub(crate) exchange: Exchange,
    pub(crate) network: Network,
    pub(crate) faults: Faults,
    pub(crate) watch: Watch,
    pub(crate) story: Story,
    pub(crate) sabotage: Option<Sabotage>,
    /// The true time of the event under way.
    pub(crate) now: u64,
    pub(crate) orders: u64,
    /// Cancel-alls that left.
    pub(crate) cancel_alls: u64,
}

impl Shared {
    pub(crate) fn new(plan: &Plan, kept: usize) -> Self {
        let outside = Outside {
            queue: Queue::default(),
            exchange: Exchange::new(plan.seed),
            network: Network::new(plan.seed),
            faults: Faults::new(plan.seed, plan.without),
            watch: Watch::new(&plan.limits),
            story: Story::new(kept),
            sabotage: plan.sabotage,
            now: START,
            orders: 0,
            cancel_alls: 0,
        };
        Self(Rc::new(RefCell::new(outside)))
    }

    /// Never held while the gateway runs, because the gateway's wire needs it too.
    pub(crate) fn get(&self) -> RefMut<'_, Outside> {
        self.0.borrow_mut()
    }

    /// Takes it apart once the gateway is gone.
    pub(crate) fn into_inner(self) -> Option<Outside> {
        Rc::into_inner(self.0).map(RefCell::into_inner)
    }
}

impl Outside {
    pub(crate) fn note(&mut self, numbers: &[u64], words: impl FnOnce() -> String) {
        self.story.add(self.now, numbers, words);
    }

    pub(crate) fn after(&mut self, delay: u64, event: Event) {
        let at = self.now + delay;
        self.queue.at(at, event);
    }

    /// Seconds of simulated time so far.
    pub(crate) fn seconds(&self) -> u64 {
        (self.now - START) / SECOND
    }
}
