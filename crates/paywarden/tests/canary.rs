//! A card number and an identity number that nobody else has go through every route, to pages, and
//! through faults. Afterwards they are nowhere: not in the data folder with its write-ahead log, not in the
//! log at its most talkative, not on the metrics page, and not in the memory of the server but for
//! the frames of functions that have returned: what a stack held stays until a call goes as deep.
#![cfg(test)]

mod common;

use bytes::Bytes;
use http::Method;
use memchr::memmem::Finder;
use paywarden::{
    child::ServerChild,
    client::{Caller, Client, Connection, Protocol},
    key_desk::{Answer, Question, ask},
    signing::Signer,
};
use paywarden_access::Scopes;
use paywarden_domain::TenantId;
use paywarden_store::Clock;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{BufRead, BufReader, Read, Seek, SeekFrom, Write},
    net::TcpStream,
    path::Path,
    thread::sleep,
    time::Duration,
};

/// Of a range for tests; nobody publishes it.
const PAN: &str = "4111112014267661";
const GROUPED: &str = "4111 1120 1426 7661";
/// Passes its check; nobody has it.
const RESIDENT: &str = "110105194912310206";
/// Of the same range, in texts of a payment. What was paid lately is remembered as it came, so that a
/// rule can be tried on it; nothing of it is stored or logged open.
const WRITTEN: &str = "4111112014271002";
/// How often memory is looked at, twice a second: what is under way when a connection ends ends some
/// seconds after.
const LOOKS: usize = 60;
/// Stacks of threads, and what guard pages take of them.
const STACK_BYTES: u64 = 2 * 1024 * 1024;
const STACK_SLACK_BYTES: u64 = 64 * 1024;

/// Bodies that routes take, for those where a canary belongs somewhere.
fn rightful(path: &str) -> Vec<Value> {
    let card = json!({ "card_number": PAN, "card_exp_month": "12", "card_exp_year": "2099" });
    let item =
        |class: &str, value: &str| json!({ "subject": "liu", "class": class, "value": value });
    let listed = json!({ "values": [{ "card_number": PAN }], "reason": "seen at the counter" });
    match path {
        "/v1/decisions" => vec![
            json!({
                "id": format!("payment-{}", Clock::System.now().micros()),
                "type": "payment.card",
                "occurred_at": Clock::System.now().to_string(),
                "amount": { "value": "12.34", "currency": "USD" },
                "card": { "number": GROUPED, "cvv": "123" },
                "payer": { "id": "liu", "name": WRITTEN, "account": WRITTEN },
                "remittance": format!("for card {WRITTEN}"),
                "attributes": { "memo": WRITTEN },
                "shipping": { "line": WRITTEN },
            }),
            json!({
                "id": PAN, "original_id": PAN, "type": "login",
                "occurred_at": Clock::System.now().to_string(),
            }),
        ],
        "/v1/labels" => {
            vec![json!({ "payment_id": PAN, "verdict": "fraud", "source": "chargeback" })]
        }
        "/v1/vault/tokenize" => [("card_number", PAN), ("id_number", RESIDENT)]
            .map(|(class, value)| json!({ "purpose": "onboarding", "item": item(class, value) }))
            .to_vec(),
        "/v1/vault/tokenize/batch" => vec![json!({
            "purpose": "onboarding",
            "items": [item("card_number", GROUPED), item("id_number", RESIDENT), item("free_form", PAN)],
        })],
        "/v1/vault/search" => vec![json!({
            "purpose": "customer_service",
            "by": { "exact": { "class": "card_number", "value": PAN } },
        })],
        "/v1/lists/{list}/entries" => {
            vec![
                listed,
                json!({ "value": PAN, "reason": "seen at the counter" }),
            ]
        }
        "/data/add" => {
            vec![json!({ "merchant_id": "m", "merchant_customer_id": "c", "card": card })]
        }
        "/data/fingerprint" | "/cards/fingerprint" => vec![json!({ "card": card })],
        _ => Vec::new(),
    }
}

/// Bodies in which a canary belongs nowhere, for every route.
fn hostile() -> Vec<Vec<u8>> {
    [
        json!({ "nobody_knows_this": PAN, "nor_this": [RESIDENT, GROUPED] }).to_string(),
        json!([PAN, { "a": RESIDENT }]).to_string(),
        format!("{{\"amount\":{PAN},\"card\":{PAN},\"item\":{PAN},\"purpose\":{PAN}}}"),
        format!("{{\"card\":{{\"number\":\"{PAN}{PAN}\"}},\"item\":\"{RESIDENT}"),
        format!("{PAN} {RESIDENT}"),
        json!({ PAN: RESIDENT }).to_string(),
    ]
    .map(String::into_bytes)
    .into_iter()
    .chain([[b"{\"card\":\"", PAN.as_bytes(), &[0xff, 0xfe], b"\"}"].concat()])
    .collect()
}

/// Every operation of the contract: a new route is walked as soon as it is in there.
fn operations() -> Vec<(Method, String)> {
    let contract = common::printed(&std::env::temp_dir(), &["openapi"]);
    let contract: Value = serde_json::from_str(&contract).unwrap();
    let paths = contract["paths"].as_object().unwrap();
    let each = paths.iter().flat_map(|(path, operations)| {
        let methods = operations.as_object().unwrap().keys();
        let methods = methods.filter_map(|name| name.to_uppercase().parse::<Method>().ok());
        let known = [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::PATCH,
        ];
        methods
            .filter(move |method| known.contains(method))
            .map(|method| (method, path.clone()))
    });
    each.collect()
}

/// The path with a canary for each of its parts.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{list}" => "trusted_cards".to_owned(),
        part if part.starts_with('{') => PAN.to_owned(),
        part => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

struct Walk {
    connection: Connection,
    requests: u64,
    tokens: BTreeSet<String>,
    shown: u64,
    decided: bool,
}

impl Walk {
    async fn send(&mut self, method: &Method, path: &str, body: Vec<u8>) {
        let key = format!("key-{}", self.requests);
        self.requests += 1;
        let key = (*method != Method::GET).then_some(key.as_str());
        let sent = self
            .connection
            .send(method.clone(), path, Bytes::from(body), key);
        // That a connection is cut off is an answer as well.
        let Ok(reply) = sent.await else { return };
        self.decided |=
            path == "/v1/decisions" && reply.status.is_success() && *method == Method::POST;
        let text = String::from_utf8_lossy(&reply.body);
        assert!(!text.contains(WRITTEN), "{path} shows a text");
        if text.contains(PAN) || text.contains(RESIDENT) {
            assert!(path.contains("detokenize"), "{path} shows a number");
            self.shown += 1;
        }
        let json: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let tokens = json["tokens"]
            .as_array()
            .into_iter()
            .flatten()
            .chain([&json]);
        self.tokens
            .extend(tokens.filter_map(|kept| Some(kept["token"].as_str()?.to_owned())));
    }

    async fn all(&mut self) {
        for (method, path) in operations() {
            for body in rightful(&path) {
                self.send(&method, &filled(&path), body.to_string().into_bytes())
                    .await;
            }
            for body in hostile() {
                self.send(&method, &filled(&path), body).await;
            }
            let asked = format!("{}?card={PAN}&id={RESIDENT}", filled(&path));
            self.send(&method, &asked, Vec::new()).await;
        }
        for page in PAGES {
            for body in hostile() {
                self.send(&Method::POST, page, body).await;
            }
            let asked = format!("{page}?q={PAN}&id={RESIDENT}");
            self.send(&Method::GET, &asked, Vec::new()).await;
        }
        // More than any route takes.
        let long = format!(
            "{{\"card\":{{\"number\":\"{PAN}\"}},\"note\":\"{}\"}}",
            PAN.repeat(400_000)
        );
        self.send(&Method::POST, "/v1/decisions", long.into_bytes())
            .await;
        let tokens: Vec<String> = self.tokens.iter().cloned().collect();
        for token in &tokens {
            let read = json!({ "purpose": "settlement", "token": token });
            let read = read.to_string().into_bytes();
            self.send(&Method::POST, "/v1/vault/detokenize", read).await;
        }
        let read = json!({ "purpose": "settlement", "tokens": tokens }).to_string();
        self.send(
            &Method::POST,
            "/v1/vault/detokenize/batch",
            read.into_bytes(),
        )
        .await;
    }
}

/// Pages, and places where no page is: whoever is not signed in may send anything there too.
const PAGES: [&str; 8] = [
    "/",
    "/find",
    "/decisions",
    "/lists/trusted_cards",
    "/subjects/new",
    "/exports/files/canary",
    "/invitation",
    "/nowhere",
];

/// A client with every scope that a key can have.
fn client(server: &ServerChild, folder: &Path, protocol: Protocol) -> std::sync::Arc<Client> {
    let question = Question::Create {
        algorithm: "ed25519".to_owned(),
        tenant: TenantId::parse("acme").unwrap(),
        scopes: Scopes::of_keys().to_string(),
        name: "canary".to_owned(),
    };
    let Some(Answer::Created { key, private }) = ask(folder, &question).unwrap() else {
        panic!("no key was made");
    };
    let caller = Caller::Signed(Signer::from_text(&key.id, private.expose()).unwrap());
    Client::new(&server.url(), &server.ca_pem(), caller, protocol).unwrap()
}

/// Talks to the server without its TLS, and breaks off.
fn break_off(server: &ServerChild) {
    let address = server.url().replace("https://", "");
    let mut stream = TcpStream::connect(address).unwrap();
    let request =
        format!("POST /v1/decisions HTTP/1.1\r\ncontent-length: 900\r\n\r\n{{\"card\":\"{PAN}");
    let _ = stream.write_all(request.as_bytes());
}

/// Which canaries are in these bytes.
fn canaries(bytes: &[u8]) -> Vec<(&'static str, usize)> {
    let found = [PAN, GROUPED, RESIDENT].map(|canary| found(canary, bytes));
    found.into_iter().flatten().collect()
}

fn found(canary: &'static str, bytes: &[u8]) -> Option<(&'static str, usize)> {
    let place = Finder::new(canary).find(bytes);
    place.map(|place| (canary, place))
}

/// Where the stacks of a process end: what lies below belongs to functions that have returned. A
/// thread that runs at this moment is left out.
fn stack_pointers(process: u32) -> Vec<u64> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let pointer = |task: fs::DirEntry| {
        let call = fs::read_to_string(task.path().join("syscall")).ok()?;
        let pointer = call.split_whitespace().rev().nth(1)?.strip_prefix("0x")?;
        u64::from_str_radix(pointer, 16).ok()
    };
    tasks.filter_map(Result::ok).filter_map(pointer).collect()
}

/// Regions of the memory of a process in which a canary stands: what they are, and what stands
/// around it, with the canary itself left out.
fn in_memory(process: u32) -> Vec<String> {
    let maps = File::open(format!("/proc/{process}/maps")).unwrap();
    let mut memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let mut found = Vec::new();
    let pointers = stack_pointers(process);
    let mut guard_end = 0;
    for line in BufReader::new(maps).lines().map(Result::unwrap) {
        let Some((range, rest)) = line.split_once(' ') else {
            continue;
        };
        let (from, to) = range.split_once('-').unwrap();
        let [from, to] = [from, to].map(|address| u64::from_str_radix(address, 16).unwrap());
        if rest.starts_with("---") {
            guard_end = to;
        }
        if !rest.starts_with("rw") {
            continue;
        }
        // A thread that has ended leaves its stack for the next one.
        let is_stack = guard_end == from && STACK_BYTES.abs_diff(to - from) <= STACK_SLACK_BYTES;
        let in_use = pointers.iter().filter(|place| (from..to).contains(place));
        let in_use = in_use.min().map(|place| place - from);
        let dead = in_use.unwrap_or(if is_stack { to - from } else { 0 }) as usize;
        let mut bytes = Vec::new();
        memory.seek(SeekFrom::Start(from)).unwrap();
        let _ = (&mut memory).take(to - from).read_to_end(&mut bytes);
        let bytes = bytes.get(dead..).unwrap_or_default();
        for (canary, place) in canaries(bytes) {
            let around = &bytes[place.saturating_sub(120)..bytes.len().min(place + 140)];
            let around = String::from_utf8_lossy(around).replace(canary, "CANARY");
            let around: String = around
                .chars()
                .map(|one| if one.is_control() { '.' } else { one })
                .collect();
            found.push(format!(
                "{rest} of {} bytes at {place}: {around}",
                to - from
            ));
        }
    }
    found
}

fn in_files(folder: &Path) -> Vec<String> {
    let mut there = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            there.extend(in_files(&entry.path()));
        } else if kind.is_file() {
            let bytes = fs::read(entry.path()).unwrap();
            let places = canaries(&bytes).into_iter().chain(found(WRITTEN, &bytes));
            there.extend(places.map(|(_, place)| format!("{} at {place}", entry.path().display())));
        }
    }
    there
}

#[test]
fn a_canary_goes_everywhere_and_stays_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = common::serve(&data, &["log=trace", "sandbox=false"]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        for protocol in [Protocol::Http1, Protocol::Http2] {
            let connection = client(&server, &data, protocol).connection();
            let (requests, shown, tokens) = (0, 0, BTreeSet::new());
            let mut walk = Walk {
                connection,
                requests,
                tokens,
                shown,
                decided: false,
            };
            walk.all().await;
            assert!(walk.decided, "no payment was decided");
            assert!(
                walk.shown >= 4,
                "the canaries were read back: {}",
                walk.shown
            );
            let metrics = walk.connection.get("/metrics").await.unwrap();
            assert_eq!(canaries(&metrics.body), []);
            assert_eq!(found(WRITTEN, &metrics.body), None);
        }
    });
    break_off(&server);
    drop(runtime);
    let mut left = in_memory(server.id());
    for _ in 0..LOOKS {
        if left.is_empty() {
            break;
        }
        sleep(Duration::from_millis(500));
        left = in_memory(server.id());
    }
    assert!(left.is_empty(), "in memory: {left:#?}");
    assert_eq!(in_files(&data), [""; 0], "beside the running server");
    drop(server);
    assert_eq!(in_files(&data), [""; 0], "after the server");
    let path = data.to_str().unwrap();
    let scanned = common::paywarden(
        folder.path(),
        &["scan", "--json", "--least", "possible", path],
    );
    let report: Value = serde_json::from_slice(&scanned.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    let numbers: Vec<_> = findings
        .filter(|found| found["kind"] != "secret" && found["kind"] != "phone")
        .collect();
    assert!(numbers.is_empty(), "{numbers:#?}");
}
