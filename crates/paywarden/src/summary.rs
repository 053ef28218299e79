//! What a run came to, in words for people.

use crate::{
    drive::Driven,
    latency::Latencies,
    tally::{Tally, percent},
};
use std::fmt::Write;

/// The lines that every run with labelled traffic ends with.
pub fn of_run(driven: &Driven, connections: usize, currency: &str, decimals: u8) -> String {
    let mut text = String::new();
    let seconds = driven.elapsed.as_secs_f64();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "decisions     {} in {seconds:.1} s, {:.0}/s over {connections} connections",
        thousands(driven.decided),
        driven.decisions_per_second(),
    );
    let _ = writeln!(text, "latency       {}", of_latency(&driven.latencies));
    text += &of_verdicts(&driven.tally);
    let _ = writeln!(
        text,
        "labels        {} sent as they became known",
        thousands(driven.labels)
    );
    text += &of_faults(driven);
    text + &driven.tally.table(currency, decimals)
}

/// One line of progress.
pub fn of_progress(driven: &Driven) -> String {
    format!(
        "{:.0}/s  p99 {:.1} ms  {}  fraud stopped {}",
        driven.decisions_per_second(),
        driven.latencies.quantile_ms(0.99),
        driven.tally.outcome_line(),
        percent(driven.tally.amount_stopped_ratio(), 1.0),
    )
}

/// Latencies in one line.
pub fn of_latency(latencies: &Latencies) -> String {
    format!(
        "p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, longest {:.2} ms",
        latencies.quantile_ms(0.5),
        latencies.quantile_ms(0.99),
        latencies.quantile_ms(0.999),
        latencies.max_ms(),
    )
}

/// Outcomes and what they were worth.
pub fn of_verdicts(tally: &Tally) -> String {
    let value = |name: &str| {
        let figure = tally
            .figures()
            .into_iter()
            .find(|figure| figure.name == name);
        figure
            .and_then(|figure| figure.value)
            .map_or("-".to_owned(), |v| percent(v, 1.0))
    };
    let mut text = format!("outcomes      {}\n", tally.outcome_line());
    text += &format!(
        "fraud         {} of the payments and {} of the amount stopped\n",
        value("recall"),
        value("fraud_amount_stopped_ratio")
    );
    text += &format!(
        "alerts        {} of all decisions, {} of them right\n",
        value("alert_rate"),
        value("precision")
    );
    match tally.partial() {
        0 => text,
        partial => text + &format!("deadline      cut {partial} decisions short\n"),
    }
}

fn of_faults(driven: &Driven) -> String {
    let mut text = String::new();
    if driven.repeats > 0 {
        text += &format!(
            "repeated      {} requests while the server was busy\n",
            driven.repeats
        );
    }
    if driven.unanswered() > 0 {
        let codes = driven
            .refused
            .iter()
            .map(|(code, count)| format!("{code} {count}"));
        let bad = (driven.rows_bad > 0).then(|| format!("unreadable {}", driven.rows_bad));
        let kinds: Vec<String> = bad.into_iter().chain(codes).collect();
        let count = thousands(driven.unanswered());
        text += &format!("no verdict    {count} rows: {}\n", kinds.join(", "));
        for example in &driven.examples {
            text += &format!("              {example}\n");
        }
    }
    text
}

/// A number with its thousands set apart.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Judged;
    use paywarden_domain::Outcome;
    use std::time::Duration;

    #[test]
    fn a_run_reads_well() {
        let mut driven = Driven {
            decided: 20_000,
            labels: 12,
            rows_bad: 1,
            repeats: 3,
            examples: vec![
                "line 7: the id is empty".into(),
                "line 9: 422 text_too_long".into(),
            ],
            elapsed: Duration::from_millis(4_200),
            ..Driven::default()
        };
        driven.refused.insert("text_too_long".into(), 1);
        for latency_us in 1..=1000 {
            driven.latencies.record(latency_us * 10);
        }
        for (outcome, fraud) in [(Outcome::Approve, false), (Outcome::Decline, true)] {
            let fired = ["card.burst".to_owned()];
            let fired: &[String] = if fraud { &fired } else { &[] };
            driven.tally.add(Judged {
                outcome,
                fraud,
                scenario: fraud.then_some("card_testing"),
                amount_minor: 123_456,
                fired,
                partial: fraud,
                laundering_score: 0,
            });
        }
        let text = of_run(&driven, 8, "USD", 2);
        insta::assert_snapshot!(format!("{text}\n{}\n", of_progress(&driven)));
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(
            [0, 999, 1_000, 123_4567].map(thousands).join(" "),
            "0 999 1,000 1,234,567"
        );
    }
}
