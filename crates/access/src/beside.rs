//! Work that gives way to every other: decisions have deadlines, and whoever signs in has not.

use std::{
    io,
    thread::{self, JoinHandle},
};

/// Does work on a thread of its own that gives way. A thread costs a thousandth of what a password
/// does on it.
pub(crate) fn beside(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let work = || {
        give_way();
        work();
    };
    thread::Builder::new().name(name.to_owned()).spawn(work)
}

/// Has this thread run when no other wants to, and leave at once when one does (`SCHED_IDLE`). A
/// thread that is merely nice finishes its slice, milliseconds in which a decision waits. Where it
/// is refused, or not Linux's, the work is done all the same.
pub fn give_way() {
    #[cfg(target_os = "linux")]
    {
        use thread_priority::{
            NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
            set_thread_priority_and_policy, thread_native_id,
        };
        let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        let _ = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, policy);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// The kernel says of the thread itself how it is scheduled (proc(5): field 41 of `stat` is the
    /// policy, 5 is `SCHED_IDLE`).
    #[test]
    fn work_beside_runs_when_no_other_thread_wants_to() {
        let (said, stat) = mpsc::channel();
        let say = move || said.send(std::fs::read_to_string("/proc/thread-self/stat").unwrap());
        beside("test", move || say().unwrap()).unwrap();
        let stat = stat.recv().unwrap();
        let behind_name = stat.rsplit_once(')').unwrap().1;
        let policy = behind_name.split_whitespace().nth(41 - 3).unwrap();
        assert_eq!(policy, "5");
    }
}
