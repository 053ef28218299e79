//! What a key may do.

use crate::Error;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One permission of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&str")]
#[repr(u8)]
pub enum Scope {
    /// Ask for decisions.
    DecisionsWrite,
    /// Read decisions, labels and the rule set.
    DecisionsRead,
    /// Say what a payment turned out to be.
    LabelsWrite,
    /// Add and remove list entries.
    ListsWrite,
    /// Read lists.
    ListsRead,
    /// Ask how safe something is: a password.
    SafetyCheck,
    /// Read the trail, its checkpoints and proofs.
    TrailRead,
    /// Hand in cosignatures of witnesses.
    TrailCosign,
    /// Read rule sets, their history and what their trials found.
    RulesRead,
    /// Draft rule sets, try them and make approved ones decide.
    RulesWrite,
    /// Approve rule sets that another key has drafted.
    RulesApprove,
    /// Read approvals, delegations and the policy of approvals.
    ApprovalsRead,
    /// Ask for approval of what one may do, withdraw it, carry out what was approved.
    ApprovalsRequest,
    /// Vote on what others ask for, as far as the policy lets this key, and delegate that.
    ApprovalsVote,
    /// Act without votes in an emergency, where the policy allows it.
    ApprovalsBreakGlass,
    /// Propose another policy of approvals, or approve one.
    ApprovalsPolicy,
    /// Take data out in bulk, once it is approved.
    ExportsWrite,
    /// Read accounts of staff, their roles and sessions.
    StaffRead,
    /// Invite staff, disable and enable accounts, end sessions.
    StaffWrite,
    /// Read who may do what, by whom it was granted and whether it is used.
    StaffReview,
    /// Give roles to staff and take them back.
    RolesGrant,
    /// Read signing keys and what each may do.
    KeysRead,
    /// Make, rotate, bind and revoke signing keys.
    KeysWrite,
    /// Read security alerts.
    SecurityRead,
    /// Decide about security alerts.
    SecurityReview,
    /// Read what was done to accounts and sessions, in the trail.
    TrailSystem,
    /// Read what was done to roles, keys and approvals, in the trail.
    TrailSecurity,
    /// Read reviews and exports, in the trail.
    TrailAudit,
    /// Keep personal data in the vault.
    VaultWrite,
    /// Read personal data from the vault.
    VaultRead,
    /// Find records of the vault; they are shown masked.
    VaultSearch,
    /// Erase values and persons from the vault.
    VaultErase,
    /// Rotate the keys of the vault, bring a share of the master key.
    VaultKeys,
    /// Publish privacy notices.
    NoticesWrite,
    /// Read privacy notices and the privacy policy.
    NoticesRead,
    /// Write down what people agree to, and that they withdraw.
    ConsentsWrite,
    /// Read what people have agreed to.
    ConsentsRead,
    /// Propose another privacy policy, or approve one.
    PrivacyPolicy,
    /// Read what happened to the data of a person.
    SubjectsRead,
    /// Write down what persons ask for, correct what is kept of them, place and lift holds.
    SubjectsWrite,
    /// Ask to be shown values of a person, and look at them once it is approved.
    SubjectsReveal,
    /// Import screening lists, ask for their change.
    ScreeningWrite,
    /// Read screening lists, hold names against them.
    ScreeningRead,
    /// Read alerts and cases of the queues that one sees.
    CasesRead,
    /// Claim alerts and cases, work on them, write notes, ask for what happens to payments.
    CasesWork,
    /// Say what alerts turned out to be, ask for cases to be closed, reopen them.
    CasesClose,
    /// Vote on the closing of cases.
    CasesApprove,
    /// Say where events are sent, and have them sent again.
    WebhooksWrite,
    /// Read where events are sent and whether they arrived.
    WebhooksRead,
    /// Have payers asked whether payments were theirs, and hand in what they answer.
    ConfirmationsWrite,
    /// Read reports to financial intelligence units, and that there are any.
    ReportsRead,
    /// Draft reports, ask for their approval, write down that they were filed.
    ReportsWrite,
    /// Read the risk ratings of customers, and how they came about.
    RatingsRead,
    /// Say what is known of customers, rate them again, ask for another rating.
    RatingsWrite,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 54] = [
        Self::DecisionsWrite,
        Self::DecisionsRead,
        Self::LabelsWrite,
        Self::ListsWrite,
        Self::ListsRead,
        Self::SafetyCheck,
        Self::TrailRead,
        Self::TrailCosign,
        Self::RulesRead,
        Self::RulesWrite,
        Self::RulesApprove,
        Self::ApprovalsRead,
        Self::ApprovalsRequest,
        Self::ApprovalsVote,
        Self::ApprovalsBreakGlass,
        Self::ApprovalsPolicy,
        Self::ExportsWrite,
        Self::StaffRead,
        Self::StaffWrite,
        Self::StaffReview,
        Self::RolesGrant,
        Self::KeysRead,
        Self::KeysWrite,
        Self::SecurityRead,
        Self::SecurityReview,
        Self::TrailSystem,
        Self::TrailSecurity,
        Self::TrailAudit,
        Self::VaultWrite,
        Self::VaultRead,
        Self::VaultSearch,
        Self::VaultErase,
        Self::VaultKeys,
        Self::NoticesWrite,
        Self::NoticesRead,
        Self::ConsentsWrite,
        Self::ConsentsRead,
        Self::PrivacyPolicy,
        Self::SubjectsRead,
        Self::SubjectsWrite,
        Self::SubjectsReveal,
        Self::ScreeningWrite,
        Self::ScreeningRead,
        Self::CasesRead,
        Self::CasesWork,
        Self::CasesClose,
        Self::CasesApprove,
        Self::WebhooksWrite,
        Self::WebhooksRead,
        Self::ConfirmationsWrite,
        Self::ReportsRead,
        Self::ReportsWrite,
        Self::RatingsRead,
        Self::RatingsWrite,
    ];

    /// Those that only people use: no route takes them from a key.
    pub const OF_PEOPLE: &'static [Self] = &[
        Self::StaffRead,
        Self::StaffWrite,
        Self::StaffReview,
        Self::RolesGrant,
        Self::KeysRead,
        Self::KeysWrite,
        Self::SecurityReview,
        Self::TrailSystem,
        Self::TrailSecurity,
        Self::TrailAudit,
    ];

    /// Those that a key has only if they were asked for by name: need to know (PCI DSS 4.0.1, 7.2.1).
    pub const BY_NAME: &'static [Self] = &[
        Self::VaultWrite,
        Self::VaultRead,
        Self::VaultSearch,
        Self::VaultErase,
        Self::VaultKeys,
        Self::NoticesWrite,
        Self::ConsentsWrite,
        Self::ConsentsRead,
        Self::PrivacyPolicy,
        Self::SubjectsRead,
        Self::SubjectsWrite,
        Self::SubjectsReveal,
        Self::WebhooksWrite,
        Self::ReportsRead,
        Self::ReportsWrite,
    ];

    /// The word used in the store, on the command line and in replies.
    pub fn name(self) -> &'static str {
        match self {
            Self::DecisionsWrite => "decisions:write",
            Self::DecisionsRead => "decisions:read",
            Self::LabelsWrite => "labels:write",
            Self::ListsWrite => "lists:write",
            Self::ListsRead => "lists:read",
            Self::SafetyCheck => "safety:check",
            Self::TrailRead => "trail:read",
            Self::TrailCosign => "trail:cosign",
            Self::RulesRead => "rules:read",
            Self::RulesWrite => "rules:write",
            Self::RulesApprove => "rules:approve",
            Self::ApprovalsRead => "approvals:read",
            Self::ApprovalsRequest => "approvals:request",
            Self::ApprovalsVote => "approvals:vote",
            Self::ApprovalsBreakGlass => "approvals:break_glass",
            Self::ApprovalsPolicy => "approvals:policy",
            Self::ExportsWrite => "exports:write",
            Self::StaffRead => "staff:read",
            Self::StaffWrite => "staff:write",
            Self::StaffReview => "staff:review",
            Self::RolesGrant => "roles:grant",
            Self::KeysRead => "keys:read",
            Self::KeysWrite => "keys:write",
            Self::SecurityRead => "security:read",
            Self::SecurityReview => "security:review",
            Self::TrailSystem => "trail:system",
            Self::TrailSecurity => "trail:security",
            Self::TrailAudit => "trail:audit",
            Self::VaultWrite => "vault:write",
            Self::VaultRead => "vault:read",
            Self::VaultSearch => "vault:search",
            Self::VaultErase => "vault:erase",
            Self::VaultKeys => "vault:keys",
            Self::NoticesWrite => "notices:write",
            Self::NoticesRead => "notices:read",
            Self::ConsentsWrite => "consents:write",
            Self::ConsentsRead => "consents:read",
            Self::PrivacyPolicy => "privacy:policy",
            Self::SubjectsRead => "subjects:read",
            Self::SubjectsWrite => "subjects:write",
            Self::SubjectsReveal => "subjects:reveal",
            Self::ScreeningWrite => "screening:write",
            Self::ScreeningRead => "screening:read",
            Self::CasesRead => "cases:read",
            Self::CasesWork => "cases:work",
            Self::CasesClose => "cases:close",
            Self::CasesApprove => "cases:approve",
            Self::WebhooksWrite => "webhooks:write",
            Self::WebhooksRead => "webhooks:read",
            Self::ConfirmationsWrite => "confirmations:write",
            Self::ReportsRead => "reports:read",
            Self::ReportsWrite => "reports:write",
            Self::RatingsRead => "ratings:read",
            Self::RatingsWrite => "ratings:write",
        }
    }

    /// The scope with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

impl TryFrom<String> for Scope {
    type Error = Error;

    fn try_from(name: String) -> Result<Self, Error> {
        Self::parse(&name).ok_or(Error::ScopeUnknown(name))
    }
}

impl From<Scope> for &'static str {
    fn from(scope: Scope) -> Self {
        scope.name()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of scopes. Its text form is their names with commas between them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u64);

impl Scopes {
    /// Every scope.
    pub fn all() -> Self {
        Self::of(&Scope::ALL)
    }

    /// Every scope that opens something to a key.
    pub fn of_keys() -> Self {
        Self(Self::all().0 & !Self::of(Scope::OF_PEOPLE).0)
    }

    /// What a key may do if nothing else was said.
    pub fn usual() -> Self {
        Self(Self::of_keys().0 & !Self::of(Scope::BY_NAME).0)
    }

    /// Just these.
    pub fn of(scopes: &[Scope]) -> Self {
        Self(scopes.iter().fold(0, |set, scope| set | 1 << *scope as u8))
    }

    /// Reads `decisions:write,labels:write`; an empty text is the empty set.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let names = text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        names
            .map(|name| Scope::parse(name).ok_or_else(|| Error::ScopeUnknown(name.to_owned())))
            .try_fold(Self::default(), |set, scope| {
                Ok(Self(set.0 | 1 << scope? as u8))
            })
    }

    /// These and those.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Each of them, in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL
            .into_iter()
            .filter(move |scope| self.contains(*scope))
    }

    /// Whether any of these is among them.
    pub fn meets(self, scopes: &[Scope]) -> bool {
        self.0 & Self::of(scopes).0 != 0
    }

    /// Whether the scope is among them.
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for scope in self.iter() {
            write!(f, "{separator}{scope}")?;
            separator = ",";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_and_unknown_words_are_refused() {
        let two = Scopes::of(&[Scope::LabelsWrite, Scope::DecisionsWrite]);
        assert_eq!(two.to_string(), "decisions:write,labels:write");
        for set in [Scopes::default(), two, Scopes::all()] {
            assert_eq!(Scopes::parse(&set.to_string()).unwrap(), set);
        }
        let keys = Scopes::of_keys();
        assert!(!Scopes::usual().meets(Scope::BY_NAME) && keys.meets(Scope::BY_NAME));
        assert!(keys.contains(Scope::LabelsWrite) && !keys.meets(Scope::OF_PEOPLE));
        assert_eq!(
            keys.iter().count() + Scope::OF_PEOPLE.len(),
            Scope::ALL.len()
        );
        assert!(two.contains(Scope::LabelsWrite) && !two.contains(Scope::ListsRead));
        assert!(
            matches!(Scopes::parse("lists:read, lists:own"), Err(Error::ScopeUnknown(name))
            if name == "lists:own")
        );
    }
}
