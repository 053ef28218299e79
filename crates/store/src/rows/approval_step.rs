//! Steps of approvals.

use super::Canonical;
use crate::{
    Error,
    sql::{AnyQuery, Fields, Insertable, Stored},
};
use paywarden_domain::{TenantId, Timestamp};

/// What a step is; the number is what the store keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ApprovalStepKind {
    /// Somebody asked.
    Requested = 1,
    /// Somebody voted for it.
    Approved,
    /// Somebody who may vote refused it.
    Denied,
    /// Whoever asked took it back.
    Withdrawn,
    /// It was carried out.
    Used,
    /// It was allowed in an emergency, without votes.
    GlassBroken,
    /// An emergency was looked at afterwards.
    Reviewed,
    /// Somebody lent the right to vote.
    Delegated,
    /// A lent right was taken back.
    DelegationEnded,
    /// A policy came into force.
    PolicySet,
    /// One of the changes that a day allows without approval was made.
    Spent,
}

impl ApprovalStepKind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::Requested,
        Self::Approved,
        Self::Denied,
        Self::Withdrawn,
        Self::Used,
        Self::GlassBroken,
        Self::Reviewed,
        Self::Delegated,
        Self::DelegationEnded,
        Self::PolicySet,
        Self::Spent,
    ];

    /// The kind with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// One step of one approval. Never changed; a second step with the same number is an
/// [`Error::Conflict`], so that two who saw the same state cannot both go on from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalStepRow {
    /// Whose it is.
    pub tenant: TenantId,
    /// The approval, at most 64 bytes.
    pub approval: String,
    /// Place among the steps of the approval, from 1 without gaps.
    pub step_no: i64,
    /// What was done.
    pub kind: ApprovalStepKind,
    /// The kind of command that it is about, `snake_case`, at most 64 bytes.
    pub command: String,
    /// Who did it: `key:…`, `staff:…` or `system:…`.
    pub actor: String,
    /// When.
    pub taken_at: Timestamp,
    /// What belongs to the step, at most 1 MiB.
    pub body: Vec<u8>,
}

impl ApprovalStepRow {
    pub(crate) fn canonical(&self) -> Canonical {
        Canonical::new(b'A')
            .text(self.tenant.as_str())
            .text(&self.approval)
            .number(self.step_no)
            .number(self.kind as u8)
            .text(&self.command)
            .text(&self.actor)
            .time(self.taken_at)
            .bytes(&self.body)
    }
}

impl Stored for ApprovalStepRow {
    const TABLE: &'static str = "approval_steps";
    const COLUMNS: &'static [&'static str] = &[
        "tenant", "approval", "step_no", "kind", "command", "actor", "taken_at", "body",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, Error> {
        Ok(Self {
            tenant: fields.parsed(TenantId::parse)?,
            approval: fields.take()?,
            step_no: fields.take()?,
            kind: fields.numbered(ApprovalStepKind::from_number)?,
            command: fields.take()?,
            actor: fields.take()?,
            taken_at: Timestamp::from_micros(fields.take()?),
            body: fields.take()?,
        })
    }
}

impl Insertable for ApprovalStepRow {
    fn bind<'q>(&'q self, query: AnyQuery<'q>) -> AnyQuery<'q> {
        query
            .bind(self.tenant.as_str())
            .bind(self.approval.as_str())
            .bind(self.step_no)
            .bind(self.kind as i16)
            .bind(self.command.as_str())
            .bind(self.actor.as_str())
            .bind(self.taken_at.micros())
            .bind(self.body.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_stand_at_their_numbers_and_no_other_number_is_one() {
        for (number, kind) in (1..).zip(ApprovalStepKind::ALL) {
            assert_eq!(kind as u8, number);
            assert_eq!(ApprovalStepKind::from_number(number), Some(kind));
        }
        assert_eq!(ApprovalStepKind::from_number(0), None);
        assert_eq!(ApprovalStepKind::from_number(12), None);
    }
}
