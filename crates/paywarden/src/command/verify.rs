//! `paywarden verify`: whether the trail is whole and every record is what the trail says.

use crate::{
    config::ConfigFlags,
    failure::{Failure, Result},
    figures::{Figure, Report},
    terminal,
};
use paywarden_store::{Database, Fault, TrailHead, Verdict};

/// Arguments of `verify`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A head printed by an earlier run: the trail must still contain it
    #[arg(long, value_name = "SEQ:HASH", value_parser = head)]
    anchor: Option<TrailHead>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigFlags,
}

/// Runs the command.
pub async fn run(arguments: Arguments) -> Result<()> {
    let config = arguments.config.load()?.config;
    let next = "`paywarden check` looks at the database; an empty folder has no trail yet";
    let unreadable = |error: paywarden_store::Error| {
        Failure::environment(format!("the database does not open: {error}"), next)
    };
    let database = Database::open_reader(&config.database_address()?)
        .await
        .map_err(unreadable)?;
    let verdict = database
        .verify(arguments.anchor.as_ref())
        .await
        .map_err(unreadable)?;
    database.close().await;
    match verdict {
        Verdict::Intact { head, leaves, rows } => {
            if arguments.json {
                let figures = vec![
                    Figure::count("trail_leaves", leaves),
                    Figure::count("rows", rows),
                ];
                terminal::result(&Report::new("verify", figures).to_json()?);
            } else {
                terminal::result(&intact(&head, leaves, rows));
            }
            Ok(())
        }
        Verdict::Broken { seq, fault } => Err(Failure::not_held(
            format!("the trail is broken at leaf {seq}: {}", in_words(&fault)),
            "stop the server, keep the files as they are, compare with the last backup",
        )),
    }
}

fn intact(head: &TrailHead, leaves: u64, rows: u64) -> String {
    format!(
        "intact: {leaves} leaves, {rows} records, each as the trail says\n\
         \x20 head  {}:{}\n\
         \x20 keep  the head elsewhere: `paywarden verify --anchor HEAD` proves later that \
         nothing before it was rewritten\n",
        head.seq,
        hexadecimal(&head.hash),
    )
}

fn in_words(fault: &Fault) -> String {
    match fault {
        Fault::LeafMissing => "it is not there, but a later one is".to_owned(),
        Fault::LeafChanged => "it was changed".to_owned(),
        Fault::RowMissing(row) => format!("its record is not there ({row:?})"),
        Fault::RowChanged(row) => format!("its record was changed ({row:?})"),
        Fault::RowsUnrecorded(table) => format!("{table} has rows that the trail does not know"),
        Fault::AnchorMissing => "it is not the leaf of the anchor".to_owned(),
    }
}

fn head(text: &str) -> std::result::Result<TrailHead, String> {
    let parsed = || {
        let (seq, hash) = text.split_once(':')?;
        let mut bytes = [0; 32];
        if hash.len() != 2 * bytes.len() {
            return None;
        }
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(hash.get(2 * place..2 * place + 2)?, 16).ok()?;
        }
        Some(TrailHead {
            seq: seq.parse().ok()?,
            hash: bytes,
        })
    };
    parsed().ok_or_else(|| "write it as `paywarden verify` prints it".to_owned())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_store::RowRef;

    #[test]
    fn what_is_said_of_a_trail() {
        let head = TrailHead {
            seq: 7,
            hash: [0xab; 32],
        };
        let faults = [
            Fault::LeafMissing,
            Fault::LeafChanged,
            Fault::RowMissing(RowRef::Decision(12)),
            Fault::RowChanged(RowRef::Label(3)),
            Fault::RowsUnrecorded("decisions"),
            Fault::AnchorMissing,
        ];
        let faults = faults.map(|fault| in_words(&fault)).join("\n");
        insta::assert_snapshot!(format!("{}\n{faults}", intact(&head, 7, 12)));
    }

    #[test]
    fn a_head_reads_back() {
        let printed = format!("7:{}", hexadecimal(&[0xab; 32]));
        let read = head(&printed).unwrap();
        assert_eq!((read.seq, read.hash), (7, [0xab; 32]));
        for wrong in ["7", "7:ab", "x:".to_owned().as_str()] {
            assert!(head(wrong).is_err());
        }
    }
}
