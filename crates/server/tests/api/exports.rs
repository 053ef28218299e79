//! Rows in bulk: so many a day to whoever looks, and beyond that by an approved export alone.

use crate::{
    cases::RULES,
    support::{Client, Sent, Setup, Signer, World, payment},
};
use http::Method;
use paywarden_access::{Scope, Scopes};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_server::Limits;
use serde_json::{Value, json};

const ROWS_A_DAY: u64 = 4;

/// An installation of few rows a day, one who takes data out and one who approves.
struct Desk {
    world: World,
    client: Client,
    taker: Signer,
    checker: Signer,
}

impl Desk {
    async fn open() -> Self {
        let limits = Limits {
            rows_per_reader_per_day: ROWS_A_DAY,
            ..Limits::default()
        };
        let setup = Setup {
            limits,
            rules: Some(RULES),
            ..Setup::default()
        };
        let world = World::start(setup).await;
        let votes = Scopes::of(&[Scope::ApprovalsVote, Scope::ApprovalsRead]);
        Self {
            client: world.client(true).await,
            taker: world.signer("acme", Ed25519).await,
            checker: world.signer_with("acme", Ed25519, votes).await,
            world,
        }
    }

    async fn get(&mut self, path: &str) -> Value {
        let sent = Sent::new(Method::GET, path, "");
        let answer = self.client.signed(&self.taker, sent).await;
        serde_json::from_slice(&answer.body)
            .unwrap_or_else(|_| json!({ "bytes": answer.body.len() }))
    }

    async fn post(&mut self, path: &str, body: &Value) -> Value {
        let sent = Sent::json(Method::POST, path, body);
        self.client.signed(&self.taker, sent).await.json()
    }

    /// An export that was asked for, voted on and carried out.
    async fn exported(&mut self, collection: &str, rows: u64) -> String {
        let command = json!({ "export": { "collection": collection, "rows": rows } });
        let body = json!({ "command": command, "reason": "for the auditor" });
        let asked = self.post("/v1/approvals", &body).await;
        let path = format!("/v1/approvals/{}", asked["id"].as_str().unwrap());
        let vote = json!({
            "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "read it",
        });
        let sent = Sent::json(Method::POST, &format!("{path}/votes"), &vote);
        let voted = self.client.signed(&self.checker, sent).await;
        assert_eq!(voted.status, 200, "{}", voted.json());
        let purpose = json!({ "purpose": "aml_compliance" });
        let done = self.post(&format!("{path}/execution"), &purpose).await;
        assert_eq!(done["approval"]["state"], "used", "{done}");
        asked["id"].as_str().unwrap().to_owned()
    }

    /// How many rows come, page by page, until there are none or more are refused; and the code.
    async fn walk(&mut self, path: &str, member: &str, export: Option<&str>) -> (usize, String) {
        let export = export.map_or(String::new(), |id| format!("&export={id}"));
        let (mut rows, mut cursor) = (0, String::new());
        loop {
            let page = self.get(&format!("{path}?limit=3{cursor}{export}")).await;
            let Some(found) = page[member].as_array() else {
                return (rows, page["code"].as_str().unwrap().to_owned());
            };
            rows += found.len();
            let Some(next) = page["next_cursor"].as_str() else {
                return (rows, String::new());
            };
            cursor = format!("&cursor={next}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_gets_few_rows_a_day_and_more_by_an_export() {
    let mut desk = Desk::open().await;
    for number in 0..7 {
        let sent = Sent::decision(&payment(&format!("pay-{number}")));
        let decided = desk.client.signed(&desk.taker, sent).await;
        assert_eq!(decided.status, 200);
        let entry = json!({ "value": format!("v{number}"), "reason": "r" });
        let sent = Sent::json(Method::PUT, "/v1/lists/denied_cards/entries", &entry);
        assert_eq!(desk.client.signed(&desk.taker, sent).await.status, 200);
    }
    let few = usize::try_from(ROWS_A_DAY).unwrap();
    for (path, member, collection) in [
        ("/v1/decisions", "decisions", "decisions"),
        ("/v1/lists/denied_cards/entries", "entries", "lists"),
        ("/v1/trail/leaves", "leaves", "trail"),
    ] {
        let refused = "export_required".to_owned();
        assert_eq!(
            desk.walk(path, member, None).await,
            (few, refused.clone()),
            "{path}"
        );
        // Of what was asked for and no more, by the export of this collection and no other.
        let six = desk.exported(collection, 6).await;
        assert_eq!(
            desk.walk(path, member, Some(&six)).await,
            (6, refused.clone()),
            "{path}"
        );
        assert_eq!(
            desk.walk(path, member, Some(&six)).await,
            (0, refused),
            "{path}"
        );
        let all = desk.exported(collection, 100).await;
        let (rows, code) = desk.walk(path, member, Some(&all)).await;
        assert!(rows >= 7 && code.is_empty(), "{path} {rows} {code}");
        let other = if collection == "trail" {
            "lists"
        } else {
            "trail"
        };
        let other = desk.exported(other, 100).await;
        let (rows, code) = desk.walk(path, member, Some(&other)).await;
        assert_eq!(
            (rows, code.as_str()),
            (0, "approval_other_payload"),
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_front_of_a_queue_is_free_and_more_of_it_goes_by_an_export() {
    let mut desk = Desk::open().await;
    for number in 0..9 {
        let customer = format!("cust-{number}");
        let entry = json!({ "value": customer, "reason": "r" });
        let sent = Sent::json(Method::PUT, "/v1/lists/suspects/entries", &entry);
        assert_eq!(desk.client.signed(&desk.taker, sent).await.status, 200);
        let mut payment = payment(&format!("pay-{number}"));
        payment["payer"]["id"] = json!(customer);
        let sent = Sent::decision(&payment);
        assert_eq!(desk.client.signed(&desk.taker, sent).await.status, 200);
    }
    desk.world.dispatch().await;
    let queue = desk.get("/v1/alerts?limit=9").await;
    for alert in queue["alerts"].as_array().unwrap() {
        let opening = json!({ "title": "t", "typology": "mule", "alerts": [alert["id"]] });
        let opened = desk.post("/v1/cases", &opening).await;
        assert_eq!(opened["state"], "open", "{opened}");
    }
    let refused = "export_required".to_owned();
    for (path, member) in [("/v1/alerts", "alerts"), ("/v1/cases", "cases")] {
        // The first page again and again; behind it as many as may be looked at.
        for _ in 0..3 {
            let page = desk.get(&format!("{path}?limit=3")).await;
            assert_eq!(page[member].as_array().unwrap().len(), 3, "{page}");
        }
        let few = 3 + usize::try_from(ROWS_A_DAY).unwrap();
        let walked = desk.walk(path, member, None).await;
        assert_eq!(walked, (few, refused.clone()), "{path}");
        let six = desk.exported(member, 6).await;
        let walked = desk.walk(path, member, Some(&six)).await;
        assert_eq!(walked, (6, refused.clone()), "{path}");
        let all = desk.exported(member, 100).await;
        let walked = desk.walk(path, member, Some(&all)).await;
        assert_eq!(walked, (9, String::new()), "{path}");
        let other = desk.exported("trail", 100).await;
        let (rows, code) = desk.walk(path, member, Some(&other)).await;
        assert_eq!((rows, code.as_str()), (0, "approval_other_payload"));
    }
    let trail = desk.exported("trail", 1_000).await;
    let leaves = format!("/v1/trail/leaves?limit=1000&export={trail}");
    let leaves = desk.get(&leaves).await;
    let all = leaves["leaves"].as_array().unwrap().iter();
    let handed = all.filter(|leaf| leaf["action"] == "export.rows").count();
    assert!(handed >= 5, "{handed} leaves say which decisions went out");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_without_a_limit_are_taken_out_by_their_own_export_alone() {
    let mut desk = Desk::open().await;
    for number in 0..3 {
        desk.exported("lists", 5 + number).await;
    }
    for (path, member, collection) in [
        ("/v1/approvals", "approvals", "approvals"),
        ("/v1/rule-set", "rules", "rules"),
        ("/v1/security-alerts", "alerts", "security_alerts"),
        ("/v1/customer-ratings", "customers", "ratings"),
        ("/v1/screening-alerts", "alerts", "screening_alerts"),
    ] {
        // Looked at as often as one likes; by an export so many rows.
        for _ in 0..3 {
            let page = desk.get(path).await;
            assert!(page[member].is_array(), "{path} {page}");
        }
        let other = desk.exported("trail", 100).await;
        let refused = desk.get(&format!("{path}?export={other}")).await;
        assert_eq!(refused["code"], "approval_other_payload", "{path}");
        let unknown = desk.get(&format!("{path}?export=apr_none")).await;
        assert_eq!(unknown["code"], "approval_unknown", "{path}");
        let all = desk.exported(collection, 100).await;
        let by = desk.get(&format!("{path}?export={all}")).await;
        let shown = desk.get(path).await;
        assert_eq!(
            by[member].as_array().map(Vec::len),
            shown[member].as_array().map(Vec::len),
            "{path}"
        );
    }
    let two = desk.exported("approvals", 2).await;
    let (rows, code) = desk.walk("/v1/approvals", "approvals", Some(&two)).await;
    assert_eq!((rows, code.as_str()), (2, "export_required"));
    // A rule set is handed out as a whole or not at all.
    let rules = desk.get("/v1/rule-set").await["rules"]
        .as_array()
        .unwrap()
        .len() as u64;
    let few = desk.exported("rules", rules - 1).await;
    let refused = desk.get(&format!("/v1/rule-set?export={few}")).await;
    assert_eq!(refused["code"], "export_required", "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_and_an_export_are_one_readers_own_and_a_leaf_says_who_opened_it() {
    let mut desk = Desk::open().await;
    let refused = "export_required".to_owned();
    let mine = desk.exported("trail", 100).await;
    let (rows, code) = desk.walk("/v1/trail/leaves", "leaves", None).await;
    assert_eq!((rows as u64, code), (ROWS_A_DAY, refused));
    let second = desk.world.signer("acme", Ed25519).await;
    let leaves = Sent::new(Method::GET, "/v1/trail/leaves?limit=1", "");
    assert_eq!(desk.client.signed(&second, leaves).await.status, 200);
    let path = format!("/v1/trail/leaves?limit=50&export={mine}");
    let stolen = Sent::new(Method::GET, &path, "");
    let answer = desk.client.signed(&second, stolen).await;
    assert_eq!(answer.code(), "approval_forbidden");
    let all = desk.get(&path).await;
    let mut opened = all["leaves"].as_array().unwrap().iter();
    let opened = opened.find(|leaf| leaf["action"] == "export.open").unwrap();
    assert_eq!(
        (&opened["object"], &opened["approval"]),
        (&json!("trail"), &json!(mine))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn leaves_count_in_bundles_too_and_hashes_never() {
    let mut desk = Desk::open().await;
    // Two keys were made, and this is the third leaf.
    let sent = Sent::decision(&payment("pay-1"));
    assert_eq!(desk.client.signed(&desk.taker, sent).await.status, 200);
    let bundle = "/v1/trail/tile/entries/000.p/3";
    assert!(desk.get(bundle).await["bytes"].as_u64().unwrap() > 100);
    assert_eq!(desk.get(bundle).await["code"], "export_required");
    for _ in 0..3 {
        let hashes = desk.get("/v1/trail/tile/0/000.p/3").await;
        assert_eq!(hashes["bytes"], 96, "{hashes}");
    }
    let export = desk.exported("trail", 3).await;
    let by = format!("{bundle}?export={export}");
    assert!(desk.get(&by).await["bytes"].as_u64().unwrap() > 100);
    assert_eq!(desk.get(&by).await["code"], "export_required");
}
