//! Waiting for a peer that is about to answer.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, Timespec, poll};

/// How long to stay awake. A strategy answers within some 10 µs, but putting a processor to sleep and waking it takes longer than that,
/// on virtual machines several times as long; the bound leaves its process the time to be woken itself.
const AWAKE: Duration = Duration::from_micros(60);

/// Stays awake until there is something on one of the descriptors, at most for a moment; then wait in the usual way. For answers that
/// come before a thread is well asleep. Others run meanwhile if they want the processor.
pub fn stay_awake_for(descriptors: &mut [PollFd<'_>]) {
    let started = Instant::now();
    // Whatever is wrong with a descriptor is for the one who waits for it next.
    while matches!(poll(descriptors, Some(&Timespec::default())), Ok(0)) && started.elapsed() < AWAKE {
        std::thread::yield_now();
    }
}
