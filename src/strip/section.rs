//! One section header, and what the name of a section says of its use. In: its 64 bytes. Out: its fields, and whether it may
//! go or may move. Never a section's bytes.

use object::LittleEndian as LE;
use object::elf::{self, SectionHeader64};
use std::ops::Range;

/// A section header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section(pub(super) SectionHeader64<LE>);

impl Section {
    pub(super) fn kind(&self) -> u32 {
        self.0.sh_type.get(LE)
    }

    /// Where it begins; for `SHT_NOBITS` a mere notion.
    pub(super) fn offset(&self) -> u64 {
        self.0.sh_offset.get(LE)
    }

    /// The bytes of the file that it has; `None` where it has none.
    pub(super) fn bytes(&self) -> Option<Range<u64>> {
        let (start, size) = (self.offset(), self.0.sh_size.get(LE));
        let has = size > 0 && self.kind() != elf::SHT_NOBITS && self.kind() != elf::SHT_NULL;
        has.then(|| start..start.saturating_add(size))
    }

    /// Whether it is mapped where the program runs.
    pub(super) fn is_alloc(&self) -> bool {
        self.has(elf::SHF_ALLOC)
    }

    pub(super) fn has(&self, flag: u32) -> bool {
        self.0.sh_flags.get(LE) & u64::from(flag) != 0
    }

    pub(super) fn link(&self) -> u32 {
        self.0.sh_link.get(LE)
    }

    /// The section whose number stands in `sh_info`, where that is one.
    pub(super) fn target(&self) -> Option<u32> {
        let is_number = matches!(self.kind(), elf::SHT_REL | elf::SHT_RELA) || self.has(elf::SHF_INFO_LINK);
        is_number.then(|| self.0.sh_info.get(LE))
    }

    /// Whether its bytes are numbers of sections, which would have to be written anew.
    pub(super) fn numbers_sections(&self) -> bool {
        matches!(self.kind(), elf::SHT_GROUP | elf::SHT_SYMTAB_SHNDX | elf::SHT_SYMTAB)
    }
}

/// Whether a section is only for debuggers and symbol tables: what `strip` takes, and `.gdb_index`, an index of `.debug_info`.
pub(super) fn is_debug(name: &[u8], section: &Section) -> bool {
    let kind = match name {
        b".symtab" => section.kind() == elf::SHT_SYMTAB,
        b".strtab" => section.kind() == elf::SHT_STRTAB,
        b".gdb_index" => section.kind() == elf::SHT_PROGBITS,
        _ if name.starts_with(b".debug") || name.starts_with(b".zdebug") => section.kind() == elf::SHT_PROGBITS,
        _ if name.starts_with(b".stab") => matches!(section.kind(), elf::SHT_PROGBITS | elf::SHT_STRTAB),
        _ => false,
    };
    kind && !section.is_alloc()
}

/// Whether a section may lie elsewhere in the file, because whoever reads it finds it by its header.
pub(super) fn may_move(name: &[u8], section: &Section) -> bool {
    const NAMES: [&[u8]; 12] = [
        b".comment",
        b".gnu_debuglink",
        b".gnu_debugaltlink",
        b".gnu_debugdata",
        b".BTF",
        b".BTF.ext",
        b".ctf",
        b".SUNW_ctf",
        b".GCC.command.line",
        b".annobin.notes",
        b".ARM.attributes",
        b".riscv.attributes",
    ];
    const FAMILIES: [&[u8]; 3] = [b".note.", b".gnu.build.attributes", b".gnu.warning."];
    let known = NAMES.contains(&name) || FAMILIES.iter().any(|family| name.starts_with(family));
    known && !section.is_alloc()
}
