//! `paywarden backup`: a copy of the database beside the server, and whether a copy can be read back.
//! A copy counts when it was read back; the system page and the metrics then say how old it is.

use super::{
    keys::put,
    verify::{self, words},
};
use crate::{
    config::{Config, ConfigFlags},
    failure::{Failure, Result},
    figures::{Figure, Report},
    key_desk::{Answer, Question},
    terminal,
};
use paywarden_domain::Timestamp;
use paywarden_server::backup::Backup;
use paywarden_store::{Clock, Database, Intact, Trust, Verdict, trail::Leaf};
use std::{
    path::{Path, PathBuf},
    time::Instant,
};

/// What can be done with backups.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Copy the embedded database into a new file, beside the server, and read the copy back
    Make(Make),
    /// Read back a copy: a file, or a database of PostgreSQL that was restored from a backup
    ReadBack(ReadBack),
}

/// Arguments of `backup make`.
#[derive(Debug, clap::Args)]
pub struct Make {
    /// The new file; it holds what the database holds, keep it like it
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigFlags,
}

/// Arguments of `backup read-back`.
#[derive(Debug, clap::Args)]
pub struct ReadBack {
    /// A file, or `postgres://user@host/name`
    #[arg(value_name = "COPY")]
    copy: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigFlags,
}

/// Runs the command.
pub async fn run(command: &Command) -> Result<()> {
    match command {
        Command::Make(arguments) => make(arguments).await,
        Command::ReadBack(arguments) => read_back(arguments).await,
    }
}

async fn make(arguments: &Make) -> Result<()> {
    let config = arguments.config.load()?.config;
    let address = config.database_address()?;
    if is_postgres(&address) {
        return Err(Failure::wrong_use(
            "a server of PostgreSQL makes its own backups",
            "restore one beside it, then `paywarden backup read-back postgres://user@host/name`",
        ));
    }
    if arguments.file.exists() {
        let what = format!("{} is there already", arguments.file.display());
        let next = "name a new file: a backup does not take the place of another";
        return Err(Failure::wrong_use(what, next));
    }
    let live = open("the database", &address).await?;
    let begun = Instant::now();
    let copied = live.copy_to(&arguments.file).await;
    copied.map_err(|error| {
        let what = format!("not copied: {error}");
        Failure::environment(what, "name a new file where there is room for the database")
    })?;
    let copy_s = begun.elapsed().as_secs_f64();
    let read = checked(&config, &live, &arguments.file.to_string_lossy()).await?;
    told(arguments.json, &read, Some(copy_s))
}

async fn read_back(arguments: &ReadBack) -> Result<()> {
    let config = arguments.config.load()?.config;
    let live = open("the database", &config.database_address()?).await?;
    let read = checked(&config, &live, &arguments.copy).await?;
    told(arguments.json, &read, None)
}

/// A copy that holds.
struct Read {
    backup: Backup,
    /// Leaves that are here and not in it.
    behind: u64,
    seen: Intact,
    took_s: f64,
}

/// Reads a copy back, whole, holds it against the trail here, and keeps that it was done.
async fn checked(config: &Config, live: &Database, copy: &str) -> Result<Read> {
    let begun = Instant::now();
    let database = open("the copy", &address(copy)?).await?;
    let faults = database.page_faults().await.map_err(unreadable)?;
    if let Some(fault) = faults.first() {
        return Err(broken(&format!("its pages are damaged: {fault}")));
    }
    let generations = database.trail_keys().await.map_err(unreadable)?.len();
    let trust = Trust {
        checkpoints: Vec::new(),
        keys: verify::keys(&[], config, generations as u64).await?,
    };
    let seen = match database.verify(Some(&trust)).await.map_err(unreadable)? {
        Verdict::Intact(seen) => seen,
        Verdict::Broken { place, fault } => {
            return Err(broken(&words::broken(place.as_ref(), &fault)));
        }
    };
    let as_of = held_against(live, &database, &seen).await?;
    let backup = Backup {
        as_of,
        read_back_at: Clock::System.now(),
        leaves: seen.leaves,
        bytes: std::fs::metadata(copy).map(|file| file.len()).ok(),
    };
    database.close().await;
    let all = live.trail_leaves_count().await.map_err(unreadable)?;
    match put(config, Question::ReadBack(backup.clone())).await? {
        Answer::Kept => Ok(Read {
            behind: all - backup.leaves,
            backup,
            seen,
            took_s: begun.elapsed().as_secs_f64(),
        }),
        other => Err(Failure::environment(
            format!("unexpected answer: {other:?}"),
            "report this as a bug",
        )),
    }
}

/// The time of the newest leaf of a copy, if each of its trees is what the one here begins with.
async fn held_against(live: &Database, copy: &Database, seen: &Intact) -> Result<Timestamp> {
    let mut newest = None;
    for head in seen.heads.iter().filter(|head| head.size > 0) {
        let tenant = paywarden_domain::TenantId::parse(&head.tenant).map_err(unreadable)?;
        let size = live.trail_size(&tenant).await.map_err(unreadable)?;
        if size < head.size {
            let (here, there) = (size, head.size);
            let why = format!("the trail of {tenant} has {here} leaves here, {there} in it");
            return Err(broken(&why));
        }
        let root = live.trail_root(&tenant, head.size).await;
        if root.map_err(unreadable)? != head.root {
            let why = format!("the trail of {tenant} began otherwise in it");
            return Err(broken(&why));
        }
        let last = copy.trail_leaves(&tenant, head.size - 1, 1).await;
        let last = last.map_err(unreadable)?;
        let at = last
            .first()
            .and_then(|bytes| Some(Leaf::decode(bytes)?.time));
        newest = newest.max(at);
    }
    newest.ok_or_else(|| broken("nothing is in it"))
}

fn is_postgres(address: &str) -> bool {
    ["postgres://", "postgresql://"]
        .iter()
        .any(|begin| address.starts_with(begin))
}

/// The address of a copy.
fn address(copy: &str) -> Result<String> {
    if is_postgres(copy) {
        return Ok(copy.to_owned());
    }
    let path = std::path::absolute(Path::new(copy));
    let path = path.map_err(|error| Failure::wrong_use(error, "name a file"))?;
    Ok(format!("sqlite://{}", path.display()))
}

async fn open(what: &str, address: &str) -> Result<Database> {
    let opened = Database::open_reader(address).await;
    opened.map_err(|error| not_read(&format!("{what} does not open: {error}")))
}

fn unreadable(error: impl std::fmt::Display) -> Failure {
    not_read(&format!("it is not read: {error}"))
}

fn not_read(why: &str) -> Failure {
    let next =
        "`paywarden check` looks at the database; a copy is read by the program that made it";
    Failure::environment(why, next)
}

fn broken(why: &str) -> Failure {
    let next = "keep the backup before this one, and find out what changed this one";
    Failure::not_held(
        format!("this is no backup of the database here: {why}"),
        next,
    )
}

fn told(json: bool, read: &Read, copy_s: Option<f64>) -> Result<()> {
    let Read {
        backup,
        behind,
        seen,
        took_s,
    } = read;
    if json {
        let figures = [
            Some(Figure::count("trail_leaves", backup.leaves)),
            Some(Figure::count("trail_leaves_behind", *behind)),
            Some(Figure::count("rows", seen.rows)),
            backup
                .bytes
                .map(|bytes| Figure::new("size_bytes", bytes as f64, "B")),
            copy_s.map(|seconds| Figure::new("copy_seconds", seconds, "s")),
            Some(Figure::new("read_back_seconds", *took_s, "s")),
        ];
        let figures = figures.into_iter().flatten().collect();
        terminal::result(&Report::new("backup", figures).to_json()?);
        return Ok(());
    }
    let size = backup
        .bytes
        .map(|bytes| format!("{} MB, ", bytes / 1_000_000));
    terminal::result(&format!(
        "read back: {}{} leaves, {} records, each as the trail says and as it stands here\n\
         \x20 as of {}, {behind} leaves behind\n\
         \x20 to restore: stop the server, put it in the place of the database, see docs/guide/backup.md\n",
        size.unwrap_or_default(),
        backup.leaves,
        seen.rows,
        backup.as_of,
    ));
    Ok(())
}
