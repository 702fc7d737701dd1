//! Strategies' snapshots on disk, from one session to the next.

use std::io;

use portcullis_core::{Digest, StrategyName};
use portcullis_gateway::Snapshot;
use portcullis_role::Folder;

/// Longest snapshot file, in bytes: version, digest and 256 KiB of state.
const BYTES_MAX: u64 = 36 + 256 * 1024;

/// The folder `snapshots` of a data directory.
#[derive(Debug)]
pub(crate) struct Snapshots(Folder);

impl Snapshots {
    /// Opens the folder, making it at the first start. A strategy's state is its owner's alone.
    pub(crate) fn open(data: &Folder) -> io::Result<Self> {
        data.sub("snapshots", 0o700).map(Self)
    }

    /// The last snapshot of a strategy, if the same bundle wrote it. Anything else is as if there were none: the strategy then starts
    /// from `init`, and its resync tells it its orders and position.
    pub(crate) fn load(&self, name: &StrategyName, bundle: Digest) -> Option<Snapshot> {
        let bytes = self.0.read(&file(name), BYTES_MAX).ok()??;
        let (digest, rest) = bytes.split_first_chunk::<32>()?;
        let (version, state) = rest.split_first_chunk::<4>()?;
        (*digest == bundle.0)
            .then(|| Snapshot { version: u32::from_le_bytes(*version), bytes: state.to_vec() })
    }

    /// Keeps a snapshot for the next session. The pipeline's thread calls this and must not wait for the disk: what a power cut leaves
    /// of the file is taken for no snapshot.
    pub(crate) fn store(&self, name: &StrategyName, bundle: Digest, snapshot: &Snapshot) -> io::Result<()> {
        let bytes = [bundle.0.as_slice(), &snapshot.version.to_le_bytes(), &snapshot.bytes].concat();
        self.0.replace_soon(&file(name), &bytes)
    }
}

fn file(name: &StrategyName) -> String {
    format!("{name}.snapshot")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use super::*;

    #[test]
    fn a_snapshot_is_found_by_its_own_bundle_and_otherwise_there_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let snapshots = Snapshots::open(&Folder::open(dir.path()).unwrap()).unwrap();
        let name: StrategyName = "ema".parse().unwrap();
        let (own, other) = (Digest([1; 32]), Digest([2; 32]));
        assert_eq!(snapshots.load(&name, own), None);
        let snapshot = Snapshot { version: 3, bytes: vec![7; 5] };
        snapshots.store(&name, own, &snapshot).unwrap();
        assert_eq!(snapshots.load(&name, own), Some(snapshot));
        assert_eq!(snapshots.load(&name, other), None);
        let file = dir.path().join("snapshots/ema.snapshot");
        for damaged in [b"".as_slice(), &[1; 35], &vec![1; 36 + 256 * 1024 + 1]] {
            std::fs::write(&file, damaged).unwrap();
            assert_eq!(snapshots.load(&name, own), None);
        }
    }
}
