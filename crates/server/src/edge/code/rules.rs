//! Refusals about rules and their back-tests.

macro_rules! rules {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// No decided event lies in the span of time. Ask for another one.
        HistoryEmpty = "history_empty", NOT_FOUND, "Nothing in this span";
        /// The journal holds more labels or list entries than a back-test takes in, or a day
        /// more movements than are looked at for large values.
        HistoryTooLong = "history_too_long", CONFLICT, "History too long";
        /// So many of your back-tests run or wait that no other is taken. Wait for one to end.
        BacktestLimit = "backtest_limit", TOO_MANY_REQUESTS, "Too many back-tests";
        /// No such back-test is kept: the last twelve of a tenant are.
        BacktestUnknown = "backtest_unknown", NOT_FOUND, "Back-test unknown";
        /// The condition does not compile; `diagnostics` lists what is wrong, with place and hint.
        ConditionRefused = "condition_refused", UNPROCESSABLE_ENTITY, "Condition refused";
        /// The packs do not compile, or an example does not behave as it says; `diagnostics` lists what
        /// is wrong, with file, line, place and hint. Nothing was written down.
        RulesRefused = "rules_refused", UNPROCESSABLE_ENTITY, "Rules refused";
        /// The draft has no pack, too many packs, too many bytes or a file name that is not accepted,
        /// or the purpose or share is not accepted; `detail` says which.
        RuleSetMalformed = "rule_set_malformed", UNPROCESSABLE_ENTITY, "Rule set malformed";
        /// The version to start from has no such pack to leave out.
        PackUnknown = "pack_unknown", UNPROCESSABLE_ENTITY, "Pack unknown";
        /// None of your rule sets has this version.
        RuleSetUnknown = "rule_set_unknown", NOT_FOUND, "Rule set unknown";
        /// The version that decided has no rule of this name.
        RuleUnknown = "rule_unknown", NOT_FOUND, "Rule unknown";
        /// The decision cannot be explained: it is older than the keeping of what rules see.
        TraceUnknown = "trace_unknown", NOT_FOUND, "Nothing to explain with";
        /// The version is not where this is possible from; another call was faster. Read it again.
        RuleSetMove = "rule_set_move", CONFLICT, "Not possible in this state";
        /// A limit on versions, steps, shadows or canaries is reached; `detail` says which. Archive some.
        RuleSetLimit = "rule_set_limit", CONFLICT, "Rule set limit";
        /// Another step of your rule sets is being prepared. Follow its progress and ask again.
        RuleSetBusy = "rule_set_busy", CONFLICT, "Rule set busy";
        /// The library decides your payments: there is no version to take back.
        RuleSetNotLive = "rule_set_not_live", CONFLICT, "No version to roll back";
    } };
}

pub(super) use rules;
