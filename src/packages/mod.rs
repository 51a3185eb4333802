//! PURE. The package databases of a root filesystem as values: who owns a path, who needs whom, and the database without a package.
//!
//! In: a [`Tree`](crate::rootfs::Tree), and [`Files`](crate::rootfs::Files) to read the database with. Out: [`Package`]s, a selection of those
//! that go, and the [`Edit`] that makes the database say so. Nothing here changes a tree.

mod edit;
mod package;

pub use edit::{Edit, Write};
pub use package::{AnyOf, Manager, Package, PackageId};
