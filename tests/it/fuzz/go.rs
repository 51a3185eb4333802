//! Go's `archive/tar`, by which every engine reads layers, said again (reader.go and strconv.go of Go 1.24): slow, over bytes in memory.
//!
//! In: a tar. Out: its entries with their content, or nothing where Go returns an error. It shares no code with the crate. Times finer than a
//! second and global headers, which engines ignore, are left out.

use std::collections::BTreeMap;

/// An entry as Go's `Header` has it, and what its `Read` yields; nothing where that fails.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub name: Vec<u8>,
    pub link: Vec<u8>,
    pub typeflag: u8,
    pub size: i64,
    pub mode: i64,
    pub owner: (i64, i64),
    pub seconds: i64,
    pub names: (Vec<u8>, Vec<u8>),
    pub device: (i64, i64),
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Runs of data, and where each lies in the tar; what lies between is zeros.
    pub data: Vec<Data>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Data {
    pub at: u64,
    pub len: u64,
    pub offset: u64,
}

type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// `Reader.Next` until the end.
pub fn read(tar: &[u8]) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut at = 0usize;
    let (mut pax, mut long_name, mut long_link) = (Records::new(), Vec::new(), Vec::new());
    loop {
        let block = match tar.get(at..)? {
            [] => return Some(entries),
            rest => rest.get(..512)?,
        };
        at += 512;
        if block == [0; 512] {
            return match tar.get(at..)? {
                [] => Some(entries),
                rest => (rest.get(..512)? == [0; 512]).then_some(entries),
            };
        }
        let mut entry = header(block)?;
        let extended = |at: usize| -> Option<&[u8]> {
            let size = usize::try_from(entry.size).ok().filter(|size| *size <= 1 << 20)?;
            tar.get(at..at + size)
        };
        let skip = |at: usize, size: usize| (at + size).next_multiple_of(512).min(tar.len());
        match entry.typeflag {
            b'x' => {
                let body = extended(at)?;
                pax = records(body)?;
                at = skip(at, body.len());
            }
            b'g' => {
                let body = extended(at)?;
                records(body)?;
                at = skip(at, body.len());
                (pax, long_name, long_link) = Default::default();
            }
            b'L' | b'K' => {
                let body = extended(at)?;
                let long = if entry.typeflag == b'L' { &mut long_name } else { &mut long_link };
                *long = text(body);
                at = skip(at, body.len());
            }
            _ => {
                merge(&mut entry, &pax)?;
                for (long, field) in [(&mut long_name, &mut entry.name), (&mut long_link, &mut entry.link)] {
                    if !long.is_empty() {
                        *field = std::mem::take(long);
                    }
                }
                if entry.typeflag == 0 {
                    entry.typeflag = if entry.name.ends_with(b"/") { b'5' } else { b'0' };
                }
                let stored = match entry.typeflag {
                    b'1'..=b'6' => 0,
                    _ => usize::try_from(entry.size).ok()?,
                };
                let mut start = at;
                let end = at.checked_add(stored)?;
                let map = if entry.typeflag == b'S' {
                    Some(old_sparse(block, tar, &mut entry.size, &mut start)?)
                } else {
                    sparse(&mut entry, &pax, tar.get(..end.min(tar.len()))?, &mut start)?
                };
                // The blocks that continue an old sparse header stand before the data.
                let end = if entry.typeflag == b'S' { start.checked_add(stored)? } else { end };
                if end > tar.len() {
                    return None; // the next call fails to discard it
                }
                let header_only = matches!(entry.typeflag, b'1'..=b'6');
                entry.data = match map {
                    Some(map) if header_only || !is_valid(&map, entry.size) => return None,
                    Some(map) => placed(&map, start, end)?,
                    None if stored == 0 => Vec::new(),
                    None => vec![Data { at: 0, len: stored as u64, offset: start as u64 }],
                };
                at = skip(end, 0);
                entries.push(entry);
                pax.clear();
            }
        }
    }
}

/// `Reader.readHeader`.
fn header(block: &[u8]) -> Option<Entry> {
    let sum = octal(&block[148..156])?;
    let with_spaces = |at: usize, byte: u8| if (148..156).contains(&at) { b' ' } else { byte };
    let unsigned: i64 = block.iter().enumerate().map(|(at, &byte)| i64::from(with_spaces(at, byte))).sum();
    let signed: i64 = block.iter().enumerate().map(|(at, &byte)| i64::from(with_spaces(at, byte) as i8)).sum();
    if sum != unsigned && sum != signed {
        return None;
    }
    let magic = &block[257..265];
    let (posix, gnu) = (magic.starts_with(b"ustar\0"), magic == b"ustar  \0");
    let star = posix && &block[508..512] == b"tar\0";
    let mut entry = Entry {
        name: text(&block[..100]),
        link: text(&block[157..257]),
        typeflag: block[156],
        size: number(&block[124..136])?,
        mode: number(&block[100..108])?,
        owner: (number(&block[108..116])?, number(&block[116..124])?),
        seconds: number(&block[136..148])?,
        names: Default::default(),
        device: (0, 0),
        xattrs: Records::new(),
        data: Vec::new(),
    };
    if posix || gnu {
        entry.names = (text(&block[265..297]), text(&block[297..329]));
        entry.device = (number(&block[329..337])?, number(&block[337..345])?);
        let prefix = if star {
            number(&block[476..488])?;
            number(&block[488..500])?;
            text(&block[345..476])
        } else if posix {
            text(&block[345..500])
        } else {
            let is_time = |field: &[u8]| field[0] == 0 || number(field).is_some();
            let prefix = text(&block[345..500]);
            if (is_time(&block[345..357]) && is_time(&block[357..369])) || !prefix.is_ascii() {
                Vec::new()
            } else {
                prefix
            }
        };
        if !prefix.is_empty() {
            entry.name = [&prefix[..], b"/", &entry.name].concat();
        }
    }
    (entry.size >= 0).then_some(entry) // `handleRegularFile`
}

/// `parseNumeric`.
fn number(field: &[u8]) -> Option<i64> {
    if field[0] & 0x80 == 0 {
        return octal(field);
    }
    let invert = if field[0] & 0x40 != 0 { 0xff } else { 0 };
    let mut value = 0u64;
    for (at, &byte) in field.iter().enumerate() {
        let byte = byte ^ invert;
        let byte = if at == 0 { byte & 0x7f } else { byte };
        if value >> 56 > 0 {
            return None;
        }
        value = value << 8 | u64::from(byte);
    }
    let value = i64::try_from(value).ok()?;
    Some(if invert == 0xff { !value } else { value })
}

/// `parseOctal`.
fn octal(field: &[u8]) -> Option<i64> {
    let blank = |byte: &u8| matches!(byte, b' ' | 0);
    let start = field.iter().position(|byte| !blank(byte)).unwrap_or(field.len());
    let end = field.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    let digits = text(&field[start..end]);
    if start == end {
        return Some(0);
    }
    let digits = std::str::from_utf8(&digits).ok().filter(|digits| !digits.starts_with('+'))?;
    u64::from_str_radix(digits, 8).ok().map(|value| value as i64)
}

/// `parseString`.
fn text(field: &[u8]) -> Vec<u8> {
    field.split(|&byte| byte == 0).next().unwrap().to_vec()
}

/// `strconv.ParseInt(s, 10, 64)`.
fn decimal(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// `parsePAX`.
fn records(mut body: &[u8]) -> Option<Records> {
    let (mut records, mut runs) = (Records::new(), Vec::new());
    while !body.is_empty() {
        let space = body.iter().position(|&byte| byte == b' ')?;
        let len = usize::try_from(decimal(&body[..space])?).ok().filter(|len| *len >= 5 && *len <= body.len())?;
        let (record, rest) = body.split_at(len);
        // A length that ends before its own space is out of range in Go, too.
        let record = record.get(space + 1..)?.strip_suffix(b"\n")?;
        let equals = record.iter().position(|&byte| byte == b'=')?;
        let (key, value) = (&record[..equals], &record[equals + 1..]);
        let is_name = matches!(key, b"path" | b"linkpath" | b"uname" | b"gname");
        if key.is_empty() || (is_name && value.contains(&0)) || (!is_name && key.contains(&0)) {
            return None;
        }
        if key == b"GNU.sparse.offset" || key == b"GNU.sparse.numbytes" {
            let is_offset = key == b"GNU.sparse.offset";
            if (runs.len() % 2 == 0) != is_offset || value.contains(&b',') {
                return None;
            }
            runs.push(value);
        } else {
            records.insert(key.to_vec(), value.to_vec());
        }
        body = rest;
    }
    if !runs.is_empty() {
        records.insert(b"GNU.sparse.map".to_vec(), runs.join(&b','));
    }
    Some(records)
}

/// `mergePAX`.
fn merge(entry: &mut Entry, pax: &Records) -> Option<()> {
    for (key, value) in pax.iter().filter(|(_, value)| !value.is_empty()) {
        match key.as_slice() {
            b"path" => entry.name.clone_from(value),
            b"linkpath" => entry.link.clone_from(value),
            b"uname" => entry.names.0.clone_from(value),
            b"gname" => entry.names.1.clone_from(value),
            b"uid" => entry.owner.0 = decimal(value)?,
            b"gid" => entry.owner.1 = decimal(value)?,
            b"size" => entry.size = decimal(value)?,
            b"mtime" => entry.seconds = seconds(value)?,
            b"atime" | b"ctime" => drop(seconds(value)?),
            _ => {}
        }
    }
    for (key, value) in pax {
        if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
            // Go leaves out what is empty here; every engine takes the records themselves.
            entry.xattrs.insert(name.to_vec(), value.clone());
        }
    }
    (entry.size >= 0).then_some(())
}

/// `parsePAXTime`, whole seconds rounded down.
fn seconds(value: &[u8]) -> Option<i64> {
    let dot = value.iter().position(|&byte| byte == b'.');
    let (whole, part) = dot.map_or((value, &b""[..]), |dot| (&value[..dot], &value[dot + 1..]));
    let seconds = decimal(whole)?;
    if !part.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let below = part.iter().take(9).any(|digit| *digit != b'0');
    if value.starts_with(b"-") && below { seconds.checked_sub(1) } else { Some(seconds) }
}

type Map = Vec<(i64, i64)>;

/// `readGNUSparsePAXHeaders`; `start` moves behind a map that stands in the data.
fn sparse(entry: &mut Entry, pax: &Records, data: &[u8], start: &mut usize) -> Option<Option<Map>> {
    let record = |key: &str| pax.get(key.as_bytes()).map(Vec::as_slice).unwrap_or_default();
    let in_data = match (record("GNU.sparse.major"), record("GNU.sparse.minor")) {
        (b"0", b"0" | b"1") => false,
        (b"1", b"0") => true,
        (b"", b"") if !record("GNU.sparse.map").is_empty() => false,
        _ => return Some(None),
    };
    if !record("GNU.sparse.name").is_empty() {
        entry.name = record("GNU.sparse.name").to_vec();
    }
    let size = [record("GNU.sparse.size"), record("GNU.sparse.realsize")].into_iter().find(|text| !text.is_empty());
    if let Some(size) = size {
        entry.size = decimal(size)?;
    }
    let numbers: Vec<i64> = if in_data {
        let mut line = || -> Option<i64> {
            let rest = data.get(*start..)?;
            let end = rest.iter().position(|&byte| byte == b'\n')?;
            *start += end + 1;
            decimal(&rest[..end])
        };
        let count = line().filter(|count| *count >= 0)?;
        let numbers = (0..count.checked_mul(2)?).map(|_| line()).collect::<Option<_>>()?;
        *start = start.next_multiple_of(512);
        data.get(*start..)?;
        numbers
    } else {
        let count = decimal(record("GNU.sparse.numblocks")).filter(|count| *count >= 0)?;
        let map = record("GNU.sparse.map");
        let parts: Vec<&[u8]> = if map.is_empty() { Vec::new() } else { map.split(|&byte| byte == b',').collect() };
        if parts.len() as i64 != count.checked_mul(2)? {
            return None;
        }
        parts.into_iter().map(decimal).collect::<Option<_>>()?
    };
    Some(Some(numbers.chunks_exact(2).map(|run| (run[0], run[1])).collect()))
}

/// `readOldGNUSparseMap`; `at` moves behind the blocks that continue the header.
fn old_sparse(block: &[u8], tar: &[u8], size: &mut i64, at: &mut usize) -> Option<Map> {
    if &block[257..265] != b"ustar  \0" {
        return None;
    }
    *size = number(&block[483..495])?;
    let mut map = Map::new();
    let (mut runs, mut more) = (&block[386..482], block[482] > 0);
    loop {
        for run in runs.chunks_exact(24) {
            if run[0] == 0 {
                break;
            }
            map.push((number(&run[..12])?, number(&run[12..])?));
        }
        if !more {
            return Some(map);
        }
        let block = tar.get(*at..*at + 512)?;
        *at += 512;
        (runs, more) = (&block[..504], block[504] > 0);
    }
}

/// `validateSparseEntries`.
fn is_valid(map: &Map, size: i64) -> bool {
    let mut end = 0;
    size >= 0
        && map.iter().all(|&(at, len)| {
            let fits = at >= end && len >= 0 && at.checked_add(len).is_some_and(|end| end <= size);
            end = at.saturating_add(len);
            fits
        })
}

/// Where the runs lie, those that touch as one; nothing where the data is not as long as they are, which `Read` finds out.
fn placed(map: &Map, start: usize, end: usize) -> Option<Vec<Data>> {
    let mut offset = start as u64;
    let mut data = Vec::new();
    for &(at, len) in map {
        let (at, len) = (at as u64, len as u64);
        match data.last_mut() {
            _ if len == 0 => {}
            Some(Data { at: before, len: longer, .. }) if *before + *longer == at => *longer += len,
            _ => data.push(Data { at, len, offset }),
        }
        offset += len;
    }
    (offset <= end as u64).then_some(data)
}
