//! Files beside cases: what is taken, who reads it and for what, and how it ends.

use crate::{
    cases::{Desk, RULES},
    support::{Person, Sent, Setup},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Method, StatusCode};
use paywarden_cases::{FileScan, ScannerAway};
use paywarden_crypto::SignatureAlgorithm::Ed25519;
use paywarden_outward::scan::{Scanner, ScannerPlace};
use serde_json::{Value, json};
use std::{net::Ipv4Addr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const MARK: &str = "zephyrine-quillfeather";
const PURPOSE: &str = "aml_compliance";

/// A document with something in it that is nowhere else.
fn pdf(length: usize) -> Vec<u8> {
    let mut content = format!("%PDF-1.7\n% {MARK}\n").into_bytes();
    content.resize(length.max(64) - 7, b' ');
    content.extend(b"\n%%EOF\n");
    content
}

fn file(name: &str, content: &[u8]) -> Value {
    json!({ "name": name, "purpose": PURPOSE, "content": STANDARD.encode(content) })
}

fn setup() -> Setup {
    Setup {
        rules: Some(RULES),
        ..Setup::default()
    }
}

/// An installation with a case, and the way to its files.
async fn opened(setup: Setup) -> (Desk, String) {
    let mut desk = Desk::of(setup).await;
    let alerts = desk.alerted("suspects", 1).await;
    let opening = json!({ "title": "ring", "typology": "card_fraud", "alerts": alerts });
    let case = desk.posted("/v1/cases", &opening).await;
    (
        desk,
        format!("/v1/cases/{}/files", case["id"].as_str().unwrap()),
    )
}

/// The status, the code of a refusal or the body, of a file that is asked for.
async fn read(desk: &mut Desk, path: &str) -> (StatusCode, Vec<u8>) {
    let sent = Sent::new(Method::GET, path, "");
    let answer = desk.client.signed(&desk.signer, sent).await;
    match answer.status.is_success() {
        true => (answer.status, answer.body.to_vec()),
        false => (answer.status, answer.code().into_bytes()),
    }
}

async fn refused_read(desk: &mut Desk, path: &str) -> String {
    let (status, code) = read(desk, path).await;
    assert!(!status.is_success(), "{path}");
    String::from_utf8(code).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_read_as_it_was_handed_in_for_a_purpose_also_after_a_restart() {
    let (mut desk, files) = opened(setup()).await;
    let content = pdf(10 * 1024 * 1024);
    let added = desk
        .posted(&files, &file("statement 2026.pdf", &content))
        .await;
    assert_eq!(
        (
            &added["number"],
            &added["kind"],
            &added["bytes"],
            &added["scanned"]
        ),
        (
            &json!(1),
            &json!("pdf"),
            &json!(content.len()),
            &json!(false)
        )
    );
    let path = format!("{files}/1?purpose={PURPOSE}");
    let sent = Sent::new(Method::GET, &path, "");
    let answer = desk.client.signed(&desk.signer, sent).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body == content);
    for (name, value) in [
        ("content-type", "application/pdf"),
        (
            "content-disposition",
            "attachment; filename*=UTF-8''statement%202026.pdf",
        ),
        ("x-content-type-options", "nosniff"),
        ("file-sha256", added["sha256"].as_str().unwrap()),
    ] {
        assert_eq!(answer.headers[name], value);
    }
    for (path, code) in [
        (format!("{files}/1"), "parameter_invalid"),
        (
            format!("{files}/1?purpose=marketing"),
            "purpose_not_for_data",
        ),
        (format!("{files}/2?purpose={PURPOSE}"), "work_item_unknown"),
        (format!("{files}/x?purpose={PURPOSE}"), "work_item_unknown"),
    ] {
        assert_eq!(refused_read(&mut desk, &path).await, code, "{path}");
    }
    let story = desk.get(&files.replace("files", "timeline")).await;
    let told = story["moments"].as_array().unwrap().iter();
    let told = told.filter(|one| one["what"] == "add_file" && one["text"] == "statement 2026.pdf");
    assert_eq!(told.count(), 1);

    let mut desk = desk.restart(setup()).await;
    assert!(read(&mut desk, &path).await == (StatusCode::OK, content));
    desk.assert_intact().await;
    let stored = ["paywarden.db", "paywarden.db-wal"].map(|name| desk.world.folder_file(name));
    for bytes in stored.iter().filter_map(|path| std::fs::read(path).ok()) {
        let mark = MARK.as_bytes();
        assert!(!bytes.windows(mark.len()).any(|part| part == mark));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_and_what_is_too_much_is_refused() {
    let (mut desk, files) = opened(setup()).await;
    let small = pdf(64);
    for (name, content, code) in [
        ("run.exe", &b"MZ"[..], "case_file_refused"),
        ("statement.pdf", b"MZ", "case_file_refused"),
        ("statement.exe.pdf", &small, "case_file_refused"),
        ("../statement.pdf", &small, "case_file_refused"),
        (
            "cards.csv",
            b"name,card\nLiu,4539578763621486\n",
            "case_file_refused",
        ),
        ("long.pdf", &pdf(10 * 1024 * 1024 + 1), "field_invalid"),
        ("longer.pdf", &pdf(11 * 1024 * 1024), "body_too_large"),
    ] {
        let code_of = desk.refused(&files, &file(name, content)).await;
        assert_eq!(code_of, code, "{name}");
    }
    let bad = json!({ "name": "a.pdf", "purpose": PURPOSE, "content": "%%%" });
    assert_eq!(desk.refused(&files, &bad).await, "field_invalid");
    let aimless =
        json!({ "name": "a.pdf", "purpose": "marketing", "content": STANDARD.encode(&small) });
    assert_eq!(desk.refused(&files, &aimless).await, "purpose_not_for_data");
    for number in 1..=50 {
        let added = desk.posted(&files, &file("a.txt", b"text")).await;
        assert_eq!(added["number"], number);
    }
    assert_eq!(
        desk.refused(&files, &file("a.txt", b"text")).await,
        "field_invalid"
    );
    assert_eq!(
        desk.get(&files).await["files"].as_array().unwrap().len(),
        50
    );
    desk.assert_intact().await;
}

/// Says of files what stands in them.
async fn answering(mut stream: TcpStream) -> std::io::Result<()> {
    stream.read_exact(&mut [0; 10]).await?;
    let mut content = Vec::new();
    while let length @ 1.. = stream.read_u32().await? {
        let mut chunk = vec![0; length as usize];
        stream.read_exact(&mut chunk).await?;
        content.extend(chunk);
    }
    let says = match String::from_utf8_lossy(&content) {
        text if text.contains("infected") => "stream: Eicar FOUND\0",
        text if text.contains("hang") => return std::future::pending().await,
        text if text.contains("fails") => "INSTREAM size limit exceeded. ERROR\0",
        text if text.contains("silent") => "",
        _ => "stream: OK\0",
    };
    stream.write_all(says.as_bytes()).await
}

/// A scanner that is there, and one that nobody hears.
async fn scanners(away: ScannerAway) -> [FileScan; 2] {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let there = ScannerPlace::Tcp(listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(answering(stream));
        }
    });
    let gone = ScannerPlace::Unix("/nowhere/clamd.ctl".into());
    [there, gone].map(|place| FileScan {
        scanner: Scanner::new(place, Duration::from_millis(500)),
        away,
    })
}

/// What becomes of files with a scanner: the code of the refusal, or whether they were scanned.
async fn with_scanner(scan: FileScan) -> Vec<Value> {
    let scan = Some(scan);
    let (mut desk, files) = opened(Setup { scan, ..setup() }).await;
    let mut became = Vec::new();
    for text in ["clean", "infected", "hang", "fails", "silent"] {
        let (_, said) = desk.post(&files, &file("a.txt", text.as_bytes())).await;
        became.push(said.get("scanned").unwrap_or(&said["code"]).clone());
    }
    let kept = became.iter().filter(|one| one.is_boolean()).count();
    assert_eq!(
        desk.get(&files).await["files"].as_array().unwrap().len(),
        kept
    );
    became
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_is_heard_and_without_one_the_policy_holds() {
    let (away, found) = ("case_file_scanner_away", "case_file_infected");
    let [there, gone] = scanners(ScannerAway::Refuse).await;
    assert_eq!(
        json!(with_scanner(there).await),
        json!([true, found, away, away, away])
    );
    assert_eq!(
        json!(with_scanner(gone).await),
        json!([away, away, away, away, away])
    );
    let [there, gone] = scanners(ScannerAway::Take).await;
    assert_eq!(
        json!(with_scanner(there).await),
        json!([true, found, false, false, false])
    );
    assert_eq!(
        json!(with_scanner(gone).await),
        json!([false, false, false, false, false])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_a_file_says_the_table_of_masks_and_nobody_of_another_company_does() {
    let (mut desk, files) = opened(setup()).await;
    desk.posted(&files, &file("chat.txt", b"she was told to pay"))
        .await;
    let path = format!("{files}/1?purpose={PURPOSE}");
    let mut lin = Person::with_roles(&desk.world, "acme", "lin@example.com", &["analyst"]).await;
    let read = lin.get(&path).await;
    assert_eq!(
        (read.status.as_u16(), &read.body[..]),
        (200, &b"she was told to pay"[..])
    );
    let other = lin.get(&path.replace(PURPOSE, "settlement")).await;
    assert_eq!(
        (other.status.as_u16(), other.code().as_str()),
        (403, "case_file_masked")
    );
    let handed = lin.post(&files, Some(&file("face.txt", b"seen"))).await;
    assert_eq!(handed.status, 201, "{}", handed.json());
    for role in ["rule_author", "privacy_officer", "auditor"] {
        let login = format!("{role}@example.com");
        let mut person = Person::with_roles(&desk.world, "acme", &login, &[role]).await;
        assert_eq!(
            person.get(&path).await.code(),
            "scope_insufficient",
            "{role}"
        );
        assert_eq!(
            person.get(&files).await.code(),
            "scope_insufficient",
            "{role}"
        );
    }
    let kim = desk.world.signer("other", Ed25519).await;
    let erasure = json!({ "reason": "r" });
    for sent in [
        Sent::new(Method::GET, &files, ""),
        Sent::new(Method::GET, &path, ""),
        Sent::json(Method::POST, &files, &file("a.txt", b"theirs")),
        Sent::json(Method::POST, &format!("{files}/1/erasure"), &erasure),
    ] {
        let answer = desk.client.signed(&kim, sent).await;
        assert_eq!(answer.code(), "work_item_unknown");
    }
    assert_eq!(desk.get(&files).await["files"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_ends_with_its_key_and_a_hold_keeps_it() {
    let (mut desk, files) = opened(setup()).await;
    for _ in 0..3 {
        desk.posted(&files, &file("chat.txt", b"words")).await;
    }
    let case = files.split('/').nth(3).unwrap().to_owned();
    let hold = |lifted: bool| json!({ "subject": case, "reference": "court_1", "lift": lifted });
    desk.posted("/v1/subjects/holds", &hold(false)).await;
    let erasure = json!({ "reason": "handed in by mistake" });
    let erase = format!("{files}/1/erasure");
    assert_eq!(desk.refused(&erase, &erasure).await, "subject_held");
    desk.posted("/v1/subjects/holds", &hold(true)).await;
    let blank = json!({ "reason": " " });
    assert_eq!(desk.refused(&erase, &blank).await, "field_invalid");
    let read_first = format!("{files}/1?purpose={PURPOSE}");
    assert_eq!(read(&mut desk, &read_first).await.0, 200);

    let erased = desk.posted(&erase, &erasure).await;
    assert_eq!(erased["erased"]["reason"], "handed in by mistake");
    assert_eq!(
        refused_read(&mut desk, &read_first).await,
        "case_file_erased"
    );
    assert_eq!(desk.refused(&erase, &erasure).await, "case_file_erased");
    // Whoever erases everything of a case in the vault erases its files.
    let forgetting = json!({ "purpose": "the time is over", "subject": case });
    desk.posted("/v1/vault/forget", &forgetting).await;
    let second = format!("{files}/2?purpose={PURPOSE}");
    assert_eq!(refused_read(&mut desk, &second).await, "case_file_erased");
    let said = desk.posted(&format!("{files}/2/erasure"), &erasure).await;
    assert!(said["erased"].is_object());
    let mut desk = desk.restart(setup()).await;
    let list = desk.get(&files).await;
    let left = list["files"].as_array().unwrap().iter();
    let left: Vec<bool> = left.map(|one| one["erased"].is_null()).collect();
    assert_eq!(left, [false, false, true]);
    desk.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_files_that_are_handed_in_at_once_each_is_whole_or_refused() {
    let (mut desk, files) = opened(setup()).await;
    let mut tasks = Vec::new();
    for number in 0..6 {
        let mut client = desk.world.client(true).await;
        let signer = desk.world.signer("acme", Ed25519).await;
        let text = format!("file of {number}");
        let sent = Sent::json(Method::POST, &files, &file("a.txt", text.as_bytes()));
        tasks.push(tokio::spawn(async move {
            let answer = client.signed(&signer, sent).await;
            (answer.status.is_success(), answer.json(), text)
        }));
    }
    let mut taken = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            (true, said, text) => taken.push((said["number"].as_u64().unwrap(), text)),
            (false, said, _) => assert_eq!(said["code"], "work_item_changed"),
        }
    }
    taken.sort_unstable();
    assert!(!taken.is_empty());
    for (place, (number, text)) in taken.iter().enumerate() {
        assert_eq!(*number, place as u64 + 1);
        let path = format!("{files}/{number}?purpose={PURPOSE}");
        assert_eq!(read(&mut desk, &path).await.1, text.as_bytes());
    }
    assert_eq!(
        desk.get(&files).await["files"].as_array().unwrap().len(),
        taken.len()
    );
    desk.assert_intact().await;
}
