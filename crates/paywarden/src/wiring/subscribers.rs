//! Who is handed what was written to the trail, in this order: one line each.

use crate::dispatch::Subscriber;

/// Every subscriber of the outbox.
pub(super) fn all() -> Vec<Subscriber> {
    Vec::new()
}
