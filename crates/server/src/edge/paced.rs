//! A connection that must not dawdle: slow headers and idle clients end with a time-out.
//!
//! The HTTP library has one time limit for both waiting for a request and reading its headers;
//! here the first may take a minute and the second five seconds. So the limit sits under the HTTP
//! library, on the stream it reads from, and is told by the requests which of the two applies.

use crate::Limits;
use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

/// Which requests of one connection are being answered, and since when none is.
pub struct Busy {
    opened: Instant,
    open: AtomicU32,
    answered: AtomicU32,
    idle_since_ms: AtomicU64,
}

/// One request being answered; ends when dropped.
pub struct Answering(Arc<Busy>);

impl Busy {
    /// For a connection opened now.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            open: AtomicU32::new(0),
            answered: AtomicU32::new(0),
            idle_since_ms: AtomicU64::new(0),
        })
    }

    /// The headers of a request are complete.
    pub fn begin(self: &Arc<Self>) -> Answering {
        self.open.fetch_add(1, Ordering::Relaxed);
        Answering(Arc::clone(self))
    }

    fn idle_since(&self) -> Option<Instant> {
        let since = Duration::from_millis(self.idle_since_ms.load(Ordering::Relaxed));
        (self.open.load(Ordering::Relaxed) == 0).then(|| self.opened + since)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let now_ms = self.0.opened.elapsed().as_millis() as u64;
        self.0.idle_since_ms.store(now_ms, Ordering::Relaxed);
        self.0.answered.fetch_add(1, Ordering::Relaxed);
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream whose reads fail once the peer is too slow.
pub struct Paced<S> {
    stream: S,
    busy: Arc<Busy>,
    answered: u32,
    first_byte: Option<Instant>,
    alarm: Pin<Box<Sleep>>,
    idle_timeout: Duration,
    header_timeout: Duration,
}

impl<S> Paced<S> {
    /// Watches `stream`. With HTTP/2, where control frames arrive between requests, bytes do not
    /// mean that headers have begun, and only the idle limit applies.
    pub fn new(stream: S, busy: Arc<Busy>, limits: &Limits, is_http2: bool) -> Self {
        let idle_timeout = limits.idle_timeout();
        let header_timeout = if is_http2 {
            idle_timeout
        } else {
            limits.header_timeout()
        };
        Self {
            stream,
            alarm: Box::pin(tokio::time::sleep_until(busy.opened + idle_timeout)),
            busy,
            answered: 0,
            first_byte: None,
            idle_timeout,
            header_timeout,
        }
    }

    fn received(&mut self) {
        self.forget_answered();
        self.first_byte.get_or_insert_with(Instant::now);
    }

    /// Bytes read before the latest answer belonged to requests that are over.
    fn forget_answered(&mut self) {
        let answered = self.busy.answered.load(Ordering::Relaxed);
        if answered != self.answered {
            self.answered = answered;
            self.first_byte = None;
        }
    }

    /// Whether the peer is out of time. Otherwise the alarm is set so that this is asked again.
    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        self.forget_answered();
        let deadline = match (self.busy.idle_since(), self.first_byte) {
            (None, _) => Instant::now() + self.idle_timeout,
            (Some(_), Some(first_byte)) => first_byte + self.header_timeout,
            (Some(since), None) => since + self.idle_timeout,
        };
        if deadline < self.alarm.deadline() {
            self.alarm.as_mut().reset(deadline);
        }
        while self.alarm.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return true;
            }
            self.alarm.as_mut().reset(deadline);
        }
        false
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_read(cx, buffer);
        match result {
            Poll::Pending if self.poll_overdue(cx) => {
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Ready(Ok(())) => {
                self.received();
                result
            }
            _ => result,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const LIMITS: fn() -> Limits = || Limits {
        header_timeout_ms: 100,
        idle_timeout_ms: 400,
        ..Limits::default()
    };

    async fn read_until_error(mut paced: Paced<impl AsyncRead + AsyncWrite + Unpin>) -> Duration {
        let start = Instant::now();
        let mut buffer = [0; 16];
        loop {
            match paced.read(&mut buffer).await {
                Ok(_) => {}
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
                    return start.elapsed();
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_client_has_the_idle_time() {
        let (_client, server) = tokio::io::duplex(64);
        let paced = Paced::new(server, Busy::new(), &LIMITS(), false);
        assert!(
            read_until_error(paced)
                .await
                .abs_diff(Duration::from_millis(400))
                .as_millis()
                < 5
        );
    }

    #[tokio::test(start_paused = true)]
    async fn trickled_headers_have_the_header_time_from_their_first_byte() {
        let (mut client, server) = tokio::io::duplex(64);
        let trickle = tokio::spawn(async move {
            while client.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        let paced = Paced::new(server, Busy::new(), &LIMITS(), false);
        assert!(
            read_until_error(paced)
                .await
                .abs_diff(Duration::from_millis(100))
                .as_millis()
                < 15
        );
        trickle.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn no_limit_runs_while_an_answer_is_being_made() {
        let (_client, server) = tokio::io::duplex(64);
        let busy = Busy::new();
        let answering = busy.begin();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            drop(answering);
        });
        let mut paced = Paced::new(server, busy, &LIMITS(), false);
        let mut buffer = [0; 1];
        let start = Instant::now();
        assert_eq!(
            paced.read(&mut buffer).await.unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
        assert!(
            start
                .elapsed()
                .abs_diff(Duration::from_millis(5_400))
                .as_millis()
                < 5
        );
    }
}
