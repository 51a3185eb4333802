//! One entry of a tar before it is bytes: every field as bytes of its own, so that a twist may put anything anywhere.
//!
//! In: what the twists of `twists.rs` change. Out: blocks with a checksum, so that only what was meant to be odd is.

/// The forms of a checksum.
#[derive(Clone, Copy)]
pub(crate) enum Sum {
    Unsigned,
    Signed,
    Wrong,
    /// Spaces, digits, a NUL.
    Padded,
    /// Nothing but digits.
    Full,
}

/// One entry with the headers before it.
#[derive(Clone)]
pub(crate) struct Draft {
    /// Whole headers before the PAX header, and between it and the entry.
    pub(crate) before: Vec<Vec<u8>>,
    pub(crate) between: Vec<Vec<u8>>,
    /// The records of the entry's PAX header; none, no header.
    pub(crate) records: Vec<Vec<u8>>,
    /// What the block of the PAX header has elsewhere, and what follows its records.
    pub(crate) pax_edits: Vec<(usize, Vec<u8>)>,
    pub(crate) pax_tail: Vec<u8>,
    pub(crate) name: Vec<u8>,
    pub(crate) link: Vec<u8>,
    pub(crate) prefix: Vec<u8>,
    pub(crate) typeflag: u8,
    pub(crate) magic: [u8; 8],
    /// What the size field says, where that is not the length of the body.
    pub(crate) size: Option<u64>,
    pub(crate) size_form: fn(u64) -> Vec<u8>,
    pub(crate) sum: Sum,
    /// Bytes put into the block last, before the checksum.
    pub(crate) edits: Vec<(usize, Vec<u8>)>,
    /// Blocks between the header and the body, which the size does not count.
    pub(crate) more: Vec<u8>,
    pub(crate) body: Vec<u8>,
    /// What fills the last block.
    pub(crate) fill: u8,
}

impl Draft {
    pub(crate) fn new(name: &[u8], typeflag: u8) -> Self {
        Self {
            before: Vec::new(),
            between: Vec::new(),
            records: Vec::new(),
            pax_edits: Vec::new(),
            pax_tail: Vec::new(),
            name: name.to_vec(),
            link: Vec::new(),
            prefix: Vec::new(),
            typeflag,
            magic: *b"ustar\x0000",
            size: None,
            size_form: |size| octal(size, 11),
            sum: Sum::Unsigned,
            edits: Vec::new(),
            more: Vec::new(),
            body: Vec::new(),
            fill: 0,
        }
    }

    pub(crate) fn put(&mut self, at: usize, bytes: &[u8]) {
        self.edits.push((at, bytes.to_vec()));
    }

    /// A well-formed record.
    pub(crate) fn pax(&mut self, key: &str, value: &[u8]) {
        self.records.push(record(key.as_bytes(), value));
    }

    /// The blocks.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out: Vec<u8> = self.before.concat();
        if !self.records.is_empty() || !self.pax_tail.is_empty() {
            let mut header = Self::new(b"PaxHeaders/x", b'x');
            header.body = [self.records.concat(), self.pax_tail.clone()].concat();
            header.edits.clone_from(&self.pax_edits);
            out.extend(header.blocks());
        }
        out.extend(self.between.concat());
        out.extend(self.blocks());
        out
    }

    fn blocks(&self) -> Vec<u8> {
        let mut block = [0; 512];
        let mut put = |at: usize, room: usize, bytes: &[u8]| {
            let length = bytes.len().min(room).min(512 - at);
            block[at..at + length].copy_from_slice(&bytes[..length]);
        };
        put(0, 100, &self.name);
        put(100, 8, b"0000644");
        put(108, 8, b"0000005");
        put(116, 8, b"0000006");
        put(124, 12, &(self.size_form)(self.size.unwrap_or(self.body.len() as u64)));
        put(136, 12, &octal(1_000_000_000, 11));
        put(156, 1, &[self.typeflag]);
        put(157, 100, &self.link);
        put(257, 8, &self.magic);
        if self.magic != [0; 8] {
            put(265, 32, b"user");
            put(297, 32, b"group");
            let minor = if matches!(self.typeflag, b'3' | b'4') { b"0000003" } else { b"0000000" };
            put(329, 8, minor);
            put(337, 8, minor);
            put(345, 155, &self.prefix);
        }
        for (at, bytes) in &self.edits {
            put(*at, 512, bytes);
        }
        seal(&mut block, self.sum);
        let mut out = [&block, &self.more[..], &self.body].concat();
        out.resize(out.len().next_multiple_of(512), self.fill);
        out
    }
}

/// Fills in the checksum.
fn seal(block: &mut [u8; 512], sum: Sum) {
    block[148..156].fill(b' ');
    let unsigned: i64 = block.iter().map(|byte| i64::from(*byte)).sum();
    let signed: i64 = block.iter().map(|byte| i64::from(byte.cast_signed())).sum();
    let text = match sum {
        Sum::Unsigned => format!("{unsigned:06o}\0 "),
        Sum::Signed => format!("{signed:06o}\0 "),
        Sum::Wrong => format!("{:06o}\0 ", unsigned + 1),
        Sum::Padded => format!("{unsigned:>7o}\0"),
        Sum::Full => format!("{unsigned:08o}"),
    };
    block[148..156].copy_from_slice(text.as_bytes());
}

pub(crate) fn octal(value: u64, digits: usize) -> Vec<u8> {
    format!("{value:0digits$o}").into_bytes()
}

/// Two's complement in so many bytes, the first of them only the mark.
pub(crate) fn base256(value: i64, room: usize) -> Vec<u8> {
    let mut out = vec![if value < 0 { 0xff } else { 0 }; room - 8];
    out.extend(value.to_be_bytes());
    out[0] |= 0x80;
    out
}

/// `LENGTH KEY=VALUE\n`.
pub(crate) fn record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + rest.to_string().len();
    length = rest + length.to_string().len();
    [length.to_string().as_bytes(), b" ", key, b"=", value, b"\n"].concat()
}

/// A header of a type, with this body: `L`, `K`, `x`, `g`.
pub(crate) fn special(typeflag: u8, body: &[u8]) -> Draft {
    let name: &[u8] = if matches!(typeflag, b'L' | b'K') { b"././@LongLink" } else { b"PaxHeaders/x" };
    let mut draft = Draft::new(name, typeflag);
    if matches!(typeflag, b'L' | b'K') {
        draft.magic = *b"ustar  \0";
    }
    draft.body = body.to_vec();
    draft
}
