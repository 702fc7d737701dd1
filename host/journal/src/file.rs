//! Segments as files: `DIR/journal/0000000001.seg`, and the reserve beside them, with `DIR/lock` held by the one process that may
//! write.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rustix::fs::FallocateFlags;

use crate::bytes::{index, len_u64};
use crate::reserve_file::ReserveFile;
use crate::storage::{CHECKPOINT_BYTES_MAX, Reserve, SEGMENT_BYTES_MAX, Storage};
use crate::{DirectoryLock, JournalError};

/// Bytes zeroed and synced at a time while a segment is prepared: small enough that a commit in between hardly waits.
const ZERO_STEP: usize = 512 * 1024;
const FILE_MODE: u32 = 0o640;
const DIRECTORY_MODE: u32 = 0o750;

/// The journal's files in a data directory.
#[derive(Debug)]
pub struct FileStorage {
    folder: PathBuf,
    open: Mutex<BTreeMap<u32, Arc<File>>>,
    preparing: Mutex<Option<Preparing>>,
    /// Allocated and open from the start, so that nothing but the disk itself can fail it. `None` where a reader finds none.
    reserve: Option<ReserveFile>,
    /// `None` when opened for reading only.
    lock: Option<DirectoryLock>,
}

#[derive(Debug)]
struct Preparing {
    number: u32,
    bytes: u64,
    done: JoinHandle<io::Result<()>>,
}

impl FileStorage {
    /// Opens `directory` (the data directory) for writing, creating `journal/` in it, and holds `lock` until dropped.
    ///
    /// # Errors
    ///
    /// [`JournalError::Held`] when another process has the directory, [`JournalError::Storage`] when it cannot be created or locked.
    pub fn open(directory: &Path) -> Result<Self, JournalError> {
        let build = |path: &Path| DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(path);
        build(directory).map_err(JournalError::storage("create the data directory"))?;
        let lock = DirectoryLock::acquire(&directory.join("lock"))?;
        let folder = directory.join("journal");
        build(&folder)
            .and_then(|()| sync_directory(directory))
            .map_err(JournalError::storage("create the journal's directory"))?;
        // What a crash left half prepared; the lock says that nobody is at it.
        for number in
            list(&folder, ".seg.tmp").map_err(JournalError::storage("list the journal's directory"))?
        {
            fs::remove_file(folder.join(format!("{number:010}.seg.tmp")))
                .map_err(JournalError::storage("remove a half-prepared segment"))?;
        }
        let reserve =
            ReserveFile::open(&folder).map_err(JournalError::storage("open the journal's reserve"))?;
        Ok(Self::new(folder, Some(reserve), Some(lock)))
    }

    /// Opens `directory` for reading only, also while another process writes. Takes no lock and changes nothing.
    pub fn read_only(directory: &Path) -> Self {
        let folder = directory.join("journal");
        // A directory without one is a journal of an earlier version, or none at all, which other reads tell.
        let reserve = ReserveFile::read_only(&folder);
        Self::new(folder, reserve, None)
    }

    fn new(folder: PathBuf, reserve: Option<ReserveFile>, lock: Option<DirectoryLock>) -> Self {
        Self { folder, open: Mutex::default(), preparing: Mutex::default(), reserve, lock }
    }

    fn path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("{number:010}.seg"))
    }

    fn file(&self, number: u32) -> io::Result<Arc<File>> {
        let mut open = held(&self.open);
        if let Some(file) = open.get(&number) {
            return Ok(Arc::clone(file));
        }
        // Writing goes on in the newest segment alone.
        let file =
            Arc::new(OpenOptions::new().read(true).write(self.lock.is_some()).open(self.path(number))?);
        open.clear();
        open.insert(number, Arc::clone(&file));
        Ok(file)
    }

    fn writable(&self) -> io::Result<()> {
        match self.lock {
            Some(_) => Ok(()),
            None => Err(io::Error::new(
                io::ErrorKind::ReadOnlyFilesystem,
                "the journal was opened for reading only",
            )),
        }
    }
}

impl Storage for FileStorage {
    fn segments(&self) -> io::Result<Vec<u32>> {
        list(&self.folder, ".seg")
    }

    fn prepare(&self, number: u32, bytes: u64) {
        let mut preparing = held(&self.preparing);
        if self.lock.is_none() || preparing.is_some() {
            return;
        }
        let folder = self.folder.clone();
        let spawned = std::thread::Builder::new()
            .name("journal-prepare".to_owned())
            .spawn(move || create_file(&folder, number, bytes));
        // Without a thread the segment is made when it is needed.
        *preparing = spawned.ok().map(|done| Preparing { number, bytes, done });
    }

    fn create(&self, number: u32, bytes: u64) -> io::Result<()> {
        self.writable()?;
        if let Some(preparing) = held(&self.preparing).take() {
            let asked_for = preparing.number == number && preparing.bytes == bytes;
            let result =
                preparing.done.join().unwrap_or_else(|_| Err(io::Error::other("the preparing thread died")));
            if asked_for {
                return result;
            }
        }
        create_file(&self.folder, number, bytes)
    }

    fn write_at(&self, number: u32, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.writable()?;
        self.file(number)?.write_all_at(bytes, offset)
    }

    fn sync(&self, number: u32) -> io::Result<()> {
        self.writable()?;
        rustix::fs::fdatasync(self.file(number)?).map_err(io::Error::from)
    }

    fn read(&self, number: u32, offset: u64, bytes_max: u64, into: &mut Vec<u8>) -> io::Result<()> {
        let file = File::open(self.path(number))?;
        let length = checked_length(&file, SEGMENT_BYTES_MAX)?;
        into.resize(index(length.saturating_sub(offset).min(bytes_max)), 0);
        file.read_exact_at(into, offset)
    }

    fn remove(&self, number: u32) -> io::Result<()> {
        self.writable()?;
        held(&self.open).remove(&number);
        fs::remove_file(self.path(number))?;
        sync_directory(&self.folder)
    }

    fn read_checkpoint(&self) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        let mut file = match File::open(self.folder.join("checkpoint")) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        checked_length(&file, CHECKPOINT_BYTES_MAX)?;
        file.read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    fn replace_checkpoint(&self, bytes: &[u8]) -> io::Result<()> {
        self.writable()?;
        let draft = self.folder.join("checkpoint.tmp");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(FILE_MODE).open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, self.folder.join("checkpoint"))?;
        sync_directory(&self.folder)
    }

    fn reserve(&self) -> Option<&dyn Reserve> {
        self.reserve.as_ref().map(|reserve| reserve as &dyn Reserve)
    }
}

impl Drop for FileStorage {
    fn drop(&mut self) {
        // The lock must not be released while a thread still writes under it.
        if let Some(preparing) = held(&self.preparing).take() {
            drop(preparing.done.join());
        }
    }
}

/// Creates a segment.
fn create_file(folder: &Path, number: u32, bytes: u64) -> io::Result<()> {
    create_zeros(folder, &format!("{number:010}.seg"), bytes)
}

/// Creates a zero-filled file under a draft name and gives it its own when it is whole.
pub(crate) fn create_zeros(folder: &Path, name: &str, bytes: u64) -> io::Result<()> {
    let path = folder.join(name);
    if path.try_exists()? {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} exists", path.display())));
    }
    let draft = folder.join(format!("{name}.tmp"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(FILE_MODE).open(&draft)?;
    // One extent if the file system can; one that cannot allocates while the zeros are written.
    match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, bytes) {
        Ok(()) | Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {}
        Err(error) => return Err(error.into()),
    }
    // Real zeros, so that later writes change no metadata and fdatasync has only data to write.
    let zeros = vec![0; ZERO_STEP];
    let mut left = bytes;
    while left > 0 {
        let step = zeros.get(..index(left)).unwrap_or(&zeros);
        file.write_all(step)?;
        file.sync_data()?;
        left = left.saturating_sub(len_u64(step.len()));
    }
    file.sync_all()?;
    fs::rename(&draft, &path)?;
    sync_directory(folder)
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The numbers of the files `0000000001SUFFIX` and so on, rising. Other names are not ours and are left alone.
fn list(folder: &Path, suffix: &str) -> io::Result<Vec<u32>> {
    let mut numbers = Vec::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(numbers),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let name = entry?.file_name();
        let digits =
            name.to_str().and_then(|name| name.strip_suffix(suffix)).filter(|digits| digits.len() == 10);
        numbers.extend(digits.and_then(|digits| digits.parse::<u32>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

pub(crate) fn checked_length(file: &File, bytes_max: u64) -> io::Result<u64> {
    let length = file.metadata()?.len();
    if length > bytes_max {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("{length} bytes, more than {bytes_max}"),
        ));
    }
    Ok(length)
}

/// These locks guard plain values; a panic elsewhere leaves them whole.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
