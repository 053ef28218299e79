//! Scorecards: conditions worth points, one rule that fires from a threshold on.

use super::{
    OnFault, ReasonSource, Stage,
    composed::Composed,
    written::{Found, WrittenExample, WrittenRule, WrittenWarning, is_snake_case},
};
use paywarden_domain::{Engine, Outcome};
use serde::Deserialize;
use serde_saphyr::Spanned;
use std::collections::HashSet;

/// How many characteristics a scorecard may have.
pub const CHARACTERISTICS_MAX: usize = 32;
/// The most points that a characteristic may give or take.
pub const POINTS_MAX: i64 = 1_000;

/// A scorecard as YAML has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenScorecard {
    id: Spanned<String>,
    title: String,
    title_zh: Option<String>,
    engine: Engine,
    when: Option<Spanned<String>>,
    threshold: i64,
    characteristics: Vec<Characteristic>,
    score: i64,
    action: Option<Outcome>,
    hold_minutes: Option<u32>,
    reason: Option<ReasonSource>,
    warning: Option<WrittenWarning>,
    #[serde(default)]
    stage: Stage,
    #[serde(default)]
    on_fault: OnFault,
    #[serde(default)]
    source: String,
    false_positives: Option<String>,
    #[serde(default)]
    examples: Vec<WrittenExample>,
}

/// A condition and what it is worth. `missing` is what it is worth if it is unknown.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Characteristic {
    id: String,
    #[serde(rename = "if")]
    condition: Spanned<String>,
    points: i64,
    #[serde(default)]
    missing: i64,
}

impl WrittenScorecard {
    /// One rule: what is common, and that the points reach the threshold.
    pub(super) fn unfold(self, found: &mut Found) {
        let mistakes_before = found.mistakes.len();
        self.check(found);
        let mut composed = Composed::default();
        if let Some(when) = &self.when {
            let piece = found.piece(&self.id.value, when, "`when`");
            piece.iter().for_each(|piece| composed.and(piece));
            composed.text.push_str(" && ");
        }
        for (place, characteristic) in self.characteristics.iter().enumerate() {
            composed.text.push_str(if place > 0 { " + " } else { "" });
            characteristic.add_to(&mut composed, &self.id.value, found);
        }
        composed.text.push_str(&format!(" >= {}", self.threshold));
        if found.mistakes.len() > mistakes_before {
            return;
        }
        found.rules.push(WrittenRule {
            id: self.id,
            title: self.title,
            title_zh: self.title_zh,
            engine: Some(self.engine),
            when: composed.text,
            parts: composed.parts,
            score: self.score,
            action: self.action.map(|action| action.name().to_owned()),
            hold_minutes: self.hold_minutes,
            reason: self.reason,
            warning: self.warning,
            stage: self.stage,
            on_fault: self.on_fault,
            source: self.source,
            false_positives: self.false_positives,
            examples: self.examples,
        });
    }

    fn check(&self, found: &mut Found) {
        let all = &self.characteristics;
        let mut seen = HashSet::new();
        let reachable: i64 = all
            .iter()
            .map(|c| c.points.max(c.missing).clamp(0, POINTS_MAX))
            .sum();
        let unfit = |points: i64| points.abs() > POINTS_MAX;
        let checks = [
            (
                all.is_empty(),
                "the scorecard has no `characteristics`".to_owned(),
            ),
            (
                all.len() > CHARACTERISTICS_MAX,
                format!("a scorecard has at most {CHARACTERISTICS_MAX} characteristics"),
            ),
            (
                all.iter().any(|c| unfit(c.points) || unfit(c.missing)),
                format!("a characteristic gives or takes at most {POINTS_MAX} points"),
            ),
            (
                !all.iter()
                    .all(|c| is_snake_case(&c.id) && seen.insert(&c.id)),
                "each characteristic has an `id` of its own in snake_case".to_owned(),
            ),
            (self.threshold <= 0, "the threshold lies above 0".to_owned()),
            (
                self.threshold > reachable,
                format!("the points reach {reachable} at most, never the threshold"),
            ),
        ];
        for (_, message) in checks.into_iter().filter(|(wrong, _)| *wrong) {
            found.wrong(&self.id, message);
        }
    }
}

impl Characteristic {
    fn add_to(&self, composed: &mut Composed, scorecard: &str, found: &mut Found) {
        let label = format!("characteristic `{}`", self.id);
        let Some(piece) = found.piece(scorecard, &self.condition, &label) else {
            return;
        };
        composed.text.push_str("points(");
        composed.piece(&piece);
        composed.text.push_str(&format!(", {}", self.points));
        if self.missing != 0 {
            composed.text.push_str(&format!(", {}", self.missing));
        }
        composed.text.push(')');
    }
}
