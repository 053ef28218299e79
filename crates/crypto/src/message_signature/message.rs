//! What a signature is over: a request or a response, seen without its body.

use http::{HeaderMap, Method, Uri, header::HOST};

/// A message to sign or to check. The body takes part through its `Content-Digest` only.
#[derive(Debug, Clone, Copy)]
pub enum Message<'a> {
    /// A request.
    Request(&'a RequestView<'a>),
    /// A response.
    Response(&'a ResponseView<'a>),
}

/// A request as its sender addressed it.
///
/// Behind a proxy, fill in what the client used, not what the proxy made of it.
#[derive(Debug, Clone, Copy)]
pub struct RequestView<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// `https` or `http`.
    pub scheme: &'a str,
    /// Host and port; upper case and a default port do no harm.
    pub authority: &'a str,
    /// The path, percent-encoded as sent; empty counts as `/`.
    pub path: &'a str,
    /// The query without its `?`; `None` if there is no `?`.
    pub query: Option<&'a str>,
    /// The header fields.
    pub headers: &'a HeaderMap,
}

impl<'a> RequestView<'a> {
    /// A request with the parts that the `http` crate splits it into. The scheme comes from the
    /// connection, the authority from the target or else from `Host`; if that is no ASCII text
    /// either, it is empty.
    pub fn new(method: &'a Method, uri: &'a Uri, scheme: &'a str, headers: &'a HeaderMap) -> Self {
        let host = || headers.get(HOST).and_then(|host| host.to_str().ok());
        Self {
            method: method.as_str(),
            scheme,
            authority: uri
                .authority()
                .map(|a| a.as_str())
                .or_else(host)
                .unwrap_or_default(),
            path: uri.path(),
            query: uri.query(),
            headers,
        }
    }
}

/// A response, with the request it answers if a signature is to bind the two (`;req`).
#[derive(Debug, Clone, Copy)]
pub struct ResponseView<'a> {
    /// The status code, three digits.
    pub status: u16,
    /// The header fields.
    pub headers: &'a HeaderMap,
    /// The request that it answers.
    pub request: Option<&'a RequestView<'a>>,
}
