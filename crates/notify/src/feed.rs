//! From leaves of the trail to messages: what was written becomes what companies are told.

use crate::{
    Endpoint, Endpoints, Error, Notice, confirmation,
    event::{
        CONFIRMATION_ANSWERED, DECISION_CREATED, LABEL_ADDED, PAYMENT_ACTION, SECURITY_ALERT_RAISED,
    },
};
use paywarden_crypto::{
    Keyring,
    keyring::{PreparedIndex, PreparedSeal},
};
use paywarden_domain::Outcome;
use paywarden_store::{
    Clock, DELIVERIES_MAX, Database, DecisionSummary, DeliveryRow, DeliveryState, Journal,
    LabelRow, MessageRow, OutboxItem, RowRef,
};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc};

const SEAL: &str = "message body";
const IDENTIFIER: &str = "message identifier";
/// Bytes of the keyed hash that names a message.
const ID_BYTES: usize = 16;
/// The record that a security alert is; its leaves are named like those of other alerts.
const SECURITY_ALERT: &str = "security_alert/";
/// What leaves about alerts and cases begin with, and the family that they are told as.
const FAMILIES: [(&str, &str); 2] = [("payment_alert.", "alert."), ("case.", "case.")];
/// How acts end that mend what is stored and do nothing to what it is about.
const MENDING: &str = ".reindex";
/// What is done with payments that is none of an analyst's acts on them.
const LOOKS: [&str; 1] = ["payment.view"];

/// Puts down what is told to whom.
pub struct Feed {
    database: Database,
    journal: Journal,
    clock: Clock,
    endpoints: Arc<Endpoints>,
    seal: PreparedSeal,
    ids: PreparedIndex,
}

impl Feed {
    /// A feed of these endpoints.
    pub fn new(
        (database, journal): (Database, Journal),
        keyring: &Keyring,
        clock: Clock,
        endpoints: Arc<Endpoints>,
    ) -> Result<Self, Error> {
        Ok(Self {
            seal: keyring.seal_for(SEAL)?,
            ids: keyring.index_for(IDENTIFIER)?,
            database,
            journal,
            clock,
            endpoints,
        })
    }

    /// Puts down messages and deliveries for what leaves tell; taking a leaf twice does no more than
    /// taking it once.
    pub async fn take(&self, batch: &[OutboxItem]) -> Result<(), Error> {
        let mut notices = Vec::new();
        let decisions = self.decisions(batch).await?;
        for item in batch {
            // A company without endpoints is told nothing, and nothing is read for it.
            if !self.endpoints.of(&item.tenant).is_empty() {
                notices.extend(self.notices(item, &decisions).await?);
            }
        }
        self.tell(notices).await?;
        Ok(())
    }

    /// Tells each endpoint that wants to know; how many deliveries that makes.
    pub async fn tell(&self, notices: Vec<Notice>) -> Result<usize, Error> {
        let (mut messages, mut deliveries, mut told) = (Vec::new(), Vec::new(), 0);
        for notice in notices {
            let own = self.endpoints.of(&notice.tenant).into_iter();
            let wanting: Vec<_> = own.filter(|endpoint| endpoint.takes(&notice)).collect();
            if wanting.is_empty() {
                continue;
            }
            if deliveries.len() + wanting.len() > DELIVERIES_MAX {
                told += self.put(&mut messages, &mut deliveries).await?;
            }
            let message = self.message(&notice)?;
            deliveries.extend(wanting.iter().map(|one| delivery(&message, one)));
            messages.push(message);
        }
        Ok(told + self.put(&mut messages, &mut deliveries).await?)
    }

    /// Tells one endpoint, whatever it wants to know; the message.
    pub async fn tell_one(&self, endpoint: &Endpoint, notice: &Notice) -> Result<String, Error> {
        let message = self.message(notice)?;
        let id = message.id.clone();
        let deliveries = vec![delivery(&message, endpoint)];
        self.journal
            .send_messages(vec![message], deliveries)
            .await?;
        self.endpoints.wake.notify_one();
        Ok(id)
    }

    /// A fresh identifier, of what no leaf tells.
    pub fn fresh_id(&self) -> String {
        named(&self.clock.random::<32>())
    }

    /// The body of a message.
    pub(crate) fn open(&self, message: &MessageRow) -> Result<Vec<u8>, Error> {
        let opened = self.seal.open(message.id.as_bytes(), &message.body)?;
        Ok(opened.to_vec())
    }

    fn message(&self, notice: &Notice) -> Result<MessageRow, Error> {
        Ok(MessageRow {
            id: notice.id.clone(),
            tenant: notice.tenant.clone(),
            event: notice.event.clone(),
            created_at: self.clock.now(),
            body: self.seal.seal(notice.id.as_bytes(), &notice.body())?,
            about: notice.about().to_owned(),
        })
    }

    async fn put(
        &self,
        messages: &mut Vec<MessageRow>,
        deliveries: &mut Vec<DeliveryRow>,
    ) -> Result<usize, Error> {
        let told = deliveries.len();
        if told > 0 {
            let (messages, deliveries) = (std::mem::take(messages), std::mem::take(deliveries));
            self.journal.send_messages(messages, deliveries).await?;
            self.endpoints.wake.notify_one();
        }
        Ok(told)
    }

    /// The decisions that leaves are of, as far as somebody wants to be told of decisions.
    async fn decisions(
        &self,
        batch: &[OutboxItem],
    ) -> Result<HashMap<i64, DecisionSummary>, Error> {
        let wanted = |item: &&OutboxItem| {
            let wants = |one: Arc<Endpoint>| one.events.iter().any(|it| it.takes(DECISION_CREATED));
            self.endpoints.of(&item.tenant).into_iter().any(wants)
        };
        let rows = batch.iter().filter(wanted).flat_map(|item| &item.rows);
        let mut numbers: Vec<i64> = rows
            .filter_map(|row| match row {
                RowRef::Decision(number) => Some(*number),
                _ => None,
            })
            .collect();
        numbers.sort_unstable();
        let mut found = HashMap::new();
        // Numbers of one batch lie close together, but nothing says so.
        while let Some((first, last)) = numbers.first().zip(numbers.last()) {
            let page = self.database.decision_summaries(*first, *last).await?;
            let Some(end) = page.last().map(|one| one.event_no) else {
                break;
            };
            found.extend(page.into_iter().map(|one| (one.event_no, one)));
            numbers.retain(|number| *number > end);
        }
        Ok(found)
    }

    /// What a leaf tells.
    async fn notices(
        &self,
        item: &OutboxItem,
        decisions: &HashMap<i64, DecisionSummary>,
    ) -> Result<Vec<Notice>, Error> {
        let mut told = Vec::new();
        for row in &item.rows {
            match row {
                RowRef::Decision(number) => {
                    let decided = decisions.get(number);
                    told.extend(decided.map(|one| {
                        (
                            DECISION_CREATED.to_owned(),
                            Some(one.outcome),
                            decision(one),
                        )
                    }));
                }
                RowRef::Label(seq) => {
                    let row = self.database.label(*seq).await?;
                    let data = row.map(|row| label(&row, &item.object));
                    told.extend(data.map(|data| (LABEL_ADDED.to_owned(), None, data)));
                }
                RowRef::Record(record) if item.action == confirmation::ANSWERED => {
                    let answered = confirmation::told(&self.database, record).await?;
                    let event = CONFIRMATION_ANSWERED.to_owned();
                    told.extend(answered.map(|data| (event, None, data)));
                }
                _ => {}
            }
        }
        told.extend(act(item).map(|(event, data)| (event, None, data)));
        let notice =
            |(place, (event, outcome, data)): (usize, (String, Option<Outcome>, Value))| {
                let seq = item.seq.to_be_bytes();
                let place = (place as u64).to_be_bytes();
                let parts = [item.tenant.as_str().as_bytes(), &seq, &place];
                Notice {
                    id: named(&self.ids.of_parts(&parts)),
                    tenant: item.tenant.clone(),
                    event,
                    at: item.written_at,
                    outcome,
                    data,
                }
            };
        Ok(told.into_iter().enumerate().map(notice).collect())
    }
}

/// What is told of a leaf for what was done, whatever rows it has.
fn act(item: &OutboxItem) -> Option<(String, Value)> {
    let action = item.action.as_str();
    let is_security = item
        .rows
        .iter()
        .any(|row| matches!(row, RowRef::Record(record) if record.starts_with(SECURITY_ALERT)));
    let data = json!({"id": item.object, "action": action});
    match action {
        _ if is_security => (action == "alert.raise")
            .then(|| (SECURITY_ALERT_RAISED.to_owned(), json!({"id": item.object}))),
        _ if action.ends_with(MENDING) => None,
        _ if action.starts_with("payment.") && !LOOKS.contains(&action) => {
            Some((PAYMENT_ACTION.to_owned(), data))
        }
        _ => of_family(action).map(|event| (event, data)),
    }
}

/// What a leaf about an alert or a case is told as.
fn of_family(action: &str) -> Option<String> {
    let told = |(leaf, family): &(&str, &str)| {
        let act = action.strip_prefix(leaf)?;
        Some(format!("{family}{act}"))
    };
    FAMILIES.iter().find_map(told)
}

fn decision(decided: &DecisionSummary) -> Value {
    json!({
        "decision": decided.id,
        "payment_id": decided.payment_id,
        "type": decided.kind,
        "outcome": decided.outcome,
        "fraud_score": decided.fraud_score,
        "laundering_score": decided.laundering_score,
        "amount": decided.amount,
        "decided_at": decided.decided_at,
    })
}

fn label(row: &LabelRow, decision: &str) -> Value {
    json!({
        "decision": decision,
        "payment_id": row.payment_id,
        "verdict": row.verdict,
        "source": row.source,
        "occurred_at": row.occurred_at,
        "known_at": row.known_at,
    })
}

/// The name of a message: it tells neither how many there are nor of what.
fn named(bytes: &[u8; 32]) -> String {
    let start = bytes.iter().take(ID_BYTES);
    start.fold(String::from("msg_"), |id, byte| id + &format!("{byte:02x}"))
}

fn delivery(message: &MessageRow, endpoint: &Endpoint) -> DeliveryRow {
    DeliveryRow {
        message: message.id.clone(),
        endpoint: endpoint.id.clone(),
        tenant: message.tenant.clone(),
        event: message.event.clone(),
        created_at: message.created_at,
        state: DeliveryState::Waiting,
        attempts: 0,
        tries: 0,
        due_at: Some(message.created_at),
        last_at: None,
        last_status: None,
    }
}
