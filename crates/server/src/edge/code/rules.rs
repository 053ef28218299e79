//! Refusals about rules and their back-tests.

macro_rules! rules {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// No decided event lies in the span of time. Ask for another one.
        HistoryEmpty = "history_empty", NOT_FOUND, "Nothing in this span", "此时段没有记录";
        /// The journal holds more labels or list entries than a back-test takes in, or a day
        /// more movements than are looked at for large values.
        HistoryTooLong = "history_too_long", CONFLICT, "History too long", "历史范围过大";
        /// So many of your back-tests run or wait that no other is taken. Wait for one to end.
        BacktestLimit = "backtest_limit", TOO_MANY_REQUESTS, "Too many back-tests", "回测过多";
        /// No such back-test is kept: the last twelve of a tenant are.
        BacktestUnknown = "backtest_unknown", NOT_FOUND, "Back-test unknown", "回测不存在";
        /// The condition does not compile; `diagnostics` lists what is wrong, with place and hint.
        ConditionRefused = "condition_refused", UNPROCESSABLE_ENTITY, "Condition refused", "条件未被接受";
        /// The packs do not compile, or an example does not behave as it says; `diagnostics` lists what
        /// is wrong, with file, line, place and hint. Nothing was written down.
        RulesRefused = "rules_refused", UNPROCESSABLE_ENTITY, "Rules refused", "规则未被接受";
        /// The draft has no pack, too many packs, too many bytes or a file name that is not accepted,
        /// or the purpose or share is not accepted; `detail` says which.
        RuleSetMalformed = "rule_set_malformed", UNPROCESSABLE_ENTITY, "Rule set malformed", "规则集格式有误";
        /// The version to start from has no such pack to leave out.
        PackUnknown = "pack_unknown", UNPROCESSABLE_ENTITY, "Pack unknown", "规则包不存在";
        /// None of your rule sets has this version.
        RuleSetUnknown = "rule_set_unknown", NOT_FOUND, "Rule set unknown", "规则版本不存在";
        /// The version that decided has no rule of this name.
        RuleUnknown = "rule_unknown", NOT_FOUND, "Rule unknown", "规则不存在";
        /// The decision cannot be explained: it is older than the keeping of what rules see.
        TraceUnknown = "trace_unknown", NOT_FOUND, "Nothing to explain with", "缺少解释所需的记录";
        /// The version is not where this is possible from; another call was faster. Read it again.
        RuleSetMove = "rule_set_move", CONFLICT, "Not possible in this state", "规则版本当前状态不允许此操作";
        /// A limit on versions, steps, shadows or canaries is reached; `detail` says which. Archive some.
        RuleSetLimit = "rule_set_limit", CONFLICT, "Rule set limit", "规则集达到上限";
        /// Another step of your rule sets is being prepared. Follow its progress and ask again.
        RuleSetBusy = "rule_set_busy", CONFLICT, "Rule set busy", "规则集正在处理";
        /// The library decides your payments: there is no version to take back.
        RuleSetNotLive = "rule_set_not_live", CONFLICT, "No version to roll back", "没有可回滚的版本";
    } };
}

pub(super) use rules;
