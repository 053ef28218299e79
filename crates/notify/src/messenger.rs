//! How a message reaches somebody outside: by the log of a sandbox, or by the webhooks of the
//! company, whose own app tells its customers.

use crate::{Error, Feed, Notice};
use std::sync::Arc;

/// The seam. A message may hold what no leaf of the trail may, such as the link of a question.
#[derive(Clone)]
pub enum Messenger {
    /// Into the log, for whoever tries things out: never in production, links are secret.
    Log,
    /// To the endpoints of the company that want it.
    Webhook(Arc<Feed>),
}

impl Messenger {
    /// Sends, durably where it is not the log; how many it goes to.
    pub async fn send(&self, notice: Notice) -> Result<usize, Error> {
        match self {
            Self::Log => {
                let (tenant, event) = (&notice.tenant, notice.event.as_str());
                tracing::info!(%tenant, event, data = %notice.data, "message");
                Ok(0)
            }
            Self::Webhook(feed) => feed.tell(vec![notice]).await,
        }
    }

    /// A fresh identifier of a message.
    pub fn fresh_id(&self) -> String {
        match self {
            Self::Log => "msg_log".to_owned(),
            Self::Webhook(feed) => feed.fresh_id(),
        }
    }
}
