//! `paywarden staff`: who works here. Works beside a running server and without one.

use super::keys::{put, tenant, unexpected};
use crate::{
    config::ConfigFlags,
    failure::Result,
    key_desk::{
        self,
        staff::{Act, Answer, Question},
    },
    terminal,
};
use paywarden_domain::TenantId;

/// What can be done with accounts of staff.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make an account and print the link with which its owner sets up factors
    Invite(Invite),
    /// Print a new link: factors and sessions of the account end
    InviteAgain(One),
    /// Let nobody sign in to an account, and end its sessions
    Disable(One),
    /// Take a disabling back
    Enable(One),
    /// End the lock that failed sign-ins have set
    Unlock(One),
    /// Say who may do what, by whom it was given, and whether it is used
    Review(Review),
}

/// Arguments of `staff invite`.
#[derive(Debug, clap::Args)]
pub struct Invite {
    /// The company that they work for
    #[arg(long, value_parser = tenant)]
    tenant: TenantId,
    /// Their name
    #[arg(long)]
    name: String,
    /// What they will sign in with [default: they choose it]
    #[arg(long)]
    login: Option<String>,
    /// A role; may be repeated
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    #[command(flatten)]
    config: ConfigFlags,
}

/// Arguments of commands on one account.
#[derive(Debug, clap::Args)]
pub struct One {
    /// The account's id
    #[arg(value_name = "ACCOUNT")]
    id: String,
    /// The company that they work for
    #[arg(long, value_parser = tenant)]
    tenant: TenantId,
    #[command(flatten)]
    config: ConfigFlags,
}

/// Arguments of `staff review`.
#[derive(Debug, clap::Args)]
pub struct Review {
    /// The company
    #[arg(long, value_parser = tenant)]
    tenant: TenantId,
    /// Print CSV instead of JSON
    #[arg(long)]
    csv: bool,
    #[command(flatten)]
    config: ConfigFlags,
}

/// Runs the command.
pub async fn run(command: Command) -> Result<()> {
    match command {
        Command::Invite(invite) => {
            let question = Question::Invite {
                tenant: invite.tenant,
                login: invite.login,
                name: invite.name,
                roles: invite.roles,
            };
            show(ask(&invite.config, question).await?, false)
        }
        Command::InviteAgain(one) => on_one(one, Act::InviteAgain).await,
        Command::Disable(one) => on_one(one, Act::Disable).await,
        Command::Enable(one) => on_one(one, Act::Enable).await,
        Command::Unlock(one) => on_one(one, Act::Unlock).await,
        Command::Review(review) => {
            let tenant = review.tenant;
            let answer = ask(&review.config, Question::Review { tenant }).await?;
            show(answer, review.csv)
        }
    }
}

async fn on_one(one: One, act: Act) -> Result<()> {
    let question = Question::Account {
        tenant: one.tenant,
        id: one.id,
        act,
    };
    show(ask(&one.config, question).await?, false)
}

async fn ask(config: &ConfigFlags, question: Question) -> Result<Answer> {
    let config = config.load()?.config;
    match put(&config, key_desk::Question::Staff(question)).await? {
        key_desk::Answer::Staff(answer) => Ok(answer),
        other => Err(unexpected(&other)),
    }
}

fn show(answer: Answer, as_csv: bool) -> Result<()> {
    let text = match answer {
        Answer::Link {
            account,
            link,
            until,
        } => format!(
            "{account} invited\n  link  {}\n        good once, until {until}\n",
            link.expose()
        ),
        Answer::Done => "done\n".to_owned(),
        Answer::Review { csv, .. } if as_csv => csv,
        Answer::Review { json, .. } => format!("{json:#}\n"),
    };
    terminal::result(&text);
    Ok(())
}
