//! Areas of the trail: which acts each of the three administrators answers for.
//!
//! MLPS level 3 (GB/T 22239-2019, 8.1.5.1 to 8.1.5.3) keeps system, security and audit management
//! apart, each with its own trail. What is about payments, labels, lists and rules is none of
//! theirs, and neither is what this table does not know.

use crate::Scope;

/// A part of the trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// Accounts, sign-ins and sessions; backups.
    System,
    /// Who may do what: roles, keys, identities, approvals.
    Security,
    /// Reviews, exports and the keys of the trail.
    Audit,
    /// Payments, labels, lists and rules.
    Business,
}

/// Actions, or the beginnings of actions that end in `.`; the longest that fits holds.
const ACTIONS: &[(&str, Area)] = &[
    ("staff.", Area::System),
    ("backup.", Area::System),
    ("staff.set_roles", Area::Security),
    ("staff.bind_identity", Area::Security),
    ("staff.unbind_identity", Area::Security),
    ("staff.review", Area::Audit),
    ("key.", Area::Security),
    ("approval.", Area::Security),
    ("access.", Area::Audit),
    ("alert.", Area::Security),
    ("export.", Area::Audit),
    ("trail.", Area::Audit),
    ("label.", Area::Business),
    ("list.", Area::Business),
    ("rule_set.", Area::Business),
    ("decision.", Area::Business),
    ("privacy.", Area::Security),
    ("reveal.", Area::Audit),
];

impl Area {
    /// Every area.
    pub const ALL: [Self; 4] = [Self::System, Self::Security, Self::Audit, Self::Business];

    /// The area of an action.
    pub fn of(action: &str) -> Self {
        let fits = |(known, _): &&(&str, Self)| match known.ends_with('.') {
            true => action.starts_with(known),
            false => action == *known,
        };
        let longest = ACTIONS
            .iter()
            .filter(fits)
            .max_by_key(|(known, _)| known.len());
        longest.map_or(Self::Business, |(_, area)| *area)
    }

    /// What reading it needs.
    pub const fn scope(self) -> Scope {
        match self {
            Self::System => Scope::TrailSystem,
            Self::Security => Scope::TrailSecurity,
            Self::Audit => Scope::TrailAudit,
            Self::Business => Scope::TrailRead,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::{Duty, Roles};

    #[test]
    fn the_longest_entry_holds_and_what_is_not_known_is_no_administrators() {
        for (action, area) in [
            ("staff.sign_in", Area::System),
            ("staff.refuse_sign_in", Area::System),
            ("staff.set_roles", Area::Security),
            ("staff.review", Area::Audit),
            ("key.rotate", Area::Security),
            ("approval.break_glass", Area::Security),
            ("backup.read_back", Area::System),
            ("export.open", Area::Audit),
            ("list.add", Area::Business),
            ("label.create", Area::Business),
            ("staffing", Area::Business),
            ("anything.else", Area::Business),
            ("", Area::Business),
        ] {
            assert_eq!(Area::of(action), area, "{action}");
        }
    }

    #[test]
    fn each_administrator_reads_the_own_area_and_the_auditors_read_those_of_others() {
        let roles = Roles::new(Vec::new()).unwrap();
        let reads = |role: &str| -> Vec<Area> {
            let scopes = roles.find(role).unwrap().scopes;
            let all = Area::ALL.into_iter();
            all.filter(|area| scopes.contains(area.scope())).collect()
        };
        assert_eq!(reads("system_administrator"), [Area::System]);
        assert_eq!(reads("security_administrator"), [Area::Security]);
        let three = [Area::System, Area::Security, Area::Audit];
        assert_eq!(reads("audit_administrator"), three);
        assert_eq!(reads("auditor"), Area::ALL);
        for role in roles.all().filter(|role| role.duty.is_some()) {
            assert!(!role.scopes.contains(Scope::TrailRead), "{}", role.name);
        }
        let duties = roles.all().filter_map(|role| role.duty);
        assert_eq!(
            duties.collect::<Vec<_>>(),
            [Duty::Audit, Duty::Security, Duty::System]
        );
    }
}
