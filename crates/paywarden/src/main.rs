//! The Paywarden binary: everything it does is in the library beside it.

use std::{alloc::System, process::ExitCode};
use zeroizing_alloc::ZeroAlloc;

/// Memory is zeroed when it is given back, whoever had it: requests and replies pass through the
/// buffers of libraries that know nothing of card numbers, and what they leave behind would stand in
/// a core dump or in swap.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    paywarden::run()
}
