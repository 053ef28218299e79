//! `paywarden trail`: the trail for other programs.

use crate::{
    config::ConfigFlags,
    failure::{Failure, Result},
    terminal,
};
use paywarden_access::approval::{Collection, OpenExport};
use paywarden_domain::TenantId;
use paywarden_server::api::LeafView;
use paywarden_store::{Clock, Database, trail::LEAVES_MAX};

/// What can be done with it.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Print the leaves of a tenant as JSON lines, oldest first, by an approved export; beside the
    /// server, if it runs
    Export(Export),
}

/// Arguments of `trail export`.
#[derive(Debug, clap::Args)]
pub struct Export {
    /// Whose leaves
    #[arg(long, value_parser = tenant)]
    tenant: TenantId,
    /// The first leaf: what the export before named as the next one
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// The approval of the export, carried out within the last day
    #[arg(long)]
    approval: String,
    #[command(flatten)]
    config: ConfigFlags,
}

/// Runs the command.
pub async fn run(command: Command) -> Result<()> {
    match command {
        Command::Export(arguments) => export(arguments).await,
    }
}

async fn export(arguments: Export) -> Result<()> {
    let config = arguments.config.load()?.config;
    let unreadable = |error: paywarden_store::Error| {
        let next = "`paywarden check` looks at the database; an empty folder has no trail yet";
        Failure::environment(format!("the trail does not read: {error}"), next)
    };
    let database = Database::open_reader(&config.database_address()?)
        .await
        .map_err(unreadable)?;
    let open = opened(&database, &arguments.tenant, &arguments.approval).await?;
    let mut next = arguments.from;
    let end = next.saturating_add(open.export.rows);
    while next < end {
        let wanted = u32::try_from(end - next).map_or(LEAVES_MAX, |left| left.min(LEAVES_MAX));
        let leaves = database.trail_leaves(&arguments.tenant, next, wanted);
        let leaves = leaves.await.map_err(unreadable)?;
        if leaves.is_empty() {
            break;
        }
        next += leaves.len() as u64;
        terminal::result(&lines(&leaves)?);
    }
    database.close().await;
    terminal::note(&format!("the next export begins with --from {next}\n"));
    Ok(())
}

/// The export of the trail that an approval has opened.
async fn opened(database: &Database, tenant: &TenantId, approval: &str) -> Result<OpenExport> {
    let refused = |why: String| {
        let next = "ask for an export of the trail with `POST /v1/approvals`, have it approved \
            and carry it out; it is open for a day";
        Failure::not_held(format!("the trail is not exported: {why}"), next)
    };
    let open = OpenExport::read(database, tenant, approval, Clock::System.now()).await;
    let (open, _) = open.map_err(|error| refused(error.to_string()))?;
    match open.export.collection {
        Collection::Trail => Ok(open),
        other => Err(refused(format!("the export is of {}", other.name()))),
    }
}

/// One line of JSON per leaf, with the bytes that its hash is made of.
fn lines(leaves: &[Vec<u8>]) -> Result<String> {
    let mut text = String::new();
    for bytes in leaves {
        let line = LeafView::decode(bytes).and_then(|leaf| serde_json::to_string(&leaf).ok());
        let line = line.ok_or_else(|| {
            let next = "`paywarden verify` says where the trail was changed";
            Failure::not_held("a leaf does not read", next)
        })?;
        text += &line;
        text.push('\n');
    }
    Ok(text)
}

fn tenant(text: &str) -> std::result::Result<TenantId, String> {
    TenantId::parse(text).map_err(|invalid| invalid.detail.to_string())
}
