//! This node: how long its work takes, what waits, what does not hold.

use crate::{
    format,
    icon::Icon,
    metrics::Metrics,
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts,
    terms::Tone,
    visit::Visit,
    word::{Word, words},
};
use maud::{Markup, html};

pub(crate) const PAGE: Page = Page {
    path: "/system",
    door: Door::Staff,
    needs: &[],
    menu: Some(Menu {
        group: Group::Run,
        word: TITLE,
        icon: Icon::SYSTEM,
        key: 'y',
    }),
    show: |v| Box::pin(show(v)),
    take: None,
    words: WORDS,
};

words! {
    TITLE = "System", "系统状态";
    PROGRAM = "Program", "程序";
    VERSION = "Version", "版本";
    STATUS = "Takes requests", "是否接收请求";
    TAKES = "Yes", "是";
    LEAVES = "Stopping", "正在停止";
    ANSWERS = "How long decisions take, since the start", "决策耗时（启动以来）";
    OF_1000 = "{} of 1,000 within", "{}‰ 在此时间内";
    WAITS = "What waits", "等待与占用";
    HOLDS = "What has to hold", "须保持的状态";
    JOURNAL = "Entries that wait for the journal", "等待写入日志的记录";
    CONNECTIONS = "Open connections", "打开的连接";
    IN_FLIGHT = "Requests under way", "处理中的请求";
    NONCES = "Nonces remembered", "已记忆的随机数";
    WINDOW_EVENTS = "Events kept for windows", "时间窗事件数";
    WINDOW_ENTITIES = "Entities with events", "有事件的实体数";
    TRAIL_FAULTS = "Places of the trail that do not hold", "审计轨迹异常处数";
    TRAIL_LEAVES = "Leaves that the patrol has looked at", "巡检过的叶节点";
    TRUNCATED = "Windows that are incomplete", "不完整的时间窗";
    GLASS = "Emergencies without votes", "紧急放行次数";
    OVERDUE_REVIEWS = "Reviews of emergencies that are overdue", "逾期未复核的紧急放行";
    REQUESTS_OVERDUE = "Requests of persons that are overdue", "逾期的主体请求";
    PERIODS = "Keys of the vault used longer than they may be", "超期使用的保险库密钥";
    REFUSED = "Connections closed because of a cap", "因上限关闭的连接";
}

/// What has to be nothing: metric and word.
const NOTHING: [(&str, Word); 6] = [
    ("trail_faults", TRAIL_FAULTS),
    ("windows_truncated", TRUNCATED),
    ("reviews_overdue", OVERDUE_REVIEWS),
    ("subject_requests_overdue", REQUESTS_OVERDUE),
    ("vault_cryptoperiods_passed", PERIODS),
    ("connections_refused", REFUSED),
];

/// What is counted: metric and word.
const COUNTED: [(&str, Word); 8] = [
    ("journal_queued", JOURNAL),
    ("requests_in_flight", IN_FLIGHT),
    ("connections", CONNECTIONS),
    ("nonces", NONCES),
    ("window_events", WINDOW_EVENTS),
    ("window_entities", WINDOW_ENTITIES),
    ("trail_patrolled_leaves", TRAIL_LEAVES),
    ("glass_broken", GLASS),
];

async fn show(v: &mut Visit) -> Result<Shown, Fault> {
    let metrics = Metrics::new(v.text(Metrics::ADDRESS).await?);
    let ready = v.text("/readyz").await?.contains("\"ok\"");
    let v = &*v;
    let status = match ready {
        true => parts::badge(Tone::Good, Some(Icon::YES), v.t(TAKES)),
        false => parts::badge(Tone::Care, Some(Icon::PAUSE), v.t(LEAVES)),
    };
    let main = html! {
        div.columns {
            div {
                (parts::panel(v.t(PROGRAM), parts::facts([
                    parts::row(VERSION, parts::id(env!("CARGO_PKG_VERSION")), v),
                    parts::row(STATUS, status, v),
                ])))
                (parts::panel(v.t(ANSWERS), answers(v, &metrics)))
            }
            div {
                (parts::panel(v.t(HOLDS), parts::facts(NOTHING.map(|(name, word)| parts::row(word, holds(&metrics, name), v)))))
                (parts::panel(v.t(WAITS), parts::facts(COUNTED.map(|(name, word)| parts::row(word, counted(&metrics, name), v)))))
            }
        }
    };
    Ok(Body::new(v.t(TITLE), main).with(&["live.js"]).into())
}

fn answers(v: &Visit, metrics: &Metrics) -> Markup {
    let shares = [500, 900, 990, 999];
    let rows = shares.map(|share| {
        let took = metrics.decision_us(share);
        let took = took.map_or_else(|| "–".to_owned(), format::millis);
        (OF_1000.with(v.language(), &[&share.to_string()]), took)
    });
    html! {
        dl.facts {
            @for (place, (name, took)) in rows.iter().enumerate() {
                div { dt { (name) } dd { span data-live=(format!("took-{place}")) { (took) } } }
            }
        }
    }
}

fn holds(metrics: &Metrics, name: &str) -> Markup {
    match metrics.value(name) {
        None => html! { "–" },
        Some(0) => parts::badge(Tone::Good, Some(Icon::YES), "0"),
        Some(count) => parts::badge(Tone::Bad, Some(Icon::NO), &format::number(count)),
    }
}

fn counted(metrics: &Metrics, name: &str) -> Markup {
    let value = metrics
        .value(name)
        .map_or_else(|| "–".to_owned(), format::number);
    html! { span data-live=(name) { (value) } }
}
