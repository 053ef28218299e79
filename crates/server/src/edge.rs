//! The stations between the wire and the API, in the order in which a request passes them.
//!
//! ```text
//! listener     connections within their caps, TLS, HTTP
//! limits       headers, declared body, route
//! signature    key, coverage, window, signature; network, certificate; scope; rate
//! body         within size and time; its digest
//! nonce        not seen before
//! idempotency  not under way, not answered
//! ```
//!
//! People take another way from the third station on:
//!
//! ```text
//! person       same origin; session, its token, a fresh factor; scope; or a place for visitors
//! body         within size and time
//! ```
//!
//! *Invariant*: nothing is remembered of a program's request, and no byte of its body is read,
//! before its signature has been verified, but what the company whose key it names waits to see
//! (`witness`); of a person's request, before the session is known.
//! Only the few routes for visitors read without either, from few visitors at a time.

pub(crate) mod access;
pub(crate) mod body;
pub mod code;
pub(crate) mod flow;
pub(crate) mod idempotency;
pub(crate) mod listener;
pub(crate) mod nonce;
pub(crate) mod paced;
pub(crate) mod peer;
pub(crate) mod person;
pub mod problem;
pub(crate) mod rate;
pub mod reply;
pub mod signature;
pub(crate) mod visitors;
pub(crate) mod witness;

pub use code::{Code, errors_markdown};
pub use problem::{Problem, ProblemDocument};
