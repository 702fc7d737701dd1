//! A folder of the host's, opened once, so that everything in it is reached through its handle: a name is a single component, and
//! neither it nor a link leads anywhere else.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _, OpenOptions, OpenOptionsExt as _};

/// Ending of the name of a file that is being written.
const UNFINISHED: &str = ".tmp";

/// A folder.
#[derive(Debug)]
pub struct Folder {
    dir: Dir,
    /// Where it was when it was opened: for messages.
    place: PathBuf,
}

/// A file of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderEntry {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was last written.
    pub modified: SystemTime,
}

impl Folder {
    /// Opens a folder that the operator names. From here on its path no longer matters.
    ///
    /// # Errors
    ///
    /// When it is not there, or no folder.
    pub fn open(path: &Path) -> io::Result<Self> {
        // Readable, and not only a path as `Dir` itself would open it, so that it can be synced.
        let mut options = std::fs::OpenOptions::new();
        let file = std::os::unix::fs::OpenOptionsExt::custom_flags(options.read(true), libc::O_DIRECTORY)
            .open(path)?;
        Ok(Self { dir: Dir::from_std_file(file), place: path.to_owned() })
    }

    /// A folder in this one, made with this mode if it is missing.
    ///
    /// # Errors
    ///
    /// When it is a link, no folder, or cannot be made.
    pub fn sub(&self, name: &str, mode: u32) -> io::Result<Self> {
        let name = component(name)?;
        let mut builder = DirBuilder::new();
        builder.mode(mode);
        match self.dir.create_dir_with(name, &builder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
        // Not even a link that stays inside: a folder is where it says.
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW);
        let dir = Dir::from_std_file(self.dir.open_with(name, &options)?.into_std());
        Ok(Self { dir, place: self.place.join(name) })
    }

    /// Where a file of this name lies: for messages, and for libraries that want a path.
    pub fn path(&self, name: &str) -> PathBuf {
        self.place.join(name)
    }

    /// Opens a file to be read. Links are not followed, and a pipe does not hold the caller up.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is none; a link is `ELOOP`.
    pub fn open_file(&self, name: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
        Ok(self.dir.open_with(component(name)?, &options)?.into_std())
    }

    /// Reads a regular file; `None` when it has more than `bytes_max` bytes.
    ///
    /// # Errors
    ///
    /// As [`open_file`](Self::open_file), and [`ErrorKind::InvalidInput`] for what is no regular file.
    pub fn read(&self, name: &str, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
        let file = self.open_file(name)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "no regular file"));
        }
        let mut bytes = Vec::new();
        file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
        let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= bytes_max);
        Ok(fits.then_some(bytes))
    }

    /// Makes a new file for its owner alone; one that is there is neither opened nor followed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::AlreadyExists`] when there is something of the name.
    pub fn create_new(&self, name: &str, mode: u32) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(mode);
        Ok(self.dir.open_with(component(name)?, &options)?.into_std())
    }

    /// Replaces a file as a whole and durably: after a crash it is the old one or the new one. It is its owner's alone.
    ///
    /// # Errors
    ///
    /// When the disk fails; then nothing half written is left behind.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.swap(name, bytes, File::sync_all)?;
        self.sync()
    }

    /// Replaces a file as a whole without a wait for the disk: after a power cut it may be the old one, or an empty one.
    ///
    /// # Errors
    ///
    /// When the disk fails; then nothing half written is left behind.
    pub fn replace_soon(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.swap(name, bytes, |_| Ok(()))
    }

    fn swap(&self, name: &str, bytes: &[u8], settle: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
        let unfinished = format!("{}{UNFINISHED}", component(name)?);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
        let mut out = self.dir.open_with(&unfinished, &options)?.into_std();
        let written = out.write_all(bytes).and_then(|()| settle(&out));
        if let Err(error) = written.and_then(|()| self.dir.rename(&unfinished, &self.dir, name)) {
            // A disk that is full must not keep half a file, too.
            let _ = self.dir.remove_file(&unfinished);
            return Err(error);
        }
        Ok(())
    }

    /// Makes new names and removed ones outlive a crash.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    pub fn sync(&self) -> io::Result<()> {
        self.dir.try_clone()?.into_std_file().sync_all()
    }

    /// Removes a file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] when there is none.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        self.dir.remove_file(component(name)?)
    }

    /// Whether there is something of this name that a link does not lead out of the folder.
    pub fn exists(&self, name: &str) -> bool {
        component(name).is_ok_and(|name| self.dir.exists(name))
    }

    /// The regular files whose names are text.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn files(&self) -> io::Result<Vec<FolderEntry>> {
        let mut files = Vec::new();
        for entry in self.dir.entries()? {
            let entry = entry?;
            // It may be gone by now; then it is none.
            let (Ok(name), Ok(metadata)) = (entry.file_name().into_string(), entry.metadata()) else {
                continue;
            };
            if metadata.is_file() {
                let modified = metadata.modified()?.into_std();
                files.push(FolderEntry { name, bytes: metadata.len(), modified });
            }
        }
        Ok(files)
    }

    /// Removes what [`replace`](Self::replace) left half written in a crash.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read or changed.
    pub fn remove_unfinished(&self) -> io::Result<()> {
        for file in self.files()?.iter().filter(|file| file.name.ends_with(UNFINISHED)) {
            self.remove(&file.name)?;
        }
        Ok(())
    }
}

/// A name that stays in its folder.
fn component(name: &str) -> io::Result<&str> {
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
        return Err(io::Error::new(ErrorKind::InvalidInput, format!("{name:?} is no name of a file")));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        (dir, folder)
    }

    #[test]
    fn names_are_single_components() {
        let (dir, folder) = folder();
        std::fs::write(dir.path().join("file"), b"x").unwrap();
        for name in ["", ".", "..", "/etc/passwd", "../file", "a/b", "file/", "a\0b"] {
            assert_eq!(folder.read(name, 10).unwrap_err().kind(), ErrorKind::InvalidInput, "{name:?}");
            assert!(folder.replace(name, b"").is_err() && folder.create_new(name, 0o600).is_err());
            assert!(folder.sub(name, 0o700).is_err() && folder.remove(name).is_err() && !folder.exists(name));
        }
        assert_eq!(folder.read("file", 10).unwrap().as_deref(), Some(b"x".as_slice()));
        assert_eq!(folder.read("file", 0).unwrap(), None, "too long");
    }

    #[test]
    fn no_link_leads_out_or_is_followed() {
        let (dir, folder) = folder();
        let elsewhere = tempfile::tempdir().unwrap();
        std::fs::write(elsewhere.path().join("secret"), b"secret").unwrap();
        symlink(elsewhere.path().join("secret"), dir.path().join("link")).unwrap();
        symlink(elsewhere.path(), dir.path().join("folder")).unwrap();
        assert!(folder.read("link", 10).is_err());
        assert!(folder.create_new("link", 0o600).is_err());
        assert!(folder.sub("folder", 0o700).is_err());
        std::fs::create_dir(dir.path().join("own")).unwrap();
        symlink("own", dir.path().join("inside")).unwrap();
        assert!(folder.sub("own", 0o700).is_ok() && folder.sub("inside", 0o700).is_err());
        // What is replaced is the link, never what it leads to.
        folder.replace("link", b"ours").unwrap();
        assert_eq!(std::fs::read(elsewhere.path().join("secret")).unwrap(), b"secret");
        assert_eq!(folder.read("link", 10).unwrap().as_deref(), Some(b"ours".as_slice()));
        // Nor is a link of the name that a file is written under.
        symlink(elsewhere.path().join("secret"), dir.path().join("other.tmp")).unwrap();
        assert!(folder.replace("other", b"ours").is_err());
        assert_eq!(std::fs::read(elsewhere.path().join("secret")).unwrap(), b"secret");
    }

    #[test]
    fn the_handle_stays_when_the_path_is_taken_over() {
        let (dir, folder) = folder();
        let sub = folder.sub("kept", 0o700).unwrap();
        sub.replace("file", b"ours").unwrap();
        std::fs::rename(dir.path().join("kept"), dir.path().join("moved")).unwrap();
        std::fs::create_dir(dir.path().join("kept")).unwrap();
        std::fs::write(dir.path().join("kept/file"), b"theirs").unwrap();
        assert_eq!(sub.read("file", 10).unwrap().as_deref(), Some(b"ours".as_slice()));
    }

    #[test]
    fn only_regular_files_are_read_and_a_pipe_holds_nobody_up() {
        let (dir, folder) = folder();
        folder.sub("folder", 0o700).unwrap();
        let pipe = dir.path().join("pipe");
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        assert!(folder.read("folder", 10).is_err() && folder.read("pipe", 10).is_err());
        assert_eq!(folder.read("absent", 10).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(folder.files().unwrap(), []);
    }

    #[test]
    fn what_is_written_is_its_owners_alone_and_leaves_nothing_half_done() {
        let (dir, folder) = folder();
        let sub = folder.sub("private", 0o700).unwrap();
        folder.replace("outside", b"1").unwrap();
        sub.replace("file", b"1").unwrap();
        sub.replace("file", b"22").unwrap();
        let mode =
            |name: &str| std::fs::metadata(dir.path().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("private"), mode("private/file")), (0o700, 0o600));
        std::fs::write(dir.path().join("private/half.tmp"), b"").unwrap();
        sub.remove_unfinished().unwrap();
        let files = sub.files().unwrap();
        assert_eq!(
            files.iter().map(|file| (file.name.as_str(), file.bytes)).collect::<Vec<_>>(),
            [("file", 2)]
        );
    }
}
