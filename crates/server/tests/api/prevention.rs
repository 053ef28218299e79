//! The report of prevention is there before anybody asks for it.

use crate::support::{Client, Sent, Setup, Signer, World, payment, unique};
use http::Method;
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use std::time::Duration;

async fn decide(client: &mut Client, signer: &Signer) {
    let sent = Sent::decision(&payment(&unique("p")));
    assert_eq!(client.signed(signer, sent).await.status, 200);
}

/// Payments that are too young to be counted, in a report that may be so old.
async fn young(client: &mut Client, signer: &Signer, line: &str) -> u64 {
    let path = format!("/v1/reports/prevention{line}");
    let report = client
        .signed(signer, Sent::new(Method::GET, &path, ""))
        .await;
    let report = report.json();
    report["whole"]["unknown"]
        .as_u64()
        .unwrap_or_else(|| panic!("{report}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_makes_the_report_of_the_last_days_ready() {
    let world = World::start(Setup::default()).await;
    let signer = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    for _ in 0..3 {
        decide(&mut client, &signer).await;
    }
    let world = world.restart(Setup::default()).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let mut client = world.client(true).await;
    decide(&mut client, &signer).await;
    // Nobody has asked, and there is one of before the last payment, for whoever takes it.
    assert_eq!(young(&mut client, &signer, "?age_s=600").await, 3);
    assert_eq!(young(&mut client, &signer, "?age_s=3600").await, 3);
    // Another question, or one that wants it fresh, is answered anew.
    assert_eq!(
        young(&mut client, &signer, "?by=channel&age_s=600").await,
        4
    );
    assert_eq!(young(&mut client, &signer, "").await, 4);
    assert_eq!(young(&mut client, &signer, "?age_s=600").await, 4);
    let other = world.signer("other", Ed25519).await;
    assert_eq!(young(&mut client, &other, "?age_s=600").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_wait_is_told_that_the_report_is_under_way() {
    let world = World::start(Setup::default()).await;
    let signer = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    decide(&mut client, &signer).await;
    let path = "/v1/reports/prevention?wait_ms=0";
    let reply = client
        .signed(&signer, Sent::new(Method::GET, path, ""))
        .await;
    assert_eq!(reply.status, 503);
    assert_eq!(reply.code(), "report_underway");
    assert_eq!(reply.headers["retry-after"], "1");
    // It goes on meanwhile, and is there for whoever comes again.
    let again = "?age_s=60&wait_ms=60000";
    assert_eq!(young(&mut client, &signer, again).await, 1);
    assert_eq!(young(&mut client, &signer, "?age_s=60&wait_ms=0").await, 1);
    // The counts of the last day are waited for in the same way.
    for path in [
        "/v1/reports/prevention?by=day&",
        "/v1/statistics/decisions?",
    ] {
        let mut asked = async |wait: &str| {
            let path = format!("{path}wait_ms={wait}");
            client
                .signed(&signer, Sent::new(Method::GET, &path, ""))
                .await
        };
        assert_eq!(asked("0").await.code(), "report_underway", "{path}");
        assert_eq!(asked("60000").await.status, 200, "{path}");
        for wrong in ["60001", "-1", "soon", ""] {
            assert_eq!(asked(wrong).await.code(), "parameter_invalid", "{wrong}");
        }
    }
}
