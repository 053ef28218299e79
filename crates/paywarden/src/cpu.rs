//! Processor time, which other programs on the machine do not lengthen as they do wall time.

use rustix::time::{ClockId, clock_gettime};
use std::{fs, time::Duration};

/// Nanoseconds of processor time that this thread has used: waiting for a processor is not in it,
/// nor what the host of a virtual machine gives to others.
pub fn thread_ns() -> u64 {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    used.tv_sec as u64 * 1_000_000_000 + used.tv_nsec as u64
}

/// How often this thread has stopped to wait for something else than a processor. Nought where the
/// kernel does not tell.
pub fn stops() -> u64 {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let told = status
        .lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    told.and_then(|told| told.trim().parse().ok()).unwrap_or(0)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn work_takes_processor_time_and_sleep_is_a_stop() {
        let (used, stopped) = (thread_ns(), stops());
        thread::sleep(Duration::from_millis(30));
        let slept = thread_ns() - used;
        assert!(slept < 20_000_000, "{slept}");
        assert!(stops() > stopped);
        while thread_ns() - used < 2_000_000 {}
    }
}
