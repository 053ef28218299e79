//! The watch against people who read too much, who would rather not be seen, and a process that
//! ends at the wrong moment.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use paywarden_access::{
    Watch,
    staff::{Member, Status},
    watch::{
        Alert, AlertFilter, Calendar, Effect, Error, Settings, Severity, State, Subject, Visit,
        access::Kind,
    },
};
use paywarden_domain::{Currency, TenantId};
use paywarden_rules::{Pack, Rates, RuleSet, compile};
use paywarden_store::Actor;
use std::{collections::HashSet, fs, path::Path, sync::Arc};
use support::*;

/// The rules that are shipped.
fn shipped() -> RuleSet {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules/security");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let packs = files.map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        Pack::parse(name, &fs::read_to_string(&path).unwrap()).unwrap()
    });
    rules_of(&packs.collect::<Vec<_>>())
}

fn rules_of(packs: &[Pack]) -> RuleSet {
    compile(packs, &Rates::new(Currency::parse("USD").unwrap()), "test").unwrap()
}

fn settings(rules: RuleSet) -> Settings {
    Settings {
        rules,
        calendar: Calendar::default(),
        inside: Vec::new(),
        effect_max: Effect::Suspend,
    }
}

async fn open(house: &House, settings: Settings) -> Watch {
    let (db, log) = (house.database.clone(), house.journal.clone());
    let staff = Arc::clone(&house.staff);
    Watch::open(
        db,
        log,
        &house.keyring,
        house.clock.clone(),
        staff,
        settings,
    )
    .await
    .unwrap()
}

fn read(actor: Actor, subject: &str) -> Visit {
    Visit {
        tenant: tenant(),
        actor,
        kind: Kind::Read,
        route: "GET /v1/decisions/{id}".to_owned(),
        object: format!("dec_{subject}"),
        refusal: None,
        count: 1,
        subject: Subject::Outside(subject.to_owned()),
        ground: None,
        from: [10, 1, 2, 3].into(),
        session: None,
        roles: "analyst".to_owned(),
        is_sensitive: false,
    }
}

fn refused(actor: Actor, kind: Kind, refusal: &'static str) -> Visit {
    Visit {
        kind,
        route: "POST /v1/session/proof".to_owned(),
        object: String::new(),
        refusal: Some(refusal),
        subject: Subject::Nobody,
        ..read(actor, "")
    }
}

fn staff(name: &str) -> Actor {
    Actor::Staff(name.to_owned())
}

async fn read_many(watch: &Watch, actor: &Actor, subjects: std::ops::Range<u32>) {
    for subject in subjects {
        let visit = read(actor.clone(), &subject.to_string());
        watch.recorder().note(visit).await.unwrap();
    }
}

async fn look(watch: &Watch) {
    while watch.round().await.unwrap() > 0 {}
}

async fn all(watch: &Watch, tenant: &TenantId) -> Vec<Alert> {
    let filter = AlertFilter {
        limit: 100,
        ..AlertFilter::default()
    };
    watch.desk().page(tenant, &filter).await.unwrap().alerts
}

async fn by_rule(watch: &Watch, rule: &str) -> Vec<Alert> {
    let mut alerts = all(watch, &tenant()).await;
    alerts.retain(|alert| alert.rule == rule);
    alerts
}

const SUBJECTS: &str = "staff_reading.many_subjects";

#[tokio::test]
async fn a_bulk_reader_is_told_of_once_with_the_values_and_has_to_prove_a_factor_again() {
    let house = House::new().await;
    let watch = open(&house, settings(shipped())).await;
    let (liu, _) = house.with_passkey("liu@example.com", &["analyst"]).await;
    read_many(&watch, &liu.who().actor, 0..40).await;
    look(&watch).await;
    assert_eq!(all(&watch, &tenant()).await, []);

    read_many(&watch, &liu.who().actor, 30..50).await;
    look(&watch).await;
    let alerts = all(&watch, &tenant()).await;
    let [alert] = alerts.as_slice() else {
        panic!("{alerts:?}");
    };
    assert_eq!((alert.rule.as_str(), alert.count), (SUBJECTS, 10));
    assert_eq!(
        (alert.severity, alert.effect),
        (Severity::High, Effect::StepUp)
    );
    assert_eq!(alert.actor, format!("staff:{}", liu.account.id));
    assert_eq!(alert.last_leaf - alert.first_leaf, 9);
    assert_eq!(alert.object, "dec_49");
    let value = alert
        .values
        .iter()
        .find(|seen| seen.operand.contains("distinct"));
    assert_eq!(value.unwrap().value.as_deref(), Some("50"));
    assert_eq!(watch.figures().raised, [0, 0, 1, 0]);
    // The leaves that it names are there and hold what was read.
    let leaves = house
        .database
        .trail_leaves(&tenant(), alert.first_leaf, 1)
        .await
        .unwrap();
    let leaf = paywarden_store::trail::Leaf::decode(&leaves[0]).unwrap();
    assert_eq!((leaf.action, leaf.object), ("access.read", "dec_40"));
}

#[tokio::test]
async fn a_step_up_makes_every_session_of_the_person_stale_and_no_other() {
    let house = House::new().await;
    let watch = open(&house, settings(shipped())).await;
    let (liu, mut device) = house.with_passkey("liu@example.com", &["analyst"]).await;
    let opened = house
        .by_passkey("liu@example.com", &mut device)
        .await
        .unwrap();
    let (wang, mut other) = house.with_passkey("wang@example.com", &["analyst"]).await;
    let bystander = house
        .by_passkey("wang@example.com", &mut other)
        .await
        .unwrap();
    assert_ne!(liu.account.id, wang.account.id);
    assert!(house.staff.is_fresh(&house.member(&opened)));
    read_many(&watch, &liu.who().actor, 0..41).await;
    look(&watch).await;
    assert!(!house.staff.is_fresh(&house.member(&opened)));
    assert!(house.staff.is_fresh(&house.member(&bystander)));
}

/// What slips through, as the guide says: forty subjects in an hour and a hundred and fifty in a
/// day are the work of somebody busy.
#[tokio::test]
async fn slow_and_low_stays_unseen_up_to_the_stated_thresholds() {
    let house = House::new().await;
    let watch = open(&house, settings(shipped())).await;
    let actor = staff("stf_1");
    for hour in 0..5 {
        read_many(&watch, &actor, hour * 30..(hour + 1) * 30).await;
        house.advance_s(3_601);
    }
    look(&watch).await;
    assert_eq!(all(&watch, &tenant()).await, []);
    read_many(&watch, &actor, 150..151).await;
    look(&watch).await;
    assert_eq!(
        by_rule(&watch, "staff_reading.many_subjects_day")
            .await
            .len(),
        1
    );
}

/// The same acts give the same alerts wherever the process ends: before acts were looked at,
/// between an alert and its mark, and with hits that were not written again.
#[tokio::test]
async fn a_restart_in_the_middle_loses_nothing_and_doubles_nothing() {
    let mut house = House::new().await;
    let actor = staff("stf_1");
    let watch = open(&house, settings(shipped())).await;
    read_many(&watch, &actor, 0..50).await;
    look(&watch).await;
    let first = by_rule(&watch, SUBJECTS).await;
    assert_eq!((first.len(), first[0].count), (1, 10));
    read_many(&watch, &actor, 50..70).await;
    drop(watch);
    house = house.again().await;

    let watch = open(&house, settings(shipped())).await;
    look(&watch).await;
    let second = by_rule(&watch, SUBJECTS).await;
    assert_eq!((second.len(), second[0].count), (1, 30));
    assert_eq!(second[0].id, first[0].id);
    drop(watch);

    // The mark was lost, the alert was not.
    set_mark(&house, 20).await;
    house = house.again().await;
    let watch = open(&house, settings(shipped())).await;
    look(&watch).await;
    assert_eq!(by_rule(&watch, SUBJECTS).await, second);
    drop(watch);

    // The mark has gone on, the alert was not written again.
    let (id, version) = (
        second[0].id.clone(),
        house_version(&house, &second[0].id).await,
    );
    delete_version(&house, &id, version).await;
    house = house.again().await;
    let watch = open(&house, settings(shipped())).await;
    look(&watch).await;
    let third = by_rule(&watch, SUBJECTS).await;
    assert_eq!((third.len(), third[0].count), (1, 30));
}

async fn set_mark(house: &House, seq: i64) {
    write(house, &format!("UPDATE marks SET seq = {seq}")).await;
}

async fn delete_version(house: &House, id: &str, version: i64) {
    let text = format!("DELETE FROM records WHERE id = '{id}' AND version = {version}");
    write(house, &text).await;
}

async fn house_version(house: &House, id: &str) -> i64 {
    let row = house.database.record("security_alert", id).await.unwrap();
    row.unwrap().version
}

/// Past the journal, as somebody with the file could.
async fn write(house: &House, text: &str) {
    use sqlx::Connection;
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(&house.url()).await.unwrap();
    let query = sqlx::query(sqlx::AssertSqlSafe(text.to_owned()));
    let done = query.execute(&mut connection).await.unwrap();
    assert!(done.rows_affected() > 0, "{text}");
    connection.close().await.unwrap();
}

#[tokio::test]
async fn whoever_an_alert_is_about_decides_nothing_and_closing_begins_a_new_one() {
    let house = House::new().await;
    let watch = open(&house, settings(shipped())).await;
    let (admin, _) = house
        .with_passkey("chen@example.com", &["security_administrator"])
        .await;
    let (other, _) = house
        .with_passkey("zhao@example.com", &["security_administrator"])
        .await;
    read_many(&watch, &admin.who().actor, 0..41).await;
    look(&watch).await;
    let id = by_rule(&watch, SUBJECTS).await[0].id.clone();
    let decide = async |member: &Member, state, reason: &str| {
        watch.desk().decide(member, &id, state, reason).await
    };
    for state in [State::Acknowledged, State::Closed] {
        let own = decide(&admin, state, "nothing to see").await;
        assert!(matches!(own, Err(Error::Concerned)), "{own:?}");
    }
    assert!(matches!(
        decide(&other, State::Closed, " ").await,
        Err(Error::Reason)
    ));
    assert!(matches!(
        decide(&other, State::Open, "x").await,
        Err(Error::State("open"))
    ));
    let seen = decide(&other, State::Acknowledged, "asking them")
        .await
        .unwrap();
    assert_eq!((seen.state, seen.steps.len()), (State::Acknowledged, 1));
    read_many(&watch, &admin.who().actor, 41..42).await;
    look(&watch).await;
    let closed = decide(&other, State::Closed, "a review that was agreed upon")
        .await
        .unwrap();
    assert_eq!(
        (closed.count, closed.steps[1].by.as_str()),
        (2, other.who().actor.to_string().as_str())
    );
    let again = decide(&other, State::Closed, "twice").await;
    assert!(matches!(again, Err(Error::State("closed"))), "{again:?}");

    read_many(&watch, &admin.who().actor, 42..43).await;
    look(&watch).await;
    let alerts = by_rule(&watch, SUBJECTS).await;
    let states: Vec<_> = alerts
        .iter()
        .map(|alert| (alert.state, alert.count))
        .collect();
    assert_eq!(states, [(State::Open, 1), (State::Closed, 2)]);
}

#[tokio::test]
async fn companies_share_neither_windows_nor_alerts() {
    let house = House::new().await;
    let watch = open(&house, settings(shipped())).await;
    let beta = TenantId::parse("beta").unwrap();
    for subject in 0..30 {
        for tenant in [tenant(), beta.clone()] {
            let visit = read(staff("stf_1"), &subject.to_string());
            watch
                .recorder()
                .note(Visit { tenant, ..visit })
                .await
                .unwrap();
        }
    }
    look(&watch).await;
    assert_eq!(all(&watch, &tenant()).await, []);
    read_many(&watch, &staff("stf_1"), 30..41).await;
    look(&watch).await;
    let id = by_rule(&watch, SUBJECTS).await[0].id.clone();
    assert_eq!(all(&watch, &beta).await, []);
    assert!(matches!(
        watch.desk().find(&beta, &id).await,
        Err(Error::Unknown)
    ));
    assert!(watch.desk().find(&tenant(), &id).await.is_ok());
}

#[tokio::test]
async fn a_flood_of_refusals_leaves_few_leaves_and_every_one_of_them_counts() {
    let house = House::new().await;
    let watch = open(&house, settings(shipped())).await;
    let before = house.leaves().await;
    let visit = || Visit {
        route: "GET /v1/decisions/{id}".to_owned(),
        ..refused(staff("stf_1"), Kind::Read, "decision_unknown")
    };
    for _ in 0..10_000 {
        watch.recorder().note(visit()).await.unwrap();
    }
    assert_eq!(house.leaves().await, before + 1);
    house.advance_s(10);
    watch.recorder().flush().await.unwrap();
    assert_eq!(house.leaves().await, before + 2);
    look(&watch).await;
    let alerts = by_rule(&watch, "staff_conduct.guessing").await;
    let value = alerts[0]
        .values
        .iter()
        .find(|seen| seen.operand.contains("sum"));
    assert_eq!(value.unwrap().value.as_deref(), Some("10000"));
    // What was held back is written when the process ends as well.
    watch.recorder().note(visit()).await.unwrap();
    watch.recorder().note(visit()).await.unwrap();
    watch.recorder().close().await.unwrap();
    assert_eq!(
        house.leaves().await - before,
        2 + 2 + 1 /* the alert */
    );
}

#[tokio::test]
async fn refused_factors_suspend_until_somebody_has_looked_and_a_restart_does_not_help() {
    let mut house = House::new().await;
    let watch = open(&house, settings(shipped())).await;
    let (admin, _) = house
        .with_passkey("chen@example.com", &["security_administrator"])
        .await;
    let (liu, mut device) = house.with_passkey("liu@example.com", &["analyst"]).await;
    let opened = house
        .by_passkey("liu@example.com", &mut device)
        .await
        .unwrap();
    for _ in 0..2 {
        for _ in 0..3 {
            let visit = refused(liu.who().actor, Kind::Proof, "passkey_refused");
            watch.recorder().note(visit).await.unwrap();
        }
        house.advance_s(10);
        watch.recorder().flush().await.unwrap();
    }
    look(&watch).await;
    let alerts = by_rule(&watch, "staff_sign_in.refused_proofs").await;
    assert_eq!(alerts[0].effect, Effect::Suspend);
    let status = |house: &House| {
        let account = house.staff.find(&tenant(), &liu.account.id).unwrap();
        account.status(house.clock.now())
    };
    assert_eq!(status(&house), Status::Disabled);
    assert!(house.staff.authenticate(&opened.token).is_err());
    assert!(watch.desk().is_suspended(&tenant(), &liu.account.id));
    assert!(!watch.desk().is_suspended(&tenant(), &admin.account.id));

    // Somebody enabled the account past the desk: it does not survive a restart.
    house
        .staff
        .enable(operator(), &tenant(), &liu.account.id)
        .await
        .unwrap();
    drop(watch);
    house = house.again().await;
    let watch = open(&house, settings(shipped())).await;
    look(&watch).await;
    assert_eq!(status(&house), Status::Disabled);
    let decided = watch
        .desk()
        .decide(&admin, &alerts[0].id, State::Closed, "a broken key")
        .await;
    decided.unwrap();
    assert!(!watch.desk().is_suspended(&tenant(), &liu.account.id));
}

#[tokio::test]
async fn the_last_who_could_decide_is_not_locked_out_and_an_operator_bounds_effects() {
    let house = House::new().await;
    let (admin, _) = house
        .with_passkey("chen@example.com", &["security_administrator"])
        .await;
    let refuse = async |watch: &Watch, who: Actor| {
        for _ in 0..6 {
            let visit = refused(who.clone(), Kind::Proof, "passkey_refused");
            watch.recorder().note(visit).await.unwrap();
        }
        watch.recorder().close().await.unwrap();
        look(watch).await;
        all(watch, &tenant()).await[0].effect
    };
    let watch = open(&house, settings(shipped())).await;
    assert_eq!(refuse(&watch, admin.who().actor).await, Effect::StepUp);
    let (liu, _) = house.with_passkey("liu@example.com", &["analyst"]).await;
    let bounded = Settings {
        effect_max: Effect::Alert,
        ..settings(shipped())
    };
    drop(watch);
    let watch = open(&house, bounded).await;
    assert_eq!(refuse(&watch, liu.who().actor).await, Effect::Alert);
    // Keys are left to people.
    assert_eq!(
        refuse(&watch, Actor::Key("key_1".to_owned())).await,
        Effect::Alert
    );
}

#[tokio::test]
async fn two_who_let_each_other_pass_are_both_concerned() {
    let house = House::new().await;
    let watch = open(&house, settings(shipped())).await;
    let vote = |by: &str, maker: &str| Visit {
        kind: Kind::Vote,
        route: "POST /v1/approvals/{id}/votes".to_owned(),
        object: format!("apr_{by}"),
        subject: Subject::Actor(format!("staff:{maker}")),
        ..read(staff(by), "")
    };
    for (by, maker) in [("stf_a", "stf_b"), ("stf_c", "stf_b"), ("stf_c", "stf_a")] {
        watch.recorder().note(vote(by, maker)).await.unwrap();
    }
    look(&watch).await;
    assert_eq!(by_rule(&watch, "staff_conduct.mutual_votes").await, []);
    watch.recorder().note(vote("stf_b", "stf_a")).await.unwrap();
    look(&watch).await;
    let alerts = by_rule(&watch, "staff_conduct.mutual_votes").await;
    assert_eq!(alerts.len(), 1);
    assert!(alerts[0].concerns("staff:stf_a") && alerts[0].concerns("staff:stf_b"));
    assert!(!alerts[0].concerns("staff:stf_c"));
}

/// Alerts against counting by hand.
#[tokio::test]
async fn hits_are_those_that_counting_by_hand_finds() {
    let pack = r#"
pack: test
title: Rules of this test
events: acts
rules:
  - id: subjects
    title: More than three subjects within an hour
    when: act.type == "read" && actor.distinct(subject, "1h", type == "read") > 3
    score: 100
    reason: { code: subjects, text: Subjects }
    source: test
    examples:
      - { hit: true, given: { act.type: read, 'actor.distinct(subject, "1h", type == "read")': 4 } }
      - { hit: false, given: { act.type: read, 'actor.distinct(subject, "1h", type == "read")': 3 } }
"#;
    let rules = rules_of(&[Pack::parse("test.yaml", pack).unwrap()]);
    let house = House::new().await;
    let watch = open(&house, settings(rules)).await;
    let mut state = 7_u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    let mut past: Vec<(u64, u64, i64)> = Vec::new();
    let mut expected = [0_u64; 3];
    for _ in 0..400 {
        let (actor, subject) = (random(3), random(7));
        house.advance_s(random(900));
        let visit = read(staff(&actor.to_string()), &subject.to_string());
        watch.recorder().note(visit).await.unwrap();
        let newest = house.database.last_act().await.unwrap();
        let row = house.database.acts(newest - 1, 1).await.unwrap().remove(0);
        let now = row.written_at.micros();
        past.push((actor, subject, now));
        let within = past
            .iter()
            .filter(|(a, _, at)| *a == actor && now - at < 3_600_000_000);
        let subjects: HashSet<u64> = within.map(|(_, subject, _)| *subject).collect();
        expected[actor as usize] += u64::from(subjects.len() > 3);
    }
    look(&watch).await;
    let mut found = [0_u64; 3];
    for alert in all(&watch, &tenant()).await {
        let actor: usize = alert.actor.strip_prefix("staff:").unwrap().parse().unwrap();
        found[actor] += alert.count;
    }
    assert!(expected.iter().all(|hits| *hits > 10), "{expected:?}");
    assert_eq!(found, expected);
}
