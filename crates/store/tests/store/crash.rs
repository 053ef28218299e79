//! A writer that is killed loses nothing that it acknowledged.

use crate::support::*;
use paywarden_store::*;
use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

on_both!(what_was_acknowledged_survives_a_kill,);

const URL: &str = "PAYWARDEN_STORE_CRASH_URL";

async fn what_was_acknowledged_survives_a_kill(place: Place) {
    let mut acknowledged = Vec::new();
    for round in 0..5 {
        let before = acknowledged.len();
        acknowledged.extend(write_until_killed(&place.url));
        assert!(acknowledged.len() > before, "round {round} wrote nothing");
        let store = place.open().await;
        let verdict = store.database.verify(None).await.unwrap();
        assert!(matches!(verdict, Verdict::Intact(_)), "{verdict:?}");
        for number in &acknowledged {
            let stored = store
                .database
                .decision_of_payment(&tenant(), &payment(*number))
                .await
                .unwrap();
            assert_eq!(stored, Some(decision(*number)));
        }
        store.close().await;
    }
}

/// Runs the writer below in a process of its own, kills it while it writes, and returns the
/// numbers that it printed.
fn write_until_killed(url: &str) -> Vec<i64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::child_writes_for_ever",
            "--ignored",
            "--nocapture",
        ])
        .env(URL, url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let life_ms = u64::from(u16::from_le_bytes(Clock::System.random())) % 400 + 50;
    let mut started = None;
    let mut numbers = Vec::new();
    for line in output.lines() {
        let Ok(line) = line else { break };
        let Some(number) = line.strip_prefix("durable ") else {
            continue;
        };
        numbers.extend(number.parse::<i64>());
        let started = *started.get_or_insert_with(Instant::now);
        if started.elapsed() > Duration::from_millis(life_ms) {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    numbers
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "only as the child of the test above"]
async fn child_writes_for_ever() {
    let Ok(url) = std::env::var(URL) else { return };
    let database = Database::open(&url).await.unwrap();
    let journal = Journal::start(&database, Clock::System, JournalLimits::default())
        .await
        .unwrap();
    let first = database.event_no_last().await.unwrap() + 1;
    let mut tasks = Vec::new();
    for lane in 0..16 {
        let journal = journal.clone();
        tasks.push(tokio::spawn(async move {
            for number in (first + lane..).step_by(16) {
                journal.append(entry(vec![decided(number)])).await.unwrap();
                // One write per line, so that a kill cannot leave half a number.
                let line = format!("durable {number}\n");
                std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}
