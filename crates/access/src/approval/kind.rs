//! Which sensitive commands there are.

use crate::Scope;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A kind of command that may need approval. A new kind is one variant here and one
/// [`Sensitive`](super::Sensitive) type in the crate that carries it out.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A version of the rules goes where it decides payments.
    RuleRelease,
    /// A model goes where it decides payments.
    ModelRelease,
    /// Values go onto a list or are taken off it.
    ListChange,
    /// A signing key begins, changes or ends.
    KeyChange,
    /// An account of staff gets other roles.
    RoleGrant,
    /// Rows are taken out in bulk.
    Export,
    /// Another policy of approvals comes into force.
    PolicyChange,
    /// Another privacy policy comes into force.
    PrivacyPolicyChange,
    /// Values of a person are shown to a member of staff.
    Reveal,
    /// A screening list that shrank goes to work, or a list ends.
    ScreeningChange,
    /// A party is not the one on a screening list.
    ScreeningClearance,
    /// Secrets of epochs of the vault's keys are destroyed.
    EpochEnd,
    /// A case is closed.
    CaseClosing,
    /// Where events are sent changes.
    WebhookChange,
    /// A report goes to a financial intelligence unit.
    ReportFiling,
    /// A customer is rated otherwise than the policy says.
    RatingOverride,
}

/// Data of customers in a payload: one member of each element of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CustomerData {
    /// What whoever reads them, or votes on them, must be allowed to do.
    pub(crate) seen_with: Scope,
    /// The array in the payload.
    pub(crate) array: &'static str,
    /// The member of its elements that holds them.
    pub(crate) member: &'static str,
    /// The field that they are in the table of masks.
    pub(crate) field: &'static str,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::RuleRelease,
        Self::ModelRelease,
        Self::ListChange,
        Self::KeyChange,
        Self::RoleGrant,
        Self::Export,
        Self::PolicyChange,
        Self::PrivacyPolicyChange,
        Self::Reveal,
        Self::ScreeningChange,
        Self::ScreeningClearance,
        Self::EpochEnd,
        Self::CaseClosing,
        Self::WebhookChange,
        Self::ReportFiling,
        Self::RatingOverride,
    ];

    /// The word used in policies, in the store and in replies.
    pub fn name(self) -> &'static str {
        match self {
            Self::RuleRelease => "rule_release",
            Self::ModelRelease => "model_release",
            Self::ListChange => "list_change",
            Self::KeyChange => "key_change",
            Self::RoleGrant => "role_grant",
            Self::Export => "export",
            Self::PolicyChange => "policy_change",
            Self::PrivacyPolicyChange => "privacy_policy_change",
            Self::Reveal => "reveal",
            Self::ScreeningChange => "screening_change",
            Self::ScreeningClearance => "screening_clearance",
            Self::EpochEnd => "epoch_end",
            Self::CaseClosing => "case_closing",
            Self::WebhookChange => "webhook_change",
            Self::ReportFiling => "report_filing",
            Self::RatingOverride => "rating_override",
        }
    }

    /// What whoever asks for it, and whoever carries it out, must be allowed to do.
    pub fn scope(self) -> Scope {
        match self {
            Self::RuleRelease | Self::ModelRelease => Scope::RulesWrite,
            Self::ListChange => Scope::ListsWrite,
            Self::KeyChange => Scope::KeysWrite,
            Self::RoleGrant => Scope::RolesGrant,
            Self::Export => Scope::ExportsWrite,
            Self::PolicyChange => Scope::ApprovalsPolicy,
            Self::PrivacyPolicyChange => Scope::PrivacyPolicy,
            Self::Reveal => Scope::SubjectsReveal,
            Self::ScreeningChange | Self::ScreeningClearance => Scope::ScreeningWrite,
            Self::EpochEnd => Scope::VaultKeys,
            Self::CaseClosing => Scope::CasesClose,
            Self::WebhookChange => Scope::WebhooksWrite,
            Self::ReportFiling => Scope::ReportsWrite,
            Self::RatingOverride => Scope::RatingsWrite,
        }
    }

    /// Where its payload holds data of customers; none where it holds none.
    pub(crate) fn customer_data(self) -> Option<CustomerData> {
        match self {
            Self::ListChange => Some(CustomerData {
                seen_with: Scope::ListsRead,
                array: "values",
                member: "value",
                field: "list_value",
            }),
            Self::RuleRelease
            | Self::ModelRelease
            | Self::KeyChange
            | Self::RoleGrant
            | Self::Export
            | Self::PolicyChange
            | Self::PrivacyPolicyChange
            | Self::Reveal
            | Self::ScreeningChange
            | Self::ScreeningClearance
            | Self::EpochEnd
            | Self::CaseClosing
            | Self::WebhookChange
            | Self::ReportFiling
            | Self::RatingOverride => None,
        }
    }

    /// What whoever learns that there is such an approval at all must be allowed to do: telling of a
    /// report tips its subject off.
    pub(crate) fn known_with(self) -> Option<Scope> {
        (self == Self::ReportFiling).then_some(Scope::ReportsRead)
    }

    /// The kind with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_in_the_store_and_in_json() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.name()), Some(kind));
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(json, format!("\"{}\"", kind.name()));
        }
        assert_eq!(Kind::parse("everything"), None);
    }
}
