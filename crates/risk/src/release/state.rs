//! The states of a version and the moves between them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a version of the rules stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Written down; it compiles.
    Draft,
    /// Every example of every rule behaves as it says.
    Checked,
    /// It was tried on the past.
    BackTested,
    /// It is evaluated beside the live version and decides nothing.
    Shadow,
    /// It decides a share of the payments.
    Canary,
    /// It decides.
    Live,
    /// It decided or was given up; it can be taken up again.
    Archived,
}

/// What is done with a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Written down.
    Draft,
    /// Compiled, examples run.
    Check,
    /// Tried on the past.
    BackTest,
    /// Put beside the live version.
    Shadow,
    /// Given a share of the payments, or another share.
    Canary,
    /// Made live.
    Publish,
    /// Taken back; the version that was live before decides again.
    RollBack,
    /// Given up.
    Archive,
}

/// What is done, from where, and to where; none stays there.
type Move = (Action, &'static [Option<State>], Option<State>);

/// Every move: what is done, from where, to where. What is not here is refused.
///
/// Publishing and rolling back move a second version too: the one that was live is archived, the
/// one that was live before is live again.
#[rustfmt::skip]
const MOVES: &[Move] = {
    use State::*;
    &[
        (Action::Draft,    &[None],                                              Some(Draft)),
        (Action::Check,    &[Some(Draft)],                                       Some(Checked)),
        (Action::BackTest, &[Some(Checked), Some(BackTested)],                   Some(BackTested)),
        // Trying a version that is further on tells something and moves nothing.
        (Action::BackTest, &[Some(Shadow), Some(Canary), Some(Live), Some(Archived)], None),
        (Action::Shadow,   &[Some(Checked), Some(BackTested), Some(Canary), Some(Archived)],
                                                                                 Some(Shadow)),
        (Action::Canary,   &[Some(Checked), Some(BackTested), Some(Shadow), Some(Canary),
                             Some(Archived)],                                    Some(Canary)),
        (Action::Publish,  &[Some(Checked), Some(BackTested), Some(Shadow), Some(Canary),
                             Some(Archived)],                                    Some(Live)),
        (Action::RollBack, &[Some(Live)],                                        Some(Archived)),
        (Action::Archive,  &[Some(Draft), Some(Checked), Some(BackTested), Some(Shadow),
                             Some(Canary)],                                      Some(Archived)),
    ]
};

impl State {
    /// The word used in replies and refusals.
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Checked => "checked",
            Self::BackTested => "back_tested",
            Self::Shadow => "shadow",
            Self::Canary => "canary",
            Self::Live => "live",
            Self::Archived => "archived",
        }
    }
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 8] = [
        Self::Draft,
        Self::Check,
        Self::BackTest,
        Self::Shadow,
        Self::Canary,
        Self::Publish,
        Self::RollBack,
        Self::Archive,
    ];

    /// The word used in the store and in replies.
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Check => "check",
            Self::BackTest => "back_test",
            Self::Shadow => "shadow",
            Self::Canary => "canary",
            Self::Publish => "publish",
            Self::RollBack => "roll_back",
            Self::Archive => "archive",
        }
    }

    /// The action with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// Its name in the trail.
    pub(crate) fn trail_name(self) -> &'static str {
        match self {
            Self::Draft => "rule_set.draft",
            Self::Check => "rule_set.check",
            Self::BackTest => "rule_set.back_test",
            Self::Shadow => "rule_set.shadow",
            Self::Canary => "rule_set.canary",
            Self::Publish => "rule_set.publish",
            Self::RollBack => "rule_set.roll_back",
            Self::Archive => "rule_set.archive",
        }
    }

    /// Where it leads from here; none if it may not be done here. `None` is a version that does
    /// not exist yet.
    pub fn leads(self, from: Option<State>) -> Option<State> {
        let fits = |(action, states, _): &&Move| *action == self && states.contains(&from);
        let (_, _, to) = MOVES.iter().find(fits)?;
        to.or(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_in_the_store_and_in_json() {
        for action in Action::ALL {
            assert_eq!(Action::parse(action.name()), Some(action));
            let json = serde_json::to_string(&action).unwrap();
            assert_eq!(json, format!("\"{}\"", action.name()));
            assert_eq!(action.trail_name(), format!("rule_set.{}", action.name()));
        }
    }

    #[test]
    fn nothing_decides_payments_before_it_is_checked_and_live_is_left_only_by_roll_back() {
        for action in [Action::Shadow, Action::Canary, Action::Publish] {
            assert_eq!(action.leads(None), None);
            assert_eq!(action.leads(Some(State::Draft)), None);
        }
        for action in Action::ALL {
            let to = action.leads(Some(State::Live));
            match action {
                Action::RollBack => assert_eq!(to, Some(State::Archived)),
                Action::BackTest => assert_eq!(to, Some(State::Live)),
                _ => assert_eq!(to, None, "{action:?}"),
            }
        }
    }
}
