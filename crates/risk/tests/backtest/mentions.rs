//! Decisions found by what they name, against looking at all of them.

use crate::house::{Arrival, House};
use paywarden_domain::{Outcome, TenantId, Timestamp};
use paywarden_risk::{DecisionQuery, Engine, Mention, entity::EntityKind};
use paywarden_store::DecisionFilter;
use std::collections::BTreeMap;

/// A decision and what it names.
struct Seen {
    number: i64,
    id: String,
    outcome: Outcome,
    decided_at: Timestamp,
    rules: Vec<String>,
    entities: Vec<(EntityKind, u64)>,
}

impl Seen {
    fn names(&self, mention: &Mention) -> bool {
        match mention {
            Mention::Rule(rule) => self.rules.contains(rule),
            Mention::Entity(_, hash) => self.entities.iter().any(|(_, known)| known == hash),
        }
    }

    fn answers(&self, query: &DecisionQuery) -> bool {
        let DecisionFilter {
            outcomes, from, to, ..
        } = &query.filter;
        (outcomes.is_empty() || outcomes.contains(&self.outcome))
            && from.is_none_or(|from| self.decided_at >= from)
            && to.is_none_or(|to| self.decided_at < to)
            && query
                .mentions
                .iter()
                .all(|any| any.iter().any(|mention| self.names(mention)))
    }
}

/// Every decision, newest first, read one page after the other without any term.
async fn all(house: &House) -> Vec<Seen> {
    let mut all = Vec::new();
    let mut query = DecisionQuery {
        limit: 1,
        ..DecisionQuery::default()
    };
    loop {
        let page = house.engine.decisions(&house.tenant(), &query).await;
        let page = page.unwrap();
        let number = page.next.unwrap_or_default();
        for decision in page.decisions {
            let (engine, tenant) = (&house.engine, house.tenant());
            let noticed = engine.noticed_payment(&tenant, &decision.payment_id);
            let entities = noticed.await.unwrap().entities.into_iter();
            let results = [&decision.fraud, &decision.laundering].into_iter();
            let fired = results.flat_map(|result| result.fired.iter().chain(&result.shadow));
            all.push(Seen {
                number,
                rules: fired.map(|fired| fired.rule.clone()).collect(),
                entities: entities
                    .map(|(kind, hash)| (EntityKind::parse(kind).unwrap(), hash))
                    .collect(),
                id: decision.id.to_string(),
                outcome: decision.outcome,
                decided_at: decision.decided_at,
            });
        }
        query.filter.before = page.next;
        if page.next.is_none() {
            return all;
        }
    }
}

/// What is named, the most frequent first.
fn frequent<T: Ord + Clone>(named: impl Iterator<Item = T>) -> Vec<T> {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    named.for_each(|one| *counts.entry(one).or_default() += 1);
    let mut all: Vec<T> = counts.keys().cloned().collect();
    all.sort_by_key(|one| std::cmp::Reverse(counts[one]));
    all
}

fn rule(name: &str) -> Mention {
    Mention::Rule(name.to_owned())
}

/// Questions about what many, few and no decisions name.
fn questions(all: &[Seen]) -> Vec<DecisionQuery> {
    let rules = frequent(all.iter().flat_map(|seen| seen.rules.clone()));
    let entities = frequent(all.iter().flat_map(|seen| seen.entities.clone()));
    let [common, next, .., rare] = rules.as_slice() else {
        panic!("{rules:?}");
    };
    let entity = |(kind, hash): &(EntityKind, u64)| Mention::Entity(*kind, *hash);
    let payee = entities.iter().find(|(kind, _)| *kind == EntityKind::Payee);
    let (_, payee) = payee.unwrap();
    let (first, last) = (all.last().unwrap().decided_at, all[0].decided_at);
    let third = (last.micros() - first.micros()) / 3;
    let at = |thirds: i64| Some(Timestamp::from_micros(first.micros() + thirds * third));
    let asked = |mentions: Vec<Vec<Mention>>, filter| DecisionQuery {
        mentions,
        filter,
        limit: 0,
    };
    let every = DecisionFilter::default;
    let middle = DecisionFilter {
        from: at(1),
        to: at(2),
        ..every()
    };
    let stopped = DecisionFilter {
        outcomes: vec![Outcome::Decline, Outcome::Hold],
        ..every()
    };
    vec![
        asked(vec![vec![rule(common)]], every()),
        asked(vec![vec![rule(rare)]], every()),
        asked(vec![vec![rule(common), rule(rare)]], middle.clone()),
        asked(vec![vec![rule(common)], vec![rule(next)]], every()),
        asked(vec![vec![rule(common)]], stopped),
        asked(vec![vec![rule("no.such_rule")]], every()),
        asked(vec![vec![entity(&entities[0])]], middle),
        asked(vec![vec![entity(entities.last().unwrap())]], every()),
        asked(
            vec![vec![entity(&entities[0])], vec![rule(common)]],
            every(),
        ),
        // An account is one on both sides.
        asked(
            vec![vec![Mention::Entity(EntityKind::Account, *payee)]],
            every(),
        ),
        asked(vec![vec![Mention::Entity(EntityKind::Card, 77)]], every()),
    ]
}

/// What a question finds page by page to its end, and how many pages said how far they looked.
async fn walked(
    engine: &Engine,
    tenant: &TenantId,
    mut query: DecisionQuery,
) -> (Vec<String>, u32) {
    let (mut found, mut cut) = (Vec::new(), 0);
    for _ in 0..10_000 {
        let page = engine.decisions(tenant, &query).await.unwrap();
        let is_full = page.decisions.len() == query.limit as usize;
        assert_eq!(
            page.looked_back_to.is_some(),
            page.next.is_some() && !is_full
        );
        cut += u32::from(page.looked_back_to.is_some());
        found.extend(page.decisions.iter().map(|one| one.id.to_string()));
        assert!(
            page.next
                .is_none_or(|next| query.filter.before.is_none_or(|old| next < old))
        );
        query.filter.before = page.next;
        if page.next.is_none() {
            return (found, cut);
        }
    }
    panic!("no end of {query:?}");
}

/// Holds every question against looking at all; how many pages said how far they looked.
async fn hold(house: &House, all: &[Seen]) -> u32 {
    let (mut cut, mut hits) = (0, 0);
    for question in questions(all) {
        let expected = all.iter().filter(|seen| seen.answers(&question));
        let expected: Vec<String> = expected.map(|seen| seen.id.clone()).collect();
        hits += usize::from(!expected.is_empty());
        for limit in [9, 200] {
            let query = DecisionQuery {
                limit,
                ..question.clone()
            };
            let (found, pages) = walked(&house.engine, &house.tenant(), query).await;
            assert_eq!(found, expected, "{question:?}");
            cut += pages;
        }
        let counted = house
            .engine
            .found_statistics(&house.tenant(), &question)
            .await;
        let counted = counted.unwrap();
        let outcomes = counted.steps.iter().flat_map(|step| &step.outcomes);
        let sum: u64 = outcomes.map(|one| one.decisions).sum();
        match counted.looked_back_to {
            None => assert_eq!(sum, expected.len() as u64, "{question:?}"),
            Some(since) => {
                let newer = all.iter().filter(|seen| seen.decided_at > since);
                let newer = newer.filter(|seen| seen.answers(&question)).count() as u64;
                assert!(sum >= newer && sum <= expected.len() as u64, "{question:?}");
            }
        }
        let other = TenantId::parse("other").unwrap();
        let query = DecisionQuery {
            limit: 200,
            ..question
        };
        assert_eq!(walked(&house.engine, &other, query).await, (vec![], 0));
    }
    assert!(hits > 6, "{hits}");
    cut
}

#[tokio::test]
async fn what_decisions_name_is_found_among_all_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::lived(folder.path(), 2_200, Arrival::AtOnce).await;
    let all = all(&house).await;
    // No block yet; then two and what came since, behind a restart.
    assert_eq!(hold(&house, &all).await, 0);
    house.engine.index_mentions().await.unwrap();
    let house = house.reopened(folder.path(), 200_000).await;
    assert_eq!(hold(&house, &all).await, 0);

    // What comes behind a place, and how much passed by.
    let after = all[all.len() / 2].number;
    let question = &questions(&all)[0];
    let newer = all.iter().filter(|seen| seen.number > after);
    let newer: Vec<&Seen> = newer.filter(|seen| seen.answers(question)).collect();
    let query = DecisionQuery {
        limit: 2,
        filter: DecisionFilter {
            after: Some(after),
            ..DecisionFilter::default()
        },
        mentions: question.mentions.clone(),
    };
    let page = house
        .engine
        .decisions(&house.tenant(), &query)
        .await
        .unwrap();
    let shown: Vec<String> = page
        .decisions
        .iter()
        .map(|one| one.id.to_string())
        .collect();
    let newest: Vec<String> = newer.iter().take(2).map(|seen| seen.id.clone()).collect();
    assert_eq!((shown, page.passed_over), (newest, newer.len() as u64 - 2));

    // How far was looked is said, and goes on.
    let house = house.reopened(folder.path(), 60).await;
    let pages = hold(&house, &all).await;
    assert!(pages > 100, "{pages}");
    house.close().await;
}
