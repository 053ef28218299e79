//! What the leaf of a request says beyond who asked for what: how it ended and where it came from.
//! PCI DSS 4.0.1, 10.2.2, asks each record of an access for exactly these.
//!
//! It stands in the leaf as its purpose, one line that people read in the trail and that the
//! watch reads back:
//!
//! ```text
//! GET /v1/decisions/{id} done count=1 network=6f1d0c… inside session=ses_… roles=analyst subject=9ab4…
//! GET /v1/staff refused:scope_insufficient count=12 network=6f1d0c… session=ses_… roles=analyst
//! ```

use std::{fmt, str::FromStr};

/// The longest list of roles that is written, in bytes; the rest is left out.
const ROLES_BYTES_MAX: usize = 64;

/// What kind of request it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Something was shown.
    Read,
    /// Something was given out to be kept elsewhere.
    Export,
    /// Something was to be changed.
    Command,
    /// A value was put on a list.
    Add,
    /// A value was taken off a list.
    Remove,
    /// A vote on what another asks for.
    Vote,
    /// Somebody came in.
    SignIn,
    /// A factor was proved once more.
    Proof,
    /// Somebody signed, or did not.
    Signature,
}

impl Kind {
    const ALL: [(Self, &'static str, &'static str); 9] = [
        (Self::Read, "access.read", "read"),
        (Self::Export, "access.export", "export"),
        (Self::Command, "access.command", "command"),
        (Self::Add, "access.add", "add"),
        (Self::Remove, "access.remove", "remove"),
        (Self::Vote, "access.vote", "vote"),
        (Self::SignIn, "access.sign_in", "sign_in"),
        (Self::Proof, "access.proof", "proof"),
        (Self::Signature, "access.signature", "signature"),
    ];

    /// The action of its leaf.
    pub fn action(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// The word that rules know it by.
    pub(super) fn word(action: &str) -> Option<&'static str> {
        let found = Self::ALL.iter().find(|(_, known, _)| *known == action);
        found.map(|(_, _, word)| *word)
    }
}

/// One request, as its leaf has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Method and path, without what stood for its parameters.
    pub route: String,
    /// The code of the refusal.
    pub refusal: Option<String>,
    /// How many records it showed or changed; how many like refusals there were.
    pub count: u32,
    /// Pseudonym of the network that it came from.
    pub network: Option<String>,
    /// Whether that is a network of the company.
    pub is_inside: bool,
    /// The session.
    pub session: Option<String>,
    /// The roles of the person, with commas between them.
    pub roles: String,
    /// Pseudonym of whom the object is about; other people by what the trail calls them.
    pub subject: Option<String>,
    /// Whether people need a fresh factor for it.
    pub is_sensitive: bool,
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.route)?;
        match &self.refusal {
            None => f.write_str("done")?,
            Some(code) => write!(f, "refused:{code}")?,
        }
        write!(f, " count={}", self.count)?;
        if let Some(network) = &self.network {
            write!(f, " network={network}")?;
        }
        if self.is_inside {
            f.write_str(" inside")?;
        }
        if let Some(session) = &self.session {
            write!(f, " session={session}")?;
        }
        if !self.roles.is_empty() {
            write!(f, " roles={}", shortened(&self.roles))?;
        }
        if let Some(subject) = &self.subject {
            write!(f, " subject={subject}")?;
        }
        if self.is_sensitive {
            f.write_str(" sensitive")?;
        }
        Ok(())
    }
}

/// As many whole roles as fit.
fn shortened(roles: &str) -> &str {
    let fits = |end: &usize| *end <= ROLES_BYTES_MAX;
    let ends = roles.match_indices(',').map(|(place, _)| place);
    let end = ends.chain([roles.len()]).rfind(fits);
    &roles[..end.unwrap_or(0)]
}

impl FromStr for Access {
    type Err = ();

    /// Reads what was written, and nothing else.
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut words = text.split(' ');
        let mut next = || words.next().filter(|word| !word.is_empty()).ok_or(());
        let mut access = Self {
            route: format!("{} {}", next()?, next()?),
            ..Self::default()
        };
        access.refusal = match next()? {
            "done" => None,
            other => Some(other.strip_prefix("refused:").ok_or(())?.to_owned()),
        };
        for word in words {
            let owned = |value: &str| Some(value.to_owned());
            match word.split_once('=').unwrap_or((word, "")) {
                ("count", value) => access.count = value.parse().map_err(drop)?,
                ("network", value) => access.network = owned(value),
                ("inside", "") => access.is_inside = true,
                ("session", value) => access.session = owned(value),
                ("roles", value) => access.roles = value.to_owned(),
                ("subject", value) => access.subject = owned(value),
                ("sensitive", "") => access.is_sensitive = true,
                _ => return Err(()),
            }
        }
        Ok(access)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn accesses()(
            route in "(GET|POST) /v1/[a-z{}/]{1,40}",
            refusal in prop::option::of("[a-z_]{1,20}"),
            count: u32,
            network in prop::option::of("[0-9a-f]{16}"),
            is_inside: bool,
            session in prop::option::of("ses_[A-Za-z0-9_-]{16}"),
            roles in "([a-z_]{3,9}(,[a-z_]{3,9}){0,4})?",
            subject in prop::option::of("[0-9a-f]{16}"),
            is_sensitive: bool,
        ) -> Access {
            Access {
                route, refusal, count, network, is_inside, session, roles, subject, is_sensitive,
            }
        }
    }

    proptest! {
        #[test]
        fn a_line_reads_back_and_fits_into_a_purpose(access in accesses()) {
            let line = access.to_string();
            prop_assert!(line.len() <= 256, "{}", line.len());
            prop_assert_eq!(line.parse(), Ok(access));
        }

        #[test]
        fn other_purposes_are_no_accesses(text in "[a-z ]{0,40}") {
            let read: Result<Access, ()> = text.parse();
            prop_assert!(read.is_err() || text.contains(" done"));
        }
    }

    #[test]
    fn long_lists_of_roles_end_with_a_whole_one() {
        let roles = ["privacy_officer"; 6].join(",");
        assert_eq!(shortened(&roles), ["privacy_officer"; 4].join(","));
        assert_eq!(shortened("analyst"), "analyst");
    }

    #[test]
    fn kinds_stand_at_their_place() {
        for (kind, action, word) in Kind::ALL {
            assert_eq!((kind.action(), Kind::word(action)), (action, Some(word)));
        }
    }
}
