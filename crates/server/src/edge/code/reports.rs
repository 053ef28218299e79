//! Refusals about reports to financial intelligence units.

macro_rules! reports {
    ($next:ident $($later:ident)*; $($rows:tt)*) => { $next! { $($later)*; $($rows)*
        /// No report of your company has this identifier.
        ReportUnknown = "report_unknown", NOT_FOUND, "Report unknown";
        /// No profile of reports has this name. `GET /v1/report-profiles` lists them.
        ReportProfileUnknown = "report_profile_unknown", UNPROCESSABLE_ENTITY, "Profile unknown";
        /// Another report has this reference. Give each its own.
        ReportReferenceTaken = "report_reference_taken", CONFLICT, "Reference taken";
        /// The report is in another state, or has changed since you read it. Read it again.
        ReportState = "report_state", CONFLICT, "Report not in this state";
        /// The report has faults. `GET /v1/reports/{id}/faults` lists each with its place and a hint.
        ReportFaulty = "report_faulty", UNPROCESSABLE_ENTITY, "Report faulty";
        /// Payments of this day may still be told of, and a draft would lack them. Wait until the day is
        /// over and `event_age_hours_max` has passed, or ask for a dry run.
        ReportDayOpen = "report_day_open", CONFLICT, "Day not over";
        /// Nobody is named who reports for your company. Whoever runs the server sets `reporting_file`; a
        /// dry run needs nobody.
        ReportNoReporter = "report_no_reporter", CONFLICT, "Nobody reports";
        /// The unit of this profile takes no file for this report. Fill in its form.
        ReportNoFile = "report_no_file", CONFLICT, "No file";
    } };
}

pub(super) use reports;
