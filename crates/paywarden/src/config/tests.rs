//! Layers, refusals and what `check` shows.

use super::*;

fn load(file: &str, environment: &[(&str, &str)], set: &[&str]) -> Result<Loaded> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("paywarden.toml");
    fs::write(&path, file).unwrap();
    let flags = SettingFlags {
        config: Some(path),
        set: set.iter().map(|text| (*text).to_owned()).collect(),
    };
    flags.load_with(
        environment
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
    )
}

#[test]
fn a_later_layer_wins_and_is_named() {
    let loaded = load(
        "deadline_ms = 50\nlisten = '0.0.0.0:1'\nlog = 'info'\n[rates]\nEUR = '1.08'\n",
        &[
            ("PAYWARDEN_LISTEN", "0.0.0.0:2"),
            ("PAYWARDEN_SANDBOX", "true"),
            ("HOME", "/x"),
        ],
        &["listen=0.0.0.0:3", "database_url=postgres://pay@db/warden"],
    )
    .unwrap();
    let origin = |key: &str| loaded.origins.get(key).unwrap().rsplit('/').next().unwrap();
    assert_eq!(loaded.config.listen.port(), 3);
    assert_eq!(
        (loaded.config.deadline_ms, loaded.config.sandbox),
        (50, true)
    );
    assert_eq!(loaded.config.rates.get("EUR").unwrap(), "1.08");
    assert_eq!(origin("deadline_ms"), "paywarden.toml");
    assert_eq!(
        (origin("listen"), origin("sandbox")),
        ("--set listen", "PAYWARDEN_SANDBOX")
    );
}

#[test]
fn what_check_prints() {
    let loaded = load(
        "",
        &[("PAYWARDEN_DATA", "/not/a/setting")],
        &["deadline_ms=40"],
    )
    .unwrap();
    insta::assert_snapshot!(loaded.config.shown(&loaded.origins));
}

#[test]
fn mistakes_name_their_place() {
    let mut said = String::new();
    for (file, environment, set) in [
        ("deadline = 50", None, None),
        ("deadline_ms = 'soon'", None, None),
        ("base_currency = 'XXX'", None, None),
        ("", Some(("PAYWARDEN_LISTENN", "x")), None),
        ("", Some(("PAYWARDEN_DEADLINE_MS", "-1")), None),
        ("", None, Some("listen")),
        ("", None, Some("listen=here")),
        (
            "database_url = 'postgres://pay:secret@db/warden'",
            None,
            None,
        ),
        ("tls_key = 'x'", None, None),
    ] {
        let failure = load(file, environment.as_slice(), set.as_slice())
            .unwrap_err()
            .message();
        let place = failure.find("/paywarden.toml").map_or(0, |end| end + 1);
        said += if place > 0 {
            &failure[place..]
        } else {
            &failure
        };
        assert!(!failure.contains("secret"), "{failure}");
    }
    insta::assert_snapshot!(said);
}

#[test]
fn the_password_comes_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    fs::write(&path, "p@ss/w:rd\n").unwrap();
    let config = Config {
        database_url: Some("postgres://pay@db/warden".to_owned()),
        database_password_file: Some(path),
        ..Config::default()
    };
    assert_eq!(
        config.database_address().unwrap(),
        "postgres://pay:p%40ss%2Fw%3Ard@db/warden"
    );
    assert_eq!(
        masked_url("postgres://pay:x@db/w"),
        "postgres://pay:***@db/w"
    );
}
