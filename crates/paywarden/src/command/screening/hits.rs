//! Hits as people and programs read them.

use paywarden_screening::{Hit, score::About};
use serde_json::{Value, json};

/// One object with all hits, their components and tokens side by side.
pub(super) fn json(hits: &[Hit<'_>]) -> Value {
    let hit = |hit: &Hit<'_>| {
        json!({
            "list": hit.list.name, "list_kind": hit.list.kind, "id": hit.entity.id,
            "main_name": hit.entity.names.first().map(|name| &name.text),
            "programs": hit.entity.programs, "evidence": hit,
        })
    };
    json!({ "hits": hits.iter().map(hit).collect::<Vec<_>>() })
}

/// One paragraph per hit.
pub(super) fn text(hits: &[Hit<'_>]) -> String {
    if hits.is_empty() {
        return "no hit\n".to_owned();
    }
    hits.iter().map(paragraph).collect()
}

fn paragraph(hit: &Hit<'_>) -> String {
    let name = hit.name.or(hit.entity.names.first());
    let name = name.map_or("", |name| name.text.as_str());
    let mut text = format!(
        "{:.3}  {name}  ({} {})\n",
        hit.score, hit.list.name, hit.entity.id
    );
    for component in hit
        .components
        .iter()
        .filter(|component| component.points.abs() >= 0.005)
    {
        text += &format!(
            "       {:+.2} {}\n",
            component.points,
            about(component.about)
        );
    }
    let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "-".to_owned());
    let pairs = hit
        .pairs
        .iter()
        .map(|pair| format!("{}={}", side(&pair.asked), side(&pair.listed)));
    text + "       " + &pairs.collect::<Vec<_>>().join(" ") + "\n"
}

fn about(about: About) -> String {
    let word = serde_json::to_value(about).unwrap_or_default();
    word.as_str().unwrap_or_default().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_screening::{
        Index, Kind, ListKind, Query, Room,
        import::{self, File, Format},
    };
    use std::sync::Arc;

    #[test]
    fn a_hit_reads_well() {
        let bytes = "id,name,kind\n7,Muammar Gaddafi,person\n".as_bytes();
        let file = File {
            name: "own.csv",
            bytes,
        };
        let list = import::read(Format::Csv, &[file], "own", ListKind::Sanctions).unwrap();
        let index = Index::build(vec![Arc::new(list)]);
        let query = Query::name("Moammar al-Qaddafi", Kind::Person);
        let hits = index.screen(&query, 0.5, 5, &mut Room::default()).unwrap();
        insta::assert_snapshot!(text(&hits));
        assert_eq!(json(&hits)["hits"][0]["id"], "7");
    }
}
