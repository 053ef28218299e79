//! What the page of an approval shows: what stands now beside what is asked for, and files of exports.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../../server/tests/api/support/mod.rs"]
mod support;

use http::StatusCode;
use serde_json::{Value, json};
use support::{Person, Sent, Setup, World, author, model_desk::Desk, payment, unique};

async fn desk() -> Desk {
    let setup = Setup {
        pages: Some(paywarden_console::pages()),
        ..Setup::default()
    };
    Desk::of(World::start(setup).await).await
}

async fn text(person: &mut Person, path: &str) -> String {
    let answer = person.get(path).await;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, StatusCode::OK, "{path} {text}");
    text
}

/// Asks for a command; the path of its approval.
async fn asked(person: &mut Person, command: Value) -> String {
    let body = json!({ "command": command, "reason": "as agreed" });
    let asked = person.post("/v1/approvals", Some(&body)).await;
    assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.json());
    format!("/approvals/{}", asked.json()["id"].as_str().unwrap())
}

/// The cells of the row with this name: what stands now, and what will be.
fn row<'t>(page: &'t str, name: &str) -> Vec<&'t str> {
    let begin = format!("<td>{name}</td>");
    let (_, rest) = page
        .split_once(&begin)
        .unwrap_or_else(|| panic!("{name}: {page}"));
    let (row, _) = rest.split_once("</tr>").unwrap();
    row.split("<td").skip(1).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_change_of_a_key_stands_what_the_key_is_now() {
    let desk = desk().await;
    let mut ann = Person::with_roles(&desk.world, "acme", &unique("ann"), &["key_custodian"]).await;
    let mut lin = Person::with_roles(&desk.world, "acme", &unique("lin"), &["auditor"]).await;
    let mut kim = Person::with_roles(&desk.world, "acme", &unique("kim"), &["rule_approver"]).await;
    let key = desk
        .world
        .signer("acme", paywarden_crypto::SignatureAlgorithm::Ed25519)
        .await;
    let network = "203.0.113.0/24".parse().unwrap();
    let bound = desk
        .world
        .registry
        .bind(author(), &key.key_id, vec![network], None);
    bound.await.unwrap();
    let bind = json!({ "key_id": key.key_id, "networks": ["198.51.100.0/24"] });
    let path = asked(&mut ann, json!({ "key_change": { "bind": bind } })).await;
    let page = text(&mut lin, &path).await;
    let cells = row(&page, "Networks");
    assert!(
        cells[0].contains("203.0.113.0/24") && cells[0].contains("gone"),
        "{cells:?}"
    );
    assert!(
        cells[1].contains("198.51.100.0/24") && cells[1].contains("come"),
        "{cells:?}"
    );
    // Whoever may not see keys is shown what is asked for alone.
    let page = text(&mut kim, &path).await;
    assert!(
        page.contains("198.51.100.0/24") && !page.contains("203.0.113.0/24"),
        "{page}"
    );

    let revoke = json!({ "key_change": { "revoke": { "key_id": key.key_id } } });
    let path = asked(&mut ann, revoke).await;
    let page = text(&mut lin, &path).await;
    let cells = row(&page, "Scopes");
    assert!(
        cells[0].contains("decisions:write") && cells[1].contains("None"),
        "{cells:?}"
    );
    let rotate = json!({ "rotate": { "key_id": key.key_id, "overlap_hours": 24 } });
    let path = asked(&mut ann, json!({ "key_change": rotate })).await;
    let page = text(&mut lin, &path).await;
    for cell in row(&page, "Scopes") {
        assert!(
            cell.contains("decisions:write") && !cell.contains("gone"),
            "{cell}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_the_release_of_a_model_stands_the_one_that_decides() {
    let mut desk = desk().await;
    let mut roy = Person::with_roles(&desk.world, "acme", &unique("roy"), &["rule_author"]).await;
    let mut lin = Person::with_roles(&desk.world, "acme", &unique("lin"), &["auditor"]).await;
    let next = desk.registered(2_000.0).await;
    let chances = |ppm| json!({ "chances": [{ "from_ppm": ppm, "action": "review" }] });
    let release = json!({ "engine": "fraud", "model": next, "policy": chances(700_000) });
    let first = asked(&mut roy, json!({ "model_release": release })).await;
    let page = text(&mut lin, &first).await;
    let cells = row(&page, "Model");
    assert!(
        cells[0].contains("None") && cells[1].contains(&next),
        "{cells:?}"
    );

    let live = desk
        .released(1_000.0, chances(500_000), json!({ "one_in": 200 }))
        .await;
    let page = text(&mut lin, &first).await;
    let cells = row(&page, "Model");
    assert!(
        cells[0].contains(&live) && cells[1].contains(&next),
        "{cells:?}"
    );
    let cells = row(&page, "Policy of the model");
    assert!(
        cells[0].contains("500000") && cells[1].contains("700000"),
        "{cells:?}"
    );
    // What the release does not name ends with the model before.
    let cells = row(&page, "Control group");
    assert!(
        cells[0].contains("200") && cells[1].contains("None"),
        "{cells:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn files_hold_what_lists_show_and_a_line_narrows_decisions() {
    let mut desk = desk().await;
    let mut lin = Person::with_roles(&desk.world, "acme", &unique("lin"), &["auditor"]).await;
    let mut amy = Person::with_roles(&desk.world, "acme", &unique("amy"), &["aml_officer"]).await;
    for number in 0..3 {
        let mut payment = payment(&format!("pay-{number}"));
        if number == 1 {
            payment["type"] = json!("payment.transfer");
        }
        let (status, decided) = desk.ask(Sent::decision(&payment)).await;
        assert_eq!(status, StatusCode::OK, "{decided}");
    }
    let cases = [
        ("decisions", "?q=type%3Apayment.transfer", 2),
        ("decisions", "", 4),
        ("approvals", "", 0),
        ("rules", "", 0),
        ("security_alerts", "", 1),
        ("ratings", "", 1),
        ("screening_alerts", "", 1),
    ];
    for (collection, line, lines) in cases {
        let person = match collection {
            "ratings" | "screening_alerts" => &mut amy,
            _ => &mut lin,
        };
        let export = json!({ "export": { "collection": collection, "rows": 50 } });
        let body = json!({ "command": export, "reason": "for the supervisor" });
        let asked = person.post("/v1/approvals", Some(&body)).await.json();
        let id = asked["id"].as_str().unwrap().to_owned();
        let file = format!("/exports/files/{id}/{collection}.csv{line}");
        // Nothing before others have voted and it is carried out.
        let early = String::from_utf8_lossy(&person.get(&file).await.body).into_owned();
        assert!(early.lines().count() <= 1, "{collection} {early}");
        desk.vote(&id, &asked["payload_sha256"]).await;
        let purpose = json!({ "purpose": "aml_compliance" });
        let execution = format!("/v1/approvals/{id}/execution");
        let done = person.post(&execution, Some(&purpose)).await;
        assert_eq!(done.status, StatusCode::OK, "{:?}", done.json());
        let csv = text(person, &file).await;
        let count = csv.lines().count();
        assert!(
            count == lines || (lines == 0 && count > 1),
            "{collection}{line} {csv}"
        );
        let json = text(person, &file.replace(".csv", ".jsonl")).await;
        assert_eq!(json.lines().count(), count - 1, "{collection} {json}");
        // The file is whose export it is.
        let other = if collection == "ratings" {
            &mut lin
        } else {
            &mut amy
        };
        if !matches!(collection, "screening_alerts") {
            let stolen = String::from_utf8_lossy(&other.get(&file).await.body).into_owned();
            assert!(stolen.lines().count() <= 1, "{collection} {stolen}");
        }
    }
}
