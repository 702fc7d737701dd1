//! What happened, in words for people and as a hash for comparing runs.

use std::collections::VecDeque;

use crate::clock::START;
use crate::rng::mix;

/// The story of a run.
#[derive(Debug, Default)]
pub(crate) struct Story {
    /// Every event of the run goes in.
    hash: u64,
    /// How many of the last lines are kept in words.
    kept: usize,
    lines: VecDeque<String>,
}

impl Story {
    pub(crate) fn new(kept: usize) -> Self {
        Self { kept, ..Self::default() }
    }

    /// Takes in one event: numbers for the hash, words only where they are wanted.
    pub(crate) fn add(&mut self, time: u64, numbers: &[u64], words: impl FnOnce() -> String) {
        self.mark(time, numbers);
        if self.kept > 0 {
            if self.lines.len() == self.kept {
                self.lines.pop_front();
            }
            let millis = (time - START.min(time)) / 1_000_000;
            self.lines.push_back(format!("{:>6}.{:03} s  {}", millis / 1_000, millis % 1_000, words()));
        }
    }

    /// Takes in something too ordinary for words.
    pub(crate) fn mark(&mut self, time: u64, numbers: &[u64]) {
        for number in [&time].into_iter().chain(numbers) {
            self.hash = mix(self.hash ^ number);
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines.into()
    }
}
