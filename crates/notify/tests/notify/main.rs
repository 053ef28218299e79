//! Webhooks and questions to payers from outside: over real TLS on loopback, with a simulated clock.
#![cfg(test)]
#![allow(clippy::unwrap_used, clippy::panic)]

mod confirmations;
mod endpoints;
mod receiver;
mod webhooks;
mod world;
