//! Models over the signed API: registered, asked beside, approved, deciding, taken back.

use crate::support::{
    Sent, Setup,
    model_desk::{Desk, bytes, package, policy},
};
use http::{Method, StatusCode};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_domain::time::DAY;
use paywarden_models::Calibration;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_model_decides_by_approval_says_why_and_is_taken_back() {
    let mut desk = Desk::open().await;
    let low = desk.registered(2_000.0).await;
    let (status, json) = desk.register(bytes(2_000.0)).await;
    assert_eq!((status, &json["model"]), (StatusCode::OK, &json!(low)));
    assert_eq!(json["label_delay_s"], 7 * 86_400);
    assert!(desk.decide().await.get("models").is_none());

    let (status, json) = desk.publish(&low, "ap_none").await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{json}");
    let body = json!({ "engine": "fraud", "policy": policy(), "purpose": "test" });
    let (_, json) = desk.step(&format!("{low}/publish"), body).await;
    assert_eq!(json["code"], "approval_missing");

    let high = desk.published(1_000.0).await;
    let decided = desk.decide().await;
    assert_eq!(decided["outcome"], "review");
    assert_eq!(decided["fraud"]["score"], 950);
    assert_eq!(decided["fraud"]["action"], "review");
    let said = &decided["models"][0];
    assert_eq!(
        (&said["model"], &said["score"], &said["action"]),
        (&json!(high), &json!(950), &json!("review"))
    );
    assert_eq!(said["reasons"][0]["feature"], "amount");
    assert_eq!(said["reasons"][0]["value"], 1_234.0);
    assert_eq!(decided["reasons"][0]["code"], "fraud_model");
    let id = decided["id"].as_str().unwrap();
    assert_eq!(
        desk.read(&format!("/v1/decisions/{id}")).await["models"],
        decided["models"]
    );
    reading(&mut desk, id, &high).await;

    assert_eq!(desk.moved("rollback").await["model"], json!(high));
    assert!(desk.decide().await.get("models").is_none());
    let (status, json) = desk
        .step("rollback", json!({ "engine": "fraud", "purpose": "test" }))
        .await;
    assert_eq!(
        (status, &json["code"]),
        (StatusCode::CONFLICT, &json!("model_move"))
    );
}

/// What the model read, with Shapley values that add up.
async fn reading(desk: &mut Desk, decision: &str, model: &str) {
    let path = format!("/v1/decisions/{decision}/models");
    let read = desk.read(&format!("{path}/fraud")).await;
    assert_eq!(read["model"], json!(model));
    let features = read["features"].as_array().unwrap();
    assert_eq!(features.len(), package(0.0).model.features().len());
    let added = |feature: &Value| feature["shapley"].as_f64().unwrap();
    let sum: f64 = features.iter().map(added).sum();
    let raw = read["raw"].as_f64().unwrap();
    assert!((sum + read["mean"].as_f64().unwrap() - raw).abs() < 1e-9);
    // The first payment of a card: nothing is known of a month ago, and missing is not zero.
    let old = features
        .iter()
        .find(|one| one["feature"] == "card.avg(14d..44d)");
    assert_eq!(old.unwrap()["value"], Value::Null);
    for (engine, status) in [("laundering", 404), ("other", 400)] {
        let sent = Sent::new(Method::GET, &format!("{path}/{engine}"), "");
        assert_eq!(desk.ask(sent).await.0.as_u16(), status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_model_is_refused_and_the_live_one_goes_on() {
    let mut desk = Desk::open().await;
    let live = desk.published(1_000.0).await;
    let whole = bytes(3_000.0);
    let mut delayed = package(3_000.0);
    delayed.reads.delay = 14 * DAY;
    let mut nameless = package(3_000.0);
    nameless.calibration = Calibration::Platt {
        slope: f64::NAN,
        offset: 0.0,
    };
    let refused = [
        (Vec::new(), "begin"),
        (b"tree\nversion=v4".to_vec(), "begin"),
        (whole[..whole.len() - 1].to_vec(), "package"),
        (delayed.write().unwrap(), "7d..8d"),
        (nameless.write().unwrap(), "no number"),
    ];
    for (package, why) in refused {
        let (status, json) = desk.register(package).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{json}");
        assert_eq!(json["code"], "model_refused");
        assert!(json["detail"].as_str().unwrap().contains(why), "{json}");
    }
    let (status, _) = desk.register(vec![0; 14 * 1024 * 1024 + 1]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let json = Sent::json(Method::POST, "/v1/models", &json!({}));
    assert_eq!(desk.ask(json).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let bad = [
        json!({ "chances": [] }),
        json!({ "chances": [{ "from_ppm": 1, "action": "approve" }] }),
        json!({ "money_per_false_alarm": { "minor": 0, "action": "review" } }),
    ];
    for policy in bad {
        let body = json!({ "engine": "fraud", "policy": policy, "purpose": "test" });
        let (_, json) = desk.step(&format!("{live}/publish"), body).await;
        assert_eq!(json["code"], "model_policy_malformed");
    }
    let budget =
        json!({ "alerts_per_day": { "alerts": 5, "ranked_by": "loss", "action": "hold" } });
    let other = desk.registered(3_000.0).await;
    let release = json!({ "engine": "laundering", "model": other, "policy": budget });
    let body = json!({ "command": { "model_release": release }, "reason": "r" });
    let approval = desk.approved_by_other(body).await;
    let body = json!({
        "engine": "laundering", "policy": budget, "purpose": "test", "approval": approval,
    });
    let (_, json) = desk.step(&format!("{other}/publish"), body).await;
    assert_eq!(json["code"], "model_unproven", "{json}");
    assert_eq!(desk.decide().await["models"][0]["model"], json!(live));
}

#[tokio::test(flavor = "multi_thread")]
async fn models_of_one_company_are_nothing_to_another() {
    let mut desk = Desk::open().await;
    let model = desk.published(1_000.0).await;
    let decided = desk.decide().await["id"].as_str().unwrap().to_owned();
    desk.maker = desk.world.signer("globex", Ed25519).await;
    assert_eq!(desk.read("/v1/models").await["models"], json!([]));
    for path in [model.clone(), format!("{model}/progress")] {
        let sent = Sent::new(Method::GET, &format!("/v1/models/{path}"), "");
        let (status, json) = desk.ask(sent).await;
        assert_eq!(
            (status.as_u16(), &json["code"]),
            (404, &json!("model_unknown"))
        );
    }
    for step in ["shadow", "withdraw"] {
        let body = json!({ "engine": "fraud", "purpose": "test" });
        let (_, json) = desk.step(&format!("{model}/{step}"), body).await;
        assert_eq!(json["code"], "model_unknown");
    }
    let (_, json) = desk.publish(&model, "ap_none").await;
    assert_eq!(json["code"], "model_unknown");
    let reading = Sent::new(
        Method::GET,
        &format!("/v1/decisions/{decided}/models/fraud"),
        "",
    );
    assert_eq!(desk.ask(reading).await.0, StatusCode::NOT_FOUND);
    assert!(desk.decide().await.get("models").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_publish_at_once_one_does_and_a_restart_keeps_what_stands() {
    let mut desk = Desk::open().await;
    let beside = desk.registered(9_000.0).await;
    let shadow = desk.moved(&format!("{beside}/shadow")).await;
    assert_eq!(shadow["places"][0]["role"], "shadow");
    let mut approved = Vec::new();
    for above in [1_000.0, 1_100.0] {
        let model = desk.registered(above).await;
        approved.push((desk.approved(&model).await, model));
    }
    let publish = async |(approval, model): &(String, String)| {
        // What the second has to show, it cannot: nothing is known of any payment.
        let mut client = desk.world.client(true).await;
        let body = json!({
            "engine": "fraud", "policy": policy(), "purpose": "test", "approval": approval,
        });
        let path = format!("/v1/models/{model}/publish");
        let sent = Sent::json(Method::POST, &path, &body);
        client.signed(&desk.maker, sent).await.status
    };
    let (one, other) = tokio::join!(publish(&approved[0]), publish(&approved[1]));
    let mut answers = [one, other];
    answers.sort_unstable();
    assert_eq!(answers, [StatusCode::OK, StatusCode::CONFLICT]);
    let before = desk.read("/v1/models").await;
    let decided = desk.decide().await;
    let again = Desk::of(desk.world.restart(Setup::default()).await).await;
    let mut again = again;
    assert_eq!(again.read("/v1/models").await, before);
    let after = again.decide().await;
    assert_eq!(after["models"][0]["model"], decided["models"][0]["model"]);
    let roles = |json: &Value| {
        let models = json["models"].as_array().unwrap().iter();
        let mut roles: Vec<String> = models
            .flat_map(|model| model["places"].as_array().unwrap())
            .map(|place| place["role"].as_str().unwrap().to_owned())
            .collect();
        roles.sort();
        roles
    };
    assert_eq!(roles(&before), ["live", "shadow"]);
    again.moved("rollback").await;
    assert_eq!(roles(&again.read("/v1/models").await), ["shadow"]);
    again.moved(&format!("{beside}/withdraw")).await;
    assert!(roles(&again.read("/v1/models").await).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenger_is_compared_and_held_back_until_labels_speak_for_it() {
    let mut desk = Desk::open().await;
    let live = desk.published(1_000.0).await;
    let challenger = desk.registered(9_000.0).await;
    desk.moved(&format!("{challenger}/shadow")).await;
    for place in 0..3 {
        let decided = desk.decide().await;
        assert_eq!(decided["outcome"], "review");
        if place == 0 {
            let label = json!({
                "payment_id": decided["payment_id"], "verdict": "fraud", "source": "analyst",
            });
            let sent = Sent::json(Method::POST, "/v1/labels", &label);
            assert_eq!(desk.ask(sent).await.0, StatusCode::CREATED);
        }
    }
    let path = format!("/v1/models/{challenger}/comparison?label_delay_days=0");
    let compared = desk.read(&path).await;
    assert_eq!(
        (&compared["live"], &compared["challenger"]),
        (&json!(live), &json!(challenger))
    );
    assert_eq!(
        (&compared["payments"], &compared["frauds"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(compared["alert_rate"], 1.0);
    assert!(
        compared["held_back"]
            .as_str()
            .unwrap()
            .starts_with("1 frauds on")
    );
    let release = json!({ "engine": "fraud", "model": challenger, "policy": policy() });
    let body = json!({ "command": { "model_release": release }, "reason": "hope" });
    let (_, json) = desk
        .ask(Sent::json(Method::POST, "/v1/approvals", &body))
        .await;
    assert_eq!(json["code"], "model_unproven", "{json}");
    counted(&mut desk, &live).await;
}

/// What three payments that the model stopped, one of them fraud, come to.
async fn counted(desk: &mut Desk, live: &str) {
    let drift = desk.read(&format!("/v1/models/{live}/drift")).await;
    assert_eq!(
        (&drift["payments"], &drift["alerts"]),
        (&json!(3), &json!(3))
    );
    assert_eq!(drift["alarms"], json!([]));
    let page = desk.world.client(true).await.get("/metrics").await;
    let page = String::from_utf8(page.body.to_vec()).unwrap();
    let line = format!("paywarden_model_payments{{model=\"{live}\"}} 3.0\n");
    assert!(page.contains(&line), "{page}");

    let report = desk
        .read("/v1/reports/prevention?by=model&label_delay_days=0")
        .await;
    assert_eq!(
        (
            &report["whole"]["frauds"],
            &report["whole"]["frauds_stopped"]
        ),
        (&json!(1), &json!(1))
    );
    assert_eq!(report["whole"]["money"][0]["stopped_minor"], 1_234);
    assert_eq!(report["whole"]["caught_in_advance"]["seen"], 1.0);
    assert_eq!(report["parts"][0]["part"], json!(live));
    for query in [
        "by=moon",
        "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
        "label_delay_days=9999",
    ] {
        let sent = Sent::new(Method::GET, &format!("/v1/reports/prevention?{query}"), "");
        assert_eq!(desk.ask(sent).await.0, StatusCode::BAD_REQUEST, "{query}");
    }
}
