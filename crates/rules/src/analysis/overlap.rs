//! Rules that fire only when another one fires too.

use super::kin;
use crate::{
    literal::{Check, Node},
    normal::Normal,
    pack::Stage,
    rule_set::{Rule, RuleSet},
};
use paywarden_domain::Outcome;

/// Comparisons of two rules after which the search stops: a set of many alike rules is looked at
/// in part rather than slowly.
const COMPARISONS_MAX: usize = 4_000_000;

/// The slots that rules read.
struct Reads {
    /// Of literals that must be true.
    required: Vec<u32>,
    /// Of all literals.
    all: Vec<u32>,
    /// One bit for each slot, slots that are 64 apart sharing one.
    required_bits: u64,
    all_bits: u64,
}

/// For each rule that brings nothing, the first rule that covers it: another one of its engine and
/// stage, which is true whenever it is and decides as much without it.
pub(super) fn covered(rules: &RuleSet) -> Vec<(usize, usize)> {
    let normal = rules.normal();
    let reads: Vec<Reads> = normal
        .nodes
        .iter()
        .map(|node| reads(node, normal))
        .collect();
    let mut frequency = vec![0_u32; normal.slots.len()];
    for slot in reads.iter().flat_map(|reads| &reads.required) {
        frequency[*slot as usize] += 1;
    }
    // A wide rule waits at the rarest slot that it requires: a rule that it covers reads it.
    let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); normal.slots.len()];
    for (wide, reads) in reads.iter().enumerate() {
        let rarest = reads
            .required
            .iter()
            .min_by_key(|slot| frequency[**slot as usize]);
        if let (Some(slot), true) = (rarest, is_on(&rules.rules()[wide])) {
            waiting[*slot as usize].push(wide);
        }
    }
    let mut comparisons = 0;
    let mut found = Vec::new();
    for (narrow, read) in reads.iter().enumerate() {
        let rule = &rules.rules()[narrow];
        if !is_on(rule) || normal.nodes[narrow].is_never() {
            continue;
        }
        let wider = |wide: &usize| {
            comparisons += 1;
            let (wide, other, widest) = (*wide, &rules.rules()[*wide], &reads[*wide]);
            wide != narrow
                && widest.required_bits & !read.all_bits == 0
                && kin(rule) == kin(other)
                && adds_nothing(rule, other)
                && covers(&normal.nodes[wide], &normal.nodes[narrow], normal)
                && (wide < narrow || !covers(&normal.nodes[narrow], &normal.nodes[wide], normal))
        };
        let candidates = read.all.iter().flat_map(|slot| &waiting[*slot as usize]);
        found.extend(candidates.copied().find(wider).map(|wide| (narrow, wide)));
        if comparisons > COMPARISONS_MAX {
            break;
        }
    }
    found
}

/// Points add up, so a narrower rule with points of its own is a step of a scale, unless the wider
/// one refuses the payment anyhow.
fn adds_nothing(narrow: &Rule, wide: &Rule) -> bool {
    let is_final = wide.action == Some(Outcome::Decline);
    narrow.action <= wide.action
        && (narrow.score == 0 || is_final)
        && (narrow.warning.is_none() || narrow.warning == wide.warning)
}

fn is_on(rule: &Rule) -> bool {
    rule.stage != Stage::Off
}

fn reads(node: &Node, normal: &Normal) -> Reads {
    let distinct = |mut slots: Vec<u32>| {
        slots.sort_unstable();
        slots.dedup();
        slots
    };
    let slot = |literal: u32| normal.literal(literal).slot;
    let mut all = Vec::new();
    node.each_literal(&mut |literal| all.push(slot(literal)));
    let required = node.conjuncts().iter().filter_map(|part| match part {
        Node::Literal(literal) => Some(slot(*literal)),
        _ => None,
    });
    let (required, all) = (distinct(required.collect()), distinct(all));
    let bits = |slots: &[u32]| slots.iter().fold(0, |bits, slot| bits | 1 << (slot % 64));
    Reads {
        required_bits: bits(&required),
        all_bits: bits(&all),
        required,
        all,
    }
}

/// Whether the narrow condition can be true only if the wide one is.
fn covers(wide: &Node, narrow: &Node, normal: &Normal) -> bool {
    let implied = |part: &Node| {
        let parts = narrow.conjuncts().iter();
        parts.clone().any(|given| implies(given, part, normal))
    };
    wide.conjuncts().iter().all(implied)
}

fn implies(given: &Node, wanted: &Node, normal: &Normal) -> bool {
    match (given, wanted) {
        _ if given == wanted => true,
        (Node::Any(parts), _) => parts.iter().all(|part| implies(part, wanted, normal)),
        (_, Node::All(parts)) => parts.iter().all(|part| implies(given, part, normal)),
        (_, Node::Any(parts)) => parts.iter().any(|part| implies(given, part, normal)),
        (Node::All(parts), _) => parts.iter().any(|part| implies(part, wanted, normal)),
        (Node::Literal(given), Node::Literal(wanted)) => {
            let (given, wanted) = (normal.literal(*given), normal.literal(*wanted));
            given.slot == wanted.slot && within(given.check, wanted.check, &normal.sets)
        }
    }
}

/// Whether every value that passes one check passes the other.
fn within(inner: Check, outer: Check, sets: &[Box<[i64]>]) -> bool {
    let set = |set: u32| sets.get(set as usize).map_or(&[][..], |set| set);
    match (inner, outer) {
        (Check::Is(value), _) => outer.holds(value, sets),
        (Check::Among(values), _) => set(values).iter().all(|value| outer.holds(*value, sets)),
        (Check::AtLeast(inner), Check::AtLeast(outer)) => inner >= outer,
        (Check::AtMost(inner), Check::AtMost(outer)) => inner <= outer,
        (_, Check::IsNot(refused)) => !inner.holds(refused, sets),
        (_, Check::NotAmong(refused)) => set(refused)
            .iter()
            .all(|refused| !inner.holds(*refused, sets)),
        _ => false,
    }
}
