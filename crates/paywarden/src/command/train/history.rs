//! A labelled file as the windows see it: what to train on and to be judged by.

use super::study::Span;
use crate::{
    failure::{Failure, Result},
    mapping::{Mapping, Row, parse_duration},
    progress::Progress,
    rows::{self, Line, Selection},
};
use paywarden_domain::{Card, CardInput, Event, Pan, PaymentId, TenantId, event::Text, time::DAY};
use paywarden_features::{EntityKind, FeatureEvent};
use paywarden_risk::Sight;
use paywarden_rules::Rates;
use std::{collections::BTreeSet, path::Path, sync::Arc, sync::atomic::Ordering};

/// The last days of what is learnt from say when to stop.
const LATER_DAYS: i64 = 14;

/// One payment of the past.
pub struct Past {
    /// The payment's identifier.
    pub id: PaymentId,
    /// What the windows see.
    pub event: FeatureEvent,
    /// Whether it was fraud.
    pub fraud: bool,
    /// The amount in minor units.
    pub amount: f64,
    /// The kind of fraud, for reports alone.
    pub scenario: Option<Arc<str>>,
    /// How many payments it stands for where truths are counted.
    pub stands_for: u32,
}

/// All payments of a file, in the order of time.
pub struct History {
    /// The payments.
    pub payments: Vec<Past>,
    /// The kind of entity that pays: card, else customer, else account.
    pub payer: EntityKind,
    /// The kind of entity that is paid: terminal, else merchant, else payee.
    pub place: EntityKind,
}

impl History {
    /// Reads a file. Rows that cannot be read, or are out of order, are an error: a silent gap would
    /// change every window behind it.
    pub fn read(path: &Path, mapping: &Mapping) -> Result<Self> {
        let mut rows = rows::open(path, mapping, Selection::default())?;
        let tenant = TenantId::parse("file").map_err(|error| Failure::wrong_use(error, ""))?;
        let sight = Sight::new(tenant, Rates::new(mapping.currency()));
        let progress = Progress::new(rows.bytes);
        let mut payments: Vec<Past> = Vec::new();
        while let Some(batch) = rows.batches.blocking_recv() {
            for line in batch {
                let past = match line {
                    Line::Row(row) => past(&sight, row)?,
                    Line::Bad { line, why } => return Err(wrong(line, &why)),
                };
                if payments
                    .last()
                    .is_some_and(|last| last.event.at > past.event.at)
                {
                    return Err(wrong(
                        payments.len() as u64 + 2,
                        "it lies before the row above",
                    ));
                }
                payments.push(past);
            }
            progress.show(rows.bytes_read.load(Ordering::Relaxed), "read");
        }
        if payments.is_empty() {
            return Err(Failure::wrong_use(
                "the file has no rows",
                "name another --data",
            ));
        }
        let named = |kinds: [EntityKind; 3], what: &str| {
            let present =
                |kind: &EntityKind| payments.iter().all(|past| past.event.entity(*kind) != 0);
            kinds.into_iter().find(present).ok_or_else(|| {
                Failure::wrong_use(
                    format!("not every payment names {what}"),
                    "correct the mapping",
                )
            })
        };
        let payer = [EntityKind::Card, EntityKind::Customer, EntityKind::Account];
        let place = [
            EntityKind::Terminal,
            EntityKind::Merchant,
            EntityKind::Payee,
        ];
        Ok(Self {
            payer: named(payer, "a payer")?,
            place: named(place, "who is paid")?,
            payments,
        })
    }

    /// The time of the first payment.
    pub fn start(&self) -> i64 {
        self.payments.first().map_or(0, |past| past.event.at)
    }

    /// The time of the last payment.
    pub fn end(&self) -> i64 {
        self.payments.last().map_or(0, |past| past.event.at)
    }

    /// The places of the payments in a span of time, each as often as it stands for: what is learnt
    /// and measured is as if nothing had been declined (Horvitz and Thompson, 1952).
    pub fn within(&self, from: i64, to: i64) -> Vec<u32> {
        let place = |time: i64| self.payments.partition_point(|past| past.event.at < time);
        let (from, to) = (place(from), place(to));
        let rows = (from..to.max(from)).zip(self.payments.get(from..to).unwrap_or_default());
        rows.flat_map(|(place, past)| std::iter::repeat_n(place as u32, past.stands_for as usize))
            .collect()
    }

    /// What is learnt from in a span: payments of these payers before its last fortnight, and those
    /// of the fortnight, which say when to stop.
    pub fn to_learn(&self, span: Span, is_of: impl Fn(u64) -> bool) -> (Vec<u32>, Vec<u32>) {
        let middle = span.to - LATER_DAYS * DAY;
        let rows = |from, to| {
            let rows = self.within(from, to).into_iter();
            rows.filter(|row| is_of(self.payer_of(*row))).collect()
        };
        (
            rows(span.from, middle),
            rows(middle.max(span.from), span.to),
        )
    }

    /// Who pays.
    pub fn payer_of(&self, place: u32) -> u64 {
        self.payments[place as usize].event.entity(self.payer)
    }

    /// Whoever paid with a fraud in a span of time.
    pub fn defrauded(&self, from: i64, to: i64) -> BTreeSet<u64> {
        let rows = self.within(from, to).into_iter();
        let frauds = rows.filter(|row| self.payments[*row as usize].fraud);
        frauds.map(|row| self.payer_of(row)).collect()
    }
}

/// A length of time such as `7d`.
pub fn duration(text: &str) -> Result<i64, String> {
    parse_duration(text)
        .filter(|length| *length > 0)
        .ok_or_else(|| "write a number and s, m, h or d".to_owned())
}

fn past(sight: &Sight, row: Row) -> Result<Past> {
    let event: Event<CardInput> =
        serde_json::from_slice(&row.body).map_err(|error| wrong(row.line, &error.to_string()))?;
    let event = event.map_card(card).map_err(|why| wrong(row.line, &why))?;
    Ok(Past {
        id: row.id,
        event: sight.event(&event),
        fraud: row.fraud,
        amount: row.amount_minor as f64,
        scenario: row.scenario,
        stands_for: row.stands_for,
    })
}

/// A card by its number, which goes no further than into the hash of its windows.
fn card(input: CardInput) -> Result<Card, String> {
    let text = |text: &str| Text::parse(text).map_err(|invalid| invalid.to_string());
    let index = match (&input.index, &input.number) {
        (Some(index), _) => index.clone(),
        (None, Some(number)) => text(number.digits())?,
        (None, None) => return Err("the card has no number".into()),
    };
    Ok(Card {
        index,
        bin: input.number.as_ref().map(Pan::bin).map(text).transpose()?,
        last_four: None,
        details: input.details.unwrap_or_default(),
    })
}

fn wrong(line: u64, why: &str) -> Failure {
    Failure::wrong_use(
        format!("line {line}: {why}"),
        "correct the file or its mapping",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_domain::{EventKind, time::MINUTE};
    use paywarden_models::{
        Table,
        random::Random,
        train::{Settings, train},
    };

    const PAYMENTS: usize = 40_000;
    const ONE_IN: u32 = 200;
    /// Amounts from here on are declined, but for the control group.
    const DECLINED: i64 = 60;

    /// Of amounts below 100, half of those that are declined are frauds, and one in fifty others.
    fn history() -> History {
        let mut random = Random::new(3);
        let mut past = |place: usize| {
            let amount = random.below(100) as i64;
            let is_declined = amount >= DECLINED;
            let mut event = FeatureEvent::new(EventKind::PaymentCard, place as i64 * MINUTE);
            event.amount = Some(amount);
            let is_drawn = random.below(ONE_IN as usize) == 0;
            Past {
                id: PaymentId::parse(&format!("p{place}")).unwrap(),
                event,
                fraud: random.below(if is_declined { 2 } else { 50 }) == 0,
                amount: amount as f64,
                scenario: None,
                stands_for: match (is_declined, is_drawn) {
                    (false, _) => 1,
                    (true, drawn) => u32::from(drawn) * ONE_IN,
                },
            }
        };
        History {
            payments: (0..PAYMENTS).map(&mut past).collect(),
            payer: EntityKind::Customer,
            place: EntityKind::Terminal,
        }
    }

    /// The mean chance that a model sees in what was declined.
    fn seen(history: &History, labels: &[bool], rows: &[u32]) -> f64 {
        let mut table = Table::new(vec!["amount".to_owned()]).unwrap();
        let amounts = history.payments.iter().map(|past| past.amount);
        amounts.for_each(|amount| table.push(&[amount]).unwrap());
        let settings = Settings {
            trees_max: 60,
            learning_rate: 0.2,
            leaves_max: 4,
            ..Settings::default()
        };
        let model = train(&table, labels, (rows, &[]), &settings, |_| ()).unwrap();
        let declined = DECLINED..100;
        let chances = declined.clone().map(|amount| {
            let raw = model.raw(&[amount as f64]).unwrap();
            model.link().probability(raw)
        });
        chances.sum::<f64>() / declined.count() as f64
    }

    /// Learnt from a control group, the chance is that of the truth; learnt from what is left after
    /// declining, taken for genuine, it is close to none.
    #[test]
    fn a_control_group_teaches_what_declining_hides() {
        let history = history();
        let all: Vec<u32> = (0..PAYMENTS as u32).collect();
        let truth: Vec<bool> = history.payments.iter().map(|past| past.fraud).collect();
        let hidden = |past: &Past| past.fraud && past.stands_for == 1;
        let hidden: Vec<bool> = history.payments.iter().map(hidden).collect();
        let rows = history.within(i64::MIN, i64::MAX);
        let drawn = history.payments.iter().filter(|past| past.stands_for > 1);
        let noise = (0.25 / drawn.count() as f64).sqrt();
        let of_truth = seen(&history, &truth, &all);
        assert!((of_truth - 0.5).abs() < 0.02, "{of_truth}");
        let of_control = seen(&history, &truth, &rows);
        assert!(
            (of_control - of_truth).abs() < 3.0 * noise,
            "{of_control}, noise {noise}"
        );
        let of_rest = seen(&history, &hidden, &all);
        assert!(of_rest < 0.02, "{of_rest}");
        assert!((rows.len() as f64 - PAYMENTS as f64).abs() < 0.15 * PAYMENTS as f64);
    }
}
