//! The whole crate through its public API: layers written as text trees go in as an image archive, and the written
//! archive is read back by code of the tests' own. `case` is the form that nearly every test has.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    unreachable_pub
)]

mod case;
mod explain;
mod fuzz;
mod hostile;
mod image;
mod keep_base;
mod kinds;
mod lines;
mod links;
mod model;
mod names;
mod outer;
mod packages;
mod plan;
mod properties;
mod removed;
mod scale;
mod strict;
mod tar;
mod temp;
mod tidy;
mod verify;
mod whiteouts;
