//! Other people's proof cases: every true one is accepted, every hostile one refused.

use crate::support::skipped;
use base64::{Engine, engine::general_purpose::STANDARD};
use paywarden_store::trail::{
    Hash,
    merkle::{is_subtree, verify_consistency, verify_inclusion, verify_subtree},
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Whether a proof is accepted; none if it cannot even be read.
type Check = fn(&Value) -> Option<bool>;

#[test]
fn every_case_of_the_conformance_set_answers_as_it_must() {
    let Ok(data) = std::env::var("PAYWARDEN_DATA") else {
        return skipped("PAYWARDEN_DATA is not set");
    };
    let folder = Path::new(&data).join("conformance/merkle");
    let kinds: [(&str, Check, usize); 4] = [
        ("inclusion", inclusion, 98),
        ("consistency", consistency, 98),
        ("subtreeinclusion", subtree_inclusion, 204),
        ("subtreeconsistency", subtree_consistency, 118),
    ];
    for (kind, check, expected) in kinds {
        let files = files(&folder.join(kind));
        for file in &files {
            let case: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
            let is_false = case["wantErr"].as_bool().unwrap_or(false);
            let accepted = check(&case).unwrap_or(false);
            assert_eq!(accepted, !is_false, "{} {}", file.display(), case["desc"]);
        }
        assert_eq!(files.len(), expected, "{kind}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

/// Some cases have texts such as "don't care" for hashes: they are filled up with zeros, so that
/// equal ones stay equal and others do not become so. None for nothing and for too much.
fn hash(value: &Value) -> Option<Hash> {
    let mut bytes = STANDARD.decode(value.as_str().unwrap_or_default()).ok()?;
    if !bytes.is_empty() {
        bytes.resize(bytes.len().max(32), 0);
    }
    bytes.try_into().ok()
}

fn proof(case: &Value) -> Option<Vec<Hash>> {
    let none = Vec::new();
    let hashes = case["proof"].as_array().unwrap_or(&none);
    hashes.iter().map(hash).collect()
}

fn number(case: &Value, name: &str) -> u64 {
    case[name].as_u64().unwrap_or(0)
}

fn inclusion(case: &Value) -> Option<bool> {
    let leaf = hash(&case["leafHash"])?;
    let (index, size) = (number(case, "leafIdx"), number(case, "treeSize"));
    Some(verify_inclusion(&leaf, index, size, &proof(case)?, &hash(&case["root"])?).is_ok())
}

fn consistency(case: &Value) -> Option<bool> {
    let (old, new) = (number(case, "size1"), number(case, "size2"));
    let (old_root, root) = (hash(&case["root1"])?, hash(&case["root2"])?);
    Some(verify_consistency(old, &old_root, new, &root, &proof(case)?).is_ok())
}

fn subtree_inclusion(case: &Value) -> Option<bool> {
    let leaf = hash(&case["leafHash"])?;
    let range = number(case, "start")..number(case, "end");
    let index = number(case, "leafIdx").checked_sub(range.start)?;
    let root = hash(&case["root"])?;
    let is_in =
        || verify_inclusion(&leaf, index, range.end - range.start, &proof(case)?, &root).ok();
    Some(is_subtree(&range) && is_in().is_some())
}

fn subtree_consistency(case: &Value) -> Option<bool> {
    let range = number(case, "start")..number(case, "end");
    let (old_root, root) = (hash(&case["root1"])?, hash(&case["root2"])?);
    Some(
        verify_subtree(
            &range,
            &old_root,
            number(case, "size"),
            &root,
            &proof(case)?,
        )
        .is_ok(),
    )
}
