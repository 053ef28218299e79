//! Every part of which pages are made, on one page: what there is, and how it looks.

use crate::{
    chart::{self, Bar, Drop, Series},
    format,
    icon::Icon,
    page::{Body, Door, Page, Shown},
    parts::{self, Field},
    terms::Tone,
    visit::Visit,
    word::{self, words},
};
use maud::{Markup, html};
use paywarden_domain::Outcome;
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
    html! {
        (chart::stacked(v.t(CHARTS), &series, &bars, v))
        (chart::waterfall(&[drop(400), drop(250), drop(90)], 740, ["ID", v.t(parts::SCORE), v.t(SAMPLE)]))
    }
}
