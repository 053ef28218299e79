//! The access review: who may do what, by whom it was given, and whether it is used (PCI DSS 7.2.4,
//! 8.2.6; ISO/IEC 27001:2022 A.5.18).

use super::{Account, Conflict, Grant, Staff, Status, account::UNUSED_MAX};
use crate::Author;
use crate::factor::FactorSummary;
use paywarden_domain::{TenantId, Timestamp, time::DAY};
use serde::Serialize;
use std::fmt::Write;
use utoipa::ToSchema;

/// What a review says of one company.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AccessReview)]
pub struct Review {
    /// When it was made.
    pub made_at: Timestamp,
    /// One line for each account, by identifier.
    pub lines: Vec<ReviewLine>,
}

/// What it says of one account.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AccessReviewLine)]
pub struct ReviewLine {
    /// `stf_…`.
    pub account: String,
    /// For people.
    pub name: String,
    /// What they sign in with.
    pub login: Option<String>,
    /// What the account is.
    pub status: Status,
    /// Its roles, by whom and when they were given.
    pub grants: Vec<Grant>,
    /// What they allow.
    pub scopes: Vec<&'static str>,
    /// How its owner signs in.
    pub factors: FactorSummary,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its owner last signed in.
    pub last_used_at: Option<Timestamp>,
    /// Whole days since then, or since it was made.
    pub unused_days: i64,
    /// Whether that is longer than accounts may be unused.
    pub is_unused: bool,
    /// Roles that one person may not hold together.
    pub conflicts: Vec<Conflict>,
    /// Roles that the configuration no longer has; they allow nothing.
    pub roles_gone: Vec<String>,
}

impl Staff {
    /// The review of a company's staff. That it was made stands in the trail.
    pub async fn review(&self, author: Author, tenant: &TenantId) -> Result<Review, super::Error> {
        let made_at = self.clock.now();
        let all = self.all(tenant);
        let lines = all.iter().map(|account| self.line(account, made_at));
        let lines = lines.collect();
        let object = "access_review".to_owned();
        self.note(tenant, author, "staff.review", object).await?;
        Ok(Review { made_at, lines })
    }

    fn line(&self, account: &Account, now: Timestamp) -> ReviewLine {
        let since = account.last_used_at().unwrap_or(account.created_at());
        let unused = now.micros() - since.micros();
        let scopes = account.scopes(&self.roles);
        let gone = account
            .roles()
            .filter(|name| self.roles.find(name).is_none());
        ReviewLine {
            account: account.id.clone(),
            name: account.name().to_owned(),
            login: account.login().map(str::to_owned),
            status: account.status(now),
            grants: account.grants().to_vec(),
            scopes: scopes.iter().map(crate::Scope::name).collect(),
            factors: account.factors().summary(),
            created_at: account.created_at(),
            last_used_at: account.last_used_at(),
            unused_days: unused.div_euclid(DAY),
            is_unused: unused > UNUSED_MAX,
            conflicts: self.roles.conflicts(account.roles()),
            roles_gone: gone.map(str::to_owned).collect(),
        }
    }
}

impl Review {
    /// The same as CSV (RFC 4180), one line for each role of each account. A cell that a
    /// spreadsheet would compute is shown as text.
    pub fn to_csv(&self) -> String {
        let mut text = String::from(
            "account,name,login,status,role,granted_by,granted_at,approval,last_used_at,\
             unused_days,is_unused,conflicts\r\n",
        );
        for line in &self.lines {
            let none = [None];
            let grants: Vec<Option<&Grant>> = line.grants.iter().map(Some).collect();
            let rows = if grants.is_empty() {
                &none[..]
            } else {
                &grants
            };
            for grant in rows {
                text += &line.csv(*grant);
            }
        }
        text
    }
}

impl ReviewLine {
    fn csv(&self, grant: Option<&Grant>) -> String {
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let conflicts: Vec<&str> = self.conflicts.iter().map(|one| one.what).collect();
        let cells = [
            self.account.clone(),
            self.name.clone(),
            self.login.clone().unwrap_or_default(),
            self.status.name().to_owned(),
            grant.map(|grant| grant.role.clone()).unwrap_or_default(),
            grant.map(|grant| grant.by.clone()).unwrap_or_default(),
            time(grant.map(|grant| grant.at)).unwrap_or_default(),
            grant
                .and_then(|grant| grant.approval.clone())
                .unwrap_or_default(),
            time(self.last_used_at).unwrap_or_default(),
            self.unused_days.to_string(),
            self.is_unused.to_string(),
            conflicts.join("; "),
        ];
        let mut row = String::new();
        for (place, cell) in cells.iter().enumerate() {
            let comma = if place > 0 { "," } else { "" };
            // Writing to a string cannot fail.
            let _ = write!(row, "{comma}{}", quoted(cell));
        }
        row + "\r\n"
    }
}

/// A cell, quoted where it must be; one that begins like a formula gets an apostrophe in front.
fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = match formula {
        true => format!("'{cell}"),
        false => cell.to_owned(),
    };
    match cell.contains(['"', ',', '\r', '\n']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        assert_eq!(quoted("Liu Wei"), "Liu Wei");
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("say \"x\""), "\"say \"\"x\"\"\"");
        assert_eq!(quoted("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(quoted("+1,2"), "\"'+1,2\"");
    }
}
