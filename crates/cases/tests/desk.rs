//! The desk against an oracle: which decisions become which alerts, and what may be done with them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails the test"
)]

use paywarden_access::{approval::Who, watch::Calendar};
use paywarden_cases::{
    Alert, AlertAct, AlertState, Cases, Close, Disposition, Entity, Error, Policy, Sighting,
    WorkQuery, Worker,
};
use paywarden_crypto::Keyring;
use paywarden_domain::{
    Currency, Decision, DecisionId, Engine, EngineResult, EventKind, FiredRule, Money, Outcome,
    PaymentId, RuleValues, TenantId, Timestamp,
    decision::Deadline,
    time::{DAY, HOUR, MINUTE},
};
use paywarden_store::{Actor, Clock, Database, Journal, JournalLimits, Verdict};
use proptest::{prelude::*, test_runner::Config};
use std::collections::BTreeMap;
use tempfile::TempDir;
use tokio::runtime::Runtime;

const START: i64 = 1_767_225_600_000_000;

#[path = "desk/index.rs"]
mod index;

struct Desk {
    cases: Cases,
    database: Database,
    journal: Journal,
    keyring: Keyring,
    _folder: TempDir,
}

impl Desk {
    async fn open() -> Self {
        Self::of(Calendar::default()).await
    }

    async fn of(calendar: Calendar) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("desk.db").display());
        let database = Database::open(&url).await.unwrap();
        let clock = Clock::System;
        let journal = Journal::start(&database, clock.clone(), JournalLimits::default()).await;
        let journal = journal.unwrap();
        let store = (database.clone(), journal.clone());
        let tables = (Policy::shipped().unwrap(), calendar);
        let keyring = Keyring::ephemeral();
        let cases = Cases::new(store, clock, &keyring, tables).unwrap();
        Self {
            cases,
            database,
            journal,
            keyring,
            _folder: folder,
        }
    }

    fn worker(&self, name: &str) -> Worker {
        let who = Who {
            tenant: tenant(),
            actor: Actor::Staff(name.to_owned()),
        };
        self.cases.worker(who, ["program"].into_iter())
    }

    async fn alerts(&self) -> Vec<Alert> {
        let worker = self.worker("reader");
        let mut alerts = Vec::new();
        let mut query = WorkQuery {
            limit: 7,
            ..WorkQuery::of(AlertState::Open)
        };
        loop {
            let page = self.cases.alerts(&worker, &query).await.unwrap();
            alerts.extend(page.items);
            query.after = page.next;
            if query.after.is_none() {
                return alerts;
            }
        }
    }
}

fn tenant() -> TenantId {
    TenantId::parse("acme").unwrap()
}

fn judged(action: Outcome, rule: &str) -> EngineResult {
    let fired = FiredRule {
        rule: format!("pack.{rule}"),
        title: rule.to_owned(),
        score: 400,
        action: Some(action),
        reason: rule.to_owned(),
        values: RuleValues::default(),
    };
    EngineResult {
        score: if action == Outcome::Approve { 0 } else { 400 },
        action,
        fired: (action != Outcome::Approve)
            .then_some(fired)
            .into_iter()
            .collect(),
        shadow: Vec::new(),
        faults: Vec::new(),
    }
}

/// A decision on a payment of a customer, so many hours after the start.
fn sighting(number: i64, customer: u64, hour: i64, actions: [Outcome; 2]) -> Sighting {
    let at = Timestamp::from_micros(START + hour * 3_600_000_000);
    let mut random = [0; 10];
    random[..8].copy_from_slice(&number.to_be_bytes());
    Sighting {
        event_no: number,
        decision: Decision {
            control: None,
            id: DecisionId::new(at, random),
            payment_id: PaymentId::parse(&format!("pay-{number}")).unwrap(),
            kind: EventKind::PaymentCard,
            occurred_at: at,
            decided_at: at,
            amount: Some(Money::new(number, Currency::parse("EUR").unwrap())),
            outcome: actions[0].max(actions[1]),
            challenge: None,
            hold_minutes: None,
            fraud: judged(actions[0], "one"),
            laundering: judged(actions[1], "two"),
            models: Vec::new(),
            reasons: Vec::new(),
            warnings: Vec::new(),
            rule_set: "v".to_owned(),
            deadline: Deadline {
                budget_ms: 80,
                used_us: 1,
                partial: false,
                skipped_rules: 0,
            },
            card: None,
        },
        entities: vec![
            Entity::new("customer", customer + 1).unwrap(),
            Entity::new("device", customer / 2 + 1).unwrap(),
        ],
    }
}

/// When the last hit of an alert was, and its hits.
type Open = (i64, Vec<i64>);

/// The alerts there must be, by hand: numbers of the decisions of each, by engine and customer.
fn expected(sightings: &[Sighting]) -> BTreeMap<(Engine, String), Vec<Vec<i64>>> {
    let mut alerts: BTreeMap<(Engine, String), Vec<Open>> = BTreeMap::new();
    for seen in sightings {
        let opens = |engine| {
            let action = match engine {
                Engine::Fraud => seen.decision.fraud.action,
                Engine::Laundering => seen.decision.laundering.action,
            };
            // A fraud declined at a score of 400 opens none.
            match engine {
                Engine::Fraud => matches!(action, Outcome::Review | Outcome::Hold),
                Engine::Laundering => action >= Outcome::Review,
            }
        };
        for (engine, window) in [(Engine::Fraud, DAY), (Engine::Laundering, 7 * DAY)] {
            if !opens(engine) {
                continue;
            }
            let at = seen.decision.decided_at.micros();
            let own = alerts
                .entry((engine, seen.entities[0].to_string()))
                .or_default();
            match own.last_mut() {
                Some((last, hits)) if at - *last <= window => {
                    *last = at.max(*last);
                    hits.push(seen.event_no);
                }
                _ => own.push((at, vec![seen.event_no])),
            }
        }
    }
    let hits = |all: Vec<Open>| all.into_iter().map(|(_, hits)| hits).collect();
    alerts
        .into_iter()
        .map(|(key, all)| (key, hits(all)))
        .collect()
}

fn found(mut alerts: Vec<Alert>) -> BTreeMap<(Engine, String), Vec<Vec<i64>>> {
    alerts.sort_by(|one, other| one.id.cmp(&other.id));
    let mut found: BTreeMap<_, Vec<Vec<i64>>> = BTreeMap::new();
    for alert in alerts {
        let hits = alert
            .payments
            .iter()
            .map(|payment| payment.event_no)
            .collect();
        found
            .entry((alert.engine, alert.subject.to_string()))
            .or_default()
            .push(hits);
    }
    found
}

fn actions() -> impl Strategy<Value = [Outcome; 2]> {
    let one = || proptest::sample::select(Outcome::ALL.to_vec());
    [one(), one()]
}

proptest! {
    #![proptest_config(Config { cases: 24, ..Config::default() })]

    #[test]
    fn decisions_become_the_alerts_that_they_must_however_often_they_come(
        drawn in proptest::collection::vec((0_u64..5, 0_i64..30, actions()), 1..40),
        again in proptest::collection::vec(0_usize..40, 0..20),
    ) {
        let mut hour = 0;
        let sightings: Vec<Sighting> = drawn.iter().zip(1..).map(|((customer, gap, actions), number)| {
            hour += gap;
            sighting(number, *customer, hour, *actions)
        }).collect();
        Runtime::new().unwrap().block_on(async {
            let desk = Desk::open().await;
            for part in sightings.chunks(7) {
                desk.cases.take(&tenant(), part).await.unwrap();
                // What was taken comes again after a crash.
                let repeated: Vec<Sighting> = again.iter()
                    .filter_map(|place| part.get(*place)).cloned().collect();
                assert_eq!(desk.cases.take(&tenant(), &repeated).await.unwrap(), 0);
            }
            let alerts = desk.alerts().await;
            let order: Vec<_> = alerts.iter().map(|alert| (alert.priority, alert.due_at)).collect();
            assert!(order.is_sorted(), "most urgent first");
            // Who shares a device is one group, as long as an alert is open: all of them are here.
            for alert in &alerts {
                let same = |other: &&Alert| other.engine == alert.engine
                    && other.entities.iter().any(|entity| alert.entities.contains(entity));
                let first = alerts.iter().filter(same).map(|other| &other.id).min().unwrap();
                assert_eq!(&alert.group, first);
            }
            assert_eq!(found(alerts), expected(&sightings));
            let verdict = desk.database.verify(None).await.unwrap();
            assert!(matches!(verdict, Verdict::Intact(_)), "{verdict:?}");
        });
    }

    #[test]
    fn alerts_move_as_the_table_of_states_says(
        acts in proptest::collection::vec((0_usize..2, 0_usize..5), 1..30),
    ) {
        Runtime::new().unwrap().block_on(async {
            let desk = Desk::open().await;
            let seen = sighting(1, 1, 0, [Outcome::Review, Outcome::Approve]);
            desk.cases.take(&tenant(), &[seen]).await.unwrap();
            let id = desk.alerts().await[0].id.clone();
            let people = ["lin", "mei"];
            let mut model = Model::default();
            for (person, act) in acts {
                let worker = desk.worker(people[person]);
                let done = perform(&desk.cases, &worker, &id, act).await;
                let name = format!("staff:{}", people[person]);
                assert_eq!(done.is_ok(), model.takes(&name, act), "{act} of {name} {done:?}");
                let alert = desk.cases.alert(&worker, &id).await.unwrap();
                assert_eq!(alert.assignee, model.assignee);
                assert_eq!(alert.state == AlertState::Closed, model.is_closed);
                assert_eq!(alert.queue == "fraud_senior", model.is_up);
                assert_eq!(alert.version, model.version);
            }
        });
    }
}

/// An alert, by hand.
#[derive(Debug)]
struct Model {
    assignee: Option<String>,
    is_closed: bool,
    is_up: bool,
    version: i64,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            assignee: None,
            is_closed: false,
            is_up: false,
            version: 1,
        }
    }
}

impl Model {
    /// Whether somebody can do this, and what comes of it.
    fn takes(&mut self, name: &str, act: usize) -> bool {
        let is_free = self.assignee.is_none();
        let is_own = self.assignee.as_deref() == Some(name);
        let can = !self.is_closed
            && match act {
                0 => is_free,
                1 => !is_free,
                2 => !self.is_up,
                3 => self.assignee.as_deref() != Some("staff:mei"),
                _ => is_free || is_own,
            };
        if can {
            self.version += 1;
            match act {
                0 => self.assignee = Some(name.to_owned()),
                1 => self.assignee = None,
                2 => (self.assignee, self.is_up) = (None, true),
                3 => self.assignee = Some("staff:mei".to_owned()),
                _ => self.is_closed = true,
            }
        }
        can
    }
}

async fn perform(cases: &Cases, worker: &Worker, id: &str, act: usize) -> Result<Alert, Error> {
    let act = match act {
        0 => AlertAct::Claim {},
        1 => AlertAct::Release {},
        2 => AlertAct::Escalate {
            reason: "large".to_owned(),
        },
        3 => AlertAct::Assign {
            to: "staff:mei".to_owned(),
        },
        _ => {
            let close = Close {
                disposition: Disposition::FalsePositive,
                reason: "known_behaviour".to_owned(),
                note: None,
            };
            return cases.close_alert(worker, (id, None), &close).await;
        }
    };
    cases.act(worker, (id, None), &act).await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_close_at_once_one_is_refused() {
    let desk = Desk::open().await;
    let seen: Vec<Sighting> = (1..=20)
        .map(|number| {
            sighting(
                number,
                number.unsigned_abs() * 2,
                0,
                [Outcome::Hold, Outcome::Approve],
            )
        })
        .collect();
    desk.cases.take(&tenant(), &seen).await.unwrap();
    let (lin, mei) = (desk.worker("lin"), desk.worker("mei"));
    for alert in desk.alerts().await {
        let (one, other) = tokio::join!(
            perform(&desk.cases, &lin, &alert.id, 4),
            perform(&desk.cases, &mei, &alert.id, 4),
        );
        let refused: Vec<Error> = [one, other].into_iter().filter_map(Result::err).collect();
        assert!(
            matches!(refused[..], [Error::Changed | Error::State(_)]),
            "{refused:?}"
        );
    }
    assert!(desk.alerts().await.is_empty());
}

/// The office works on one day of the week: a review waits for it, what is held does not.
#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_due_by_the_hours_of_the_office_or_by_the_clock() {
    let today = Clock::System.now().micros() / DAY;
    let open = today + 2;
    let date = Timestamp::from_micros(open * DAY).to_string()[..10].to_owned();
    for (holidays, day) in [(Vec::new(), open), (vec![date], open + 7)] {
        let desk = Desk::of(Calendar {
            offset_minutes: 0,
            from_hour: 0,
            to_hour: 24,
            // 1 January 1970 was a Thursday.
            weekdays: vec![((open + 3) % 7 + 1) as u8],
            holidays,
        })
        .await;
        let seen = [
            sighting(1, 1, 0, [Outcome::Review, Outcome::Approve]),
            sighting(2, 2, 0, [Outcome::Hold, Outcome::Approve]),
        ];
        desk.cases.take(&tenant(), &seen).await.unwrap();
        let now = Clock::System.now().micros();
        let due: BTreeMap<String, i64> = desk
            .alerts()
            .await
            .into_iter()
            .map(|alert| (alert.trigger, alert.due_at.micros()))
            .collect();
        assert_eq!(due["fraud_review"], day * DAY + 4 * HOUR);
        let held = now + HOUR - due["fraud_held"];
        assert!((0..MINUTE).contains(&held), "{held}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_takes_so_many_payments_and_the_next_one_opens_another() {
    let desk = Desk::open().await;
    let seen: Vec<Sighting> = (1..=450)
        .map(|number| sighting(number, 1, 0, [Outcome::Review, Outcome::Approve]))
        .collect();
    for part in seen.chunks(100) {
        desk.cases.take(&tenant(), part).await.unwrap();
    }
    let mut sizes: Vec<usize> = desk
        .alerts()
        .await
        .iter()
        .map(|alert| alert.payments.len())
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [50, 100, 100, 100, 100]);
}
