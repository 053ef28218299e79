//! Refusals about payments, decisions, lists and the trail.

macro_rules! payments {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// The event lies further back than this server accepts. Import history instead.
        EventTooOld = "event_too_old", UNPROCESSABLE_ENTITY, "Event too old";
        /// The event lies in the future. Set your clock.
        EventInFuture = "event_in_future", UNPROCESSABLE_ENTITY, "Event in the future";
        /// The payment was decided under another idempotency key; `decision` names what stands.
        PaymentAlreadyDecided = "payment_already_decided", CONFLICT, "Payment already decided";
        /// No decision is known for this payment.
        PaymentUnknown = "payment_unknown", NOT_FOUND, "Payment unknown";
        /// No decision has this identifier.
        DecisionUnknown = "decision_unknown", NOT_FOUND, "Decision unknown";
        /// No event of your company that is kept names this entity. Take its kind and hash as alerts
        /// and decisions show them.
        EntityUnknown = "entity_unknown", NOT_FOUND, "Entity unknown";
        /// The list name, value or reason is not accepted; `detail` says which.
        ListEntryMalformed = "list_entry_malformed", UNPROCESSABLE_ENTITY, "List entry malformed";
        /// The list holds no such entry.
        ListEntryUnknown = "list_entry_unknown", NOT_FOUND, "List entry unknown";
        /// The trail has no such leaf, tile, size or checkpoint, or not yet.
        TrailUnknown = "trail_unknown", NOT_FOUND, "Not in the trail";
        /// A cosignature is not of a witness that is known here, or does not fit the checkpoint.
        CosignatureInvalid = "cosignature_invalid", UNPROCESSABLE_ENTITY, "Cosignature not valid";
        /// The trail contradicts its last checkpoint: somebody changed the store. Nothing is signed
        /// any more. An operator must run `paywarden verify`.
        TrailInconsistent = "trail_inconsistent", INTERNAL_SERVER_ERROR, "Trail inconsistent";
    } };
}

pub(super) use payments;
