//! The part of the desk for accounts of staff.

use super::{Clerk, Private};
use paywarden_access::{
    Author,
    staff::{Error, Granter, Invited, NewAccount},
};
use paywarden_domain::TenantId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What can be asked about staff.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Question {
    /// A new account.
    Invite {
        /// Whose.
        tenant: TenantId,
        /// What they will sign in with.
        login: Option<String>,
        /// For people.
        name: String,
        /// Roles given at once.
        roles: Vec<String>,
    },
    /// Something about one account.
    Account {
        /// Whose.
        tenant: TenantId,
        /// Which.
        id: String,
        /// What.
        act: Act,
    },
    /// The access review.
    Review {
        /// Whose.
        tenant: TenantId,
    },
}

/// What can be done with one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// A new link; factors and sessions end.
    InviteAgain,
    /// Nobody signs in.
    Disable,
    /// Its owner signs in again.
    Enable,
    /// Its password is looked at again.
    Unlock,
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// An invitation.
    Link {
        /// The account.
        account: String,
        /// The link, good once.
        link: Private,
        /// Until when, RFC 3339.
        until: String,
    },
    /// It was done.
    Done,
    /// The access review, both ways.
    Review {
        /// As JSON.
        json: Value,
        /// As CSV.
        csv: String,
    },
}

/// Answers a question about staff.
pub async fn answer(clerk: &Clerk, question: Question, author: Author) -> Result<Answer, Error> {
    let staff = &clerk.staff;
    match question {
        Question::Invite {
            tenant,
            login,
            name,
            roles,
        } => {
            let new = NewAccount { login, name, roles };
            // Whoever may write to the data folder is the root of every right.
            let invited = staff.invite(author, &tenant, new, Granter::Anybody).await?;
            Ok(link(clerk, &invited))
        }
        Question::Account { tenant, id, act } => {
            match act {
                Act::InviteAgain => {
                    let invited = staff.invite_again(author, &tenant, &id).await?;
                    return Ok(link(clerk, &invited));
                }
                Act::Disable => staff.disable(author, &tenant, &id).await?,
                Act::Enable => staff.enable(author, &tenant, &id).await?,
                Act::Unlock => staff.unlock(author, &tenant, &id).await?,
            }
            Ok(Answer::Done)
        }
        Question::Review { tenant } => {
            let review = staff.review(author, &tenant).await?;
            let json = serde_json::to_value(&review).unwrap_or_default();
            Ok(Answer::Review {
                json,
                csv: review.to_csv(),
            })
        }
    }
}

fn link(clerk: &Clerk, invited: &Invited) -> Answer {
    Answer::Link {
        account: invited.account.id.clone(),
        link: Private(invited.link(&clerk.origin).to_string()),
        until: invited.until.to_string(),
    }
}
