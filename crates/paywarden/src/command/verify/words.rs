//! What `paywarden verify` says.

use paywarden_store::{
    Fault, Intact,
    trail::{Checkpoint, ClockStep, Leaf, Place, hexadecimal},
};
use std::fmt::Write as _;

/// A trail that holds.
pub(super) fn intact(seen: &Intact, is_signed: bool) -> String {
    let Intact {
        leaves,
        rows,
        checkpoints,
        ..
    } = seen;
    let mut text = format!(
        "intact: {leaves} leaves, {rows} records, {checkpoints} checkpoints, each as the trail says\n"
    );
    // Writing to a string cannot fail.
    for head in &seen.heads {
        let root = hexadecimal(&head.root);
        let _ = writeln!(
            text,
            "  {:<16} {:>10} leaves  {root}",
            head.tenant, head.size
        );
    }
    for step in &seen.clock_steps {
        let _ = writeln!(text, "  {}", set_back(step));
    }
    if !is_signed {
        text += "  signatures were not checked: give the keys with --key\n";
    }
    text += "  keep a checkpoint elsewhere: `paywarden verify --checkpoint FILE` proves later that \
             nothing before it was rewritten\n";
    text
}

/// A clock that went back.
pub(super) fn set_back(step: &ClockStep) -> String {
    let seconds = step.back_us as f64 / 1e6;
    let Place { tenant, leaf } = &step.place;
    format!("the clock was set back by {seconds:.1} s before leaf {leaf} of {tenant}")
}

/// A trail that does not.
pub(in crate::command) fn broken(place: Option<&Place>, fault: &Fault) -> String {
    let what = in_words(fault);
    match place {
        Some(Place { tenant, leaf }) => {
            format!("the trail of {tenant} is broken at leaf {leaf}: {what}")
        }
        None => format!("the trail is broken: {what}"),
    }
}

fn in_words(fault: &Fault) -> String {
    match fault {
        Fault::LeafMissing => "it is not there, but the trail goes on".to_owned(),
        Fault::LeafChanged => "it was changed".to_owned(),
        Fault::LeafSurplus => "there are leaves that the tree does not have".to_owned(),
        Fault::TileChanged { level, n } => {
            format!("tile {n} of level {level} is missing or is not what the leaves make")
        }
        Fault::TileSurplus => "there are tiles that the leaves do not make".to_owned(),
        Fault::RowMissing(row) => format!("its record is not there: {row}"),
        Fault::RowChanged(row) => format!("its record was changed: {row}"),
        Fault::RowsUnrecorded(table) => format!("{table} has rows that the trail does not know"),
        Fault::CheckpointUnsigned { size } => {
            format!("no key that counted has signed the checkpoint of {size} leaves")
        }
        Fault::CheckpointMissing { size } => {
            format!("the checkpoint of {size} leaves is not there")
        }
        Fault::Rewritten { size } => {
            format!("it or a leaf after it is not what the checkpoint of {size} leaves says")
        }
        Fault::Shortened { size } => format!("it ends here, but {size} leaves were signed"),
        Fault::OtherStore { origin } => format!("the checkpoint is of another store, {origin}"),
        Fault::KeyUnknown { generation } => {
            format!("signing key {generation} of the store is not one of yours")
        }
    }
}

/// A proof that holds.
pub(super) fn proven(checkpoint: &Checkpoint, leaf: &Leaf<'_>) -> String {
    let mut text = format!(
        "proven: leaf {} of {} is in the signed tree of {} leaves\n",
        leaf.index, checkpoint.origin, checkpoint.size,
    );
    let time = leaf.time.to_string();
    let said = [
        ("time", Some(time.as_str())),
        ("actor", Some(leaf.actor)),
        ("purpose", Some(leaf.purpose)),
        ("action", Some(leaf.action)),
        ("object", Some(leaf.object)),
        ("approval", leaf.approval),
        ("decision", leaf.decision),
    ];
    for (name, value) in said {
        if let Some(value) = value {
            let _ = writeln!(text, "  {name:<9} {value}");
        }
    }
    for change in &leaf.changes {
        let _ = writeln!(
            text,
            "  changed   {:?} {}",
            change.row,
            hexadecimal(&change.after)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use paywarden_domain::Timestamp;
    use paywarden_store::{RowRef, TreeHead, trail::Change};

    fn place() -> Place {
        Place {
            tenant: "acme".into(),
            leaf: 7,
        }
    }

    #[test]
    fn what_is_said_of_a_trail() {
        let seen = Intact {
            heads: vec![TreeHead {
                tenant: "acme".into(),
                size: 12,
                root: [0xab; 32],
            }],
            leaves: 12,
            rows: 14,
            checkpoints: 2,
            clock_steps: vec![ClockStep {
                place: place(),
                back_us: 3_600_000_000,
            }],
        };
        let faults = [
            Fault::LeafMissing,
            Fault::LeafChanged,
            Fault::LeafSurplus,
            Fault::TileChanged { level: 1, n: 3 },
            Fault::TileSurplus,
            Fault::RowMissing(RowRef::Decision(12)),
            Fault::RowChanged(RowRef::Label(3)),
            Fault::RowsUnrecorded("decisions"),
            Fault::CheckpointUnsigned { size: 9 },
            Fault::CheckpointMissing { size: 9 },
            Fault::Rewritten { size: 9 },
            Fault::Shortened { size: 9 },
            Fault::OtherStore {
                origin: "paywarden/00/acme".into(),
            },
            Fault::KeyUnknown { generation: 1 },
        ];
        let faults = faults
            .map(|fault| broken(Some(&place()), &fault))
            .join("\n");
        let all = [
            intact(&seen, true),
            intact(&Intact::default(), false),
            faults,
        ];
        insta::assert_snapshot!(all.join("\n"));
    }

    #[test]
    fn what_is_said_of_a_proof() {
        let checkpoint = Checkpoint {
            origin: "paywarden/00/acme".into(),
            size: 12,
            root: [1; 32],
        };
        let leaf = Leaf {
            index: 7,
            time: Timestamp::from_micros(1_767_225_600_000_000),
            tenant: "acme",
            actor: "staff:liu",
            purpose: "dispute 4711",
            action: "payment.view",
            object: "dec_1",
            approval: Some("apr_1"),
            decision: None,
            changes: vec![Change {
                row: RowRef::Label(3),
                before: None,
                after: [0xcd; 32],
            }],
        };
        insta::assert_snapshot!(proven(&checkpoint, &leaf));
    }
}
