//! Who sees which pages: every built-in role walks over all that its pages link to, and knocks at
//! what they do not.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../../server/tests/api/support/mod.rs"]
mod support;

#[path = "roles/files.rs"]
mod files;

use http::{Method, StatusCode};
use paywarden_access::staff::Roles;
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use support::{Person, Sent, Setup, World, payment, unique};

/// The menu of each administrator, in its order.
const ADMINISTRATORS: [(&str, &[&str]); 3] = [
    (
        "system_administrator",
        &[
            "/",
            "/approvals",
            "/trail",
            "/start",
            "/keys",
            "/webhooks",
            "/staff",
            "/system",
        ],
    ),
    (
        "security_administrator",
        &[
            "/",
            "/alerts",
            "/approvals",
            "/trail",
            "/start",
            "/keys",
            "/staff",
            "/system",
        ],
    ),
    (
        "audit_administrator",
        &[
            "/",
            "/alerts",
            "/approvals",
            "/trail",
            "/access-review",
            "/start",
            "/keys",
            "/staff",
            "/system",
        ],
    ),
];

/// What is on a page of each administrator and of no other: what it is there for.
const OWN: [(&str, &str, &str); 3] = [
    ("system_administrator", "/staff", "action=\"/staff\""),
    ("security_administrator", "/staff/{id}", "name=\"role\""),
    (
        "audit_administrator",
        "/access-review",
        "href=\"/v1/staff/review",
    ),
];

/// So many pages of one kind are walked over: each look at the trail makes it longer.
const OF_KIND_MAX: usize = 4;

/// What somebody finds behind the links of their pages.
struct Walk {
    menu: Vec<String>,
    pages: BTreeMap<String, String>,
}

async fn walk(role: &str, person: &mut Person) -> Walk {
    let mut walk = Walk {
        menu: Vec::new(),
        pages: BTreeMap::new(),
    };
    let mut ahead = vec!["/".to_owned()];
    let mut kinds = BTreeMap::<_, usize>::new();
    while let Some(path) = ahead.pop() {
        let seen = kinds.entry(kind(&path)).or_default();
        if walk.pages.contains_key(&path) || *seen >= OF_KIND_MAX {
            continue;
        }
        *seen += 1;
        let answer = person.get(&path).await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(
            answer.status,
            StatusCode::OK,
            "{role} is led to {path}: {text}"
        );
        if walk.pages.is_empty() {
            let (_, menu) = text.split_once("<nav class=\"side\"").unwrap();
            let (menu, _) = menu.split_once("</nav>").unwrap();
            walk.menu = links(menu).collect();
        }
        ahead.extend(links(&text));
        walk.pages.insert(path, text);
    }
    walk
}

/// The first part of a path, and how many there are.
fn kind(path: &str) -> (String, usize) {
    let path = path.split('?').next().unwrap();
    let first = path.split('/').nth(1).unwrap();
    (first.to_owned(), path.split('/').count())
}

/// Where the links of a page lead within the console and the API.
fn links(text: &str) -> impl Iterator<Item = String> {
    let links = text.split("<a ").skip(1).filter_map(|rest| {
        let (tag, _) = rest.split_once('>')?;
        let (_, rest) = tag.split_once("href=\"")?;
        let (link, _) = rest.split_once('"')?;
        Some(link.replace("&amp;", "&"))
    });
    links.filter(|link| link.starts_with('/'))
}

/// Something on every kind of page.
async fn furnished() -> World {
    let world = World::start(Setup {
        pages: Some(paywarden_console::pages()),
        ..Setup::default()
    })
    .await;
    let key = world.signer("acme", Ed25519).await;
    let mut client = world.client(true).await;
    for (path, body) in [
        ("/v1/decisions", payment("p-1")),
        (
            "/v1/approvals",
            json!({ "reason": "asked for by the desk", "command": { "list_change": {
                "list": "trusted_cards", "operation": "add", "reason": "seen at the counter",
                "values": [{ "value": "v" }],
            }}}),
        ),
    ] {
        let sent = Sent::json(Method::POST, path, &body).header("idempotency-key", &unique("k"));
        let answer = client.signed(&key, sent).await;
        assert!(answer.status.is_success(), "{path} {}", answer.json());
    }
    world.dispatch().await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_is_led_to_what_it_may_see_and_kept_from_the_rest() {
    let world = furnished().await;
    let roles = Roles::new(Vec::new()).unwrap();
    let names: Vec<&str> = roles.all().map(|role| role.name.as_str()).collect();
    let mut people = Vec::new();
    for role in &names {
        let person = Person::with_roles(&world, "acme", &unique("login"), &[*role]).await;
        people.push((*role, person));
    }
    let mut walks = BTreeMap::new();
    for (role, person) in &mut people {
        walks.insert(*role, walk(role, person).await);
    }
    let menus: BTreeSet<String> = walks.values().flat_map(|walk| walk.menu.clone()).collect();
    assert!(menus.len() > 15, "{menus:?}");
    // What a menu does not have does not answer either, nor what stands below it.
    for (role, person) in &mut people {
        let own = &walks[role].menu;
        for path in menus.iter().filter(|path| !own.contains(path)) {
            for path in [path.clone(), format!("{path}/some")] {
                let answer = person.get(&path).await;
                let is_out =
                    [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&answer.status);
                assert!(is_out, "{role} at {path}: {}", answer.status);
                assert!(answer.status == StatusCode::FORBIDDEN || path.ends_with("/some"));
            }
        }
    }
    for (role, menu) in ADMINISTRATORS {
        assert_eq!(walks[role].menu, menu, "{role}");
    }
    for (role, place, sign) in OWN {
        for (other, _) in ADMINISTRATORS {
            let at = |path: &str| match place.strip_suffix("{id}") {
                Some(above) => path.starts_with(above) && path.len() > above.len(),
                None => path == place,
            };
            let pages = walks[other].pages.iter().filter(|(path, _)| at(path));
            let is_there = pages.into_iter().any(|(_, text)| text.contains(sign));
            assert_eq!(is_there, role == other, "{other} at {place}: {sign}");
        }
    }
}
