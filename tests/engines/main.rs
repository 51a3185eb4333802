//! Differential tests against real engines: what an engine shows for an input equals what it shows for our output.
//!
//! `tests/engines/setup` starts the engines and leaves their addresses in a file to source. Where they are not there,
//! each test says so and passes; with `IMGSTRIP_ENGINES=required` it fails instead. Where an engine is known to show
//! something else, or to refuse, the table in `known.rs` says exactly what, by the number of the case.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]
#![allow(clippy::disallowed_methods, reason = "an engine's messages are text")]

mod alone;
mod cases;
mod confined;
mod containerd;
mod databases;
mod docker;
mod encoders;
mod engine;
mod known;
mod layout;
mod merge;
mod parsers;
mod reach;
mod readers;
mod shapes;
mod tarball;
mod umoci;
mod view;
