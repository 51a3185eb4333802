//! `ocirender-flatten DIR LAYER.tar`: merges the layers of an unpacked image archive into one plain tar with ocirender's library. What it takes
//! to make an archive of that tar is done by `tools/common.sh`, as for every tool that gives a bare layer.

use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args_os().skip(1);
    let (Some(dir), Some(layer), None) = (args.next(), args.next(), args.next()) else {
        return Err("usage: ocirender-flatten DIR LAYER.tar".into());
    };
    let layer = ocirender::ImageSpec::Tar { path: PathBuf::from(layer) };
    tokio::runtime::Runtime::new()?.block_on(ocirender::convert(Path::new(&dir), layer))?;
    Ok(())
}
