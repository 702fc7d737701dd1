//! A zip file of one member, read as a stream. Of the format only what an archive of recordings needs: stored or deflated, with the
//! long sizes of large files, without passwords.

use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Read, Seek as _, SeekFrom};

use flate2::Crc;
use flate2::read::DeflateDecoder;

/// With which a zip file begins, and one without any member.
const MEMBER: [u8; 4] = *b"PK\x03\x04";
const END: [u8; 4] = *b"PK\x05\x06";
const ENTRY: [u8; 4] = *b"PK\x01\x02";
const LONG_END: [u8; 4] = *b"PK\x06\x06";
const LONG_LOCATOR: [u8; 4] = *b"PK\x06\x07";

/// Length of the end record without its comment, and of the longest comment.
const END_LENGTH: u64 = 22;
const COMMENT_MAX: u64 = 0xffff;
/// Length of the record before it that says where the long end record is.
const LOCATOR_LENGTH: usize = 20;
/// Largest list of members that is read, in bytes.
const LIST_MAX: u64 = 1 << 20;

/// Whether a file that begins like this is a zip file.
pub(super) fn is_zip(start: &[u8]) -> bool {
    start.starts_with(&MEMBER) || start.starts_with(&END)
}

/// The unpacked content of the one member. Its end is reached only if length and checksum are right.
pub(super) fn open(mut file: File) -> Result<impl Read, String> {
    let length = file.seek(SeekFrom::End(0)).map_err(|error| error.to_string())?;
    let list = list(&mut file, length)?;
    let mut members = Vec::new();
    let mut rest = list.as_slice();
    while !rest.is_empty() {
        let (member, name, next) = entry(rest).ok_or("its list of files is broken")?;
        if !name.ends_with(b"/") {
            members.push(member);
        }
        rest = next;
    }
    let [member] = members.as_slice() else {
        return Err(format!(
            "holds {} files and must hold one; unpack it and name its files one by one",
            members.len()
        ));
    };
    if member.flags & 1 != 0 {
        return Err("its file has a password; pack it without".to_owned());
    }
    let mut head = [0; 30];
    read_at(&mut file, member.at, &mut head)?;
    let lengths = u16_at(&head, 26).zip(u16_at(&head, 28)).filter(|_| head.starts_with(&MEMBER));
    let (name, extra) = lengths.ok_or("its file is not where its list says")?;
    let start = member.at.saturating_add(30).saturating_add(name.into()).saturating_add(extra.into());
    file.seek(SeekFrom::Start(start)).map_err(|error| error.to_string())?;
    let packed = BufReader::with_capacity(1 << 16, file.take(member.packed));
    let content: Box<dyn Read> = match member.method {
        0 => Box::new(packed),
        8 => Box::new(DeflateDecoder::new(packed)),
        other => return Err(format!("its file is packed by method {other}; pack it by deflate")),
    };
    Ok(Checked { content, left: member.unpacked, crc: Crc::new(), expected: member.crc })
}

/// What the list says of a member.
struct Member {
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    unpacked: u64,
    at: u64,
}

/// The list of members.
fn list(file: &mut File, length: u64) -> Result<Vec<u8>, String> {
    let tail_at = length.saturating_sub(END_LENGTH.saturating_add(COMMENT_MAX));
    let mut tail = vec![0; usize::try_from(length.saturating_sub(tail_at)).unwrap_or(0)];
    read_at(file, tail_at, &mut tail)?;
    // The last place that looks like an end record whose comment reaches to the end of the file.
    let end = (0..tail.len()).rev().find(|at| {
        let record = tail.get(*at..).unwrap_or_default();
        let comment = u16_at(record, 20).map(usize::from);
        record.starts_with(&END) && comment.and_then(|comment| comment.checked_add(22)) == Some(record.len())
    });
    let end = end.ok_or("its end is missing; download it again")?;
    let record = tail.get(end..).unwrap_or_default();
    let short = u32_at(record, 12).zip(u32_at(record, 16)).ok_or("its end is broken")?;
    let (mut size, mut at) = (u64::from(short.0), u64::from(short.1));
    let locator = end.checked_sub(LOCATOR_LENGTH).and_then(|at| tail.get(at..end));
    if let Some(locator) = locator.filter(|locator| locator.starts_with(&LONG_LOCATOR)) {
        let mut record = [0; 56];
        read_at(file, u64_at(locator, 8).unwrap_or(u64::MAX), &mut record)?;
        let long = u64_at(&record, 40).zip(u64_at(&record, 48)).filter(|_| record.starts_with(&LONG_END));
        (size, at) = long.ok_or("its long end is broken")?;
    }
    if size > LIST_MAX {
        return Err("its list of files is longer than 1 MiB".to_owned());
    }
    let mut list = vec![0; usize::try_from(size).unwrap_or(0)];
    read_at(file, at, &mut list)?;
    Ok(list)
}

/// The first entry of a list: the member, its name, and what follows.
fn entry(list: &[u8]) -> Option<(Member, &[u8], &[u8])> {
    if !list.starts_with(&ENTRY) {
        return None;
    }
    let length = |at| u16_at(list, at).map(usize::from);
    let name_end = length(28)?.checked_add(46)?;
    let extra_end = name_end.checked_add(length(30)?)?;
    let end = extra_end.checked_add(length(32)?)?;
    let name = list.get(46..name_end)?;
    let mut extra = long_numbers(list.get(name_end..extra_end)?);
    // A number that does not fit is all ones, and its long form is the next one in the extra field.
    let mut number = |at| match u32_at(list, at)? {
        u32::MAX => {
            let (first, rest) = extra.split_at_checked(8)?;
            extra = rest;
            u64_at(first, 0)
        }
        short => Some(u64::from(short)),
    };
    let unpacked = number(24)?;
    let packed = number(20)?;
    let at = number(42)?;
    let (flags, method, crc) = (u16_at(list, 8)?, u16_at(list, 10)?, u32_at(list, 16)?);
    Some((Member { flags, method, crc, packed, unpacked, at }, name, list.get(end..)?))
}

/// The long numbers of an entry's extra field.
fn long_numbers(mut extra: &[u8]) -> &[u8] {
    while let (Some(id), Some(length)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let body = extra.get(4..).unwrap_or_default();
        let length = usize::from(length).min(body.len());
        let (body, rest) = body.split_at(length);
        if id == 1 {
            return body;
        }
        extra = rest;
    }
    &[]
}

/// Content whose length and checksum are known beforehand.
struct Checked<R> {
    content: R,
    left: u64,
    crc: Crc,
    expected: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        if into.is_empty() {
            return Ok(0);
        }
        let broken = |what| Error::new(ErrorKind::InvalidData, what);
        let read = self.content.read(into)?;
        if read == 0 {
            let whole = self.left == 0 && self.crc.sum() == self.expected;
            return if whole { Ok(0) } else { Err(broken("the archive's checksum is wrong")) };
        }
        let left = u64::try_from(read).ok().and_then(|read| self.left.checked_sub(read));
        self.left = left.ok_or_else(|| broken("the archive unpacks to more than it says"))?;
        self.crc.update(into.get(..read).unwrap_or_default());
        Ok(read)
    }
}

fn read_at(file: &mut File, at: u64, into: &mut [u8]) -> Result<(), String> {
    let read = file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(into));
    read.map_err(|_| "is cut short or points outside of itself; download it again".to_owned())
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}
