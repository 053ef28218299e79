//! `paywarden scan`: card numbers, identity numbers, phone numbers and secrets where they should
//! not be.

use crate::{
    config::{Config, ConfigFlags},
    failure::{Failure, Result},
    sweep::{Leak, Remark, Swept, Within, sweep},
    terminal,
    wiring::Ground,
};
use clap::ValueEnum;
use paywarden_domain::TenantId;
use paywarden_privacy::{
    By,
    scan::{Confidence, Kind},
};
use paywarden_store::Actor;
use serde::Serialize;
use std::{collections::BTreeMap, path::PathBuf};

/// Findings that are printed one by one without `--json`.
const SHOWN_MAX: usize = 200;
/// Card numbers that the vault is asked for at a time.
const ASKED_MAX: usize = 1_000;

/// Arguments of `scan`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Files and folders
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// The least confidence that counts: findings below it are counted, and fail nothing
    #[arg(long, value_enum, default_value_t = Least::Likely)]
    least: Least,
    /// A name of files or folders that are left out; may be repeated
    #[arg(long, value_name = "NAME")]
    skip: Vec<String>,
    /// Ask the vault in the data folder, which no server has open, for the cards of this company;
    /// may be repeated
    #[arg(long, value_name = "COMPANY", value_parser = tenant)]
    vault: Vec<TenantId>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigFlags,
}

/// The least confidence that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Least {
    /// Everything
    Doubtful,
    /// What fits, also if nothing speaks for it, and numbers that are published for tests
    Possible,
    /// What fits and has nothing against it
    Likely,
    /// What the vault knows, and private keys
    Certain,
}

/// Runs the command. Exit code 1 if something was found, 3 if nothing was but something could not
/// be read.
pub async fn run(arguments: Arguments) -> Result<()> {
    let mut swept = sweep(&arguments.paths, &arguments.skip)?;
    if !arguments.vault.is_empty() {
        let config = arguments.config.load()?.config;
        ask_vault(&config, &arguments.vault, &mut swept).await?;
    }
    let report = Report::new(&swept, arguments.least.into());
    if arguments.json {
        let json = serde_json::to_string(&report);
        let json = json.map_err(|error| Failure::environment(error, "report this as a bug"))?;
        terminal::result(&format!("{json}\n"));
    } else {
        terminal::result(&report.text());
    }
    report.verdict()
}

/// Lets the keyed index of the vault decide: a number that it knows is certain, whatever it looked
/// like.
async fn ask_vault(config: &Config, companies: &[TenantId], swept: &mut Swept) -> Result<()> {
    let failed = |error: paywarden_privacy::Error| {
        Failure::environment(error, "stop the server first, or scan without --vault")
    };
    let ground = Ground::open(config).await?;
    for tenant in companies {
        let by = By::new(tenant.clone(), Actor::System("operator"), "leak scan");
        for leaks in swept.leaks.chunks_mut(ASKED_MAX) {
            let (places, cards): (Vec<_>, Vec<_>) = leaks
                .iter()
                .enumerate()
                .filter_map(|(place, leak)| Some((place, leak.finding.card()?)))
                .unzip();
            let known = ground.vault.recognise(&by, &cards).await.map_err(failed)?;
            let known = places.into_iter().zip(known).filter(|(_, known)| *known);
            let known: Vec<usize> = known.map(|(place, _)| place).collect();
            for place in known {
                if let Some(leak) = leaks.get_mut(place) {
                    leak.finding.confidence = Confidence::Certain;
                }
            }
        }
    }
    ground.close().await;
    Ok(())
}

fn tenant(text: &str) -> Result<TenantId, String> {
    TenantId::parse(text).map_err(|error| error.to_string())
}

/// What is said of a sweep.
#[derive(Serialize)]
struct Report<'s> {
    command: &'static str,
    version: &'static str,
    least: Confidence,
    files: u64,
    bytes: u64,
    links_not_followed: u64,
    special_files: u64,
    counts: BTreeMap<Kind, BTreeMap<Confidence, u64>>,
    findings: Vec<Line<'s>>,
    /// Findings of files that had too many to name each; they count as found.
    left_out: u64,
    doubtful_left_out: u64,
    changed: &'s [Remark],
    unread: &'s [Remark],
}

#[derive(Serialize)]
struct Line<'s> {
    file: &'s str,
    within: Within,
    offset: u64,
    length: usize,
    line: u64,
    kind: Kind,
    what: &'static str,
    confidence: Confidence,
    masked: String,
}

impl<'s> Line<'s> {
    fn new(leak: &'s Leak) -> Self {
        let Leak {
            file,
            within,
            finding,
        } = leak;
        Self {
            file,
            within: *within,
            offset: finding.offset,
            length: finding.length,
            line: finding.line,
            kind: finding.kind,
            what: finding.what,
            confidence: finding.confidence,
            masked: finding.masked(),
        }
    }
}

impl<'s> Report<'s> {
    fn new(swept: &'s Swept, least: Confidence) -> Self {
        let mut counts: BTreeMap<_, BTreeMap<_, u64>> = BTreeMap::new();
        for Leak { finding, .. } in &swept.leaks {
            let kind = counts.entry(finding.kind).or_default();
            *kind.entry(finding.confidence).or_default() += 1;
        }
        let counted = swept.leaks.iter();
        let counted = counted.filter(|leak| leak.finding.confidence >= least);
        Self {
            command: "scan",
            version: env!("CARGO_PKG_VERSION"),
            least,
            files: swept.files,
            bytes: swept.bytes,
            links_not_followed: swept.links,
            special_files: swept.special,
            counts,
            findings: counted.map(Line::new).collect(),
            left_out: swept.left_out,
            doubtful_left_out: swept.doubtful_left_out,
            changed: &swept.changed,
            unread: &swept.unread,
        }
    }

    fn verdict(&self) -> Result<()> {
        let found = self.findings.len() as u64 + self.left_out;
        if found > 0 {
            return Err(Failure::not_held(
                format!("{found} findings"),
                "remove what was found, and find out how it came there (PCI DSS 12.10.7)",
            ));
        }
        match self.unread.first() {
            Some(Remark { file, why }) => Err(Failure::environment(
                format!(
                    "{} files or folders were not read: {file}: {why}",
                    self.unread.len()
                ),
                "scan as somebody who may read them",
            )),
            None => Ok(()),
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for line in self.findings.iter().take(SHOWN_MAX) {
            text += &format!(
                "{}:{}: {} {} ({}), offset {}{}\n",
                line.file,
                line.line,
                line.what,
                line.masked,
                name(&line.confidence),
                line.offset,
                match line.within {
                    Within::Bytes => "",
                    Within::Name => " of the name",
                    Within::Gzip | Within::Zstd => " of what it expands to",
                },
            );
        }
        if self.findings.len() > SHOWN_MAX {
            let rest = self.findings.len() - SHOWN_MAX;
            text += &format!("… and {rest} more: --json names each\n");
        }
        for (what, remarks) in [("changed", self.changed), ("not read", self.unread)] {
            for Remark { file, why } in remarks.iter().take(SHOWN_MAX) {
                text += &format!("{what}: {file}: {why}\n");
            }
        }
        for (kind, counts) in &self.counts {
            let counts = counts.iter().rev();
            let counts: Vec<_> = counts
                .map(|(confidence, count)| format!("{count} {}", name(confidence)))
                .collect();
            text += &format!("{:<18} {}\n", name(kind), counts.join(", "));
        }
        text + &format!(
            "{} files, {} bytes; {} links not followed, {} special files\n",
            self.files, self.bytes, self.links_not_followed, self.special_files
        )
    }
}

/// The name of a word of the report, as JSON has it.
fn name(word: &impl Serialize) -> String {
    let value = serde_json::to_value(word).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

impl From<Least> for Confidence {
    fn from(least: Least) -> Self {
        match least {
            Least::Doubtful => Self::Doubtful,
            Least::Possible => Self::Possible,
            Least::Likely => Self::Likely,
            Least::Certain => Self::Certain,
        }
    }
}
