//! Strategies' snapshots on disk, from one session to the next.

use std::fs;
use std::path::{Path, PathBuf};

use portcullis_core::{Digest, StrategyName};
use portcullis_gateway::Snapshot;

/// Longest snapshot file, in bytes: version, digest and 256 KiB of state.
const BYTES_MAX: u64 = 36 + 256 * 1024;

/// The last snapshot of a strategy, if the same bundle wrote it. Anything else is as if there were none: the strategy then starts from
/// `init`, and its resync tells it its orders and position.
pub(crate) fn load(dir: &Path, name: &StrategyName, bundle: Digest) -> Option<Snapshot> {
    let file = path(dir, name);
    if fs::metadata(&file).ok()?.len() > BYTES_MAX {
        return None;
    }
    let bytes = fs::read(&file).ok()?;
    let (digest, rest) = bytes.split_first_chunk::<32>()?;
    let (version, state) = rest.split_first_chunk::<4>()?;
    (*digest == bundle.0).then(|| Snapshot { version: u32::from_le_bytes(*version), bytes: state.to_vec() })
}

/// Keeps a snapshot for the next session.
pub(crate) fn store(
    dir: &Path,
    name: &StrategyName,
    bundle: Digest,
    snapshot: &Snapshot,
) -> std::io::Result<()> {
    let file = path(dir, name);
    let unfinished = file.with_extension("tmp");
    let bytes = [bundle.0.as_slice(), &snapshot.version.to_le_bytes(), &snapshot.bytes].concat();
    fs::create_dir_all(dir.join("snapshots"))?;
    fs::write(&unfinished, bytes)?;
    fs::rename(&unfinished, &file)
}

fn path(dir: &Path, name: &StrategyName) -> PathBuf {
    dir.join("snapshots").join(format!("{name}.snapshot"))
}
