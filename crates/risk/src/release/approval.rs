//! Approval: the only place that lets a version decide payments.
//!
//! *Invariant*: maker is not checker. Publishing takes an [`Approved<Going>`], its field is private
//! to this file, and the one function that builds it asks the ledger for an approval by another key
//! than the one that made the draft. Whoever brings another way of approving replaces [`claim`].

use super::ledger::{Ledger, Standing};
use crate::Error;

/// A command that somebody other than its maker has approved.
///
/// ```compile_fail
/// use paywarden_risk::release::{Approved, Going};
/// // Nobody outside can build one.
/// let going = Going { version: "0123456789abcdef".to_owned(), share_bp: None };
/// let forged = Approved { command: going };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved<T> {
    command: T,
}

impl<T> Approved<T> {
    /// What was approved.
    pub fn command(&self) -> &T {
        &self.command
    }
}

/// A version goes where it decides payments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Going {
    /// Which.
    pub version: String,
    /// The share in basis points for a canary; none for all payments.
    pub share_bp: Option<u16>,
}

/// Refuses an approval by the key that made the draft.
pub(super) fn check(standing: &Standing, actor: &str) -> Result<(), Error> {
    match standing.maker == actor {
        true => Err(Error::ApprovalByMaker),
        false => Ok(()),
    }
}

/// The approved command, if the ledger holds an approval that counts.
pub(super) fn claim(ledger: &Ledger, going: Going) -> Result<Approved<Going>, Error> {
    let standing = ledger.standing(&going.version)?;
    let approval = standing.approval.as_ref().ok_or(Error::ApprovalMissing)?;
    check(standing, &approval.by)?;
    Ok(Approved { command: going })
}
