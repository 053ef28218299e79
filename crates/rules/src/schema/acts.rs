//! The words of acts: what people and programs do with Paywarden itself.

use paywarden_domain::{EventKind, Outcome};
use paywarden_features::EntityKind;

/// Kinds of act, in the order of the numbers that windows keep.
pub const TYPES: &[&str] = &[
    "read",
    "export",
    "command",
    "change",
    "add",
    "remove",
    "vote",
    "emergency",
    "grant",
    "sign_in",
    "proof",
    "signature",
    "integrity",
];
/// What acts are done to.
pub const AREAS: &[&str] = &[
    "decisions",
    "labels",
    "lists",
    "rules",
    "approvals",
    "staff",
    "keys",
    "session",
    "trail",
    "alerts",
    "other",
];
/// How an act ends.
pub const OUTCOMES: &[&str] = &["done", "refused"];
/// What an object is.
pub const OBJECTS: &[&str] = &[
    "decision",
    "payment",
    "list",
    "list_entry",
    "rule_set",
    "approval",
    "account",
    "key",
    "session",
    "trail",
    "alert",
    "other",
];
/// Who acts.
pub const ACTORS: &[&str] = &["person", "key", "system"];

/// The window functions that make sense of acts.
pub(super) const FUNCTIONS: &[&str] = &[
    "count",
    "sum",
    "max",
    "distinct",
    "first_seen",
    "since_previous",
    "age_at",
    "outcome_at",
    "is_new",
];

/// The entities of an act. Account and payee are left alone: windows let them share their keys; a
/// segment links nothing.
pub(super) fn entity(kind: EntityKind) -> Option<&'static str> {
    Some(match kind {
        EntityKind::Card => "actor",
        EntityKind::Merchant => "object",
        EntityKind::Customer => "subject",
        EntityKind::Ip => "network",
        EntityKind::Device => "session",
        EntityKind::Bin => "action",
        EntityKind::Terminal => "area",
        EntityKind::Email => "hour",
        EntityKind::Phone => "pair",
        EntityKind::Account | EntityKind::Payee | EntityKind::Segment => return None,
    })
}

pub(super) fn kind(kind: EventKind) -> Option<&'static str> {
    TYPES.get(kind as usize).copied()
}

pub(super) fn outcome(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Approve => Some("done"),
        Outcome::Decline => Some("refused"),
        _ => None,
    }
}

/// What a rule may ask for beyond its points.
pub(super) fn effect(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Review => Some("alert"),
        Outcome::Challenge => Some("step_up"),
        Outcome::Decline => Some("suspend"),
        _ => None,
    }
}
