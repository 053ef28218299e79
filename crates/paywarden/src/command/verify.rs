//! `paywarden verify`: whether the trail is whole and every record is what the trail says, or,
//! with `--proof`, whether a proof in a file holds, without any database.

pub(super) mod words;

use crate::{
    config::{Config, ConfigFlags},
    failure::{Failure, Result},
    figures::{Figure, Report},
    terminal, wiring,
};
use paywarden_crypto::note::{Note, NoteVerifier};
use paywarden_domain::time::SECOND;
use paywarden_store::{
    Database, Intact, Trust, Verdict,
    trail::{
        ClockStep, notary,
        proof::{InclusionProof, PROOF_BYTES_MAX},
    },
};
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

/// Generations of signing keys that a proof is tried with when only the master key is known.
const GENERATIONS: u64 = 64;

/// Time services step a clock that is off by some tenths of a second and slew it otherwise; what
/// goes back further was set by somebody.
const CLOCK_TOLERANCE_S: u32 = 5;

/// Arguments of `verify`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A checkpoint kept elsewhere: the trail must still contain it; may be repeated
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// Check this proof (C2SP tlog-proof with the leaf in its `extra` line) and nothing else
    #[arg(long, value_name = "FILE", conflicts_with = "checkpoint")]
    proof: Option<PathBuf>,
    /// A verifier key that checkpoints may be signed with, `name+id+key`; may be repeated
    /// [default: the keys of the master key in the data folder]
    #[arg(long, value_name = "VKEY", value_parser = verifier)]
    key: Vec<[u8; 32]>,
    /// Seconds that the clock may have gone back, as when it is set right from the network
    #[arg(long, value_name = "SECONDS", default_value_t = CLOCK_TOLERANCE_S)]
    clock_tolerance: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigFlags,
}

/// Runs the command.
pub async fn run(arguments: Arguments) -> Result<()> {
    let config = arguments.config.load()?.config;
    match &arguments.proof {
        Some(path) => check_proof(&arguments, &config, path).await,
        None => check_store(&arguments, &config).await,
    }
}

async fn check_store(arguments: &Arguments, config: &Config) -> Result<()> {
    let next = "`paywarden check` looks at the database; an empty folder has no trail yet";
    let unreadable = |error: paywarden_store::Error| {
        Failure::environment(format!("the database does not open: {error}"), next)
    };
    let database = Database::open_reader(&config.database_address()?)
        .await
        .map_err(unreadable)?;
    let generations = database.trail_keys().await.map_err(unreadable)?.len();
    let keys = keys(&arguments.key, config, generations as u64).await?;
    let checkpoints = arguments.checkpoint.iter().map(|path| note(path));
    let trust = Trust {
        checkpoints: checkpoints.collect::<Result<_>>()?,
        keys,
    };
    let verdict = database.verify(Some(&trust)).await.map_err(unreadable)?;
    database.close().await;
    match verdict {
        Verdict::Intact(seen) if arguments.json => {
            let figures = vec![
                Figure::count("trail_leaves", seen.leaves),
                Figure::count("trail_trees", seen.heads.len() as u64),
                Figure::count("checkpoints", seen.checkpoints),
                Figure::count("rows", seen.rows),
                Figure::count("clock_steps", seen.clock_steps.len() as u64),
            ];
            terminal::result(&Report::new("verify", figures).to_json()?);
            check_clock(arguments, &seen)
        }
        Verdict::Intact(seen) => {
            terminal::result(&words::intact(&seen, !trust.keys.is_empty()));
            check_clock(arguments, &seen)
        }
        Verdict::Broken { place, fault } => Err(Failure::not_held(
            words::broken(place.as_ref(), &fault),
            "stop the server, keep the files as they are, compare with the last backup",
        )),
    }
}

/// Whether the clock was ever set back by more than is tolerated. The leaves hold all the same, but
/// nobody can say when what they tell of happened.
fn check_clock(arguments: &Arguments, seen: &Intact) -> Result<()> {
    let tolerated_us = i64::from(arguments.clock_tolerance) * SECOND;
    let set_back = |step: &&ClockStep| step.back_us > tolerated_us;
    match seen.clock_steps.iter().find(set_back) {
        Some(step) => Err(Failure::not_held(
            words::set_back(step),
            "find out who set the clock; a step that is explained passes with --clock-tolerance",
        )),
        None => Ok(()),
    }
}

async fn check_proof(arguments: &Arguments, config: &Config, path: &Path) -> Result<()> {
    let next = "save it as `GET /v1/trail/proofs/inclusion` gave it, `text` alone";
    let text = read(path)?;
    let proof = InclusionProof::parse(&text)
        .ok_or_else(|| Failure::wrong_use(format!("{} is no proof", path.display()), next))?;
    let keys = keys(&arguments.key, config, GENERATIONS).await?;
    if keys.is_empty() {
        let next = "give the verifier key of the tenant: --key VKEY (`GET /v1/trail/keys`)";
        return Err(Failure::wrong_use(
            "no key to check the signature with",
            next,
        ));
    }
    let (checkpoint, leaf) = proof.check(&keys).map_err(|why| {
        let next = "ask for the proof again; if it stays so, the trail was changed";
        Failure::not_held(format!("the proof does not hold: {why}"), next)
    })?;
    terminal::result(&words::proven(&checkpoint, &leaf));
    Ok(())
}

/// The keys that may have signed: those given, or those of the master key, if it is here.
pub(super) async fn keys(
    given: &[[u8; 32]],
    config: &Config,
    generations: u64,
) -> Result<Vec<[u8; 32]>> {
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    let Some(keyring) = wiring::existing_keyring(config).await? else {
        return Ok(Vec::new());
    };
    notary::public_keys(&keyring, generations).map_err(|error| {
        let next = "give the verifier keys of the tenant with --key";
        Failure::environment(format!("no key comes from the master key: {error}"), next)
    })
}

fn note(path: &Path) -> Result<Note> {
    Note::parse(&read(path)?).map_err(|error| {
        let what = format!("{} is no checkpoint: {error}", path.display());
        Failure::wrong_use(what, "save it as `GET /v1/trail/checkpoint` gave it")
    })
}

/// A small text file.
fn read(path: &Path) -> Result<String> {
    let mut text = String::new();
    let file = File::open(path);
    let length = file.and_then(|file| {
        file.take(PROOF_BYTES_MAX as u64 + 1)
            .read_to_string(&mut text)
    });
    length.map_err(|error| {
        let what = format!("cannot read {}: {error}", path.display());
        Failure::wrong_use(what, "name a file of text")
    })?;
    Ok(text)
}

fn verifier(text: &str) -> std::result::Result<[u8; 32], String> {
    let verifier = NoteVerifier::parse(text).map_err(|error| error.to_string())?;
    Ok(*verifier.public())
}
