//! The commands, one file each.

pub mod backtest;
pub mod backup;
pub mod bench;
pub mod check;
pub mod demo;
pub mod detect;
pub mod evaluate;
pub mod keys;
pub mod labels;
pub mod loadgen;
pub mod model;
pub mod openapi;
pub mod passwords;
pub mod replay;
pub mod report;
pub mod scan;
pub mod screening;
pub mod serve;
pub mod sign;
pub mod staff;
pub mod trail;
pub mod train;
pub mod vault;
pub mod verify;
