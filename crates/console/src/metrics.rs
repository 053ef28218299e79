//! The metrics page of this server, read back: gauges, counters and how long decisions take.

/// The metrics page.
pub(crate) struct Metrics(String);

impl Metrics {
    pub(crate) const ADDRESS: &str = "/metrics";

    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// The value of a line without labels.
    pub(crate) fn value(&self, name: &str) -> Option<u64> {
        let mut lines = self.0.lines();
        lines.find_map(|line| {
            let rest = line.strip_prefix("paywarden_")?.strip_prefix(name)?;
            let value = rest.strip_prefix("_total ").or(rest.strip_prefix(' '))?;
            value.parse().ok()
        })
    }

    /// The most that there may be of a gauge.
    pub(crate) fn limit(&self, of: &str) -> Option<u64> {
        self.value(&format!("limit{{of=\"{of}\"}}"))
    }

    /// The processes that serve the database, in the order of the page.
    pub(crate) fn nodes(&self) -> Vec<Node<'_>> {
        let seen = self
            .0
            .lines()
            .filter_map(|line| node(line, "node_seen_seconds"));
        let started = |one: &Node<'_>| {
            let mut lines = self.0.lines();
            let mut all = lines
                .by_ref()
                .filter_map(|line| node(line, "node_started_seconds"));
            all.find(|other| other.id == one.id)
                .map(|other| other.age_s)
        };
        seen.map(|one| Node {
            started_s: started(&one),
            ..one
        })
        .collect()
    }

    /// In how many microseconds so many thousandths of the decisions since the start were answered;
    /// nothing where there were none.
    pub(crate) fn decision_us(&self, thousandths: u64) -> Option<u64> {
        let buckets: Vec<(f64, u64)> = self.0.lines().filter_map(bucket).collect();
        let total = buckets.last()?.1;
        let wanted = (total * thousandths).div_ceil(1000).max(1);
        let mut below = (0.0, 0);
        for (bound, count) in buckets {
            if total > 0 && count >= wanted && bound.is_finite() {
                let inside = (count - below.1).max(1) as f64;
                let part = (wanted - below.1) as f64 / inside;
                let seconds = below.0 + (bound - below.0) * part;
                return Some((seconds * 1_000_000.0) as u64);
            }
            below = (bound, count);
        }
        None
    }
}

/// A process that serves the database, or did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Node<'m> {
    pub(crate) id: &'m str,
    pub(crate) version: &'m str,
    pub(crate) is_this: bool,
    /// Seconds since what the line tells of it.
    pub(crate) age_s: u64,
    pub(crate) started_s: Option<u64>,
}

/// A process by a line of a family, whose labels stand in one order.
fn node<'m>(line: &'m str, family: &str) -> Option<Node<'m>> {
    let rest = line.strip_prefix("paywarden_")?.strip_prefix(family)?;
    let (id, rest) = rest.strip_prefix("{node=\"")?.split_once("\",version=\"")?;
    let (version, rest) = rest.split_once("\",is=\"")?;
    let (is, age) = rest.split_once("\"} ")?;
    Some(Node {
        id,
        version,
        is_this: is == "this",
        age_s: age.parse().ok()?,
        started_s: None,
    })
}

/// Upper bound in seconds and count of a line of the histogram of decisions.
fn bucket(line: &str) -> Option<(f64, u64)> {
    let rest = line.strip_prefix("paywarden_decision_seconds_bucket{le=\"")?;
    let (bound, count) = rest.split_once("\"} ")?;
    let bound = match bound {
        "+Inf" => f64::INFINITY,
        bound => bound.parse().ok()?,
    };
    Some((bound, count.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# HELP paywarden_journal_queued x\n\
        paywarden_journal_queued 7\n\
        paywarden_glass_broken_total 2\n\
        paywarden_limit{of=\"readers\"} 128\n\
        paywarden_decision_seconds_bucket{le=\"0.001\"} 10\n\
        paywarden_decision_seconds_bucket{le=\"0.002\"} 90\n\
        paywarden_decision_seconds_bucket{le=\"+Inf\"} 100\n# EOF\n";

    #[test]
    fn values_are_read_by_their_whole_name() {
        let page = Metrics::new(PAGE.to_owned());
        assert_eq!(page.value("journal_queued"), Some(7));
        assert_eq!(page.value("glass_broken"), Some(2));
        assert_eq!(page.value("journal"), None);
        assert_eq!(page.limit("readers"), Some(128));
        assert_eq!(page.limit("reader"), None);
    }

    #[test]
    fn nodes_are_read_from_their_labels() {
        let page = "paywarden_node_seen_seconds{node=\"a\",version=\"1.0\",is=\"this\"} 3\n\
            paywarden_node_seen_seconds{node=\"b\",version=\"0.9\",is=\"other\"} 700\n\
            paywarden_node_started_seconds{node=\"a\",version=\"1.0\",is=\"this\"} 90\n";
        let page = Metrics::new(page.to_owned());
        let nodes = page.nodes();
        let told: Vec<_> = nodes
            .iter()
            .map(|node| {
                (
                    node.id,
                    node.version,
                    node.is_this,
                    node.age_s,
                    node.started_s,
                )
            })
            .collect();
        let expected = [
            ("a", "1.0", true, 3, Some(90)),
            ("b", "0.9", false, 700, None),
        ];
        assert_eq!(told, expected);
        assert_eq!(Metrics::new(PAGE.to_owned()).nodes(), []);
    }

    #[test]
    fn quantiles_lie_within_their_bucket() {
        let page = Metrics::new(PAGE.to_owned());
        assert_eq!(page.decision_us(50), Some(500));
        assert_eq!(page.decision_us(500), Some(1_500));
        assert_eq!(page.decision_us(999), None);
        assert_eq!(Metrics::new(String::new()).decision_us(500), None);
    }
}
