//! Where two names lie side by side: every token beside its best partner.

use super::{Part, Weighted, align::align, near::Nearness, near::nearness};
use crate::name::{Role, TOKENS_MAX};

/// Two names with their tokens aligned.
pub(super) struct Desk<'a> {
    pub(super) asked: &'a [Part],
    pub(super) listed: &'a [Weighted],
    /// For each token asked about, the listed one beside it and how near they are.
    pub(super) beside: [Option<(u8, Nearness)>; TOKENS_MAX],
}

/// Tokens that stand side by side.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Pair {
    /// Of the name that was asked about; none if the listed name has one more.
    pub asked: Option<String>,
    /// Of the listed name; none if the asked name has one more.
    pub listed: Option<String>,
    /// How near they are, 0 to 1.
    pub near: f32,
    /// How much they count.
    pub weight: f32,
}

impl<'a> Desk<'a> {
    pub(super) fn new(asked: &'a [Part], listed: &'a [Weighted]) -> Self {
        let mut near = [[Nearness::default(); TOKENS_MAX]; TOKENS_MAX];
        for (part, row) in asked.iter().zip(&mut near) {
            for (other, cell) in listed.iter().zip(row) {
                *cell = nearness(part, &other.token);
            }
        }
        let gain = |row: usize, column: usize| {
            let weight = asked[row].weight.min(listed[column].weight);
            near[row][column].near * near[row][column].near * weight
        };
        let mut beside = [None; TOKENS_MAX];
        if asked.len() <= listed.len() {
            let columns = align(asked.len(), listed.len(), gain);
            for row in 0..asked.len() {
                let column = columns[row];
                beside[row] = Some((column, near[row][usize::from(column)]));
            }
        } else {
            let rows = align(listed.len(), asked.len(), |column, row| gain(row, column));
            for column in 0..listed.len() {
                let row = usize::from(rows[column]);
                beside[row] = Some((column as u8, near[row][column]));
            }
        }
        Self {
            asked,
            listed,
            beside,
        }
    }

    /// Tokens side by side, those without a partner last.
    pub(super) fn pairs(&self) -> Vec<Pair> {
        let mut free: Vec<bool> = vec![true; self.listed.len()];
        let mut pairs = Vec::new();
        for (part, beside) in self.asked.iter().zip(&self.beside) {
            let beside = beside.filter(|(_, near)| near.near > 0.0);
            let listed = beside.map(|(column, _)| &self.listed[usize::from(column)]);
            if let Some((column, _)) = beside {
                free[usize::from(column)] = false;
            }
            pairs.push(Pair {
                asked: Some(part.token.text.as_str().to_owned()),
                listed: listed.map(|other| other.token.text.as_str().to_owned()),
                near: beside.map_or(0.0, |(_, near)| near.near),
                weight: part.weight,
            });
        }
        for (other, _) in self.listed.iter().zip(free).filter(|(_, free)| *free) {
            pairs.push(Pair {
                asked: None,
                listed: Some(other.token.text.as_str().to_owned()),
                near: 0.0,
                weight: other.weight,
            });
        }
        pairs
    }

    /// Whether a token is part of the name proper.
    pub(super) fn proper(role: Role) -> bool {
        matches!(role, Role::Name | Role::Generic)
    }
}
