//! A tar writer and a tar reader for the tests, which share no code with the crate.
//!
//! The writer can write what no sane program writes; the reader believes nothing: every header's checksum, every
//! name and every size is checked, and what it does not expect in our output is a panic.

/// A header block and what follows it, as the test wants it.
#[derive(Clone, Debug)]
pub struct Raw {
    pub name: Vec<u8>,
    pub typeflag: u8,
    pub mode: u32,
    pub uid: u64,
    pub gid: u64,
    pub mtime: (i64, u32),
    pub link: Vec<u8>,
    pub body: Vec<u8>,
    pub device: (u64, u64),
    pub user: Vec<u8>,
    pub group: Vec<u8>,
    /// Extra PAX records, before those that the fields need.
    pub pax: Vec<(Vec<u8>, Vec<u8>)>,
    /// What the magic and version fields hold.
    pub magic: [u8; 8],
}

impl Raw {
    pub fn new(name: &[u8], typeflag: u8) -> Self {
        Self {
            name: name.to_vec(),
            typeflag,
            mode: 0o644,
            uid: 0,
            gid: 0,
            mtime: (0, 0),
            link: Vec::new(),
            body: Vec::new(),
            device: (0, 0),
            user: Vec::new(),
            group: Vec::new(),
            pax: Vec::new(),
            magic: *b"ustar\x0000",
        }
    }

    pub fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    pub fn pax(mut self, key: &[u8], value: &[u8]) -> Self {
        self.pax.push((key.to_vec(), value.to_vec()));
        self
    }

    /// The entry's blocks: a PAX header if a field does not fit, the header, the padded body.
    pub fn bytes(&self) -> Vec<u8> {
        let mut pax = self.pax.clone();
        let mut record = |key: &str, value: &[u8]| {
            if !pax.iter().any(|(known, _)| known == key.as_bytes()) {
                pax.push((key.into(), value.into()));
            }
        };
        if self.name.len() > 100 {
            record("path", &self.name);
        }
        if self.link.len() > 100 {
            record("linkpath", &self.link);
        }
        if self.uid >= 1 << 21 {
            record("uid", self.uid.to_string().as_bytes());
        }
        if self.gid >= 1 << 21 {
            record("gid", self.gid.to_string().as_bytes());
        }
        if self.mtime.0 < 0 || self.mtime.1 != 0 {
            record("mtime", decimal(self.mtime).as_bytes());
        }
        let mut out = Vec::new();
        if !pax.is_empty() {
            let body: Vec<u8> = pax.iter().flat_map(|(key, value)| pax_record(key, value)).collect();
            let mut header = Raw::new(b"PaxHeaders/x", b'x');
            header.body = body;
            out.extend(header.blocks());
        }
        out.extend(self.blocks());
        out
    }

    fn blocks(&self) -> Vec<u8> {
        let mut block = [0u8; 512];
        let mut put = |at: usize, width: usize, bytes: &[u8]| {
            let len = bytes.len().min(width);
            block[at..at + len].copy_from_slice(&bytes[..len]);
        };
        put(0, 100, &self.name);
        put(100, 8, octal(self.mode.into(), 7).as_bytes());
        put(108, 8, octal(if self.uid >= 1 << 21 { 0 } else { self.uid }, 7).as_bytes());
        put(116, 8, octal(if self.gid >= 1 << 21 { 0 } else { self.gid }, 7).as_bytes());
        put(124, 12, octal(self.body.len() as u64, 11).as_bytes());
        put(136, 12, octal(self.mtime.0.max(0) as u64, 11).as_bytes());
        put(148, 8, b"        ");
        put(156, 1, &[self.typeflag]);
        put(157, 100, &self.link);
        put(257, 8, &self.magic);
        put(265, 32, &self.user);
        put(297, 32, &self.group);
        put(329, 8, &device(self.device.0));
        put(337, 8, &device(self.device.1));
        let sum: u64 = block.iter().map(|&byte| u64::from(byte)).sum();
        block[148..154].copy_from_slice(octal(sum, 6).as_bytes());
        block[154] = 0;
        let mut out = block.to_vec();
        out.extend(&self.body);
        out.resize(out.len().next_multiple_of(512), 0);
        out
    }
}

/// A whole tar with its end marker.
pub fn archive(entries: &[Raw]) -> Vec<u8> {
    let mut out: Vec<u8> = entries.iter().flat_map(Raw::bytes).collect();
    out.extend([0; 1024]);
    out
}

/// Octal, or base 256 for what does not fit.
fn device(value: u64) -> Vec<u8> {
    if value < 1 << 21 {
        return octal(value, 7).into_bytes();
    }
    let mut bytes = value.to_be_bytes();
    bytes[0] |= 0x80;
    bytes.to_vec()
}

fn octal(value: u64, digits: usize) -> String {
    format!("{value:0digits$o}")
}

/// Seconds and nanoseconds forward as the decimal that PAX wants: -5 and 250,000,000 make -4.75.
fn decimal((seconds, nanos): (i64, u32)) -> String {
    let all = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    let (sign, all) = (if all < 0 { "-" } else { "" }, all.abs());
    let text = format!("{sign}{}.{:09}", all / 1_000_000_000, all % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn pax_record(key: &[u8], value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut len = rest + 1;
    while len.to_string().len() + rest != len {
        len = len.to_string().len() + rest;
    }
    [len.to_string().as_bytes(), b" ", key, b"=", value, b"\n"].concat()
}

/// An entry as the reader saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub name: Vec<u8>,
    pub typeflag: u8,
    pub mode: u64,
    pub uid: u64,
    pub gid: u64,
    pub mtime: (i64, u32),
    pub link: Vec<u8>,
    pub body: Vec<u8>,
    pub device: (u64, u64),
    pub user: Vec<u8>,
    pub group: Vec<u8>,
    /// The records that are no header field, such as attributes.
    pub records: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Reads a tar that must be well formed to the last byte.
pub fn read(tar: &[u8]) -> Vec<Seen> {
    assert_eq!(tar.len() % 512, 0, "a tar is made of blocks");
    let mut seen = Vec::new();
    let mut pax: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let (mut long_name, mut long_link) = (None, None);
    let mut at = 0;
    loop {
        let block = &tar[at..at + 512];
        if block.iter().all(|&byte| byte == 0) {
            assert!(
                tar[at..].iter().all(|&byte| byte == 0) && tar.len() - at >= 1024,
                "an end marker, and nothing after it"
            );
            assert!(pax.is_empty() && long_name.is_none() && long_link.is_none(), "no dangling header");
            return seen;
        }
        let sum: u64 =
            block.iter().enumerate().map(|(n, &b)| if (148..156).contains(&n) { 32 } else { u64::from(b) }).sum();
        assert_eq!(number(&block[148..156]), sum as i128, "the checksum");
        let typeflag = block[156];
        let record = |key: &[u8]| pax.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value.clone());
        let unsigned = |key: &str, from: usize, to: usize| -> u64 {
            let in_pax = record(key.as_bytes()).map(|value| std::str::from_utf8(&value).unwrap().parse().unwrap());
            in_pax.unwrap_or_else(|| u64::try_from(number(&block[from..to])).unwrap())
        };
        let size = if typeflag == b'x' { number(&block[124..136]) as u64 } else { unsigned("size", 124, 136) } as usize;
        let body = tar[at + 512..at + 512 + size].to_vec();
        at += 512 + size.next_multiple_of(512);
        match typeflag {
            b'x' => {
                assert!(pax.is_empty(), "one PAX header an entry");
                pax = pax_records(&body);
                continue;
            }
            b'L' => {
                long_name = Some(field(&body));
                continue;
            }
            b'K' => {
                long_link = Some(field(&body));
                continue;
            }
            _ => {}
        }
        let prefix = if &block[257..263] == b"ustar\0" { field(&block[345..500]) } else { Vec::new() };
        let short =
            if prefix.is_empty() { field(&block[..100]) } else { [&prefix[..], b"/", &field(&block[..100])].concat() };
        let mtime = record(b"mtime").map_or_else(|| (number(&block[136..148]) as i64, 0), |value| time(&value));
        const FIELDS: [&[u8]; 8] = [b"path", b"linkpath", b"size", b"uid", b"gid", b"mtime", b"uname", b"gname"];
        let mode = number(&block[100..108]) as u64;
        let of_type = [0, 0o100_000, 0, 0o120_000, 0o020_000, 0o060_000, 0o040_000, 0o010_000];
        let type_bits = of_type[usize::from(typeflag.saturating_sub(b'/')).min(7)];
        assert!(mode & !0o7777 == 0 || mode & !0o7777 == type_bits, "mode {mode:o} is of another type");
        seen.push(Seen {
            name: record(b"path").or(long_name.take()).unwrap_or(short),
            typeflag,
            mode: mode & 0o7777,
            uid: unsigned("uid", 108, 116),
            gid: unsigned("gid", 116, 124),
            mtime,
            link: record(b"linkpath").or(long_link.take()).unwrap_or_else(|| field(&block[157..257])),
            body,
            device: (unsigned("SCHILY.devmajor", 329, 337), unsigned("SCHILY.devminor", 337, 345)),
            user: record(b"uname").unwrap_or_else(|| field(&block[265..297])),
            group: record(b"gname").unwrap_or_else(|| field(&block[297..329])),
            records: pax
                .drain(..)
                // Names are bytes here anyway.
                .filter(|(key, _)| *key != b"hdrcharset")
                .filter(|(key, _)| !FIELDS.contains(&key.as_slice()) && !key.starts_with(b"SCHILY.dev"))
                .collect(),
        });
    }
}

fn field(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().take_while(|&byte| byte != 0).collect()
}

/// Octal, or base 256.
fn number(bytes: &[u8]) -> i128 {
    if bytes[0] & 0x80 != 0 {
        let first = i128::from(bytes[0] & 0x7f) - if bytes[0] & 0x40 != 0 { 0x80 } else { 0 };
        return bytes[1..].iter().fold(first, |value, &byte| (value << 8) | i128::from(byte));
    }
    let text = bytes.iter().copied().filter(|byte| !matches!(byte, b' ' | 0));
    text.fold(0, |value, digit| {
        assert!((b'0'..=b'7').contains(&digit), "an octal digit");
        value * 8 + i128::from(digit - b'0')
    })
}

fn time(value: &[u8]) -> (i64, u32) {
    let text = std::str::from_utf8(value).unwrap();
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let nanos: i128 = format!("{part:0<9}")[..9].parse().unwrap();
    let all = sign * (whole.parse::<i128>().unwrap() * 1_000_000_000 + nanos);
    (all.div_euclid(1_000_000_000) as i64, all.rem_euclid(1_000_000_000) as u32)
}

fn pax_records(mut body: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut records: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    while !body.is_empty() {
        let space = body.iter().position(|&byte| byte == b' ').unwrap();
        let len: usize = std::str::from_utf8(&body[..space]).unwrap().parse().unwrap();
        let (record, rest) = body.split_at(len);
        let record = record[space + 1..].strip_suffix(b"\n").expect("a record ends in a newline");
        let equals = record.iter().position(|&byte| byte == b'=').unwrap();
        let (key, value) = (record[..equals].to_vec(), record[equals + 1..].to_vec());
        assert!(records.iter().all(|(known, _)| *known != key), "each PAX key stands once");
        records.push((key, value));
        body = rest;
    }
    records
}

#[test]
fn the_reader_sees_what_the_writer_wrote() {
    let mut odd = Raw::new(&[b"long/".repeat(30).as_slice(), b"\xff"].concat(), b'0').body(b"hello");
    odd = odd.pax(b"SCHILY.xattr.user.k", b"a\n\0b");
    (odd.uid, odd.mtime, odd.mode) = (3_000_000_000, (-5, 250_000_000), 0o4755);
    let seen = read(&archive(&[Raw::new(b"d/", b'5'), odd.clone()]));
    let last = &seen[1];
    assert_eq!((&last.name, last.uid, last.mtime, last.mode), (&odd.name, odd.uid, odd.mtime, 0o4755));
    assert_eq!(
        (&last.body[..], &last.records),
        (&b"hello"[..], &vec![(b"SCHILY.xattr.user.k".to_vec(), b"a\n\0b".to_vec())])
    );
    assert_eq!(decimal((-5, 250_000_000)), "-4.75");
}
