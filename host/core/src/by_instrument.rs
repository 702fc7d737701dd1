//! A table by instrument. Their numbers are small and dense, so looking one up is one step.

use crate::InstrumentId;

/// Most instruments; a number beyond is not stored, and what is not stored refuses.
const INSTRUMENTS_MAX: usize = 65_536;

/// A table by instrument, in the order of their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ByInstrument<T> {
    slots: Vec<Option<T>>,
}

impl<T> Default for ByInstrument<T> {
    fn default() -> Self {
        Self { slots: Vec::new() }
    }
}

impl<T> ByInstrument<T> {
    pub(crate) fn get(&self, id: InstrumentId) -> Option<&T> {
        self.slots.get(index(id))?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, id: InstrumentId) -> Option<&mut T> {
        self.slots.get_mut(index(id))?.as_mut()
    }

    /// What is there for an instrument, made new where there is nothing; `None` for a number beyond the most.
    pub(crate) fn entry(&mut self, id: InstrumentId) -> Option<&mut T>
    where
        T: Default,
    {
        let index = index(id);
        if index >= INSTRUMENTS_MAX {
            return None;
        }
        if index >= self.slots.len() {
            self.slots.resize_with(index.saturating_add(1), || None);
        }
        self.slots.get_mut(index).map(|slot| slot.get_or_insert_default())
    }
}

fn index(id: InstrumentId) -> usize {
    usize::try_from(id.0).unwrap_or(usize::MAX)
}
