//! Reading tapes, and deleting old ones.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use portcullis_core::Sequence;

use super::{BLOCK_BYTES_MAX, BLOCK_HEADER_BYTES, HEADER_BYTES, MAGIC, TapeError, TapeFrame};
use crate::bytes::{index, len_u64, u32_at, u64_at};

/// Reads one part and hands its frames to `visit`. A torn end, as a crash leaves it, ends the reading.
///
/// # Errors
///
/// [`TapeError::Malformed`] for a file that is no tape, or whose blocks are changed.
pub fn read_tape(path: &Path, visit: &mut dyn FnMut(TapeFrame<'_>)) -> Result<(), TapeError> {
    let mut file = io::BufReader::new(File::open(path)?);
    let mut offset = 0_u64;
    let malformed = |offset| TapeError::Malformed { path: path.to_owned(), offset };
    let mut header = [0; HEADER_BYTES];
    file.read_exact(&mut header).map_err(|_| malformed(0))?;
    if !header.starts_with(MAGIC) {
        return Err(malformed(0));
    }
    let mut number = u64_at(&header, 24).ok_or_else(|| malformed(0))?;
    offset = offset.saturating_add(len_u64(HEADER_BYTES));
    let mut compressed = Vec::new();
    loop {
        let mut head = [0; BLOCK_HEADER_BYTES];
        if !read_whole(&mut file, &mut head)? {
            return Ok(());
        }
        let field = |at| u32_at(&head, at).map_or(usize::MAX, |value| index(u64::from(value)));
        let (raw, length, frames) = (field(0), field(4), field(8));
        if raw > BLOCK_BYTES_MAX || length > BLOCK_BYTES_MAX {
            return Err(malformed(offset));
        }
        compressed.resize(length, 0);
        if !read_whole(&mut file, &mut compressed)? {
            return Ok(());
        }
        if u32_at(&head, 12) != Some(crc32c::crc32c(&compressed)) {
            return Err(malformed(offset));
        }
        let block = zstd::bulk::decompress(&compressed, raw).map_err(|_| malformed(offset))?;
        let mut rest = block.as_slice();
        for _ in 0..frames {
            let (frame, outcome, after) = split_frame(rest).ok_or_else(|| malformed(offset))?;
            visit(TapeFrame { number, frame, outcome });
            number = number.saturating_add(1);
            rest = after;
        }
        offset = offset.saturating_add(len_u64(BLOCK_HEADER_BYTES.saturating_add(length)));
    }
}

fn split_frame(block: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (frame, outcome) = (u32_at(block, 0)?, u32_at(block, 4)?);
    let (frame, rest) = block.get(8..)?.split_at_checked(index(u64::from(frame)))?;
    let (outcome, rest) = rest.split_at_checked(index(u64::from(outcome)))?;
    Some((frame, outcome, rest))
}

/// Fills `into`; `false` at the end of the file, also in the middle of it.
fn read_whole(file: &mut impl Read, into: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(into) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Deletes the oldest tapes of a data directory until at most `bytes_max` bytes are left, never one of `session`. Returns the
/// names deleted; their hashes stay in the journal.
///
/// # Errors
///
/// [`TapeError::Io`] when the directory cannot be read or a file not be deleted.
pub fn retain_tapes(directory: &Path, bytes_max: u64, session: Sequence) -> Result<Vec<String>, TapeError> {
    let folder = directory.join("tape");
    let mut tapes = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        if let Some(name) = entry.file_name().to_str().filter(|name| name.ends_with(".tape")) {
            tapes.push((name.to_owned(), entry.metadata()?.len()));
        }
    }
    tapes.sort();
    let mut total = tapes.iter().fold(0_u64, |total, (_, bytes)| total.saturating_add(*bytes));
    let current = format!("{:016}-", session.0);
    let mut deleted = Vec::new();
    for (name, bytes) in tapes.into_iter().filter(|(name, _)| !name.starts_with(&current)) {
        if total <= bytes_max {
            break;
        }
        fs::remove_file(folder.join(&name))?;
        total = total.saturating_sub(bytes);
        deleted.push(name);
    }
    Ok(deleted)
}
