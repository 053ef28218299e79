//! What the page of one decision shows of the models that were asked.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../../server/tests/api/support/mod.rs"]
mod support;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use support::{Person, Sent, Setup, World, model_desk::Desk, unique};

/// Payments among which one of a control group of one in 200 is found: that none is has a chance
/// of one in three million.
const TRIES: usize = 3_000;

async fn page(person: &mut Person, decided: &Value, language: &str) -> String {
    let id = decided["id"].as_str().unwrap();
    let sent = Sent::new(Method::GET, &format!("/decisions/{id}"), "");
    let sent = person.dress(sent.header("accept-language", language));
    let answer = person.client.send(sent).await;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, StatusCode::OK, "{text}");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_shows_what_models_said_and_whether_it_was_let_pass_to_learn_the_truth() {
    let setup = Setup {
        pages: Some(paywarden_console::pages()),
        ..Setup::default()
    };
    let mut desk = Desk::of(World::start(setup).await).await;
    let mut analyst = Person::with_roles(&desk.world, "acme", &unique("login"), &["analyst"]).await;
    let without = desk.decide().await;
    assert!(
        !page(&mut analyst, &without, "en")
            .await
            .contains("What models said")
    );

    let declines = json!({ "chances": [{ "from_ppm": 500_000, "action": "decline" }] });
    let model = desk
        .released(1_000.0, declines, json!({ "one_in": 200 }))
        .await;
    let mut decided = desk.decide().await;
    assert_eq!(decided["control"]["is_drawn"], false, "{decided}");
    let text = page(&mut analyst, &decided, "en").await;
    for shown in [
        "What models said",
        &model,
        "Chance 95.0 %",
        "<code>amount</code>",
        "1,234",
        "+2.944",
    ] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    assert!(text.contains("this was not drawn"), "{text}");
    for _ in 0..TRIES {
        if decided["control"]["is_drawn"] == true {
            break;
        }
        decided = desk.decide().await;
    }
    let text = page(&mut analyst, &decided, "zh").await;
    assert!(text.contains("每 200 笔抽 1 笔放行"), "{text}");
    assert!(text.contains("统计时代表 200 笔支付"), "{text}");
}
