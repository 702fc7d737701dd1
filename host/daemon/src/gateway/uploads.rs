//! Uploaded bundles: taken out of `incoming` without trusting what lies there, and put into `bundles` once verified.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use portcullis_bundle::{COMPONENT_BYTES_MAX, ENVELOPE_BYTES_MAX, VerifiedBundle};
use portcullis_role::UploadName;
use rustix::fs::{AtFlags, Mode, OFlags};

use crate::gateway::launch_error::LaunchError;

/// Largest bundle file in bytes: component, envelope and the little around them.
pub(crate) const BUNDLE_BYTES_MAX: u64 = COMPONENT_BYTES_MAX + ENVELOPE_BYTES_MAX + 64;

/// The folder that uploads are written to.
pub(crate) const INCOMING: &str = "incoming";

/// Takes an upload: reads it and removes it, whatever it is. Nothing is followed: neither the folder nor the file may be a link.
pub(crate) fn take(dir: &Path, name: &UploadName) -> Result<Vec<u8>, LaunchError> {
    let missing = |error: io::Error| {
        LaunchError::new("UPLOAD_NOT_FOUND", format!("{INCOMING}/{name} cannot be opened: {error}"))
    };
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder =
        rustix::fs::open(dir.join(INCOMING), flags, Mode::empty()).map_err(|errno| missing(errno.into()))?;
    // Not blocking: a pipe of that name must not hold us up before it is seen for what it is.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(&folder, name.as_str(), flags, Mode::empty());
    if let Err(errno) = rustix::fs::unlinkat(&folder, name.as_str(), AtFlags::empty()) {
        tracing::debug!(%errno, %name, "an upload was not removed");
    }
    match opened {
        Ok(file) => read(file, name),
        Err(rustix::io::Errno::LOOP) => Err(no_file(name)),
        Err(errno) => Err(missing(errno.into())),
    }
}

fn read(file: OwnedFd, name: &UploadName) -> Result<Vec<u8>, LaunchError> {
    let file = File::from(file);
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
    Path::new("bundles").join(bundle.stored_file_name())
}

/// Puts a verified bundle's bytes there, durably.
pub(crate) fn stage(file: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(file.parent().ok_or(io::ErrorKind::InvalidInput)?)?;
    write_durably(file, bytes)
}

/// Replaces a file as a whole: after a crash it is the old one or the new one.
pub(crate) fn write_durably(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let name = file.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut unfinished = name.to_owned();
    unfinished.push(".tmp");
    let unfinished = folder.join(unfinished);
    let mut options = fs::OpenOptions::new();
    let mut out = options.write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    out.write_all(bytes)?;
    out.sync_all()?;
    fs::rename(&unfinished, file)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use std::os::unix::fs::symlink;

    use super::*;

    fn code(dir: &Path, name: &str) -> &'static str {
        take(dir, &name.parse().unwrap()).unwrap_err().code
    }

    #[test]
    fn only_a_regular_file_of_bounded_size_is_taken_and_it_is_gone_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        assert_eq!(code(dir, "a"), "UPLOAD_NOT_FOUND");
        let incoming = dir.join(INCOMING);
        fs::create_dir(&incoming).unwrap();
        assert_eq!(code(dir, "a"), "UPLOAD_NOT_FOUND");

        fs::write(incoming.join("a"), b"bytes").unwrap();
        assert_eq!(take(dir, &"a".parse().unwrap()).unwrap(), b"bytes");
        assert!(!incoming.join("a").exists());

        fs::write(dir.join("secret"), b"secret").unwrap();
        symlink(dir.join("secret"), incoming.join("link")).unwrap();
        assert_eq!(code(dir, "link"), "UPLOAD_NOT_A_FILE");
        assert!(dir.join("secret").exists() && !incoming.join("link").is_symlink());

        fs::create_dir(incoming.join("folder")).unwrap();
        assert_eq!(code(dir, "folder"), "UPLOAD_NOT_A_FILE");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            incoming.join("pipe"),
            rustix::fs::FileType::Fifo,
            Mode::RUSR | Mode::WUSR,
            0,
        )
        .unwrap();
        assert_eq!(code(dir, "pipe"), "UPLOAD_NOT_A_FILE");

        let large = File::create(incoming.join("large")).unwrap();
        large.set_len(BUNDLE_BYTES_MAX + 1).unwrap();
        assert_eq!(code(dir, "large"), "BUNDLE_TOO_LARGE");
    }

    #[test]
    fn a_folder_that_is_a_link_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("elsewhere")).unwrap();
        fs::write(dir.path().join("elsewhere/a"), b"bytes").unwrap();
        symlink(dir.path().join("elsewhere"), dir.path().join(INCOMING)).unwrap();
        assert_eq!(code(dir.path(), "a"), "UPLOAD_NOT_FOUND");
    }
}
