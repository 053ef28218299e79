//! Refusals about models.

macro_rules! models {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// The package is no whole model, is too large, or reads features that are not those of its
        /// recipe; `detail` says which. Nothing was registered. Train again, or get the file again.
        ModelRefused = "model_refused", UNPROCESSABLE_ENTITY, "Model refused", "模型未被接受";
        /// None of your models has this name.
        ModelUnknown = "model_unknown", NOT_FOUND, "Model unknown", "模型不存在";
        /// The model has not shown on your own payments what this needs; `detail` says what. Ask it
        /// beside (`shadow`) for longer, or train a better one.
        ModelUnproven = "model_unproven", CONFLICT, "Model not proven", "模型尚未验证";
        /// The policy of the model, or the purpose, is not accepted; `detail` says why.
        ModelPolicyMalformed = "model_policy_malformed", UNPROCESSABLE_ENTITY, "Policy malformed", "模型策略格式有误";
        /// The model is not where this is possible from; another call was faster. Read it again.
        ModelMove = "model_move", CONFLICT, "Not possible for this model", "模型当前状态不允许此操作";
        /// More than 250,000 payments, or payments with a label, lie in the stretch, or two million
        /// decisions behind it. Ask for a shorter or a later one.
        ReportTooLong = "report_too_long", UNPROCESSABLE_ENTITY, "Report too long", "报告范围过大";
        /// The report is still being made when the time ends that `wait_ms` gave. It goes on and is
        /// kept: come again with the same question and an `age_s`.
        ReportUnderway = "report_underway", SERVICE_UNAVAILABLE, "Report under way", "报告正在生成";
        /// A limit on models or challengers is reached; `detail` says which.
        ModelLimit = "model_limit", CONFLICT, "Model limit", "模型数量达到上限";
        /// Another step of your models is being prepared. Follow its progress and ask again.
        ModelBusy = "model_busy", CONFLICT, "Models busy", "模型正在处理";
    } };
}

pub(super) use models;
