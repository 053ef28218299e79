//! Refusals about models.

macro_rules! models {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// The package is no whole model, is too large, or reads features that are not those of its
        /// recipe; `detail` says which. Nothing was registered. Train again, or get the file again.
        ModelRefused = "model_refused", UNPROCESSABLE_ENTITY, "Model refused";
        /// None of your models has this name.
        ModelUnknown = "model_unknown", NOT_FOUND, "Model unknown";
        /// The model has not shown on your own payments what this needs; `detail` says what. Ask it
        /// beside (`shadow`) for longer, or train a better one.
        ModelUnproven = "model_unproven", CONFLICT, "Model not proven";
        /// The policy of the model, or the purpose, is not accepted; `detail` says why.
        ModelPolicyMalformed = "model_policy_malformed", UNPROCESSABLE_ENTITY, "Policy malformed";
        /// The model is not where this is possible from; another call was faster. Read it again.
        ModelMove = "model_move", CONFLICT, "Not possible for this model";
        /// More than 250,000 payments, or payments with a label, lie in the stretch, or two million
        /// decisions behind it. Ask for a shorter or a later one.
        ReportTooLong = "report_too_long", UNPROCESSABLE_ENTITY, "Report too long";
        /// A limit on models or challengers is reached; `detail` says which.
        ModelLimit = "model_limit", CONFLICT, "Model limit";
        /// Another step of your models is being prepared. Follow its progress and ask again.
        ModelBusy = "model_busy", CONFLICT, "Models busy";
    } };
}

pub(super) use models;
