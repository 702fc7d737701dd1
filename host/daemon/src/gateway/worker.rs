//! A thread for what takes long: verifying, storing, syncing. The pipeline's own thread never waits for it.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::gateway::wake::Wake;

type Job<T> = Box<dyn FnOnce() -> T + Send>;

/// The thread, working off one job after the other. It ends with this.
pub(crate) struct Worker<T> {
    jobs: Sender<Job<T>>,
    done: Receiver<T>,
}

impl<T: Send + 'static> Worker<T> {
    /// Starts it; `wake` is rung after every job.
    pub(crate) fn start(wake: Wake) -> io::Result<Self> {
        let (jobs, waiting) = channel::<Job<T>>();
        let (finished, done) = channel();
        std::thread::Builder::new().name("worker".to_owned()).spawn(move || {
            for job in waiting {
                if finished.send(job()).is_err() {
                    return;
                }
                wake.ring();
            }
        })?;
        Ok(Self { jobs, done })
    }

    /// Queues a job. Who queues them bounds their number.
    pub(crate) fn give(&self, job: impl FnOnce() -> T + Send + 'static) {
        if self.jobs.send(Box::new(job)).is_err() {
            tracing::error!("the worker is gone; what was asked of it is not done");
        }
    }

    /// What the next finished job came to.
    pub(crate) fn try_done(&self) -> Option<T> {
        self.done.try_recv().ok()
    }
}
