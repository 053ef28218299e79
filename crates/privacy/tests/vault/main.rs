//! The vault on a store of its own.
#![cfg(test)]

mod decision;
mod erasure;
mod intruder;
mod keeping;
mod peers;
mod rotation;
mod swaps;
mod world;
