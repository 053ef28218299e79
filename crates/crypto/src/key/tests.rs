//! Every algorithm signs, verifies, travels through its encodings, and refuses what is not its own.

use super::*;
use SignatureAlgorithm::{EcdsaP256Sha256, Ed25519, HmacSha256, RsaPssSha512, RsaV15Sha256};
use proptest::prelude::*;

/// A 1024-bit RSA public key, made for this test only.
const RSA_1024: &str = "-----BEGIN RSA PUBLIC KEY-----
MIGJAoGBALAj8naZV/d+ZnsPyDClG2Z1JTfr18zRWq0DvR7mIUIzRPLHivHKutha
WuiWbfS6P3akxiJ7aJ+/Vl+QOHRZJCnGFSDkrSyeavj7Qa7YGWOCULumjGewLA2Q
Ufa+nL8U3BpXWUU/761YBiwS/YrluLi8f2nyRnLEhGRptvuhMFaLAgMBAAE=
-----END RSA PUBLIC KEY-----";

#[test]
fn every_algorithm_signs_and_notices_a_change() {
    for algorithm in SignatureAlgorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let check = key.verifying_key().unwrap();
        assert_eq!(check.algorithm(), algorithm);
        let made = key.sign(b"base").unwrap();
        assert!(check.verify(b"base", &made), "{algorithm}");
        assert!(!check.verify(b"bass", &made), "{algorithm}");
        assert!(!check.verify(b"base", &made[1..]), "{algorithm}");
        assert!(!check.verify(b"base", &[]), "{algorithm}");
        let stranger = SigningKey::generate(algorithm)
            .unwrap()
            .verifying_key()
            .unwrap();
        assert!(!stranger.verify(b"base", &made), "{algorithm}");
        if matches!(algorithm, Ed25519 | EcdsaP256Sha256) {
            assert_eq!(made.len(), 64);
        }
    }
}

#[test]
fn keys_survive_their_encodings() {
    for algorithm in SignatureAlgorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let made = key.sign(b"base").unwrap();
        let copies = if algorithm == HmacSha256 {
            assert!(key.private_pem().is_err() && key.public_spki_pem().is_err());
            vec![SigningKey::from_secret(&key.private_bytes().unwrap()).unwrap()]
        } else {
            let pem = key.private_pem().unwrap();
            let public = [
                key.public_spki_der().unwrap(),
                key.public_spki_pem().unwrap().into(),
            ];
            for public in public {
                assert!(
                    VerifyingKey::from_public(algorithm, &public)
                        .unwrap()
                        .verify(b"base", &made)
                );
            }
            vec![
                SigningKey::from_private(algorithm, pem.as_bytes()).unwrap(),
                SigningKey::from_private(algorithm, &key.private_bytes().unwrap()).unwrap(),
            ]
        };
        for copy in copies {
            assert!(copy.verifying_key().unwrap().verify(b"base", &made));
            let made = copy.sign(b"base").unwrap();
            assert!(key.verifying_key().unwrap().verify(b"base", &made));
        }
    }
}

#[test]
fn a_seed_gives_the_key_of_rfc_8032() {
    let seed: [u8; 32] = [
        0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c,
        0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae,
        0x7f, 0x60,
    ];
    let key = SigningKey::from_seed(&seed).unwrap();
    let spki = key.public_spki_der().unwrap();
    assert_eq!(spki[12..16], [0xd7, 0x5a, 0x98, 0x01]);
    assert!(
        VerifyingKey::from_public(Ed25519, &spki[12..]).is_ok(),
        "32 raw bytes"
    );
}

#[test]
fn weak_foreign_and_damaged_keys_are_refused() {
    let detail = |key: Result<VerifyingKey, Error>| key.unwrap_err().to_string();
    for algorithm in [RsaPssSha512, RsaV15Sha256] {
        let refusal = detail(VerifyingKey::from_public(algorithm, RSA_1024.as_bytes()));
        assert!(refusal.contains("2048 bits"), "{refusal}");
    }
    assert!(detail(VerifyingKey::from_secret(&[7; 31])).contains("at least 32 bytes"));
    assert!(detail(VerifyingKey::from_secret(&[7; 20_000])).contains("at most 16384"));
    assert!(SigningKey::from_secret(b"short").is_err());
    let ed25519 = SigningKey::generate(Ed25519).unwrap();
    for algorithm in [EcdsaP256Sha256, RsaPssSha512, RsaV15Sha256, HmacSha256] {
        let public = ed25519.public_spki_der().unwrap();
        let private = ed25519.private_bytes().unwrap();
        assert!(VerifyingKey::from_public(algorithm, &public).is_err());
        assert!(SigningKey::from_private(algorithm, &private).is_err());
    }
    for algorithm in SignatureAlgorithm::ALL {
        for bytes in [&[][..], b"-----BEGIN", &[0x30; 90]] {
            assert!(VerifyingKey::from_public(algorithm, bytes).is_err());
            assert!(SigningKey::from_private(algorithm, bytes).is_err());
        }
    }
}

#[test]
fn debug_tells_the_algorithm_and_nothing_else() {
    let key = SigningKey::from_secret(&[65; 32]).unwrap();
    assert_eq!(format!("{key:?}"), "SigningKey(hmac-sha256)");
    assert_eq!(
        format!("{:?}", key.verifying_key().unwrap()),
        "VerifyingKey(hmac-sha256)"
    );
}

proptest! {
    #[test]
    fn garbage_is_no_key_and_no_signature(bytes: Vec<u8>, algorithm in 0..4_usize) {
        let algorithm = SignatureAlgorithm::ALL[algorithm];
        prop_assume!(bytes.len() != 32);
        prop_assert!(VerifyingKey::from_public(algorithm, &bytes).is_err());
        prop_assert!(SigningKey::from_private(algorithm, &bytes).is_err());
        let key = SigningKey::from_seed(&[7; 32]).unwrap().verifying_key().unwrap();
        prop_assert!(!key.verify(b"base", &bytes));
    }
}
