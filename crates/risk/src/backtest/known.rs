//! What was known when: labels and list entries of one tenant over time.

use super::report::Labelled;
use paywarden_domain::{LabelVerdict, Timestamp};
use paywarden_store::{LabelRow, ListEntryRow};
use std::collections::HashMap;

/// All labels of a tenant.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// In the order in which they were given: when, of which event, what.
    given: Vec<(Timestamp, i64, LabelVerdict)>,
    /// What each event turned out to be, as known by now.
    last: HashMap<i64, LabelVerdict>,
}

impl Labels {
    pub(super) fn add(&mut self, row: &LabelRow) {
        if let Some(event_no) = row.event_no {
            self.given.push((row.known_at, event_no, row.verdict));
            self.last.insert(event_no, row.verdict);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.given.len()
    }

    /// The labels in the order in which they were given.
    pub(super) fn given(&self) -> impl Iterator<Item = (Timestamp, i64, LabelVerdict)> {
        self.given.iter().copied()
    }

    /// What an event that happened at a time is taken for. Without a label it is genuine if it
    /// happened before `mature_before`, else unknown.
    pub(super) fn class(
        &self,
        event_no: i64,
        occurred_at: Timestamp,
        mature_before: Timestamp,
    ) -> Labelled {
        match self.last.get(&event_no) {
            Some(verdict) if verdict.is_fraud() => Labelled::Fraud,
            Some(_) => Labelled::Genuine,
            None if occurred_at < mature_before => Labelled::PresumedGenuine,
            None => Labelled::Immature,
        }
    }
}

/// Everything that ever stood on some lists: list, value, and the stretches of time.
#[derive(Debug, Default)]
pub(super) struct ListHistory {
    lists: HashMap<String, HashMap<String, Vec<Stretch>>>,
    entries: usize,
}

/// From when until before when an entry counted.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    from: Timestamp,
    until: Option<Timestamp>,
}

impl ListHistory {
    pub(super) fn add(&mut self, row: ListEntryRow) {
        let until = [row.expires_at, row.removed_at].into_iter().flatten().min();
        let stretch = Stretch {
            from: row.added_at,
            until,
        };
        let values = self.lists.entry(row.list).or_default();
        values.entry(row.value).or_default().push(stretch);
        self.entries += 1;
    }

    pub(super) fn len(&self) -> usize {
        self.entries
    }

    /// Whether the value stood on the list at a time.
    pub(super) fn contains(&self, list: &str, value: &str, at: Timestamp) -> bool {
        let stretches = self.lists.get(list).and_then(|values| values.get(value));
        stretches.is_some_and(|stretches| stretches.iter().any(|stretch| stretch.covers(at)))
    }
}

impl Stretch {
    fn covers(self, at: Timestamp) -> bool {
        self.from <= at && self.until.is_none_or(|until| at < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_domain::TenantId;

    fn entry(added_at: i64, expires_at: Option<i64>, removed_at: Option<i64>) -> ListEntryRow {
        ListEntryRow {
            entry_no: 0,
            tenant: TenantId::parse("acme").unwrap(),
            list: "denied".to_owned(),
            value: "c".to_owned(),
            reason: "seen".to_owned(),
            added_by: "key".to_owned(),
            added_at: Timestamp::from_micros(added_at),
            expires_at: expires_at.map(Timestamp::from_micros),
            removed_at: removed_at.map(Timestamp::from_micros),
        }
    }

    #[test]
    fn an_entry_counts_from_its_addition_to_its_expiry_or_removal() {
        let mut lists = ListHistory::default();
        lists.add(entry(10, Some(50), Some(20)));
        lists.add(entry(30, Some(40), None));
        lists.add(entry(60, None, None));
        let listed = |at| lists.contains("denied", "c", Timestamp::from_micros(at));
        let times: Vec<i64> = (0..80).step_by(5).filter(|at| listed(*at)).collect();
        assert_eq!(times, [10, 15, 30, 35, 60, 65, 70, 75]);
        assert!(!lists.contains("denied", "d", Timestamp::from_micros(70)));
        assert!(!lists.contains("allowed", "c", Timestamp::from_micros(70)));
    }
}
