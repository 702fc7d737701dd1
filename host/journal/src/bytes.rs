//! Little-endian fields at fixed places, read without a panic.

/// The `N` bytes at `at`, when they are there.
pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_le_bytes)
}

/// A length as the file formats hold it. Only for lengths bounded far below 4 GiB; saturates.
pub(crate) fn len_u32(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// A length or offset as a file position.
pub(crate) fn len_u64(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// A file position as an index; saturates, so a position beyond memory finds nothing.
pub(crate) fn index(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

/// The offset of the first byte that is not zero.
pub(crate) fn first_set(bytes: &[u8]) -> Option<usize> {
    const STRIDE: usize = 4096;
    static ZEROS: [u8; STRIDE] = [0; STRIDE];
    let mut start = 0_usize;
    for chunk in bytes.chunks(STRIDE) {
        // Slice equality compares words at a time; only a page with something in it is searched.
        if ZEROS.get(..chunk.len()) != Some(chunk) {
            return chunk.iter().position(|&byte| byte != 0).map(|at| start.saturating_add(at));
        }
        start = start.saturating_add(chunk.len());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_set_byte_is_found_anywhere() {
        for at in [0, 1, 4095, 4096, 9000] {
            let mut bytes = vec![0; 9001];
            bytes[at] = 1;
            assert_eq!(first_set(&bytes), Some(at));
        }
        assert_eq!(first_set(&[0; 9001]), None);
    }

    #[test]
    fn fields_beyond_the_end_are_absent() {
        assert_eq!(u32_at(&[1, 0, 0, 0], 0), Some(1));
        assert_eq!(u32_at(&[1, 0, 0, 0], 1), None);
        assert_eq!(u64_at(&[0; 8], usize::MAX), None);
    }
}
