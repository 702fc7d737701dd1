//! The thread that keeps the index near the journal's head.

use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Index;
use crate::JournalError;

/// Pause between two looks at the journal.
const PAUSE: Duration = Duration::from_millis(100);

/// Indexes a data directory in the background until dropped.
#[derive(Debug)]
pub struct Indexer {
    /// Never sent on; the thread ends when it is gone.
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Indexer {
    /// Starts the thread. Failures of the index end it and are logged: the index is a convenience, and `reindex` mends it.
    ///
    /// # Errors
    ///
    /// [`JournalError::Storage`] when the system gives no thread.
    pub fn spawn(directory: &Path) -> Result<Self, JournalError> {
        let (stop, stopped) = sync_channel(0);
        let directory = directory.to_owned();
        let run = move || {
            let wait = || stopped.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout);
            if let Err(error) = index(&directory, wait) {
                tracing::warn!(%error, "the index is no longer kept up to date");
            }
        };
        let thread = std::thread::Builder::new()
            .name("journal-index".to_owned())
            .spawn(run)
            .map_err(JournalError::storage("start the indexing thread"))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Its failures were logged.
            drop(thread.join());
        }
    }
}

/// Indexes while `wait` says to go on, and what is there then.
fn index(directory: &Path, wait: impl Fn() -> bool) -> Result<(), JournalError> {
    let mut index = Index::open(directory)?;
    let mut rebuilt = false;
    loop {
        let go_on = wait();
        match index.catch_up() {
            Ok(_) => {}
            // A row that does not fit, once: the file may be damaged. Twice: it is us.
            Err(JournalError::Index(error)) if !rebuilt => {
                tracing::warn!(%error, "building the index anew");
                index = index.rebuild()?;
                rebuilt = true;
            }
            Err(error) => return Err(error),
        }
        if !go_on {
            return Ok(());
        }
    }
}
