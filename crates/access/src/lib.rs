//! Who may call: the signing keys of API callers, what each may do, and when each ended; and which
//! commands take the word of more than one, see [`approval`].
//!
//! *Invariant*: a key exists, and ends, only through the journal with an actor and a purpose, so
//! that each such act has its leaf in the trail. Private halves of caller keys are never stored;
//! shared secrets are stored sealed, bearer texts as their hash.

pub mod approval;
pub mod error;
pub mod key;
pub mod registry;
pub mod scope;

pub use error::Error;
pub use key::{Credential, RegisteredKey};
pub use registry::{Author, CreatedKey, KeyRegistry, NewKey};
pub use scope::{Scope, Scopes};
