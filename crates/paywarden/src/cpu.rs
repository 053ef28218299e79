//! Processor time, which other programs on the machine do not lengthen as they do wall time.

use std::fs;

/// Nanoseconds of processor time that this thread has used, as the kernel last counted them: some
/// milliseconds ago, so it is for work that takes much longer. Nought where the kernel does not
/// tell.
pub fn thread_ns() -> u64 {
    counted(0)
}

/// Nanoseconds for which this thread has waited for a processor. Nought where the kernel does not
/// tell.
pub fn waited_ns() -> u64 {
    counted(1)
}

fn counted(place: usize) -> u64 {
    let counted = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let counted = counted.split_whitespace().nth(place).unwrap_or_default();
    counted.parse().unwrap_or(0)
}
