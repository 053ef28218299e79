//! The index beside reading the whole list, evidence beside the name, hostile names.

use super::*;
use crate::{
    compare::Prepared,
    entity::{Birth, ListedName},
    kind::ListKind,
    name::NameRefused,
    score::chance,
};
use paywarden_domain::Country;
use proptest::prelude::*;

const GIVEN: [&str; 12] = [
    "Sergey",
    "Mohammed",
    "Angela",
    "Kim Jong",
    "Abd al-Rahman",
    "Bashar",
    "Ana Maria",
    "Viktor",
    "Xi",
    "Nikolai",
    "Ali",
    "Hassan",
];
const FAMILY: [&str; 12] = [
    "Lavrov",
    "Al-Tikriti",
    "Merkel",
    "Un",
    "Khodorkovsky",
    "Gonzalez Lopez",
    "Ivanov",
    "Qaddafi",
    "Haqqani",
    "Patrushev",
    "Hassan",
    "Ali",
];

fn list(names: &[String]) -> Arc<List> {
    let entity = |(number, name): (usize, &String)| Entity {
        id: number.to_string(),
        kind: Kind::Person,
        names: vec![ListedName {
            text: name.clone(),
            weak: false,
        }],
        ..Entity::default()
    };
    Arc::new(List {
        name: "own".into(),
        kind: ListKind::Sanctions,
        source_hash: String::new(),
        published: None,
        entities: names.iter().enumerate().map(entity).collect(),
    })
}

fn names() -> Vec<String> {
    let pairs = GIVEN
        .iter()
        .flat_map(|given| FAMILY.iter().map(move |family| format!("{given} {family}")));
    pairs.collect()
}

/// The best score of reading every name.
fn oracle(index: &Index, query: &Query<'_>) -> f32 {
    let name = Name::new(query.name, query.kind).unwrap();
    let asked = Prepared::new(&name, query.kind, |token| index.weight(token));
    let mut listed = Vec::new();
    let points = index
        .names
        .iter()
        .map(|entry| index.points(query, &asked, entry, &mut listed));
    chance(points.fold(f32::MIN, f32::max))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A name with a letter wrong is found with the score that reading the whole list gives. What
    /// scores less than three in four may share no rare token and then leads nowhere.
    #[test]
    fn nothing_is_missed_that_reading_all_would_find(
        given in 0usize..12, family in 0usize..12, at in 0usize..20, letter in "[a-z]", turn in any::<bool>(),
    ) {
        let index = Index::build(vec![list(&names())]);
        let mut name = match turn {
            true => format!("{} {}", FAMILY[family], GIVEN[given]),
            false => format!("{} {}", GIVEN[given], FAMILY[family]),
        };
        let at = at % name.len();
        name.replace_range(at..=at, &letter);
        let query = Query::name(&name, Kind::Person);
        let best = oracle(&index, &query);
        let hits = index.screen(&query, 0.5, 5, &mut Room::default()).unwrap();
        match hits.first() {
            Some(hit) if best >= 0.75 => prop_assert!((hit.score - best).abs() < 1e-4, "{} {}", hit.score, best),
            Some(hit) => prop_assert!(hit.score <= best + 1e-4),
            None => prop_assert!(best < 0.75, "{name} {best}"),
        }
    }

    /// Whatever is asked, nothing breaks and one screening leaves nothing behind for the next.
    #[test]
    fn any_text_is_answered(text in "\\PC{0,60}", kind in 0usize..3) {
        let kind = [Kind::Person, Kind::Organisation, Kind::Unknown][kind];
        let index = Index::build(vec![list(&names())]);
        let mut room = Room::default();
        let _ = index.screen(&Query::name(&text, kind), 0.0, 5, &mut room);
        prop_assert!(room.points.iter().all(|points| *points == 0.0) && room.touched.is_empty());
        let query = Query::name("Sergey Lavrov", Kind::Person);
        prop_assert!(index.screen(&query, 0.9, 5, &mut room).unwrap()[0].score > 0.9);
    }
}

#[test]
fn scripts_orders_and_blanks_lead_to_the_same_party() {
    let names = [
        "Sergey Viktorovich Lavrov",
        "Mao Zedong",
        "Muammar Gaddafi",
        "MOHAMMADHASNI Haji",
        "Recep Tayyip Erdoğan",
    ];
    let index = Index::build(vec![list(&names.map(str::to_owned))]);
    for (asked, id) in [
        ("Лавров Сергей", "0"),
        ("毛泽东", "1"),
        ("Zedong Mao", "1"),
        ("Mao Ze Dong", "1"),
        ("معمر القذافي", "2"),
        ("Moammar Qaddafi", "2"),
        ("Mohammad Hasni Haji", "3"),
        ("ERDOGAN, Recep Tayyip", "4"),
    ] {
        let hits = index
            .screen(
                &Query::name(asked, Kind::Person),
                0.5,
                5,
                &mut Room::default(),
            )
            .unwrap();
        assert_eq!(
            hits.first().map(|hit| hit.entity.id.as_str()),
            Some(id),
            "{asked}"
        );
    }
}

/// Marks that nobody sees and letters that look alike do not hide a name, in a payment or on a list.
#[test]
fn what_cannot_be_seen_hides_nobody() {
    let plain = "Muammar Gaddafi";
    let full = Index::build(vec![list(&[plain.to_owned()])]);
    let score = |index: &Index, name: &str| {
        let query = Query::name(name, Kind::Person);
        let hits = index.screen(&query, 0.5, 5, &mut Room::default()).unwrap();
        hits.first().map(|hit| hit.score.to_bits())
    };
    let known = score(&full, plain);
    assert!(known.is_some());
    for mark in [
        '\u{200b}',
        '\u{200c}',
        '\u{200d}',
        '\u{200e}',
        '\u{2060}',
        '\u{feff}',
        '\u{ad}',
        '\u{202a}',
        '\u{202e}',
        '\u{202c}',
        '\u{2066}',
        '\u{2069}',
        '\u{34f}',
        '\u{180e}',
        '\u{fe0f}',
        '\u{e0041}',
    ] {
        let hidden: String = plain.chars().flat_map(|one| [one, mark]).collect();
        assert_eq!(score(&full, &hidden), known, "{:x}", u32::from(mark));
        let listed = Index::build(vec![list(std::slice::from_ref(&hidden))]);
        assert_eq!(score(&listed, plain), known, "{:x}", u32::from(mark));
    }
    let wide = "Ｍｕａｍｍａｒ Ｇａｄｄａｆｉ";
    assert_eq!(score(&full, wide), known);
}

#[test]
fn what_is_known_beside_the_name_moves_the_score_and_what_is_missing_does_not() {
    let mut own = (*list(&["Sergei Ivanov".to_owned()])).clone();
    own.entities[0].births.push(Birth {
        year: 1961,
        month: Some(3),
        day: Some(9),
    });
    own.entities[0].countries.push("RU".to_owned());
    own.entities[0].identifier("passport", "AB 123.456");
    let index = Index::build(vec![Arc::new(own)]);
    let score = |birth: Option<&str>, countries: &[&str], identifiers: &[&str]| {
        let countries: Vec<Country> = countries
            .iter()
            .map(|code| Country::parse(code).unwrap())
            .collect();
        let query = Query {
            birth: birth.and_then(Birth::parse),
            countries: &countries,
            identifiers,
            ..Query::name("Sergej Ivanov", Kind::Person)
        };
        let hits = index.screen(&query, 0.0, 5, &mut Room::default()).unwrap();
        let sum: f32 = hits[0]
            .components
            .iter()
            .map(|component| component.points)
            .sum();
        assert!((chance(sum) - hits[0].score).abs() < 1e-6);
        hits[0].score
    };
    let alone = score(None, &[], &[]);
    assert!(score(Some("1961-03-09"), &[], &[]) > score(Some("1961"), &[], &[]));
    assert!(score(Some("1961"), &[], &[]) > alone && alone > score(Some("1985"), &[], &[]));
    assert!(score(None, &["RU"], &[]) > alone && alone > score(None, &["US"], &[]));
    assert!(score(None, &[], &["ab123456"]) > 0.999);
}

#[test]
fn an_identifier_finds_whoever_changed_their_name() {
    let mut own = (*list(&["Sergei Ivanov".to_owned()])).clone();
    own.entities[0].identifier("imo", "IMO 9187629");
    let index = Index::build(vec![Arc::new(own)]);
    let query = Query {
        identifiers: &["imo-9187629"],
        ..Query::name("Somebody Else", Kind::Person)
    };
    let hits = index.screen(&query, 0.5, 5, &mut Room::default()).unwrap();
    assert!(hits.len() == 1 && hits[0].name.is_none());
}

#[test]
fn a_megabyte_is_refused_and_an_empty_index_answers() {
    let index = Index::build(Vec::new());
    let screen = |name: &str| {
        index
            .screen(
                &Query::name(name, Kind::Person),
                0.5,
                5,
                &mut Room::default(),
            )
            .map(|hits| hits.len())
    };
    assert_eq!(screen(&"x ".repeat(1 << 19)), Err(NameRefused::TooLong));
    assert_eq!(screen("Sergey Lavrov"), Ok(0));
}
