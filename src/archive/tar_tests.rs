use super::super::fixture::Tar;
use super::*;
use crate::error::ErrorKind;
use std::io::Write;
use std::sync::Arc;

fn index(bytes: &[u8]) -> Result<Vec<String>, Error> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let mut names = Vec::new();
    members(&Blob::new(Arc::new(file), 0, bytes.len() as u64), &Limits::default(), |member| {
        names.push(String::from_utf8(member.name).unwrap());
        Ok(())
    })?;
    Ok(names)
}

fn record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let len = (1..).find(|len: &usize| len.to_string().len() + rest.len() == *len).unwrap();
    format!("{len}{rest}")
}

fn pax(records: &[(&str, &str)]) -> Tar {
    let body: String = records.iter().map(|(key, value)| record(key, value)).collect();
    Tar::default().member(b'x', "PaxHeaders/x", "", body.as_bytes())
}

#[test]
fn long_names_come_from_pax_and_gnu_headers() {
    let long = "d/".repeat(100) + "x";
    assert_eq!(index(&pax(&[("path", &long)]).file("short", "1").bytes()).unwrap(), [long.clone()]);
    let gnu = Tar::default().member(b'L', "././@LongLink", "", format!("{long}\0").as_bytes()).file("short", "1");
    assert_eq!(index(&gnu.bytes()).unwrap(), [long]);
}

#[test]
fn the_size_of_a_pax_header_holds() {
    // T1: a reader that takes the header's size would see the member that hides in the body (TARmageddon).
    let hidden = Tar::default().file("hidden", "").bytes();
    let mut archive = pax(&[("size", "1536")]).file("real", "").bytes();
    archive.truncate(3 * 512);
    archive.extend(&hidden[..1536]);
    archive.extend([0; 1024]);
    assert_eq!(index(&archive).unwrap(), ["real"]);
}

#[test]
fn what_readers_read_differently_is_refused() {
    let long = |tar: Tar| tar.member(b'L', "l", "", b"name\0");
    for (case, tar) in [
        ("T7", Tar::default().member(b'x', "x", "", b"99 path=a\n").file("a", "")),
        ("T8", pax(&[("size", "+1")]).file("a", "")),
        ("T8", pax(&[("size", "9223372036854775808")]).file("a", "")),
        ("T6", pax(&[("path", "a\0b")]).file("a", "")),
        ("T11", Tar::default().member(b'g', "g", "", record("path", "b").as_bytes()).file("a", "")),
        ("T12", pax(&[("path", "b")])),
        ("T13", long(long(Tar::default())).file("a", "")),
        ("T14", long(pax(&[("path", "b")])).file("a", "")),
        ("T15", Tar::default().member(b'S', "a", "", b"")),
        ("T17", Tar::default().member(b'5', "a", "", b"body")),
        ("T20", Tar::default().member(b'Z', "a", "", b"")),
    ] {
        assert_eq!(index(&tar.bytes()).unwrap_err().kind(), ErrorKind::Malformed, "{case}");
    }
}

#[test]
fn a_hole_of_one_zero_block_is_refused() {
    // T27.
    let mut bytes = Tar::default().file("a", "").bytes();
    bytes.truncate(1024);
    bytes.extend(Tar::default().file("b", "").bytes());
    assert_eq!(index(&bytes).unwrap_err().kind(), ErrorKind::Malformed);
}

#[test]
fn a_tar_that_is_cut_off_inside_a_header_or_a_body_is_refused() {
    // T29, T31: nothing but the end marker and the last padding may be missing.
    let whole = Tar::default().file("a", "x".repeat(600)).file("b", "yy").bytes();
    for len in 1..whole.len() {
        let names = index(&whole[..len]);
        match len {
            // Inside a header or a body of `a`, then of `b`, then of the end marker.
            1..1112 | 1537..2050 => assert!(names.is_err(), "{len}"),
            1112..=1536 => assert_eq!(names.unwrap(), ["a"], "{len}"),
            2050..=2560 | 3072 => assert_eq!(names.unwrap(), ["a", "b"], "{len}"),
            _ => assert!(names.is_err(), "{len}"),
        }
    }
}

#[test]
fn a_declared_length_is_checked_before_memory_is_taken_for_it() {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[156] = b'x';
    header.set_size(1 << 40);
    header.set_cksum();
    assert_eq!(index(header.as_bytes()).unwrap_err().kind(), ErrorKind::Malformed);
    let big = Tar::default().member(b'x', "x", "", &vec![b'a'; (1 << 20) + 1]).file("a", "");
    assert_eq!(index(&big.bytes()).unwrap_err().kind(), ErrorKind::Limit);
}
