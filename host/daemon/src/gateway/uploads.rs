//! Uploaded bundles: taken out of `incoming` without trusting what lies there, and put into `bundles` once verified.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use portcullis_bundle::{COMPONENT_BYTES_MAX, ENVELOPE_BYTES_MAX, VerifiedBundle};
use portcullis_role::{Folder, UploadName};
use rustix::io::Errno;

use crate::gateway::launch_error::LaunchError;

/// Largest bundle file in bytes: component, envelope and the little around them.
pub(crate) const BUNDLE_BYTES_MAX: u64 = COMPONENT_BYTES_MAX + ENVELOPE_BYTES_MAX + 64;

/// The folder that verified bundles are kept in.
pub(crate) const BUNDLES: &str = "bundles";

/// The folder that uploads are written to.
pub(crate) const INCOMING: &str = "incoming";

/// Takes an upload out of the folder: reads it and removes it, whatever it is. A link is not followed.
pub(crate) fn take(incoming: &Folder, name: &UploadName) -> Result<Vec<u8>, LaunchError> {
    let missing = |error: io::Error| {
        LaunchError::new("UPLOAD_NOT_FOUND", format!("{INCOMING}/{name} cannot be opened: {error}"))
    };
    let opened = incoming.open_file(name.as_str());
    if let Err(error) = incoming.remove(name.as_str()) {
        tracing::debug!(%error, %name, "an upload was not removed");
    }
    match opened {
        Ok(file) => read(file, name),
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => Err(no_file(name)),
        Err(error) => Err(missing(error)),
    }
}

fn read(file: File, name: &UploadName) -> Result<Vec<u8>, LaunchError> {
    let unreadable = |error: io::Error| {
        LaunchError::new("UPLOAD_UNREADABLE", format!("{INCOMING}/{name} cannot be read: {error}"))
    };
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(no_file(name));
    }
    bounded(file).map_err(unreadable)?.ok_or_else(|| too_large(metadata.len()))
}

/// Reads a bundle that the configuration names.
pub(crate) fn read_named(file: &Path) -> Result<Vec<u8>, LaunchError> {
    let unreadable = |error: io::Error| {
        LaunchError::new("BUNDLE_UNREADABLE", format!("cannot read {}: {error}", file.display()))
    };
    let opened = File::open(file).map_err(unreadable)?;
    let length = opened.metadata().map_err(unreadable)?.len();
    bounded(opened).map_err(unreadable)?.ok_or_else(|| too_large(length))
}

/// All bytes; `None` when there are more than a bundle has.
fn bounded(file: File) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(BUNDLE_BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes)?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= BUNDLE_BYTES_MAX);
    Ok(fits.then_some(bytes))
}

fn no_file(name: &UploadName) -> LaunchError {
    LaunchError::new(
        "UPLOAD_NOT_A_FILE",
        format!("{INCOMING}/{name} is no regular file; links are not followed"),
    )
}

fn too_large(bytes: u64) -> LaunchError {
    portcullis_bundle::Refusal::BundleTooLarge { bytes, limit: BUNDLE_BYTES_MAX }.into()
}

/// Where a verified bundle is kept, below the data directory.
pub(crate) fn place(bundle: &VerifiedBundle) -> PathBuf {
    Path::new(BUNDLES).join(bundle.stored_file_name())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use std::fs;
    use std::os::unix::fs::symlink;

    use rustix::fs::Mode;

    use super::*;

    fn code(incoming: &Folder, name: &str) -> &'static str {
        take(incoming, &name.parse().unwrap()).unwrap_err().code
    }

    #[test]
    fn only_a_regular_file_of_bounded_size_is_taken_and_it_is_gone_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let folder = Folder::open(dir).unwrap().sub(INCOMING, 0o750).unwrap();
        let incoming = dir.join(INCOMING);
        assert_eq!(code(&folder, "a"), "UPLOAD_NOT_FOUND");

        fs::write(incoming.join("a"), b"bytes").unwrap();
        assert_eq!(take(&folder, &"a".parse().unwrap()).unwrap(), b"bytes");
        assert!(!incoming.join("a").exists());

        fs::write(dir.join("secret"), b"secret").unwrap();
        symlink(dir.join("secret"), incoming.join("link")).unwrap();
        assert_eq!(code(&folder, "link"), "UPLOAD_NOT_A_FILE");
        assert!(dir.join("secret").exists() && !incoming.join("link").is_symlink());

        fs::create_dir(incoming.join("folder")).unwrap();
        assert_eq!(code(&folder, "folder"), "UPLOAD_NOT_A_FILE");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            incoming.join("pipe"),
            rustix::fs::FileType::Fifo,
            Mode::RUSR | Mode::WUSR,
            0,
        )
        .unwrap();
        assert_eq!(code(&folder, "pipe"), "UPLOAD_NOT_A_FILE");

        let large = File::create(incoming.join("large")).unwrap();
        large.set_len(BUNDLE_BYTES_MAX + 1).unwrap();
        assert_eq!(code(&folder, "large"), "BUNDLE_TOO_LARGE");
    }
}
