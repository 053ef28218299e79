//! Station: the body, within its size and time, and the body that its digest says.

use super::{Code, Problem};
use crate::Limits;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_LENGTH, header::CONTENT_TYPE};
use http_body_util::BodyExt;
use hyper::body::Body;
use paywarden_crypto::{
    Error,
    digest::{CONTENT_DIGEST, WANTED, verify_content_digest},
};
use tokio::time::timeout;

const WANT_CONTENT_DIGEST: HeaderName = HeaderName::from_static("want-content-digest");
/// What is read past and forgotten of a refused body, so that its sender can read the refusal.
const DISCARDED_BYTES_MAX: usize = 256 * 1024;

/// Refuses by the headers alone what they say of the body, which must be of one of some media types.
pub(crate) fn check_declared(
    headers: &HeaderMap,
    limits: &Limits,
    media_types: &[&str],
) -> Result<(), Problem> {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok());
    let length = length.and_then(|length| length.parse::<u64>().ok());
    if length.is_some_and(|length| length > limits.body_bytes_max as u64) {
        return Err(too_large(limits));
    }
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = media_type.map(|text| text.split(';').next().unwrap_or_default().trim());
    let fits = |known: &&str| essence.is_some_and(|essence| essence.eq_ignore_ascii_case(known));
    if !media_types.iter().any(fits) {
        let detail = format!("send `content-type: {}`", media_types.join("`, or `"));
        return Err(Problem::new(Code::ContentTypeUnsupported, detail));
    }
    Ok(())
}

/// Makes sure that there is no body, for routes that take none.
pub(crate) async fn read_none<B>(body: &mut B, limits: &Limits) -> Result<Bytes, Problem>
where
    B: Body<Data = Bytes> + Unpin,
{
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    read(body, &limits.with_body(0))
        .await
        .map_err(|problem| match problem.code() {
            Code::BodyTooLarge => Problem::new(Code::BodyUnexpected, "this route takes no body"),
            _ => problem,
        })
}

/// Reads the whole body.
pub(crate) async fn read<B>(body: &mut B, limits: &Limits) -> Result<Bytes, Problem>
where
    B: Body<Data = Bytes> + Unpin,
{
    match timeout(limits.body_timeout(), collect(body, limits.body_bytes_max)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(Broken::TooLarge)) => Err(too_large(limits)),
        Ok(Err(Broken::Ended)) => Err(Problem::new(
            Code::BodyTimeout,
            "the body ended before it was complete",
        )),
        Err(_) => Err(Problem::new(
            Code::BodyTimeout,
            "the body did not arrive in time",
        )),
    }
}

/// Reads past the body of a refused request, within limits.
pub(crate) async fn discard<B>(body: &mut B, limits: &Limits)
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut discarded = 0;
    let all = async {
        while let Some(Ok(frame)) = body.frame().await {
            discarded += frame.data_ref().map_or(0, Bytes::len);
            if discarded > DISCARDED_BYTES_MAX {
                break;
            }
        }
    };
    let _ = timeout(limits.body_timeout(), all).await;
}

/// Checks that the body is the one whose digest was signed. A request without a body needs none.
pub(crate) fn check_digest(headers: &HeaderMap, body: &[u8]) -> Result<(), Problem> {
    if body.is_empty() && !headers.contains_key(CONTENT_DIGEST) {
        return Ok(());
    }
    let problem = match verify_content_digest(headers, body) {
        Ok(()) => return Ok(()),
        Err(Error::DigestMissing) => Problem::new(
            Code::ContentDigestMissing,
            "a body needs `content-digest` with sha-256 or sha-512",
        ),
        Err(Error::DigestMalformed { detail }) => {
            Problem::new(Code::ContentDigestMalformed, detail)
        }
        Err(_) => Problem::new(Code::ContentDigestMismatch, "the body has another digest"),
    };
    Err(problem.header(WANT_CONTENT_DIGEST, HeaderValue::from(&WANTED)))
}

enum Broken {
    TooLarge,
    Ended,
}

async fn collect<B>(body: &mut B, bytes_max: usize) -> Result<Bytes, Broken>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Broken::Ended)?.into_data() else {
            continue;
        };
        if first.len().max(all.len()) + data.len() > bytes_max {
            return Err(Broken::TooLarge);
        }
        if first.is_empty() && all.is_empty() {
            // Nearly every body comes in one piece, which needs no copy.
            first = data;
        } else {
            if all.is_empty() {
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&data);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

fn too_large(limits: &Limits) -> Problem {
    let detail = format!("a body has at most {} bytes", limits.body_bytes_max);
    Problem::new(Code::BodyTooLarge, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::Full;
    use hyper::body::Frame;
    use std::{
        pin::Pin,
        task::{Context, Poll},
    };

    #[test]
    fn a_declared_length_or_another_media_type_is_refused_unread() {
        let check = |length: &str, media_type: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_LENGTH, length.parse().unwrap());
            headers.insert(CONTENT_TYPE, media_type.parse().unwrap());
            check_declared(&headers, &Limits::default(), &["application/json"])
                .map_err(|problem| problem.code())
        };
        assert_eq!(check("65536", "Application/JSON; charset=utf-8"), Ok(()));
        assert_eq!(check("65537", "application/json"), Err(Code::BodyTooLarge));
        assert_eq!(check("2", "text/plain"), Err(Code::ContentTypeUnsupported));
        let json = &["application/json"];
        let none = check_declared(&HeaderMap::new(), &Limits::default(), json);
        assert_eq!(
            none.err().map(|problem| problem.code()),
            Some(Code::ContentTypeUnsupported)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_read_whole_or_refused_by_size_or_time() {
        let limits = Limits {
            body_bytes_max: 8,
            ..Limits::default()
        };
        let mut whole = Full::new(Bytes::from_static(b"12345678"));
        assert_eq!(read(&mut whole, &limits).await.unwrap(), &b"12345678"[..]);
        let mut large = Full::new(Bytes::from_static(b"123456789"));
        assert_eq!(
            read(&mut large, &limits).await.unwrap_err().code(),
            Code::BodyTooLarge
        );
        assert_eq!(
            read(&mut Never, &limits).await.unwrap_err().code(),
            Code::BodyTimeout
        );
    }

    struct Never;

    impl Body for Never {
        type Data = Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            Poll::Pending
        }
    }
}
