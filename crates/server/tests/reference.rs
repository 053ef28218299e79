//! The committed reference is what the code says. `UPDATE_REFERENCE=1` writes it anew.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use paywarden_server::{api::routes, errors_markdown, openapi_json};
use std::{collections::BTreeSet, env, fs, path::PathBuf};

#[test]
fn the_committed_reference_is_current() {
    for (name, current) in [
        ("openapi.json", openapi_json()),
        ("errors.md", &errors_markdown()),
    ] {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
        let path = folder.join(name);
        if env::var_os("UPDATE_REFERENCE").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, current).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == current,
            "{name} is out of date: run with UPDATE_REFERENCE=1"
        );
    }
}

#[test]
fn the_contract_names_every_route_and_no_other() {
    let document: serde_json::Value = serde_json::from_str(openapi_json()).unwrap();
    let (mut described, mut names) = (Vec::new(), BTreeSet::new());
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            described.push(format!("{} {path}", method.to_uppercase()));
            assert!(
                names.insert(operation["operationId"].to_string()),
                "{operation}"
            );
        }
    }
    let mut routes: Vec<String> = routes()
        .filter(|route| route.path != "/openapi.json")
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    described.sort();
    routes.sort();
    assert_eq!(described, routes);
    assert_eq!(document["openapi"].as_str().unwrap().get(..4), Some("3.1."));
}
