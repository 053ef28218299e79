//! Refusals that any route can give.

macro_rules! store {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// Somebody else changed the same thing at the same moment. Read it again, then repeat.
        Conflict = "conflict", CONFLICT, "Changed meanwhile", "已被他人修改";
        /// Nothing can be made durable at present. Retry with the same idempotency key.
        StoreUnavailable = "store_unavailable", SERVICE_UNAVAILABLE, "Store unavailable", "存储不可用";
        /// A stored record does not read back. An operator must look at it.
        RecordDamaged = "record_damaged", INTERNAL_SERVER_ERROR, "Record damaged", "记录已损坏";
        /// A defect of the server. It may have taken effect: retry with the same idempotency key.
        Internal = "internal", INTERNAL_SERVER_ERROR, "Internal error", "内部错误";
    } };
}

pub(super) use store;
