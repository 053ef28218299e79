//! Entities over the API: what is known of them now, whom they are linked to, and to whom none of it
//! is told.

use crate::support::{Client, Sent, Setup, Signer, World, payment};
use http::{Method, StatusCode};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use serde_json::{Value, json};

async fn get(client: &mut Client, signer: &Signer, path: &str) -> Value {
    let answer = client
        .signed(signer, Sent::new(Method::GET, path, ""))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.json());
    answer.json()
}

async fn refused(client: &mut Client, signer: &Signer, path: &str) -> Value {
    let answer = client
        .signed(signer, Sent::new(Method::GET, path, ""))
        .await;
    assert_eq!(
        answer.status,
        StatusCode::NOT_FOUND,
        "{path}: {}",
        answer.json()
    );
    answer.json()["code"].clone()
}

/// A transfer of a payer's device from account to account.
fn transfer(id: &str, [payer, payee]: [&str; 2], device: &str) -> Value {
    let mut event = payment(id);
    let own = json!({
        "type": "payment.transfer",
        "amount": { "value": "10.00", "currency": "USD" },
        "account": { "id": payer },
        "payer": { "id": format!("owner of {payer}") },
        "payee": { "account": payee },
        "device": { "id": device },
    });
    event.as_object_mut().unwrap().remove("card");
    event
        .as_object_mut()
        .unwrap()
        .extend(own.as_object().unwrap().clone());
    event
}

async fn decide(client: &mut Client, signer: &Signer, event: &Value) -> String {
    let answer = client.signed(signer, Sent::decision(event)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// Where the entity of a kind is that takes part in a decision.
async fn place(client: &mut Client, signer: &Signer, decision: &str, kind: &str) -> String {
    let path = format!("/v1/decisions/{decision}/entities");
    let listed = get(client, signer, &path).await;
    let all = listed["entities"].as_array().unwrap();
    let prefix = format!("{kind}:");
    let found = all
        .iter()
        .filter_map(Value::as_str)
        .find_map(|one| one.strip_prefix(&prefix));
    format!("/v1/entities/{kind}/{}", found.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entity_is_told_masked_with_its_payments_and_lists() {
    let world = World::start(Setup::default()).await;
    let acme = world.signer("acme", Ed25519).await;
    let other = world.signer("other", Ed25519).await;
    let mut client = world.client(true).await;
    let id = decide(&mut client, &acme, &payment("p1")).await;
    decide(&mut client, &acme, &payment("p2")).await;
    let card = place(&mut client, &acme, &id, "card").await;
    let seen = get(&mut client, &acme, &card).await;
    assert_eq!(seen["known_as"], "40128888••••1881");
    assert_eq!(seen["events"], 2);
    let payments = seen["decisions"].as_array().unwrap().iter();
    let payments: Vec<_> = payments.map(|one| one["payment_id"].clone()).collect();
    assert_eq!(payments, ["p2", "p1"]);
    assert!(!seen.to_string().contains("4012888888881881"));

    let customer = place(&mut client, &acme, &id, "customer").await;
    let seen = get(&mut client, &acme, &customer).await;
    assert_eq!(
        (&seen["is_denied"], &seen["lists"]),
        (&json!(false), &json!([]))
    );
    let entry = json!({ "value": "payer-1", "reason": "stolen" });
    let entry = Sent::json(Method::PUT, "/v1/lists/denied_customers/entries", &entry);
    assert_eq!(client.signed(&acme, entry).await.status, StatusCode::OK);
    let seen = get(&mut client, &acme, &customer).await;
    assert_eq!(seen["is_denied"], true);
    assert_eq!(seen["lists"][0]["list"], "denied_customers");
    assert_eq!(seen["lists"][0]["reason"], "stolen");
    assert!(!seen.to_string().contains("payer-1"), "{seen}");

    for path in [&card, &format!("{card}/links"), &customer] {
        assert_eq!(refused(&mut client, &other, path).await, "entity_unknown");
    }
    let malformed = [
        "/v1/entities/card/00000000000000aa",
        "/v1/entities/card/0000000000000000",
        "/v1/entities/card/00000000000000AA",
        "/v1/entities/nothing/00000000000000aa",
        "/v1/entities/card/4012888888881881x/links",
    ];
    for path in malformed {
        assert_eq!(refused(&mut client, &acme, path).await, "entity_unknown");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_followed_over_two_links() {
    let world = World::start(Setup::default()).await;
    let acme = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    let id = decide(
        &mut client,
        &acme,
        &transfer("t1", ["acc-a", "acc-b"], "dev-1"),
    )
    .await;
    decide(
        &mut client,
        &acme,
        &transfer("t2", ["acc-b", "acc-c"], "dev-2"),
    )
    .await;
    let account = place(&mut client, &acme, &id, "account").await;
    let links = get(&mut client, &acme, &format!("{account}/links")).await;
    let paid: Vec<_> = links["links"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|link| link["is_paid"] == true)
        .collect();
    assert_eq!(paid.len(), 2, "{links}");
    assert!(paid.iter().all(|link| link["amount_minor"] == 1_000));
    assert_eq!(
        paid[0]["to"], paid[1]["from"],
        "the second goes on from the first"
    );
    assert_eq!(links["is_whole"], true);
    let hops = links["entities"].as_array().unwrap().iter();
    let hops: Vec<_> = hops.map(|one| one["hops"].as_u64().unwrap()).collect();
    assert!(
        hops.is_sorted() && hops[0] == 0 && hops.contains(&2),
        "{hops:?}"
    );
    // The payee of the first is the payer of the second: one account, seen from both sides.
    let seen = get(&mut client, &acme, &account.replace("/account/", "/payee/")).await;
    assert_eq!(seen["events"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_decisions_on_gets_each_once_and_a_query_narrows() {
    let world = World::start(Setup::default()).await;
    let acme = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    decide(&mut client, &acme, &payment("p1")).await;
    let first = get(&mut client, &acme, "/v1/decisions?limit=1").await;
    let newest = first["newest_cursor"].as_str().unwrap();
    let news = get(&mut client, &acme, &format!("/v1/decisions?after={newest}")).await;
    assert_eq!(news["decisions"], json!([]));
    for payment_id in ["p2", "p3", "p4"] {
        decide(&mut client, &acme, &payment(payment_id)).await;
    }
    let path = format!("/v1/decisions?after={newest}&limit=2");
    let news = get(&mut client, &acme, &path).await;
    let payments = news["decisions"].as_array().unwrap().iter();
    let payments: Vec<_> = payments.map(|one| one["payment_id"].clone()).collect();
    assert_eq!(
        (payments, &news["passed_over"]),
        (vec![json!("p4"), json!("p3")], &json!(1))
    );
    let newest = news["newest_cursor"].as_str().unwrap();
    let news = get(&mut client, &acme, &format!("/v1/decisions?after={newest}")).await;
    assert_eq!(news["decisions"], json!([]));

    let narrowed = "/v1/decisions?q=outcome:approve%20amount%3E%3D12.34USD%20since:1h";
    let found = get(&mut client, &acme, narrowed).await;
    assert_eq!(found["decisions"].as_array().unwrap().len(), 4);
    for none in [
        "outcome:decline,hold",
        "amount%3E12.34USD",
        "score%3E%3D1000",
    ] {
        let found = get(&mut client, &acme, &format!("/v1/decisions?q={none}")).await;
        assert_eq!(found["decisions"], json!([]), "{none}");
    }
    let wrong = Sent::new(Method::GET, "/v1/decisions?q=whatever", "");
    let answer = client.signed(&acme, wrong).await;
    assert_eq!(answer.json()["code"], "parameter_invalid");
}
