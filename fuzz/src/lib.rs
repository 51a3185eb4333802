//! The checks of `tests/it/fuzz`, which `cargo test` drives from a seed, for libFuzzer to drive. Each target is one of them and nothing else.

#![allow(dead_code, unused_imports)] // what only the tests use

#[path = "../../tests/it/case.rs"]
mod case;
#[path = "../../tests/it/fuzz/mod.rs"]
pub mod fuzz;
#[path = "../../tests/it/image.rs"]
mod image;
#[path = "../../tests/it/lines.rs"]
mod lines;
#[path = "../../tests/it/model.rs"]
mod model;
#[path = "../../tests/it/properties.rs"]
mod properties;
#[path = "../../tests/it/tar.rs"]
mod tar;
