//! A small mutator with a fixed seed: what the smoke feeds the targets with.

/// Numbers that break arithmetic, as text and as bytes.
const NUMBERS: [&str; 14] = [
    "0",
    "-0",
    "-1",
    "-0.001",
    "0.1",
    "1e308",
    "1e-9",
    "255",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "99999999999999999999999999999999999999999",
    "0.0000000000000000001",
];

/// Pieces of JSON and TOML that stand where others should.
const PIECES: [&str; 12] =
    ["null", "true", "\"\"", "{}", "[]", "[[", "}", ",", "\\u0000", "\u{7f}", "\"\\", "\n"];

/// Whole numbers at the edges of their types.
const EDGES: [u64; 10] = [
    0,
    1,
    0x7f,
    0xff,
    0x7fff_ffff,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0xffff_ffff_ffff_fffe,
    0xffff_ffff_ffff_ffff,
];

/// Longest input made, in bytes.
const INPUT_MAX: usize = 64 << 10;

/// A stream of numbers (splitmix64), and inputs made of seeds by it.
#[derive(Debug)]
pub struct Mutator(u64);

impl Mutator {
    /// The same seed gives the same inputs everywhere.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let value = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    /// A number below `bound`; 0 for a bound of 0.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next().checked_rem(bound as u64).unwrap_or(0)).unwrap_or(0)
    }

    /// The next input: a seed, changed in one to eight places.
    pub fn input(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = seeds.get(self.below(seeds.len())).cloned().unwrap_or_default();
        // Mostly few changes, so that what lies deep is reached too.
        let changes = [1, 1, 1, 2, 2, 3, 5, 8][self.below(8)];
        for _ in 0..changes {
            self.change(&mut input, seeds);
        }
        input.truncate(INPUT_MAX);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        let run = self.below(16) + 1;
        let end = (at + run).min(input.len());
        match self.below(12) {
            0 | 1 => {
                let bit = self.below(8);
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            }
            2 => {
                let value = self.next().to_le_bytes()[0];
                if let Some(byte) = input.get_mut(at) {
                    *byte = value;
                }
            }
            3 => {
                let bytes = EDGES[self.below(EDGES.len())].to_le_bytes();
                let width = [1, 2, 4, 8][self.below(4)];
                for (slot, byte) in input.iter_mut().skip(at).zip(&bytes[..width]) {
                    *slot = *byte;
                }
            }
            4 => drop(input.drain(at..end)),
            5 => {
                let copy = input[at..end].to_vec();
                let to = self.below(input.len() + 1);
                input.splice(to..to, copy);
            }
            6 => input.truncate(at),
            7 => {
                let other = &seeds[self.below(seeds.len())];
                let from = self.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            8 | 9 => self.replace_number(input),
            10 => {
                let piece = PIECES[self.below(PIECES.len())].bytes();
                input.splice(at..at, piece);
            }
            _ => {
                let times = self.below(64) + 1;
                let copy = input[at..end].repeat(times);
                input.splice(at..at, copy);
            }
        }
    }

    /// Puts another number where one stands in a text.
    fn replace_number(&mut self, input: &mut Vec<u8>) {
        let from = self.below(input.len() + 1);
        let digit = |byte: &u8| byte.is_ascii_digit() || *byte == b'.' || *byte == b'-';
        let Some(start) = input.iter().skip(from).position(digit).map(|start| start + from) else { return };
        let length = input[start..].iter().take_while(|byte| digit(byte)).count();
        let number = NUMBERS[self.below(NUMBERS.len())].bytes();
        input.splice(start..start + length, number);
    }
}
