//! Every part of which pages are made, on one page: what there is, and how it looks.

use crate::{
    chart::{
        self, Bar, Drop, Push, Series,
        moments::{self, Moment},
        web::{self, Links},
    },
    format,
    icon::Icon,
    page::{Body, Door, Page, Shown},
    parts::{self, Field},
    terms::Tone,
    visit::Visit,
    word::{self, words},
};
use maud::{Markup, html};
use paywarden_domain::{Outcome, Timestamp};
use serde_json::json;

pub(crate) const PAGE: Page = Page {
    path: "/gallery",
    door: Door::Staff,
    needs: &[],
    menu: None,
    show: |v| {
        let shown = show(v);
        Box::pin(async { Ok(shown) })
    },
    take: None,
    words: WORDS,
};

words! {
    TITLE = "Parts of pages", "页面组件";
    BADGES = "Badges", "标签";
    FIGURES = "Figures", "指标";
    CONTROLS = "Forms", "表单";
    TABLES = "Tables", "表格";
    CHARTS = "Charts", "图表";
    NOTES = "Notes", "提示";
    ICONS = "Icons", "图标";
    WEB = "Who hangs together", "关联图示例";
    MOMENTS = "Payments in time", "支付时间线示例";
    ALL_WORDS = "Words", "词表";
    SAMPLE = "Sample", "示例";
}

const TONES: [Tone; 6] = [
    Tone::Plain,
    Tone::Good,
    Tone::Info,
    Tone::Care,
    Tone::Wait,
    Tone::Bad,
];

fn show(v: &Visit) -> Shown {
    let main = html! {
        (parts::panel(v.t(BADGES), badges(v)))
        (parts::panel(v.t(FIGURES), html! {
            div.figures {
                (parts::figure(v.t(SAMPLE), "1,234", "p50", Some("#main")))
                (parts::figure(v.t(SAMPLE), format::millis(4_210), "p99", None))
            }
        }))
        (parts::panel(v.t(CONTROLS), html! {
            (Field { hint: Some(v.t(SAMPLE)), ..Field::new("sample", v.t(SAMPLE)) })
            (parts::filter_by("state", v.t(TITLE), Some("open"), ["open", "closed"], v))
            div.buttons { @for tone in TONES { (parts::submit(tone.name(), tone)) } }
        }))
        (parts::panel(v.t(TABLES), parts::table(v.t(TABLES), &["ID", "p50#"], &samples(), v)))
        (parts::panel(v.t(CHARTS), charts(v)))
        (parts::panel(v.t(NOTES), html! {
            @for tone in TONES { (parts::note(tone, tone.name())) }
            (parts::empty(v.t(parts::NOTHING_HERE)))
            (parts::fold_by("e", v.t(SAMPLE), parts::id("e")))
            (parts::fold("JSON", parts::json(&json!({ "a": [1, null] }), "JSON")))
        }))
        (parts::panel(v.t(ICONS), html! {
            ul.icons { @for (name, icon) in Icon::ALL { li { (icon.draw()) span { (name) } } } }
        }))
        (parts::fold(v.t(ALL_WORDS), parts::table(v.t(ALL_WORDS), &["en", "zh"], &all_words(), v)))
    };
    Body::new(v.t(TITLE), main).into()
}

fn all_words() -> Vec<Vec<Markup>> {
    word::all()
        .map(|word| {
            vec![
                html! { (word.en) },
                html! { span lang="zh-CN" { (word.zh) } },
            ]
        })
        .collect()
}

fn badges(v: &Visit) -> Markup {
    html! {
        div.buttons {
            @for outcome in Outcome::ALL { (parts::outcome(outcome, v.language())) }
            @for score in [90, 450, 980] { (parts::score(score, v.language())) }
        }
    }
}

fn samples() -> Vec<Vec<Markup>> {
    (1..=3)
        .map(|n| vec![parts::link("#main", &format!("row-{n}")), html! { (n) }])
        .collect()
}

/// Who hangs together, as the API would tell it.
fn links() -> Option<Links> {
    let entity = |kind: &str, number: u8, hops: u8| json!({ "entity": format!("{kind}:{number:016x}"), "hops": hops, "events": number, "is_denied": number == 4 });
    let link = |[from, to]: [&str; 2], is_paid: bool, amount_minor: u32| {
        let latest_at = "2026-01-05T09:30:00Z";
        json!({ "from": from, "to": to, "is_paid": is_paid, "events": 2, "amount_minor": amount_minor, "latest_at": latest_at })
    };
    let [one, two, three, four] = ["account", "device", "account", "account"];
    let name = |kind: &str, number: u8| format!("{kind}:{number:016x}");
    let names = [name(one, 1), name(two, 2), name(three, 3), name(four, 4)];
    let [first, second, third, fourth] = names.each_ref().map(String::as_str);
    let links = json!({
        "base_currency": "EUR", "is_whole": false, "entities_max": 40, "links_max": 80,
        "entities": [entity(one, 1, 0), entity(two, 2, 1), entity(three, 3, 1), entity(four, 4, 2)],
        "links": [
            link([first, second], false, 4_000), link([first, third], true, 90_000),
            link([third, fourth], true, 30_000),
        ],
    });
    serde_json::from_value(links).ok()
}

fn payments() -> Vec<Moment> {
    let moment = |place: i64| Moment {
        at: Timestamp::from_micros(1_767_600_000_000_000 + place * place * 60_000_000),
        outcome: Outcome::ALL[place as usize % 3],
        said: place.to_string(),
        is_here: place == 7,
    };
    (0..12).map(moment).collect()
}

fn charts(v: &Visit) -> Markup {
    let series: Vec<Series> = TONES
        .into_iter()
        .map(|tone| Series {
            name: tone.name().to_owned(),
            tone,
            is_hatched: tone == Tone::Wait,
        })
        .collect();
    let bar = |place: u64| Bar {
        name: format!("{place:02}:00"),
        to: "#main".to_owned(),
        values: (0..6).map(|part| (place * 7 + part * 3) % 11).collect(),
    };
    let bars: Vec<Bar> = (0..24).map(bar).collect();
    let drop = |points| Drop {
        name: html! { (v.t(SAMPLE)) },
        points,
    };
    let push = |added| Push {
        name: v.t(SAMPLE),
        value: "4".to_owned(),
        added,
    };
    html! {
        (chart::stacked(v.t(CHARTS), &series, &bars, v))
        @if let Some(links) = links() { (web::web(v.t(WEB), &links, v)) }
        (moments::moments(v.t(MOMENTS), &payments(), v))
        (chart::waterfall(v.t(parts::SCORE), &[drop(400), drop(250), drop(90)], 740, ["ID", v.t(parts::SCORE), v.t(SAMPLE)]))
        (chart::pushes(v.t(SAMPLE), &[push(0.82), push(-0.31)], ["ID", v.t(SAMPLE), v.t(parts::SCORE)]))
    }
}
