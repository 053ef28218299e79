//! What each action of the trail is in OCSF 1.1: one table.

/// Classes of OCSF that actions belong to, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum Class {
    /// Something about an account is changed.
    AccountChange = 3001,
    /// Somebody comes in, or is kept out.
    Authentication = 3002,
    /// A thing that is managed is made, read, changed or removed.
    EntityManagement = 3004,
    /// Rights are given or taken.
    UserAccess = 3005,
    /// A program calls.
    ApiActivity = 6003,
}

impl Class {
    /// The number of its category: identity and access management, or application activity.
    pub fn category(self) -> u16 {
        self as u16 / 1000
    }
}

/// What an action means to somebody who watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// The class.
    pub class: Class,
    /// Number of the activity in its class.
    pub activity: u8,
    /// 1 informational, 2 low, 3 medium, 4 high.
    pub severity: u8,
    /// Whether something was refused.
    pub is_failure: bool,
}

/// Activity that has no number of its own.
const OTHER: u8 = 99;

const CREATE: u8 = 1;
const READ: u8 = 2;
const UPDATE: u8 = 3;
const DELETE: u8 = 4;

/// Action, class, activity, severity. An action that begins with one of these words and a dot is
/// of that row too, if it has none of its own.
const TABLE: &[(&str, Class, u8, u8)] = &[
    ("alert", Class::EntityManagement, UPDATE, 1),
    ("alert.raise", Class::EntityManagement, CREATE, 3),
    ("approval", Class::EntityManagement, UPDATE, 1),
    ("approval.break_glass", Class::EntityManagement, UPDATE, 4),
    ("approval.delegate", Class::UserAccess, 1, 1),
    ("approval.end_delegation", Class::UserAccess, 2, 1),
    ("approval.overdue", Class::EntityManagement, UPDATE, 4),
    ("approval.policy", Class::EntityManagement, UPDATE, 2),
    ("approval.request", Class::EntityManagement, CREATE, 1),
    ("backup", Class::EntityManagement, READ, 1),
    ("case", Class::EntityManagement, UPDATE, 1),
    ("case.close", Class::EntityManagement, UPDATE, 2),
    ("case.open", Class::EntityManagement, CREATE, 1),
    ("decision", Class::ApiActivity, CREATE, 1),
    ("export", Class::EntityManagement, READ, 2),
    ("key", Class::EntityManagement, UPDATE, 1),
    ("key.create", Class::EntityManagement, CREATE, 2),
    ("key.register", Class::EntityManagement, CREATE, 2),
    ("key.revoke", Class::EntityManagement, DELETE, 2),
    ("label", Class::EntityManagement, CREATE, 1),
    ("list", Class::EntityManagement, UPDATE, 1),
    ("list.add", Class::EntityManagement, CREATE, 1),
    ("list.remove", Class::EntityManagement, DELETE, 1),
    ("payment", Class::ApiActivity, READ, 1),
    ("payment.cancel", Class::EntityManagement, UPDATE, 2),
    ("payment.release", Class::EntityManagement, UPDATE, 2),
    ("payment.request_refund", Class::EntityManagement, UPDATE, 2),
    ("payment_alert", Class::EntityManagement, UPDATE, 1),
    ("payment_alert.open", Class::EntityManagement, CREATE, 2),
    ("rule_set", Class::EntityManagement, UPDATE, 1),
    ("rule_set.back_test", Class::EntityManagement, READ, 1),
    ("rule_set.base", Class::EntityManagement, CREATE, 1),
    ("rule_set.check", Class::EntityManagement, READ, 1),
    ("rule_set.draft", Class::EntityManagement, CREATE, 1),
    ("staff", Class::AccountChange, OTHER, 1),
    ("staff.accept", Class::AccountChange, 2, 1),
    ("staff.add_passkey", Class::AccountChange, 10, 1),
    ("staff.confirm_totp", Class::AccountChange, 10, 1),
    ("staff.disable", Class::AccountChange, 5, 2),
    ("staff.enable", Class::AccountChange, 2, 2),
    ("staff.end_sessions", Class::Authentication, 2, 1),
    ("staff.invite", Class::AccountChange, 1, 2),
    ("staff.lock", Class::AccountChange, 9, 3),
    ("staff.prove", Class::Authentication, OTHER, 1),
    ("staff.refuse_sign_in", Class::Authentication, 1, 2),
    ("staff.remove_passkey", Class::AccountChange, 11, 2),
    ("staff.review", Class::EntityManagement, READ, 1),
    ("staff.set_password", Class::AccountChange, 3, 1),
    ("staff.set_roles", Class::UserAccess, 1, 2),
    ("staff.sign_in", Class::Authentication, 1, 1),
    ("trail.not_intact", Class::EntityManagement, OTHER, 4),
    ("trail.not_signed", Class::EntityManagement, OTHER, 4),
];

/// Actions that tell of a refusal.
const REFUSALS: &[&str] = &["staff.lock", "staff.refuse_sign_in"];

/// What an action means; one that the table does not know is a call of no kind.
pub fn meaning(action: &str) -> Meaning {
    let row = |name: &str| TABLE.iter().find(|row| row.0 == name);
    let family = || action.split_once('.').and_then(|(family, _)| row(family));
    let (class, activity, severity) = row(action)
        .or_else(family)
        .map_or((Class::ApiActivity, OTHER, 1), |row| (row.1, row.2, row.3));
    Meaning {
        class,
        activity,
        severity,
        is_failure: REFUSALS.contains(&action),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_says_nothing_twice() {
        assert!(TABLE.is_sorted_by(|one, next| one.0 < next.0));
        for refusal in REFUSALS {
            assert!(TABLE.iter().any(|row| row.0 == *refusal), "{refusal}");
        }
    }

    #[test]
    fn an_action_is_of_its_own_row_then_of_its_family_then_of_none() {
        let seen = |action| {
            let meaning = meaning(action);
            (meaning.class, meaning.activity)
        };
        assert_eq!(seen("staff.sign_in"), (Class::Authentication, 1));
        assert_eq!(seen("staff.unheard_of"), (Class::AccountChange, OTHER));
        assert_eq!(seen("decision.create"), (Class::ApiActivity, CREATE));
        assert_eq!(seen("unheard.of"), (Class::ApiActivity, OTHER));
        assert!(meaning("staff.refuse_sign_in").is_failure);
        assert!(!meaning("staff.sign_in").is_failure);
    }
}
