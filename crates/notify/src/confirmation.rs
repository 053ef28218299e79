//! "Was this you?": a payer is asked about one payment, by a link that answers once.
//!
//! A payment has one question: a record with versions, asked, asked again, answered. Its link is
//! signed, so that what was made up is refused without a look at the store, and holds a random part
//! of which the record has a keyed hash. The answer is one entry of the journal with the label that
//! it is: of two at once the store takes one, and everybody is shown that one.

mod link;

pub use link::Token;

use crate::Error;
use link::Links;
use paywarden_crypto::Keyring;
use paywarden_domain::{LabelVerdict, PaymentId, TenantId, Timestamp, time::HOUR};
use paywarden_store::{Actor, Clock, Database, Entry, Journal, RecordRow, Row};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// What the trail calls an answer.
pub const ANSWERED: &str = "confirmation.answer";
/// How often a payer is asked about one payment.
pub const ASKED_MAX: u16 = 5;
/// How long a link may be answered, in hours.
pub const HOURS: std::ops::RangeInclusive<u16> = 1..=168;
/// For how long later payments of the same payee may be held, in hours.
pub const HOLD_HOURS: std::ops::RangeInclusive<u16> = 1..=720;

const NAME_BYTES_MAX: usize = 64;
const KIND: &str = "confirmation";

/// What a payer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConfirmationAnswer)]
pub enum Answer {
    /// It was me, and I meant it.
    Yes,
    /// It was not me.
    No,
    /// It was me, but somebody tricked me into it.
    Tricked,
}

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConfirmationChannel)]
pub enum Channel {
    /// The page behind the link.
    Link,
    /// The company's own app.
    App,
}

/// What the page shows of the payment, beside when it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConfirmationDetail)]
pub enum Detail {
    /// The amount.
    Amount,
    /// Who was paid: a merchant by name, a person by the first letter.
    Payee,
    /// The last four digits of the card.
    Card,
}

/// What belongs to a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// How long it may be answered, in hours.
    pub hours: u16,
    /// In whose name the payer is asked, at most 64 bytes: what they know the company by.
    pub asked_as: Option<String>,
    /// What the page shows.
    pub shows: Vec<Detail>,
    /// For how long later payments of the same payee are held if it was not them, or they were
    /// tricked, in hours.
    pub hold_payee_hours: Option<u16>,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Whose payer is asked.
    pub tenant: TenantId,
    /// About which payment.
    pub payment_id: PaymentId,
    /// How often it was asked.
    pub asked: u16,
    /// By which key it was asked last.
    pub asked_by: String,
    /// When it was asked last.
    pub asked_at: Timestamp,
    /// Until when it may be answered.
    pub expires_at: Timestamp,
    /// What belongs to it.
    pub terms: Terms,
    /// The answer, if it was given.
    pub answered: Option<Given>,
    id: String,
    version: i64,
    secret: Vec<u8>,
}

/// An answer that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ConfirmationGiven)]
pub struct Given {
    /// What they said.
    pub answer: Answer,
    /// Where.
    pub channel: Channel,
    /// When.
    pub at: Timestamp,
}

/// The record.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    payment_id: PaymentId,
    asked: u16,
    asked_by: String,
    asked_at: Timestamp,
    expires_at: Timestamp,
    terms: Terms,
    answered: Option<Given>,
    secret: Vec<u8>,
}

/// Where a question stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConfirmationState)]
pub enum State {
    /// It may be answered.
    Open,
    /// Nobody has answered in time.
    Expired,
    /// It was answered.
    Answered,
}

/// The questions of all companies.
pub struct Confirmations {
    database: Database,
    journal: Journal,
    clock: Clock,
    links: Links,
}

impl Answer {
    /// Every answer.
    pub const ALL: [Self; 3] = [Self::Yes, Self::No, Self::Tricked];

    /// The word used in forms and replies.
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Tricked => "tricked",
        }
    }

    /// The answer with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|answer| answer.name() == name)
    }

    /// What the payment is labelled: evidence, no proof.
    pub fn verdict(self) -> LabelVerdict {
        match self {
            Self::Yes => LabelVerdict::Genuine,
            Self::No | Self::Tricked => LabelVerdict::Fraud,
        }
    }
}

impl Question {
    /// Where it stands.
    pub fn state(&self, now: Timestamp) -> State {
        match self.answered {
            Some(_) => State::Answered,
            None if self.expires_at <= now => State::Expired,
            None => State::Open,
        }
    }

    /// The row that the answer is: to be written together with the label. Of two who answer at once
    /// the store takes one.
    pub fn answer(&self, answer: Answer, channel: Channel, now: Timestamp) -> Result<Row, Error> {
        let given = Given {
            answer,
            channel,
            at: now,
        };
        let answered = Self {
            answered: Some(given),
            version: self.version + 1,
            ..self.clone()
        };
        Ok(Row::Record(answered.row(now)?))
    }

    fn row(&self, now: Timestamp) -> Result<RecordRow, Error> {
        let kept = Kept {
            payment_id: self.payment_id.clone(),
            asked: self.asked,
            asked_by: self.asked_by.clone(),
            asked_at: self.asked_at,
            expires_at: self.expires_at,
            terms: self.terms.clone(),
            answered: self.answered,
            secret: self.secret.clone(),
        };
        Ok(RecordRow {
            tenant: self.tenant.clone(),
            kind: KIND.to_owned(),
            id: self.id.clone(),
            version: self.version,
            written_at: now,
            body: serde_json::to_vec(&kept)?,
        })
    }

    fn read(row: RecordRow) -> Result<Self, Error> {
        let kept: Kept = serde_json::from_slice(&row.body)?;
        Ok(Self {
            tenant: row.tenant,
            payment_id: kept.payment_id,
            asked: kept.asked,
            asked_by: kept.asked_by,
            asked_at: kept.asked_at,
            expires_at: kept.expires_at,
            terms: kept.terms,
            answered: kept.answered,
            id: row.id,
            version: row.version,
            secret: kept.secret,
        })
    }
}

impl Terms {
    /// Refuses what may not be asked for.
    pub fn check(&self) -> Result<(), Error> {
        let held = self.hold_payee_hours;
        #[rustfmt::skip]
        let rules = [
            (HOURS.contains(&self.hours), "a link may be answered for 1 to 168 hours"),
            (held.is_none_or(|hours| HOLD_HOURS.contains(&hours)),
                "payments of the same payee are held for 1 to 720 hours"),
            (self.shows.len() <= 3, "what is shown is named once"),
            (self.asked_as.as_ref().is_none_or(|name| (1..=NAME_BYTES_MAX).contains(&name.len())),
                "the name of whoever asks has 1 to 64 bytes"),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, wrong)) => Err(Error::ConfirmationRefused(wrong)),
            None => Ok(()),
        }
    }
}

impl Confirmations {
    /// The questions of a store.
    pub fn new(
        (database, journal): (Database, Journal),
        keyring: &Keyring,
        clock: Clock,
    ) -> Result<Self, Error> {
        Ok(Self {
            links: Links::new(keyring)?,
            database,
            journal,
            clock,
        })
    }

    /// Asks about a payment that was decided, once more if it was asked before: the link before ends.
    /// What the link holds is in no store. Errors: it was answered, or asked too often.
    pub async fn ask(
        &self,
        (tenant, key_id): (&TenantId, &str),
        payment: &PaymentId,
        terms: Terms,
    ) -> Result<(Question, Token), Error> {
        terms.check()?;
        let now = self.clock.now();
        let old = self.of_payment(tenant, payment).await?;
        let asked = old.as_ref().map_or(0, |old| old.asked);
        if old.as_ref().is_some_and(|old| old.answered.is_some()) {
            return Err(Error::ConfirmationState("the payer has answered already"));
        }
        if asked >= ASKED_MAX {
            return Err(Error::AskedTooOften);
        }
        let place = self.links.place(tenant, payment);
        let (token, secret) = self.links.make(place, self.clock.random());
        let question = Question {
            tenant: tenant.clone(),
            payment_id: payment.clone(),
            asked: asked + 1,
            asked_by: key_id.to_owned(),
            asked_at: now,
            expires_at: Timestamp::from_micros(now.micros() + i64::from(terms.hours) * HOUR),
            terms,
            answered: None,
            id: link::id(place),
            version: old.map_or(1, |old| old.version + 1),
            secret: secret.to_vec(),
        };
        let entry = Entry {
            tenant: tenant.clone(),
            actor: Actor::Key(key_id.to_owned()),
            purpose: "confirmation by the payer".into(),
            action: "confirmation.request",
            object: question.id.clone(),
            rows: vec![Row::Record(question.row(now)?)],
        };
        self.journal.append(entry).await?;
        Ok((question, token))
    }

    /// The question of a payment.
    pub async fn of_payment(
        &self,
        tenant: &TenantId,
        payment: &PaymentId,
    ) -> Result<Option<Question>, Error> {
        let id = link::id(self.links.place(tenant, payment));
        let row = self.database.record(KIND, &id).await?;
        let row = row.filter(|row| row.tenant == *tenant);
        row.map(Question::read).transpose()
    }

    /// The question that a leaf names; none if it names something else.
    pub async fn of_record(
        &self,
        tenant: &TenantId,
        record: &str,
    ) -> Result<Option<Question>, Error> {
        let mut parts = record.split('/');
        let (Some(KIND), Some(id)) = (parts.next(), parts.next()) else {
            return Ok(None);
        };
        let row = self.database.record(KIND, id).await?;
        let row = row.filter(|row| row.tenant == *tenant);
        row.map(Question::read).transpose()
    }

    /// The question behind a link; none if it was made up, or another one was sent after it.
    pub async fn behind(&self, token: &str) -> Result<Option<Question>, Error> {
        let Some((place, secret)) = self.links.read(token) else {
            return Ok(None);
        };
        let row = self.database.record(KIND, &link::id(place)).await?;
        let question = row.map(Question::read).transpose()?;
        // Both are keyed hashes: how alike they are tells nothing.
        Ok(question.filter(|question| question.secret == secret))
    }
}

/// What companies are told of an answer: the record that a leaf names.
pub(crate) async fn told(database: &Database, record: &str) -> Result<Option<Value>, Error> {
    let mut parts = record.split('/');
    let (Some(KIND), Some(id)) = (parts.next(), parts.next()) else {
        return Ok(None);
    };
    let Some(row) = database.record(KIND, id).await? else {
        return Ok(None);
    };
    let question = Question::read(row)?;
    let data = |given: Given| {
        json!({
            "payment_id": question.payment_id,
            "answer": given.answer,
            "channel": given.channel,
            "answered_at": given.at,
        })
    };
    Ok(question.answered.map(data))
}
