//! Refusals about reports to financial intelligence units.

macro_rules! reports {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// No report of your company has this identifier.
        ReportUnknown = "report_unknown", NOT_FOUND, "Report unknown", "报告不存在";
        /// No profile of reports has this name. `GET /v1/report-profiles` lists them.
        ReportProfileUnknown = "report_profile_unknown", UNPROCESSABLE_ENTITY, "Profile unknown", "报告模板不存在";
        /// Another report has this reference. Give each its own.
        ReportReferenceTaken = "report_reference_taken", CONFLICT, "Reference taken", "报告编号已被使用";
        /// The report is in another state, or has changed since you read it. Read it again.
        ReportState = "report_state", CONFLICT, "Report not in this state", "报告当前状态不允许此操作";
        /// The report has faults. `GET /v1/reports/{id}/faults` lists each with its place and a hint.
        ReportFaulty = "report_faulty", UNPROCESSABLE_ENTITY, "Report faulty", "报告有缺陷";
        /// Payments of this day may still be told of, and a draft would lack them. Wait until the day is
        /// over and `event_age_hours_max` has passed, or ask for a dry run.
        ReportDayOpen = "report_day_open", CONFLICT, "Day not over", "当日尚未结束";
        /// Nobody is named who reports for your company. Whoever runs the server sets `reporting_file`; a
        /// dry run needs nobody.
        ReportNoReporter = "report_no_reporter", CONFLICT, "Nobody reports", "未指定报告人";
        /// The unit of this profile takes no file for this report. Fill in its form.
        ReportNoFile = "report_no_file", CONFLICT, "No file", "没有文件";
    } };
}

pub(super) use reports;
