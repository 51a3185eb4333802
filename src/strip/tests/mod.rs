//! The strip on ELF files that are built here, byte by byte, and read back by a model that shares no code with it.

#![allow(clippy::cast_possible_truncation)] // the files built here are small

mod fixture;
mod model;
mod proof;
mod random;
mod skips;
mod stripped;
