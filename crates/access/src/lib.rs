//! Who may call and who may act: signing keys of programs, accounts of staff, what each may do; and
//! which commands take the word of more than one, see [`approval`].
//!
//! *Invariant*: a key or an account exists, changes and ends only through the journal with an
//! actor and a purpose, so that each such act has its leaf in the trail. Private halves of caller
//! keys are never stored; shared secrets are stored sealed, bearer texts as their hash; accounts
//! of staff are sealed whole.

pub mod approval;
pub mod area;
mod beside;
pub mod error;
pub mod factor;
pub mod key;
pub mod key_change;
pub mod masking;
pub mod registry;
pub mod scope;
pub mod staff;
pub mod terms;
pub mod watch;

pub use beside::give_way;
pub use error::Error;
pub use key::{Credential, RegisteredKey};
pub use key_change::{KeyChange, KeyCreate, Word};
pub use paywarden_domain::Network;
pub use registry::{Author, CreatedKey, KeyRegistry, NewKey};
pub use scope::{Scope, Scopes};
pub use staff::Staff;
pub use terms::Terms;
pub use watch::Watch;
