//! Who hangs together, as a picture: columns by how many links lie between, money by width.
//!
//! The picture is the same for the same links: entities stand by the mean place of those that they
//! are linked to, then those that money went to or came from, then by kind and name.

use crate::{
    format,
    names::named,
    parts::{self, SHOW_TABLE},
    terms::Tone,
    visit::Visit,
    word::words,
};
use maud::{Markup, html};
use paywarden_domain::{Currency, Timestamp};
use serde::Deserialize;
use std::{cmp::Ordering, collections::HashMap, ptr};

const WIDTH: u32 = 960;
const ROW: u32 = 28;
const TOP: u32 = 36;
/// Where the columns stand.
const COLUMNS: [u32; 3] = [16, 330, 660];
/// How much room a name takes beside its entity.
const NAME: u32 = 160;
/// How far a line within a column swings out at most.
const SWING_MAX: u32 = 140;
/// The widest links, in tenths of a unit: money that was paid, and payments that name both.
const WIDEST_PAID: u32 = 80;
const WIDEST_SHARED: u32 = 24;

/// Who has devices, addresses and cards: two of a kind that share one stand out.
const OWNERS: [&str; 2] = ["account", "customer"];

words! {
    PAID = "paid", "付款";
    TOGETHER = "in the same payments", "同笔支付";
    FROM = "One side", "来源方";
    TO = "Other side", "去向方";
    HOW = "How", "关联方式";
    PAYMENTS = "Payments", "支付笔数";
    AMOUNT = "Amount", "金额";
    LATEST = "Latest", "最近一次";
    DENIED = "on a deny list", "在拒绝名单";
    CUT = "This is not all: the picture ends at {} entities and {} links, the latest payments first.", "未显示全部：图中最多 {} 个实体、{} 条关联，优先最近的支付。";
    WIDTHS = "Width: money. Solid with an arrow: who paid whom. Dashed: named in the same payments, for each the closest such link, and what two accounts or customers share; the table has all.", "线宽表示金额；带箭头的实线为付款方向，虚线为出现在同笔支付中：每个实体画最紧密的一条，另画两个账户或客户所共用者；全部关联见表格。";
    NO_LINKS = "No kept payment links it to anybody.", "现有支付中无关联对象。";
}

/// Links as the API tells them.
#[derive(Deserialize)]
pub(crate) struct Links {
    base_currency: Currency,
    entities: Vec<Linked>,
    links: Vec<Link>,
    is_whole: bool,
    entities_max: usize,
    links_max: usize,
}

#[derive(Deserialize)]
struct Linked {
    entity: String,
    hops: u8,
    events: u64,
    is_denied: bool,
}

#[derive(Deserialize)]
struct Link {
    from: String,
    to: String,
    is_paid: bool,
    events: u32,
    amount_minor: i64,
    latest_at: Timestamp,
}

/// Where an entity's page is.
pub(crate) fn address(entity: &str) -> String {
    format!("/entities/{}", entity.replacen(':', "/", 1))
}

/// An entity in few words: its kind and the beginning of its pseudonym.
pub(crate) fn short(entity: &str, v: &Visit) -> String {
    let (kind, hash) = entity.split_once(':').unwrap_or((entity, ""));
    let begin = hash.get(..8).unwrap_or(hash);
    format!("{} {begin}", named("entity", kind, "", v.language()))
}

/// The picture with its table.
pub(crate) fn web(title: &str, links: &Links, v: &Visit) -> Markup {
    let drawn = drawn(links);
    let places = places(links, &drawn);
    let rows = places.values().map(|(_, y)| *y).max().unwrap_or(0);
    let height = rows + ROW;
    let most = links.links.iter().map(|link| link.amount_minor).max();
    let most = most.unwrap_or(0).max(1);
    html! {
        @if links.links.is_empty() {
            (parts::empty(v.t(NO_LINKS)))
        } @else {
            figure.chart.web {
                figcaption { (title) }
                div.canvas tabindex="0" role="region" aria-label=(title) {
                    svg viewBox=(format!("0 0 {WIDTH} {height}")) width=(WIDTH) height=(height) role="group" aria-label=(title) {
                        (arrow())
                        @for link in drawn { (line(v, link, (&places, most), links.base_currency)) }
                        @for one in &links.entities {
                            @if let Some(place) = places.get(one.entity.as_str()) { (node(v, one, *place)) }
                        }
                    }
                }
                p.hint { (v.t(WIDTHS)) }
                @if !links.is_whole {
                    (parts::note(Tone::Care, CUT.with(v.language(), &[&links.entities_max.to_string(), &links.links_max.to_string()])))
                }
                (parts::fold(v.t(SHOW_TABLE), twin(title, links, v)))
            }
        }
    }
}

/// The links that are drawn: all that money went by; for an entity that no money leads to the one by
/// which it hangs together most with those nearer; and of those equally far, what two accounts or two
/// customers share, such as a device. The others say the same payments once more.
fn drawn(links: &Links) -> Vec<&Link> {
    let hops: HashMap<&str, u8> = links
        .entities
        .iter()
        .map(|one| (one.entity.as_str(), one.hops))
        .collect();
    let mut ways: HashMap<&str, &Link> = HashMap::new();
    let mut beside: HashMap<(&str, &str), u32> = HashMap::new();
    for link in &links.links {
        let end = |name: &str| hops.get(name).copied().unwrap_or_default();
        let farther = match end(&link.from).cmp(&end(&link.to)) {
            Ordering::Equal => {
                for place in sides(link) {
                    *beside.entry(place).or_default() += 1;
                }
                continue;
            }
            Ordering::Greater => link.from.as_str(),
            Ordering::Less => link.to.as_str(),
        };
        let strength = |link: &Link| (link.is_paid, link.amount_minor, link.events);
        let way = ways.entry(farther).or_insert(link);
        if strength(link) > strength(way) {
            *way = link;
        }
    }
    let is_way = |link: &Link| ways.values().any(|way| ptr::eq(*way, link));
    let is_level = |link: &Link| hops.get(&*link.from) == hops.get(&*link.to);
    let shares = |link: &Link| {
        let mut sides = sides(link).into_iter();
        sides.any(|place| OWNERS.contains(&place.1) && beside.get(&place) > Some(&1))
    };
    let drawn = |link: &&Link| link.is_paid || is_way(link) || (is_level(link) && shares(link));
    links.links.iter().filter(drawn).collect()
}

/// A link from either side: an entity, and of which kind the other is.
fn sides(link: &Link) -> [(&str, &str); 2] {
    [
        (&link.from, kind_of(&link.to)),
        (&link.to, kind_of(&link.from)),
    ]
}

/// The kind in the name of an entity.
pub(crate) fn kind_of(entity: &str) -> &str {
    entity.split(':').next().unwrap_or_default()
}

/// Where each entity stands.
fn places<'l>(links: &'l Links, drawn: &[&Link]) -> HashMap<&'l str, (u32, u32)> {
    let mut places: HashMap<&str, (u32, u32)> = HashMap::new();
    for (hops, x) in COLUMNS.into_iter().enumerate() {
        let column = links
            .entities
            .iter()
            .filter(|one| usize::from(one.hops) == hops);
        let mut column: Vec<_> = column
            .map(|one| {
                let entity = one.entity.as_str();
                let touches = |link: &&&Link| link.from == entity || link.to == entity;
                let is_paid = drawn.iter().filter(touches).any(|link| link.is_paid);
                (mean(drawn, entity, &places), !is_paid, entity)
            })
            .collect();
        column.sort_unstable();
        for (place, (.., entity)) in column.into_iter().enumerate() {
            let y = TOP + ROW * u32::try_from(place).unwrap_or(0);
            places.insert(entity, (x, y));
        }
    }
    places
}

/// The mean height of those already placed that an entity is linked to.
fn mean(links: &[&Link], entity: &str, places: &HashMap<&str, (u32, u32)>) -> u32 {
    let others = links.iter().filter_map(|link| {
        let is_from = link.from == entity;
        let other = if is_from { &link.to } else { &link.from };
        (is_from || link.to == entity).then_some(other.as_str())
    });
    let heights: Vec<u32> = others
        .filter_map(|other| places.get(other))
        .map(|(_, y)| *y)
        .collect();
    let count = u32::try_from(heights.len()).unwrap_or(u32::MAX).max(1);
    heights.iter().sum::<u32>() / count
}

fn arrow() -> Markup {
    html! {
        defs {
            marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto" {
                path.tip d="M0 0 8 4 0 8z" {}
            }
        }
    }
}

fn line(
    v: &Visit,
    link: &Link,
    (places, most): (&HashMap<&str, (u32, u32)>, i64),
    currency: Currency,
) -> Markup {
    let ends = places
        .get(link.from.as_str())
        .zip(places.get(link.to.as_str()));
    let Some((&(mut x1, y1), &(mut x2, y2))) = ends else {
        return Markup::default();
    };
    // To what is farther away a line leaves behind the name.
    match x1.cmp(&x2) {
        Ordering::Less => x1 += behind(x1),
        Ordering::Greater => x2 += behind(x2),
        Ordering::Equal => {}
    }
    let middle = u32::midpoint(x1, x2);
    let way = match (x1 == x2, link.is_paid) {
        // Within a column the line swings out to the side, the farther the longer it is.
        (true, _) => {
            let out = x1.saturating_sub(SWING_MAX.min(ROW / 2 + y1.abs_diff(y2) / 2));
            format!("M{x1} {y1}C{out} {y1} {out} {y2} {x2} {y2}")
        }
        (_, true) => format!("M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"),
        // Those that hang by the same one share a stem.
        (_, false) => format!("M{x1} {y1}H{middle}V{y2}H{x2}"),
    };
    let widest = if link.is_paid {
        WIDEST_PAID
    } else {
        WIDEST_SHARED
    };
    let tenths = width(link.amount_minor, most, widest);
    let class = if link.is_paid { "tie paid" } else { "tie" };
    let how = if link.is_paid { PAID } else { TOGETHER };
    let said = format!(
        "{} → {}: {}, {}, {} {}",
        short(&link.from, v),
        short(&link.to, v),
        v.t(how),
        format::number(link.events),
        format::decimal(link.amount_minor, currency),
        currency.code()
    );
    html! {
        path class=(class) d=(way) stroke-width=(format!("{}.{}", tenths / 10, tenths % 10)) marker-end=[link.is_paid.then_some("url(#arrow)")] {
            title { (said) }
        }
    }
}

/// How far from its middle an entity's name ends; that of the first stands above.
fn behind(x: u32) -> u32 {
    match x == COLUMNS[0] {
        true => 0,
        false => NAME,
    }
}

/// How wide a link is drawn, in tenths: by the root of its share, so that small money is seen.
fn width(minor: i64, most: i64, widest: u32) -> u32 {
    let share = minor.max(0) as f64 / most as f64;
    10 + (share.sqrt() * f64::from(widest - 10)).round() as u32
}

fn node(v: &Visit, one: &Linked, (x, y): (u32, u32)) -> Markup {
    let class = match (one.hops, one.is_denied) {
        (_, true) => "node denied",
        (0, _) => "node start",
        _ => "node",
    };
    // The lines of the one that was asked about leave to the side: its name stands above.
    let label = if one.hops == 0 {
        (x - 8, y - 14)
    } else {
        (x + 14, y + 4)
    };
    let radius = 5 + (one.events.max(1).ilog2()).min(4);
    html! {
        a class=(class) href=(address(&one.entity)) data-kind=(kind_of(&one.entity)) {
            circle cx=(x) cy=(y) r=(radius) {}
            text x=(label.0) y=(label.1) {
                (short(&one.entity, v))
                @if one.is_denied { " · " (v.t(DENIED)) }
            }
        }
    }
}

fn twin(title: &str, links: &Links, v: &Visit) -> Markup {
    let row = |link: &Link| {
        let end = |entity: &str| html! { a href=(address(entity)) { (short(entity, v)) } };
        vec![
            end(&link.from),
            end(&link.to),
            html! { (v.t(if link.is_paid { PAID } else { TOGETHER })) },
            html! { (format::number(link.events)) },
            format::amount(link.amount_minor, links.base_currency),
            format::time(link.latest_at),
        ]
    };
    let rows: Vec<_> = links.links.iter().map(row).collect();
    let [payments, amount] = [PAYMENTS, AMOUNT].map(|word| format!("{}#", v.t(word)));
    let columns = [
        v.t(FROM),
        v.t(TO),
        v.t(HOW),
        &payments,
        &amount,
        v.t(LATEST),
    ];
    parts::table(title, &columns, &rows, v)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB: &str = r#"{ "base_currency": "EUR", "is_whole": true, "entities_max": 40, "links_max": 80,
        "entities": [
            { "entity": "card:1", "hops": 0, "events": 9, "is_denied": false },
            { "entity": "device:2", "hops": 1, "events": 1, "is_denied": true },
            { "entity": "account:3", "hops": 1, "events": 1, "is_denied": false },
            { "entity": "card:4", "hops": 2, "events": 1, "is_denied": false },
            { "entity": "card:5", "hops": 2, "events": 1, "is_denied": false } ],
        "links": [
            { "from": "card:1", "to": "device:2", "is_paid": false,
              "events": 1, "amount_minor": 5, "latest_at": "2026-01-01T00:00:00Z" },
            { "from": "card:1", "to": "account:3", "is_paid": false,
              "events": 1, "amount_minor": 5, "latest_at": "2026-01-01T00:00:00Z" },
            { "from": "account:3", "to": "device:2", "is_paid": false,
              "events": 1, "amount_minor": 5, "latest_at": "2026-01-01T00:00:00Z" },
            { "from": "card:4", "to": "device:2", "is_paid": false,
              "events": 1, "amount_minor": 5, "latest_at": "2026-01-01T00:00:00Z" },
            { "from": "account:3", "to": "card:4", "is_paid": false,
              "events": 1, "amount_minor": 6, "latest_at": "2026-01-01T00:00:00Z" },
            { "from": "device:2", "to": "card:5", "is_paid": false,
              "events": 9, "amount_minor": 900, "latest_at": "2026-01-01T00:00:00Z" },
            { "from": "card:5", "to": "account:3", "is_paid": true,
              "events": 1, "amount_minor": 1, "latest_at": "2026-01-01T00:00:00Z" } ] }"#;

    #[test]
    fn every_entity_hangs_by_one_link_and_money_is_drawn_whole() {
        let links: Links = serde_json::from_str(WEB).unwrap();
        let drawn = drawn(&links);
        let ends = drawn.iter().map(|link| (&*link.from, &*link.to));
        assert_eq!(
            ends.collect::<Vec<_>>(),
            [
                ("card:1", "device:2"),
                ("card:1", "account:3"),
                ("account:3", "card:4"),
                ("card:5", "account:3"),
            ]
        );
    }

    #[test]
    fn what_two_accounts_share_is_drawn() {
        let mut links: Links = serde_json::from_str(WEB).unwrap();
        let count = drawn(&links).len();
        let text = r#"{ "from": "account:6", "to": "device:2", "is_paid": false,
            "events": 1, "amount_minor": 5, "latest_at": "2026-01-01T00:00:00Z" }"#;
        links.links.push(serde_json::from_str(text).unwrap());
        let text = r#"{ "entity": "account:6", "hops": 1, "events": 1, "is_denied": false }"#;
        links.entities.push(serde_json::from_str(text).unwrap());
        // Two accounts with one device: both of its links.
        assert_eq!(drawn(&links).len(), count + 2);
    }

    #[test]
    fn columns_are_links_away_and_money_is_never_invisible() {
        let links: Links = serde_json::from_str(WEB).unwrap();
        let places = places(&links, &drawn(&links));
        let [one, two, three, four] =
            ["card:1", "device:2", "account:3", "card:4"].map(|name| places[name]);
        assert_eq!([one.0, two.0, four.0], COLUMNS);
        assert!(three.0 == two.0 && three.1 != two.1);
        let widths = [0, 100, 25].map(|minor| width(minor, 100, 80));
        assert_eq!(widths, [10, 80, 45]);
        assert_eq!(
            address("ip:00ff00ff00ff00ff"),
            "/entities/ip/00ff00ff00ff00ff"
        );
    }
}
