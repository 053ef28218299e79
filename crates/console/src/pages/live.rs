//! Decisions as they become durable. With script they come by themselves; without, the page asks
//! again every ten seconds.

mod stream;

pub(crate) use stream::{PATH as STREAM, stream};

use super::decisions::{self, Row};
use crate::{
    icon::Icon,
    page::{Body, Door, Fault, Group, Menu, Page, Renewal, Shown},
    parts,
    visit::{Visit, address},
    word::words,
};
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Outcome;
use serde::Deserialize;

pub(crate) const PAGE: Page = Page {
    path: "/live",
    door: Door::Staff,
    needs: &[Scope::DecisionsRead],
    menu: Some(Menu {
        group: Group::Watch,
        word: TITLE,
        icon: Icon::LIVE,
        key: 'i',
    }),
    show: |v| Box::pin(show(v)),
    take: None,
    words: WORDS,
};

words! {
    TITLE = "Live stream", "实时决策";
    PAUSE = "Pause", "暂停";
    GO_ON = "Go on", "继续";
    STANDS = "Paused. What comes meanwhile is counted.", "已暂停，期间的决策会计数。";
    FLOWS = "Connected: new decisions come by themselves", "已连接，新决策自动显示";
    AWAY = "The server is away; asking again …", "服务器暂不可用，正在重连…";
    ENDED = "Your session has ended. Sign in again to go on where this stopped.", "会话已结束，请重新登录后继续。";
    PASSED = "{} passed by here; the list has them", "期间有 {} 条未在此显示，可在列表中查看";
    PASSED_MANY = "more than {} passed by here; the list has them", "期间有超过 {} 条未在此显示，可在列表中查看";
    BY_ITSELF = "Without script this page asks again every ten seconds.", "未启用脚本时，本页每十秒刷新一次。";
    STAND_STILL = "Stand still", "停止刷新";
    NONE_YET = "Nothing was decided yet that fits.", "暂无符合条件的决策。";
    SIGN_IN = "Sign in again", "重新登录";
}

/// How many rows there are at first, and the most that a page keeps.
const ROWS: &str = "50";
/// How often a page asks again that has no script, in seconds.
const RENEW_S: u32 = 10;

/// What is newest.
#[derive(Deserialize)]
struct Newest {
    decisions: Vec<Row>,
    newest_cursor: String,
}

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let line = v.query("q");
    let asked = [("q", line.as_deref()), ("limit", Some(ROWS))];
    let newest: Newest = v.get(&address("/v1/decisions", &asked)).await?;
    let is_still = v.query("still").is_some();
    let v = &*v;
    let line = line.as_deref();
    let from = [("q", line), ("after", Some(newest.newest_cursor.as_str()))];
    let main = html! {
        (parts::filters("/live", decisions::query_line(v, line.unwrap_or_default()), line.is_some(), v))
        div.line data-stream=(address(STREAM, &from)) data-pause=(v.t(PAUSE)) data-go-on=(v.t(GO_ON))
            data-flows=(v.t(FLOWS)) data-stands=(v.t(STANDS)) data-away=(v.t(AWAY)) data-ended=(v.t(ENDED)) {
            p.state role="status" { @if !is_still { noscript { (v.t(BY_ITSELF)) } } }
            div.buttons {
                button.button type="button" data-toggle="" data-keys="p" hidden { (v.t(PAUSE)) }
                a.button data-again="" href=(address("/sign-in", &[("next", Some("/live"))])) hidden { (v.t(SIGN_IN)) }
                noscript {
                    @match is_still {
                        true => a.button href=(address("/live", &[("q", line)])) { (v.t(GO_ON)) },
                        false => a.button href=(address("/live", &[("q", line), ("still", Some("1"))])) { (v.t(STAND_STILL)) },
                    }
                }
            }
        }
        @if newest.decisions.is_empty() { div data-none="" { (parts::empty(v.t(NONE_YET))) } }
        div.live { (decisions::table(v, &newest.decisions)) }
        (templates(v))
    };
    let body = Body::new(v.t(TITLE), main).with(&["stream.js"]);
    let to = address("/live", &[("q", line)]);
    let renewal = Renewal {
        after_s: RENEW_S,
        to,
    };
    let renewal = (!is_still).then_some(renewal);
    Ok(Body { renewal, ..body }.into())
}

/// What rows that come are made from, so that no text becomes markup.
fn templates(v: &Visit) -> Markup {
    html! {
        template data-row="" {
            tr {
                td { time {} }
                td { a.id {} }
                td {}
                td.number {}
                td data-outcome="" {}
                td data-score="" { (parts::score(0, v.language())) }
                td data-score="" { (parts::score(0, v.language())) }
                td {}
            }
        }
        template data-missed="" {
            tr.missed { td colspan="8" { a {} } }
        }
        @for outcome in Outcome::ALL {
            template data-outcome=(outcome.name()) { (parts::outcome(outcome, v.language())) }
        }
    }
}
