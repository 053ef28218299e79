//! Whether the parts of a report fit together: identifiers, amounts, days.

use super::Faults;
use crate::{
    Day, Profile, Report, rates,
    report::{Side, Transaction, Who},
};
use std::collections::BTreeSet;

/// Identifiers that are given twice or that nothing has.
pub(super) fn check(report: &Report, faults: &mut Faults) {
    let parties = unique(faults, "/parties", report.parties.iter().map(|one| &one.id));
    let accounts = unique(
        faults,
        "/accounts",
        report.accounts.iter().map(|one| &one.id),
    );
    unique(
        faults,
        "/transactions",
        report.transactions.iter().map(|one| &one.number),
    );
    unique(faults, "/indicators", report.indicators.iter());
    for (path, id) in named_parties(report) {
        must_be(faults, &parties, id, path, "party");
    }
    for (path, id) in named_accounts(report) {
        must_be(faults, &accounts, id, path, "account");
    }
    for (path, id) in directors(report) {
        let is_company = report
            .party(id)
            .is_some_and(|one| matches!(one.who, Who::Company(_)));
        if is_company {
            faults.add(path, "reference", "a director is a person");
        }
    }
    for (place, transaction) in report.transactions.iter().enumerate() {
        ends(place, transaction, faults);
    }
    for (place, attachment) in report.attachments.iter().enumerate() {
        let digest = &attachment.sha256;
        let right = digest.len() == 64
            && digest
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if !right {
            let path = format!("/attachments/{place}/sha256");
            faults.add(path, "form", "write SHA-256 as 64 small hexadecimal digits");
        }
    }
}

fn must_be(faults: &mut Faults, ids: &BTreeSet<&str>, id: &str, path: String, what: &str) {
    if !ids.contains(id) {
        faults.add(
            path,
            "reference",
            format!("no {what} of this report has this id"),
        );
    }
}

type Named<'r> = (String, &'r str);

/// Wherever a party is named.
fn named_parties(report: &Report) -> impl Iterator<Item = Named<'_>> {
    let holders = report
        .accounts
        .iter()
        .enumerate()
        .flat_map(|(place, account)| {
            let holders = account.holders.iter().enumerate();
            holders.map(move |(holder, id)| {
                (format!("/accounts/{place}/holders/{holder}"), id.as_str())
            })
        });
    let sides = sides(report)
        .filter_map(|(base, side)| Some((format!("{base}/party"), side.party.as_deref()?)));
    holders.chain(directors(report)).chain(sides)
}

fn named_accounts(report: &Report) -> impl Iterator<Item = Named<'_>> {
    sides(report)
        .filter_map(|(base, side)| Some((format!("{base}/account"), side.account.as_deref()?)))
}

fn directors(report: &Report) -> impl Iterator<Item = Named<'_>> {
    report
        .parties
        .iter()
        .enumerate()
        .flat_map(|(place, party)| {
            let directors: &[String] = match &party.who {
                Who::Company(company) => &company.directors,
                Who::Person(_) => &[],
            };
            let base = format!("/parties/{place}/who/company/directors");
            directors
                .iter()
                .enumerate()
                .map(move |(director, id)| (format!("{base}/{director}"), id.as_str()))
        })
}

fn sides(report: &Report) -> impl Iterator<Item = (String, &Side)> {
    report
        .transactions
        .iter()
        .enumerate()
        .flat_map(|(place, transaction)| {
            let ends = [("from", &transaction.from), ("to", &transaction.to)];
            ends.map(|(end, side)| (format!("/transactions/{place}/{end}"), side))
        })
}

/// Both ends of a transaction are known, and are not the same.
fn ends(place: usize, transaction: &Transaction, faults: &mut Faults) {
    let is_named = |side: &Side| side.account.is_some() || side.party.is_some();
    for (end, side) in [("from", &transaction.from), ("to", &transaction.to)] {
        if !is_named(side) {
            let path = format!("/transactions/{place}/{end}");
            faults.add(
                path,
                "missing",
                "name an account or a party; a party whose facts are not known may be empty",
            );
        }
    }
    let same =
        transaction.from.account.is_some() && transaction.from.account == transaction.to.account;
    if same {
        let path = format!("/transactions/{place}/to/account");
        faults.add(
            path,
            "duplicate",
            "the money goes back to where it came from: give the other account",
        );
    }
}

/// Amounts that are zero, in the wrong currency or without the means to sum them.
pub(super) fn amounts(report: &Report, profile: &Profile, faults: &mut Faults) {
    let currency = profile.currency;
    for (place, transaction) in report.transactions.iter().enumerate() {
        let base = format!("/transactions/{place}");
        if transaction.amount.minor == 0 {
            faults.add(format!("{base}/amount"), "amount", "nothing moved");
        }
        let foreign = transaction.amount.currency != currency;
        match transaction.local {
            None if foreign => {
                let hint = format!("give the amount in {currency}, too: sums are in it");
                faults.add(format!("{base}/local"), "missing", hint);
            }
            Some(local) if local.currency != currency => {
                faults.add(
                    format!("{base}/local"),
                    "amount",
                    format!("sums are in {currency}"),
                );
            }
            Some(local) if !foreign && local != transaction.amount => {
                faults.add(
                    format!("{base}/local"),
                    "amount",
                    "it differs from the amount in the same currency",
                );
            }
            _ => {}
        }
        match transaction.rate.as_deref() {
            Some(rate) if rates::parse(rate).is_none() => {
                let hint = "write a rate as a decimal above zero with at most nine decimals";
                faults.add(format!("{base}/rate"), "form", hint);
            }
            None if foreign => {
                faults.add(
                    format!("{base}/rate"),
                    "missing",
                    "give the rate it was converted at",
                );
            }
            _ => {}
        }
    }
}

/// Days that have not come yet or are in the wrong order.
pub(super) fn days(report: &Report, profile: &Profile, today: Day, faults: &mut Faults) {
    let day = |moment| Day::of(moment, profile.utc_offset_hours);
    let future = "it has not come yet";
    if day(report.detected_at) > today {
        faults.add("/detected_at", "date", future);
    }
    for (place, transaction) in report.transactions.iter().enumerate() {
        if day(transaction.at) > today {
            faults.add(format!("/transactions/{place}/at"), "date", future);
        }
    }
    let moments = report.transactions.windows(2).enumerate();
    if let Some((place, _)) = moments
        .into_iter()
        .find(|(_, pair)| pair[0].at > pair[1].at)
    {
        let path = format!("/transactions/{}/at", place + 1);
        faults.add(path, "order", "list transactions oldest first");
    }
    for (place, party) in report.parties.iter().enumerate() {
        let (member, since) = match &party.who {
            Who::Person(person) => ("person/birth_date", person.birth_date),
            Who::Company(company) => ("company/incorporated_on", company.incorporated_on),
        };
        if since.is_some_and(|since| since > today) {
            faults.add(format!("/parties/{place}/who/{member}"), "date", future);
        }
    }
    for (place, account) in report.accounts.iter().enumerate() {
        let wrong =
            matches!((account.opened_on, account.closed_on), (Some(from), Some(to)) if from > to);
        if wrong || account.closed_on.is_some_and(|day| day > today) {
            let path = format!("/accounts/{place}/closed_on");
            faults.add(
                path,
                "date",
                "it is closed after it was opened, and not in the future",
            );
        }
    }
}

fn unique<'r>(
    faults: &mut Faults,
    base: &str,
    ids: impl Iterator<Item = &'r String>,
) -> BTreeSet<&'r str> {
    let mut seen = BTreeSet::new();
    for (place, id) in ids.enumerate() {
        if id.is_empty() {
            faults.add(format!("{base}/{place}"), "missing", "it is empty");
        } else if !seen.insert(id.as_str()) {
            faults.add(
                format!("{base}/{place}"),
                "duplicate",
                "an earlier one is the same",
            );
        }
    }
    seen
}
