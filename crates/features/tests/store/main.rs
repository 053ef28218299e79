//! The store as others use it, against the definition of its windows.
#![cfg(test)]

mod limits;
mod oracle;
mod snapshots;
mod windows;
