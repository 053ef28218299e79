//! The Paywarden binary: everything it does is in the library beside it.

use std::process::ExitCode;
use tikv_jemallocator::Jemalloc;
use zeroizing_alloc::ZeroAlloc;

/// Memory is zeroed when it is given back, whoever had it: requests and replies pass through the
/// buffers of libraries that know nothing of card numbers, and what they leave behind would stand in
/// a core dump or in swap.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<Jemalloc> = ZeroAlloc(Jemalloc);

fn main() -> ExitCode {
    paywarden::run()
}
