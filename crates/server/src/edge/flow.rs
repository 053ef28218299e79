//! What replies are made of: bytes that are there, or lines that go on as things happen.
//!
//! *Invariant*: whoever reads slowly makes only their own lines wait. One line waits at most; who
//! writes it waits with it, and tells afterwards what was passed over.

use super::paced::Answering;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::sync::mpsc;

/// How many lines wait for a reader.
const LINES_MAX: usize = 1;

/// The body of a reply.
pub(crate) struct ReplyBody(Kind);

enum Kind {
    Whole(Full<Bytes>),
    Flow {
        lines: mpsc::Receiver<Bytes>,
        /// While it flows the connection is not idle.
        answering: Option<Answering>,
    },
}

/// Both ends of lines that flow.
pub(crate) fn lines() -> (mpsc::Sender<Bytes>, mpsc::Receiver<Bytes>) {
    mpsc::channel(LINES_MAX)
}

impl ReplyBody {
    /// Lines as they come, until nobody sends any.
    pub(crate) fn flow(lines: mpsc::Receiver<Bytes>) -> Self {
        let answering = None;
        Self(Kind::Flow { lines, answering })
    }

    /// Holds the connection for as long as lines flow; what is whole needs no more of it.
    pub(crate) fn held(mut self, guard: Answering) -> Self {
        if let Kind::Flow { answering, .. } = &mut self.0 {
            *answering = Some(guard);
        }
        self
    }
}

impl From<Bytes> for ReplyBody {
    fn from(bytes: Bytes) -> Self {
        Self(Kind::Whole(Full::new(bytes)))
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut self.0 {
            Kind::Whole(whole) => Pin::new(whole).poll_frame(cx),
            Kind::Flow { lines, .. } => {
                let line = lines.poll_recv(cx);
                line.map(|line| line.map(|line| Ok(Frame::data(line))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Whole(whole) => whole.is_end_stream(),
            Kind::Flow { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Whole(whole) => whole.size_hint(),
            Kind::Flow { .. } => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn lines_wait_for_their_reader_one_at_a_time() {
        let (sender, receiver) = lines();
        let mut body = ReplyBody::flow(receiver);
        sender.try_send(Bytes::from_static(b"one")).unwrap();
        assert!(
            sender.try_send(Bytes::from_static(b"two")).is_err(),
            "a second line has no room"
        );
        let frame = body.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), "one");
        sender.try_send(Bytes::from_static(b"two")).unwrap();
        drop(sender);
        assert_eq!(body.collect().await.unwrap().to_bytes(), "two");
    }
}
