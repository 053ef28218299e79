//! Decisions that each open one alert, and alerts as such decisions open them: every part follows
//! from a number.

use super::failed;
use crate::failure::Result;
use paywarden_cases::{Alert, AlertPayment, Entity, Priority, Sighting};
use paywarden_domain::{
    Currency, Decision, DecisionId, Engine, EngineResult, EventKind, FiredRule, Money, Outcome,
    PaymentId, RuleValues, Timestamp,
    decision::Deadline,
    time::{MINUTE, SECOND},
};

/// When the first payment was decided.
const START: i64 = 1_767_225_600 * SECOND;

/// What an alert is opened by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    engine: Engine,
    action: Outcome,
    score: u16,
}

/// Every kind that the shipped policy has a queue and a priority for.
pub(super) const KINDS: [Kind; 5] = [
    Kind {
        engine: Engine::Fraud,
        action: Outcome::Hold,
        score: 700,
    },
    Kind {
        engine: Engine::Fraud,
        action: Outcome::Review,
        score: 400,
    },
    Kind {
        engine: Engine::Fraud,
        action: Outcome::Decline,
        score: 950,
    },
    Kind {
        engine: Engine::Laundering,
        action: Outcome::Hold,
        score: 800,
    },
    Kind {
        engine: Engine::Laundering,
        action: Outcome::Review,
        score: 400,
    },
];

impl Kind {
    /// That of the decision with this number.
    pub(super) fn of(number: u32) -> Self {
        let mixed = number.wrapping_mul(0x9e37_79b1) >> 16;
        KINDS[mixed as usize % KINDS.len()]
    }

    /// Whether an alert was opened by such a decision.
    pub(super) fn opened(self, alert: &Alert) -> bool {
        (alert.queue.as_str(), alert.priority) == self.found()
    }

    /// Where the shipped policy puts its alert, and how urgent that is.
    pub(super) fn found(self) -> (&'static str, Priority) {
        match (self.engine, self.action) {
            (Engine::Fraud, Outcome::Hold) => ("fraud", Priority::High),
            (Engine::Fraud, Outcome::Review) => ("fraud", Priority::Medium),
            (Engine::Fraud, _) => ("fraud", Priority::Low),
            (Engine::Laundering, Outcome::Review) => ("laundering", Priority::Medium),
            (Engine::Laundering, _) => ("laundering", Priority::High),
        }
    }

    fn judged(self, engine: Engine) -> EngineResult {
        let own = engine == self.engine;
        let fired = FiredRule {
            rule: "pack.rule".to_owned(),
            title: "Rule".to_owned(),
            score: self.score,
            action: Some(self.action),
            reason: "reason".to_owned(),
            values: RuleValues::default(),
        };
        EngineResult {
            score: if own { self.score } else { 0 },
            action: if own { self.action } else { Outcome::Approve },
            fired: own.then_some(fired).into_iter().collect(),
            shadow: Vec::new(),
            faults: Vec::new(),
        }
    }
}

/// The customer of the decision with this number; nobody else's.
pub(super) fn customer(number: u32) -> Result<Entity> {
    Entity::new("customer", u64::from(number) + 1).map_err(failed)
}

/// The decision with this number; three in a row share a device.
pub(super) fn sighting(number: u32) -> Result<Sighting> {
    let kind = Kind::of(number);
    let at = Timestamp::from_micros(START + i64::from(number) * MINUTE);
    let mut random = [0; 10];
    random[..4].copy_from_slice(&number.to_be_bytes());
    let device = Entity::new("device", u64::from(number / 3) + 1).map_err(failed)?;
    let amount = Money::new(1_234, Currency::parse("EUR").map_err(failed)?);
    Ok(Sighting {
        event_no: i64::from(number) + 1,
        decision: Decision {
            control: None,
            id: DecisionId::new(at, random),
            payment_id: PaymentId::parse(&format!("pay-{number}")).map_err(failed)?,
            kind: EventKind::PaymentTransfer,
            occurred_at: at,
            decided_at: at,
            amount: Some(amount),
            outcome: kind.action,
            challenge: None,
            hold_minutes: None,
            fraud: kind.judged(Engine::Fraud),
            laundering: kind.judged(Engine::Laundering),
            models: Vec::new(),
            reasons: Vec::new(),
            warnings: Vec::new(),
            rule_set: "bench".to_owned(),
            deadline: Deadline {
                budget_ms: 80,
                used_us: 1,
                partial: false,
                skipped_rules: 0,
            },
            card: None,
        },
        entities: vec![customer(number)?, device],
    })
}

/// The alert of the decision with this number, like one that was opened by another of its kind, due
/// within a day of it.
pub(super) fn alike(number: u32, opened: &Alert) -> Result<Alert> {
    let Sighting {
        event_no,
        decision,
        entities,
    } = sighting(number)?;
    let later = i64::from(number.wrapping_mul(0x85eb_ca6b) >> 8) * (MINUTE / 10_000);
    let id = format!("alr_{:016x}{number:08x}", opened.opened_at.micros());
    Ok(Alert {
        version: 0,
        group: id.clone(),
        id,
        subject: customer(number)?,
        due_at: Timestamp::from_micros(opened.due_at.micros() + later),
        entities,
        payments: vec![AlertPayment {
            payment_id: decision.payment_id,
            decision: decision.id,
            event_no,
            amount: decision.amount,
            decided_at: decision.decided_at,
        }],
        ..opened.clone()
    })
}
