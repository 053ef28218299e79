//! Rule sets: all packs compiled together, immutable, evaluated in one pass.

use crate::{
    analysis,
    checker::{self, Compiled},
    columns::Columns,
    definitions::{self, Scope},
    diagnostic::{Code, Diagnostic},
    index::{Estimates, Index},
    normal::Normal,
    pack::{Example, OnFault, Pack, ReasonSource, RuleSource, Stage},
    parser::parse,
    program::{Condition, Source, Text},
    rates::Rates,
    reads::{Operand, Reads},
    schema::Schema,
    shared::Shared,
    slots::Slots,
    syntax::Expr,
    truth::{Fault, Truth},
};
use paywarden_domain::{Currency, Engine, Outcome, Warning};
use paywarden_features::WindowSpec;
use std::{
    borrow::Cow,
    collections::HashSet,
    hash::{Hash, Hasher},
    sync::Arc,
};

/// How many rules a rule set may hold.
pub const RULES_MAX: usize = 50_000;
/// How many candidates are evaluated before the budget is asked again.
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
    /// The same in Chinese, if its pack says it.
    pub title_zh: Option<String>,
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
    /// Steps that the condition takes at most.
    pub(crate) cost: u32,
    /// The condition with its names replaced, if it may have any.
    pub(crate) meaning: Option<String>,
}

/// What a rule is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleTitle {
    /// What it looks for.
    pub title: String,
    /// The same in Chinese, if its pack says it.
    pub title_zh: Option<String>,
}

/// A question to a list: is this text on it?
#[derive(Debug, Clone, PartialEq)]
pub struct ListProbe {
    /// What is looked up, as written.
    pub operand: String,
    /// The name of the list.
    pub list: String,
    pub(crate) text: Text,
}

impl ListProbe {
    /// The text to look up; none if it is missing or cannot be made. It depends on the event
    /// alone, never on windows or on other lists.
    pub fn value<'s>(&'s self, slots: &Slots<'s>) -> Option<Cow<'s, str>> {
        self.text.value(slots).ok()
    }
}

// The only numbers in it are constants, and a constant is never NaN.
impl Eq for ListProbe {}

impl Hash for ListProbe {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.operand, &self.list).hash(state);
    }
}

/// All rules of an installation. Immutable and cheap to clone.
#[derive(Debug, Clone)]
pub struct RuleSet {
    body: Arc<Body>,
    pub(crate) index: Arc<Index>,
}

/// What does not depend on the selectivity of conditions.
#[derive(Debug)]
struct Body {
    schema: &'static Schema,
    version: String,
    rates: Rates,
    rules: Vec<Rule>,
    /// Places of the rules in the order of their identifiers.
    by_id: Box<[usize]>,
    /// Whether each rule counts, close together: a decision asks for those that fired.
    stages: Box<[Stage]>,
    reads: Reads,
    /// The rules' conditions as trees, for explanations, audits and faults.
    conditions: Vec<Condition>,
    normal: Arc<Normal>,
    windows: Vec<WindowSpec>,
    probes: Vec<ListProbe>,
}

/// What one evaluation found. Numbers are places in [`RuleSet::rules`], in ascending order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hits {
    /// Live rules that fired.
    pub fired: Vec<usize>,
    /// Shadow rules that fired.
    pub shadow: Vec<usize>,
    /// Live and shadow rules that could not be computed.
    pub faults: Vec<(usize, Fault)>,
    /// Live and shadow rules that might have fired but were left out because the budget was spent.
    pub skipped: Vec<usize>,
    /// How many times a rule was looked at, of which the index could not tell that it is silent.
    pub candidates: usize,
}

impl Hits {
    pub(crate) fn clear(&mut self) {
        self.fired.clear();
        self.shadow.clear();
        self.faults.clear();
        self.skipped.clear();
        self.candidates = 0;
    }
}

/// Compiles packs into a rule set, or says everything that is wrong with them.
///
/// `version` is recorded in every decision; derive it from [`crate::canonical_source`].
pub fn compile(packs: &[Pack], rates: &Rates, version: &str) -> Result<RuleSet, Vec<Diagnostic>> {
    compile_with(packs, rates, version, Shared::default())
}

/// Compiles packs into a rule set that is evaluated on the same slots as another one: its windows
/// and probes begin with those of `live`, place by place, so that slots filled for it serve both.
///
/// A window that both read is read for the events of both.
pub fn compile_beside(
    packs: &[Pack],
    rates: &Rates,
    version: &str,
    live: &RuleSet,
) -> Result<RuleSet, Vec<Diagnostic>> {
    compile_with(packs, rates, version, Shared::of(live))
}

fn compile_with(
    packs: &[Pack],
    rates: &Rates,
    version: &str,
    mut shared: Shared,
) -> Result<RuleSet, Vec<Diagnostic>> {
    let schema = packs
        .first()
        .map_or(<&Schema>::default(), |pack| pack.schema);
    let mut problems = duplicate_packs(packs);
    problems.extend(mixed_packs(packs, schema));
    let rules_total: usize = packs.iter().map(|pack| pack.rules.len()).sum();
    if rules_total > RULES_MAX {
        let message = format!("a rule set has at most {RULES_MAX} rules");
        problems.push(Diagnostic::new(Code::TooLong, message));
        return Err(problems);
    }
    let (scopes, found) = definitions::scopes(packs, rates);
    problems.extend(found);
    let mut rules = Vec::with_capacity(rules_total);
    let mut conditions = Vec::with_capacity(rules_total);
    let mut reads = Vec::with_capacity(rules_total);
    let scoped = packs.iter().zip(&scopes);
    for (pack, scope, rule) in
        scoped.flat_map(|(pack, scope)| pack.rules.iter().map(move |rule| (pack, scope, rule)))
    {
        match compile_rule(pack, rule, rates, scope, &mut shared) {
            Ok((rule, compiled)) => {
                shared.note_readers(&compiled);
                conditions.push(compiled.condition);
                reads.push(compiled.reads);
                rules.push(rule);
            }
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut by_id: Box<[usize]> = (0..rules.len()).collect();
    by_id.sort_unstable_by_key(|place| &rules[*place].id);
    let body = Body {
        schema,
        version: version.to_owned(),
        rates: rates.clone(),
        normal: Arc::new(Normal::of(&conditions)),
        windows: shared.windows_with_readers(),
        probes: shared.probes.items,
        reads: Reads::new(shared.operands.items, &reads),
        stages: rules.iter().map(|rule| rule.stage).collect(),
        rules,
        by_id,
        conditions,
    };
    Ok(RuleSet::indexed(Arc::new(body), None))
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

/// One set is evaluated on one kind of event.
fn mixed_packs(packs: &[Pack], schema: &Schema) -> Vec<Diagnostic> {
    let others = packs.iter().filter(|pack| pack.schema != schema);
    others
        .map(|pack| {
            let message = format!(
                "pack `{}` is about {}, others are about {}",
                pack.id, pack.schema.name, schema.name
            );
            Diagnostic::new(Code::PackMalformed, message).in_file(&pack.file, None)
        })
        .collect()
}

fn compile_rule(
    pack: &Pack,
    rule: &RuleSource,
    rates: &Rates,
    scope: &Scope<'_>,
    shared: &mut Shared,
) -> Result<(Rule, Compiled), Vec<Diagnostic>> {
    let id = format!("{}.{}", pack.id, rule.id);
    let (compiled, meaning) =
        compile_expression(&rule.when, rates, scope, shared).map_err(|problems| {
            let placed = problems
                .into_iter()
                .map(|problem| rule.placed(problem, &pack.file, &id));
            placed.collect::<Vec<_>>()
        })?;
    let foreign = |operand: &&Operand| {
        !pack.schema.is_of_payments
            && matches!(operand.source, Source::Listed(_) | Source::Attribute(..))
    };
    if let Some(operand) = shared.operands_at(&compiled.reads).find(foreign) {
        let message = format!("{} have no `{}`", pack.schema.name, operand.text);
        let problem = Diagnostic::new(Code::UnknownField, message);
        return Err(vec![rule.placed(problem, &pack.file, &id)]);
    }
    let rule = Rule {
        pack: pack.id.clone(),
        title: rule.title.clone(),
        title_zh: rule.title_zh.clone(),
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
        cost: analysis::cost(&meaning),
        meaning: (!scope.is_empty()).then(|| meaning.to_string()),
        id,
    };
    Ok((rule, compiled))
}

fn compile_expression(
    source: &str,
    rates: &Rates,
    scope: &Scope<'_>,
    shared: &mut Shared,
) -> Result<(Compiled, Expr), Vec<Diagnostic>> {
    let parsed = parse(source);
    if !parsed.problems.is_empty() {
        return Err(parsed.problems);
    }
    let expanded = scope.expand(parsed.expr).map_err(|problem| vec![problem]);
    let compiled = expanded.and_then(|expr| {
        let compiled = checker::check(&expr, rates, scope, shared)?;
        Ok((compiled, expr))
    });
    compiled.map_err(|problems| {
        problems
            .into_iter()
            .map(|problem| problem.located(source))
            .collect()
    })
}

impl RuleSet {
    fn indexed(body: Arc<Body>, sample: Option<&mut Columns>) -> Self {
        let normal = &body.normal;
        let estimates = match sample {
            Some(sample) => Estimates::sampled(normal, sample),
            None => Estimates::guessed(normal),
        };
        let is_on = |rule: usize| body.rules[rule].stage != Stage::Off;
        let index = Arc::new(Index::new(normal, &estimates, is_on));
        Self { body, index }
    }

    /// The same rules with an index for the payments of a sample, which must have been collected
    /// by [`RuleSet::columns`] of this set or one that it was resampled from; any other sample is
    /// as good as none. What is found stays the same, only how fast changes.
    pub fn resampled(&self, sample: &mut Columns) -> Self {
        let own = sample.is_of(&self.body.normal);
        Self::indexed(Arc::clone(&self.body), own.then_some(sample))
    }

    /// Room for a block of at most `rows` payments, at most [`crate::BLOCK_ROWS`].
    pub fn columns(&self, rows: usize) -> Columns {
        Columns::new(Arc::clone(&self.body.normal), rows)
    }

    /// What its rules read.
    pub fn schema(&self) -> &'static Schema {
        self.body.schema
    }

    /// The version recorded in decisions.
    pub fn version(&self) -> &str {
        &self.body.version
    }

    /// The rates that amounts in rules were converted with.
    pub fn rates(&self) -> &Rates {
        &self.body.rates
    }

    /// The base currency.
    pub fn base(&self) -> Currency {
        self.body.rates.base()
    }

    /// The rules, in the order of the packs.
    pub fn rules(&self) -> &[Rule] {
        &self.body.rules
    }

    /// The place of a rule among [`RuleSet::rules`], by its identifier.
    pub fn place(&self, id: &str) -> Option<usize> {
        let Body { rules, by_id, .. } = &*self.body;
        let found = by_id.binary_search_by(|place| rules[*place].id.as_str().cmp(id));
        found.ok().and_then(|found| by_id.get(found).copied())
    }

    /// What a rule is called, by its identifier.
    pub fn title(&self, id: &str) -> Option<RuleTitle> {
        let rule = self.rules().get(self.place(id)?)?;
        Some(RuleTitle {
            title: rule.title.clone(),
            title_zh: rule.title_zh.clone(),
        })
    }

    /// The windows that the rules read. Slot `i` of [`Slots::windows`] is window `i` here.
    pub fn windows(&self) -> &[WindowSpec] {
        &self.body.windows
    }

    /// The questions to lists. Slot `i` of [`Slots::lists`] is the answer to question `i` here.
    pub fn probes(&self) -> &[ListProbe] {
        &self.body.probes
    }

    /// The value of one rule's condition, whatever its stage; for audits, which must tell unknown
    /// from false. No such rule: unknown.
    pub fn truth(&self, rule: usize, slots: &Slots<'_>) -> Truth {
        let condition = self.body.conditions.get(rule);
        condition.map_or(Truth::Unknown, |condition| condition.truth(slots))
    }

    /// Bytes of the index: what evaluation may touch beside the slots.
    pub fn index_bytes(&self) -> usize {
        self.index.bytes()
    }

    /// The rules' conditions as trees.
    pub(crate) fn conditions(&self) -> &[Condition] {
        &self.body.conditions
    }

    /// What a rule reads, in source order; nothing if there is no such rule.
    pub(crate) fn operands(&self, rule: usize) -> impl Iterator<Item = (&str, &Source)> {
        let Reads { operands, sources } = self.reads();
        let places = operands.of(rule).iter();
        places.filter_map(|place| Some((operands.text(*place)?, sources.get(*place as usize)?)))
    }

    pub(crate) fn reads(&self) -> &Reads {
        &self.body.reads
    }

    pub(crate) fn stages(&self) -> &[Stage] {
        &self.body.stages
    }

    pub(crate) fn normal(&self) -> &Arc<Normal> {
        &self.body.normal
    }
}
