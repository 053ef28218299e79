//! Names against lists of sanctioned, politically exposed and otherwise risky parties.
//!
//! A name is folded to tokens that are alike across scripts ([`Name`]), candidates are found by
//! exact, phonetic and near tokens without ever reading the whole list, and the best are scored by
//! aligning tokens one to one; each part of a score is told.
//!
//! No clock, no file, no thread: bytes of lists and the day come from the caller.

pub mod compare;
mod country;
pub mod edit;
pub mod entity;
pub mod fit;
pub mod import;
pub mod index;
pub mod kind;
pub mod list;
pub mod name;
pub mod score;
pub mod sound;
mod word;

pub use entity::{Birth, Entity, Identifier, ListedName};
pub use index::{AlertRate, Hit, Index, Late, Query, Room};
pub use kind::{Kind, ListKind};
pub use list::{Delta, List, Patch, Shrunken};
pub use name::{Name, NameRefused};
pub use word::Word;
