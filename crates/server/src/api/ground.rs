//! Looks at decisions, lists and persons: each serves a purpose, is decided by the privacy policy, and says
//! on what ground in the trail.

use super::{Call, query::Query};
use crate::edge::Problem;
use paywarden_privacy::{
    By, Error,
    policy::{Data, Denial, FRAUD_PREVENTION, Ground},
};
use std::collections::BTreeSet;

/// The parameter that states the purpose.
pub(crate) const PURPOSE: &str = "purpose";
/// What is kept of a person is looked at for, where nothing else is said.
const SUBJECT_REQUEST: &str = "subject_request";
/// What alerts and cases about laundering are worked on for.
const AML_COMPLIANCE: &str = "aml_compliance";
/// The longest line of grounds, in bytes.
const LINE_BYTES_MAX: usize = 256;

/// The ground on which somebody looks at something of a data set that is about this person, or
/// about nobody in particular.
pub(crate) async fn ground(
    call: &Call,
    query: &Query<'_>,
    set: &str,
    person: Option<&str>,
) -> Result<String, Problem> {
    let by = by(call, query, FRAUD_PREVENTION);
    let ground = call.state.vault.may(&by, data(set), person).await?;
    Ok(ground.to_string())
}

/// The same of what is kept of a person, what they said and what was done with it; or of what persons
/// asked for, whoever they are.
pub(crate) async fn of_person(
    call: &Call,
    query: &Query<'_>,
    person: Option<&str>,
) -> Result<String, Problem> {
    let by = by(call, query, SUBJECT_REQUEST);
    let ground = call.state.vault.may(&by, data("vault"), person).await?;
    Ok(ground.to_string())
}

/// Keeps of rows about persons those that may be shown; the line of their grounds, and how many were
/// withheld. A purpose that serves nobody's rows is refused as a whole.
pub(crate) async fn shown<T>(
    call: &Call,
    query: &Query<'_>,
    set: &str,
    (rows, persons): (Vec<T>, &[Option<String>]),
) -> Result<(Vec<T>, String, usize), Problem> {
    let (vault, by) = (&call.state.vault, by(call, query, FRAUD_PREVENTION));
    let judged = vault.may(&by, data(set), None).await;
    match judged {
        Err(Error::Denied(denial)) if depends_on_persons(&denial) => {}
        other => drop(other?),
    }
    let judged = vault.may_each(&by, data(set), persons).await?;
    let count = rows.len();
    let allowed = rows.into_iter().zip(judged);
    let allowed: Vec<(T, Ground)> = allowed
        .filter_map(|(row, judged)| Some((row, judged.ok()?)))
        .collect();
    let line = line(&by.purpose, allowed.iter().map(|(_, ground)| ground));
    let withheld = count - allowed.len();
    let rows = allowed.into_iter().map(|(row, _)| row).collect();
    Ok((rows, line, withheld))
}

/// The grounds on which alerts and cases are worked on: against laundering and against fraud, as far
/// as the policy knows of either.
pub(crate) async fn of_work(call: &Call) -> Result<String, Problem> {
    let (vault, who) = (&call.state.vault, call.who());
    let mut grounds = Vec::new();
    let mut refused = None;
    for purpose in [AML_COMPLIANCE, FRAUD_PREVENTION] {
        let by = By::new(who.tenant.clone(), who.actor.clone(), purpose);
        match vault.may(&by, data("decisions"), None).await {
            Ok(ground) => grounds.push(ground),
            Err(error) => refused = Some(error),
        }
    }
    match refused {
        Some(error) if grounds.is_empty() => Err(error.into()),
        _ => Ok(line("alerts and cases", grounds.iter())),
    }
}

fn by(call: &Call, query: &Query<'_>, usual: &str) -> By {
    let who = call.who();
    let purpose = query.find(PURPOSE).unwrap_or(usual);
    By::new(who.tenant, who.actor, purpose)
}

fn data(set: &str) -> Data<'_> {
    Data {
        set,
        collection: "view",
        field: "row",
    }
}

/// Whether another person may stand otherwise.
fn depends_on_persons(denial: &Denial) -> bool {
    match denial {
        Denial::PurposeUnknown | Denial::PurposeNotForData(_) => false,
        Denial::PurposeNotNotified(_)
        | Denial::LawfulBasisMissing(_)
        | Denial::ConsentMissing
        | Denial::ConsentWithdrawn
        | Denial::ConsentExpired
        | Denial::ConsentOutdated
        | Denial::SubjectObjected
        | Denial::SubjectRestricted
        | Denial::PurposeForbidden(_) => true,
    }
}

fn line<'g>(purpose: &str, grounds: impl Iterator<Item = &'g Ground>) -> String {
    let distinct: BTreeSet<String> = grounds.map(ToString::to_string).collect();
    let count = distinct.len();
    let line = distinct.into_iter().collect::<Vec<_>>().join("; ");
    match (1..=LINE_BYTES_MAX).contains(&line.len()) {
        true => line,
        false => format!("{purpose}: {count} grounds"),
    }
}
