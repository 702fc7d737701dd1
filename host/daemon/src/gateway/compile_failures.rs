//! Components that do not compile, remembered beside the artifacts: one is refused at once when it comes again, so that nobody can keep
//! the compiler busy with it.

use anyhow::Context as _;
use portcullis_cell::{ArtifactKey, CompileAttempt};
use portcullis_role::Folder;

/// Failures kept; the oldest goes first.
const KEPT_MAX: usize = 256;

/// Longest record, in bytes.
const RECORD_BYTES_MAX: u64 = 2_048;

/// The failures of a data directory, in a folder of their own.
pub(super) struct CompileFailures {
    folder: Folder,
    key: ArtifactKey,
}

impl CompileFailures {
    /// Those of the data directory, under a key.
    pub(super) fn new(data: &Folder, key: ArtifactKey) -> std::io::Result<Self> {
        Ok(Self { folder: data.sub("compile-failures", 0o700)?, key })
    }

    /// Why this does not compile, if that was found out before. What cannot be read, or is not ours, counts as not known.
    pub(super) fn find(&self, attempt: &CompileAttempt) -> Option<String> {
        let stored = self.folder.read(&file(attempt), RECORD_BYTES_MAX).ok()??;
        attempt.open_failure(&self.key, &stored).ok()
    }

    /// Remembers why.
    pub(super) fn keep(&self, attempt: &CompileAttempt, reason: &str) -> anyhow::Result<()> {
        let file = file(attempt);
        self.folder
            .replace(&file, &attempt.protect_failure(&self.key, reason)?)
            .with_context(|| format!("cannot write {}", self.folder.path(&file).display()))?;
        self.forget_oldest().context("cannot forget a failed compilation")
    }

    fn forget_oldest(&self) -> std::io::Result<()> {
        let mut kept = self.folder.files()?;
        kept.sort_by_key(|entry| entry.modified);
        for entry in kept.iter().take(kept.len().saturating_sub(KEPT_MAX)) {
            self.folder.remove(&entry.name)?;
        }
        Ok(())
    }
}

fn file(attempt: &CompileAttempt) -> String {
    format!("{}.failed", attempt.component)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "test code")]
mod tests {
    use std::fs;

    use portcullis_cell::CompileLimits;
    use portcullis_core::Digest;

    use super::*;

    const TRIED: CompileAttempt =
        CompileAttempt { component: Digest([1; 32]), engine: Digest([2; 32]), limits: CompileLimits::NATIVE };

    fn store(data: &tempfile::TempDir, key: u8) -> CompileFailures {
        CompileFailures::new(&Folder::open(data.path()).unwrap(), ArtifactKey::new([key; 32])).unwrap()
    }

    #[test]
    fn a_failure_is_known_again_for_the_same_engine_and_limits_alone() {
        let folder = tempfile::tempdir().unwrap();
        let failures = store(&folder, 7);
        assert_eq!(failures.find(&TRIED), None);
        failures.keep(&TRIED, "too deep").unwrap();
        assert_eq!(failures.find(&TRIED).as_deref(), Some("too deep"));
        let others = [
            ("a new release tries again", CompileAttempt { engine: Digest([3; 32]), ..TRIED }),
            ("more may be enough", CompileAttempt { limits: CompileLimits::SCRIPT, ..TRIED }),
            ("another component", CompileAttempt { component: Digest([4; 32]), ..TRIED }),
        ];
        for (why, other) in others {
            assert_eq!(failures.find(&other), None, "{why}");
        }
        assert_eq!(store(&folder, 8).find(&TRIED), None, "the key is another");
    }

    #[test]
    fn a_damaged_record_counts_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let failures = store(&folder, 7);
        failures.keep(&TRIED, "too deep").unwrap();
        let file = failures.folder.path(&file(&TRIED));
        let good = fs::read(&file).unwrap();
        for index in 0..good.len() {
            let mut bytes = good.clone();
            bytes[index] ^= 1;
            fs::write(&file, &bytes).unwrap();
            assert_eq!(failures.find(&TRIED), None, "byte {index}");
            fs::write(&file, &good[..index]).unwrap();
            assert_eq!(failures.find(&TRIED), None, "cut at {index}");
        }
    }

    #[test]
    fn the_number_kept_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let failures = store(&folder, 7);
        for number in 0..KEPT_MAX + 10 {
            let mut component = [0; 32];
            component[..8].copy_from_slice(&number.to_le_bytes());
            let tried = CompileAttempt { component: Digest(component), ..TRIED };
            failures.keep(&tried, &"x".repeat(5_000)).unwrap();
        }
        let kept: Vec<u64> = fs::read_dir(folder.path().join("compile-failures"))
            .unwrap()
            .map(|one| one.unwrap().metadata().unwrap().len())
            .collect();
        assert_eq!(kept.len(), KEPT_MAX);
        assert!(kept.iter().all(|bytes| *bytes <= 1_100), "{kept:?}");
    }
}
