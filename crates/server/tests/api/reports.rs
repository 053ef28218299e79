//! Reports from draft to acknowledgement, and that nobody else learns of them.

use crate::support::{Client, Sent, Setup, Signer, World, unique};
use http::{Method, StatusCode};
use paywarden_access::{Scope, Scopes};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_server::api::{Route, program_routes};
use serde_json::{Value, json};

const SAMPLE: &str = include_str!("../../../filings/tests/reports/us_bsa.json");
/// Large values, and what their files have.
const LARGE: [(&str, &str); 2] = [
    (
        include_str!("../../../filings/tests/reports/us_bsa_large.json"),
        "<fc2:FormTypeCode>CTRX<",
    ),
    (
        include_str!("../../../filings/tests/reports/cn_pboc_large.json"),
        "<CRCD>0501<",
    ),
];
/// What of the sample only those may see who may read reports.
const SECRETS: [&str; 4] = ["SAR-2026-0001", "Shell Trading", "cas_42", "Zoe Quick"];

/// A report of the sample with a reference of its own.
pub fn sample(reference: &str) -> Value {
    let mut report: Value = serde_json::from_str(SAMPLE).unwrap();
    report["reference"] = json!(reference);
    json!({ "report": report })
}

/// What another tenant asks of a route of reports, and what it may get.
pub fn walk(route: &Route, report: &str) -> (Sent, &'static str) {
    let path = route.path.replace("{id}", report);
    let put = json!({ "report": sample("own")["report"], "version": 1 });
    let body = match (route.method.as_str(), route.path) {
        ("GET", "/v1/reports" | "/v1/report-profiles") => {
            return (Sent::new(Method::GET, &path, ""), "own");
        }
        ("GET", _) => return (Sent::new(Method::GET, &path, ""), "report_unknown"),
        ("POST", "/v1/report-runs") => {
            let body = json!({ "day": "2026-01-31", "dry_run": true });
            return (
                Sent::json(Method::POST, &path, &body),
                "report_profile_unknown",
            );
        }
        ("POST", "/v1/reports") => {
            return (Sent::json(Method::POST, &path, &sample("own")), "drafted");
        }
        ("PUT", _) => return (Sent::json(Method::PUT, &path, &put), "report_unknown"),
        (_, "/v1/reports/{id}/filing") => json!({ "at": "2026-03-06T00:00:00Z" }),
        (_, "/v1/reports/{id}/acknowledgement") => json!({ "accepted": true, "reference": "r" }),
        (_, _) => json!({ "relation": "amendment", "reference": "own-2" }),
    };
    (Sent::json(Method::POST, &path, &body), "report_unknown")
}

struct Desk {
    world: World,
    client: Client,
    writer: Signer,
    checker: Signer,
}

impl Desk {
    async fn open() -> Self {
        let world = World::start(Setup::default()).await;
        Self::of(world).await
    }

    async fn of(world: World) -> Self {
        let may = [
            Scope::ReportsRead,
            Scope::ReportsWrite,
            Scope::ApprovalsRead,
            Scope::ApprovalsRequest,
            Scope::ApprovalsVote,
            Scope::TrailRead,
        ];
        let writer = world.signer_with("acme", Ed25519, Scopes::of(&may)).await;
        let checker = world.signer_with("acme", Ed25519, Scopes::of(&may)).await;
        let client = world.client(true).await;
        Self {
            world,
            client,
            writer,
            checker,
        }
    }

    async fn send(&mut self, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
        let answer = self
            .client
            .signed(&self.writer, Sent::json(method, path, body))
            .await;
        (answer.status, answer.json())
    }

    async fn post(&mut self, path: &str, body: &Value) -> (StatusCode, Value) {
        self.send(Method::POST, path, body).await
    }

    async fn get(&mut self, path: &str) -> Value {
        let sent = Sent::new(Method::GET, path, "");
        let answer = self.client.signed(&self.writer, sent).await;
        assert!(answer.status.is_success(), "{path} {}", answer.json());
        answer.json()
    }

    async fn draft(&mut self, reference: &str) -> Value {
        let (status, view) = self.post("/v1/reports", &sample(reference)).await;
        assert_eq!(status, StatusCode::CREATED, "{view}");
        view
    }

    async fn ask(&mut self, report: &Value) -> (StatusCode, Value) {
        let filing = json!({ "report": report["id"], "content_sha256": report["content_sha256"] });
        let body = json!({ "command": { "report_filing": filing }, "reason": "complete" });
        self.post("/v1/approvals", &body).await
    }

    async fn vote(&mut self, asked: &Value) -> Value {
        let path = format!("/v1/approvals/{}/votes", asked["id"].as_str().unwrap());
        let vote = json!({
            "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "read it",
        });
        let sent = Sent::json(Method::POST, &path, &vote);
        self.client.signed(&self.checker, sent).await.json()
    }

    async fn execute(&mut self, asked: &Value) -> (StatusCode, Value) {
        let path = format!("/v1/approvals/{}/execution", asked["id"].as_str().unwrap());
        self.post(&path, &json!({ "purpose": "filing" })).await
    }

    async fn export(&mut self, id: &str) -> (StatusCode, String) {
        let sent = Sent::new(Method::GET, &format!("/v1/reports/{id}/export"), "");
        let answer = self.client.signed(&self.writer, sent).await;
        (
            answer.status,
            String::from_utf8(answer.body.to_vec()).unwrap(),
        )
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_filed_as_it_was_approved_by_another() {
    let mut desk = Desk::open().await;
    let mut faulty = sample("SAR-2026-0001");
    faulty["report"]["narrative"] = json!("");
    let (_, drafted) = desk.post("/v1/reports", &faulty).await;
    let id = drafted["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/reports/{id}");
    let faults = desk.get(&format!("{path}/faults")).await;
    assert_eq!(faults["faults"][0]["path"], "/narrative");
    assert_eq!(desk.ask(&drafted).await.1["code"], "report_faulty");

    // Of two who write at once the later one has not seen the other.
    let mut whole = sample("SAR-2026-0001");
    whole["version"] = json!(1);
    let (status, second) = desk.send(Method::PUT, &path, &whole).await;
    assert_eq!(
        (status, &second["version"]),
        (StatusCode::OK, &json!(2)),
        "{second}"
    );
    let late = desk.send(Method::PUT, &path, &whole).await;
    assert_eq!(late.1["code"], "report_state");

    // What was approved is the content, not the identifier.
    assert_eq!(desk.ask(&drafted).await.1["code"], "report_state");
    let (status, asked) = desk.ask(&second).await;
    assert_eq!(status, StatusCode::CREATED, "{asked}");
    assert_eq!(desk.execute(&asked).await.1["code"], "approval_votes");
    assert_eq!(desk.export(&id).await.0, StatusCode::CONFLICT);
    assert_eq!(desk.vote(&asked).await["count"]["counted"], 1);
    let (status, done) = desk.execute(&asked).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    let (status, file) = desk.export(&id).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        file.contains("<fc2:TotalSuspiciousAmountText>18141<"),
        "{file}"
    );
    assert!(file.contains("Q &amp; A &lt;Quick&gt;"));

    filed_and_amended(desk, &id).await;
}

/// Large values: the golden files of the crate that writes them, by the same way as any report.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_value_is_handed_out_in_the_format_of_its_unit() {
    let mut desk = Desk::open().await;
    for (report, form) in LARGE {
        let report: Value = serde_json::from_str(report).unwrap();
        let mut faulty = json!({ "report": report });
        faulty["report"]["transactions"][1]["at"] = json!("2026-02-01T00:00:00Z");
        let (_, drafted) = desk.post("/v1/reports", &faulty).await;
        let path = format!("/v1/reports/{}", drafted["id"].as_str().unwrap());
        let faults = desk.get(&format!("{path}/faults")).await;
        let mut faults = faults["faults"].as_array().unwrap().iter();
        assert!(faults.any(|one| one["path"] == "/transactions/1/at" && one["code"] == "date"));
        let whole = json!({ "report": report, "version": 1 });
        let (_, whole) = desk.send(Method::PUT, &path, &whole).await;
        let (status, asked) = desk.ask(&whole).await;
        assert_eq!(status, StatusCode::CREATED, "{asked}");
        desk.vote(&asked).await;
        desk.execute(&asked).await;
        let (status, file) = desk.export(whole["id"].as_str().unwrap()).await;
        assert_eq!(status, StatusCode::OK, "{file}");
        assert!(file.contains(form), "{file}");
    }
}

/// What becomes of an approved report.
async fn filed_and_amended(mut desk: Desk, id: &str) {
    let path = format!("/v1/reports/{id}");
    let list = desk.get("/v1/reports").await;
    assert_eq!(list["reports"][0]["due"]["day"], "2026-04-01");
    assert_eq!(
        (&list["reports"][0]["state"], &list["reports"][0]["overdue"]),
        (&json!("approved"), &json!(true))
    );
    let counted = (
        desk.world.metric("paywarden_reports_open").await,
        desk.world.metric("paywarden_reports_overdue").await,
    );
    assert_eq!(counted, (1, 1));
    let filed = json!({ "at": "2026-03-06T12:00:00Z", "reference": "31000055053784" });
    let (_, view) = desk.post(&format!("{path}/filing"), &filed).await;
    assert_eq!(
        (&view["state"], &view["overdue"]),
        (&json!("filed"), &json!(false)),
        "{view}"
    );
    assert_eq!(desk.world.metric("paywarden_reports_open").await, 0);
    // Written again as it was on the day of filing.
    assert!(
        desk.export(id)
            .await
            .1
            .contains("<fc2:FilingDateText>20260306<")
    );
    let said = json!({ "accepted": false, "reference": "31000055053784", "note": "C21" });
    let (_, view) = desk.post(&format!("{path}/acknowledgement"), &said).await;
    assert_eq!(view["state"], "rejected");

    let amended = json!({ "relation": "amendment", "reference": "SAR-2026-0001-A" });
    let (status, amendment) = desk.post(&format!("{path}/amendment"), &amended).await;
    assert_eq!(
        (status, &amendment["amends"]),
        (StatusCode::CREATED, &json!(id)),
        "{amendment}"
    );
    let Desk { world, .. } = desk;
    let mut desk = Desk::of(world.restart(Setup::default()).await).await;
    let amendment = desk
        .get(&format!(
            "/v1/reports/{}",
            amendment["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(
        amendment["report"]["earlier"]["reference"],
        "31000055053784"
    );
    assert_eq!(desk.world.metric("paywarden_reports_open").await, 1);
    leaves_and_no_names(&mut desk, id).await;
}

/// Every step is a leaf, and the store names nobody.
async fn leaves_and_no_names(desk: &mut Desk, id: &str) {
    let leaves = desk.get("/v1/trail/leaves?limit=1000").await;
    let steps: Vec<&str> = leaves["leaves"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|leaf| leaf["object"] == id)
        .filter_map(|leaf| leaf["action"].as_str())
        .filter(|action| action.starts_with("report."))
        .collect();
    assert_eq!(
        steps,
        [
            "report.draft",
            "report.redraft",
            "report.approve",
            "report.export",
            "report.file",
            "report.export",
            "report.acknowledge"
        ]
    );
    for file in ["paywarden.db", "paywarden.db-wal"] {
        let bytes = std::fs::read(desk.world.folder_file(file)).unwrap_or_default();
        for secret in SECRETS {
            let found = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} in {file}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn references_are_given_once_and_who_wrote_a_report_does_not_approve_it() {
    let mut desk = Desk::open().await;
    let drafted = desk.draft("once").await;
    assert_eq!(
        desk.post("/v1/reports", &sample("once")).await.1["code"],
        "report_reference_taken"
    );
    let mut unknown = sample("twice");
    unknown["report"]["profile"] = json!("atlantis");
    assert_eq!(
        desk.post("/v1/reports", &unknown).await.1["code"],
        "report_profile_unknown"
    );
    // Whoever checks has written a line of it.
    let mut mine = sample("once");
    mine["version"] = drafted["version"].clone();
    let path = format!("/v1/reports/{}", drafted["id"].as_str().unwrap());
    let sent = Sent::json(Method::PUT, &path, &mine);
    let second = desk.client.signed(&desk.checker, sent).await.json();
    let (_, asked) = desk.ask(&second).await;
    assert_eq!(desk.vote(&asked).await["code"], "approval_by_maker");
    let profiles = desk.get("/v1/report-profiles").await;
    assert!(profiles["profiles"].to_string().contains("31 CFR 1022.320"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_without_the_scope_learns_that_there_is_a_report() {
    let mut desk = Desk::open().await;
    let drafted = desk.draft("SAR-2026-0001").await;
    let (_, asked) = desk.ask(&drafted).await;
    let (report, approval) = (
        drafted["id"].as_str().unwrap(),
        asked["id"].as_str().unwrap(),
    );
    // Everything but reports, the trail and the alerts about staff.
    let without = [
        Scope::ReportsRead,
        Scope::ReportsWrite,
        Scope::TrailRead,
        Scope::SecurityRead,
    ];
    let all = Scope::ALL
        .into_iter()
        .filter(|scope| !without.contains(scope));
    let scopes = Scopes::of(&all.collect::<Vec<_>>());
    let curious = desk.world.signer_with("acme", Ed25519, scopes).await;
    tell_nothing(&mut desk, &curious, &asked, [report, approval]).await;
    let asks = |path: &str| Sent::new(Method::GET, path, "");
    let one = desk
        .client
        .signed(&curious, asks(&format!("/v1/approvals/{approval}")))
        .await;
    let none = desk
        .client
        .signed(&curious, asks("/v1/approvals/apr_none"))
        .await;
    assert_eq!((one.status, one.code()), (none.status, none.code()));
    let page = desk
        .client
        .signed(&curious, asks("/v1/approvals?command=report_filing"))
        .await;
    assert_eq!(page.json()["approvals"], json!([]));
    for (step, body) in [
        (
            "votes",
            json!({ "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "r" }),
        ),
        ("withdrawal", json!({ "reason": "r" })),
        ("execution", json!({ "purpose": "p" })),
        ("review", json!({ "finding": "justified", "note": "n" })),
    ] {
        let path = format!("/v1/approvals/{approval}/{step}");
        let answer = desk
            .client
            .signed(&curious, Sent::json(Method::POST, &path, &body))
            .await;
        assert_eq!(answer.code(), "approval_unknown", "{step}");
    }
    let seen = desk.get("/v1/approvals").await;
    assert_eq!(seen["approvals"][0]["command"], "report_filing");
}

/// Walks every route with both identifiers and looks for them, and for what the report says.
async fn tell_nothing(desk: &mut Desk, curious: &Signer, asked: &Value, ids: [&str; 2]) {
    let [report, approval] = ids;
    for route in program_routes().filter(|route| route.scope.is_some()) {
        for id in ids {
            let path = route
                .path
                .split('/')
                .map(|part| match part.starts_with('{') {
                    true => id,
                    false => part,
                });
            let path = path.collect::<Vec<_>>().join("/");
            let body = match *route.method {
                Method::GET => String::new(),
                _ => json!({ "purpose": "aml_compliance", "reason": "r", "note": "n", "finding": "justified", "vote": "approve", "payload_sha256": asked["payload_sha256"] }).to_string(),
            };
            let sent = Sent::new(route.method.clone(), &path, body)
                .header("idempotency-key", &unique("k"));
            let answer = desk.client.signed(curious, sent).await;
            let text = String::from_utf8_lossy(&answer.body);
            let is_told = SECRETS.iter().any(|secret| text.contains(secret));
            assert!(
                !is_told && !text.contains(report) && !text.contains(approval),
                "{} {path}: {text}",
                route.method
            );
        }
    }
}
