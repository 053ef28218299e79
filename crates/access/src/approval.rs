//! Approvals: the one way to a sensitive command, for every crate.
//!
//! ```text
//! kind       which commands there are, and what asking for each needs
//! sensitive  what a command has to tell: its kind, its object, its bytes
//! policy     who must approve what, by clauses; itself changed by approval only
//! rights     what whoever acts may do at this moment
//! step       what the ledger keeps of each act
//! case       one approval: the fold of its steps
//! tally      which votes count at this moment, and why the others do not
//! delegation a right to vote, lent for at most thirty days
//! desk       asking, voting, refusing, taking back, delegating
//! emergency  acting without votes, and looking at it afterwards
//! grant      `Approved<T>`: the value that lets a command take effect, once
//! export     rows taken out in bulk
//! view       approvals as people see them
//! ```
//!
//! *Invariant*: only this module makes an [`Approved`]; whoever takes effect goes through
//! [`Approved::carry_out`], which counts the votes again by what the voters may do at that moment
//! and writes the step `used` into the same journal entry as the effect. The primary key of the
//! steps makes the second use of an approval a conflict, whoever races.
//!
//! *Invariant*: whoever asked never counts as approver, neither in person nor by a lent right, in
//! either direction. A vote names the SHA-256 of the payload, and what is carried out is the
//! payload that the votes name.

mod case;
mod delegation;
mod desk;
mod emergency;
mod error;
mod export;
mod grant;
mod kind;
mod page;
mod policy;
mod rights;
mod sensitive;
mod step;
mod tally;
mod view;

pub use case::State;
pub use delegation::{DELEGATION_DAYS_MAX, DelegationView, NewDelegation};
pub use desk::{Approvals, Ask, Ballot, Who};
pub use emergency::Finding;
pub use error::Error;
pub use export::{Collection, EXPORT_OPEN_US, EXPORT_ROWS_MAX, Export, OpenExport};
pub use grant::{Approved, CarriedOut};
pub use kind::Kind;
pub use page::{ApprovalPage, PageFilter};
pub use policy::{Clause, Policy, PolicyChange};
pub use rights::{Rights, rights};
pub use sensitive::Sensitive;
pub use tally::Void;
pub use view::{
    ApprovalView, ClosingView, CountView, EmergencyView, PolicyView, ReviewView, UsedView, VoteView,
};
