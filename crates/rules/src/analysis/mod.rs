//! Analysis at publish: rules that can never fire, always fire, repeat another rule or cost too
//! much.
//!
//! It looks at the normal form: what a slot may hold is narrowed literal by literal, so what it
//! reports is certain, and what it does not report may still hold.

mod cost;
mod overlap;
mod possible;

pub use cost::COST_MAX;
pub(crate) use cost::cost;

use crate::{
    diagnostic::{Code, Diagnostic},
    literal::Node,
    normal::Normal,
    pack::Stage,
    parser::parse,
    program::Condition,
    rule_set::{Rule, RuleSet},
    symbols::QuickMap,
    syntax::{ExprKind, Logical},
};
use paywarden_domain::Engine;
use possible::Possible;

/// What is questionable about the rules of a set, in their order. Those whose
/// [`Code::severity`] is an error should keep the set from being published.
pub fn analyse(rules: &RuleSet) -> Vec<Diagnostic> {
    let analysis = Analysis { rules };
    let mut found: Vec<(usize, Diagnostic)> = Vec::new();
    for (place, node) in rules.normal().nodes.iter().enumerate() {
        found.extend(
            analysis
                .constant(place, node)
                .map(|problem| (place, problem)),
        );
        found.extend(analysis.too_dear(place).map(|problem| (place, problem)));
    }
    let repeated = analysis.repeated();
    let is_repeated = |place: usize| repeated.iter().any(|(known, _)| *known == place);
    let covered = overlap::covered(rules)
        .into_iter()
        .filter(|(narrow, _)| !is_repeated(*narrow))
        .map(|(narrow, wide)| (narrow, analysis.covered(narrow, wide)));
    found.extend(covered);
    found.extend(repeated);
    found.sort_by_key(|(place, _)| *place);
    found.into_iter().map(|(_, problem)| problem).collect()
}

struct Analysis<'a> {
    rules: &'a RuleSet,
}

impl Analysis<'_> {
    /// A condition that nothing can make true, or nothing can make false.
    fn constant(&self, place: usize, node: &Node) -> Option<Diagnostic> {
        let normal = self.rules.normal();
        if !Possible::new(normal).is_possible(node, true) {
            let message = "this can never be true";
            let problem = self.problem(place, Code::NeverTrue, message);
            return Some(self.at_conflict(place, problem));
        }
        let always = !Possible::new(normal).is_possible(node, false);
        always.then(|| {
            self.problem(
                place,
                Code::AlwaysTrue,
                "this is true whatever the values are",
            )
            .hint("say what sets these events apart, or ask `has(…)` if that is meant")
        })
    }

    /// Marks the first part of a conjunction that contradicts those before it.
    fn at_conflict(&self, place: usize, problem: Diagnostic) -> Diagnostic {
        let rule = &self.rules.rules()[place];
        let parsed = parse(&rule.when).expr;
        let parts = match &parsed.kind {
            ExprKind::Logical(Logical::And, parts) => parts.as_slice(),
            _ => std::slice::from_ref(&parsed),
        };
        let conditions = match &self.rules.conditions()[place] {
            Condition::All(conditions) if conditions.len() == parts.len() => conditions.as_ref(),
            _ => return problem.hint("two of its parts exclude each other"),
        };
        let contradicts = |count: &usize| {
            let first = Condition::All(conditions[..*count].into());
            let normal = Normal::of([&first]);
            !Possible::new(&normal).is_possible(&normal.nodes[0], true)
        };
        match (1..=parts.len()).find(contradicts) {
            Some(count) => {
                let part = &parts[count - 1];
                let hint = match count {
                    1 => "no event has such a value".to_owned(),
                    _ => format!("`{part}` contradicts what stands before it"),
                };
                problem.spanning(part.span.clone(), &rule.when).hint(hint)
            }
            None => problem,
        }
    }

    fn too_dear(&self, place: usize) -> Option<Diagnostic> {
        let cost = self.rules.rules()[place].cost;
        (cost > COST_MAX).then(|| {
            let message = format!("this may take {cost} steps, at most {COST_MAX}");
            self.problem(place, Code::CostTooHigh, message)
                .hint("use fewer text searches, or split the rule")
        })
    }

    /// Rules whose condition an earlier rule of the same engine and stage has already.
    fn repeated(&self) -> Vec<(usize, Diagnostic)> {
        let mut first: QuickMap<Node, Vec<usize>> = QuickMap::default();
        let mut found = Vec::new();
        for (place, node) in self.rules.normal().nodes.iter().enumerate() {
            let rule = &self.rules.rules()[place];
            if rule.stage == Stage::Off {
                continue;
            }
            let places = first.entry(canonical(node)).or_default();
            let same = |other: &&usize| kin(&self.rules.rules()[**other]) == kin(rule);
            match places.iter().find(same) {
                Some(other) => {
                    let other = &self.rules.rules()[*other].id;
                    let message = format!("the rule `{other}` has the same condition");
                    let problem = self
                        .problem(place, Code::DuplicateCondition, message)
                        .hint("join the two, or say what sets them apart");
                    found.push((place, problem));
                }
                None => places.push(place),
            }
        }
        found
    }

    fn covered(&self, narrow: usize, wide: usize) -> Diagnostic {
        let wide = &self.rules.rules()[wide].id;
        let message =
            format!("this fires only when `{wide}` fires too, which decides as much without it");
        self.problem(narrow, Code::Subsumed, message).hint(
            "give the narrower rule points of its own or the stricter action, or leave it out",
        )
    }

    /// A problem with the whole condition of a rule.
    fn problem(&self, place: usize, code: Code, message: impl Into<String>) -> Diagnostic {
        let rule = &self.rules.rules()[place];
        Diagnostic::new(code, message)
            .spanning(0..rule.when.len(), &rule.when)
            .in_rule(&rule.file, rule.line, &rule.id)
    }
}

/// Rules that differ in one of these are never compared.
fn kin(rule: &Rule) -> (Engine, Stage) {
    (rule.engine, rule.stage)
}

/// The node with its parts in one order, however they were written.
fn canonical(node: &Node) -> Node {
    let sorted = |parts: &[Node]| {
        let mut parts: Vec<Node> = parts.iter().map(canonical).collect();
        parts.sort_unstable();
        parts.dedup();
        parts.into_boxed_slice()
    };
    match node {
        Node::Literal(literal) => Node::Literal(*literal),
        Node::All(parts) => Node::All(sorted(parts)),
        Node::Any(parts) => Node::Any(sorted(parts)),
    }
}
