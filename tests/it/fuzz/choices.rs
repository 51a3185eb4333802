//! Bytes that choose. In: any bytes, a fuzzer's or those of a seed. Out: numbers and picks, the plainest ones once the bytes have ended: so a
//! fuzzer grows an input bit by bit, and a short one is a simple one.

pub struct Choices<'a>(pub &'a [u8]);

impl Choices<'_> {
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// Less than `end`, which is at least 1.
    pub fn below(&mut self, end: usize) -> usize {
        let [a, b, c] = [(); 3].map(|()| usize::from(self.byte()));
        match end {
            0..=256 => a % end, // the others are for larger ones
            _ => (a | b << 8 | c << 16) % end,
        }
    }

    /// Less than `end`, of one byte.
    pub fn few(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    /// Once in so many times; never where no byte is left.
    pub fn rarely(&mut self, times: u8) -> bool {
        self.byte() % times == times - 1
    }

    pub fn of<T: Clone>(&mut self, list: &[T]) -> T {
        list[usize::from(self.byte()) % list.len()].clone()
    }

    /// Any number, of a size that is itself chosen.
    pub fn number(&mut self) -> u64 {
        let len = self.few(9);
        (0..len).fold(0, |number, _| number << 8 | u64::from(self.byte()))
    }

    /// So many bytes, as they stand.
    pub fn bytes(&mut self, most: usize) -> Vec<u8> {
        let len = self.few(most + 1);
        (0..len).map(|_| self.byte()).collect()
    }
}

/// Bytes that hardly repeat.
pub fn noise(seed: u32, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// The bytes after a few of them were changed, taken out, doubled or moved, as a fuzzer does it.
pub fn mutated(bytes: &[u8], choices: &mut Choices<'_>) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=choices.few(4) {
        if out.is_empty() {
            return out;
        }
        let at = choices.below(out.len());
        let len = choices.few(16).min(out.len() - at);
        match choices.few(8) {
            0 => out[at] ^= 1 << choices.few(8),
            1 => out[at] = choices.of(b"\0\xff/.: \n0917-+=\x7f"),
            2 => out[at] = choices.byte(),
            3 => drop(out.drain(at..at + len)),
            4 => {
                let more = choices.bytes(8);
                out.splice(at..at, more);
            }
            5 => {
                let (again, to) = (out[at..at + len].to_vec(), choices.below(out.len()));
                out.splice(to..to, again);
            }
            6 => {
                // A line, or what else ends in a newline, stands twice or is gone.
                let start = out[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |line| line + 1);
                let end = out[at..].iter().position(|&byte| byte == b'\n').map_or(out.len(), |line| at + line + 1);
                let line = out[start..end].to_vec();
                out.splice(start..end, line.repeat(choices.few(3)));
            }
            _ => out.truncate(at),
        }
    }
    out
}
