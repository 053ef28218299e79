//! One pack while it is being written: what is wrong with it and where, whether its examples hold,
//! what may stand at the cursor and what stands there. Nothing here is written down.
//!
//! A pack is checked alone, with those whose definitions it uses: that is quick enough to be asked
//! for on each pause of a typist. What only shows beside all other packs is found when it is drafted.

mod report;

pub use report::{
    Assist, CheckedExample, CheckedPack, CheckedRule, Completed, Hovered, PackDraft, PackLine,
    PackProblem, PackRule, RuleEdit,
};

use super::{PackFile, source::Source};
use crate::{Engine, Error, backtest::recent};
use paywarden_domain::{RuleValues, TenantId};
use paywarden_rules::{
    Diagnostic, Pack, Rates, RuleSet, Surroundings, Truth, analyse, compile, complete, hover,
    pack::{with_rule, without_rule, written_rules},
    try_example,
};
use std::sync::Arc;

/// The longest condition that help is given for, in bytes.
const EXPRESSION_BYTES_MAX: usize = 64 * 1024;
/// The most bytes of a pack, as the rules have it.
const TEXT_BYTES_MAX: usize = paywarden_rules::pack::PACK_BYTES_MAX;
/// The most problems that one reply lists.
const PROBLEMS_MAX: usize = 200;
/// The name of a pack that is being written, for messages.
const FILE: &str = "draft";

impl Engine {
    /// The packs of a version that the tenant may see, by identifier.
    pub async fn packs(&self, tenant: &TenantId, version: &str) -> Result<Vec<PackLine>, Error> {
        let source = self.source_of(tenant, version).await?;
        let line = |(file, pack): (&PackFile, &Pack)| PackLine {
            pack: pack.id.clone(),
            title: pack.title.clone(),
            file: file.file.clone(),
            rules: pack.rules.len(),
        };
        let mut lines: Vec<_> = source.files.iter().zip(&source.packs).map(line).collect();
        lines.sort_by(|left, right| left.pack.cmp(&right.pack));
        Ok(lines)
    }

    /// One pack of a version as it was sent. Error: [`Error::PackUnknown`].
    pub async fn pack_file(
        &self,
        tenant: &TenantId,
        version: &str,
        id: &str,
    ) -> Result<PackFile, Error> {
        let source = self.source_of(tenant, version).await?;
        let mut all = source.files.iter().zip(&source.packs);
        let found = all.find(|(_, pack)| pack.id == id);
        let found = found.map(|(file, _)| file.clone());
        found.ok_or_else(|| Error::PackUnknown(id.to_owned()))
    }

    /// Checks a pack that is being written. Errors: [`Error::RuleSetMalformed`] if it is too long,
    /// [`Error::RuleSetUnknown`] if it uses others of a version that is not there.
    pub async fn check_pack(
        &self,
        tenant: &TenantId,
        draft: PackDraft,
    ) -> Result<CheckedPack, Error> {
        limited(&draft.text, TEXT_BYTES_MAX)?;
        let others = self
            .used(tenant, draft.from.as_deref(), &draft.text)
            .await?;
        let check = move |rates: &Rates| Ok(checked(draft, others.as_deref(), rates));
        self.desk.shelf.compile(check).await
    }

    /// What may stand at the cursor, best first, at most 200.
    pub async fn complete_condition(
        &self,
        tenant: &TenantId,
        ask: Assist,
    ) -> Result<Vec<Completed>, Error> {
        let lists = self.lists(tenant);
        self.assisted(tenant, ask, move |ask, around| {
            let names = lists.iter().map(|list| list.name.as_str());
            let found = complete(&ask.expression, ask.cursor, &around.with_lists(names));
            found.into_iter().map(Completed::from).collect()
        })
        .await
    }

    /// What stands at the cursor; none between expressions.
    pub async fn hover_condition(
        &self,
        tenant: &TenantId,
        ask: Assist,
    ) -> Result<Option<Hovered>, Error> {
        self.assisted(tenant, ask, |ask, around| {
            let found = hover(&ask.expression, ask.cursor, &around)?;
            Some(Hovered {
                start: found.span.start,
                end: found.span.end,
                title: found.title,
                doc: found.doc,
            })
        })
        .await
    }

    async fn assisted<T: Send + 'static>(
        &self,
        tenant: &TenantId,
        ask: Assist,
        with: impl for<'a> FnOnce(&'a Assist, Surroundings<'a>) -> T + Send + 'static,
    ) -> Result<T, Error> {
        limited(&ask.expression, EXPRESSION_BYTES_MAX)?;
        let text = ask.text.as_deref().unwrap_or_default();
        limited(text, TEXT_BYTES_MAX)?;
        let others = self.used(tenant, ask.from.as_deref(), text).await?;
        let help = move |rates: &Rates| {
            let pack = ask
                .text
                .as_deref()
                .and_then(|text| Pack::parse(FILE, text).ok());
            let packs = pack.map(|pack| beside(pack, others.as_deref()));
            let around = Surroundings::new(rates);
            Ok(match packs.as_deref() {
                Some([pack, ..]) => {
                    let id = pack.id.clone();
                    with(
                        &ask,
                        around.in_pack(packs.as_deref().unwrap_or_default(), &id),
                    )
                }
                _ => with(&ask, around),
            })
        };
        self.desk.shelf.compile(help).await
    }

    /// The packs of a version, if this one uses any of them.
    async fn used(
        &self,
        tenant: &TenantId,
        from: Option<&str>,
        text: &str,
    ) -> Result<Option<Arc<Source>>, Error> {
        match text.lines().any(|line| line.starts_with("use:")) {
            true => {
                let source = self.source_of(tenant, from.unwrap_or("live"));
                source.await.map(Some)
            }
            false => Ok(None),
        }
    }
}

fn limited(text: &str, bytes_max: usize) -> Result<(), Error> {
    match text.len() <= bytes_max {
        true => Ok(()),
        false => Err(Error::RuleSetMalformed(
            "a pack has at most 1 MiB, a condition 64 KiB",
        )),
    }
}

/// A pack, and behind it those whose definitions it needs, also by way of others.
fn beside(pack: Pack, others: Option<&Source>) -> Vec<Pack> {
    let mut packs = vec![pack];
    let mut place = 0;
    while let Some(uses) = packs.get(place).map(|pack| pack.uses.clone()) {
        let known = others.into_iter().flat_map(|source| &source.packs);
        for other in known.filter(|other| uses.contains(&other.id)) {
            if packs.iter().all(|pack| pack.id != other.id) {
                packs.push(other.clone());
            }
        }
        place += 1;
    }
    packs
}

fn checked(draft: PackDraft, others: Option<&Source>, rates: &Rates) -> CheckedPack {
    let given = draft.change.as_ref();
    let given = given.and_then(|change| change.rule.clone());
    let wanted = draft.rule.clone();
    let wanted = wanted.or_else(|| given.as_ref().map(|rule| rule.id.clone()));
    let mut problems = Vec::new();
    let text = match changed(&draft) {
        Ok(text) => text,
        Err(problem) => {
            problems.push(problem);
            draft.text
        }
    };
    let written = written_rules(&text).unwrap_or_default();
    let mut report = CheckedPack {
        pack: None,
        rules: written.iter().map(PackRule::from).collect(),
        rule: None,
        problems: Vec::new(),
        text,
    };
    let mine = written
        .into_iter()
        .find(|rule| Some(&rule.id) == wanted.as_ref())
        // An example half written takes the pack apart, not the condition above it.
        .or(given);
    report.rule = mine.map(|written| CheckedRule {
        formatted: paywarden_rules::format(&written.when).ok(),
        meaning: None,
        examples: Vec::new(),
        written,
    });
    match Pack::parse(FILE, &report.text) {
        Ok(pack) => {
            let is_written = |id: &str| report.rules.iter().any(|rule| rule.id == id);
            let made = pack.rules.iter().filter(|rule| !is_written(&rule.id));
            let made: Vec<_> = made.map(PackRule::made).collect();
            report.rules.extend(made);
            report.pack = Some(pack.id.clone());
            problems.extend(compiled(beside(pack, others), rates, report.rule.as_mut()));
        }
        Err(found) => {
            problems.extend(found);
            if let Some(asked) = report.rule.as_mut().filter(|_| stands_alone(&report.text)) {
                problems.extend(compiled_alone(asked, rates));
            }
        }
    }
    let problems = problems.iter().take(PROBLEMS_MAX);
    report.problems = problems.map(PackProblem::of).collect();
    report
}

/// Whether conditions of a pack mean what they say without anything around them.
fn stands_alone(text: &str) -> bool {
    let leans = |line: &str| {
        ["use:", "define:", "events:"]
            .iter()
            .any(|key| line.starts_with(key))
    };
    !text.lines().any(leans)
}

/// What is wrong with the condition of a rule whose pack lacks something else: whoever writes a new
/// rule begins with it.
fn compiled_alone(asked: &mut CheckedRule, rates: &Rates) -> Vec<Diagnostic> {
    match recent::compile(&asked.written.when, rates) {
        Ok(_) => {
            asked.meaning = Some(asked.written.when.clone());
            Vec::new()
        }
        Err(found) => {
            let bare = |problem| Diagnostic {
                origin: None,
                ..problem
            };
            found.into_iter().map(bare).collect()
        }
    }
}

fn changed(draft: &PackDraft) -> Result<String, Diagnostic> {
    let Some(change) = &draft.change else {
        return Ok(draft.text.clone());
    };
    match (&change.replaces, &change.rule) {
        (replaces, Some(rule)) => with_rule(&draft.text, replaces.as_deref(), rule),
        (Some(id), None) => without_rule(&draft.text, id),
        (None, None) => Ok(draft.text.clone()),
    }
}

/// What is wrong with a pack, the first one, beside others; fills in what one rule of it does.
fn compiled(packs: Vec<Pack>, rates: &Rates, asked: Option<&mut CheckedRule>) -> Vec<Diagnostic> {
    let rules = match compile(&packs, rates, FILE) {
        Ok(rules) => rules,
        Err(found) => return found,
    };
    let id = packs.first().map_or("", |pack| pack.id.as_str());
    let mut problems = analyse(&rules);
    problems.extend(paywarden_rules::check_examples(&rules));
    let is_ours = |problem: &Diagnostic| {
        let rule = problem
            .origin
            .as_ref()
            .and_then(|origin| origin.rule.as_deref());
        let pack = rule.and_then(|rule| rule.strip_prefix(id));
        rule.is_none() || pack.is_some_and(|rest| rest.starts_with('.'))
    };
    problems.retain(is_ours);
    if let Some(asked) = asked {
        let name = format!("{id}.{}", asked.written.id);
        if let Some(place) = rules.place(&name) {
            tried(&rules, place, asked);
        }
    }
    problems
}

fn tried(rules: &RuleSet, place: usize, asked: &mut CheckedRule) {
    let Some(rule) = rules.rules().get(place) else {
        return;
    };
    asked.meaning = Some(rule.meaning().to_owned());
    let run = |example| match try_example(rules, place, example) {
        Ok((truth, values)) => CheckedExample {
            name: example.name.clone(),
            hit: example.hit,
            holds: match truth {
                Truth::True => example.hit,
                Truth::False | Truth::Unknown => !example.hit,
                Truth::Fault(_) => false,
            },
            truth: Some(truth.name()),
            problem: None,
            values,
        },
        Err(problem) => CheckedExample {
            name: example.name.clone(),
            hit: example.hit,
            holds: false,
            truth: None,
            problem: Some(problem.message),
            values: RuleValues::default(),
        },
    };
    asked.examples = rule.examples().iter().map(run).collect();
}
