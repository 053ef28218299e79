//! Refusals about alerts and cases.

macro_rules! work {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// No security alert of your company has this identifier.
        AlertUnknown = "alert_unknown", NOT_FOUND, "Alert unknown", "安全告警不存在";
        /// No alert or case of a queue that you see has this identifier.
        WorkItemUnknown = "work_item_unknown", NOT_FOUND, "Alert or case unknown", "告警或案件不存在";
        /// The alert or case stands where this cannot be done; `detail` says where. Read it again.
        WorkItemState = "work_item_state", CONFLICT, "Alert or case not in this state", "告警或案件当前状态不允许此操作";
        /// Somebody else works on it; `detail` says who. Have it released or assigned first.
        WorkItemTaken = "work_item_taken", CONFLICT, "Somebody else works on it", "他人正在处理";
        /// It was changed since you read it: of two who change at once one is refused. Read it again.
        WorkItemChanged = "work_item_changed", CONFLICT, "Changed in between", "期间已有变化";
        /// It is no file that is taken beside a case; `detail` says why. PDF, PNG, JPEG, WebP, text and CSV
        /// are, under a name with the ending of what they are.
        CaseFileRefused = "case_file_refused", UNPROCESSABLE_ENTITY, "File refused", "文件未被接受";
        /// A scanner found malware in the file; `detail` says what it calls it. Nothing was kept.
        CaseFileInfected = "case_file_infected", UNPROCESSABLE_ENTITY, "Malware found", "文件含恶意软件";
        /// Files are scanned before they are taken, and the scanner does not answer. Send it again later.
        CaseFileScannerAway = "case_file_scanner_away", SERVICE_UNAVAILABLE, "Scanner away", "恶意软件扫描不可用";
        /// So many large bodies are being read that no other is taken. Send it again later.
        CaseFilesBusy = "case_files_busy", SERVICE_UNAVAILABLE, "Too many files at once", "同时上传文件过多";
        /// Neither your roles nor the purpose open files of cases: see `masking.toml`.
        CaseFileMasked = "case_file_masked", FORBIDDEN, "File not shown", "文件不予显示";
        /// The file was erased: its name and its hash are all that is left.
        CaseFileErased = "case_file_erased", GONE, "File erased", "文件已删除";
        /// The alert is about you: somebody else decides about it.
        OwnAlert = "own_alert", FORBIDDEN, "Alert about yourself", "告警涉及本人";
        /// The alert is closed, or acknowledged already. Read it again.
        AlertState = "alert_state", CONFLICT, "Alert not in this state", "告警当前状态不允许此操作";
        /// The account was suspended by a security alert. Whoever decides about alerts closes it first.
        AccountUnderReview = "account_under_review", CONFLICT, "Account under review", "账号复核中";
    } };
}

pub(super) use work;
