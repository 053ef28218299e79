//! Project Wycheproof's vectors for every cipher and keyed hash in use.
//!
//! They are other people's data, read from the folder named by `PAYWARDEN_DATA`. Without it the
//! published examples that stand here are run alone.

use super::cipher::{Cipher, NONCE_BYTES, SealKey, TAG_BYTES};
use crate::keyring::{MacAlgorithm, PreparedIndex};
use serde_json::Value;
use std::{fs, io::Write as _, path::PathBuf};

/// Cipher, bytes of its key, file, and how many of its vectors are of this cipher as we use it:
/// nonces of 96, tags of 128 bits.
const CIPHERS: [(Cipher, usize, &str, usize); 3] = [
    (Cipher::Aes256Gcm, 32, "aes_gcm_test.json", 66),
    (Cipher::Aes256GcmSiv, 32, "aes_gcm_siv_test.json", 103),
    (Cipher::Sm4Gcm, 16, "sm4_gcm_test.json", 65),
];
const MACS: [(MacAlgorithm, &str, usize); 2] = [
    (MacAlgorithm::HmacSha256, "hmac_sha256_test.json", 174),
    (MacAlgorithm::HmacSm3, "hmac_sm3_test.json", 174),
];

/// Every test of a file with its group; none without the data, which is said.
fn vectors(file: &str) -> Option<Vec<(Value, Value)>> {
    let Some(data) = std::env::var_os("PAYWARDEN_DATA") else {
        // Written directly: captured output of a passing test is never shown.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: {file}, PAYWARDEN_DATA is not set"
        );
        return None;
    };
    let data = PathBuf::from(data);
    let path = data.join("conformance/wycheproof").join(file);
    let file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let groups = file["testGroups"].as_array().unwrap().iter();
    let all = groups.flat_map(|group| {
        let tests = group["tests"].as_array().unwrap().iter();
        tests.map(move |test| (group.clone(), test.clone()))
    });
    Some(all.collect())
}

fn hex(text: &Value) -> Vec<u8> {
    let digits: Vec<u32> = text
        .as_str()
        .unwrap()
        .chars()
        .map(|digit| digit.to_digit(16).unwrap())
        .collect();
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap())
        .collect()
}

fn seal_key(cipher: Cipher, bytes: &[u8]) -> SealKey {
    let mut key = [0; 32];
    key[..bytes.len()].copy_from_slice(bytes);
    SealKey::new(cipher, &key, 1).unwrap()
}

fn check_cipher(cipher: Cipher, test: &Value) {
    let what = format!("{cipher:?} {}", test["tcId"]);
    let key = seal_key(cipher, &hex(&test["key"]));
    let nonce: [u8; NONCE_BYTES] = hex(&test["iv"]).try_into().unwrap();
    let (aad, plain) = (hex(&test["aad"]), hex(&test["msg"]));
    let is_valid = test["result"] == "valid";
    let mut body = [hex(&test["ct"]), hex(&test["tag"])].concat();
    let opened = key.decrypt(&nonce, &aad, &mut body);
    assert_eq!(opened.is_ok(), is_valid, "{what}");
    if let Ok(length) = opened {
        assert_eq!(&body[..length], plain, "{what}");
        let mut text = plain.clone();
        let tag = key.encrypt(&nonce, &aad, &mut text).unwrap();
        assert_eq!(
            (text, tag.to_vec()),
            (hex(&test["ct"]), hex(&test["tag"])),
            "{what}"
        );
    }
}

#[test]
fn ciphers_agree_with_every_vector() {
    for (cipher, key_bytes, file, expected) in CIPHERS {
        let Some(all) = vectors(file) else {
            continue;
        };
        let ours = all.iter().filter(|(group, _)| {
            let is = |name: &str, bytes: usize| group[name] == 8 * bytes;
            is("ivSize", NONCE_BYTES) && is("tagSize", TAG_BYTES) && is("keySize", key_bytes)
        });
        let ours: Vec<_> = ours.collect();
        assert_eq!(ours.len(), expected, "{file}");
        ours.iter().for_each(|(_, test)| check_cipher(cipher, test));
    }
}

#[test]
fn keyed_hashes_agree_with_every_vector() {
    for (mac, file, expected) in MACS {
        let Some(all) = vectors(file) else {
            continue;
        };
        assert_eq!(all.len(), expected, "{file}");
        for (_, test) in &all {
            let key = PreparedIndex::new(mac, &hex(&test["key"])).unwrap();
            let (hash, tag) = (key.of_bytes(&hex(&test["msg"])), hex(&test["tag"]));
            let fits = hash.starts_with(&tag);
            assert_eq!(fits, test["result"] == "valid", "{mac:?} {}", test["tcId"]);
        }
    }
}

/// HKDF with SHA-256 (RFC 5869): our expansion is its first block.
#[test]
fn derived_keys_are_the_first_block_of_hkdf() {
    let Some(all) = vectors("hkdf_sha256_test.json") else {
        return;
    };
    let hash = |key: &[u8], message: &[u8]| {
        let key = PreparedIndex::new(MacAlgorithm::HmacSha256, key).unwrap();
        key.of_bytes(message)
    };
    let valid = all.iter().filter(|(_, test)| test["result"] == "valid");
    for (_, test) in valid {
        let extracted = hash(&hex(&test["salt"]), &hex(&test["ikm"]));
        let info = [hex(&test["info"]), vec![1]].concat();
        let (made, okm) = (hash(&extracted, &info), hex(&test["okm"]));
        let length = okm.len().min(32);
        assert_eq!(made[..length], okm[..length], "{}", test["tcId"]);
    }
    let key = PreparedIndex::new(MacAlgorithm::HmacSha256, &[7; 32]).unwrap();
    let info = [&[0, 0, 0, 0, 0, 0, 0, 1][..], b"a", &[1]].concat();
    assert_eq!(*key.derive(&[b"a"]), hash(&[7; 32], &info));
}

/// RFC 8998, appendix A.1: SM4-GCM.
#[test]
fn sm4_gcm_agrees_with_its_rfc() {
    let text = |text: &str| hex(&Value::String(text.to_owned()));
    let test = serde_json::json!({
        "tcId": "RFC 8998 A.1",
        "key": "0123456789abcdeffedcba9876543210",
        "iv": "00001234567800000000abcd",
        "aad": "feedfacedeadbeeffeedfacedeadbeefabaddad2",
        "msg": "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd\
                eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa",
        "ct": "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735\
               d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d",
        "tag": "83de3541e4c2b58177e065a9bf7b62ec",
        "result": "valid",
    });
    assert_eq!(text("0aff"), [0x0a, 0xff]);
    check_cipher(Cipher::Sm4Gcm, &test);
}
