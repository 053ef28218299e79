//! The end of a session.

use crate::page::{Door, Page, Shown};
use http::Method;

pub(crate) const PAGE: Page = Page {
    path: "/sign-out",
    door: Door::Own,
    needs: &[],
    menu: None,
    show: |_| Box::pin(async { Ok(Shown::at("/")) }),
    take: Some(|v, _| {
        Box::pin(async move {
            v.send(&Method::DELETE, "/v1/session", None).await?;
            Ok(Shown::at("/sign-in"))
        })
    }),
    words: &[],
};
