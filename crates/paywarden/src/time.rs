//! Times as people write them on the command line.

use paywarden_domain::Timestamp;

/// A date, meaning its first moment in UTC, or a time as RFC 3339.
pub fn parse(text: &str) -> Result<Timestamp, String> {
    let midnight = format!("{text}T00:00:00Z");
    let time = Timestamp::parse(text).or_else(|_| Timestamp::parse(&midnight));
    time.map_err(|_| "write 2018-05-01 or 2018-05-01T00:00:00Z".to_owned())
}
