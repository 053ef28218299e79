//! Endpoints: where they may be, and that they change by approval alone.

use crate::{
    receiver::Receiver,
    world::{World, acme, webhook},
};
use paywarden_notify::{
    Error, WebhookChange,
    endpoint::{ENDPOINTS_MAX, State, WebhookUpdate},
    secret::Scheme,
};
use paywarden_outward::Reach;
use paywarden_store::DeliveryState;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_inside_can_be_told_unless_the_operator_says_so() {
    let world = World::reaching(Reach::public()).await;
    for url in [
        "https://127.0.0.1/hook",
        "https://localhost/hook",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:10.0.0.1]/",
        "https://[fd00::1]/",
        "http://hooks.example/",
        "http://127.0.0.1/",
        "https://user:secret@hooks.example/",
        "hooks.example",
        "",
    ] {
        let change = WebhookChange::Create(webhook(url, &["*"]));
        let refused = world.notify.endpoints.check_change(&acme(), &change);
        assert!(
            matches!(refused, Err(Error::Malformed(_))),
            "{url}: {refused:?}"
        );
    }
    let named = WebhookChange::Create(webhook("https://hooks.example/", &["*"]));
    world
        .notify
        .endpoints
        .check_change(&acme(), &named)
        .unwrap();
}

/// A number that a resolver takes for an address of this machine: only what it was looked up as says
/// that it lies inside.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_points_inward_is_never_connected_to() {
    let mut world = World::reaching(Reach::public()).await;
    let receiver = Receiver::start().await;
    let port = receiver.url.split(':').nth(2).unwrap();
    let new = webhook(&format!("https://2130706433:{port}"), &["*"]);
    let endpoint = world
        .change(WebhookChange::Create(new))
        .await
        .unwrap()
        .endpoint;
    world.run();
    world.label("pay-1").await;
    world.feed().await;
    let rows = world.until(&endpoint, |rows| rows[0].attempts == 1).await;
    assert_eq!(rows[0].state, DeliveryState::Waiting);
    let attempts = world.attempts(&rows[0]).await;
    let failure = attempts[0].failure.as_deref().unwrap();
    assert_eq!(failure, "the address lies in a private network");
    assert!(receiver.heard().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_events_go_is_said_by_two_and_each_version_is_kept() {
    let world = World::open().await;
    let receiver = Receiver::start().await;
    let create = WebhookChange::Create(webhook(&receiver.url, &["label.added"]));
    let alone = world.alone(create.clone()).await;
    assert!(matches!(alone, Err(Error::Approval(_))));
    let made = world.change(create).await.unwrap();
    let id = made.endpoint.id.clone();
    let update = WebhookChange::Update(WebhookUpdate {
        id: id.clone(),
        url: format!("{}/v2", receiver.url),
        description: "another".to_owned(),
        events: vec!["case.*".to_owned().try_into().unwrap()],
        outcomes: Vec::new(),
    });
    assert!(matches!(
        world.alone(update.clone()).await,
        Err(Error::Approval(_))
    ));
    let updated = world.change(update).await.unwrap();
    assert!(updated.secret.is_none());
    assert_eq!(
        (updated.endpoint.version, updated.endpoint.state),
        (2, State::Enabled)
    );
    // To be told nothing must not wait for anybody.
    let disable = WebhookChange::Disable(id.clone());
    let disabled = world.alone(disable.clone()).await.unwrap().endpoint;
    assert_eq!(disabled.state, State::Disabled);
    let again = world.notify.endpoints.check_change(&acme(), &disable);
    assert!(matches!(again, Err(Error::EndpointState(_))));

    let versions = world
        .database
        .record_versions("webhook", &id, i64::MAX, 10)
        .await;
    assert_eq!(versions.unwrap().len(), 3);
    let world = world.killed().await;
    let found = world.notify.endpoints.find(&acme(), &id).unwrap();
    assert_eq!((found.version, found.state), (3, State::Disabled));
    let stranger = paywarden_domain::TenantId::parse("other").unwrap();
    let unknown = world.notify.endpoints.find(&stranger, &id);
    assert!(matches!(unknown, Err(Error::EndpointUnknown)));
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_so_many_endpoints_and_no_more_and_public_keys_are_shown() {
    let world = World::open().await;
    for number in 0..ENDPOINTS_MAX {
        let mut new = webhook("https://127.0.0.1/hook", &["*"]);
        new.description = number.to_string();
        new.signature = if number == 0 { Scheme::V1a } else { Scheme::V1 };
        let made = world.change(WebhookChange::Create(new)).await.unwrap();
        let (secret, public) = (made.secret.unwrap(), &made.endpoint.public_key);
        match number {
            0 => assert_eq!(public.as_deref(), Some(secret.as_str())),
            _ => assert!(public.is_none() && secret.starts_with("whsec_")),
        }
    }
    let one_more = WebhookChange::Create(webhook("https://127.0.0.1/hook", &["*"]));
    let full = world.notify.endpoints.check_change(&acme(), &one_more);
    assert!(matches!(full, Err(Error::Full { .. })));
}
