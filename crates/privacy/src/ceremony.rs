//! The record of a key ceremony: what was done with which key, who holds which share, and hashes by
//! which a share is recognised; no secret (PCI DSS 4.0.1, 3.7.6 to 3.7.8).

use crate::{By, Error, Vault, notice::hexadecimal, vault::check_purpose};
use paywarden_crypto::digest::sha256;
use paywarden_domain::{TenantId, Timestamp};
use paywarden_store::{RecordRow, Row};
use std::fmt::Write as _;

/// What kind of record it is.
const CEREMONY: &str = "key_ceremony";
/// The longest name of somebody who was there, in characters.
const NAME_MAX: usize = 64;
/// The most people beside the custodians.
const WITNESSES_MAX: usize = 16;

/// The master key was split among custodians.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceremony {
    /// What tells the key from others without telling the key.
    pub key_id: String,
    /// How many shares make it again.
    pub needed: u8,
    /// Who holds which share, 2 to 16.
    pub shares: Vec<ShareHeld>,
    /// Who else was there, at most 16.
    pub witnesses: Vec<String>,
}

/// A share, without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareHeld {
    /// Its number.
    pub number: u8,
    /// Who holds it.
    pub custodian: String,
    /// SHA-256 of its line.
    pub sha256: String,
}

/// A record as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CeremonyRecord {
    /// Its identifier, `cer_…`.
    pub id: String,
    /// When it was written.
    pub held_at: Timestamp,
    /// The text to print and to sign. Its SHA-256 is in the leaf.
    pub text: String,
}

impl Vault {
    /// Keeps the record of a ceremony, with a leaf that names it and its hash.
    pub async fn record_ceremony(
        &self,
        by: &By,
        ceremony: &Ceremony,
    ) -> Result<CeremonyRecord, Error> {
        check_purpose(by)?;
        check(ceremony)?;
        let (id, held_at) = (self.fresh_in_time("cer"), self.clock.now());
        let text = text(ceremony, (&id, &by.tenant, held_at));
        let row = RecordRow {
            tenant: by.tenant.clone(),
            kind: CEREMONY.to_owned(),
            id: id.clone(),
            version: 1,
            written_at: held_at,
            body: text.clone().into_bytes(),
        };
        let object = format!("{id} sha256:{}", hexadecimal(&sha256(text.as_bytes())));
        let entry = Self::entry(by, "vault.ceremony", object, vec![Row::Record(row)]);
        self.journal.append(entry).await?;
        Ok(CeremonyRecord { id, held_at, text })
    }

    /// Records of ceremonies, newest first, at most 100.
    pub async fn ceremonies(&self, tenant: &TenantId) -> Result<Vec<CeremonyRecord>, Error> {
        let database = self.reader.database();
        // Behind every identifier.
        let rows = database.records_of(tenant, CEREMONY, "d", 100).await?;
        let record = |row: RecordRow| CeremonyRecord {
            id: row.id,
            held_at: row.written_at,
            text: String::from_utf8_lossy(&row.body).into_owned(),
        };
        Ok(rows.into_iter().map(record).collect())
    }
}

fn check(ceremony: &Ceremony) -> Result<(), Error> {
    let is_name = |name: &String| {
        let is_short = (1..=NAME_MAX).contains(&name.chars().count());
        is_short && !name.trim().is_empty() && !name.chars().any(char::is_control)
    };
    let mut names = ceremony.shares.iter().map(|share| &share.custodian);
    let rules = [
        (
            names.all(is_name) && ceremony.witnesses.iter().all(is_name),
            "a name has 1 to 64 characters on one line",
        ),
        (
            ceremony.witnesses.len() <= WITNESSES_MAX,
            "a ceremony has at most 16 witnesses",
        ),
    ];
    let broken = crate::words::first_broken(&rules);
    broken.map_or(Ok(()), |why| Err(Error::Request(why)))
}

/// The record to print: one line for each share, and places to sign.
fn text(ceremony: &Ceremony, (id, tenant, at): (&str, &TenantId, Timestamp)) -> String {
    let Ceremony {
        key_id,
        needed,
        shares,
        witnesses,
    } = ceremony;
    let count = shares.len();
    let mut text = format!(
        "KEY CEREMONY\n\nRecord    {id}\nHeld at   {at}\nCompany   {tenant}\n\
         Done      the master key was split among custodians (Shamir, 1979, over GF(256))\n\
         Key       {key_id}\nShares    {count}, any {needed} of which make the key\n\n"
    );
    for share in shares {
        let _ = writeln!(text, "Share {:<3} {}", share.number, share.custodian);
        let _ = writeln!(text, "          sha256 {}", share.sha256);
    }
    for witness in witnesses {
        let _ = writeln!(text, "Witness   {witness}");
    }
    text += "\nEach custodian has received one share, keeps it where nobody else gets at it, shows it to\n\
             nobody and knows what to do when it is lost (PCI DSS 4.0.1, 3.7.8). The hash is that of the\n\
             line of the share without its line feed.\n";
    let custodians = shares.iter().map(|share| &share.custodian);
    for name in custodians.chain(witnesses) {
        let _ = write!(
            text,
            "\n{name}\n  date ______________  signature ______________________\n"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ceremony(custodian: &str) -> Ceremony {
        let share = |number, name: &str| ShareHeld {
            number,
            custodian: name.to_owned(),
            sha256: format!("{number:064x}"),
        };
        Ceremony {
            key_id: "0011223344556677".to_owned(),
            needed: 2,
            shares: vec![share(1, custodian), share(2, "Ben")],
            witnesses: vec!["Chen".to_owned()],
        }
    }

    #[test]
    fn a_record_names_key_shares_and_people() {
        let tenant = TenantId::parse("acme").unwrap();
        let at = Timestamp::from_micros(1_790_000_000_000_000);
        let text = text(&ceremony("Anna"), ("cer_1", &tenant, at));
        for part in [
            "Record    cer_1\n",
            "Key       0011223344556677\n",
            "Shares    2, any 2 of which make the key\n",
            "Share 1   Anna\n          sha256 0000",
            "Witness   Chen\n",
            "\nBen\n  date ____",
        ] {
            assert!(text.contains(part), "{part} {text}");
        }
    }

    #[test]
    fn names_that_would_forge_a_line_are_refused() {
        assert_eq!(check(&ceremony("Anna")), Ok(()));
        for name in ["", " ", "Anna\nShare 3   Eve", "\u{1b}[2J", &"x".repeat(65)] {
            assert!(check(&ceremony(name)).is_err(), "{name:?}");
        }
    }
}
