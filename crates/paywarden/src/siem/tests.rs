//! Leaves as events, hostile ones too, and the job against a receiver of our own that breaks off.

use super::{
    Siem,
    event::{Event, Format},
    syslog::Syslog,
};
use crate::config::Config;
use paywarden_domain::TenantId;
use paywarden_server::Progress;
use paywarden_store::{Actor, Clock, Database, Entry, Journal, JournalLimits};
use proptest::prelude::*;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
    time::Duration,
};
use tokio::{io::AsyncReadExt as _, net::TcpListener, time::timeout};

fn entry(tenant: &str, actor: Actor, action: &'static str, object: String) -> Entry {
    Entry {
        tenant: TenantId::parse(tenant).unwrap(),
        actor,
        purpose: "payment decision".into(),
        action,
        object,
        rows: vec![],
    }
}

/// A store with a journal, and its folder.
async fn store() -> (tempfile::TempDir, Database, Journal) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/trail.db", folder.path().display());
    let database = Database::open(&url).await.unwrap();
    let journal = Journal::start(&database, Clock::System, JournalLimits::default())
        .await
        .unwrap();
    (folder, database, journal)
}

/// The events of leaves that a store wrote.
async fn events(entries: Vec<Entry>) -> Vec<Event> {
    let (_folder, database, journal) = store().await;
    let tenant = entries[0].tenant.clone();
    for entry in entries {
        journal.append(entry).await.unwrap();
    }
    let leaves = database.trail_leaves(&tenant, 0, 100).await.unwrap();
    journal.close().await;
    leaves
        .iter()
        .map(|leaf| Event::read(leaf).unwrap())
        .collect()
}

/// Cuts a stream of counted messages.
fn counted(mut bytes: &[u8]) -> Vec<String> {
    let mut messages = Vec::new();
    while let Some(blank) = bytes.iter().position(|byte| *byte == b' ') {
        let length: usize = std::str::from_utf8(&bytes[..blank])
            .unwrap()
            .parse()
            .unwrap();
        let Some(message) = bytes.get(blank + 1..blank + 1 + length) else {
            break;
        };
        messages.push(String::from_utf8(message.to_vec()).unwrap());
        bytes = &bytes[blank + 1 + length..];
    }
    messages
}

/// Header and extension of CEF, read as its rules say.
fn read_cef(text: &str) -> (Vec<String>, BTreeMap<String, String>) {
    let mut parts = vec![String::new()];
    let mut chars = text.chars();
    while parts.len() < 8 {
        match chars.next().unwrap() {
            '\\' => parts.last_mut().unwrap().push(chars.next().unwrap()),
            '|' => parts.push(String::new()),
            char => parts.last_mut().unwrap().push(char),
        }
    }
    parts.pop();
    // A key stands before each `=` that is not escaped, behind a blank.
    let (mut fields, mut key, mut text) = (BTreeMap::new(), String::new(), String::new());
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next().unwrap() {
                'n' => text.push('\n'),
                char => text.push(char),
            },
            '=' => {
                let (value, next) = text.rsplit_once(' ').unwrap_or(("", &text));
                if !key.is_empty() {
                    fields.insert(key, value.to_owned());
                }
                (key, text) = (next.to_owned(), String::new());
            }
            char => text.push(char),
        }
    }
    fields.insert(key, text);
    (parts, fields)
}

const HOSTILE: [&str; 8] = [
    "a|b\\c=d]e\"f",
    "line\nend\r\nfeed",
    "]\\\"",
    "\\",
    "=|=|",
    "支付 😀 ok",
    "\u{7f}\u{1b}[31m",
    "{\"json\": [1]}",
];

#[tokio::test]
async fn hostile_values_stay_where_they_are_put() {
    let long = "|".repeat(256);
    let objects = HOSTILE.into_iter().chain([long.as_str()]);
    let entry = |object: &str| {
        let actor = Actor::Staff(object.chars().take(60).collect());
        entry("acme", actor, "payment.view", object.to_owned())
    };
    let objects: Vec<_> = objects.collect();
    let events = events(objects.iter().map(|object| entry(object)).collect()).await;
    let syslog = Syslog::new(Some(32473));
    for (object, event) in objects.iter().zip(&events) {
        for format in [Format::Ocsf, Format::Cef] {
            let mut bytes = Vec::new();
            syslog.append(&mut bytes, event, format);
            let messages = counted(&bytes);
            assert_eq!(messages.len(), 1);
            assert!(messages[0].len() <= 8_192, "{}", messages[0].len());
            assert!(!messages[0].contains(['\n', '\r', '\0']), "{messages:?}");
            assert!(messages[0].starts_with("<110>1 20"), "{messages:?}");
        }
        let json: Value = serde_json::from_str(&event.text(Format::Ocsf)).unwrap();
        assert_eq!(json["resources"][0]["uid"], **object);
        let (header, fields) = read_cef(&event.text(Format::Cef));
        assert_eq!(header[..2], ["CEF:0", "Paywarden"]);
        assert_eq!(header[4], "payment.view");
        let kept = object.replace('\r', "\n");
        let kept = kept.replace(|char: char| char.is_control() && char != '\n', " ");
        assert_eq!(fields["duid"], kept);
        assert_eq!(fields["cs2"], event.hash);
    }
}

/// Some event, to be changed.
static PLAIN: LazyLock<Event> = LazyLock::new(|| {
    let plain = entry(
        "acme",
        Actor::System("test"),
        "payment.view",
        "dec_1".into(),
    );
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(events(vec![plain])).remove(0)
});

#[test]
fn long_values_are_escaped_to_their_end() {
    let mut event = PLAIN.clone();
    event.object = "|=\\]\"\n".repeat(64 * 1024 / 6);
    let (_, fields) = read_cef(&event.text(Format::Cef));
    assert_eq!(fields["duid"], event.object);
    let json: Value = serde_json::from_str(&event.text(Format::Ocsf)).unwrap();
    assert_eq!(json["resources"][0]["uid"], *event.object);
    let mut bytes = Vec::new();
    for format in [Format::Cef, Format::Ocsf] {
        Syslog::new(None).append(&mut bytes, &event, format);
    }
    let messages = counted(&bytes);
    assert_eq!(messages.len(), 2);
    assert!(messages.iter().all(|message| !message.contains('\n')));
}

proptest! {
    #[test]
    fn whatever_a_leaf_says_reads_back(
        object in r"([|=\\\]\n ]|\PC){0,60}", index: u64, action in r"[a-z]{1,9}\.[|a-z]{1,9}",
    ) {
        let mut event = PLAIN.clone();
        (event.index, event.action, event.object) = (index, action, object.clone());
        let (header, fields) = read_cef(&event.text(Format::Cef));
        prop_assert_eq!(&header[4], &event.action);
        prop_assert_eq!(&fields["externalId"], &index.to_string());
        prop_assert_eq!(&fields["duid"], &object);
        let mut bytes = Vec::new();
        Syslog::new(None).append(&mut bytes, &event, Format::Ocsf);
        Syslog::new(None).append(&mut bytes, &event, Format::Cef);
        prop_assert_eq!(counted(&bytes).len(), 2);
    }

    #[test]
    fn garbage_is_no_event(bytes: Vec<u8>) {
        prop_assert!(Event::read(&bytes).is_none());
    }
}

#[tokio::test]
async fn events_have_what_their_class_requires() {
    let actions = [
        "staff.sign_in",
        "staff.refuse_sign_in",
        "staff.disable",
        "staff.set_roles",
        "key.create",
        "decision.create",
        "unheard.of",
    ];
    let actor = || Actor::Key("key_1".into());
    let entries = actions.map(|action| entry("acme", actor(), action, "acc_7".into()));
    for (action, event) in actions.iter().zip(events(entries.into()).await) {
        let json: Value = serde_json::from_str(&event.text(Format::Ocsf)).unwrap();
        let class = json["class_uid"].as_u64().unwrap();
        let activity = json["activity_id"].as_u64().unwrap();
        assert_eq!(json["type_uid"], 100 * class + activity, "{action}");
        assert_eq!(json["category_uid"], class / 1_000, "{action}");
        for required in match class {
            3001 => &["user"][..],
            3002 => &["user", "service"],
            3004 => &["entity"],
            3005 => &["user", "privileges"],
            6003 => &["actor", "api", "src_endpoint"],
            _ => panic!("{class}"),
        } {
            assert!(!json[required].is_null(), "{action} {required}");
        }
        assert_eq!(json["unmapped"]["leaf_hash"], event.hash);
        let status = if *action == "staff.refuse_sign_in" {
            2
        } else {
            1
        };
        assert_eq!(json["status_id"], status);
    }
}

/// The leaves that a stream of messages names.
fn leaves(bytes: &[u8]) -> Vec<u64> {
    let number = |message: &String| {
        let json = &message[message.find('{').unwrap()..];
        let json: Value = serde_json::from_str(json).unwrap();
        json["unmapped"]["leaf_index"].as_u64().unwrap()
    };
    counted(bytes).iter().map(number).collect()
}

#[tokio::test]
async fn nothing_is_missing_after_a_receiver_broke_off() {
    let (_folder, database, journal) = store().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = Config {
        siem_address: Some(format!("tcp://{}", listener.local_addr().unwrap())),
        ..Config::default()
    };
    let tenant = TenantId::parse("acme").unwrap();
    let append = async |count: u64| {
        for number in 0..count {
            let actor = Actor::System("test");
            let entry = entry("acme", actor, "payment.view", format!("dec_{number}"));
            journal.append(entry).await.unwrap();
        }
    };
    append(700).await;
    let progress = Arc::new(Progress::default());
    let start = || {
        let store = (database.clone(), journal.clone());
        let siem = Siem::start(&config, store, progress.clone());
        siem.unwrap().unwrap()
    };
    let siem = start();
    // The first receiver reads a little and breaks off.
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut seen = vec![0; 10_000];
    socket.read_exact(&mut seen).await.unwrap();
    drop(socket);
    // The second one gets everything from the start, and goes on to the end.
    let (mut socket, _) = listener.accept().await.unwrap();
    append(50).await;
    let mut all = Vec::new();
    let read = async {
        while leaves(&all).last() != Some(&749) {
            assert_ne!(socket.read_buf(&mut all).await.unwrap(), 0);
        }
    };
    timeout(Duration::from_secs(30), read).await.unwrap();
    assert_eq!(leaves(&all), (0..750).collect::<Vec<_>>());
    // An orderly end counts at once: the next connection begins behind it.
    let end = tokio::spawn(async move {
        let mut rest = Vec::new();
        socket.read_to_end(&mut rest).await.unwrap();
    });
    siem.stop().await;
    end.await.unwrap();
    let standing = &database
        .trail_exported(config.siem_address.as_ref().unwrap())
        .await
        .unwrap()[0];
    assert_eq!((standing.next, standing.size), (750, 750));
    append(1).await;
    let siem = start();
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut all = Vec::new();
    while leaves(&all).is_empty() {
        socket.read_buf(&mut all).await.unwrap();
    }
    assert_eq!(leaves(&all), [750]);
    drop(socket);
    siem.stop().await;
    assert!(progress.failures() >= 1);
    assert_eq!(database.trail_size(&tenant).await.unwrap(), 751);
    journal.close().await;
}

#[test]
fn what_is_no_receiver_is_refused() {
    for address in [
        "siem",
        "tcp://siem.example:514",
        "tcp://10.0.0.1:514",
        "udp://127.0.0.1:514",
        "tls://siem.example:x",
        "tls://:6514",
        "tls://siem.example:6514",
        "tls://[::1",
    ] {
        let config = Config {
            siem_address: Some(address.to_owned()),
            ..Config::default()
        };
        assert!(super::Target::of(&config).is_err(), "{address}");
    }
}
