//! Refusals about payments, decisions, lists and the trail.

macro_rules! payments {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// The event lies further back than this server accepts. Import history instead.
        EventTooOld = "event_too_old", UNPROCESSABLE_ENTITY, "Event too old", "事件时间过早";
        /// The event lies in the future. Set your clock.
        EventInFuture = "event_in_future", UNPROCESSABLE_ENTITY, "Event in the future", "事件时间在未来";
        /// The payment was decided under another idempotency key; `decision` names what stands.
        PaymentAlreadyDecided = "payment_already_decided", CONFLICT, "Payment already decided", "该支付已有决策";
        /// No decision is known for this payment.
        PaymentUnknown = "payment_unknown", NOT_FOUND, "Payment unknown", "支付不存在";
        /// No decision has this identifier.
        DecisionUnknown = "decision_unknown", NOT_FOUND, "Decision unknown", "决策不存在";
        /// No event of your company that is kept names this entity. Take its kind and hash as alerts
        /// and decisions show them.
        EntityUnknown = "entity_unknown", NOT_FOUND, "Entity unknown", "实体不存在";
        /// The list name, value or reason is not accepted; `detail` says which.
        ListEntryMalformed = "list_entry_malformed", UNPROCESSABLE_ENTITY, "List entry malformed", "名单条目格式有误";
        /// The list holds no such entry.
        ListEntryUnknown = "list_entry_unknown", NOT_FOUND, "List entry unknown", "名单条目不存在";
        /// The trail has no such leaf, tile, size or checkpoint, or not yet.
        TrailUnknown = "trail_unknown", NOT_FOUND, "Not in the trail", "不在审计轨迹中";
        /// A cosignature is not of a witness that is known here, or does not fit the checkpoint.
        CosignatureInvalid = "cosignature_invalid", UNPROCESSABLE_ENTITY, "Cosignature not valid", "见证签名无效";
        /// The trail contradicts its last checkpoint: somebody changed the store. Nothing is signed
        /// any more. An operator must run `paywarden verify`.
        TrailInconsistent = "trail_inconsistent", INTERNAL_SERVER_ERROR, "Trail inconsistent", "审计轨迹不一致";
    } };
}

pub(super) use payments;
