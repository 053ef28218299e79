//! A proof in one file that needs nothing else to be checked: C2SP tlog-proof with the leaf in its
//! `extra` line, or the JSON of the API for consistency.

use super::{
    checkpoint::{self, Checkpoint},
    leaf::Leaf,
    merkle::{Hash, ProofError, leaf_hash, verify_inclusion},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use paywarden_crypto::note::Note;
use std::fmt;

/// The first line of a file.
const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// The longest file, in bytes.
pub const PROOF_BYTES_MAX: usize = 256 * 1024;

/// The proof that a leaf is in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// The bytes of the leaf.
    pub leaf: Vec<u8>,
    /// Its number.
    pub index: u64,
    /// The hashes from its neighbour up to below the root.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint.
    pub note: Note,
}

/// Why a proof is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// No key that is believed has signed the checkpoint.
    #[error("the checkpoint is not signed by the key given")]
    Unsigned,
    /// The leaf is not one, or says another number than the proof.
    #[error("the leaf does not read, or is another one than the proof says")]
    Leaf,
    /// The hashes do not lead from the leaf to the root.
    #[error(transparent)]
    Hashes(#[from] ProofError),
}

impl InclusionProof {
    /// Reads a file; none if it is none of ours.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > PROOF_BYTES_MAX {
            return None;
        }
        let (head, note) = text.split_once("\n\n")?;
        let mut lines = head.split('\n');
        if lines.next()? != FIRST_LINE {
            return None;
        }
        let leaf = STANDARD
            .decode(lines.next()?.strip_prefix("extra ")?)
            .ok()?;
        let number = lines.next()?.strip_prefix("index ")?;
        let index: u64 = number.parse().ok()?;
        let hash = |line: &str| STANDARD.decode(line).ok()?.try_into().ok();
        Some(Self {
            leaf,
            index: (index.to_string() == number).then_some(index)?,
            hashes: lines.map(hash).collect::<Option<_>>()?,
            note: Note::parse(note).ok()?,
        })
    }

    /// Whether the leaf is in the tree of a checkpoint that one of the keys has signed. The leaf
    /// must say its own number and belong to the tenant that the origin names.
    pub fn check(&self, keys: &[[u8; 32]]) -> Result<(Checkpoint, Leaf<'_>), Unproven> {
        let checkpoint = checkpoint::open(&self.note, keys).ok_or(Unproven::Unsigned)?;
        let leaf = Leaf::decode(&self.leaf).ok_or(Unproven::Leaf)?;
        let store = checkpoint.origin.split('/').nth(1).unwrap_or_default();
        let is_of_tree = checkpoint::origin(store, leaf.tenant) == checkpoint.origin;
        if leaf.index != self.index || !is_of_tree {
            return Err(Unproven::Leaf);
        }
        let hash = leaf_hash(&self.leaf);
        let Checkpoint { size, root, .. } = &checkpoint;
        verify_inclusion(&hash, self.index, *size, &self.hashes, root)?;
        Ok((checkpoint, leaf))
    }
}

impl fmt::Display for InclusionProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        writeln!(f, "extra {}", STANDARD.encode(&self.leaf))?;
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", STANDARD.encode(hash))?;
        }
        write!(f, "\n{}", self.note)
    }
}
