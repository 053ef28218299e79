//! Screening lists that are fetched again and again, as a file of the operator says.
//!
//! A list that cannot be fetched, or that is refused, leaves the version before at work: a warning
//! is logged, the metrics count it, and the trail has a leaf of the first failure after a success.

mod fetch;

use crate::failure::{Failure, Result};
use bytes::Bytes;
use fetch::{Fetched, Fetcher, Marks};
use paywarden_access::approval::Who;
use paywarden_domain::TenantId;
use paywarden_risk::{
    Engine,
    screening::{Format, ListFile, ListKind, ListSource},
};
use paywarden_screening::import::SOURCE_BYTES_MAX;
use paywarden_store::{Actor, Clock};
use serde::Deserialize;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::task::JoinHandle;

const MINUTES: std::ops::RangeInclusive<u32> = 5..=10_080;
/// Lists are first fetched within so many seconds after the start.
const FIRST_SECONDS_MAX: u64 = 10;
const LISTS_MAX: usize = 256;

/// The file: one `[[list]]` for each.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Authorities that publishers are held against, as PEM; those of the machine if not given.
    #[serde(default)]
    authorities: Option<PathBuf>,
    #[serde(default)]
    list: Vec<Source>,
}

/// Where a list comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Whose list it is.
    company: String,
    /// Its name.
    name: String,
    /// What being on it means.
    kind: ListKind,
    /// How it is written.
    format: Format,
    /// Files on this machine.
    #[serde(default)]
    files: Vec<PathBuf>,
    /// An address, `https://…`.
    #[serde(default)]
    url: Option<String>,
    /// Whether the address may lie in a private network, or be plain HTTP on this machine.
    #[serde(default)]
    private_network: bool,
    /// How often it is fetched, 5 to 10,080.
    every_minutes: u32,
}

/// Who fetches lists.
pub struct Refresh {
    fetcher: Option<Arc<Fetcher>>,
    sources: Vec<(TenantId, Source)>,
}

impl Refresh {
    /// What the operator's file says; nothing without one.
    pub fn read(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else {
            return Ok(Self {
                fetcher: None,
                sources: Vec::new(),
            });
        };
        let wrong = |error: &dyn std::fmt::Display| {
            Failure::wrong_use(
                format!("screening_file = {}: {error}", path.display()),
                "docs/guide/screening.md shows how lists are named in it",
            )
        };
        let text = fs::read_to_string(path).map_err(|error| wrong(&error))?;
        let settings: Settings = toml::from_str(&text).map_err(|error| wrong(&error))?;
        if settings.list.len() > LISTS_MAX {
            return Err(wrong(&"at most 256 lists"));
        }
        let checked = |source: Source| {
            let tenant = TenantId::parse(&source.company).map_err(|error| wrong(&error))?;
            source
                .check()
                .map_err(|why| wrong(&format_args!("{}: {why}", source.name)))?;
            Ok((tenant, source))
        };
        let sources = settings
            .list
            .into_iter()
            .map(checked)
            .collect::<Result<Vec<_>>>()?;
        let fetches = sources.iter().any(|(_, source)| source.url.is_some());
        let authorities = settings.authorities.as_deref();
        let fetcher = fetches.then(|| Fetcher::new(authorities)).transpose();
        Ok(Self {
            fetcher: fetcher.map_err(|error| wrong(&error))?.map(Arc::new),
            sources,
        })
    }

    /// Starts fetching, each list by itself.
    pub fn start(self, engine: &Arc<Engine>) -> Vec<JoinHandle<()>> {
        let Self { fetcher, sources } = self;
        let start = |(tenant, source)| {
            let keeper = Keeper {
                engine: Arc::clone(engine),
                fetcher: fetcher.clone(),
                who: Who {
                    tenant,
                    actor: Actor::System("screening"),
                },
                source,
                marks: Marks::default(),
                failed: false,
            };
            tokio::spawn(keeper.run())
        };
        sources.into_iter().map(start).collect()
    }
}

impl Source {
    fn check(&self) -> std::result::Result<(), &'static str> {
        let rules = [
            (
                self.files.is_empty() == self.url.is_some(),
                "name either `files` or `url`",
            ),
            (
                self.format == Format::OfacCsv || self.files.len() <= 1,
                "only ofac_csv has several files",
            ),
            (
                self.format != Format::OfacCsv || self.url.is_none(),
                "ofac_csv is several files: fetch ofac_xml, or name the files",
            ),
            (
                MINUTES.contains(&self.every_minutes),
                "every_minutes is 5 to 10080",
            ),
            (
                self.url
                    .as_deref()
                    .is_none_or(|url| fetch::may_ask(url, self.private_network)),
                "`url` is https, or http on this machine with private_network = true",
            ),
        ];
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, why)) => Err(why),
            None => Ok(()),
        }
    }

    /// So long until it is fetched again: a tenth more or less than asked for, so that not
    /// everybody comes at once.
    fn pause(&self) -> Duration {
        let seconds = u64::from(self.every_minutes) * 60;
        let tenth = seconds / 10;
        Duration::from_secs(seconds - tenth + random(2 * tenth))
    }
}

/// Fetches one list.
struct Keeper {
    engine: Arc<Engine>,
    fetcher: Option<Arc<Fetcher>>,
    who: Who,
    source: Source,
    /// What the publisher said of the version that was fetched last.
    marks: Marks,
    failed: bool,
}

impl Keeper {
    async fn run(mut self) {
        tokio::time::sleep(Duration::from_secs(random(FIRST_SECONDS_MAX))).await;
        loop {
            self.once().await;
            tokio::time::sleep(self.source.pause()).await;
        }
    }

    /// Fetches once, and says so if that fails.
    async fn once(&mut self) {
        let why = match self.refresh().await {
            Ok(marks) => {
                self.marks = marks;
                self.failed = false;
                return;
            }
            Err(why) => why,
        };
        let (list, tenant) = (&self.source.name, &self.who.tenant);
        tracing::warn!(%tenant, list, why, "screening list not refreshed");
        let is_first = !std::mem::replace(&mut self.failed, true);
        let noted = self.engine.note_refresh_failed(&self.who, list, is_first);
        if let Err(error) = noted.await {
            tracing::error!(%error, "failed refresh not noted");
        }
    }

    /// Fetches and imports; what the publisher said of what is at work now.
    async fn refresh(&self) -> std::result::Result<Marks, String> {
        let (files, marks) = match (&self.source.url, &self.fetcher) {
            (Some(url), Some(fetcher)) => {
                let private = self.source.private_network;
                let fetched = fetcher.get(url, private, &self.marks).await;
                match fetched.map_err(|error| error.to_string())? {
                    Fetched::Unchanged => return Ok(self.marks.clone()),
                    Fetched::Body(bytes, marks) => {
                        let name = String::new();
                        (vec![ListFile { name, bytes }], marks)
                    }
                }
            }
            _ => (read(self.source.files.clone()).await?, Marks::default()),
        };
        let source = ListSource {
            list: self.source.name.clone(),
            kind: self.source.kind,
            format: self.source.format,
            files,
        };
        let imported = self.engine.import_screening_list(&self.who, source).await;
        imported.map(|_| marks).map_err(|error| error.to_string())
    }
}

async fn read(files: Vec<PathBuf>) -> std::result::Result<Vec<ListFile>, String> {
    let read = move || files.iter().map(|path| file(path)).collect();
    let joined = tokio::task::spawn_blocking(read).await;
    joined.map_err(|error| error.to_string())?
}

fn file(path: &Path) -> std::result::Result<ListFile, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let length = fs::metadata(path).map_err(|error| wrong(&error))?.len();
    if length > SOURCE_BYTES_MAX as u64 {
        return Err(wrong(&"larger than a list may be"));
    }
    Ok(ListFile {
        name: path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        bytes: Bytes::from(fs::read(path).map_err(|error| wrong(&error))?),
    })
}

/// A number from 0 to `max`.
fn random(max: u64) -> u64 {
    u64::from_le_bytes(Clock::System.random()) % (max + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use paywarden_crypto::Keyring;
    use paywarden_risk::{EngineConfig, PackFile};
    use paywarden_store::{Database, Journal, JournalLimits};

    const SCREENING: &str = include_str!("../../../rules/screening.yaml");

    /// Somebody who fetches a list from a file into an engine of its own.
    async fn keeper(folder: &Path) -> Keeper {
        let url = format!("sqlite://{}/store.db", folder.display());
        let database = Database::open(&url).await.unwrap();
        let clock = Clock::System;
        let journal = Journal::start(&database, clock.clone(), JournalLimits::default()).await;
        let settings = EngineConfig::new(config::usd());
        let (journal, keyring) = (journal.unwrap(), Keyring::ephemeral());
        let rules = vec![PackFile::new("screening.yaml", SCREENING)];
        let engine = Engine::start(settings, database, journal, clock, &keyring, rules).await;
        let text = format!("{LIST}files = ['{}']\n", folder.join("list.csv").display());
        let (tenant, source) = read(&text.replace("'un'", "'csv'")).unwrap().remove(0);
        Keeper {
            engine: Arc::new(engine.unwrap_or_else(|error| panic!("{error}"))),
            fetcher: None,
            who: Who {
                tenant,
                actor: Actor::System("screening"),
            },
            source,
            marks: Marks::default(),
            failed: false,
        }
    }

    #[tokio::test]
    async fn what_is_missing_broken_or_shrunken_leaves_the_version_before_at_work() {
        let folder = tempfile::tempdir().unwrap();
        let mut keeper = keeper(folder.path()).await;
        let path = folder.path().join("list.csv");
        let at_work = |keeper: &Keeper| {
            let lists = keeper.engine.screening_lists(&keeper.who.tenant).lists;
            lists.first().map(|list| list.at_work.entities)
        };
        let list = |parties: usize| {
            let rows = (0..parties).map(|id| format!("{id},Name of {id}\n"));
            format!("id,name\n{}", rows.collect::<String>())
        };
        for (text, entities, fails) in [
            (None, None, true),
            (Some(list(50)), Some(50), false),
            (Some(list(50)), Some(50), false),
            (Some("id,na".to_owned()), Some(50), true),
            (Some(list(20)), Some(50), true),
            (Some(list(60)), Some(60), false),
        ] {
            if let Some(text) = text {
                fs::write(&path, text).unwrap();
            }
            keeper.once().await;
            assert_eq!((at_work(&keeper), keeper.failed), (entities, fails));
        }
        assert_eq!(keeper.engine.screening_figures().stale, 3);
    }

    const LIST: &str = "[[list]]\ncompany = 'main'\nname = 'un'\nkind = 'sanctions'\n\
        format = 'un'\nevery_minutes = 60\n";

    fn read(text: &str) -> std::result::Result<Vec<(TenantId, Source)>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("screening.toml");
        fs::write(&path, text).unwrap();
        let refresh = Refresh::read(Some(&path));
        refresh
            .map(|refresh| refresh.sources)
            .map_err(|failure| failure.message())
    }

    #[test]
    fn lists_are_named_in_a_file_and_mistakes_are_said() {
        let sources = read(&format!("{LIST}files = ['/lists/un.xml']\n")).unwrap();
        let pause = sources[0].1.pause().as_secs();
        assert!((54 * 60..=66 * 60).contains(&pause), "{pause}");
        assert!(read("").unwrap().is_empty() && Refresh::read(None).unwrap().sources.is_empty());
        for (more, why) in [
            ("", "either `files` or `url`"),
            (
                "files = ['a']\nurl = 'https://a.example'\n",
                "either `files` or `url`",
            ),
            ("files = ['a', 'b']\n", "several files"),
            ("url = 'http://un.example/list.xml'\n", "`url` is https"),
            ("url = 'https://127.0.0.1/list.xml'\n", "`url` is https"),
            ("file = 'a'\n", "unknown field"),
        ] {
            let said = read(&format!("{LIST}{more}")).unwrap_err();
            assert!(said.contains(why), "{more}: {said}");
        }
        let often = LIST.replace("60", "1");
        assert!(
            read(&format!("{often}files = ['a']\n"))
                .unwrap_err()
                .contains("5 to 10080")
        );
    }
}
