//! What browsers may do with our pages: the headers of every one of them.
//!
//! *Invariant*: no script and no style runs that is not a file of ours, and no text becomes markup:
//! the policy demands Trusted Types and allows no way to make one.

use http::{HeaderName, HeaderValue};

/// Where browsers report what the policy has kept them from.
pub(crate) const REPORTS: &str = "/csp-reports";

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'; \
    report-uri /csp-reports; report-to pages";

/// Name and value of each.
const HEADERS: [(&str, &str); 7] = [
    ("content-security-policy", POLICY),
    ("reporting-endpoints", "pages=\"/csp-reports\""),
    ("x-content-type-options", "nosniff"),
    // Not `no-referrer`: with it browsers send forms with the origin `null`.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), \
         microphone=(), geolocation=(), payment=(), usb=()",
    ),
];

/// The headers of a page.
pub(crate) fn headers() -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    HEADERS.into_iter().map(|(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    })
}

/// The headers of a file, which never changes under its name.
pub(crate) fn of_files() -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let kept = (
        http::header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    headers().chain([kept])
}
