//! A labelled file as the windows see it: what to train on and to be judged by.

use crate::{
    failure::{Failure, Result},
    mapping::{Mapping, Row, parse_duration},
    progress::Progress,
    rows::{self, Line, Selection},
};
use paywarden_domain::{Card, CardInput, Event, Pan, PaymentId, TenantId, event::Text};
use paywarden_features::{EntityKind, FeatureEvent};
use paywarden_risk::Sight;
use paywarden_rules::Rates;
use std::{collections::BTreeSet, path::Path, sync::Arc, sync::atomic::Ordering};

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

    /// The places of the payments in a span of time.
    pub fn within(&self, from: i64, to: i64) -> Vec<u32> {
        let place = |time: i64| self.payments.partition_point(|past| past.event.at < time) as u32;
        (place(from)..place(to).max(place(from))).collect()
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
