//! Refusals about webhooks.

macro_rules! webhooks {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// No webhook of your company has this identifier.
        WebhookUnknown = "webhook_unknown", NOT_FOUND, "Webhook unknown", "Webhook 不存在";
        /// What is said of the webhook cannot be; `detail` says what. See `webhook_networks` too.
        WebhookRefused = "webhook_refused", UNPROCESSABLE_ENTITY, "Webhook refused", "Webhook 未被接受";
        /// The webhook is enabled or disabled already. Read it again.
        WebhookState = "webhook_state", CONFLICT, "Webhook not in this state", "Webhook 当前状态不允许此操作";
        /// A company has at most 32 webhooks, disabled ones included.
        WebhookLimit = "webhook_limit", CONFLICT, "Too many webhooks", "Webhook 数量达到上限";
        /// No delivery to this webhook has this message, or it is older than 30 days.
        DeliveryUnknown = "delivery_unknown", NOT_FOUND, "Delivery unknown", "投递记录不存在";
    } };
}

pub(super) use webhooks;
