//! This node: how long its work takes, what waits, what does not hold.

use crate::{
    format,
    icon::Icon,
    metrics::{Metrics, Node},
    page::{Body, Door, Fault, Group, Menu, Page, Shown},
    parts,
    terms::Tone,
    visit::Visit,
    word::{Word, words},
};
use maud::{Markup, html};
use paywarden_domain::time::SECOND;

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
    PROGRAM = "This node", "本节点";
    ADDRESS = "Address of the pages", "页面地址";
    RUNNING = "Running for", "运行时长";
    SNAPSHOT = "Snapshot of the windows", "时间窗快照";
    SNAPSHOT_WHY = "After a restart the windows come from it and from what the journal has beyond it.", "重启后由快照及其后的日志恢复时间窗。";
    WRITTEN = "Last written", "上次写入";
    SIZE = "Size", "大小";
    BEHIND = "Decisions since then", "其后决策数";
    NO_SNAPSHOT = "None was written yet: a restart reads the journal.", "尚无快照，重启时将读取日志。";
    BACKUP = "Backup that was last read back", "最近一次回读验证的备份";
    BACKUP_WHY = "Read back whole: its pages, leaves and records hold, and the trail here begins with it.", "已完整回读：页、叶节点与记录均无误，且为当前审计轨迹的前段。";
    NO_BACKUP = "None was read back yet. Beside the server one is made by", "尚无经回读验证的备份。可在服务运行时执行：";
    BACKUP_OLD = "It is older than a day.", "备份已超过一天。";
    NEWEST_LEAF = "Its newest leaf is from", "最新叶节点写入于";
    READ_BACK = "Read back", "回读验证于";
    LEAVES_IN_IT = "Leaves in it", "叶节点数";
    NODES = "Processes that serve this database", "服务该数据库的进程";
    NODES_WHY = "One decides at a time. Each says twice a minute that it is there; those before it stay on the list.", "同一时间仅一个进程处理决策。各进程每分钟上报两次，此前的进程保留在列表中。";
    NODE = "Process", "进程";
    STARTED = "Started", "启动于";
    SEEN = "Last heard from", "最后在线";
    STATE = "State", "状态";
    THIS = "This process", "本进程";
    SERVES = "Serves", "在线";
    GONE = "Not seen any more", "已离线";
    AGO = "{} ago", "{}前";
    LIMITS = "Limits", "上限";
    WHAT = "What is limited", "项目";
    USED = "Used now", "当前占用";
    MOST = "At most", "上限值";
    FULL = "Full to", "占用率";
    VISITORS = "People signing in", "正在登录的人数";
    READERS = "People who watch live", "实时查看的人数";
    OUTBOX = "Leaves that wait to be handed on", "待分发的叶节点";
    EXPORT_LAG = "Leaves that wait for the SIEM", "待导出至 SIEM 的叶节点";
    WATCH_BEHIND = "Seconds that the watch of the trail is behind", "轨迹监视滞后秒数";
    WEBHOOKS = "Messages that wait for receivers", "待投递的通知";
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
const COUNTED: [(&str, Word); 6] = [
    ("outbox_depth", OUTBOX),
    ("trail_export_lag", EXPORT_LAG),
    ("watch_behind_seconds", WATCH_BEHIND),
    ("webhook_waiting", WEBHOOKS),
    ("trail_patrolled_leaves", TRAIL_LEAVES),
    ("glass_broken", GLASS),
];

/// What has a limit: metric and word.
const LIMITED: [(&str, Word); 8] = [
    ("journal_queued", JOURNAL),
    ("requests_in_flight", IN_FLIGHT),
    ("connections", CONNECTIONS),
    ("readers", READERS),
    ("visitors", VISITORS),
    ("nonces", NONCES),
    ("window_events", WINDOW_EVENTS),
    ("window_entities", WINDOW_ENTITIES),
];

/// Who says twice a minute that it is there and was silent for so long is not there any more.
const GONE_S: u64 = 120;
/// From when on a backup is old: a day, and the time that one of the night takes longer than another.
const BACKUP_OLD_S: u64 = 26 * 3_600;

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
                    parts::row(ADDRESS, parts::id(v.desk.origin()), v),
                    parts::row(RUNNING, running(&metrics, v), v),
                ])))
                (parts::panel(v.t(SNAPSHOT), snapshot(v, &metrics)))
                (parts::panel(v.t(BACKUP), backup(v, &metrics)))
                (parts::panel(v.t(ANSWERS), answers(v, &metrics)))
            }
            div {
                (parts::panel(v.t(HOLDS), counts(NOTHING.map(|(name, word)| parts::row(word, holds(&metrics, name), v)))))
                (parts::panel(v.t(WAITS), counts(COUNTED.map(|(name, word)| parts::row(word, counted(&metrics, name), v)))))
            }
        }
        (parts::panel(v.t(NODES), nodes(v, &metrics)))
        (parts::panel(v.t(LIMITS), limits(v, &metrics)))
    };
    Ok(Body::new(v.t(TITLE), main).with(&["live.js"]).into())
}

/// Long names with short values.
fn counts<'f>(rows: impl IntoIterator<Item = (&'f str, Markup)>) -> Markup {
    html! { div.counts { (parts::facts(rows)) } }
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

/// So many seconds, in words.
fn span(seconds: Option<u64>, v: &Visit) -> Option<String> {
    let micros = i64::try_from(seconds?).ok()?.checked_mul(SECOND)?;
    Some(format::span(micros, v.language()))
}

fn running(metrics: &Metrics, v: &Visit) -> Markup {
    let name = "uptime_seconds";
    let said = span(metrics.value(name), v);
    html! { span data-live=(name) { (said.as_deref().unwrap_or("–")) } }
}

/// That something is so many seconds old.
fn ago(seconds: Option<u64>, v: &Visit) -> String {
    let said = span(seconds, v).map(|said| AGO.with(v.language(), &[&said]));
    said.unwrap_or_else(|| "–".to_owned())
}

/// The same by a metric, kept current.
fn since(metrics: &Metrics, name: &str, v: &Visit) -> Markup {
    html! { span data-live=(name) { (ago(metrics.value(name), v)) } }
}

fn snapshot(v: &Visit, metrics: &Metrics) -> Markup {
    let behind = counted(metrics, "snapshot_decisions_behind");
    html! {
        p.muted { (v.t(SNAPSHOT_WHY)) }
        @match metrics.value("snapshot_bytes") {
            None => (parts::note(Tone::Info, v.t(NO_SNAPSHOT))),
            Some(bytes) => (parts::facts([
                parts::row(WRITTEN, since(metrics, "snapshot_age_seconds", v), v),
                parts::row(SIZE, html! { (format::bytes(bytes)) }, v),
                parts::row(BEHIND, behind, v),
            ])),
        }
    }
}

fn backup(v: &Visit, metrics: &Metrics) -> Markup {
    let Some(age_s) = metrics.value("backup_age_seconds") else {
        let said = html! { (v.t(NO_BACKUP)) " " code { "paywarden backup make FILE" } };
        return parts::note(Tone::Care, said);
    };
    let size = metrics.value("backup_bytes").map(format::bytes);
    html! {
        p.muted { (v.t(BACKUP_WHY)) }
        @if age_s > BACKUP_OLD_S { (parts::note(Tone::Care, v.t(BACKUP_OLD))) }
        (parts::facts([
            parts::row(NEWEST_LEAF, since(metrics, "backup_age_seconds", v), v),
            parts::row(READ_BACK, since(metrics, "backup_read_back_age_seconds", v), v),
            parts::row(SIZE, html! { (size.as_deref().unwrap_or("–")) }, v),
            parts::row(LEAVES_IN_IT, counted(metrics, "backup_leaves"), v),
        ]))
    }
}

/// Who serves the database, and who did.
fn nodes(v: &Visit, metrics: &Metrics) -> Markup {
    let row = |node: &Node<'_>| {
        let state = match (node.is_this, node.age_s > GONE_S) {
            (true, _) => parts::badge(Tone::Good, Some(Icon::YES), v.t(THIS)),
            (false, false) => parts::badge(Tone::Good, None, v.t(SERVES)),
            (false, true) => parts::badge(Tone::Plain, None, v.t(GONE)),
        };
        vec![
            parts::id(node.id),
            state,
            html! { (node.version) },
            html! { (ago(node.started_s, v)) },
            html! { (ago(Some(node.age_s), v)) },
        ]
    };
    let rows: Vec<_> = metrics.nodes().iter().map(row).collect();
    let columns = [v.t(NODE), v.t(STATE), v.t(VERSION), v.t(STARTED), v.t(SEEN)];
    html! {
        p.muted { (v.t(NODES_WHY)) }
        (parts::table(v.t(NODES), &columns, &rows, v))
    }
}

/// What is used of each limit.
fn limits(v: &Visit, metrics: &Metrics) -> Markup {
    let row = |(name, word): (&str, Word)| {
        let (used, most) = (metrics.value(name), metrics.limit(name));
        let share = used
            .zip(most)
            .map(|(used, most)| format::percent(used, most));
        vec![
            html! { (v.t(word)) },
            counted(metrics, name),
            html! { (most.map_or_else(|| "–".to_owned(), format::number)) },
            html! { (share.as_deref().unwrap_or("–")) },
        ]
    };
    let rows = LIMITED.map(row);
    let number = |word| format!("{}#", v.t(word));
    let columns = [v.t(WHAT), &number(USED), &number(MOST), &number(FULL)];
    parts::table(v.t(LIMITS), &columns, &rows, v)
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
