//! What differs between two versions, rule by rule and field by field.

use paywarden_rules::{Rule, RuleSet};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What one version has and another has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RuleSetDiff {
    /// The version compared with.
    pub from: String,
    /// The version asked about.
    pub to: String,
    /// Rules that only `to` has.
    pub added: Vec<String>,
    /// Rules that only `from` has.
    pub removed: Vec<String>,
    /// Rules that both have, but not alike.
    pub changed: Vec<RuleChange>,
}

/// One rule that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RuleChange {
    /// `pack.rule`.
    pub rule: String,
    /// What changed about it.
    pub fields: Vec<FieldChange>,
}

/// One field of a rule before and after. Null where the rule has no such field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldChange {
    /// The field as packs name it.
    pub field: &'static str,
    /// In `from`.
    pub before: Option<String>,
    /// In `to`.
    pub after: Option<String>,
}

/// Compares two compiled versions.
pub(super) fn between(from: &RuleSet, to: &RuleSet) -> RuleSetDiff {
    let (before, after) = (by_id(from), by_id(to));
    let missing = |rules: &BTreeMap<&str, &Rule>, others: &BTreeMap<&str, &Rule>| {
        let alone = rules.keys().filter(|id| !others.contains_key(*id));
        alone.map(|id| (*id).to_owned()).collect()
    };
    let changed = after.iter().filter_map(|(id, rule)| {
        let fields = changes(before.get(id)?, rule);
        (!fields.is_empty()).then(|| RuleChange {
            rule: (*id).to_owned(),
            fields,
        })
    });
    RuleSetDiff {
        from: from.version().to_owned(),
        to: to.version().to_owned(),
        added: missing(&after, &before),
        removed: missing(&before, &after),
        changed: changed.collect(),
    }
}

fn by_id(rules: &RuleSet) -> BTreeMap<&str, &Rule> {
    let rules = rules.rules().iter();
    rules.map(|rule| (rule.id.as_str(), rule)).collect()
}

fn changes(before: &Rule, after: &Rule) -> Vec<FieldChange> {
    let pairs = fields(before).into_iter().zip(fields(after));
    pairs
        .filter(|((_, before), (_, after))| before != after)
        .map(|((field, before), (_, after))| FieldChange {
            field,
            before,
            after,
        })
        .collect()
}

/// Everything about a rule that a person can change, as text. Conditions are compared as the
/// formatter writes them, so that spacing is no change.
#[rustfmt::skip]
fn fields(rule: &Rule) -> [(&'static str, Option<String>); 16] {
    let when = paywarden_rules::format(&rule.when).unwrap_or_else(|_| rule.when.clone());
    let warning = rule.warning.as_ref();
    [
        ("title", Some(rule.title.clone())),
        ("title_zh", rule.title_zh.clone()),
        ("engine", Some(rule.engine.name().to_owned())),
        ("when", Some(when)),
        ("score", Some(rule.score.to_string())),
        ("action", rule.action.map(|action| action.name().to_owned())),
        ("hold_minutes", rule.hold_minutes.map(|minutes| minutes.to_string())),
        ("reason.code", Some(rule.reason.code.clone())),
        ("reason.text", Some(rule.reason.text.clone())),
        ("warning.code", warning.map(|warning| warning.code.clone())),
        ("warning.en", warning.map(|warning| warning.en.clone())),
        ("warning.zh", warning.map(|warning| warning.zh.clone())),
        ("stage", Some(rule.stage.name().to_owned())),
        ("on_fault", Some(rule.on_fault.name().to_owned())),
        ("source", Some(rule.source.clone())),
        ("false_positives", rule.false_positives.clone()),
    ]
}
