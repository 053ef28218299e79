//! The store as others use it, against the definition of its windows.
#![cfg(test)]

mod flows;
mod glances;
mod limits;
mod oracle;
mod replays;
mod snapshots;
mod windows;
