//! Processor time, which other programs on the machine do not lengthen as they do wall time.

use std::{fs, time::Duration};

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

/// Processor time of all threads of this process, in steps of a hundredth of a second. Nought where
/// the kernel does not tell.
pub fn process() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program may hold blanks; user and system time are fields 14 and 15.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let times = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = times.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}

fn counted(place: usize) -> u64 {
    let counted = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let counted = counted.split_whitespace().nth(place).unwrap_or_default();
    counted.parse().unwrap_or(0)
}
