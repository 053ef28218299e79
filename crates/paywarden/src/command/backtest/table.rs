//! The report of a back-test for people.

use crate::{
    summary::thousands,
    tally::{major, percent},
};
use paywarden_domain::Timestamp;
use paywarden_risk::backtest::{Change, Day, Effect, Report, RuleEffect};

/// Rules listed in full; the rest is counted.
const RULES_MAX: usize = 40;
/// Names of dead or shadowed rules on the terminal.
const NAMES_MAX: usize = 12;
/// Days listed one by one; a longer span is shown by weeks.
const DAYS_MAX: usize = 31;
const WEEK: usize = 7;

/// The report as text.
pub(super) fn of(report: &Report) -> String {
    let mut text = head(report);
    text += &rules(report);
    text += &names("never fired", &report.dead);
    text += &names("never made a difference", &report.shadowed);
    text += &changes(report);
    text + &days(report)
}

fn head(report: &Report) -> String {
    let all = &report.payments;
    let against = match &report.against {
        Some(version) => format!("rules {version}"),
        None => "the outcomes answered".to_owned(),
    };
    let mut text = format!(
        "rules         {}, compared with {against}\n\
         payments      {}, {} fraud ({} {}), {} genuine, {} presumed genuine, {} too young to say\n\
         labels        as of {}, complete after {} days\n\n\
         {:<22} {:>12} {:>12}\n",
        report.rule_set,
        thousands(all.payments),
        thousands(all.fraud),
        major(all.fraud_amount_minor.into(), report.decimals),
        report.currency,
        thousands(all.genuine),
        thousands(all.presumed_genuine),
        thousands(all.immature),
        report.as_of,
        report.label_delay_days,
        "",
        "tested",
        "before",
    );
    let (tested, before) = (&report.stopped, &report.stopped_before);
    let good = |effect: &Effect| {
        let more = if effect.good_customers_at_least {
            "+"
        } else {
            ""
        };
        thousands(effect.good_customers) + more
    };
    let count = |effect: &Effect| thousands(effect.payments);
    let lines = [
        ("payments stopped", count(tested), count(before)),
        ("of all payments", share(tested.rate), share(before.rate)),
        ("right", share(tested.precision), share(before.precision)),
        ("fraud stopped", share(tested.recall), share(before.recall)),
        (
            "fraud amount stopped",
            share(tested.amount_recall),
            share(before.amount_recall),
        ),
        ("good customers hit", good(tested), good(before)),
    ];
    for (name, tested, before) in lines {
        text += &format!("{name:<22} {tested:>12} {before:>12}\n");
    }
    if report.windows_cut > 0 {
        text += &format!(
            "windows reached beyond what is kept for {} payments: raise window_events_max\n",
            thousands(report.windows_cut)
        );
    }
    text
}

fn rules(report: &Report) -> String {
    let fired: Vec<_> = report
        .rules
        .iter()
        .filter(|rule| rule.fired.payments > 0)
        .collect();
    if fired.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "\n{:<44} {:>9} {:>7} {:>9} {:>8} {:>8} {:>9} {:>9} {:>9}\n",
        "rule",
        "fired",
        "fraud",
        "genuine",
        "right",
        "recall",
        "customers",
        "decisive",
        "only here"
    );
    for rule in fired.iter().take(RULES_MAX) {
        text += &rule_line(rule);
    }
    match fired.len().saturating_sub(RULES_MAX) {
        0 => text,
        more => text + &format!("… and {more} more rules: --json has them all\n"),
    }
}

fn rule_line(rule: &RuleEffect) -> String {
    let fired = &rule.fired;
    let name = match rule.stage.as_ref() {
        "live" => rule.rule.clone(),
        stage => format!("{} ({stage})", rule.rule),
    };
    let mut line = format!(
        "{name:<44} {:>9} {:>7} {:>9} {:>8} {:>8} {:>9} {:>9} {:>9}\n",
        fired.payments,
        fired.fraud,
        fired.genuine + fired.presumed_genuine,
        share(fired.precision),
        share(fired.recall),
        fired.good_customers,
        rule.decisive,
        rule.fraud_stopped_only_here,
    );
    if let Some(overlap) = rule.overlaps.first() {
        let share = percent(overlap.share, 1.0);
        line += &format!("    with {} in {share}\n", overlap.rule);
    }
    if rule.faults > 0 {
        line += &format!("    not computable for {}\n", thousands(rule.faults));
    }
    line
}

fn names(what: &str, rules: &[String]) -> String {
    if rules.is_empty() {
        return String::new();
    }
    let named: Vec<&str> = rules.iter().take(NAMES_MAX).map(String::as_str).collect();
    let more = match rules.len().saturating_sub(NAMES_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("\n{what} ({}): {}{more}\n", rules.len(), named.join(", "))
}

fn changes(report: &Report) -> String {
    let mut text = format!(
        "\n{:<46} {:>9} {:>7} {:>18}\n",
        "outcome before and after", "payments", "fraud", report.currency
    );
    for change in &report.changes {
        text += &change_line(change, report.decimals);
    }
    text
}

fn change_line(change: &Change, decimals: u8) -> String {
    let arrow = match change.after.cmp(&change.before) {
        std::cmp::Ordering::Equal => "= as before",
        std::cmp::Ordering::Greater => "stricter",
        std::cmp::Ordering::Less => "milder",
    };
    let name = match change.before == change.after {
        true => format!("{} {arrow}", change.before),
        false => format!("{} -> {} {arrow}", change.before, change.after),
    };
    let mut line = format!(
        "{name:<46} {:>9} {:>7} {:>18}\n",
        change.payments,
        change.fraud,
        major(change.amount_minor.into(), decimals)
    );
    if !change.samples.is_empty() {
        let samples: Vec<String> = change.samples.iter().map(ToString::to_string).collect();
        line += &format!("    such as {}\n", samples.join(", "));
    }
    line
}

fn days(report: &Report) -> String {
    let (step, unit) = match report.days.len() {
        0..=DAYS_MAX => (1, "day"),
        _ => (WEEK, "seven days from"),
    };
    let mut text = format!(
        "\n{unit:<16} {:>9} {:>9} {:>9} {:>7} {:>7} {:>18}\n",
        "payments", "stopped", "before", "fraud", "caught", "amount caught"
    );
    for days in report.days.chunks(step) {
        text += &days_line(days, report.decimals);
    }
    text
}

fn days_line(days: &[Day], decimals: u8) -> String {
    let sum = |of: fn(&Day) -> u64| days.iter().map(of).sum::<u64>();
    let caught: i128 = days
        .iter()
        .map(|day| i128::from(day.fraud_amount_stopped_minor))
        .sum();
    format!(
        "{:<16} {:>9} {:>9} {:>9} {:>7} {:>7} {:>18}\n",
        days.first().map_or_else(String::new, |day| date(day.day)),
        sum(|day| day.payments),
        sum(|day| day.stopped),
        sum(|day| day.stopped_before),
        sum(|day| day.fraud),
        sum(|day| day.fraud_stopped),
        major(caught, decimals)
    )
}

fn date(time: Timestamp) -> String {
    let time = time.to_string();
    time.split_once('T')
        .map_or(time.clone(), |(date, _)| date.to_owned())
}

fn share(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| percent(share, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_domain::{Engine, Outcome, PaymentId, time::DAY};
    use paywarden_risk::backtest::Overlap;

    fn effect(payments: u64, fraud: u64) -> Effect {
        Effect {
            payments,
            fraud,
            genuine: 1,
            presumed_genuine: payments - fraud - 1,
            amount_minor: 100_000,
            fraud_amount_minor: 12_345,
            good_customers: 7,
            rate: Some(0.01),
            precision: Some(0.25),
            recall: Some(0.5),
            amount_recall: None,
            ..Effect::default()
        }
    }

    fn rule(name: &str, fired: Effect) -> RuleEffect {
        RuleEffect {
            rule: name.to_owned(),
            engine: Engine::Fraud,
            stage: if name.ends_with("trial") {
                "shadow".into()
            } else {
                "live".into()
            },
            fired,
            alone: 3,
            decisive: 4,
            fraud_stopped_only_here: 1,
            faults: u64::from(name.ends_with("trial")),
            overlaps: vec![Overlap {
                rule: "card.other".to_owned(),
                share: 0.6,
            }],
        }
    }

    #[test]
    fn a_report_reads_well() {
        let change = |before, after, samples: &[&str]| Change {
            before,
            after,
            payments: 12,
            fraud: 2,
            amount_minor: 9_999,
            samples: samples
                .iter()
                .map(|id| PaymentId::parse(id).unwrap())
                .collect(),
        };
        let day = |number: i64| Day {
            day: Timestamp::from_micros(20_000 * DAY + number * DAY),
            payments: 100,
            stopped: 3,
            stopped_before: 2,
            fraud: 2,
            fraud_stopped: 1,
            fraud_amount_minor: 500,
            fraud_amount_stopped_minor: 250,
        };
        let mut report = Report {
            rule_set: "0123456789abcdef".to_owned(),
            against: None,
            from: Timestamp::from_micros(20_000 * DAY),
            to: Timestamp::from_micros(20_002 * DAY),
            as_of: Timestamp::from_micros(20_040 * DAY),
            label_delay_days: 45,
            currency: "USD".to_owned(),
            decimals: 2,
            payments: effect(12_000, 20),
            stopped: effect(120, 10),
            stopped_before: Effect::default(),
            rules: vec![
                rule("card.burst", effect(40, 9)),
                rule("card.trial", effect(4, 1)),
            ],
            dead: vec!["card.dead".to_owned()],
            shadowed: (0..14).map(|n| format!("card.shadowed_{n}")).collect(),
            days: (0..2).map(day).collect(),
            changes: vec![
                change(Outcome::Approve, Outcome::Approve, &[]),
                change(Outcome::Approve, Outcome::Decline, &["p1", "p2"]),
                change(Outcome::Hold, Outcome::Review, &["p3"]),
            ],
            windows_cut: 3,
            overlap_payments: 40,
        };
        let short = of(&report);
        report.days = (0..40).map(day).collect();
        report.against = Some("fedcba9876543210".to_owned());
        insta::assert_snapshot!(format!("{short}\n---\n{}", of(&report)));
    }
}
