//! What this process has used of the machine.

/// The most memory this process ever had resident, in KiB; `None` where the system does not say. It takes no file, so a process in its
/// sandbox can ask.
#[expect(unsafe_code, reason = "the system call fills a plain structure")]
pub fn peak_memory_kib() -> Option<u64> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a structure of this call's type that nobody else sees, and zeros are a valid value of it.
    let usage = unsafe {
        if libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) != 0 {
            return None;
        }
        usage.assume_init()
    };
    u64::try_from(usage.ru_maxrss).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use super::*;

    #[test]
    fn memory_that_was_touched_counts() {
        let before = peak_memory_kib().unwrap();
        let bytes = vec![1_u8; 64 << 20];
        assert_eq!(bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>(), 64 << 20);
        assert!(peak_memory_kib().unwrap() >= before.max(64 << 10));
    }
}
