//! `paywarden bench screening`: how well names are told apart, and how fast among 70,000 parties.
//!
//! Labelled pairs are judged by weights fitted without any pair that shares a name with them, and
//! again without any pair of their source. Before anything is timed, every name asked is screened
//! twice and must be answered alike. Each latency is the shortest of some runs, so that what else
//! the machine does is not counted; processor time of the thread gives names per second.

mod change;
mod data;
mod quality;
mod speed;

use crate::{
    failure::{Failure, Result},
    figures::{Figure, Report},
    terminal,
};
use data::Data;
use paywarden_screening::{Index, index::THRESHOLD};
use quality::Quality;
use std::{path::PathBuf, sync::Arc};

/// What nomenklatura's logic-v2 reaches on the same pairs at its own threshold: F1, MCC, AUC.
const LOGIC_V2: Quality = Quality {
    f1: 0.775,
    mcc: 0.520,
    auc: 0.861,
};
/// Thresholds for which the share of alerts is shown, in hundredths.
const THRESHOLDS: [u8; 6] = [30, 40, 50, 60, 70, 80];

/// Arguments of `bench screening`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder with the public lists and labelled pairs
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let data = Data::read(&arguments.data).map_err(|error| {
        Failure::environment(
            error,
            "name a folder that holds the lists and pairs with --data",
        )
    })?;
    let mut figures = pairs(&data)?;
    figures.extend(lists(&data));
    figures.extend(speed::figures(&data)?);
    if arguments.json {
        terminal::result(&Report::new("bench screening", figures).to_json()?);
    } else {
        terminal::result(&text(&figures));
    }
    Ok(())
}

fn pairs(data: &Data) -> Result<Vec<Figure>> {
    let groups = [
        ("", quality::by_names(&data.pairs)),
        ("_by_source", quality::by_source(&data.pairs)),
    ];
    let mut figures = vec![Figure::count("pairs", data.pairs.len() as u64)];
    for (end, groups) in groups {
        let found = quality::left_out(&data.pairs, &groups).ok_or_else(|| {
            Failure::environment("a labelled pair has no name", "check name_pairs.csv")
        })?;
        let figure = |name: &str, value: f64, anchor: f64| {
            Figure::new(format!("pairs_{name}{end}"), value, "1").against(anchor)
        };
        figures.extend([
            figure("f1", found.f1, LOGIC_V2.f1),
            figure("mcc", found.mcc, LOGIC_V2.mcc),
            figure("auc", found.auc, LOGIC_V2.auc),
        ]);
    }
    Ok(figures)
}

fn lists(data: &Data) -> Vec<Figure> {
    let index = Index::build(vec![Arc::new(data.un.clone())]);
    let changed = quality::recall(&index, &data.un, true, THRESHOLD);
    let reordered = quality::recall(&index, &data.un, false, THRESHOLD);
    let mut figures = vec![
        Figure::count("un_names", changed.asked as u64),
        Figure::new("un_changed_recall", changed.share(), "1").against(0.921),
        Figure::new("un_reordered_recall", reordered.share(), "1"),
        Figure::count("people", data.people.len() as u64),
    ];
    for hundredths in THRESHOLDS {
        let threshold = f32::from(hundredths) / 100.0;
        let alerts = quality::alerts(&index, &data.people, threshold);
        let recall = quality::recall(&index, &data.un, true, threshold);
        figures.push(Figure::new(
            format!("alerts_at_{hundredths}"),
            alerts.share(),
            "1",
        ));
        figures.push(Figure::new(
            format!("recall_at_{hundredths}"),
            recall.share(),
            "1",
        ));
    }
    figures
}

fn text(figures: &[Figure]) -> String {
    let mut text = String::new();
    for figure in figures {
        let value = figure.value.unwrap_or(f64::NAN);
        text += &format!("  {:<28} {value:>14.4} {}\n", figure.name, figure.unit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_well() {
        let figures = [
            Figure::count("pairs", 408),
            Figure::new("pairs_f1", 0.913_242, "1").against(LOGIC_V2.f1),
            Figure::new("screening_p50_us", 52.25, "us"),
        ];
        insta::assert_snapshot!(text(&figures));
    }

    /// The weights that ship are those that the fit finds.
    #[test]
    fn shipped_weights_are_fitted_to_all_pairs() {
        let Ok(folder) = std::env::var("PAYWARDEN_DATA") else {
            return;
        };
        let data = Data::read(&PathBuf::from(folder)).unwrap();
        let judged: Vec<_> = data.pairs.iter().filter_map(quality::judged).collect();
        let fitted = paywarden_screening::fit::fit(&judged);
        let shipped = paywarden_screening::score::WEIGHTS;
        let both = fitted.measures.iter().zip(shipped.measures);
        let apart = both.map(|(one, other)| (one - other).abs());
        assert!(apart.fold(0.0, f32::max) < 0.002, "{fitted:?}");
        assert!((fitted.base - shipped.base).abs() < 0.002, "{fitted:?}");
    }

    /// Quality is no matter of the machine: it must hold wherever the data are.
    #[test]
    fn names_are_told_apart_as_well_as_claimed() {
        let Ok(folder) = std::env::var("PAYWARDEN_DATA") else {
            return;
        };
        let data = Data::read(&PathBuf::from(folder)).unwrap();
        for groups in [
            quality::by_names(&data.pairs),
            quality::by_source(&data.pairs),
        ] {
            let found = quality::left_out(&data.pairs, &groups).unwrap();
            assert!(
                found.f1 >= 0.85 && found.mcc >= 0.68 && found.auc >= 0.92,
                "{found:?}"
            );
        }
        let index = Index::build(vec![Arc::new(data.un.clone())]);
        let recall = quality::recall(&index, &data.un, true, THRESHOLD).share();
        let alerts = quality::alerts(&index, &data.people[..5_000], THRESHOLD).share();
        assert!(recall >= 0.97 && alerts <= 0.01, "{recall} {alerts}");
    }
}
