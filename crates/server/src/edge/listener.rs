//! The listener: accepts connections within their caps, shakes hands, speaks HTTP, drains.

use super::{
    paced::{Busy, Paced},
    peer::Peer,
};
use crate::{Limits, serve, state::State};
use hyper::{server::conn, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::{
    collections::HashMap,
    future::Future,
    io,
    net::IpAddr,
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// Pause after a failed accept, such as no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Flow-control windows: what one HTTP/2 connection may send before its bodies are read.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 512 * 1024;
/// Bytes of headers that the HTTP library itself refuses; the stated limit lies below.
const HEADER_BYTES_HARD_MAX: u32 = 64 * 1024;

/// Accepts connections until `stop` says otherwise, then waits for those that are open.
pub(crate) async fn run(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    state: Arc<State>,
    mut stop: watch::Receiver<bool>,
) {
    let doors = Arc::new(Doors::default());
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => match doors.enter(peer.ip(), &state.limits) {
                    Some(pass) => {
                        let peer = Peer::new(peer.ip());
                        let connection = Connection { state: Arc::clone(&state), peer, _pass: pass };
                        let stop = stop.clone();
                        connections.spawn(connection.run(stream, acceptor.clone(), stop));
                    }
                    None => state.metrics.connection_refused(),
                },
                Err(error) => {
                    tracing::warn!(%error, "accept failed");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            _ = stop.changed() => break,
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if timeout(state.limits.drain_timeout(), drained)
        .await
        .is_err()
    {
        tracing::warn!(
            connections = connections.len(),
            "closed before they were done"
        );
        connections.shutdown().await;
    }
}

/// Open connections, in total and by address.
#[derive(Default)]
struct Doors(Mutex<Entered>);

#[derive(Default)]
struct Entered {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// The right to have one connection open.
struct Pass {
    doors: Arc<Doors>,
    address: IpAddr,
}

impl Doors {
    fn enter(self: &Arc<Self>, address: IpAddr, limits: &Limits) -> Option<Pass> {
        let mut entered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let here = entered.by_address.get(&address).copied().unwrap_or(0);
        if entered.total >= limits.connections_max || here >= limits.connections_per_address_max {
            return None;
        }
        entered.total += 1;
        entered.by_address.insert(address, here + 1);
        Some(Pass {
            doors: Arc::clone(self),
            address,
        })
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut entered = self.doors.0.lock().unwrap_or_else(PoisonError::into_inner);
        entered.total -= 1;
        if let Some(here) = entered.by_address.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                entered.by_address.remove(&self.address);
            }
        }
    }
}

struct Connection {
    state: Arc<State>,
    peer: Peer,
    _pass: Pass,
}

impl Connection {
    async fn run(self, stream: TcpStream, acceptor: TlsAcceptor, stop: watch::Receiver<bool>) {
        let _open = self.state.metrics.connection_opened();
        let _ = stream.set_nodelay(true);
        let limit = self.state.limits.handshake_timeout();
        match timeout(limit, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => {
                if let Err(error) = self.speak(stream, stop).await {
                    let address = self.peer.address;
                    tracing::debug!(%address, %error, "connection ended early");
                }
            }
            Ok(Err(_)) => self.state.metrics.handshake_failed(),
            Err(_) => self.state.metrics.handshake_failed(),
        }
    }

    async fn speak(
        &self,
        stream: TlsStream<TcpStream>,
        stop: watch::Receiver<bool>,
    ) -> Result<(), hyper::Error> {
        let limits = &self.state.limits;
        let peer = self
            .peer
            .with_certificates(stream.get_ref().1.peer_certificates());
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let busy = Busy::new();
        let io = TokioIo::new(Paced::new(stream, Arc::clone(&busy), limits, is_http2));
        let service = service_fn(|request| {
            let answering = busy.begin();
            let state = Arc::clone(&self.state);
            async move {
                let response = serve::answer(state, peer, request).await;
                Ok::<_, io::Error>(response.map(|body| body.held(answering)))
            }
        });
        if is_http2 {
            let connection = http2(limits).serve_connection(io, service);
            drive(pin!(connection), stop, |connection| {
                connection.graceful_shutdown()
            })
            .await
        } else {
            let connection = http1().serve_connection(io, service);
            drive(pin!(connection), stop, |connection| {
                connection.graceful_shutdown()
            })
            .await
        }
    }
}

/// Runs a connection; once the server stops, no further request is taken on it.
async fn drive<C: Future>(
    mut connection: Pin<&mut C>,
    mut stop: watch::Receiver<bool>,
    finish: impl FnOnce(Pin<&mut C>),
) -> C::Output {
    tokio::select! {
        result = connection.as_mut() => return result,
        _ = stop.wait_for(|stop| *stop) => finish(connection.as_mut()),
    }
    connection.await
}

fn http1() -> conn::http1::Builder {
    let mut builder = conn::http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(HEADER_BYTES_HARD_MAX as usize);
    builder
}

fn http2(limits: &Limits) -> conn::http2::Builder<TokioExecutor> {
    let mut builder = conn::http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_concurrent_streams(limits.streams_per_connection_max)
        .max_header_list_size(HEADER_BYTES_HARD_MAX)
        .max_send_buf_size(STREAM_WINDOW_BYTES as usize)
        .keep_alive_interval(limits.idle_timeout() / 2)
        .keep_alive_timeout(limits.header_timeout());
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doors_count_in_total_and_by_address() {
        let limits = Limits {
            connections_max: 3,
            connections_per_address_max: 2,
            ..Limits::default()
        };
        let doors = Arc::new(Doors::default());
        let [one, other] = [[127, 0, 0, 1], [127, 0, 0, 2]].map(IpAddr::from);
        let first = doors.enter(one, &limits).unwrap();
        let _second = doors.enter(one, &limits).unwrap();
        assert!(doors.enter(one, &limits).is_none());
        let _third = doors.enter(other, &limits).unwrap();
        assert!(doors.enter(other, &limits).is_none());
        drop(first);
        assert!(doors.enter(other, &limits).is_some());
    }
}
