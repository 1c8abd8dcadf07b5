//! The registry of audited functions, which the linker makes: every expansion puts its [`Site`] into one section of the
//! program, and the linker tells where that begins and ends.
//!
//! The expansion writes the attributes itself. A library for this has three more functions compiled for each site, which
//! was a quarter of what the attribute costs a build. Where the linker is not known to gather sections (WebAssembly),
//! the registry is empty.

use super::{Exemption, Site};
use crate::privacy::types::TypeRules;

macro_rules! registry {
    ($list:ident: $element:ty {
        elf $elf:literal $elf_first:literal $elf_end:literal;
        apple $apple_first:literal $apple_end:literal;
        windows $windows_first:literal $windows_end:literal;
    }) => {
        /// Returns what the linker gathered.
        #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_vendor = "apple"))]
        #[allow(unsafe_code, reason = "only the linker knows the bounds of a section")]
        pub(crate) fn $list() -> &'static [$element] {
            unsafe extern "C" {
                #[cfg_attr(not(target_vendor = "apple"), link_name = $elf_first)]
                #[cfg_attr(target_vendor = "apple", link_name = $apple_first)]
                static FIRST: u8;
                #[cfg_attr(not(target_vendor = "apple"), link_name = $elf_end)]
                #[cfg_attr(target_vendor = "apple", link_name = $apple_end)]
                static END: u8;
            }
            // Makes the section exist in a program without any element. On Apple's systems the symbols do, and an empty
            // static would take up a byte.
            #[cfg(not(target_vendor = "apple"))]
            #[used]
            #[unsafe(link_section = $elf)]
            static NONE: [$element; 0] = [];

            gathered(&raw const FIRST, &raw const END)
        }

        /// Returns what the linker gathered.
        #[cfg(windows)]
        #[allow(unsafe_code, reason = "only the linker knows the bounds of a section")]
        pub(crate) fn $list() -> &'static [$element] {
            // The linker sorts the parts of a section by what follows the dollar sign.
            #[unsafe(link_section = $windows_first)]
            static FIRST: [$element; 0] = [];
            #[unsafe(link_section = $windows_end)]
            static END: [$element; 0] = [];

            gathered((&raw const FIRST).cast(), (&raw const END).cast())
        }

        /// Returns nothing: the linker is not known to gather sections.
        #[cfg(not(any(
            target_os = "linux",
            target_os = "android",
            target_os = "freebsd",
            target_vendor = "apple",
            windows
        )))]
        pub(crate) fn $list() -> &'static [$element] {
            &[]
        }
    };
}

registry! {
    sites: Site {
        elf "audited_sites" "__start_audited_sites" "__stop_audited_sites";
        apple "\u{1}section$start$__DATA$audited_sites" "\u{1}section$end$__DATA$audited_sites";
        windows ".audsit$a" ".audsit$c";
    }
}

registry! {
    exemptions: Exemption {
        elf "audited_exempt" "__start_audited_exempt" "__stop_audited_exempt";
        apple "\u{1}section$start$__DATA$audited_exempt" "\u{1}section$end$__DATA$audited_exempt";
        windows ".audexe$a" ".audexe$c";
    }
}

registry! {
    types: TypeRules {
        elf "audited_types" "__start_audited_types" "__stop_audited_types";
        apple "\u{1}section$start$__DATA$audited_types" "\u{1}section$end$__DATA$audited_types";
        windows ".audtyp$a" ".audtyp$c";
    }
}

/// Returns the elements between two places of the program.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd", target_vendor = "apple", windows))]
#[allow(unsafe_code, reason = "the bounds come from the linker")]
fn gathered<T>(first: *const u8, end: *const u8) -> &'static [T] {
    let bytes = end.addr().saturating_sub(first.addr());
    // SAFETY: the section between the two holds nothing but statics of this one type, which the expansion of the
    // attribute puts there; each is as large as a multiple of its alignment, so that they stand side by side from the
    // section's first byte to its last. They live as long as the program and are never written to.
    unsafe { core::slice::from_raw_parts(first.cast(), bytes / size_of::<T>()) }
}
