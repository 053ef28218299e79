//! What a running server says of itself on its metrics page.

use crate::support::{Person, Sent, Setup, World, payment, unique};
use http::Method;
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use std::collections::BTreeMap;

/// Every gauge and counter of the page, by its name with labels.
async fn gauges(world: &World) -> BTreeMap<String, u64> {
    let page = world
        .client(true)
        .await
        .send(Sent::new(Method::GET, "/metrics", ""))
        .await;
    let page = String::from_utf8_lossy(&page.body).into_owned();
    let values = page.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("paywarden_")?.rsplit_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    });
    values.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_snapshots_and_uptime_are_those_of_the_running_server() {
    let world = World::start(Setup::default()).await;
    let signer = world.signer("acme", Ed25519).await;
    let before = gauges(&world).await;
    let limits = paywarden_server::Limits::default();
    for (of, most) in [
        ("connections", limits.connections_max as u64),
        ("requests_in_flight", limits.requests_in_flight_max as u64),
        ("visitors", limits.visitors_max as u64),
        ("readers", limits.readers_max as u64),
        ("nonces", limits.nonces_max as u64),
    ] {
        assert_eq!(before[&format!("limit{{of=\"{of}\"}}")], most, "{of}");
    }
    assert_eq!((before["visitors"], before["nonces"]), (0, 0));
    assert!(!before.contains_key("snapshot_bytes"), "{before:?}");
    let mut client = world.client(true).await;
    for _ in 0..3 {
        let sent = Sent::decision(&payment(&unique("p")));
        assert_eq!(client.signed(&signer, sent).await.status, 200);
    }
    let after = gauges(&world).await;
    let behind = "snapshot_decisions_behind";
    assert_eq!(after[behind] - before[behind], 3);
    assert_eq!((after["nonces"], after["window_events"]), (3, 3));
    assert!(after["connections"] >= 1);
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert!(gauges(&world).await["uptime_seconds"] > before["uptime_seconds"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_says_that_it_is_there_and_those_before_it_stay_known() {
    let named = |gauges: &BTreeMap<String, u64>, is: &str| -> Vec<String> {
        let of = format!("is=\"{is}\"");
        let names = gauges
            .keys()
            .filter(|name| name.starts_with("node_seen_seconds") && name.contains(&of));
        names.cloned().collect()
    };
    let mut world = World::start(Setup::default()).await;
    for earlier in 0..3 {
        let mut seen = gauges(&world).await;
        for _ in 0..100 {
            if !named(&seen, "this").is_empty() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            seen = gauges(&world).await;
        }
        assert_eq!(named(&seen, "this").len(), 1, "{seen:?}");
        assert_eq!(named(&seen, "other").len(), earlier, "{seen:?}");
        let own = named(&seen, "this").remove(0);
        assert!(
            own.contains(concat!("version=\"", env!("CARGO_PKG_VERSION"), "\"")),
            "{own}"
        );
        assert!(seen[&own.replace("node_seen", "node_started")] < 60);
        world = world.restart(Setup::default()).await;
    }
    // Nobody learns from it where a process runs.
    let mut stranger = Person::stranger(&world).await;
    let page = stranger.get("/metrics").await;
    let page = String::from_utf8_lossy(&page.body).into_owned();
    assert!(
        !page.contains("127.0.0.1") && !page.contains("localhost"),
        "{page}"
    );
}
