//! The rules of laundering over transfers of AMLSim: a smoke test, which tells what is found of each
//! typology and holds nobody to it. All amounts there lie between 100 and 1,000, those of its
//! typologies no higher than others, and a typology takes weeks, at whole days: what ours look for,
//! amounts that are passed on within days, near lines, in cash, is not in it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a helper of a test fails the test, and what is found is told"
)]

mod common;

use common::outside_data;
use flate2::read::GzDecoder;
use paywarden::{
    laundering::{Lone, bug},
    tally::Ranking,
};
use paywarden_domain::{Card, CardInput, Engine, Event};
use paywarden_risk::combined;
use paywarden_rules::Scratch;
use serde_json::json;
use std::{collections::HashMap, fs::File, path::Path};

/// So many of them, which are about a quarter.
const TRANSFERS: usize = 40_000;
/// What the folder has of each typology.
const TYPOLOGIES: [&str; 6] = [
    "cycle",
    "fan_in",
    "fan_out",
    "gather_scatter",
    "random",
    "scatter_gather",
];

type Row = HashMap<String, String>;

fn rows(path: &Path) -> impl Iterator<Item = Row> + use<> {
    let reader = csv::Reader::from_reader(GzDecoder::new(File::open(path).unwrap()));
    reader.into_deserialize().map(Result::unwrap)
}

fn transfer(row: &Row) -> Event<Card> {
    let party =
        |column: &str| json!({ "id": row[column], "account": format!("A{:0>8}", row[column]) });
    let event = json!({
        "id": row["tran_id"],
        "type": "payment.transfer",
        "occurred_at": row["tran_timestamp"],
        "amount": { "value": format!("{:.2}", row["base_amt"].parse::<f64>().unwrap()), "currency": "USD" },
        "payer": party("orig_acct"),
        "payee": party("bene_acct"),
    });
    let event: Event<CardInput> = serde_json::from_value(event).unwrap();
    event.map_card(|_| Err(bug("no card"))).unwrap()
}

#[test]
fn what_rules_find_in_amlsim_is_told_by_typology() {
    let Some(folder) = outside_data("screening-aml/amlsim") else {
        return;
    };
    let labels = rows(&folder.join("labels.csv.gz"));
    let mut kinds: HashMap<String, String> = labels
        .map(|mut row| {
            (
                row.remove("tran_id").unwrap(),
                row.remove("alert_type").unwrap(),
            )
        })
        .collect();
    let labelled = kinds.len();
    let lone = Lone::new(None).unwrap();
    let (mut values, mut scratch) = (Vec::new(), Scratch::default());
    let mut ranking = Ranking::default();
    for row in rows(&folder.join("transactions.csv.gz")).take(TRANSFERS) {
        lone.decide(&transfer(&row), &mut values, &mut scratch);
        let fired = scratch.hits().fired.iter();
        let fired = fired.filter_map(|rule| lone.rules.rules().get(*rule));
        let score = combined(Engine::Laundering, fired.map(|rule| rule.score));
        ranking.add(score, kinds.remove(&row["tran_id"]).as_deref());
    }
    println!("{}", ranking.table());
    let told: HashMap<String, f64> = ranking
        .figures()
        .into_iter()
        .filter_map(|figure| Some((figure.name, figure.value?)))
        .collect();
    for rate in [5, 10, 20] {
        let alerts = told[&format!("alerts_at_{rate}_per_1000")];
        assert!(
            alerts > 0.0 && alerts <= (TRANSFERS * rate / 1_000) as f64,
            "{alerts}"
        );
        for typology in TYPOLOGIES {
            let found = told[&format!("found_{typology}_at_{rate}_per_1000")];
            assert!((0.0..=1.0).contains(&found), "{typology}: {found}");
        }
    }
    assert!(kinds.len() < labelled, "no transfer was one of a typology");
}
