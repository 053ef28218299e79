//! Names of the resources of C2SP tlog-tiles: `0/x001/x234/067`, `entries/000.p/12`.

use std::fmt;

/// What a resource holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Hashes of one level: 0 are the leaves', each level above stands for 256 of the one below.
    Hashes(u8),
    /// Leaves.
    Entries,
}

/// One resource: what stands after `tile/` in its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TilePath {
    /// What it holds.
    pub resource: Resource,
    /// Its number within its level.
    pub n: u64,
    /// How many hashes or leaves: 256, or fewer at the right edge.
    pub width: u16,
}

/// Levels that a tree can have.
const LEVEL_MAX: u8 = 63;
const WIDTH_FULL: u16 = 256;

impl TilePath {
    /// Reads the one way of writing it; none for any other.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 64 {
            return None;
        }
        let (kind, rest) = text.split_once('/')?;
        let resource = match kind {
            "entries" => Resource::Entries,
            level => Resource::Hashes(level.parse().ok().filter(|level| *level <= LEVEL_MAX)?),
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok()?),
            None => (rest, WIDTH_FULL),
        };
        let mut n = 0_u64;
        for part in number.split('/') {
            let digits: u64 = part.strip_prefix('x').unwrap_or(part).parse().ok()?;
            n = n.checked_mul(1_000)?.checked_add(digits)?;
        }
        let path = Self { resource, n, width };
        // Numbers are signed in the database, and a tile must not run over the end of them.
        let is_fit = (1..=WIDTH_FULL).contains(&width) && n < u64::MAX >> 10;
        (is_fit && path.to_string() == text).then_some(path)
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.resource {
            Resource::Hashes(level) => write!(f, "{level}/")?,
            Resource::Entries => f.write_str("entries/")?,
        }
        let mut parts = vec![self.n % 1_000];
        let mut rest = self.n / 1_000;
        while rest > 0 {
            parts.push(rest % 1_000);
            rest /= 1_000;
        }
        for part in parts.iter().skip(1).rev() {
            write!(f, "x{part:03}/")?;
        }
        write!(f, "{:03}", self.n % 1_000)?;
        match self.width {
            WIDTH_FULL => Ok(()),
            width => write!(f, ".p/{width}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_the_specification() {
        let path = TilePath {
            resource: Resource::Hashes(4),
            n: 1_234_067,
            width: 256,
        };
        assert_eq!(path.to_string(), "4/x001/x234/067");
        let partial = TilePath { width: 8, ..path };
        assert_eq!(partial.to_string(), "4/x001/x234/067.p/8");
    }

    #[test]
    fn any_other_way_of_writing_is_refused() {
        for text in [
            "",
            "0",
            "0/0",
            "00/000",
            "64/000",
            "0/x000/001",
            "0/001/x002",
            "0/1234",
            "0/000.p/0",
            "0/000.p/256",
            "0/000.p/08",
            "0/000.p",
            "data/000",
            "entries/+01",
            "0/000/",
            "0/x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(TilePath::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn names_round_trip(level in 0..64_u8, n in 0..1_u64 << 50, width in 1..=256_u16, entries: bool) {
            let resource = if entries { Resource::Entries } else { Resource::Hashes(level) };
            let path = TilePath { resource, n, width };
            prop_assert_eq!(TilePath::parse(&path.to_string()), Some(path));
        }
    }
}
