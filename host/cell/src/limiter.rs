//! The bound on a guest's memory: over all its linear memories together, with the first refusal kept for the fault report.

use wasmtime::ResourceLimiter;

/// Most elements of all tables together; a table is only ever as long as a guest's list of functions.
const TABLE_ELEMENTS_MAX: usize = 20_000;

/// What a store carries.
#[derive(Debug)]
pub(crate) struct Limiter {
    memory_bytes_max: usize,
    memory_bytes: usize,
    table_elements: usize,
    refused: Option<usize>,
}

impl Limiter {
    pub(crate) fn new(memory_bytes_max: u64) -> Self {
        let memory_bytes_max = usize::try_from(memory_bytes_max).unwrap_or(usize::MAX);
        Self { memory_bytes_max, memory_bytes: 0, table_elements: 0, refused: None }
    }

    /// Bytes the guest would have had with the first growth that was refused, and the bytes it may have.
    pub(crate) fn refused(&self) -> Option<(usize, usize)> {
        self.refused.map(|asked| (asked, self.memory_bytes_max))
    }

    /// Bytes of all linear memories now.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.memory_bytes.saturating_add(desired.saturating_sub(current));
        if total > self.memory_bytes_max {
            self.refused.get_or_insert(total);
            return Ok(false);
        }
        self.memory_bytes = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.table_elements.saturating_add(desired.saturating_sub(current));
        if total > TABLE_ELEMENTS_MAX {
            return Ok(false);
        }
        self.table_elements = total;
        Ok(true)
    }
}
