//! Every fault of a report, with its place and what to do about it.

mod form;
mod links;
mod text;

use crate::{
    Day, Profile, Report,
    fields::{Field, fields},
    profile::Rule,
    report::{
        ACCOUNTS_MAX, ATTACHMENTS_MAX, INDICATORS_MAX, PARTIES_MAX, STRUCTURE, TRANSACTIONS_MAX,
    },
};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// After so many faults no more are listed.
pub const FAULTS_MAX: usize = 500;

/// A fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FilingFault)]
pub struct Fault {
    /// Where, as a JSON pointer into the report.
    pub path: String,
    /// What is wrong: `missing`, `too_long`, `too_many`, `form`, `code_unknown`, `character`,
    /// `spaces`, `reference`, `duplicate`, `amount`, `date`, `order`, `structure`, `profile`.
    pub code: &'static str,
    /// What to do.
    pub hint: String,
}

/// Every fault of a report under its profile, at most 500, in the order of the report. `today` is
/// the day at the place of the profile: what is reported has happened.
pub fn check(report: &Report, profile: &Profile, today: Day) -> Vec<Fault> {
    let mut faults = Faults::default();
    whole(report, profile, &mut faults);
    let fields = fields(report);
    let rules = by_field(profile);
    for field in &fields {
        text::check(field, profile, &mut faults);
        for rule in rules.get(&*field.name).into_iter().flatten() {
            against(field, rule, (report, profile), &mut faults);
        }
    }
    absent_codes(report, profile, &fields, &mut faults);
    links::check(report, &mut faults);
    links::amounts(report, profile, &mut faults);
    links::days(report, profile, today, &mut faults);
    if let Some(format) = profile.format {
        format.check(report, profile, &mut faults);
    }
    faults.0
}

/// Faults that were found.
#[derive(Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(
        &mut self,
        path: impl Into<String>,
        code: &'static str,
        hint: impl Into<String>,
    ) {
        if self.0.len() < FAULTS_MAX {
            let (path, hint) = (path.into(), hint.into());
            self.0.push(Fault { path, code, hint });
        }
    }
}

fn whole(report: &Report, profile: &Profile, faults: &mut Faults) {
    if report.structure != STRUCTURE {
        faults.add(
            "/structure",
            "structure",
            format!("this program knows structure {STRUCTURE}"),
        );
    }
    if report.profile != profile.name {
        faults.add(
            "/profile",
            "profile",
            format!("it is held against {}", profile.name),
        );
    }
    if report.reference.is_empty() {
        faults.add(
            "/reference",
            "missing",
            "give the report a reference of your own",
        );
    }
    let counts = [
        ("/parties", report.parties.len(), PARTIES_MAX),
        ("/accounts", report.accounts.len(), ACCOUNTS_MAX),
        ("/transactions", report.transactions.len(), TRANSACTIONS_MAX),
        ("/indicators", report.indicators.len(), INDICATORS_MAX),
        ("/attachments", report.attachments.len(), ATTACHMENTS_MAX),
    ];
    for (path, count, most) in counts.into_iter().filter(|(_, count, most)| count > most) {
        faults.add(
            path,
            "too_many",
            format!("{count} are given, at most {most} fit"),
        );
    }
}

fn by_field(profile: &Profile) -> BTreeMap<&str, Vec<&Rule>> {
    let mut rules: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
    for rule in &profile.rules {
        rules.entry(&rule.field).or_default().push(rule);
    }
    rules
}

/// Holds a field against one rule.
fn against(
    field: &Field<'_>,
    rule: &Rule,
    (report, profile): (&Report, &Profile),
    faults: &mut Faults,
) {
    let of_others = rule.of.is_some_and(|of| !field.is_of(of));
    if of_others || rule.duty.is_some_and(|duty| duty != report.duty) {
        return;
    }
    let Some(value) = field.value.as_deref() else {
        if rule.required {
            let hint = format!("{} asks for {}", profile.unit, field.name);
            faults.add(&field.path, "missing", hint);
        }
        return;
    };
    let length = value.chars().count();
    if let Some(most) = rule.max.filter(|most| length > *most) {
        let hint = format!("it has {length} characters, at most {most} fit");
        faults.add(&field.path, "too_long", hint);
    }
    if let Some(hint) = rule.form.and_then(|form| form::fault(form, value)) {
        faults.add(&field.path, "form", hint);
    }
    if let Some(table) = rule
        .codes
        .as_deref()
        .filter(|table| profile.code(table, value).is_none())
    {
        let words: Vec<&str> = profile.words(table).take(40).collect();
        let hint = format!(
            "{} has no code for it; it has {}",
            profile.unit,
            words.join(", ")
        );
        faults.add(&field.path, "code_unknown", hint);
    }
}

/// Codes of the reporting entity that rules ask for and that are not there at all.
fn absent_codes(report: &Report, profile: &Profile, fields: &[Field<'_>], faults: &mut Faults) {
    let wanted = profile.rules.iter().filter(|rule| rule.required);
    let wanted = wanted.filter(|rule| rule.duty.is_none_or(|duty| duty == report.duty));
    for rule in wanted.filter(|rule| rule.field.starts_with("entity.code.")) {
        if !fields.iter().any(|field| field.name == rule.field) {
            let code = rule.field.trim_start_matches("entity.code.");
            let hint = format!(
                "{} asks for the code {code} of whoever reports",
                profile.unit
            );
            faults.add(format!("/reporting_entity/codes/{code}"), "missing", hint);
        }
    }
}
