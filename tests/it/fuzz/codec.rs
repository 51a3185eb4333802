//! Decompression: never beyond a limit, never without an end, whatever is read at once the same, and what is accepted is what zlib-rs and zstd
//! themselves find in it.
//!
//! In: gzip or zstd data (its magic first), or bytes that choose members and frames.

use super::choices::{Choices, noise};
use flate2::{Compression, GzBuilder};
use imgstrip::error::{Error, ErrorKind};
use imgstrip::layer::codec::{Codec, Decoder};
use imgstrip::options::Limits;
use std::io::{Read, Write};

pub fn check(bytes: &[u8]) -> bool {
    if let Some(codec) = codec(bytes) {
        return any(bytes, codec).is_some();
    }
    let choices = &mut Choices(bytes);
    let codec = choices.of(&[Codec::Gzip, Codec::Zstd]);
    let (mut stream, mut content) = (Vec::new(), Vec::new());
    for _ in 0..=choices.few(4) {
        let piece = match choices.few(5) {
            0 => choices.bytes(60),
            1 => noise(u32::from(choices.byte()), choices.below(5000)),
            2 => vec![choices.byte(); choices.below(60_000)],
            3 => choices.bytes(20).repeat(choices.below(400)),
            _ => Vec::new(),
        };
        match codec {
            Codec::Gzip => stream.extend(member(choices, &piece)),
            _ if choices.rarely(5) => {
                let skipped = choices.bytes(30);
                stream.extend(
                    [
                        &[0x50 + choices.few(16) as u8, 0x2a, 0x4d, 0x18],
                        &(skipped.len() as u32).to_le_bytes()[..],
                        &skipped,
                    ]
                    .concat(),
                );
                continue;
            }
            _ => stream.extend(frame(choices, &piece)),
        }
        content.extend(piece);
    }
    if codec == Codec::Gzip && choices.rarely(3) {
        stream.resize(stream.len() + choices.below(2000), 0);
    }
    if choices.rarely(2) {
        let broken = super::choices::mutated(&stream, choices);
        return any(&broken, codec).is_some();
    }
    assert_eq!(self::codec(&stream), Some(codec));
    assert!(any(&stream, codec).as_ref() == Some(&content), "{codec}: other bytes than went in");
    limited(&stream, codec, &content, choices);
    true
}

fn codec(bytes: &[u8]) -> Option<Codec> {
    Codec::sniff(bytes).ok().filter(|codec| *codec != Codec::Plain)
}

fn member(choices: &mut Choices<'_>, content: &[u8]) -> Vec<u8> {
    let mut builder = GzBuilder::new().mtime(choices.number() as u32);
    if choices.rarely(4) {
        builder = builder.filename(&b"layer.tar"[..]).comment(&b"c"[..]).extra(choices.bytes(9));
    }
    let mut encoder = builder.write(Vec::new(), Compression::new(choices.few(10) as u32));
    for piece in content.chunks(1 + choices.below(100_000)) {
        encoder.write_all(piece).unwrap();
        if choices.rarely(6) {
            encoder.flush().unwrap();
        }
    }
    encoder.finish().unwrap()
}

fn frame(choices: &mut Choices<'_>, content: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), choices.few(5) as i32).unwrap();
    encoder.include_checksum(choices.rarely(2)).unwrap();
    if choices.rarely(3) {
        encoder.window_log(10 + choices.few(14) as u32).unwrap();
    }
    if choices.rarely(3) {
        encoder.set_pledged_src_size(Some(content.len() as u64)).unwrap();
    }
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// What the decoder gives; reads are counted, for each must give something or be the last.
fn decoded(stream: &[u8], codec: Codec, limits: &Limits, room: usize) -> (Vec<u8>, Result<(), Error>) {
    let mut decoder = Decoder::new(stream, codec, limits).unwrap();
    let (mut out, mut buffer) = (Vec::new(), vec![0; room]);
    loop {
        match decoder.read(&mut buffer) {
            Ok(0) => return (out, Ok(())),
            Ok(read) => out.extend_from_slice(&buffer[..read]),
            Err(error) => return (out, Err(Error::io("read", error))),
        }
        // 60 KB of zeros are 30 bytes of zstd: a stream that needs more than this has no end.
        assert!(out.len() < 64 << 20, "{} bytes out of {}", out.len(), stream.len());
    }
}

fn any(stream: &[u8], codec: Codec) -> Option<Vec<u8>> {
    // Little, so that what a mutation makes of a length costs little.
    let limits = Limits { expanded: 4 << 20, window: 8 << 20, ..Limits::default() };
    let (found, end) = decoded(stream, codec, &limits, 1 << 16);
    let (slowly, its_end) = decoded(stream, codec, &limits, 1 + stream.len() % 5000);
    if codec == Codec::Zstd && end.is_ok() != its_end.is_ok() {
        // libzstd 1.5.7 compares a frame's content with the size in its header only where both fit into what is read at once, or where its last
        // block is not empty.
        let error = end.and(its_end).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
        return None;
    }
    assert_eq!(end.as_ref().map_err(Error::kind), its_end.as_ref().map_err(Error::kind), "{end:?} {its_end:?}");
    if let Err(error) = end {
        assert!(found.len() <= (4 << 20) + (1 << 16));
        assert!(matches!(error.kind(), ErrorKind::Malformed | ErrorKind::Limit), "{error}");
        return None;
    }
    assert!(found == slowly, "reads of another size");
    let mut reference = Vec::new();
    match codec {
        Codec::Gzip => {
            // Zeros may follow; flate2 takes them for a broken member, and says so after all the bytes.
            let padded = flate2::read::MultiGzDecoder::new(stream).read_to_end(&mut reference);
            assert!(padded.is_ok() || stream.ends_with(&[0]), "{padded:?}");
        }
        _ => {
            let read = zstd::Decoder::new(stream).unwrap().read_to_end(&mut reference);
            assert!(read.is_ok(), "{read:?}");
        }
    }
    assert!(found == reference, "{codec}: {} bytes, by another decoder {}", found.len(), reference.len());
    Some(found)
}

/// A limit that is just met is none; one that is not ends it there.
fn limited(stream: &[u8], codec: Codec, content: &[u8], choices: &mut Choices<'_>) {
    let len = content.len() as u64;
    let with = |expanded| decoded(stream, codec, &Limits { expanded, ..Limits::default() }, 4096);
    let (all, end) = with(len);
    assert!(end.is_ok() && all == content);
    if len > 0 {
        let most = choices.below(content.len()) as u64;
        let (some, end) = with(most);
        assert_eq!(end.unwrap_err().kind(), ErrorKind::Limit);
        assert!(some.len() as u64 <= most && content.starts_with(&some), "{} bytes of {most}", some.len());
    }
    if codec == Codec::Zstd
        && let Some(window) = window(stream).filter(|window| *window > 1024)
    {
        let limits = Limits { window: (window - 1).next_power_of_two() >> 1, ..Limits::default() };
        // A byte at a time: what fits into what is read at once, libzstd inflates without a window, and so without its memory.
        let (_, end) = decoded(stream, codec, &limits, 1);
        assert_eq!(end.unwrap_err().kind(), ErrorKind::Limit, "a window of {window}");
    }
}

/// The window of the first frame (RFC 8878, 3.1.1.1).
fn window(stream: &[u8]) -> Option<u64> {
    let (descriptor, rest) = stream.get(4..)?.split_first()?;
    if stream[0] != 0x28 {
        return None;
    }
    if descriptor & 0x20 == 0 {
        let byte = u64::from(*rest.first()?);
        let base = 1 << (10 + (byte >> 3));
        return Some(base + base / 8 * (byte & 7));
    }
    let rest = rest.get([0, 1, 2, 4][usize::from(descriptor & 3)]..)?;
    let field =
        |len: usize| rest.get(..len).map(|bytes| bytes.iter().rfold(0u64, |value, byte| value << 8 | u64::from(*byte)));
    match descriptor >> 6 {
        0 => field(1),
        1 => field(2).map(|value| value + 256),
        2 => field(4),
        _ => field(8),
    }
}
