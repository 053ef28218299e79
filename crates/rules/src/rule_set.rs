//! Rule sets: all packs compiled together, immutable, evaluated in one pass.

use crate::{
    checker,
    definitions::{self, Scope},
    diagnostic::{Code, Diagnostic},
    pack::{Example, OnFault, Pack, ReasonSource, RuleSource, Stage},
    parser::parse,
    program::{Condition, Operand, Source},
    rates::Rates,
    schema::Field,
    slots::{FieldValue, Slots},
    truth::{Fault, Truth},
};
use paywarden_domain::{Currency, Engine, EventKind, Outcome, Warning};
use paywarden_features::{Set, WindowSpec};
use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    ops::Range,
};

/// How many rules a rule set may hold.
pub const RULES_MAX: usize = 10_000;
/// How many rules are evaluated before the budget is asked again.
pub const RULES_PER_BUDGET_CHECK: usize = 32;

/// One compiled rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// `pack.rule`.
    pub id: String,
    /// The pack that it belongs to.
    pub pack: String,
    /// What it looks for.
    pub title: String,
    /// Which engine it belongs to.
    pub engine: Engine,
    /// The condition as written.
    pub when: String,
    /// Points that it adds, 0 to 1000.
    pub score: u16,
    /// What it asks for beyond its points.
    pub action: Option<Outcome>,
    /// How long to hold, in minutes, if the action is `hold`.
    pub hold_minutes: Option<u32>,
    /// Why, for whoever reads the decision.
    pub reason: ReasonSource,
    /// What to tell the payer.
    pub warning: Option<Warning>,
    /// Whether it counts.
    pub stage: Stage,
    /// What a fault or a passed deadline means.
    pub on_fault: OnFault,
    /// Why the rule exists.
    pub source: String,
    /// Typical innocent cases.
    pub false_positives: Option<String>,
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) examples: Vec<Example>,
    pub(crate) operands: Vec<Operand>,
}

/// A question to a list: is the value of this field on it?
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ListProbe {
    /// The field, always a text.
    pub field: Field,
    /// The name of the list.
    pub list: String,
}

/// All rules of an installation. Immutable; share it behind an `Arc`.
#[derive(Debug, Clone)]
pub struct RuleSet {
    version: String,
    rates: Rates,
    rules: Vec<Rule>,
    /// What evaluation reads of each rule, apart from the rest so that it stays in the cache.
    programs: Vec<Program>,
    windows: Vec<WindowSpec>,
    probes: Vec<ListProbe>,
}

#[derive(Debug, Clone)]
struct Program {
    stage: Stage,
    event_kinds: Set<EventKind>,
    condition: Condition,
}

/// What one evaluation found. Numbers are places in [`RuleSet::rules`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hits {
    /// Live rules that fired.
    pub fired: Vec<usize>,
    /// Shadow rules that fired.
    pub shadow: Vec<usize>,
    /// Live and shadow rules that could not be computed.
    pub faults: Vec<(usize, Fault)>,
    /// Rules left out because the budget was spent, those that are off among them.
    pub skipped: Range<usize>,
}

/// Compiles packs into a rule set, or says everything that is wrong with them.
///
/// `version` is recorded in every decision; derive it from [`crate::canonical_source`].
pub fn compile(packs: &[Pack], rates: &Rates, version: &str) -> Result<RuleSet, Vec<Diagnostic>> {
    let mut problems = duplicate_packs(packs);
    let rules_total: usize = packs.iter().map(|pack| pack.rules.len()).sum();
    if rules_total > RULES_MAX {
        let message = format!("a rule set has at most {RULES_MAX} rules");
        problems.push(Diagnostic::new(Code::TooLong, message));
        return Err(problems);
    }
    let (scopes, found) = definitions::scopes(packs, rates);
    problems.extend(found);
    let mut shared = Shared::default();
    let mut rules = Vec::with_capacity(rules_total);
    let mut programs = Vec::with_capacity(rules_total);
    let scoped = packs.iter().zip(&scopes);
    for (pack, scope, rule) in
        scoped.flat_map(|(pack, scope)| pack.rules.iter().map(move |rule| (pack, scope, rule)))
    {
        match compile_rule(pack, rule, rates, scope, &mut shared) {
            Ok((rule, condition)) => {
                let event_kinds = condition.event_kinds();
                programs.push(Program {
                    stage: rule.stage,
                    event_kinds,
                    condition,
                });
                rules.push(rule);
            }
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let Shared {
        mut windows,
        probes,
    } = shared;
    for (rule, program) in rules.iter().zip(&programs) {
        note_readers(rule, program, &mut windows.items);
    }
    Ok(RuleSet {
        version: version.to_owned(),
        rates: rates.clone(),
        rules,
        programs,
        windows: windows.items,
        probes: probes.items,
    })
}

/// A window is read only for the kinds of event for which a rule that names it can fire.
fn note_readers(rule: &Rule, program: &Program, windows: &mut [WindowSpec]) {
    for operand in &rule.operands {
        if let Source::Window(slot) = operand.source
            && let Some(window) = windows.get_mut(slot)
        {
            window.readers = window.readers.union(program.event_kinds);
        }
    }
}

fn duplicate_packs(packs: &[Pack]) -> Vec<Diagnostic> {
    let mut seen = HashSet::new();
    let duplicates = packs.iter().filter(|pack| !seen.insert(&pack.id));
    duplicates
        .map(|pack| {
            let message = format!("a second pack `{}`", pack.id);
            Diagnostic::new(Code::DuplicateId, message).in_file(&pack.file, None)
        })
        .collect()
}

fn compile_rule(
    pack: &Pack,
    rule: &RuleSource,
    rates: &Rates,
    scope: &Scope<'_>,
    shared: &mut Shared,
) -> Result<(Rule, Condition), Vec<Diagnostic>> {
    let id = format!("{}.{}", pack.id, rule.id);
    let compiled = compile_expression(&rule.when, rates, scope, shared).map_err(|problems| {
        let placed = problems
            .into_iter()
            .map(|problem| rule.placed(problem, &pack.file, &id));
        placed.collect::<Vec<_>>()
    })?;
    let rule = Rule {
        pack: pack.id.clone(),
        title: rule.title.clone(),
        engine: rule.engine,
        when: rule.when.clone(),
        score: rule.score,
        action: rule.action,
        hold_minutes: rule.hold_minutes,
        reason: rule.reason.clone(),
        warning: rule.warning.clone(),
        stage: rule.stage,
        on_fault: rule.on_fault,
        source: rule.source.clone(),
        false_positives: rule.false_positives.clone(),
        file: pack.file.clone(),
        line: rule.line,
        examples: rule.examples.clone(),
        operands: compiled.operands,
        id,
    };
    Ok((rule, compiled.condition))
}

fn compile_expression(
    source: &str,
    rates: &Rates,
    scope: &Scope<'_>,
    shared: &mut Shared,
) -> Result<checker::Compiled, Vec<Diagnostic>> {
    let parsed = parse(source);
    if !parsed.problems.is_empty() {
        return Err(parsed.problems);
    }
    let expanded = scope.expand(parsed.expr).map_err(|problem| vec![problem]);
    let compiled = expanded.and_then(|expr| checker::check(&expr, rates, scope, shared));
    compiled.map_err(|problems| {
        problems
            .into_iter()
            .map(|problem| problem.located(source))
            .collect()
    })
}

impl RuleSet {
    /// The version recorded in decisions.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The rates that amounts in rules were converted with.
    pub fn rates(&self) -> &Rates {
        &self.rates
    }

    /// The base currency.
    pub fn base(&self) -> Currency {
        self.rates.base()
    }

    /// The rules, in the order of the packs.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The windows that the rules read. Slot `i` of [`Slots::windows`] is window `i` here.
    pub fn windows(&self) -> &[WindowSpec] {
        &self.windows
    }

    /// The questions to lists. Slot `i` of [`Slots::lists`] is the answer to question `i` here.
    pub fn probes(&self) -> &[ListProbe] {
        &self.probes
    }

    /// The value of one rule's condition, whatever its stage; for audits, which must tell unknown
    /// from false. No such rule: unknown.
    pub fn truth(&self, rule: usize, slots: &Slots<'_>) -> Truth {
        self.programs
            .get(rule)
            .map_or(Truth::Unknown, |rule| rule.condition.truth(slots))
    }

    /// Evaluates the rules of both engines. Every 32 rules it asks `budget` whether to go on.
    pub fn evaluate(&self, slots: &Slots<'_>, mut budget: impl FnMut() -> bool) -> Hits {
        let event_kind = event_kind(slots);
        let mut hits = Hits::default();
        for (chunk, programs) in self.programs.chunks(RULES_PER_BUDGET_CHECK).enumerate() {
            let first = chunk * RULES_PER_BUDGET_CHECK;
            if !budget() {
                hits.skipped = first..self.programs.len();
                break;
            }
            for (place, program) in programs.iter().enumerate() {
                if event_kind.is_none_or(|kind| program.event_kinds.contains(kind)) {
                    program.evaluate(first + place, slots, &mut hits);
                }
            }
        }
        hits
    }
}

fn event_kind(slots: &Slots<'_>) -> Option<EventKind> {
    match slots.get(Field::EventType) {
        FieldValue::Text(word) => EventKind::parse(word),
        _ => None,
    }
}

impl Program {
    fn evaluate(&self, place: usize, slots: &Slots<'_>, hits: &mut Hits) {
        if self.stage == Stage::Off {
            return;
        }
        match (self.condition.truth(slots), self.stage) {
            (Truth::True, Stage::Live) => hits.fired.push(place),
            (Truth::True, _) => hits.shadow.push(place),
            (Truth::Fault(fault), _) => hits.faults.push((place, fault)),
            (Truth::False | Truth::Unknown, _) => {}
        }
    }
}

/// What the rules of a set have in common: each window and each list probe once.
#[derive(Default)]
pub(crate) struct Shared {
    pub windows: Interner<WindowSpec>,
    pub probes: Interner<ListProbe>,
}

/// Gives equal things the same place.
pub(crate) struct Interner<T> {
    pub items: Vec<T>,
    places: HashMap<T, usize>,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            places: HashMap::new(),
        }
    }
}

impl<T: Clone + Eq + Hash> Interner<T> {
    /// The place of an item, a new one if it has none yet.
    pub(crate) fn place(&mut self, item: T) -> usize {
        let items = &mut self.items;
        *self.places.entry(item).or_insert_with_key(|item| {
            items.push(item.clone());
            items.len() - 1
        })
    }
}
