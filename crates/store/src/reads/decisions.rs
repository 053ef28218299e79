//! Decisions and the labels of a payment.

use super::limited;
use crate::{
    Database, DecisionRow, Error, LabelRow,
    sql::{self, Value},
};
use paywarden_domain::{
    Currency, DecisionId, EventKind, Outcome, PaymentId, TenantId, Timestamp, time::MINUTE,
};
use sqlx::Row as _;

/// The most rows of one page.
const PAGE_MAX: u32 = 200;

/// The most labels of one answer.
const LABELS_MAX: u32 = 10_000;
/// The most rows of one step back.
const BACK_MAX: u32 = 1_000;
/// How many numbers a question names: what is left over repeats the last, so that texts are few.
const NUMBERED: [usize; 6] = [1, 4, 16, 64, 256, 1_024];

/// Which decisions a page shows. Everything given has to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecisionFilter {
    /// One of these verdicts; any if there are none.
    pub outcomes: Vec<Outcome>,
    /// One of these kinds of event; any if there are none.
    pub kinds: Vec<EventKind>,
    /// This payment.
    pub payment_id: Option<PaymentId>,
    /// Decided at this time or later.
    pub from: Option<Timestamp>,
    /// Decided before this time.
    pub to: Option<Timestamp>,
    /// Either engine's score is at least this.
    pub score_min: Option<u16>,
    /// The amount is in this currency, and from the first to the second of these minor units.
    pub amount: Option<(Currency, i64, i64)>,
    /// One of these, at most 1,000; any if there are none. Nothing else has to be looked for.
    pub numbers: Vec<i64>,
    /// Its number is greater than this.
    pub after: Option<i64>,
    /// Its number is less than this.
    pub before: Option<i64>,
}

impl DecisionFilter {
    /// Whether decisions have to be looked at one by one. Numbers and times are found by halving,
    /// and a payment by its own index.
    fn looks(&self) -> bool {
        let narrows = !self.outcomes.is_empty() || !self.kinds.is_empty();
        let narrows = narrows || self.score_min.is_some() || self.amount.is_some();
        narrows && self.payment_id.is_none() && self.numbers.is_empty()
    }
}

/// Decisions of a page, newest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DecisionsFound {
    /// The decisions.
    pub rows: Vec<DecisionRow>,
    /// Give this as `before` to read on; none at the end. There may be fewer rows than asked for,
    /// or none, before it.
    pub next: Option<i64>,
    /// Where the question ended before the page was full: all that was decided since was looked at.
    pub looked_back_to: Option<Timestamp>,
}

/// Number and time of a decision.
pub(super) type Place = (i64, Timestamp);

/// The most decisions that are counted; where there are more it is this many.
pub const COUNTED_MAX: u32 = 10_000;

impl Database {
    /// The decision with this identifier.
    pub async fn decision(
        &self,
        tenant: &TenantId,
        id: &DecisionId,
    ) -> Result<Option<DecisionRow>, Error> {
        let values = [tenant.as_str().into(), id.as_str().into()];
        self.select_one("WHERE tenant = $1 AND id = $2", &values)
            .await
    }

    /// The number of the leaf that holds a decision, in the tenant's trail.
    pub async fn decision_leaf(
        &self,
        tenant: &TenantId,
        id: &DecisionId,
    ) -> Result<Option<u64>, Error> {
        let text = "SELECT leaf FROM decisions WHERE tenant = $1 AND id = $2";
        let row = sqlx::query(text)
            .bind(tenant.as_str())
            .bind(id.as_str())
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        let leaf = row.map(|row| row.try_get::<i64, _>(0)).transpose()?;
        Ok(leaf.map(i64::unsigned_abs))
    }

    /// The decision on this payment.
    pub async fn decision_of_payment(
        &self,
        tenant: &TenantId,
        payment_id: &PaymentId,
    ) -> Result<Option<DecisionRow>, Error> {
        let values = [tenant.as_str().into(), payment_id.as_str().into()];
        self.select_one("WHERE tenant = $1 AND payment_id = $2", &values)
            .await
    }

    /// The decision on the event with this number.
    pub async fn decision_by_event_no(
        &self,
        tenant: &TenantId,
        event_no: i64,
    ) -> Result<Option<DecisionRow>, Error> {
        let values = [tenant.as_str().into(), event_no.into()];
        self.select_one("WHERE tenant = $1 AND event_no = $2", &values)
            .await
    }

    /// Newest first, at most 200. It looks at [`crate::DatabaseLimits::looked_at_max`]
    /// decisions.
    pub async fn decisions_page(
        &self,
        tenant: &TenantId,
        filter: &DecisionFilter,
        limit: u32,
    ) -> Result<DecisionsFound, Error> {
        let most = limited(limit, PAGE_MAX)?;
        let (filter, floor) = self.bounded(tenant, filter).await?;
        let mut question = Question::of(tenant, &filter);
        question.end("ORDER BY event_no DESC LIMIT", most);
        let rows: Vec<DecisionRow> = self.select(&question.text, &question.values).await?;
        let last = rows.last().map(|row| row.event_no);
        Ok(match (last, floor) {
            (Some(last), _) if rows.len() == limit as usize => DecisionsFound {
                rows,
                next: Some(last),
                looked_back_to: None,
            },
            (_, floor) => DecisionsFound {
                rows,
                next: floor.map(|(number, _)| number + 1),
                looked_back_to: floor.map(|(_, decided_at)| decided_at),
            },
        })
    }

    /// How many decisions there are of these, at most [`COUNTED_MAX`], among the newest that one
    /// question looks at.
    pub async fn decisions_counted(
        &self,
        tenant: &TenantId,
        filter: &DecisionFilter,
    ) -> Result<u64, Error> {
        let (filter, _) = self.bounded(tenant, filter).await?;
        let mut question = Question::of(tenant, &filter);
        question.end("LIMIT", Value::Number(COUNTED_MAX.into()));
        let text = format!(
            "SELECT COUNT(*) FROM (SELECT event_no FROM decisions {}) AS found",
            question.text
        );
        let values = &question.values;
        let count = sql::select_bound(&mut *self.reader().await?, text, values).await?;
        Ok(count.unsigned_abs())
    }

    /// A filter with numbers for its times; and where it looks at decisions one by one, the newest
    /// that it does not come to.
    async fn bounded(
        &self,
        tenant: &TenantId,
        filter: &DecisionFilter,
    ) -> Result<(DecisionFilter, Option<Place>), Error> {
        let mut filter = self.numbered(tenant, filter).await?;
        let floor = match filter.looks() {
            true => self.floor(tenant, &filter).await?,
            false => None,
        };
        if let Some((number, _)) = floor {
            filter.after = Some(number);
        }
        Ok((filter, floor))
    }

    /// A filter with numbers for its times. The times stand: numbers and times grow together but
    /// for requests that overtake each other.
    pub async fn numbered(
        &self,
        tenant: &TenantId,
        filter: &DecisionFilter,
    ) -> Result<DecisionFilter, Error> {
        let mut filter = filter.clone();
        if !filter.numbers.is_empty() {
            return Ok(filter);
        }
        if let Some(from) = filter.from {
            let first = self.decided_since(tenant, from.micros() - MINUTE).await?;
            filter.after = filter.after.max(Some(first - 1));
        }
        if let Some(to) = filter.to {
            let first = self.decided_since(tenant, to.micros() + MINUTE).await?;
            let before = filter.before.unwrap_or(i64::MAX);
            filter.before = Some(before.min(first + 1));
        }
        Ok(filter)
    }

    /// The decision between the numbers of a filter at which one question has looked at as many
    /// others as it may.
    pub(super) async fn floor(
        &self,
        tenant: &TenantId,
        filter: &DecisionFilter,
    ) -> Result<Option<Place>, Error> {
        let text = "SELECT event_no, decided_at FROM decisions
            WHERE tenant = $1 AND event_no > $2 AND event_no < $3
            ORDER BY event_no DESC LIMIT 1 OFFSET $4";
        let values = [
            filter.after.unwrap_or(i64::MIN),
            filter.before.unwrap_or(i64::MAX),
            i64::from(self.looked_at_max()),
        ];
        self.place(tenant, text, &values).await
    }

    /// When the last decision between two numbers was made; nothing where there is none.
    pub async fn decided_last(
        &self,
        tenant: &TenantId,
        (after, before): (i64, i64),
    ) -> Result<Option<Timestamp>, Error> {
        let text = "SELECT event_no, decided_at FROM decisions
            WHERE tenant = $1 AND event_no > $2 AND event_no < $3 ORDER BY event_no DESC LIMIT 1";
        let place = self.place(tenant, text, &[after, before]).await?;
        Ok(place.map(|(_, decided_at)| decided_at))
    }

    /// The number of the decision behind so many others between two numbers; nothing where there are
    /// no more than these.
    pub async fn decision_behind(
        &self,
        tenant: &TenantId,
        (after, before): (i64, i64),
        others: u32,
    ) -> Result<Option<i64>, Error> {
        let text = "SELECT event_no, decided_at FROM decisions
            WHERE tenant = $1 AND event_no > $2 AND event_no < $3
            ORDER BY event_no LIMIT 1 OFFSET $4";
        let values = [after, before, others.into()];
        let place = self.place(tenant, text, &values).await?;
        Ok(place.map(|(number, _)| number))
    }

    /// Number and time of the one decision that a question finds.
    pub(super) async fn place(
        &self,
        tenant: &TenantId,
        text: &'static str,
        values: &[i64],
    ) -> Result<Option<Place>, Error> {
        let query = sqlx::query(text).bind(tenant.as_str());
        let query = values.iter().fold(query, |query, value| query.bind(value));
        let row = query.fetch_optional(&mut *self.reader().await?).await?;
        let read = |row: sqlx::any::AnyRow| {
            let decided_at = Timestamp::from_micros(row.try_get(1)?);
            Ok((row.try_get(0)?, decided_at))
        };
        row.map(read).transpose()
    }

    /// The decisions with these numbers, newest first. At most 200.
    pub async fn decisions_numbered(
        &self,
        tenant: &TenantId,
        numbers: &[i64],
    ) -> Result<Vec<DecisionRow>, Error> {
        limited(u32::try_from(numbers.len()).unwrap_or(u32::MAX), PAGE_MAX)?;
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let all = DecisionFilter::default();
        let mut question = Question::of(tenant, &all);
        question.among("event_no", numbers.iter().copied());
        question.text.push_str(" ORDER BY event_no DESC");
        self.select(&question.text, &question.values).await
    }

    /// Newest first; the next page begins `before` the last `event_no` of this one. At most 1,000.
    pub async fn decisions_back(
        &self,
        tenant: &TenantId,
        before: i64,
        limit: u32,
    ) -> Result<Vec<DecisionRow>, Error> {
        let rest = "WHERE tenant = $1 AND event_no < $2 ORDER BY event_no DESC LIMIT $3";
        let limit = limited(limit, BACK_MAX)?;
        self.select(rest, &[tenant.as_str().into(), before.into(), limit])
            .await
    }

    /// What was said of a tenant's events up to `last`, behind an event and the number of a label of
    /// it, by event and in the order in which it was said. At most 10,000.
    pub async fn labels_of_events(
        &self,
        tenant: &TenantId,
        (event_no, seq): (i64, i64),
        last: i64,
        limit: u32,
    ) -> Result<Vec<LabelRow>, Error> {
        let rest = "WHERE tenant = $1 AND event_no >= $2 AND event_no <= $3
            AND (event_no > $2 OR seq > $4) ORDER BY event_no, seq LIMIT $5";
        let values = [
            tenant.as_str().into(),
            event_no.into(),
            last.into(),
            seq.into(),
            limited(limit, LABELS_MAX)?,
        ];
        self.select(rest, &values).await
    }

    /// What was said of a payment, newest first, at most the newest 200.
    pub async fn labels_of_payment(
        &self,
        tenant: &TenantId,
        payment_id: &PaymentId,
    ) -> Result<Vec<LabelRow>, Error> {
        let rest = "WHERE tenant = $1 AND payment_id = $2 ORDER BY seq DESC LIMIT 200";
        self.select(rest, &[tenant.as_str().into(), payment_id.as_str().into()])
            .await
    }
}

fn number(value: impl Into<i64>) -> Value<'static> {
    Value::Number(value.into())
}

/// The one question that is put together at run time: constants for text, placeholders for
/// everything else.
pub(super) struct Question<'v> {
    pub(super) text: String,
    pub(super) values: Vec<Value<'v>>,
}

impl<'v> Question<'v> {
    pub(super) fn of(tenant: &'v TenantId, filter: &'v DecisionFilter) -> Self {
        let mut question = Self {
            text: "WHERE tenant = $1".into(),
            values: vec![tenant.as_str().into()],
        };
        question.numbers(&filter.numbers);
        question.and("event_no >", filter.after.map(Value::from));
        question.and("event_no <", filter.before.map(Value::from));
        let outcomes = filter.outcomes.iter();
        question.among("outcome", outcomes.map(|outcome| i64::from(*outcome as u8)));
        let kinds = filter.kinds.iter();
        question.among("kind", kinds.map(|kind| i64::from(*kind as u8)));
        question.and(
            "payment_id =",
            filter.payment_id.as_ref().map(|id| id.as_str().into()),
        );
        question.and(
            "decided_at >=",
            filter.from.map(|time| time.micros().into()),
        );
        question.and("decided_at <", filter.to.map(|time| time.micros().into()));
        question.and(
            "CASE WHEN fraud_score > laundering_score \
             THEN fraud_score ELSE laundering_score END >=",
            filter.score_min.map(number),
        );
        let amount = filter.amount.as_ref();
        let currency = amount.map(|(currency, ..)| currency.code().into());
        question.and("currency =", currency);
        question.and("amount_minor >=", amount.map(|(_, from, _)| (*from).into()));
        question.and("amount_minor <=", amount.map(|(.., to)| (*to).into()));
        question
    }

    fn and(&mut self, condition: &'static str, value: Option<Value<'v>>) {
        if let Some(value) = value {
            self.text.push_str(" AND");
            self.end(condition, value);
        }
    }

    /// One of these numbers; any if there are none.
    fn numbers(&mut self, numbers: &[i64]) {
        let Some(last) = numbers.last() else {
            return;
        };
        let places = NUMBERED.into_iter().find(|places| *places >= numbers.len());
        let places = places.unwrap_or(numbers.len());
        let padded = numbers.iter().chain(std::iter::repeat(last)).take(places);
        self.among("event_no", padded.copied());
    }

    /// One of some numbers; any if there are none.
    fn among(&mut self, column: &'static str, numbers: impl Iterator<Item = i64>) {
        let first = self.values.len() + 1;
        self.values.extend(numbers.map(Value::from));
        let places: Vec<String> = (first..=self.values.len())
            .map(|place| format!("${place}"))
            .collect();
        if !places.is_empty() {
            let places = places.join(", ");
            self.text.push_str(&format!(" AND {column} IN ({places})"));
        }
    }

    fn end(&mut self, text: &'static str, value: Value<'v>) {
        self.values.push(value);
        self.text
            .push_str(&format!(" {text} ${}", self.values.len()));
    }
}
