//! Roles: what members of staff may do, and which roles exclude each other.

use super::Error;
use crate::{Scope, Scopes};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The most roles, built-in ones included.
pub const ROLES_MAX: usize = 100;
/// The longest name of a role, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// One of the three administrators that MLPS level 3 (GB/T 22239-2019, 8.1.5) keeps apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// Runs the system and its accounts.
    System,
    /// Says who may do what.
    Security,
    /// Looks after the trail and reviews the other two.
    Audit,
}

/// A named set of permissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Stable name, `snake_case`.
    pub name: String,
    /// For people.
    pub title: String,
    /// The administrator that it makes of its holder, if any.
    pub duty: Option<Duty>,
    /// What it allows.
    pub scopes: Scopes,
}

/// A role as an operator writes it into a file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomRole {
    /// Stable name: lower-case letters, digits and `_`.
    pub name: String,
    /// For people.
    pub title: String,
    /// The administrator that it makes of its holder, if any.
    #[serde(default)]
    pub duty: Option<Duty>,
    /// What it allows.
    pub scopes: Vec<String>,
}

/// A pair of things that one person may not hold, and the text that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RoleConflict)]
pub struct Conflict {
    /// What must not meet.
    pub what: &'static str,
    /// The text that asks for it.
    pub source: &'static str,
}

/// What shows or changes data of payers.
const CUSTOMER_DATA: &[Scope] = &[
    Scope::DecisionsRead,
    Scope::DecisionsWrite,
    Scope::LabelsWrite,
    Scope::ListsRead,
    Scope::ListsWrite,
    Scope::ExportsWrite,
    Scope::TrailRead,
    Scope::VaultWrite,
    Scope::VaultRead,
    Scope::VaultSearch,
    Scope::VaultErase,
    Scope::ConsentsWrite,
    Scope::ConsentsRead,
    Scope::SubjectsRead,
    Scope::SubjectsWrite,
    Scope::SubjectsReveal,
    Scope::ScreeningRead,
    Scope::ScreeningWrite,
    Scope::CasesRead,
    Scope::CasesWork,
    Scope::CasesClose,
    Scope::CasesApprove,
    Scope::ReportsRead,
    Scope::ReportsWrite,
    Scope::RatingsRead,
    Scope::RatingsWrite,
];

/// Scopes of which nobody may hold one of the left and one of the right.
const APART: &[(&[Scope], &[Scope], Conflict)] = &[
    (
        &[Scope::RulesWrite],
        &[Scope::RulesApprove],
        Conflict {
            what: "who writes rules does not approve them",
            source: "PCI DSS 4.0.1, 6.5.4; GB/T 22239-2019, 8.1.7.3",
        },
    ),
    (
        &[Scope::KeysWrite],
        &[Scope::RulesWrite, Scope::RulesApprove],
        Conflict {
            what: "who makes keys neither writes nor approves rules: a key could do the other half",
            source: "PCI DSS 4.0.1, 6.5.4",
        },
    ),
    (
        &[Scope::KeysWrite],
        &[Scope::RolesGrant],
        Conflict {
            what: "who grants roles to people does not make keys for programs",
            source: "ISO/IEC 27001:2022, A.5.3",
        },
    ),
];

const DUTIES_APART: Conflict = Conflict {
    what: "system, security and audit administrator are three persons",
    source: "GB/T 22239-2019, 8.1.5.1 to 8.1.5.3",
};

const NO_CUSTOMER_DATA: Conflict = Conflict {
    what: "an administrator sees no data of customers",
    source: "GB/T 22239-2019, 8.1.4.2; PCI DSS 4.0.1, 7.2.2",
};

/// Scopes that only the administrator of a duty may hold.
const OF_DUTY: &[(Scope, Duty)] = &[
    (Scope::StaffWrite, Duty::System),
    (Scope::RolesGrant, Duty::Security),
    (Scope::SecurityReview, Duty::Security),
];

type Builtin = (&'static str, &'static str, Option<Duty>, &'static [Scope]);

/// The roles that every installation has.
#[rustfmt::skip]
const BUILTIN: &[Builtin] = &[
    ("analyst", "Analyst", None,
        &[Scope::DecisionsRead, Scope::LabelsWrite, Scope::ListsRead, Scope::RulesRead,
          Scope::ScreeningRead, Scope::CasesRead, Scope::CasesWork, Scope::CasesClose,
          Scope::RatingsRead]),
    ("senior_analyst", "Senior analyst", None,
        &[Scope::DecisionsRead, Scope::LabelsWrite, Scope::ListsRead, Scope::ListsWrite,
          Scope::RulesRead, Scope::ApprovalsRead, Scope::ApprovalsRequest, Scope::ApprovalsVote,
          Scope::SubjectsReveal, Scope::ScreeningRead, Scope::CasesRead, Scope::CasesWork,
          Scope::CasesClose, Scope::CasesApprove, Scope::RatingsRead]),
    ("aml_officer", "AML officer", None,
        &[Scope::DecisionsRead, Scope::LabelsWrite, Scope::ListsRead, Scope::ListsWrite,
          Scope::RulesRead, Scope::TrailRead, Scope::ApprovalsRead, Scope::ApprovalsRequest,
          Scope::ApprovalsVote, Scope::ExportsWrite, Scope::SubjectsReveal, Scope::ScreeningRead,
          Scope::ScreeningWrite, Scope::CasesRead, Scope::CasesWork, Scope::CasesClose,
          Scope::CasesApprove, Scope::ReportsRead, Scope::ReportsWrite, Scope::RatingsRead,
          Scope::RatingsWrite]),
    ("rule_author", "Rule author", None,
        &[Scope::RulesRead, Scope::RulesWrite, Scope::DecisionsRead, Scope::ListsRead,
          Scope::ApprovalsRead, Scope::ApprovalsRequest]),
    ("rule_approver", "Rule approver", None,
        &[Scope::RulesRead, Scope::RulesApprove, Scope::DecisionsRead, Scope::ListsRead,
          Scope::ApprovalsRead, Scope::ApprovalsVote]),
    ("privacy_officer", "Privacy officer", None,
        &[Scope::DecisionsRead, Scope::ListsRead, Scope::TrailRead, Scope::ApprovalsRead,
          Scope::ApprovalsRequest, Scope::ApprovalsVote, Scope::VaultSearch, Scope::VaultErase,
          Scope::NoticesWrite, Scope::NoticesRead, Scope::ConsentsRead, Scope::PrivacyPolicy,
          Scope::SubjectsRead, Scope::SubjectsReveal]),
    ("key_custodian", "Key custodian", None,
        &[Scope::KeysRead, Scope::KeysWrite, Scope::ApprovalsRead, Scope::ApprovalsRequest,
          Scope::VaultKeys, Scope::WebhooksRead, Scope::WebhooksWrite]),
    ("auditor", "Auditor", None,
        &[Scope::DecisionsRead, Scope::ListsRead, Scope::RulesRead, Scope::TrailRead,
          Scope::ApprovalsRead, Scope::ApprovalsRequest, Scope::ExportsWrite, Scope::StaffRead,
          Scope::StaffReview, Scope::KeysRead, Scope::SecurityRead, Scope::TrailSystem,
          Scope::TrailSecurity, Scope::TrailAudit]),
    ("system_administrator", "System administrator", Some(Duty::System),
        &[Scope::StaffRead, Scope::StaffWrite, Scope::KeysRead, Scope::ApprovalsRead,
          Scope::ApprovalsRequest, Scope::TrailSystem, Scope::WebhooksRead]),
    ("security_administrator", "Security administrator", Some(Duty::Security),
        &[Scope::StaffRead, Scope::RolesGrant, Scope::KeysRead, Scope::ApprovalsRead,
          Scope::ApprovalsRequest, Scope::ApprovalsVote, Scope::ApprovalsPolicy,
          Scope::SecurityRead, Scope::SecurityReview, Scope::TrailSecurity]),
    ("audit_administrator", "Audit administrator", Some(Duty::Audit),
        &[Scope::StaffRead, Scope::StaffReview, Scope::TrailSystem, Scope::TrailSecurity,
          Scope::TrailAudit, Scope::TrailCosign, Scope::KeysRead, Scope::ApprovalsRead, Scope::SecurityRead]),
];

/// Every role of an installation, by name.
#[derive(Debug, Clone)]
pub struct Roles(BTreeMap<String, Role>);

impl Roles {
    /// The built-in roles and those of the operator. One that could do what its duty forbids, or
    /// that takes a name again, is refused.
    pub fn new(custom: Vec<CustomRole>) -> Result<Self, Error> {
        let builtin = BUILTIN.iter().map(|(name, title, duty, scopes)| Role {
            name: (*name).to_owned(),
            title: (*title).to_owned(),
            duty: *duty,
            scopes: Scopes::of(scopes),
        });
        let mut roles = Self(builtin.map(|role| (role.name.clone(), role)).collect());
        if roles.0.len() + custom.len() > ROLES_MAX {
            return Err(Error::Limit("at most 100 roles"));
        }
        for role in custom {
            let role = read(role)?;
            if let Some(taken) = roles.0.insert(role.name.clone(), role) {
                return Err(Error::RoleRefused(taken.name, "the name is taken"));
            }
        }
        Ok(roles)
    }

    /// The role with this name.
    pub fn find(&self, name: &str) -> Option<&Role> {
        self.0.get(name)
    }

    /// Every role, by name.
    pub fn all(&self) -> impl Iterator<Item = &Role> {
        self.0.values()
    }

    /// What the holder of these roles may do. A role that no longer exists allows nothing.
    pub fn scopes<'n>(&self, names: impl Iterator<Item = &'n str>) -> Scopes {
        let roles = names.filter_map(|name| self.find(name));
        roles.fold(Scopes::default(), |all, role| all.and(role.scopes))
    }

    /// Why one person may not hold all of these roles; empty if they may.
    pub fn conflicts<'n>(&self, names: impl Iterator<Item = &'n str> + Clone) -> Vec<Conflict> {
        let held = names.clone().filter_map(|name| self.find(name));
        let duties: Vec<Duty> = held.filter_map(|role| role.duty).collect();
        found(&duties, self.scopes(names))
    }
}

fn found(duties: &[Duty], scopes: Scopes) -> Vec<Conflict> {
    let several = duties.iter().any(|duty| Some(duty) != duties.first());
    let sees = !duties.is_empty() && scopes.meets(CUSTOMER_DATA);
    let rules = [(several, DUTIES_APART), (sees, NO_CUSTOMER_DATA)];
    let apart = APART
        .iter()
        .map(|(one, other, conflict)| (scopes.meets(one) && scopes.meets(other), *conflict));
    let all = rules.into_iter().chain(apart);
    all.filter_map(|(is_broken, conflict)| is_broken.then_some(conflict))
        .collect()
}

fn read(custom: CustomRole) -> Result<Role, Error> {
    let CustomRole {
        name,
        title,
        duty,
        scopes,
    } = custom;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(plain) {
        let why = "a name has 1 to 64 lower-case letters, digits and `_`";
        return Err(Error::RoleRefused(name, why));
    }
    let mut set = Scopes::default();
    for scope in &scopes {
        match Scope::parse(scope) {
            Some(scope) => set = set.and(Scopes::of(&[scope])),
            None => return Err(Error::RoleRefused(name, "it names an unknown scope")),
        }
    }
    let of_other_duty =
        |(scope, only): &&(Scope, Duty)| set.contains(*scope) && duty != Some(*only);
    if OF_DUTY.iter().any(|pair| of_other_duty(&pair)) {
        let why = "`staff:write` needs duty = \"system\", `roles:grant` and `security:review` \
                   duty = \"security\"";
        return Err(Error::RoleRefused(name, why));
    }
    let duties: Vec<Duty> = duty.into_iter().collect();
    if let Some(conflict) = found(&duties, set).first() {
        return Err(Error::RoleRefused(name, conflict.what));
    }
    Ok(Role {
        name,
        title,
        duty,
        scopes: set,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles() -> Roles {
        Roles::new(Vec::new()).unwrap()
    }

    fn custom(name: &str, duty: Option<Duty>, scopes: &[&str]) -> CustomRole {
        CustomRole {
            name: name.to_owned(),
            title: "Own".to_owned(),
            duty,
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        }
    }

    #[test]
    fn no_built_in_role_contradicts_itself_and_each_duty_holds_its_own_scopes() {
        let roles = roles();
        for role in roles.all() {
            let alone = std::iter::once(role.name.as_str());
            assert_eq!(roles.conflicts(alone), [], "{}", role.name);
            for (scope, duty) in OF_DUTY {
                let holds = role.scopes.contains(*scope);
                assert!(!holds || role.duty == Some(*duty), "{}", role.name);
            }
        }
    }

    /// Every pair of roles, held against the three sentences that the table stands for.
    #[test]
    fn pairs_conflict_exactly_where_the_sentences_say() {
        let roles = roles();
        for one in roles.all() {
            for other in roles.all() {
                let both = one.scopes.and(other.scopes);
                let has = |scope| both.contains(scope);
                let duties = [one.duty, other.duty];
                let is_administrator = duties.iter().any(Option::is_some);
                let three = one.duty.is_some() && other.duty.is_some() && one.duty != other.duty;
                let sees = is_administrator && CUSTOMER_DATA.iter().any(|scope| has(*scope));
                let maker = has(Scope::RulesWrite) && has(Scope::RulesApprove);
                let custodian = has(Scope::KeysWrite)
                    && (has(Scope::RulesWrite)
                        || has(Scope::RulesApprove)
                        || has(Scope::RolesGrant));
                let names = [one.name.as_str(), other.name.as_str()];
                let found = roles.conflicts(names.into_iter());
                let expected = three || sees || maker || custodian;
                assert_eq!(!found.is_empty(), expected, "{names:?} {found:?}");
            }
        }
    }

    #[test]
    fn own_roles_cannot_go_around_the_table() {
        let refused = |role| Roles::new(vec![role]).is_err();
        assert!(refused(custom(
            "all",
            None,
            &["rules:write", "rules:approve"]
        )));
        assert!(refused(custom("quiet", None, &["roles:grant"])));
        assert!(refused(custom(
            "wrong",
            Some(Duty::Audit),
            &["staff:write"]
        )));
        let seeing = custom(
            "seeing",
            Some(Duty::System),
            &["staff:write", "decisions:read"],
        );
        assert!(refused(seeing));
        assert!(refused(custom("analyst", None, &[])));
        assert!(refused(custom("Own", None, &[])));
        assert!(refused(custom("own", None, &["everything"])));
        let roles = Roles::new(vec![custom("watcher", Some(Duty::Audit), &["trail:audit"])]);
        let roles = roles.unwrap();
        let together = ["watcher", "system_administrator"].into_iter();
        assert_eq!(roles.conflicts(together), [DUTIES_APART]);
        let lost = roles.scopes(["gone"].into_iter());
        assert_eq!(lost, Scopes::default());
    }
}
