//! What the server counts and times, and the page on which it says so (OpenMetrics).

use crate::{
    edge::Code,
    models::OfModels,
    node::Node,
    notify::OfNotify,
    progress::{OfProgress, Progress},
    reports::{OfReports, Reports},
    screening::OfScreening,
};
use paywarden_access::{Watch, approval::Approvals, watch::Severity};
use paywarden_domain::Outcome;
use paywarden_notify::Figures;
use paywarden_privacy::Vault;
use paywarden_risk::Engine;
use paywarden_store::{Clock, trail::Notary};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, text::encode},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Metric, Registry},
};
use std::{fmt, sync::Arc};

type Labels = [(&'static str, &'static str); 1];

/// The stations whose time is measured one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Station {
    /// Limits, route, signature.
    Signature,
    /// Reading the body and its digest.
    Body,
    /// Nonce and idempotency.
    Replay,
    /// JSON and vault.
    Schema,
    /// The engine, until durable.
    Decide,
    /// Writing and signing the reply.
    Reply,
}

impl Station {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Signature, "signature"),
        (Self::Body, "body"),
        (Self::Replay, "replay"),
        (Self::Schema, "schema"),
        (Self::Decide, "decide"),
        (Self::Reply, "reply"),
    ];
}

/// All counters and histograms.
pub(crate) struct Metrics {
    refusals: Vec<Counter>,
    outcomes: Vec<Counter>,
    statuses: Family<[(&'static str, u16); 1], Counter>,
    stations: Vec<Histogram>,
    request_seconds: Histogram,
    decision_seconds: Histogram,
    connections: Gauge,
    connections_refused: Counter,
    handshakes_failed: Counter,
    in_flight: Gauge,
    nonces: Gauge,
    registry: Registry,
}

impl Metrics {
    pub(crate) fn new(
        engine: Arc<Engine>,
        approvals: Approvals,
        watch: Arc<Watch>,
        (export, outbox, told): (Arc<Progress>, Arc<Progress>, Arc<Figures>),
        notary: Notary,
        (vault, reports, node): (Arc<Vault>, Arc<Reports>, Node),
    ) -> Self {
        let mut registry = Registry::with_prefix("paywarden");
        registry.register_collector(Box::new(node));
        registry.register_collector(Box::new(OfScreening(Arc::clone(&engine))));
        registry.register_collector(Box::new(OfModels(Arc::clone(&engine))));
        registry.register_collector(Box::new(OfEngine(engine)));
        registry.register_collector(Box::new(OfApprovals(approvals)));
        registry.register_collector(Box::new(OfWatch(watch)));
        registry.register_collector(Box::new(OfProgress::of_export(export)));
        registry.register_collector(Box::new(OfProgress::of_outbox(outbox)));
        registry.register_collector(Box::new(OfNotify(told)));
        registry.register_collector(Box::new(OfTrail(notary)));
        registry.register_collector(Box::new(OfVault(vault)));
        registry.register_collector(Box::new(OfReports(reports)));
        let all = &mut registry;
        let codes = Code::ALL.iter().map(|code| [("code", code.name())]);
        let outcomes = Outcome::ALL
            .iter()
            .map(|outcome| [("outcome", outcome.name())]);
        let stations = Family::<Labels, Histogram>::new_with_constructor(histogram);
        let stations = add(all, "station_seconds", "Time at each station", stations);
        let station = |(_, name)| stations.get_or_create_owned(&[("station", name)]);
        let whole = "From the headers of a request to its reply";
        let decision = "From the headers of a decision request to its reply";
        let refused = "Connections closed because of a cap";
        let failed = "TLS handshakes that failed or took too long";
        let in_flight = "Authenticated requests being worked on";
        Self {
            refusals: counters(all, "refusals", "Refused requests by code", codes),
            outcomes: counters(all, "decisions", "Decisions by outcome", outcomes),
            statuses: add(all, "replies", "Replies by status", Family::default()),
            stations: Station::ALL.into_iter().map(station).collect(),
            request_seconds: add(all, "request_seconds", whole, histogram()),
            decision_seconds: add(all, "decision_seconds", decision, histogram()),
            connections: add(all, "connections", "Open connections", Gauge::default()),
            connections_refused: add(all, "connections_refused", refused, Counter::default()),
            handshakes_failed: add(all, "handshakes_failed", failed, Counter::default()),
            in_flight: add(all, "requests_in_flight", in_flight, Gauge::default()),
            nonces: add(all, "nonces", "Nonces remembered", Gauge::default()),
            registry,
        }
    }

    pub(crate) fn refused(&self, code: Code) {
        if let Some(counter) = self.refusals.get(code as usize) {
            counter.inc();
        }
    }

    pub(crate) fn decided(&self, outcome: Outcome) {
        if let Some(counter) = self.outcomes.get(outcome as usize) {
            counter.inc();
        }
    }

    pub(crate) fn replied(&self, status: u16, is_decision: bool, micros: u64) {
        self.statuses.get_or_create(&[("status", status)]).inc();
        let histogram = if is_decision {
            &self.decision_seconds
        } else {
            &self.request_seconds
        };
        histogram.observe(seconds(micros));
    }

    pub(crate) fn connection_opened(&self) -> Open {
        Open::new(self.connections.clone())
    }

    pub(crate) fn connection_refused(&self) {
        self.connections_refused.inc();
    }

    pub(crate) fn handshake_failed(&self) {
        self.handshakes_failed.inc();
    }

    pub(crate) fn work_begun(&self) -> Open {
        Open::new(self.in_flight.clone())
    }

    /// The page.
    pub(crate) fn page(&self, nonces: usize) -> String {
        self.nonces.set(nonces as i64);
        let mut page = String::new();
        match encode(&mut page, &self.registry) {
            Ok(()) => page,
            Err(fmt::Error) => String::new(),
        }
    }
}

/// Something open that is counted while it lasts.
pub(crate) struct Open(Gauge);

impl Open {
    fn new(gauge: Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Times the stations of one request one after the other.
pub(crate) struct Laps<'a> {
    metrics: &'a Metrics,
    clock: &'a Clock,
    last_us: u64,
}

impl<'a> Laps<'a> {
    pub(crate) fn start(metrics: &'a Metrics, clock: &'a Clock) -> Self {
        Self {
            metrics,
            clock,
            last_us: clock.monotonic_us(),
        }
    }

    pub(crate) fn done(&mut self, station: Station) {
        let now_us = self.clock.monotonic_us();
        if let Some(histogram) = self.metrics.stations.get(station as usize) {
            histogram.observe(seconds(now_us - self.last_us));
        }
        self.last_us = now_us;
    }
}

fn add<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

fn counters(
    registry: &mut Registry,
    name: &str,
    help: &str,
    labels: impl Iterator<Item = Labels>,
) -> Vec<Counter> {
    let family = add(registry, name, help, Family::<Labels, Counter>::default());
    labels
        .map(|labels| family.get_or_create_owned(&labels))
        .collect()
}

/// 10 µs to 0.65 s in steps of 1.41, and 80 ms exactly: the promise can be read off.
fn histogram() -> Histogram {
    let steps = exponential_buckets(0.000_01, std::f64::consts::SQRT_2, 33);
    let mut bounds: Vec<f64> = steps.chain([0.08]).collect();
    bounds.sort_by(f64::total_cmp);
    Histogram::new(bounds)
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1_000_000.0
}

/// What the engine knows of itself, read when the page is asked for.
struct OfEngine(Arc<Engine>);

impl fmt::Debug for OfEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfEngine")
    }
}

impl Collector for OfEngine {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let figures = self.0.figures();
        let windows = &figures.windows;
        let truncated = u64::from(windows.truncated_since.is_some());
        for (name, help, value) in [
            (
                "journal_queued",
                "Entries that wait for the journal",
                figures.journal_queued as u64,
            ),
            ("window_events", "Events kept for windows", windows.events),
            (
                "window_events_pending",
                "Events whose decision is under way",
                windows.pending,
            ),
            ("window_entities", "Entities with events", windows.entities),
            (
                "rule_payments",
                "Payments evaluated since the rules were published",
                figures.payments,
            ),
            (
                "rule_candidates",
                "Rules that the index could not rule out for them",
                figures.candidates,
            ),
            (
                "windows_truncated",
                "1 if the longest windows are incomplete",
                truncated,
            ),
        ] {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let fired = figures
            .rules
            .iter()
            .map(|rule| (rule.rule.as_str(), rule.fired));
        by_rule(&mut encoder, "rule_fired", "Times each rule fired", fired)?;
        let faults = figures
            .rules
            .iter()
            .map(|rule| (rule.rule.as_str(), rule.faults));
        by_rule(
            &mut encoder,
            "rule_faults",
            "Times each rule could not be evaluated",
            faults,
        )?;
        let steps = figures
            .rules
            .iter()
            .map(|rule| (rule.rule.as_str(), rule.steps));
        let help = "Steps that each rule took, of one payment in 64";
        by_rule(&mut encoder, "rule_steps", help, steps)
    }
}

/// What approvals know of themselves.
#[derive(Debug)]
struct OfApprovals(Approvals);

impl Collector for OfApprovals {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Commands allowed in an emergency, without votes";
        let count = ConstCounter::new(self.0.glass_broken());
        let kind = count.metric_type();
        count.encode(encoder.encode_descriptor("glass_broken", help, None, kind)?)?;
        let help = "Emergencies that nobody has reviewed in time";
        let gauge = ConstGauge::new(self.0.reviews_overdue() as u64);
        let kind = gauge.metric_type();
        gauge.encode(encoder.encode_descriptor("reviews_overdue", help, None, kind)?)
    }
}

/// What patrols of the trail have found.
struct OfTrail(Notary);

impl fmt::Debug for OfTrail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfTrail")
    }
}

impl Collector for OfTrail {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (leaves, faults) = self.0.patrolled();
        let help = "Leaves of the trail that the patrol has looked at";
        let count = ConstCounter::new(leaves);
        let kind = count.metric_type();
        count.encode(encoder.encode_descriptor("trail_patrolled_leaves", help, None, kind)?)?;
        let help = "Places of the trail that did not hold since the start";
        let gauge = ConstGauge::new(faults as u64);
        let kind = gauge.metric_type();
        gauge.encode(encoder.encode_descriptor("trail_faults", help, None, kind)?)
    }
}

/// What the vault knows of persons who ask, and of its keys.
struct OfVault(Arc<Vault>);

impl fmt::Debug for OfVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfVault")
    }
}

impl Collector for OfVault {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (name, help, value) in [
            (
                "subject_requests_open",
                "Requests of persons that have no answer",
                self.0.requests_open(),
            ),
            (
                "subject_requests_overdue",
                "Those that should have one by the law of the person",
                self.0.requests_overdue(),
            ),
            (
                "vault_cryptoperiods_passed",
                "Keys of the vault that are used longer than they may be",
                self.0.periods_passed(),
            ),
        ] {
            let gauge = ConstGauge::new(value as u64);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let Some(left_us) = self.0.root_lease_left_us() else {
            return Ok(());
        };
        let help = "How long the vault stays open if the root outside does not answer";
        let gauge = ConstGauge::new(left_us / 1_000_000);
        let name = "vault_root_lease_seconds";
        gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
    }
}

/// What the watch has seen.
struct OfWatch(Arc<Watch>);

impl fmt::Debug for OfWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfWatch")
    }
}

impl Collector for OfWatch {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let figures = self.0.figures();
        let behind_s = figures.behind_us / 1_000_000;
        for (name, help, value) in [
            ("watch_acts", "Acts that were looked at", figures.acts),
            (
                "watch_unreadable",
                "Leaves that could not be looked at",
                figures.unreadable,
            ),
            (
                "watch_behind_seconds",
                "How old the last act is that was looked at while others wait",
                behind_s,
            ),
            (
                "security_alerts_open",
                "Alerts that are not closed",
                figures.open,
            ),
        ] {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let help = "Security alerts raised since the start";
        let kind = ConstCounter::new(0u64).metric_type();
        let mut family = encoder.encode_descriptor("security_alerts", help, None, kind)?;
        for (severity, count) in Severity::ALL.iter().zip(figures.raised) {
            let label = [("severity", severity.name())];
            ConstCounter::new(count).encode(family.encode_family(&label)?)?;
        }
        Ok(())
    }
}

fn by_rule<'r>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: impl Iterator<Item = (&'r str, u64)>,
) -> fmt::Result {
    let kind = ConstCounter::new(0u64).metric_type();
    let mut family = encoder.encode_descriptor(name, help, None, kind)?;
    for (rule, value) in values {
        ConstCounter::new(value).encode(family.encode_family(&[("rule", rule)])?)?;
    }
    Ok(())
}
