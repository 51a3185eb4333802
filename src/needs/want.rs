//! What one file asks for, as its own bytes state it; nothing is looked up. In: nothing, these are values. Out: as bytes, like all names.

/// What a file asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// An ELF program or shared object.
    Elf(Elf),
    /// A text that begins with `#!`.
    Script(Script),
}

/// The dynamic section of an ELF file, and its interpreter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Elf {
    /// 64-bit, or 32-bit.
    pub is_64: bool,
    /// `e_machine`: a library for another machine is none.
    pub machine: u16,
    /// `PT_INTERP`; a shared object and a static program have none.
    pub interpreter: Option<Box<[u8]>>,
    /// `DT_NEEDED`, in order.
    pub needed: Vec<Box<[u8]>>,
    /// `DT_RPATH`, split at its colons, `$ORIGIN` not expanded; empty where there is a `DT_RUNPATH`, as the loader ignores it then.
    pub rpath: Vec<Box<[u8]>>,
    /// `DT_RUNPATH`, likewise.
    pub runpath: Vec<Box<[u8]>>,
}

/// The first line of a script.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    /// The interpreter's path.
    pub interpreter: Box<[u8]>,
    /// The rest of the line, which the kernel passes as one argument; may be empty.
    pub argument: Box<[u8]>,
}
