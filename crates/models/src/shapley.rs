//! Exact Shapley values of one tree in polynomial time.
//!
//! Lundberg, Erion and Lee, "Consistent individualized feature attribution for tree ensembles",
//! arXiv:1802.03888, algorithm 2. Depth is bounded by [`crate::limits::DEPTH_MAX`].

use crate::Ensemble;
use crate::ensemble::At;

/// One feature on the path from the root.
#[derive(Debug, Clone, Copy)]
struct Step {
    /// `usize::MAX` for the root.
    feature: usize,
    /// Share of the data that flows on while the feature is unknown.
    unknown: f64,
    /// 1 if the row flows on here, else 0.
    known: f64,
    /// Weight of the sets of known features of each size.
    weight: f64,
}

/// Where the walk goes next, and by which feature it comes there.
#[derive(Debug, Clone, Copy)]
struct Move {
    at: At,
    feature: usize,
    unknown: f64,
    known: f64,
}

/// Adds the values of one tree.
pub(crate) fn of_tree(model: &Ensemble, root: At, row: &[f64], values: &mut [f64]) {
    let start = Move {
        at: root,
        feature: usize::MAX,
        unknown: 1.0,
        known: 1.0,
    };
    walk(model, row, Vec::new(), start, values);
}

fn walk(model: &Ensemble, row: &[f64], mut path: Vec<Step>, here: Move, values: &mut [f64]) {
    extend(&mut path, here);
    if here.at < 0 {
        let value = model.leaves[!here.at as usize];
        for place in 1..path.len() {
            let step = path[place];
            let weight = unwound_sum(&path, place);
            values[step.feature] += weight * (step.known - step.unknown) * value;
        }
        return;
    }
    let split = &model.splits[here.at as usize];
    let feature = usize::from(split.feature);
    let (mut unknown, mut known) = (1.0, 1.0);
    if let Some(place) = path.iter().position(|step| step.feature == feature) {
        (unknown, known) = (path[place].unknown, path[place].known);
        unwind(&mut path, place);
    }
    let hot = model.next(split, row);
    for at in split.children {
        let share = model.cover_at(at) / model.cover_at(here.at);
        let next = Move {
            at,
            feature,
            unknown: unknown * share,
            known: if at == hot { known } else { 0.0 },
        };
        walk(model, row, path.clone(), next, values);
    }
}

fn extend(path: &mut Vec<Step>, here: Move) {
    let depth = path.len();
    path.push(Step {
        feature: here.feature,
        unknown: here.unknown,
        known: here.known,
        weight: if depth == 0 { 1.0 } else { 0.0 },
    });
    let whole = (depth + 1) as f64;
    for place in (0..depth).rev() {
        let weight = path[place].weight;
        path[place + 1].weight += here.known * weight * (place + 1) as f64 / whole;
        path[place].weight = here.unknown * weight * (depth - place) as f64 / whole;
    }
}

fn unwind(path: &mut Vec<Step>, place: usize) {
    let depth = path.len() - 1;
    let Step { unknown, known, .. } = path[place];
    let mut next = path[depth].weight;
    let whole = (depth + 1) as f64;
    for i in (0..depth).rev() {
        if known != 0.0 {
            let weight = path[i].weight;
            path[i].weight = next * whole / ((i + 1) as f64 * known);
            next = weight - path[i].weight * unknown * (depth - i) as f64 / whole;
        } else {
            path[i].weight = path[i].weight * whole / (unknown * (depth - i) as f64);
        }
    }
    for i in place..depth {
        let Step {
            feature,
            unknown,
            known,
            ..
        } = path[i + 1];
        path[i] = Step {
            feature,
            unknown,
            known,
            weight: path[i].weight,
        };
    }
    path.pop();
}

fn unwound_sum(path: &[Step], place: usize) -> f64 {
    let depth = path.len() - 1;
    let Step { unknown, known, .. } = path[place];
    let whole = (depth + 1) as f64;
    let mut next = path[depth].weight;
    let mut sum = 0.0;
    for i in (0..depth).rev() {
        if known != 0.0 {
            let weight = next * whole / ((i + 1) as f64 * known);
            sum += weight;
            next = path[i].weight - weight * unknown * (depth - i) as f64 / whole;
        } else {
            sum += path[i].weight * whole / (unknown * (depth - i) as f64);
        }
    }
    sum
}
