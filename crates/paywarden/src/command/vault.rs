//! `paywarden vault`: custodians of the master key, the copy of living keys that a restored backup
//! needs, and runs of retention. Each works on a data folder that no server has open.

mod retention;

use crate::{
    config::{Config, ConfigFlags, RootKind, SettingFlags},
    failure::{Failure, Result},
    private, terminal,
    wiring::{Ground, MASTER_KEY_FILE, change_root as change_root_of_folder, root_told},
};
use paywarden_crypto::{Keyring, split::Share};
use paywarden_privacy::{
    By,
    ceremony::{Ceremony, ShareHeld},
    vault::Period,
};
use paywarden_store::Actor;
use std::{
    fs::{DirBuilder, File},
    io::{BufReader, BufWriter, Write},
    os::unix::fs::DirBuilderExt,
    path::PathBuf,
};

/// What can be done with the keys of the vault.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Split the master key among custodians, and write down that it was done
    Split(Split),
    /// Say where the master key comes from, and which keys there are of each epoch, how old
    Keys(Keys),
    /// Print the records of key ceremonies, newest first
    Ceremonies(Keys),
    /// Seal by another root what the one of now has sealed: the master key and the epochs
    ChangeRoot(ChangeRoot),
    /// Write a copy of the living keys of persons, to keep until the next epoch
    ExportKeys(Copy),
    /// Put a copy of the living keys into a database that was restored from a backup
    RestoreKeys(Copy),
    /// Count what is due to end by the privacy policy, or end what was counted
    Retention(retention::Retention),
}

/// Arguments of `vault split`.
#[derive(Debug, clap::Args)]
pub struct Split {
    /// The name of a custodian; each gets one share
    #[arg(long = "custodian", value_name = "NAME", required = true)]
    custodians: Vec<String>,
    /// The name of somebody else who is there; may be repeated
    #[arg(long = "witness", value_name = "NAME")]
    witnesses: Vec<String>,
    /// How many custodians make the key together
    #[arg(long, default_value_t = 2)]
    needed: u8,
    /// A new folder for the shares
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    config: ConfigFlags,
}

/// Arguments of `vault change-root`.
#[derive(Debug, clap::Args)]
pub struct ChangeRoot {
    /// The configuration file that names the root from now on
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    #[command(flatten)]
    config: ConfigFlags,
}

/// Arguments of `vault keys`.
#[derive(Debug, clap::Args)]
pub struct Keys {
    #[command(flatten)]
    config: ConfigFlags,
}

/// Arguments of commands on a copy of keys.
#[derive(Debug, clap::Args)]
pub struct Copy {
    /// The file of the copy
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    config: ConfigFlags,
}

/// Runs the command.
pub async fn run(command: Command) -> Result<()> {
    match command {
        Command::Split(arguments) => split(&arguments).await,
        Command::Keys(arguments) => keys(&arguments).await,
        Command::Ceremonies(arguments) => ceremonies(&arguments).await,
        Command::ChangeRoot(arguments) => change_root(&arguments).await,
        Command::ExportKeys(arguments) => export_keys(&arguments).await,
        Command::RestoreKeys(arguments) => restore_keys(&arguments).await,
        Command::Retention(arguments) => retention::run(&arguments).await,
    }
}

/// Writes one file for each custodian, and a leaf that names them: what a ceremony has to record
/// (PCI DSS 4.0.1, 3.7.6 to 3.7.8).
async fn split(arguments: &Split) -> Result<()> {
    let config = arguments.config.load()?.config;
    let count = u8::try_from(arguments.custodians.len()).unwrap_or(u8::MAX);
    let file = config.data_dir.join(MASTER_KEY_FILE);
    let shares = Keyring::split_file(&file, count, arguments.needed)
        .map_err(|error| Failure::wrong_use(error, "name 2 to 16 custodians, --needed of them"))?;
    let made = DirBuilder::new().mode(0o700).create(&arguments.out);
    made.map_err(|error| {
        let what = format!("cannot make {}: {error}", arguments.out.display());
        Failure::environment(what, "name a new folder with --out")
    })?;
    for (share, custodian) in shares.iter().zip(&arguments.custodians) {
        let path = arguments.out.join(format!("share-{}", share.number()));
        private::file(&path, &format!("{}\n", *share.to_line()))?;
        terminal::result(&format!("{}  {custodian}\n", path.display()));
    }
    let held = shares.iter().zip(&arguments.custodians);
    let held = held.map(|(share, custodian)| ShareHeld {
        number: share.number(),
        custodian: custodian.clone(),
        sha256: share.digest(),
    });
    let ceremony = Ceremony {
        key_id: shares.first().map(Share::key_id).unwrap_or_default(),
        needed: arguments.needed,
        shares: held.collect(),
        witnesses: arguments.witnesses.clone(),
    };
    let ground = Ground::open(&config).await?;
    let by = by(&config, "key ceremony")?;
    let noted = ground.vault.record_ceremony(&by, &ceremony).await;
    ground.close().await;
    let record = noted.map_err(failed)?;
    let path = arguments.out.join("ceremony.txt");
    private::file(&path, &record.text)?;
    terminal::note(&format!(
        "print and sign {}, hand each file to its custodian, then start with key_shares = [...] and \
         remove {}\n",
        path.display(),
        file.display()
    ));
    Ok(())
}

/// One that broke off is done by calling again.
async fn change_root(arguments: &ChangeRoot) -> Result<()> {
    let old = arguments.config.load()?.config;
    let new = SettingFlags {
        config: Some(arguments.to.clone()),
        set: vec![format!("data_dir={}", old.data_dir.display())],
    };
    let new = new.load()?.config;
    change_root_of_folder(&old, &new, &by(&old, "key ceremony")?).await?;
    terminal::result(&format!("{}\n", root_told(&new)));
    let clear = new.data_dir.join(MASTER_KEY_FILE);
    if new.root != RootKind::File && clear.exists() {
        let note = format!(
            "start with {}, then remove {}\n",
            arguments.to.display(),
            clear.display()
        );
        terminal::note(&note);
    }
    Ok(())
}

/// Every record of a ceremony, to print again.
async fn ceremonies(arguments: &Keys) -> Result<()> {
    let config = arguments.config.load()?.config;
    let ground = Ground::open(&config).await?;
    let tenant = config.company()?;
    let records = ground.vault.ceremonies(&tenant).await;
    ground.close().await;
    let texts = records.map_err(failed)?.into_iter();
    let texts: Vec<_> = texts.map(|record| record.text).collect();
    terminal::result(&texts.join("\n\u{c}"));
    Ok(())
}

/// The inventory of keys that an assessor asks for; none of them is shown.
async fn keys(arguments: &Keys) -> Result<()> {
    let config = arguments.config.load()?.config;
    let ground = Ground::open(&config).await?;
    let inventory = ground.vault.inventory().await;
    ground.close().await;
    let inventory = inventory.map_err(failed)?;
    let mut text = format!(
        "root     {}{}\nprofile  {}\n",
        root_told(&config),
        period(inventory.root),
        inventory.profile
    );
    for line in &inventory.epochs {
        let state = match (line.lives, line.is_newest) {
            (false, _) => "its secret is gone",
            (true, true) => "wraps new keys",
            (true, false) => "waits for its keys to be wrapped again",
        };
        let oldest = line.oldest.map(|at| format!(", the oldest made {at}"));
        let oldest = oldest.unwrap_or_default();
        text += &format!(
            "epoch {:<3}{} keys{oldest}; {state}{}\n",
            line.epoch,
            line.keys,
            period(line.period)
        );
    }
    terminal::result(&text);
    Ok(())
}

/// How long a key may be used, for people.
fn period(period: Option<Period>) -> String {
    let Some(Period {
        since,
        until,
        is_passed,
    }) = period
    else {
        return String::new();
    };
    match is_passed {
        true => format!("; since {since}, PAST its time, which ended {until}"),
        false => format!("; since {since}, may be used until {until}"),
    }
}

async fn export_keys(arguments: &Copy) -> Result<()> {
    let config = arguments.config.load()?.config;
    private::file(&arguments.file, "")?;
    let ground = Ground::open(&config).await?;
    let written = async {
        let file = File::options().write(true).open(&arguments.file);
        let mut file = BufWriter::new(file.map_err(failed)?);
        let count = ground.vault.export_keys(&mut file).await.map_err(failed)?;
        file.flush().map_err(failed)?;
        file.get_ref().sync_all().map_err(failed)?;
        Ok(count)
    };
    let written = written.await;
    ground.close().await;
    terminal::result(&format!("{} keys\n", written?));
    Ok(())
}

async fn restore_keys(arguments: &Copy) -> Result<()> {
    let config = arguments.config.load()?.config;
    let file = File::open(&arguments.file).map_err(failed)?;
    let ground = Ground::open(&config).await?;
    let by = by(&config, "database restored from a backup")?;
    let restored = ground.vault.restore_keys(&by, BufReader::new(file)).await;
    ground.close().await;
    let restored = restored.map_err(failed)?;
    terminal::result(&format!("{} keys\n", restored.keys));
    Ok(())
}

fn by(config: &Config, purpose: &str) -> Result<By> {
    Ok(By::new(
        config.company()?,
        Actor::System("operator"),
        purpose,
    ))
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::environment(error, "nothing was changed: correct it and call again")
}
