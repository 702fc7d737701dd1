//! What goes wrong, by class. A seed has some of them; shrinking switches them off one by one.

use std::collections::BTreeMap;

use crate::rng::Rng;

macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A class of fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault {
            $($(#[$doc])* $name,)*
        }

        impl Fault {
            /// Every class.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name on the command line and in the report.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

classes! {
    /// The machine loses power, or the process is killed, at any point of the code.
    Crash = "crash",
    /// A sync fails, or the disk is full.
    Disk = "disk",
    /// A sync takes up to half a minute.
    Stall = "stall",
    /// The private stream breaks; what it said meanwhile is lost.
    Private = "private",
    /// The public streams break.
    Public = "public",
    /// A message of the private stream is lost although it stays up.
    Lost = "lost",
    /// A private message comes twice.
    Duplicate = "duplicate",
    /// A private message is overtaken by later ones.
    Reorder = "reorder",
    /// A command or its answer is lost.
    Timeout = "timeout",
    /// A command arrives seconds late, in or out of the venue's window.
    Late = "late",
    /// A command arrives twice, and the second answer is the one that counts.
    Twice = "twice",
    /// The venue answers 10006.
    RateLimit = "rate-limit",
    /// A query fails, or its answer comes late.
    Query = "query",
    /// The venue restarts.
    Restart = "restart",
    /// A cancel takes effect after its answer; an acknowledged order is rejected.
    Race = "race",
    /// An order executes once more after the venue reported it cancelled.
    LateFill = "late-fill",
    /// Funding, auto-deleveraging, liquidation.
    Venue = "venue",
    /// Somebody trades by hand.
    Foreign = "foreign",
    /// The gateway's clock is set.
    Clock = "clock",
    /// The gateway stands still for up to two minutes.
    Pause = "pause",
    /// Signer, disk space or rate budget come and go.
    Neighbour = "neighbour",
    /// The price leaps.
    Leap = "leap",
}

impl Fault {
    /// The class of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| fault.name() == name)
    }

    const fn bit(self) -> u32 {
        1 << (self as u32)
    }
}

/// Some of the classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FaultSet(u32);

impl FaultSet {
    /// With this class.
    #[must_use]
    pub const fn with(self, fault: Fault) -> Self {
        Self(self.0 | fault.bit())
    }

    /// Whether a class is in it.
    pub const fn has(self, fault: Fault) -> bool {
        self.0 & fault.bit() != 0
    }

    /// The classes in it.
    pub fn iter(self) -> impl Iterator<Item = Fault> {
        Fault::ALL.iter().copied().filter(move |fault| self.has(*fault))
    }
}

/// The faults of one run: which classes it has, and how often each struck.
#[derive(Debug)]
pub(crate) struct Faults {
    on: FaultSet,
    /// One stream a class, so that switching one off leaves the others' strikes as they were.
    rngs: Vec<Rng>,
    pub(crate) struck: BTreeMap<&'static str, u64>,
}

impl Faults {
    /// Chooses the classes of a seed; `without` never strike.
    pub(crate) fn new(seed: u64, without: FaultSet) -> Self {
        let mut rng = Rng::new(seed, "fault classes");
        // One seed in twelve has none, the others any number of them.
        let share = if rng.chance(80) { 0 } else { 100 + rng.below(700) };
        let mut on = FaultSet::default();
        for fault in Fault::ALL {
            if rng.chance(share) && !without.has(*fault) {
                on = on.with(*fault);
            }
        }
        let rngs = Fault::ALL.iter().map(|fault| Rng::new(seed, fault.name())).collect();
        Self { on, rngs, struck: BTreeMap::new() }
    }

    /// Whether a fault strikes now, with this probability if its class is on. Counts it.
    pub(crate) fn strikes(&mut self, fault: Fault, per_mille: u64) -> bool {
        let strikes = self.on.has(fault) && self.rngs[fault as usize].chance(per_mille);
        if strikes {
            self.count(fault);
        }
        strikes
    }

    pub(crate) fn count(&mut self, fault: Fault) {
        *self.struck.entry(fault.name()).or_default() += 1;
    }

    pub(crate) fn classes(&self) -> FaultSet {
        self.on
    }

    /// From now on nothing goes wrong any more.
    pub(crate) fn end(&mut self) {
        self.on = FaultSet::default();
    }
}
