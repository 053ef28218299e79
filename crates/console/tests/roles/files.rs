//! Files on the page of a case, by plain forms, as a browser without script sends them.

#![allow(clippy::too_many_lines, reason = "a test tells one story")]

use crate::support::{Person, Sent, Setup, World, payment, unique};
use http::{Method, StatusCode};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use serde_json::json;

const RULES: &str = r#"
pack: files
title: Rules of the tests
description: A list of customers decides.
rules:
  - id: suspect
    title: Suspect
    engine: fraud
    when: customer in lists.suspects
    score: 400
    action: review
    reason: { code: suspect, text: Suspect }
    source: test
    examples:
      - { hit: true, name: listed, given: { lists.suspects: true } }
      - { hit: false, name: not listed, given: { lists.suspects: false } }
"#;
const BOUNDARY: &str = "----WebKitFormBoundary7MA4YWxkTrZu0gW";
const WORDS: &str = "she was told to pay\r\n";

/// An installation with an open alert; its identifier.
async fn alerted() -> (World, String) {
    let setup = Setup {
        rules: Some(RULES),
        pages: Some(paywarden_console::pages()),
        ..Setup::default()
    };
    let world = World::start(setup).await;
    let (key, mut client) = (
        world.signer("acme", Ed25519).await,
        world.client(true).await,
    );
    let mut payment = payment(&unique("pay-"));
    payment["payer"]["id"] = json!("cust-1");
    let entry = json!({ "value": "cust-1", "reason": "of a test" });
    let list = Sent::json(Method::PUT, "/v1/lists/suspects/entries", &entry);
    for sent in [list, Sent::decision(&payment)] {
        let answer = client.signed(&key, sent).await;
        assert!(answer.status.is_success(), "{}", answer.json());
    }
    world.dispatch().await;
    let alerts = client
        .signed(&key, Sent::new(Method::GET, "/v1/alerts", ""))
        .await
        .json();
    let alert = alerts["alerts"][0]["id"].as_str().unwrap().to_owned();
    (world, alert)
}

/// A form with a file, as a browser sends it.
fn form(person: &Person, path: &str, fields: &[(&str, &str)], file: (&str, &str)) -> Sent {
    let mut body = String::new();
    for (name, value) in fields {
        body += &format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
    }
    let (name, content) = file;
    body += &format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"upload\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n{content}\r\n--{BOUNDARY}--\r\n"
    );
    let media_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let sent = Sent::new(Method::POST, path, body);
    person.dress(sent.header("content-type", &media_type))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_handed_in_fetched_and_erased_without_script() {
    let (world, alert) = alerted().await;
    let mut lin = Person::with_roles(&world, "acme", &unique("lin"), &["analyst"]).await;
    let opening = json!({ "title": "ring", "typology": "card_fraud", "alerts": [alert] });
    let case = lin.post("/v1/cases", Some(&opening)).await.json()["id"].clone();
    let case = case.as_str().unwrap();
    let page = format!("/cases/{case}");
    let csrf = lin.csrf.clone();
    let token = ("_token", csrf.as_str());
    let adding = [("do", "add_file"), ("kept_for", "aml_compliance"), token];

    let sent = form(&lin, &page, &adding, ("聊天 记录.txt", WORDS));
    let answer = lin.client.send(sent).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{:?}", answer.body);
    let shown = lin.get(&page).await;
    let shown = String::from_utf8_lossy(&shown.body).into_owned();
    for sign in [
        "聊天 记录.txt",
        "enctype=\"multipart/form-data\"",
        "action=\"/case-files/",
    ] {
        assert!(shown.contains(sign), "{sign}: {shown}");
    }
    let fetch = format!("/case-files/{case}?file=1&purpose=aml_compliance");
    let fetched = lin.get(&fetch).await;
    assert_eq!(
        (fetched.status, &fetched.body[..]),
        (StatusCode::OK, WORDS.as_bytes())
    );
    let disposition = fetched.headers["content-disposition"].to_str().unwrap();
    assert!(disposition.starts_with("attachment"), "{disposition}");
    let policies = fetched.headers.get_all("content-security-policy").iter();
    assert_eq!(policies.count(), 1);

    for (fields, file, sign) in [
        (&adding[..], ("run.exe", "MZ"), "case_file_refused"),
        (&adding[..], ("", ""), "field_missing"),
        (&adding[..2], ("a.txt", WORDS), "csrf_token"),
    ] {
        let sent = form(&lin, &page, fields, file);
        let answer = lin.client.send(sent).await;
        let text = String::from_utf8_lossy(&answer.body);
        assert!(
            answer.status.is_client_error() && text.contains(sign),
            "{sign}: {text}"
        );
    }
    for (path, status) in [
        (fetch.replace("file=1", "file=2"), StatusCode::NOT_FOUND),
        (
            fetch.replace("aml_compliance", "marketing"),
            StatusCode::FORBIDDEN,
        ),
        (format!("/case-files/{case}"), StatusCode::NOT_FOUND),
    ] {
        assert_eq!(lin.get(&path).await.status, status, "{path}");
    }

    let erasing = format!("do=erase_file&file_gone=1&file_reason=by+mistake&_token={csrf}");
    let sent = Sent::new(Method::POST, &page, erasing);
    let sent = sent.header("content-type", "application/x-www-form-urlencoded");
    let answer = lin.client.send(lin.dress(sent)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(lin.get(&fetch).await.status, StatusCode::GONE);

    let mut stranger = Person::stranger(&world).await;
    assert_eq!(stranger.get(&fetch).await.status, StatusCode::SEE_OTHER);
    let sent = form(&stranger, &page, &adding, ("a.txt", WORDS));
    assert_eq!(
        stranger.client.send(sent).await.status,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
}
