//! Approvals over the signed API: the way through, and every way around it refused.

use crate::support::{Client, Sent, Setup, Signer, World, now};
use http::{Method, StatusCode};
use paywarden_access::{Scope, Scopes};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_domain::{
    Timestamp,
    time::{DAY, HOUR},
};
use paywarden_store::{Clock, SimulatedClock};
use serde_json::{Value, json};
use std::sync::Arc;

const TRUSTED: &str = "/v1/lists/trusted_cards/entries";
const DENIED: &str = "/v1/lists/denied_cards/entries";

/// An installation whose approvals see time pass when they are told.
struct Desk {
    world: World,
    client: Client,
    clock: Arc<SimulatedClock>,
    maker: Arc<Signer>,
    checker: Arc<Signer>,
    second: Arc<Signer>,
}

impl Desk {
    async fn open() -> Self {
        let clock = Arc::new(SimulatedClock::new(now(), 1));
        let setup = Setup {
            approvals_clock: Some(Clock::Simulated(Arc::clone(&clock))),
            ..Setup::default()
        };
        let world = World::start(setup).await;
        Self {
            client: world.client(true).await,
            maker: Arc::new(world.signer("acme", Ed25519).await),
            checker: Arc::new(world.signer("acme", Ed25519).await),
            second: Arc::new(world.signer("acme", Ed25519).await),
            world,
            clock,
        }
    }

    fn hours(&self, hours: i64) {
        self.clock.advance_us((hours * HOUR).unsigned_abs());
    }

    async fn send(&mut self, signer: &Signer, sent: Sent) -> (u16, Value) {
        let answer = self.client.signed(signer, sent).await;
        (answer.status.as_u16(), answer.json())
    }

    async fn post(&mut self, signer: &Signer, path: &str, body: Value) -> (u16, Value) {
        self.send(signer, Sent::json(Method::POST, path, &body))
            .await
    }

    async fn read(&mut self, path: &str) -> Value {
        let maker = self.maker.clone();
        let (status, json) = self.send(&maker, Sent::new(Method::GET, path, "")).await;
        assert_eq!(status, 200, "{path} {json}");
        json
    }

    /// Asks for a list change.
    async fn ask(&mut self, signer: &Signer, command: Value) -> Value {
        let body = json!({
            "command": command, "reason": "a customer of ours", "ticket": "OPS-1",
        });
        let (status, json) = self.post(signer, "/v1/approvals", body).await;
        assert_eq!(status, 201, "{json}");
        json
    }

    async fn vote(&mut self, signer: &Signer, asked: &Value) -> (u16, Value) {
        let body = json!({
            "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "read it",
        });
        self.post(signer, &path(asked, "votes"), body).await
    }

    /// Asked for by the maker, approved by the checker.
    async fn approved(&mut self, value: &str) -> Value {
        let (maker, checker) = (self.maker.clone(), self.checker.clone());
        let asked = self.ask(&maker, exempt(value)).await;
        let (status, json) = self.vote(&checker, &asked).await;
        assert_eq!(
            (status, &json["state"]),
            (200, &json!("approved")),
            "{json}"
        );
        json
    }

    async fn execute(&mut self, signer: &Signer, asked: &Value) -> (u16, Value) {
        let body = json!({ "purpose": "as approved" });
        self.post(signer, &path(asked, "execution"), body).await
    }

    async fn execute_refused(&mut self, asked: &Value, code: &str) -> Value {
        let maker = self.maker.clone();
        let (_, json) = self.execute(&maker, asked).await;
        assert_eq!(json["code"], code, "{json}");
        json
    }

    /// What is on the list.
    async fn listed(&mut self) -> Vec<Value> {
        let page = self.read(TRUSTED).await;
        let entries = page["entries"].as_array().unwrap();
        entries.iter().map(|entry| entry["value"].clone()).collect()
    }
}

fn path(asked: &Value, what: &str) -> String {
    format!("/v1/approvals/{}/{what}", asked["id"].as_str().unwrap())
}

/// Puts a card on a list that exempts.
fn exempt(value: &str) -> Value {
    json!({ "list_change": {
        "list": "trusted_cards", "operation": "add", "reason": "our own card",
        "values": [{ "value": value }],
    }})
}

fn code((_, json): (u16, Value)) -> String {
    json["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_exempts_takes_two_and_takes_effect_once() {
    let mut desk = Desk::open().await;
    let (maker, checker) = (desk.maker.clone(), desk.checker.clone());
    let entry = json!({ "value": "a", "reason": "our own card" });
    let bare = desk
        .send(&maker, Sent::json(Method::PUT, TRUSTED, &entry))
        .await;
    assert_eq!(code(bare), "approval_missing");

    let asked = desk.ask(&maker, exempt("a")).await;
    assert_eq!(asked["object"], "add:trusted_cards");
    let refused = desk.execute_refused(&asked, "approval_votes").await;
    assert_eq!(refused["detail"], "0 of 1 votes count");
    assert_eq!(code(desk.vote(&maker, &asked).await), "approval_by_maker");
    let mut other = asked.clone();
    other["payload_sha256"] = json!("0".repeat(64));
    assert_eq!(
        code(desk.vote(&checker, &other).await),
        "approval_other_payload"
    );
    let (status, json) = desk.vote(&checker, &asked).await;
    assert_eq!((status, &json["state"]), (200, &json!("approved")));

    // Another payload by this approval, then this one by the ordinary route, then again.
    let by = |value: &str| {
        let body = json!({ "value": value, "reason": "our own card", "approval": asked["id"] });
        Sent::json(Method::PUT, TRUSTED, &body)
    };
    assert_eq!(
        code(desk.send(&maker, by("b")).await),
        "approval_other_payload"
    );
    let (status, json) = desk.send(&maker, by("a")).await;
    assert_eq!(status, 200, "{json}");
    assert_eq!(code(desk.send(&maker, by("a")).await), "approval_used");
    desk.execute_refused(&asked, "approval_used").await;
    assert_eq!(desk.listed().await, ["a"]);

    // The leaf of the effect names the approval; the store is as its trail says.
    let leaves = desk.read("/v1/trail/leaves?limit=1000").await;
    let leaves = leaves["leaves"].as_array().unwrap();
    let effect = leaves.iter().find(|leaf| leaf["action"] == "list.add");
    assert_eq!(effect.unwrap()["approval"], asked["id"]);
    let verdict = desk.world.database.verify(None).await.unwrap();
    assert!(
        matches!(verdict, paywarden_store::Verdict::Intact(_)),
        "{verdict:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vote_of_a_revoked_key_does_not_count() {
    let mut desk = Desk::open().await;
    let approved = desk.approved("a").await;
    let checker = desk.checker.key_id.clone();
    desk.world
        .registry
        .revoke(crate::support::author(), &checker)
        .await
        .unwrap();
    let refused = desk.execute_refused(&approved, "approval_votes").await;
    assert!(
        refused["detail"]
            .as_str()
            .unwrap()
            .contains("may not approve"),
        "{refused}"
    );
    let shown = desk.read(path(&approved, "").trim_end_matches('/')).await;
    assert_eq!(
        (&shown["state"], &shown["votes"][0]["void"]),
        (&json!("open"), &json!("right"))
    );
    assert!(desk.listed().await.is_empty());

    let (maker, second) = (desk.maker.clone(), desk.second.clone());
    assert_eq!(desk.vote(&second, &approved).await.0, 200);
    assert_eq!(desk.execute(&maker, &approved).await.0, 200);
    assert_eq!(desk.listed().await, ["a"]);

    // Whoever asked is gone: nobody else can carry it out.
    let orphan = desk.ask(&maker, exempt("b")).await;
    assert_eq!(desk.vote(&second, &orphan).await.0, 200);
    desk.world
        .registry
        .revoke(crate::support::author(), &maker.key_id)
        .await
        .unwrap();
    assert_eq!(
        code(desk.execute(&second, &orphan).await),
        "approval_forbidden"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_that_nobody_used_in_time_has_expired() {
    let mut desk = Desk::open().await;
    let (approved, second) = (desk.approved("a").await, desk.second.clone());
    desk.hours(72);
    desk.execute_refused(&approved, "approval_expired").await;
    assert_eq!(
        code(desk.vote(&second, &approved).await),
        "approval_expired"
    );
    assert!(desk.listed().await.is_empty());
    let page = desk
        .read("/v1/approvals?state=expired&command=list_change")
        .await;
    assert_eq!(page["approvals"][0]["id"], approved["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_executions_at_once_exactly_one_takes_effect() {
    let mut desk = Desk::open().await;
    let approved = desk.approved("a").await;
    let mut tasks = Vec::new();
    for _ in 0..6 {
        let mut client = desk.world.client(true).await;
        let (maker, path) = (desk.maker.clone(), path(&approved, "execution"));
        let sent = Sent::json(Method::POST, &path, &json!({ "purpose": "p" }));
        tasks.push(tokio::spawn(
            async move { client.signed(&maker, sent).await },
        ));
    }
    let mut done = 0;
    for task in tasks {
        let answer = task.await.unwrap();
        match answer.status {
            StatusCode::OK => done += 1,
            _ => assert_eq!(answer.code(), "approval_used"),
        }
    }
    assert_eq!(done, 1);
    let leaves = desk.read("/v1/trail/leaves?limit=1000").await;
    let leaves = leaves["leaves"].as_array().unwrap().iter();
    let effects = leaves.filter(|leaf| leaf["action"] == "list.add");
    assert_eq!(effects.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_limits_how_often_two_approve_each_other() {
    let mut desk = Desk::open().await;
    let (one, two, third) = (
        desk.maker.clone(),
        desk.checker.clone(),
        desk.second.clone(),
    );
    let policy = desk.read("/v1/approval-policy").await;
    let text = policy["text"].as_str().unwrap();
    let command = json!({ "policy_change": {
        "replaces": policy["number"], "text": text.replace("mutual_max = 20", "mutual_max = 1"),
    }});
    let weaker = text.replacen("approvers = 1", "approvers = 0", 1);
    let weaker = json!({ "policy_change": { "replaces": 0, "text": weaker } });
    let body = json!({ "command": weaker, "reason": "r" });
    let refused = desk.post(&one, "/v1/approvals", body).await;
    assert_eq!(code(refused), "approval_command_malformed");
    let change = desk.ask(&one, command.clone()).await;
    let again = desk.ask(&one, command).await;
    for asked in [&change, &again] {
        assert_eq!(desk.vote(&third, asked).await.0, 200);
    }
    assert_eq!(desk.execute(&one, &change).await.0, 200);
    assert_eq!(
        code(desk.execute(&one, &again).await),
        "approval_policy_moved"
    );
    assert_eq!(desk.read("/v1/approval-policy").await["number"], 1);

    for (asks, votes, value, expected) in [
        (&one, &two, "a", 200),
        (&two, &one, "b", 200),
        (&one, &two, "c", 200),
        (&two, &one, "d", 403),
        (&two, &third, "e", 200),
    ] {
        let asked = desk.ask(asks, exempt(value)).await;
        let (status, json) = desk.vote(votes, &asked).await;
        assert_eq!(status, expected, "{value} {json}");
        if status == 403 {
            assert_eq!(json["code"], "approval_mutual");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenant_cannot_vote_and_a_key_without_the_scope_cannot_either() {
    let mut desk = Desk::open().await;
    let maker = desk.maker.clone();
    let asked = desk.ask(&maker, exempt("a")).await;
    let stranger = desk.world.signer("other", Ed25519).await;
    assert_eq!(code(desk.vote(&stranger, &asked).await), "approval_unknown");
    assert_eq!(
        code(desk.execute(&stranger, &asked).await),
        "approval_unknown"
    );
    let scopes = Scopes::of(&[Scope::ApprovalsRequest, Scope::ListsWrite]);
    let clerk = desk.world.signer_with("acme", Ed25519, scopes).await;
    assert_eq!(code(desk.vote(&clerk, &asked).await), "scope_insufficient");
    // Voting needs the right that the clause names too.
    let voter = [
        Scope::ApprovalsVote,
        Scope::ApprovalsRequest,
        Scope::ApprovalsRead,
    ];
    let voter = Scopes::of(&voter);
    let voter = desk.world.signer_with("acme", Ed25519, voter).await;
    let policy = json!({ "policy_change": { "replaces": 0, "text": "review_hours = 1" } });
    let change = desk.ask(&maker, policy.clone()).await;
    // Everybody is told beforehand what would come of a vote.
    assert_eq!(change["your_vote_void"], "maker");
    let path = format!("/v1/approvals/{}", change["id"].as_str().unwrap());
    let (_, seen) = desk.send(&voter, Sent::new(Method::GET, &path, "")).await;
    assert_eq!(seen["your_vote_void"], "right");
    assert_eq!(code(desk.vote(&voter, &change).await), "approval_forbidden");
    let body = json!({ "command": policy, "reason": "r" });
    let asked = desk.post(&voter, "/v1/approvals", body).await;
    assert_eq!(code(asked), "approval_forbidden");
    assert!(desk.listed().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lent_right_never_serves_whoever_asked() {
    let mut desk = Desk::open().await;
    let (maker, checker, second) = (
        desk.maker.clone(),
        desk.checker.clone(),
        desk.second.clone(),
    );
    let actor = |signer: &Signer| format!("key:{}", signer.key_id);
    let until = |days: i64| Timestamp::from_micros(now().micros() + days * DAY).to_string();
    let lend =
        |to: &Signer, days| json!({ "to": actor(to), "until": until(days), "reason": "leave" });
    let lent = "/v1/approval-delegations";
    let long = desk.post(&checker, lent, lend(&second, 40)).await;
    assert_eq!(code(long), "delegation_malformed");
    // The checker lends to the maker, and the maker lends to the second.
    for (from, to) in [(&checker, &maker), (&maker, &second)] {
        assert_eq!(desk.post(from, lent, lend(to, 1)).await.0, 201);
    }
    let asked = desk.ask(&maker, exempt("a")).await;
    for (voter, lender) in [(&maker, &checker), (&second, &maker)] {
        let body = json!({
            "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "r",
            "on_behalf_of": actor(lender),
        });
        let voted = desk.post(voter, &path(&asked, "votes"), body).await;
        assert_eq!(code(voted), "approval_by_maker");
    }
    desk.execute_refused(&asked, "approval_votes").await;

    let (status, made) = desk.post(&checker, lent, lend(&second, 1)).await;
    assert_eq!(status, 201, "{made}");
    let body = json!({
        "vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "r",
        "on_behalf_of": actor(&checker),
    });
    assert_eq!(
        desk.post(&second, &path(&asked, "votes"), body).await.0,
        200
    );
    let end = format!("{lent}/{}", made["id"].as_str().unwrap());
    let end = Sent::json(Method::DELETE, &end, &json!({ "reason": "back" }));
    assert_eq!(desk.send(&checker, end).await.0, 200);
    desk.execute_refused(&asked, "approval_votes").await;
    let all = desk.read(lent).await;
    assert_eq!(all["delegations"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::too_many_lines, reason = "one story")]
async fn an_emergency_is_told_and_reviewed_before_the_next() {
    let mut desk = Desk::open().await;
    let (maker, checker) = (desk.maker.clone(), desk.checker.clone());
    let emergency = json!({ "purpose": "p", "emergency": "payments stand still" });
    let asked = desk.ask(&maker, exempt("a")).await;
    let (status, json) = desk
        .post(&maker, &path(&asked, "execution"), emergency.clone())
        .await;
    assert_eq!(
        (status, &json["approval"]["state"]),
        (200, &json!("used")),
        "{json}"
    );
    assert_eq!(desk.world.metric("paywarden_glass_broken_total").await, 1);
    let open = desk.read("/v1/approvals?review=open").await;
    assert_eq!(open["approvals"][0]["emergency"]["overdue"], false);

    let next = desk.ask(&maker, exempt("b")).await;
    let refused = desk
        .post(&maker, &path(&next, "execution"), emergency.clone())
        .await;
    assert_eq!(code(refused), "approval_review_open");
    desk.hours(73);
    let open = desk.read("/v1/approvals?review=open").await;
    assert_eq!(open["approvals"][0]["emergency"]["overdue"], true);
    // Whoever looks after security is told, once however often it is looked for.
    for _ in 0..2 {
        desk.world.approvals.note_overdue().await.unwrap();
        desk.world.look().await;
        let alerts = desk.read("/v1/security-alerts").await;
        let all = alerts["alerts"].as_array().unwrap().iter();
        let of_it = |alert: &&Value| alert["rule"] == "staff_conduct.review_overdue";
        let told: Vec<_> = all
            .filter(of_it)
            .map(|one| (&one["object"], &one["count"]))
            .collect();
        assert_eq!(told, [(&asked["id"], &json!(1))], "{alerts}");
    }
    let overdue = desk.world.metric("paywarden_reviews_overdue").await;
    assert_eq!(overdue, 1);
    // By now the whole company waits for the review.
    let other = desk.ask(&checker, exempt("c")).await;
    let refused = desk
        .post(&checker, &path(&other, "execution"), emergency.clone())
        .await;
    assert_eq!(code(refused), "approval_review_open");

    let review = json!({ "finding": "justified", "note": "there was nobody" });
    let own = desk
        .post(&maker, &path(&asked, "review"), review.clone())
        .await;
    assert_eq!(code(own), "approval_by_maker");
    let (status, json) = desk
        .post(&checker, &path(&asked, "review"), review.clone())
        .await;
    assert_eq!(status, 200, "{json}");
    assert_eq!(
        desk.read("/v1/approvals?review=open").await["approvals"],
        json!([])
    );
    let again = desk.post(&checker, &path(&asked, "review"), review).await;
    assert_eq!(code(again), "approval_nothing_to_review");
    let (status, _) = desk
        .post(&checker, &path(&other, "execution"), emergency)
        .await;
    assert_eq!(status, 200);
    assert_eq!(desk.listed().await, ["a", "c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_a_day_may_be_taken_off_a_deny_list_and_many_by_approval() {
    let mut desk = Desk::open().await;
    let (maker, checker) = (desk.maker.clone(), desk.checker.clone());
    let change = |operation: &str, numbers: std::ops::Range<u32>| {
        let values: Vec<_> = numbers
            .map(|n| json!({ "value": format!("v{n:03}") }))
            .collect();
        json!({ "list_change": {
            "list": "denied_cards", "operation": operation, "reason": "r", "values": values,
        }})
    };
    // Adding is free, but for the asking: an approval without votes.
    let added = desk.ask(&maker, change("add", 0..60)).await;
    assert_eq!(
        (&added["state"], &added["count"]["needed"]),
        (&json!("approved"), &json!(0))
    );
    assert_eq!(desk.execute(&maker, &added).await.0, 200);
    for number in 0..21 {
        let body = json!({ "value": format!("v{number:03}"), "reason": "cleared" });
        let (status, json) = desk
            .send(&maker, Sent::json(Method::DELETE, DENIED, &body))
            .await;
        match number {
            20 => assert_eq!(json["code"], "approval_missing", "{json}"),
            _ => assert_eq!(status, 200, "{json}"),
        }
    }
    let many = desk.ask(&maker, change("remove", 20..60)).await;
    assert_eq!(desk.vote(&checker, &many).await.0, 200);
    assert_eq!(desk.execute(&maker, &many).await.0, 200);
    let page = desk.read("/v1/lists").await;
    assert_eq!(page["lists"], json!([]));
    // All or nothing: one of these is not listed.
    let (_, json) = desk
        .send(
            &maker,
            Sent::json(
                Method::PUT,
                DENIED,
                &json!({
                    "value": "v000", "reason": "r",
                }),
            ),
        )
        .await;
    assert_eq!(json["value"], "v000");
    let both = desk.ask(&maker, change("remove", 0..2)).await;
    assert_eq!(desk.vote(&checker, &both).await.0, 200);
    desk.execute_refused(&both, "list_entry_unknown").await;
    assert_eq!(desk.read("/v1/lists").await["lists"][0]["entries"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_number_is_asked_for_by_its_index_alone() {
    let mut desk = Desk::open().await;
    let maker = desk.maker.clone();
    let command = json!({ "list_change": {
        "list": "trusted_cards", "operation": "add", "reason": "r",
        "values": [{ "card_number": "4012888888881881" }],
    }});
    let asked = desk.ask(&maker, command).await;
    let value = asked["payload"]["values"][0]["value"].as_str().unwrap();
    assert!(
        !asked.to_string().contains("4012888888881881") && value.len() > 16,
        "{asked}"
    );
    let both = json!({ "list_change": {
        "list": "trusted_cards", "operation": "add", "reason": "r", "values": [{}],
    }});
    let body = json!({ "command": both, "reason": "r" });
    let (_, json) = desk.post(&maker, "/v1/approvals", body).await;
    assert_eq!(
        (&json["code"], &json["pointer"]),
        (
            &json!("list_entry_malformed"),
            &json!("/command/list_change/values/0")
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_on_where_the_last_one_ended() {
    let mut desk = Desk::open().await;
    let maker = desk.maker.clone();
    let mut ids = Vec::new();
    for number in 0..5 {
        let asked = desk.ask(&maker, exempt(&number.to_string())).await;
        if number == 2 {
            let body = json!({ "reason": "not needed" });
            let (status, _) = desk.post(&maker, &path(&asked, "withdrawal"), body).await;
            assert_eq!(status, 200);
        } else {
            ids.insert(0, asked["id"].clone());
        }
        desk.hours(1);
    }
    let (mut seen, mut query) = (Vec::new(), "state=open&limit=3".to_owned());
    loop {
        let page = desk.read(&format!("/v1/approvals?{query}")).await;
        let approvals = page["approvals"].as_array().unwrap();
        seen.extend(approvals.iter().map(|approval| approval["id"].clone()));
        match page["next_cursor"].as_str() {
            Some(cursor) => query = format!("state=open&limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, ids);
    for query in [
        "state=done",
        "command=all",
        "review=all",
        "cursor=YQ",
        "review=open&state=open",
    ] {
        let sent = Sent::new(Method::GET, &format!("/v1/approvals?{query}"), "");
        assert_eq!(
            code(desk.send(&maker, sent).await),
            "parameter_invalid",
            "{query}"
        );
    }
}
