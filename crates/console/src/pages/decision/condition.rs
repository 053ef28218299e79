//! What was known: the condition of a rule part by part, and every value that rules read.

use super::{
    ENTITY, FEATURE, FEATURES, Fired, Found, MISSING, OTHER_RULES, Operand, VALUE, WINDOW,
};
use crate::{
    names::named,
    parts, terms,
    visit::{Visit, address},
};
use maud::{Markup, html};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
pub(super) struct Explanation {
    condition: Part,
    pub(super) screening: Vec<Found>,
}

#[derive(Deserialize)]
struct Part {
    text: String,
    truth: String,
    values: Vec<Operand>,
    parts: Vec<Part>,
}

/// The condition of a rule with what it came to, and the way to the others that fired.
pub(super) fn condition<'d>(
    v: &Visit,
    explained: &Explanation,
    shown: &str,
    fired: impl Iterator<Item = &'d Fired>,
) -> Markup {
    let (these, others): (Vec<_>, Vec<_>) = fired.partition(|fired| fired.rule == shown);
    let kept = these.first().map(|fired| fired.title.as_str());
    html! {
        p { (parts::rule_as(shown, kept, None, v)) }
        ul.tree { (part(v, &explained.condition)) }
        @if !others.is_empty() {
            p.muted {
                (v.t(OTHER_RULES)) ": "
                @for fired in others {
                    a href=(address(v.desk.path(), &[("rule", Some(&fired.rule))])) { (fired.title(v)) } " "
                }
            }
        }
    }
}

fn part(v: &Visit, part: &Part) -> Markup {
    let (sign, class) = match part.truth.as_str() {
        "true" => ("✓", "truth good"),
        "false" => ("✗", "truth plain"),
        _ => ("?", "truth care"),
    };
    let said = terms::term(&part.truth, v.language());
    html! {
        li {
            span class=(class) title=(said) aria-hidden="true" { (sign) }
            span.unseen { (said) }
            code { (part.text) }
            @if !part.values.is_empty() {
                span.values {
                    @for (place, value) in part.values.iter().enumerate() {
                        @if place > 0 { " · " }
                        (value.operand) " = " b { (value.value.as_deref().unwrap_or(v.t(MISSING))) }
                    }
                }
            }
            @if !part.parts.is_empty() { ul { @for inner in &part.parts { (self::part(v, inner)) } } }
        }
    }
}

/// Every operand of the rules that fired, by entity.
pub(super) fn features<'d>(v: &Visit, fired: impl Iterator<Item = &'d Fired>) -> Markup {
    let operands = fired.flat_map(|fired| &fired.values);
    let known: BTreeMap<&str, Option<&str>> = operands
        .map(|one| (one.operand.as_str(), one.value.as_deref()))
        .collect();
    let row = |(operand, value): (&str, Option<&str>)| {
        let (entity, feature) = operand.split_once('.').unwrap_or(("", operand));
        vec![
            html! { (named("entity", entity, "", v.language())) },
            parts::id(feature),
            html! { (window(feature).unwrap_or("–")) },
            html! {
                @match value {
                    Some(value) => b { (value) },
                    None => span.muted { (v.t(MISSING)) },
                }
            },
        ]
    };
    let rows: Vec<_> = known.into_iter().map(row).collect();
    let value = format!("{}#", v.t(VALUE));
    let columns = [v.t(ENTITY), v.t(FEATURE), v.t(WINDOW), &value];
    parts::table(v.t(FEATURES), &columns, &rows, v)
}

/// The window of `count("10m")`.
fn window(feature: &str) -> Option<&str> {
    let quoted = feature.split('"').nth(1)?;
    let is_span = quoted.starts_with(|first: char| first.is_ascii_digit());
    is_span.then_some(quoted)
}
