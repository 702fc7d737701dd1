//! The bound on a guest's memory: over all its linear memories together, with the first refusal kept for the fault report.

use wasmtime::ResourceLimiter;

use crate::engine::{CORE_INSTANCES_MAX, MEMORIES_MAX, TABLE_ELEMENTS_MAX, TABLES_MAX};

/// What a store carries.
#[derive(Debug)]
pub(crate) struct Limiter {
    memory_bytes_max: usize,
    memory_bytes: usize,
    table_elements: usize,
    refusal: Option<MemoryRefusal>,
    host_short: bool,
}

/// A growth that was refused because of the host's limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MemoryRefusal {
    /// Bytes the guest would have had.
    pub(crate) asked: usize,
    /// Bytes it may have.
    pub(crate) allowed: usize,
    /// Whether it was in the entry under way; a guest that went on after an earlier one failed for another reason.
    pub(crate) in_this_entry: bool,
}

impl Limiter {
    pub(crate) fn new(memory_bytes_max: u64) -> Self {
        let memory_bytes_max = usize::try_from(memory_bytes_max).unwrap_or(usize::MAX);
        Self { memory_bytes_max, memory_bytes: 0, table_elements: 0, refusal: None, host_short: false }
    }

    /// A new entry into the guest begins.
    pub(crate) fn enter(&mut self) {
        self.host_short = false;
        if let Some(refusal) = &mut self.refusal {
            refusal.in_this_entry = false;
        }
    }

    /// The first refusal of the newest entry in which there was one.
    pub(crate) fn refused(&self) -> Option<MemoryRefusal> {
        self.refusal
    }

    /// Whether, in this entry, the system had no memory for a growth that the limit allows: not the guest's fault.
    pub(crate) fn is_host_short(&self) -> bool {
        self.host_short
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
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // A growth past the maximum the guest itself declared fails by its own word: it says nothing about the host's limit and
        // takes no bytes.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let total = self.memory_bytes.saturating_add(desired.saturating_sub(current));
        if total > self.memory_bytes_max {
            let refusal = MemoryRefusal { asked: total, allowed: self.memory_bytes_max, in_this_entry: true };
            match &mut self.refusal {
                Some(first) if first.in_this_entry => {}
                other => *other = Some(refusal),
            }
            return Ok(false);
        }
        self.memory_bytes = total;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        // This is called for growths that were never put to `memory_growing` too, so nothing is taken back from the sum: a guest
        // could otherwise talk it down.
        if error.is::<std::io::Error>() || error.is::<rustix::io::Errno>() {
            self.host_short = true;
        }
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.table_elements.saturating_add(desired.saturating_sub(current));
        if total > TABLE_ELEMENTS_MAX || maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.table_elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        usize::try_from(CORE_INSTANCES_MAX).unwrap_or(usize::MAX)
    }

    fn memories(&self) -> usize {
        usize::try_from(MEMORIES_MAX).unwrap_or(usize::MAX)
    }

    fn tables(&self) -> usize {
        usize::try_from(TABLES_MAX).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 1 << 16;
    /// The maximum of a memory that declares none.
    const NONE: Option<usize> = Some(4 << 30);

    fn limiter(pages: u64) -> Limiter {
        Limiter::new(pages << 16)
    }

    #[test]
    fn memories_are_summed() {
        let mut limiter = limiter(4);
        assert!(limiter.memory_growing(0, 2 * PAGE, NONE).unwrap());
        assert!(limiter.memory_growing(0, 2 * PAGE, NONE).unwrap());
        assert!(!limiter.memory_growing(2 * PAGE, 3 * PAGE, NONE).unwrap());
        assert_eq!(limiter.memory_bytes(), 4 * PAGE);
        let refusal = MemoryRefusal { asked: 5 * PAGE, allowed: 4 * PAGE, in_this_entry: true };
        assert_eq!(limiter.refused(), Some(refusal));
    }

    #[test]
    fn a_growth_past_the_guests_own_maximum_is_not_the_hosts_refusal() {
        let mut limiter = limiter(4);
        assert!(limiter.memory_growing(0, PAGE, Some(2 * PAGE)).unwrap());
        for _ in 0..100 {
            assert!(!limiter.memory_growing(PAGE, 3 * PAGE, Some(2 * PAGE)).unwrap());
            assert!(!limiter.memory_growing(PAGE, 900 * PAGE, Some(2 * PAGE)).unwrap());
        }
        assert_eq!((limiter.memory_bytes(), limiter.refused()), (PAGE, None));
        assert!(limiter.memory_growing(PAGE, 2 * PAGE, Some(2 * PAGE)).unwrap());
    }

    #[test]
    fn the_first_refusal_of_the_newest_entry_is_kept() {
        let mut limiter = limiter(1);
        limiter.enter();
        assert!(!limiter.memory_growing(0, 2 * PAGE, NONE).unwrap());
        assert!(!limiter.memory_growing(0, 9 * PAGE, NONE).unwrap());
        assert_eq!(limiter.refused().unwrap().asked, 2 * PAGE);
        limiter.enter();
        assert!(!limiter.refused().unwrap().in_this_entry);
        assert!(!limiter.memory_growing(0, 7 * PAGE, NONE).unwrap());
        assert_eq!(limiter.refused().unwrap().asked, 7 * PAGE);
        assert!(limiter.refused().unwrap().in_this_entry);
    }

    #[test]
    fn memory_the_system_does_not_give_is_not_held_against_the_guest() {
        let mut limiter = limiter(8);
        limiter.enter();
        assert!(limiter.memory_growing(0, 5 * PAGE, NONE).unwrap());
        limiter.memory_grow_failed(std::io::Error::from_raw_os_error(12).into()).unwrap();
        assert_eq!((limiter.is_host_short(), limiter.refused()), (true, None));
        limiter.enter();
        assert!(!limiter.is_host_short());
    }

    #[test]
    fn a_growth_beyond_the_type_does_not_lower_the_sum() {
        let mut limiter = limiter(8);
        assert!(limiter.memory_growing(0, 5 * PAGE, NONE).unwrap());
        for _ in 0..10 {
            limiter
                .memory_grow_failed(wasmtime::Error::msg("memory growth exceeds memory type's limits"))
                .unwrap();
        }
        assert_eq!((limiter.memory_bytes(), limiter.is_host_short()), (5 * PAGE, false));
    }

    #[test]
    fn tables_are_summed_and_their_own_maximum_takes_nothing() {
        let mut limiter = limiter(1);
        assert!(limiter.table_growing(0, 15_000, None).unwrap());
        assert!(!limiter.table_growing(0, 5_001, None).unwrap());
        assert!(!limiter.table_growing(0, 4_000, Some(3_999)).unwrap());
        assert!(limiter.table_growing(0, 5_000, None).unwrap());
    }
}
