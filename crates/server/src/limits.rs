//! Every limit of the door, in one place. The answer when it is reached stands beside each.

use std::time::Duration;

/// Limits of the server. What is not listed here has no limit of its own.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections open at once; one more is closed when it is accepted.
    pub connections_max: usize,
    /// Connections open at once from one address; one more is closed when it is accepted.
    pub connections_per_address_max: usize,
    /// From accepting a connection to the end of its TLS handshake; then it is closed.
    pub handshake_timeout_ms: u64,
    /// From the first to the last byte of a request's headers; then the connection is closed.
    pub header_timeout_ms: u64,
    /// From the end of the headers to the end of the body: `body_timeout`.
    pub body_timeout_ms: u64,
    /// Between two requests of one connection; then it is closed.
    pub idle_timeout_ms: u64,
    /// Bytes of all header names and values: `headers_too_large`.
    pub header_bytes_max: usize,
    /// Header lines: `headers_too_large`.
    pub headers_max: usize,
    /// Bytes of a body: `body_too_large`.
    pub body_bytes_max: usize,
    /// Bytes of a body that holds a whole rule set: `body_too_large`. Only a key that may write
    /// rules sends such.
    pub rule_set_bytes_max: usize,
    /// Bytes of a body that holds a screening list: `body_too_large`. Only a key that may import
    /// lists sends such.
    pub screening_list_bytes_max: usize,
    /// From the end of the headers to the end of such a body: `body_timeout`.
    pub screening_list_timeout_ms: u64,
    /// Screening lists whose bodies are read or held at once: `screening_busy`.
    pub screening_lists_in_flight_max: usize,
    /// Bytes of a body that holds the package of a model: `body_too_large`. Only a key that may write
    /// rules sends such.
    pub model_bytes_max: usize,
    /// Bytes of a body that holds many values of the vault, or their tokens: `body_too_large`. Room
    /// for 100 values of 16 KiB with details of 8 KiB, escaped; only a key that was given such a
    /// scope by name sends such.
    pub batch_bytes_max: usize,
    /// Requests open at once on one HTTP/2 connection; the protocol refuses one more.
    pub streams_per_connection_max: u32,
    /// Authenticated requests being worked on: `overloaded`.
    pub requests_in_flight_max: usize,
    /// People signing in who are listened to at once: `visitor_limit`.
    pub visitors_max: usize,
    /// The same of one network (/24 of IPv4, /48 of IPv6): `visitor_limit`.
    pub visitors_per_network_max: usize,
    /// Links that are opened or answered per second from one network, sustained: `link_limit`.
    pub links_per_second_per_network: u32,
    /// The same at once on top of that: `link_limit`.
    pub links_burst_per_network: u32,
    /// People behind links who are listened to at once: `visitor_limit`.
    pub link_visitors_max: usize,
    /// The same of one network: `visitor_limit`.
    pub link_visitors_per_network_max: usize,
    /// People who watch what goes on at once: `visitor_limit`.
    pub readers_max: usize,
    /// The same of one network: `visitor_limit`.
    pub readers_per_network_max: usize,
    /// Bytes of a form of the pages, of whoever is signed in: a pack of rules travels in one.
    /// `body_too_large`.
    pub page_form_bytes_max: usize,
    /// Bytes of a form behind a link: `body_too_large`.
    pub form_bytes_max: usize,
    /// Nonces remembered at once: `replay_store_full`.
    pub nonces_max: usize,
    /// Bytes of replies remembered by idempotency key; the oldest are then read from the store.
    pub remembered_reply_bytes_max: usize,
    /// Sustained requests per second of one key: `rate_limited`.
    pub requests_per_second_per_key: u32,
    /// Requests one key may send at once on top of its sustained rate: `rate_limited`.
    pub burst_per_key: u32,
    /// Rows of decisions, of lists and of the trail that one key or person may look at in a day
    /// (UTC): `export_required`.
    pub rows_per_reader_per_day: u64,
    /// How long a stopping server waits for requests under way; then it closes them.
    pub drain_timeout_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 4_096,
            connections_per_address_max: 512,
            handshake_timeout_ms: 5_000,
            header_timeout_ms: 5_000,
            body_timeout_ms: 5_000,
            idle_timeout_ms: 60_000,
            header_bytes_max: 16 * 1024,
            headers_max: 64,
            body_bytes_max: 64 * 1024,
            rule_set_bytes_max: 6 * 1024 * 1024,
            screening_list_bytes_max: 32 * 1024 * 1024,
            screening_list_timeout_ms: 120_000,
            screening_lists_in_flight_max: 4,
            model_bytes_max: 14 * 1024 * 1024,
            batch_bytes_max: 4 * 1024 * 1024,
            streams_per_connection_max: 128,
            requests_in_flight_max: 1_024,
            visitors_max: 64,
            visitors_per_network_max: 24,
            links_per_second_per_network: 1,
            links_burst_per_network: 60,
            link_visitors_max: 128,
            link_visitors_per_network_max: 24,
            readers_max: 128,
            readers_per_network_max: 64,
            page_form_bytes_max: 2 * 1024 * 1024,
            form_bytes_max: 1_024,
            nonces_max: 4_000_000,
            remembered_reply_bytes_max: 4 * 1024 * 1024,
            requests_per_second_per_key: 20_000,
            burst_per_key: 20_000,
            rows_per_reader_per_day: 20_000,
            drain_timeout_ms: 10_000,
        }
    }
}

impl Limits {
    /// The same, with room and time for screening lists in bodies.
    pub(crate) fn of_screening_lists(&self) -> Self {
        Self {
            body_bytes_max: self.screening_list_bytes_max,
            body_timeout_ms: self.screening_list_timeout_ms,
            ..self.clone()
        }
    }

    /// The same, with room and time for models in bodies.
    pub(crate) fn of_models(&self) -> Self {
        Self {
            body_bytes_max: self.model_bytes_max,
            ..self.of_screening_lists()
        }
    }

    /// The same, with bodies of so many bytes.
    pub(crate) fn with_body(&self, body_bytes_max: usize) -> Self {
        Self {
            body_bytes_max,
            ..self.clone()
        }
    }

    pub(crate) fn handshake_timeout(&self) -> Duration {
        Duration::from_millis(self.handshake_timeout_ms)
    }

    pub(crate) fn header_timeout(&self) -> Duration {
        Duration::from_millis(self.header_timeout_ms)
    }

    pub(crate) fn body_timeout(&self) -> Duration {
        Duration::from_millis(self.body_timeout_ms)
    }

    pub(crate) fn idle_timeout(&self) -> Duration {
        Duration::from_millis(self.idle_timeout_ms)
    }

    pub(crate) fn drain_timeout(&self) -> Duration {
        Duration::from_millis(self.drain_timeout_ms)
    }
}
