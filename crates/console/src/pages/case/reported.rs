//! Reports to a financial intelligence unit about a case, for whoever may know that there are any.

use crate::{
    format,
    page::Fault,
    parts,
    terms::Tone,
    visit::{Visit, encoded},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use serde::Deserialize;

words! {
    TITLE = "Reported before", "既往报告";
    WHY = "Reports of this case, of related ones, and of customers who take part. Nobody outside, and nobody without the right to reports, may learn of them.", "本案、关联案件及涉案客户的报告。不得向外部或无报告权限的人员透露。";
    REFERENCE = "Reference", "报告编号";
    DUTY = "What for", "报告类型";
    STATE = "State", "状态";
    DUE = "To be filed by", "报送期限";
    FILED = "Filed at", "报送时间";
    OF_CASE = "Of the case", "所属案件";
    SUSPICIOUS = "A suspicion", "可疑交易报告";
    LARGE_VALUE = "A large value", "大额交易报告";
    OVERDUE = "deadline has passed", "已逾期";
    NOT_ALL = "Only the newest reports were looked through.", "仅检索了最近的报告。";
}

/// Reports about a case.
#[derive(Deserialize)]
pub(super) struct Reports {
    reports: Vec<Report>,
    is_all: bool,
}

#[derive(Deserialize)]
struct Report {
    id: String,
    reference: String,
    duty: String,
    state: String,
    case: Option<String>,
    due: Option<Due>,
    overdue: bool,
    filing: Option<Filing>,
}

#[derive(Deserialize)]
struct Due {
    at: Timestamp,
}

#[derive(Deserialize)]
struct Filing {
    at: Timestamp,
}

impl Reports {
    /// Those about a case, for whoever may read reports. Where the privacy policy keeps them from
    /// being read, the case is shown without.
    pub(super) async fn about(v: &mut Visit, case: &str) -> Result<Option<Self>, Fault> {
        let route = format!("{case}/reports");
        match v.get_if(Scope::ReportsRead, &route).await {
            Err(Fault(document)) if document.status == 403 => Ok(None),
            found => found,
        }
    }
}

/// All of them, newest first.
pub(super) fn panel(v: &Visit, found: &Reports) -> Markup {
    let rows: Vec<_> = found.reports.iter().map(|one| cells(v, one)).collect();
    let columns = [REFERENCE, DUTY, STATE, DUE, FILED, OF_CASE].map(|word| v.t(word));
    let inside = html! {
        p.muted { (v.t(WHY)) }
        (parts::table(v.t(TITLE), &columns, &rows, v))
        @if !found.is_all { p.hint { (v.t(NOT_ALL)) } }
    };
    parts::panel(v.t(TITLE), inside)
}

fn cells(v: &Visit, report: &Report) -> Vec<Markup> {
    let duty = match report.duty.as_str() {
        "large_value" => LARGE_VALUE,
        _ => SUSPICIOUS,
    };
    vec![
        html! { span title=(report.id) { (report.reference) } },
        html! { (v.t(duty)) },
        parts::state(&report.state, v.language()),
        html! {
            @if let Some(Due { at }) = report.due { (format::time(at)) } @else { "–" }
            @if report.overdue { " " (parts::badge(Tone::Bad, None, v.t(OVERDUE))) }
        },
        html! { @if let Some(Filing { at }) = report.filing { (format::time(at)) } @else { "–" } },
        case(report.case.as_deref()),
    ]
}

/// A case of ours leads to it; whatever else somebody calls theirs is text.
fn case(name: Option<&str>) -> Markup {
    match name {
        Some(id) if id.starts_with("cas_") => parts::link(&format!("/cases/{}", encoded(id)), id),
        Some(other) => html! { (other) },
        None => html! { "–" },
    }
}
