//! The tar reader against four others over generated tars that mean different things to different readers.
//!
//! What imgstrip reads, Go reads too, entry for entry, or imgstrip refuses: no exception. What imgstrip writes for a tar, all
//! four readers read as imgstrip does, and it is the root filesystem of the input. Where this is not so, where another reader sees
//! something else in an input, and where imgstrip refuses what all four take for the same, `known.rs` says it; a row that no longer
//! holds fails, too. `IMGSTRIP_LONG=1` takes ten times as many random ones.
#![allow(clippy::cast_possible_truncation, reason = "sizes of a test fit")]

mod corpus;
mod draft;
mod known;
mod listing;
mod ours;
mod readers;
mod sparse;
mod tally;
mod twists;

use crate::layout::hex as sha256;
use crate::merge::{squash_only, strip};
use corpus::{Sample, samples};
use imgstrip::options::Output;
use listing::Listing;
use readers::{READERS, Readers};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use tally::Tally;

/// How many of the tars are random.
const RANDOM: usize = 3000;
/// How many images are squashed in one run: enough to be quick.
const BATCH: usize = 200;

#[test]
fn other_readers_agree_with_ours_or_it_refuses() {
    let Some(readers) = Readers::reach() else { return };
    let random = if std::env::var_os("IMGSTRIP_LONG").is_some() { 10 * RANDOM } else { RANDOM };
    let samples = samples(random);
    let paths = write(&readers.directory.path().join("in"), samples.iter().map(|sample| &sample.tar[..]));
    let theirs = ask(&readers, &paths);
    let ours: Vec<Listing> = samples.iter().map(|sample| ours::list(&sample.tar)).collect();
    let mut tally = Tally::new(&samples);
    for (number, ours) in ours.iter().enumerate() {
        tally.input(number, ours, &theirs.each_ref().map(|listings| &listings[number]));
    }
    let accepted: Vec<usize> = (0..samples.len()).filter(|number| ours[*number].error.is_none()).collect();
    let written = squash(readers.directory.path(), &samples, &ours, &accepted);
    // Many inputs make the same output.
    let mut distinct: BTreeMap<&[u8], usize> = written.values().map(|layer| (&layer[..], 0)).collect();
    distinct.values_mut().zip(0..).for_each(|(place, number)| *place = number);
    let outputs = write(&readers.directory.path().join("out"), distinct.keys().copied());
    let theirs = ask(&readers, &outputs);
    for (number, layer) in &written {
        let theirs = theirs.each_ref().map(|listings| &listings[distinct[&layer[..]]]);
        tally.output(*number, &ours[*number], &ours::list(layer), &theirs);
    }
    let (figures, wrong) = tally.finish();
    eprintln!("{figures}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(written.len() * 4 > samples.len() && accepted.len() * 4 < samples.len() * 3, "a corpus of both kinds");
}

fn write<'a>(directory: &Path, tars: impl Iterator<Item = &'a [u8]>) -> Vec<PathBuf> {
    fs::create_dir_all(directory).unwrap();
    let write = |(number, tar): (usize, &[u8])| {
        let path = directory.join(format!("{number:06}.tar"));
        fs::write(&path, tar).unwrap();
        path
    };
    tars.enumerate().map(write).collect()
}

/// What each reader sees, side by side.
fn ask(readers: &Readers, paths: &[PathBuf]) -> [Vec<Listing>; 4] {
    std::thread::scope(|scope| {
        let threads = READERS.map(|reader| scope.spawn(move || readers.list(reader, paths)));
        threads.map(|thread| thread.join().unwrap())
    })
}

/// The layer that imgstrip writes for each of these tars, by number; none where it refuses after all.
fn squash(directory: &Path, samples: &[Sample], ours: &[Listing], accepted: &[usize]) -> BTreeMap<usize, Vec<u8>> {
    let mut written = BTreeMap::new();
    // What has no tree, such as a link to nothing, is likely to be refused, and a batch with it.
    let (good, bad): (Vec<usize>, Vec<usize>) =
        accepted.iter().partition(|number| ours::tree(&ours[**number]).is_some());
    let mut open: Vec<Vec<usize>> = good.chunks(BATCH).chain(bad.chunks(1)).map(<[usize]>::to_vec).collect();
    let (input, output) = (directory.join("in.tar"), directory.join("out.tar"));
    while let Some(numbers) = open.pop() {
        let images: Vec<_> = numbers.iter().map(|number| (*number, &samples[*number].tar[..])).collect();
        fs::write(&input, archive(&images)).unwrap();
        match strip(&input, &Output::File(output.clone()), &squash_only()) {
            Ok(()) => written.extend(layers(&output)),
            // One of them cannot be squashed: quarters tell which.
            Err(_) if numbers.len() > 1 => {
                open.extend(numbers.chunks(numbers.len().div_ceil(4)).map(<[usize]>::to_vec))
            }
            Err(_) => {}
        }
    }
    written
}

/// What `docker save` writes for images of one layer each, tagged with a number.
fn archive(images: &[(usize, &[u8])]) -> Vec<u8> {
    let mut members: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut manifest = Vec::new();
    for (number, layer) in images {
        let digest = sha256(layer);
        let config = json!({
            "architecture": "amd64", "os": "linux", "config": {"Cmd": ["/none"], "Labels": {"number": number.to_string()}},
            "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{digest}")]}, "history": [{"created_by": "a test"}],
        });
        let config = config.to_string().into_bytes();
        let (config_name, layer_name) = (format!("{}.json", sha256(&config)), format!("{digest}/layer.tar"));
        manifest
            .push(json!({"Config": config_name, "Layers": [layer_name], "RepoTags": [format!("ambiguous:n{number}")]}));
        members.insert(config_name, config);
        members.insert(layer_name, layer.to_vec());
    }
    members.insert("manifest.json".into(), Value::from(manifest).to_string().into_bytes());
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, &*bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

/// The only layer of each image of an archive, by the number in its tag.
fn layers(archive: &Path) -> Vec<(usize, Vec<u8>)> {
    let mut members: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for entry in tar::Archive::new(fs::File::open(archive).unwrap()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        members.insert(entry.path().unwrap().display().to_string(), bytes);
    }
    let manifest: Value = serde_json::from_slice(&members["manifest.json"]).unwrap();
    let layer = |image: &Value| {
        assert_eq!(image["Layers"].as_array().unwrap().len(), 1);
        let tag = image["RepoTags"][0].as_str().unwrap();
        (tag.rsplit_once(":n").unwrap().1.parse().unwrap(), members[image["Layers"][0].as_str().unwrap()].clone())
    };
    manifest.as_array().unwrap().iter().map(layer).collect()
}
