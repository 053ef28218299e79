//! The test vectors of RFC 9421 appendix B.2, and the keys of B.1.
//!
//! All six stand here. Where `PAYWARDEN_DATA` is set, they are also read from its folder
//! `edge/rfc9421/testdata`, with their signature bases and the keys in all their encodings.

use crate::common::Text;
use SignatureAlgorithm::{EcdsaP256Sha256, Ed25519, RsaPssSha512, RsaV15Sha256};
use base64::{Engine, engine::general_purpose::STANDARD};
use paywarden_crypto::{
    SignatureAlgorithm, SigningKey, VerifyingKey,
    digest::verify_content_digest,
    message_signature::{Component, Message, Signatures, sign, signature_base},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

const REQUEST: &str = "POST /foo?param=Value&Pet=dog HTTP/1.1\n\
    Host: example.com\n\
    Date: Tue, 20 Apr 2021 02:07:55 GMT\n\
    Content-Type: application/json\n\
    Content-Digest: sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BN\
    NyealdVLvRwEmTHWXvJwew==:\n\
    Content-Length: 18\n\n{\"hello\": \"world\"}";
const RESPONSE: &str = "HTTP/1.1 200 OK\n\
    Date: Tue, 20 Apr 2021 02:07:56 GMT\n\
    Content-Type: application/json\n\
    Content-Digest: sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWd\
    XymyU0rjJuahq4l5aGgfLQ==:\n\
    Content-Length: 23\n\n{\"message\": \"good dog\"}";

const ED25519_PUBLIC: &str = "MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=";
const ED25519_PRIVATE: &str = "MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF";
const P256_PUBLIC: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lfw0EkjqF7\
    xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==";
const RSA_PUBLIC: &str = "\
    MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2+QEtvpuRaV8Yq40gjUR8\
    y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95An\
    dTrifbIFPNU8PPMO7OyrFAHqgDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUA\
    AN5WUtzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4aOT9v6d+nb4bnNkQ\
    VklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI2wIDAQAB";
const SECRET: &str = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8j\
    sasjlTMtDQ==";

/// `Signature-Input` and `Signature` of B.2.1 (nothing covered), B.2.2 and B.2.3.
const RSA_VECTORS: [(&str, &str); 3] = [
    (
        "sig-b21=();created=1618884473;keyid=\"test-key-rsa-pss\";\
         nonce=\"b3k2pp5k7z-50gnwp.yemd\"",
        "sig-b21=:d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31\
         Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhT\
         Sja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA\
         4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3\
         +7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q==:",
    ),
    (
        "sig-b22=(\"@authority\" \"content-digest\" \"@query-param\";name=\"Pet\");\
         created=1618884473;keyid=\"test-key-rsa-pss\";tag=\"header-example\"",
        "sig-b22=:LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlA\
         Jjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/\
         2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZ\
         UJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoK\
         UqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw==:",
    ),
    (
        "sig-b23=(\"date\" \"@method\" \"@path\" \"@query\" \"@authority\" \
         \"content-type\" \"content-digest\" \"content-length\");created=1618884473;\
         keyid=\"test-key-rsa-pss\"",
        "sig-b23=:bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1r\
         IRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMF\
         kl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipw\
         vKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5Z\
         JzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==:",
    ),
];

fn bytes(base64: &str) -> Vec<u8> {
    STANDARD.decode(base64).unwrap()
}

/// Checks base and signature of a request; signs it again and expects the very same fields if
/// the algorithm always gives the same signature.
fn check_request(
    message: &Text,
    expected_base: &str,
    check: &VerifyingKey,
    again: Option<&SigningKey>,
) {
    let request = message.request();
    let view = Message::Request(&request);
    let signatures = Signatures::parse(&message.headers).unwrap();
    let signature = signatures.iter().next().unwrap();
    let base = signature_base(&view, &signature.input).unwrap();
    assert_eq!(base, expected_base);
    assert!(check.verify(base.as_bytes(), &signature.value));
    if let Some(key) = again {
        let components: Vec<Component<'_>> = signature.input.components().cloned().collect();
        let parameters = signature.input.parameters();
        let fields = sign(&view, signature.label, &components, parameters, key).unwrap();
        assert_eq!(
            fields.input,
            message.headers["signature-input"].to_str().unwrap().trim()
        );
        assert_eq!(
            fields.signature,
            message.headers["signature"].to_str().unwrap().trim()
        );
    }
}

#[test]
fn b_2_1_to_b_2_3_rsa_pss_requests() {
    let check = VerifyingKey::from_public(RsaPssSha512, &bytes(RSA_PUBLIC)).unwrap();
    for (input, value) in RSA_VECTORS {
        let message = Text::parse(REQUEST)
            .with("signature-input", input)
            .with("signature", value);
        let request = message.request();
        let signatures = Signatures::parse(&message.headers).unwrap();
        let signature = signatures.iter().next().unwrap();
        let base = signature_base(&Message::Request(&request), &signature.input).unwrap();
        assert!(check.verify(base.as_bytes(), &signature.value), "{base}");
    }
}

#[test]
fn b_2_4_ecdsa_response() {
    let message = Text::parse(RESPONSE)
        .with(
            "signature-input",
            "sig-b24=(\"@status\" \"content-type\" \"content-digest\" \"content-length\")\
             ;created=1618884473;keyid=\"test-key-ecc-p256\"",
        )
        .with(
            "signature",
            "sig-b24=:wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkL\
             Ij+32oiasw==:",
        );
    let response = message.response(None);
    let signatures = Signatures::parse(&message.headers).unwrap();
    let signature = signatures.iter().next().unwrap();
    let base = signature_base(&Message::Response(&response), &signature.input).unwrap();
    assert!(base.starts_with("\"@status\": 200\n\"content-type\": application/json\n"));
    let key = VerifyingKey::from_public(EcdsaP256Sha256, &bytes(P256_PUBLIC)).unwrap();
    assert!(key.verify(base.as_bytes(), &signature.value));
    verify_content_digest(&message.headers, b"{\"message\": \"good dog\"}").unwrap();
}

#[test]
fn b_2_5_hmac_request() {
    let message = Text::parse(REQUEST)
        .with(
            "signature-input",
            "sig-b25=(\"date\" \"@authority\" \"content-type\")\
             ;created=1618884473;keyid=\"test-shared-secret\"",
        )
        .with(
            "signature",
            "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:",
        );
    let base = "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\
        \"@authority\": example.com\n\
        \"content-type\": application/json\n\
        \"@signature-params\": (\"date\" \"@authority\" \"content-type\")\
        ;created=1618884473;keyid=\"test-shared-secret\"";
    let key = SigningKey::from_secret(&bytes(SECRET)).unwrap();
    check_request(&message, base, &key.verifying_key().unwrap(), Some(&key));
}

#[test]
fn b_2_6_ed25519_request() {
    let message = Text::parse(REQUEST)
        .with(
            "signature-input",
            "sig-b26=(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \
             \"content-length\");created=1618884473;keyid=\"test-key-ed25519\"",
        )
        .with(
            "signature",
            "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lI\
             p5WPpBKRCw==:",
        );
    let base = "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\
        \"@method\": POST\n\
        \"@path\": /foo\n\
        \"@authority\": example.com\n\
        \"content-type\": application/json\n\
        \"content-length\": 18\n\
        \"@signature-params\": (\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \
        \"content-length\");created=1618884473;keyid=\"test-key-ed25519\"";
    let key = SigningKey::from_private(Ed25519, &bytes(ED25519_PRIVATE)).unwrap();
    let check = VerifyingKey::from_public(Ed25519, &bytes(ED25519_PUBLIC)).unwrap();
    assert_eq!(key.public_spki_der().unwrap(), bytes(ED25519_PUBLIC));
    check_request(&message, base, &check, Some(&key));
}

/// The folder with the vectors as files, if there is one.
fn folder() -> Option<PathBuf> {
    Some(PathBuf::from(std::env::var_os("PAYWARDEN_DATA")?).join("edge/rfc9421/testdata"))
}

fn shared_key(folder: &Path, vector: &str) -> (VerifyingKey, Option<SigningKey>) {
    let file = |name: &str| fs::read(folder.join(name)).unwrap();
    match vector {
        "b25" => {
            let secret = String::from_utf8(file("test-shared-secret")).unwrap();
            let key = SigningKey::from_secret(&bytes(secret.trim())).unwrap();
            (key.verifying_key().unwrap(), Some(key))
        }
        "b26" => (
            VerifyingKey::from_public(Ed25519, &file("test-key-ed25519.pub")).unwrap(),
            Some(SigningKey::from_private(Ed25519, &file("test-key-ed25519.key")).unwrap()),
        ),
        _ => (
            VerifyingKey::from_public(RsaPssSha512, &file("test-key-rsa-pss.pub")).unwrap(),
            None,
        ),
    }
}

#[test]
fn request_vectors_from_files() {
    let Some(folder) = folder() else { return };
    for vector in ["b21", "b22", "b23", "b25", "b26"] {
        let read = |kind| fs::read_to_string(folder.join(format!("{vector}_request_{kind}.txt")));
        let message = Text::parse(&read("signed").unwrap());
        let (check, again) = shared_key(&folder, vector);
        check_request(
            &message,
            read("sigbase").unwrap().trim_end(),
            &check,
            again.as_ref(),
        );
        verify_content_digest(&message.headers, b"{\"hello\": \"world\"}").unwrap();
        assert!(
            verify_content_digest(&message.headers, b"{\"hello\": \"bad digest world\"}").is_err()
        );
    }
}

#[test]
fn response_vector_from_files() {
    let Some(folder) = folder() else { return };
    let read = |kind| fs::read_to_string(folder.join(format!("b24_response_{kind}.txt"))).unwrap();
    let message = Text::parse(&read("signed"));
    let signatures = Signatures::parse(&message.headers).unwrap();
    let signature = signatures.iter().next().unwrap();
    let response = message.response(None);
    let base = signature_base(&Message::Response(&response), &signature.input).unwrap();
    assert_eq!(base, read("sigbase").trim_end());
    let public = fs::read(folder.join("test-key-ecc-p256.pub")).unwrap();
    let check = VerifyingKey::from_public(EcdsaP256Sha256, &public).unwrap();
    assert!(check.verify(base.as_bytes(), &signature.value));
}

#[test]
fn one_good_and_one_bad_signature_from_files() {
    let Some(folder) = folder() else { return };
    let text = fs::read_to_string(folder.join("verify_request2.txt")).unwrap();
    let message = Text::parse(&text);
    let (check, _) = shared_key(&folder, "b21");
    let request = message.request();
    let passes: Vec<bool> = Signatures::parse(&message.headers)
        .unwrap()
        .iter()
        .map(|signature| {
            let base = signature_base(&Message::Request(&request), &signature.input).unwrap();
            check.verify(base.as_bytes(), &signature.value)
        })
        .collect();
    assert_eq!(passes, [true, false]);
}

/// PKCS#8 marked PSS-only, SEC1, PKCS#1 and PKCS#8 private keys; SPKI and PKCS#1 public ones.
#[test]
fn the_keys_of_appendix_b_1_are_read_in_all_their_encodings() {
    let Some(folder) = folder() else { return };
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    for (algorithm, name) in [
        (RsaPssSha512, "test-key-rsa-pss"),
        (RsaPssSha512, "test-key-rsa"),
        (RsaV15Sha256, "test-key-rsa"),
        (EcdsaP256Sha256, "test-key-ecc-p256"),
        (Ed25519, "test-key-ed25519"),
    ] {
        let key = SigningKey::from_private(algorithm, &read(&format!("{name}.key"))).unwrap();
        let check = VerifyingKey::from_public(algorithm, &read(&format!("{name}.pub"))).unwrap();
        assert!(check.verify(b"base", &key.sign(b"base").unwrap()), "{name}");
        let again = key.sign(b"base").unwrap() == key.sign(b"base").unwrap();
        assert_eq!(again, matches!(algorithm, Ed25519 | RsaV15Sha256), "{name}");
    }
    assert!(
        VerifyingKey::from_public(RsaV15Sha256, &read("key-rsa-v15.pub")).is_err(),
        "1024 bits"
    );
    assert!(
        SigningKey::from_private(RsaV15Sha256, &read("key-rsa-v15.key")).is_err(),
        "1024 bits"
    );
    for name in ["test-key-ecc-p384.pub", "test-key-ed25519.pub"] {
        assert!(
            VerifyingKey::from_public(EcdsaP256Sha256, &read(name)).is_err(),
            "{name}"
        );
    }
    let wrong_curve = SigningKey::from_private(EcdsaP256Sha256, &read("test-key-ecc-p384.key"));
    assert!(wrong_curve.is_err());
}
