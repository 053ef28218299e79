//! Epochs: while others work, over a crash, and against a backup that was restored.

use crate::world::*;
use paywarden_privacy::{Error, rotation::EpochError};
use std::fs;

async fn people(world: &World, count: u64) -> Vec<String> {
    let mut tokens = Vec::new();
    for number in 0..count {
        let one = item(&format!("s{number}"), "card_number", &card_number(number));
        tokens.push(world.keep(one).await);
    }
    tokens
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_wrapped_again_while_values_are_read_and_kept() {
    let world = World::new().await;
    let tokens = people(&world, 600).await;
    assert_eq!(world.vault.begin_epoch(&by("acme")).await.unwrap(), 2);
    let before = world.vault.rotation().await.unwrap();
    assert_eq!((before.newest, before.keys), (2, vec![(1, 600)]));
    let vault = world.vault.clone();
    let job = tokio::spawn(async move { vault.rewrap(&by("acme"), 1_000_000).await });
    for (number, token) in tokens.iter().enumerate().step_by(7) {
        assert_eq!(world.read(token).await.unwrap(), card_number(number as u64));
        world
            .keep(item(&format!("new{number}"), "card_number", CARD))
            .await;
    }
    let rotated = job.await.unwrap().unwrap();
    assert_eq!(rotated.keys, 600);
    assert_eq!(world.end_epochs(2).await, Ok(vec![1]));
    let after = world.vault.rotation().await.unwrap();
    assert_eq!((after.living, after.keys.len()), (vec![2], 1));
    for (number, token) in tokens.iter().enumerate() {
        assert_eq!(world.read(token).await.unwrap(), card_number(number as u64));
    }
    world.assert_intact().await;
    let world = world.restart(|_| {}).await;
    assert_eq!(world.read(&tokens[5]).await.unwrap(), card_number(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_broke_off_goes_on_where_it_stopped() {
    let world = World::new().await;
    let tokens = people(&world, 1_300).await;
    world.vault.begin_epoch(&by("acme")).await.unwrap();
    let vault = world.vault.clone();
    // So slow that it stands between two pages when it is broken off.
    let job = tokio::spawn(async move { vault.rewrap(&by("acme"), 100).await });
    while world.vault.rotation().await.unwrap().keys.len() < 2 {
        tokio::task::yield_now().await;
    }
    assert!(
        world.vault.rewrap(&by("acme"), 100).await.is_err(),
        "one at a time"
    );
    job.abort();
    let _ = job.await;
    let world = world.restart(|_| {}).await;
    let half = world.vault.rotation().await.unwrap();
    assert_eq!(
        (half.living, half.keys),
        (vec![1, 2], vec![(1, 1_268), (2, 32)])
    );
    assert_eq!(world.read(&tokens[9]).await.unwrap(), card_number(9));
    let rotated = world.vault.rewrap(&by("acme"), 1_000_000).await.unwrap();
    assert_eq!(rotated.keys, 1_268);
    assert_eq!(world.end_epochs(2).await, Ok(vec![1]));
    assert_eq!(world.read(&tokens[9]).await.unwrap(), card_number(9));
    world.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_while_it_is_paused() {
    let world = World::new().await;
    people(&world, 3).await;
    world.vault.begin_epoch(&by("acme")).await.unwrap();
    world.vault.pause_rotation(true);
    let vault = world.vault.clone();
    let job = tokio::spawn(async move { vault.rewrap(&by("acme"), 1_000_000).await });
    while !world.vault.rotation().await.unwrap().runs {
        tokio::task::yield_now().await;
    }
    let paused = world.vault.rotation().await.unwrap();
    assert_eq!((paused.paused, paused.keys), (true, vec![(1, 3)]));
    world.vault.pause_rotation(false);
    assert_eq!(job.await.unwrap().unwrap().keys, 3);
}

/// Backs up, erases, leaves the epoch, restores the backup: whoever was erased stays erased, and
/// everybody else is read once the living keys are put back.
#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_does_not_bring_back_who_was_erased() {
    let world = World::new().await;
    let tokens = people(&world, 5).await;
    let world = world
        .restart(|folder| {
            fs::copy(folder.join("store.db"), folder.join("backup.db")).unwrap();
        })
        .await;
    world.vault.forget(&by("acme"), "s3", None).await.unwrap();
    world.vault.begin_epoch(&by("acme")).await.unwrap();
    world.vault.rewrap(&by("acme"), 1_000_000).await.unwrap();
    world.end_epochs(2).await.unwrap();
    let mut copy = Vec::new();
    assert_eq!(world.vault.export_keys(&mut copy).await.unwrap(), 4);
    let world = world
        .restart(|folder| {
            for file in ["store.db-wal", "store.db-shm"] {
                let _ = fs::remove_file(folder.join(file));
            }
            fs::copy(folder.join("backup.db"), folder.join("store.db")).unwrap();
        })
        .await;
    // The backup alone opens nobody: the secret of its epoch is gone.
    for token in &tokens {
        assert_eq!(world.read(token).await, Err(Error::Damaged));
    }
    let cut = &copy[..copy.len() / 2];
    assert!(world.vault.restore_keys(&by("acme"), cut).await.is_err());
    let restored = world
        .vault
        .restore_keys(&by("acme"), copy.as_slice())
        .await
        .unwrap();
    assert_eq!(restored.keys, 4);
    for (number, token) in tokens.iter().enumerate() {
        match number {
            3 => assert_eq!(world.read(token).await, Err(Error::TokenUnknown)),
            _ => assert_eq!(world.read(token).await.unwrap(), card_number(number as u64)),
        }
    }
    let shown = "SELECT COUNT(*) FROM vault_records WHERE erased_at IS NULL";
    assert_eq!(world.number(shown).await, 4);
    world.assert_intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_epoch_ends_by_two_approvers_at_count_zero_once() {
    let world = World::new().await;
    let tokens = people(&world, 3).await;
    assert_eq!(world.end_epochs(2).await, Err(EpochError::Unknown));
    world.vault.begin_epoch(&by("acme")).await.unwrap();
    for before in [3, i64::MAX] {
        assert_eq!(world.end_epochs(before).await, Err(EpochError::Unknown));
    }
    // Approved or not: what wraps a key stays.
    assert_eq!(world.end_epochs(2).await, Err(EpochError::InUse(3)));
    assert!(world.read(&tokens[0]).await.is_ok());
    world.vault.rewrap(&by("acme"), 1_000_000).await.unwrap();
    let approvals = world.approvals();
    // One approver is not enough, the same one twice neither.
    let one = world.ask_to_end(2, &["key_2"]).await;
    assert!(
        approvals
            .claim::<paywarden_privacy::rotation::EpochEnd>(&key("key_1"), &one)
            .await
            .is_err()
    );
    let end = async || {
        let approved = approvals.claim(&key("key_1"), &both_of(&world).await).await;
        world.vault.end_epochs(approved.unwrap(), "daily").await
    };
    let (one, other) = tokio::join!(end(), end());
    let ended = [one, other];
    assert!(ended.contains(&Ok(vec![1])), "{ended:?}");
    assert_eq!(world.vault.rotation().await.unwrap().living, [2]);
    assert!(world.read(&tokens[0]).await.is_ok());
    world.assert_intact().await;
}

async fn both_of(world: &World) -> String {
    world.ask_to_end(2, &["key_2", "key_3"]).await
}

/// Pages grow and lose keys while they are wrapped again: nothing that is kept is lost, and nobody who
/// was erased comes back.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_that_change_while_they_are_wrapped_again_lose_nothing_and_bring_nothing_back() {
    let world = World::new().await;
    let early = people(&world, 300).await;
    let writer = {
        let vault = world.vault.clone();
        tokio::spawn(async move {
            let mut tokens = Vec::new();
            for number in 0..200 {
                let of = format!("late{number}");
                let items = [item(&of, "card_number", &card_number(1_000 + number))];
                let kept = vault.tokenize(&by("acme"), &items).await.unwrap();
                tokens.push(kept[0].token.clone());
            }
            tokens
        })
    };
    let eraser = {
        let vault = world.vault.clone();
        tokio::spawn(async move {
            for number in (0..300).step_by(5) {
                let gone = format!("s{number}");
                vault.forget(&by("acme"), &gone, None).await.unwrap();
            }
        })
    };
    for _ in 0..6 {
        world.vault.begin_epoch(&by("acme")).await.unwrap();
        world.vault.rewrap(&by("acme"), 1_000_000).await.unwrap();
    }
    let late = writer.await.unwrap();
    eraser.await.unwrap();
    world.vault.rewrap(&by("acme"), 1_000_000).await.unwrap();
    let keys = world.vault.rotation().await.unwrap().keys;
    assert_eq!(keys, [(7, 240 + 200)]);
    world.end_epochs(7).await.unwrap();
    for (number, token) in early.iter().enumerate() {
        match number % 5 {
            0 => assert_eq!(world.read(token).await, Err(Error::TokenUnknown)),
            _ => assert_eq!(world.read(token).await.unwrap(), card_number(number as u64)),
        }
    }
    for (number, token) in (1_000..).zip(&late) {
        assert_eq!(world.read(token).await.unwrap(), card_number(number));
    }
    world.assert_intact().await;
}
