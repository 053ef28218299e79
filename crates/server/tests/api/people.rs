//! People at the door: their way in, and the ways that are shut.

use crate::support::{Person, Sent, Setup, World, payment, person::invitation};
use http::{Method, StatusCode};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_server::api::{Door, Route, person};
use serde_json::{Value, json};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn from_a_link_to_a_session_and_out_again() {
    let world = World::start(Setup::default()).await;
    let mut liu = Person::invited(&world, "acme", "liu@example.com", &["auditor"]).await;
    let seen = liu.get("/v1/session").await.json();
    assert_eq!(
        (&seen["factor"], &seen["scopes"]),
        (&json!("invitation"), &json!([]))
    );
    assert_eq!(liu.get("/v1/staff").await.code(), "factors_incomplete");

    let mut wang = Person::with_roles(&world, "acme", "wang@example.com", &["auditor"]).await;
    let cookie = wang.cookie.clone();
    assert!(cookie.starts_with("__Host-paywarden="), "{cookie}");
    let all = wang.get("/v1/staff").await.json();
    assert_eq!(all["accounts"].as_array().unwrap().len(), 2);
    assert_eq!(wang.get("/v1/session").await.json()["is_fresh"], true);

    let out = wang.send(Method::DELETE, "/v1/session", None).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    let cleared = out.headers.get("set-cookie").unwrap().to_str().unwrap();
    assert!(cleared.contains("Max-Age=0"), "{cleared}");
    wang.cookie = cookie;
    assert_eq!(wang.get("/v1/session").await.code(), "session_required");
    let entered = wang.sign_in().await;
    let set = entered.headers.get("set-cookie").unwrap().to_str().unwrap();
    for part in [
        "; Secure",
        "; HttpOnly",
        "; SameSite=Strict",
        "; Path=/",
        "Max-Age=43200",
    ] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Domain"), "{set}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_with_an_application_and_recovery_codes() {
    let world = World::start(Setup::default()).await;
    let mut liu = Person::invited(&world, "acme", "liu@example.com", &["analyst"]).await;
    let weak = json!({ "password": "short" });
    let refused = liu
        .send(Method::PUT, "/v1/session/factors/password", Some(&weak))
        .await
        .json();
    assert_eq!(
        (&refused["code"], &refused["missing"]),
        (&json!("password_refused"), &json!(["length"]))
    );
    let password = json!({ "password": "seven quiet otters" });
    let set = liu
        .send(Method::PUT, "/v1/session/factors/password", Some(&password))
        .await;
    assert_eq!(set.json()["factors"]["password"], true);
    let setup = liu.post("/v1/session/factors/totp", None).await.json();
    let wrong = json!({ "code": "000000" });
    let refused = liu
        .post("/v1/session/factors/totp/confirmation", Some(&wrong))
        .await;
    assert_eq!(refused.code(), "code_refused");
    let code = json!({ "code": code(setup["secret"].as_str().unwrap()) });
    let confirmed = liu
        .post("/v1/session/factors/totp/confirmation", Some(&code))
        .await
        .json();
    let codes = confirmed["recovery_codes"].as_array().unwrap().clone();
    assert_eq!(
        (codes.len(), &confirmed["session"]["factor"]),
        (10, &json!("password_and_code"))
    );

    let mut again = Person::stranger(&world).await;
    let body = json!({
        "login": "liu@example.com", "password": "seven quiet otters", "recovery_code": codes[0],
    });
    let entered = again.post("/v1/session/password", Some(&body)).await.json();
    assert_eq!(entered["factor"], "recovery_code");
    assert_eq!(again.get("/v1/roles").await.code(), "factors_incomplete");
    let mut thief = Person::stranger(&world).await;
    let replayed = thief.post("/v1/session/password", Some(&body)).await;
    assert_eq!(
        (replayed.status, replayed.code()),
        (StatusCode::UNAUTHORIZED, "sign_in_refused".into())
    );
    let both = json!({ "login": "a", "password": "b", "code": "c", "recovery_code": "d" });
    assert_eq!(
        thief.post("/v1/session/password", Some(&both)).await.code(),
        "field_missing"
    );
}

fn code(secret: &str) -> String {
    let now_s = u64::try_from(crate::support::now().seconds()).unwrap();
    totp_rs::Builder::new()
        .with_secret(totp_rs::Secret::try_from_base32(secret).unwrap())
        .build()
        .unwrap()
        .generate(now_s)
        .to_string()
}

/// Deny by default: every route, by everybody who may not.
#[tokio::test(flavor = "multi_thread")]
async fn no_route_opens_without_session_origin_or_role() {
    let world = World::start(Setup::default()).await;
    let signer = world.signer("acme", Ed25519).await;
    let mut nobody = Person::stranger(&world).await;
    let mut rookie = Person::with_roles(&world, "acme", "liu@example.com", &[]).await;
    for route in person::ROUTES {
        let method = || route.method.clone();
        let path = route.path.replace("{id}", "stf_1").replace("{place}", "0");
        let body = route.has_body.then(|| json!({}));
        let bare = || match &body {
            Some(body) => Sent::json(method(), &path, body),
            None => Sent::new(method(), &path, ""),
        };
        let is_command = route.method != Method::GET;
        if route.door != Door::Visitor {
            let refused = nobody.send(method(), &path, body.as_ref()).await;
            assert_eq!(refused.code(), "session_required", "{path}");
            // A key of a program opens nothing here, whatever its scopes.
            let sent = nobody.dress(bare());
            assert_eq!(
                nobody.client.signed(&signer, sent).await.code(),
                "session_required"
            );
        }
        if is_command {
            for (name, value) in [
                ("origin", "https://evil.example"),
                ("origin", "null"),
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-site", "same-site"),
            ] {
                let sent = rookie.dress(bare()).header(name, value);
                let refused = rookie.client.send(sent).await;
                assert_eq!(refused.code(), "origin_refused", "{path} {name} {value}");
            }
            let mut sent = rookie.dress(bare());
            sent.headers.remove("origin");
            assert_eq!(
                rookie.client.send(sent).await.code(),
                "origin_refused",
                "{path}"
            );
        }
        if let Some(scope) = route.scope {
            let refused = rookie.send(method(), &path, body.as_ref()).await.json();
            assert_eq!(refused["code"], "scope_insufficient", "{path}");
            assert_eq!(refused["missing"], json!([scope.name()]), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_of_a_session_is_taken_without_its_token() {
    let world = World::start(Setup::default()).await;
    let mut rookie = Person::with_roles(&world, "acme", "liu@example.com", &[]).await;
    let commands = person::ROUTES
        .iter()
        .filter(|route| route.method != Method::GET);
    for route in commands.filter(|route| route.door != Door::Visitor) {
        let path = route.path.replace("{id}", "stf_1").replace("{place}", "0");
        let bare = || match route.has_body {
            true => Sent::json(route.method.clone(), &path, &json!({})),
            false => Sent::new(route.method.clone(), &path, ""),
        };
        let wrong = rookie.dress(bare()).header("x-csrf-token", &"x".repeat(43));
        let refused = rookie.client.send(wrong).await;
        assert_eq!(refused.code(), "csrf_token_invalid", "{path}");
        let mut without = rookie.dress(bare());
        without.headers.remove("x-csrf-token");
        let refused = rookie.client.send(without).await;
        assert_eq!(refused.code(), "csrf_token_invalid", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_are_sensitive_have_a_door_that_asks_for_a_fresh_factor() {
    let is_read = |route: &&Route| route.method == Method::GET || route.path.ends_with("challenge");
    for route in person::ROUTES.iter().filter(|route| !is_read(route)) {
        let expected = match route.path {
            path if path.starts_with("/v1/staff") => Door::StaffFresh,
            path if path.starts_with("/v1/session/factors") => route.door,
            _ => continue,
        };
        assert_eq!(route.door, expected, "{}", route.path);
        assert!(
            matches!(route.door, Door::StaffFresh | Door::OwnFresh),
            "{}",
            route.path
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_opens_nothing_of_another_company() {
    let world = World::start(Setup::default()).await;
    let roles = |name: &'static str| [name];
    let mut theirs = Person::with_roles(&world, "other", "zhao@example.com", &["auditor"]).await;
    let mine = theirs.get("/v1/session").await.json();
    let id = mine["account"].as_str().unwrap();
    let mut system = Person::with_roles(
        &world,
        "acme",
        "liu@example.com",
        &roles("system_administrator"),
    )
    .await;
    let mut security = Person::with_roles(
        &world,
        "acme",
        "wang@example.com",
        &roles("security_administrator"),
    )
    .await;
    let purpose = json!({ "purpose": "test" });
    for path in ["invitation", "disable", "enable", "unlock"] {
        let path = format!("/v1/staff/{id}/{path}");
        let refused = system.post(&path, Some(&purpose)).await;
        assert_eq!(refused.code(), "account_unknown", "{path}");
    }
    for path in [
        format!("/v1/staff/{id}"),
        format!("/v1/staff/{id}/sessions"),
    ] {
        assert_eq!(system.get(&path).await.code(), "account_unknown", "{path}");
    }
    let end = format!("/v1/staff/{id}/sessions");
    assert_eq!(
        system.send(Method::DELETE, &end, None).await.code(),
        "account_unknown"
    );
    let roles = json!({ "roles": ["analyst"], "purpose": "test" });
    let path = format!("/v1/staff/{id}/roles");
    assert_eq!(
        security.send(Method::PUT, &path, Some(&roles)).await.code(),
        "account_unknown"
    );
    let own = format!("/v1/session/sessions/{}", mine["session"].as_str().unwrap());
    assert_eq!(
        system.send(Method::DELETE, &own, None).await.code(),
        "session_unknown"
    );
    let text = String::from_utf8(system.get("/v1/staff").await.body.to_vec()).unwrap();
    assert!(!text.contains("zhao@example.com") && text.contains("liu@example.com"));
    assert_eq!(theirs.get("/v1/session").await.status, StatusCode::OK);
}

/// What only one administrator is there to give: by approval of nobody, with a review to come.
async fn granted_alone(security: &mut Person, id: &str, grant: &Value) -> Value {
    let path = format!("/v1/staff/{id}/roles");
    let bare = security.send(Method::PUT, &path, Some(grant)).await;
    assert_eq!(bare.code(), "approval_missing");
    let command = json!({ "role_grant": { "account": id, "roles": grant["roles"] } });
    let body = json!({ "command": command, "reason": "new analyst" });
    let asked = security.post("/v1/approvals", Some(&body)).await.json();
    let execution = format!("/v1/approvals/{}/execution", asked["id"].as_str().unwrap());
    let body = json!({ "purpose": "new analyst", "emergency": "nobody else is there yet" });
    let done = security.post(&execution, Some(&body)).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.json());
    security.get(&format!("/v1/staff/{id}")).await.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_invite_grant_lock_out_and_review_each_their_part() {
    let world = World::start(Setup::default()).await;
    let [mut system, mut security, mut audit] = administrators(&world).await;

    let new = json!({ "login": "chen@example.com", "name": "Chen Jie", "purpose": "new analyst" });
    let invited = system.post("/v1/staff", Some(&new)).await;
    assert_eq!(invited.status, StatusCode::CREATED);
    let invited = invited.json();
    let link = invited["link"].as_str().unwrap();
    let (page, token) = link.split_once('#').unwrap();
    assert_eq!(page, format!("{}/invitation", system.origin));
    let mut chen = Person::stranger(&world).await;
    chen.post("/v1/session/invitation", Some(&json!({ "token": token })))
        .await;
    let again = Person::stranger(&world)
        .await
        .post("/v1/session/invitation", Some(&json!({ "token": token })))
        .await;
    assert_eq!(again.code(), "invitation_unknown");

    let id = invited["account"]["id"].as_str().unwrap();
    let path = format!("/v1/staff/{id}/roles");
    let grant = |roles: &[&str]| json!({ "roles": roles, "purpose": "new analyst" });
    let refused = system
        .send(Method::PUT, &path, Some(&grant(&["analyst"])))
        .await;
    assert_eq!(refused.code(), "scope_insufficient");
    let both = grant(&["rule_author", "rule_approver"]);
    let refused = security.send(Method::PUT, &path, Some(&both)).await.json();
    assert_eq!(refused["code"], "roles_conflict");
    assert!(
        refused["detail"].as_str().unwrap().contains("PCI DSS"),
        "{refused}"
    );
    let given = granted_alone(&mut security, id, &grant(&["analyst"])).await;
    assert_eq!(given["grants"][0]["role"], "analyst");

    let review = audit.get("/v1/staff/review").await.json();
    assert_eq!(review["lines"].as_array().unwrap().len(), 4);
    let csv = audit.get("/v1/staff/review?format=csv").await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(csv.body.iter().filter(|byte| **byte == b'\n').count(), 5);

    let purpose = json!({ "purpose": "left the company" });
    let own = system.get("/v1/session").await.json()["account"]
        .as_str()
        .unwrap()
        .to_owned();
    let oneself = system
        .post(&format!("/v1/staff/{own}/disable"), Some(&purpose))
        .await;
    assert_eq!(oneself.code(), "own_account");
    let disabled = system
        .post(&format!("/v1/staff/{id}/disable"), Some(&purpose))
        .await
        .json();
    assert_eq!(disabled["status"], "disabled");
    assert_eq!(chen.get("/v1/session").await.code(), "session_required");
}

/// The three of them.
async fn administrators(world: &World) -> [Person; 3] {
    let person =
        async |login: &str, role: &str| Person::with_roles(world, "acme", login, &[role]).await;
    [
        person("liu@example.com", "system_administrator").await,
        person("wang@example.com", "security_administrator").await,
        person("zhao@example.com", "audit_administrator").await,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_cookie_ends_with_the_session_and_with_each_proof() {
    let world = World::start(Setup::default()).await;
    let mut liu = Person::with_roles(&world, "acme", "liu@example.com", &[]).await;
    let stolen = liu.cookie.clone();
    let challenge = liu.post("/v1/session/proof-challenge", None).await.json();
    let answer = liu.device.get(&challenge["options"]);
    let proof = json!({ "ceremony": challenge["ceremony"], "answer": answer });
    let proved = liu.post("/v1/session/proof", Some(&proof)).await;
    assert_eq!(proved.status, StatusCode::OK, "{:?}", proved.json());
    assert_ne!(liu.cookie, stolen);
    let mut thief = Person::stranger(&world).await;
    thief.cookie = stolen;
    assert_eq!(thief.get("/v1/session").await.code(), "session_required");
    // A cookie that was planted before the sign-in is not the one that is signed in.
    thief.cookie = "__Host-paywarden=planted".to_owned();
    thief.login = "liu@example.com".to_owned();
    std::mem::swap(&mut thief.device, &mut liu.device);
    assert_eq!(thief.sign_in().await.status, StatusCode::OK);
    assert!(!thief.cookie.contains("planted"));
    let sessions = liu.get("/v1/session/sessions").await.json();
    let other = sessions["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["is_this"] == false);
    let path = format!(
        "/v1/session/sessions/{}",
        other.unwrap()["id"].as_str().unwrap()
    );
    assert_eq!(
        liu.send(Method::DELETE, &path, None).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(thief.get("/v1/session").await.code(), "session_required");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_make_nobody_powerful_whatever_scopes_they_have() {
    let world = World::start(Setup::default()).await;
    let mut liu = Person::with_roles(&world, "acme", "liu@example.com", &["analyst"]).await;
    let id = liu.get("/v1/session").await.json()["account"].clone();
    let signer = world.signer("acme", Ed25519).await;
    let grant = json!({ "account": id, "roles": ["system_administrator"] });
    let asked = json!({ "command": { "role_grant": grant }, "reason": "a stolen key" });
    let sent = Sent::json(Method::POST, "/v1/approvals", &asked);
    let refused = world.client(true).await.signed(&signer, sent).await;
    assert_eq!(refused.code(), "approval_forbidden");
}

/// 200 sign-ins at once: each is refused, delayed or told to come again, and decisions go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_sign_ins_is_turned_away_while_payments_are_decided() {
    let world = Arc::new(World::start(Setup::default()).await);
    let signer = world.signer("acme", Ed25519).await;
    let _ = invitation(&world, "acme", "liu@example.com", &[]).await;
    let flood: Vec<_> = (0..200)
        .map(|number| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                let mut person = Person::stranger(&world).await;
                let login = format!("user{number}@example.com");
                let body = json!({ "login": login, "password": "guess", "code": "000000" });
                person.post("/v1/session/password", Some(&body)).await
            })
        })
        .collect();
    let mut client = world.client(true).await;
    for number in 0..20 {
        let sent = Sent::decision(&payment(&format!("pay-{number}")));
        let answer = client.signed(&signer, sent).await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.json());
    }
    let mut turned_away = 0;
    for one in flood {
        let answer = one.await.unwrap();
        let code = answer.code();
        match code.as_str() {
            "sign_in_refused" => {}
            "visitor_limit" | "password_checks_busy" | "sign_in_delayed" => {
                assert!(answer.headers.contains_key("retry-after"), "{code}");
                turned_away += 1;
            }
            other => panic!("{other}"),
        }
    }
    // A network has twenty free tries, the one at which its delay begins, and on a slow machine one
    // more each time that the delay, which doubles, has passed.
    assert!(turned_away >= 200 - 30, "{turned_away}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_people_have_the_limits_of_all_bodies() {
    let world = World::start(Setup::default()).await;
    let mut nobody = Person::stranger(&world).await;
    let long = json!({ "token": "x".repeat(70_000) });
    assert_eq!(
        nobody
            .post("/v1/session/invitation", Some(&long))
            .await
            .code(),
        "body_too_large"
    );
    let unknown: Value = json!({ "token": "x", "tenant": "acme" });
    assert_eq!(
        nobody
            .post("/v1/session/invitation", Some(&unknown))
            .await
            .code(),
        "field_unknown"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn how_somebody_works_is_kept_for_them_alone() {
    const ROUTE: &str = "/v1/session/preferences";
    let world = World::start(Setup::default()).await;
    let mut liu = Person::with_roles(&world, "acme", "liu@example.com", &["auditor"]).await;
    let mut wang = Person::with_roles(&world, "acme", "wang@example.com", &["analyst"]).await;
    let usual = liu.get(ROUTE).await.json();
    assert_eq!(usual, json!({ "version": 0, "views": [], "keys": {} }));
    let view = json!({ "name": "拒付", "page": "/decisions", "query": "outcome=decline" });
    let wanted = json!({ "version": 0, "views": [view], "keys": { "n": "m" } });
    let kept = liu.send(Method::PUT, ROUTE, Some(&wanted)).await.json();
    assert_eq!(
        (&kept["version"], &kept["views"]),
        (&json!(1), &json!([view]))
    );
    assert_eq!(liu.get(ROUTE).await.json(), kept);
    assert_eq!(wang.get(ROUTE).await.json(), usual);

    let late = liu.send(Method::PUT, ROUTE, Some(&wanted)).await;
    assert_eq!(late.code(), "preferences_changed");
    let elsewhere = json!({ "name": "x", "page": "//evil.example", "query": "" });
    let wrong = json!({ "version": 1, "views": [elsewhere], "keys": {} });
    let refused = liu.send(Method::PUT, ROUTE, Some(&wrong)).await;
    assert_eq!(refused.code(), "preferences_refused");
    let emptied = json!({ "version": 1, "views": [], "keys": {} });
    let emptied = liu.send(Method::PUT, ROUTE, Some(&emptied)).await;
    assert_eq!(emptied.status, StatusCode::OK);
    let stranger = Person::stranger(&world).await.get(ROUTE).await;
    assert_eq!(stranger.code(), "session_required");
}
