//! Values of a person by a grant: for a minute, under the name of whoever looks.

use super::{super::approvals, BACK};
use crate::{
    format,
    page::{Body, Fault, Renewal, Shown},
    parts,
    terms::Tone,
    visit::Visit,
    word::words,
};
use maud::{Markup, html};
use paywarden_domain::Timestamp;
use serde::Deserialize;
use serde_json::Value;

words! {
    SHOWN = "Values of a person", "个人信息明文";
    WHOSE = "Whose", "所属主体";
    FOR_WHAT = "For what", "查看目的";
    UNTIL = "The grant ends", "授权截止";
    LEFT = "Looks left", "剩余次数";
    CLASS = "Class", "类别";
    VALUE = "Value", "取值";
    TOKEN = "Token", "令牌";
    WHO_LOOKS = "{} looks, {} UTC. It is in the trail.", "{} 于 {} UTC 查看，已写入审计轨迹。";
    HIDDEN_IN = "Hidden in {} s", "{} 秒后隐藏";
    HIDDEN = "Hidden. Each look counts: go back to look again.", "已隐藏。每次查看均计次，如需再看请返回。";
}

/// How long values are shown, in seconds.
const SHOWN_S: u32 = 60;
/// How often the name of whoever looks is written across them.
const MARKS: usize = 24;

#[derive(Deserialize)]
struct Revealed {
    subject: String,
    purpose: String,
    values: Vec<Known>,
    until: Timestamp,
    looks_left: u32,
    watermark: String,
}

#[derive(Deserialize)]
struct Known {
    token: String,
    class: String,
    value: String,
}

/// Looks, once.
pub(super) async fn look(v: &mut Visit, target: &str) -> Result<Shown, Fault> {
    let seen: Revealed = v.post(&format!("{target}/reveal"), &Value::Null).await?;
    let v = &*v;
    let here = v.desk.path().to_owned();
    let seconds = SHOWN_S.to_string();
    let now = format::second(v.now());
    let main = html! {
        (parts::note(Tone::Care, WHO_LOOKS.with(v.language(), &[&seen.watermark, &now])))
        section.panel.revealed data-reveal=(seconds) data-counts=(v.t(HIDDEN_IN)) data-gone=(v.t(HIDDEN)) {
            p.state role="timer" {}
            div.values {
                (parts::facts([
                    parts::row(WHOSE, parts::id(&seen.subject), v),
                    parts::row(FOR_WHAT, html! { (crate::names::named("purpose", &seen.purpose, "", v.language())) }, v),
                    parts::row(UNTIL, format::time(seen.until), v),
                    parts::row(LEFT, html! { (seen.looks_left) }, v),
                ]))
                (values(v, &seen.values))
                div.watermark aria-hidden="true" {
                    @for _ in 0..MARKS { span { (seen.watermark) " " (now) } }
                }
            }
        }
        p { a.button href=(here) data-back="" { (v.t(BACK)) } }
    };
    let body = Body::new(v.t(SHOWN), main).below("/approvals", v.t(approvals::TITLE));
    let renewal = Some(Renewal {
        after_s: SHOWN_S,
        to: here,
    });
    Ok(Body {
        renewal,
        ..body.with(&["reveal.js"])
    }
    .into())
}

fn values(v: &Visit, values: &[Known]) -> Markup {
    let row = |one: &Known| {
        vec![
            html! { (one.class) },
            html! { code.secret { (one.value) } },
            parts::id(&one.token),
        ]
    };
    let rows: Vec<_> = values.iter().map(row).collect();
    parts::table(v.t(SHOWN), &[v.t(CLASS), v.t(VALUE), v.t(TOKEN)], &rows, v)
}
