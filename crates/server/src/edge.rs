//! The stations between the wire and the API, in the order in which a request passes them.
//!
//! ```text
//! listener     connections within their caps, TLS, HTTP
//! limits       headers, declared body, route
//! signature    key, coverage, window, signature; scope; rate
//! body         within size and time; its digest
//! nonce        not seen before
//! idempotency  not under way, not answered
//! ```
//!
//! *Invariant*: nothing is remembered of a request, and no byte of its body is read, before its
//! signature has been verified.

pub(crate) mod body;
pub mod code;
pub(crate) mod idempotency;
pub(crate) mod listener;
pub(crate) mod nonce;
pub(crate) mod paced;
pub mod problem;
pub(crate) mod rate;
pub mod reply;
pub mod signature;

pub use code::{Code, errors_markdown};
pub use problem::{Problem, ProblemDocument};
