//! Components that do not compile, remembered beside the artifacts: one is refused at once when it comes again, so that nobody can keep
//! the compiler busy with it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use portcullis_cell::{ArtifactKey, CompileAttempt};

/// Failures kept; the oldest goes first.
const KEPT_MAX: usize = 256;

const ENDING: &str = "failed";

/// The failures in a directory, under a key.
pub(super) struct CompileFailures {
    folder: PathBuf,
    key: ArtifactKey,
}

impl CompileFailures {
    /// Those in `folder`, which is there.
    pub(super) fn new(folder: &Path, key: ArtifactKey) -> Self {
        Self { folder: folder.to_owned(), key }
    }

    /// Why this does not compile, if that was found out before. What cannot be read, or is not ours, counts as not known.
    pub(super) fn find(&self, attempt: &CompileAttempt) -> Option<String> {
        let stored = fs::read(self.file(attempt)).ok()?;
        attempt.open_failure(&self.key, &stored).ok()
    }

    /// Remembers why.
    pub(super) fn keep(&self, attempt: &CompileAttempt, reason: &str) -> anyhow::Result<()> {
        let file = self.file(attempt);
        let unfinished = file.with_extension("tmp");
        fs::write(&unfinished, attempt.protect_failure(&self.key, reason)?)
            .and_then(|()| fs::rename(&unfinished, &file))
            .with_context(|| format!("cannot write {}", file.display()))?;
        self.forget_oldest().context("cannot forget a failed compilation")
    }

    fn forget_oldest(&self) -> std::io::Result<()> {
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == ENDING) {
                kept.push((fs::metadata(&path)?.modified()?, path));
            }
        }
        kept.sort();
        for (_, path) in kept.iter().take(kept.len().saturating_sub(KEPT_MAX)) {
            fs::remove_file(path)?;
        }
        Ok(())
    }

    fn file(&self, attempt: &CompileAttempt) -> PathBuf {
        self.folder.join(format!("{}.{ENDING}", attempt.component))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "test code")]
mod tests {
    use portcullis_cell::CompileLimits;
    use portcullis_core::Digest;

    use super::*;

    const TRIED: CompileAttempt =
        CompileAttempt { component: Digest([1; 32]), engine: Digest([2; 32]), limits: CompileLimits::NATIVE };

    fn store(folder: &tempfile::TempDir, key: u8) -> CompileFailures {
        CompileFailures::new(folder.path(), ArtifactKey::new([key; 32]))
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
        let file = failures.file(&TRIED);
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
        let kept: Vec<u64> =
            fs::read_dir(folder.path()).unwrap().map(|one| one.unwrap().metadata().unwrap().len()).collect();
        assert_eq!(kept.len(), KEPT_MAX);
        assert!(kept.iter().all(|bytes| *bytes <= 1_100), "{kept:?}");
    }
}
