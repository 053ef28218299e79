//! A connection that is lost at `COMMIT`: whether the command or only its reply was lost, the
//! answer is the truth.

use crate::support::*;
use paywarden_store::*;
use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
};

/// What the relay does when the next `COMMIT` comes by.
const PASS: u8 = 0;
const LOSE_COMMAND: u8 = 1;
const LOSE_REPLY: u8 = 2;

/// Stands between the store and the server.
struct Relay {
    place: Place,
    loss: Arc<AtomicU8>,
    _folder: tempfile::TempDir,
}

impl Relay {
    async fn new() -> Option<Self> {
        const SOCKET: &str = ".s.PGSQL.5432";
        let place = Place::postgres().await?;
        let (before, server) = place.url.split_once("host=").unwrap();
        let server = format!("{server}/{SOCKET}");
        let folder = tempfile::tempdir().unwrap();
        let place = Place::at(format!("{before}host={}", folder.path().display()));
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let loss = Arc::new(AtomicU8::new(PASS));
        let relay = Self {
            place,
            loss: loss.clone(),
            _folder: folder,
        };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&server).await.unwrap();
                tokio::spawn(carry(client, server, loss.clone()));
            }
        });
        Some(relay)
    }
}

/// Carries bytes both ways until an end closes or the loss happens.
async fn carry(mut client: UnixStream, mut server: UnixStream, loss: Arc<AtomicU8>) {
    let (mut request, mut reply) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            Ok(length) = client.read(&mut request) => {
                let request = &request[..length];
                let is_commit = request.windows(7).any(|part| part == b"COMMIT\0");
                let loss = if is_commit { loss.swap(PASS, Ordering::SeqCst) } else { PASS };
                if length == 0 || loss == LOSE_COMMAND {
                    return;
                }
                server.write_all(request).await.unwrap();
                if loss == LOSE_REPLY {
                    assert!(server.read(&mut reply).await.unwrap() > 0);
                    return;
                }
            }
            Ok(length) = server.read(&mut reply) => {
                if length == 0 || client.write_all(&reply[..length]).await.is_err() {
                    return;
                }
            }
            else => return,
        }
    }
}

/// Appends decisions 1 to 3, the second during the loss; what it came to.
async fn append_during(loss: u8) -> Option<Result<Appended, Error>> {
    let relay = Relay::new().await?;
    let store = relay.place.open().await;
    store.append(vec![decided(1)]).await.unwrap();
    relay.loss.store(loss, Ordering::SeqCst);
    let result = store.append(vec![decided(2)]).await;
    assert_eq!(relay.loss.load(Ordering::SeqCst), PASS);
    store.append(vec![decided(3)]).await.unwrap();
    let stored = store
        .database
        .decision_of_payment(&tenant(), &payment(2))
        .await
        .unwrap();
    assert_eq!(stored.is_some(), result.is_ok());
    let verdict = store.database.verify(None).await.unwrap();
    let written = 2 + u64::from(result.is_ok());
    assert!(matches!(verdict, Verdict::Intact(Intact { leaves, .. }) if leaves == written));
    store.close().await;
    Some(result)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_command_is_a_refusal() {
    let Some(result) = append_during(LOSE_COMMAND).await else {
        return;
    };
    assert!(
        matches!(result, Err(Error::Unavailable { .. })),
        "{result:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_is_not() {
    let Some(result) = append_during(LOSE_REPLY).await else {
        return;
    };
    assert_eq!(
        result,
        Ok(Appended::Written {
            seq: 2,
            label_seq: None,
            known_records: false,
        })
    );
}
