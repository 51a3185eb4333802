//! Bits in a row, as deflate packs them: the lowest bit of a byte first (RFC 1951, 3.1.1).
//!
//! In: runs of bits that begin anywhere in their bytes. Out: the same bits without a gap. Pure.

/// Appends bits to bytes.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// Bits that fill no byte yet, the first one lowest, and how many: fewer than 8.
    pending: u8,
    count: u32,
}

impl BitWriter {
    /// Takes the whole bytes that are there, and goes on in the memory of `unused`; the bits after them stay.
    pub(super) fn replace(&mut self, mut unused: Vec<u8>) -> Vec<u8> {
        unused.clear();
        std::mem::replace(&mut self.bytes, unused)
    }

    /// Takes the whole bytes that are there; the bits after them stay.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.replace(Vec::new())
    }

    /// How many whole bytes are there.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Appends the lowest `count` bits, up to 8, of `bits`.
    pub(super) fn push(&mut self, bits: u8, count: u32) {
        let count = count.min(8);
        let bits = u16::from(bits) & (1_u16.checked_shl(count).unwrap_or_default().wrapping_sub(1));
        let [low, high] = (u16::from(self.pending) | bits << self.count).to_le_bytes();
        match self.count.saturating_add(count) {
            count @ 0..8 => (self.pending, self.count) = (low, count),
            count => {
                self.bytes.push(low);
                (self.pending, self.count) = (high, count.saturating_sub(8));
            }
        }
    }

    /// Fills the last byte with zeros.
    pub(super) fn align(&mut self) {
        if self.count > 0 {
            self.bytes.push(self.pending);
            (self.pending, self.count) = (0, 0);
        }
    }

    /// Appends whole bytes.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        if self.count == 0 {
            self.bytes.extend_from_slice(bytes);
            return;
        }
        let (words, rest) = bytes.as_chunks::<8>();
        self.bytes.reserve(bytes.len());
        let (shift, mut pending) = (self.count, u64::from(self.pending));
        for word in words {
            let word = u64::from_le_bytes(*word);
            self.bytes.extend_from_slice(&(pending | word << shift).to_le_bytes());
            pending = word >> (64_u32.saturating_sub(shift));
        }
        let [pending, ..] = pending.to_le_bytes();
        self.pending = pending;
        rest.iter().for_each(|byte| self.push(*byte, 8));
    }

    /// Appends `count` bits of `bytes`, from bit `skip` on, which is below 8. Bits that are not there are left out.
    pub(super) fn extend_bits(&mut self, bytes: &[u8], skip: u32, count: u64) {
        let mut left = count;
        let mut bytes = bytes;
        if skip > 0
            && left > 0
            && let Some((first, rest)) = bytes.split_first()
        {
            let available = 8_u32.saturating_sub(skip);
            let taken = u32::try_from(left).unwrap_or(u32::MAX).min(available);
            self.push(first.checked_shr(skip).unwrap_or_default(), taken);
            left = left.saturating_sub(u64::from(taken));
            bytes = rest;
        }
        let whole = usize::try_from(left / 8).unwrap_or(usize::MAX).min(bytes.len());
        let (body, rest) = bytes.split_at(whole);
        self.extend(body);
        if let (Some(last), Ok(bits @ 1..8)) = (rest.first(), u32::try_from(left.saturating_sub(whole as u64 * 8))) {
            self.push(*last, bits);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One bit after the other.
    fn bits(bytes: &[u8]) -> Vec<bool> {
        bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn bits_come_out_as_they_went_in(
            runs in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..80), 0_u32..8, 0_u64..640), 0..12),
            align_after in 0_usize..12,
        ) {
            let mut writer = BitWriter::default();
            let mut expected: Vec<bool> = Vec::new();
            for (at, (bytes, skip, count)) in runs.iter().enumerate() {
                let all = bits(bytes);
                let count = (*count).min(all.len() as u64 - u64::from(*skip));
                writer.extend_bits(bytes, *skip, count);
                expected.extend(&all[*skip as usize..][..usize::try_from(count).unwrap()]);
                if at == align_after {
                    writer.align();
                    expected.resize(expected.len().next_multiple_of(8), false);
                }
            }
            writer.align();
            expected.resize(expected.len().next_multiple_of(8), false);
            prop_assert_eq!(bits(&writer.take()), expected);
        }
    }

    #[test]
    fn bits_that_are_not_there_are_left_out() {
        let mut writer = BitWriter::default();
        writer.extend_bits(&[0xff], 4, 100);
        writer.align();
        assert_eq!(writer.take(), [0x0f]);
    }
}
