//! Over random messages: what is signed verifies, whatever the order; garbage never panics.

use crate::common::{NOW_S, TAG, Text, keys};
use http::{HeaderMap, HeaderValue};
use paywarden_crypto::{
    Error, SignatureAlgorithm, SigningKey, VerifyingKey,
    message_signature::{
        Component, Form, Message, Parameters, Part, Policy, RequestView, Signatures, sign,
        signature_base, verify,
    },
};
use proptest::{prelude::*, sample::subsequence, string::string_regex};
use std::sync::LazyLock;

static KEYS: LazyLock<Vec<(SigningKey, VerifyingKey)>> = LazyLock::new(|| {
    SignatureAlgorithm::ALL
        .into_iter()
        .map(|algorithm| {
            let key = SigningKey::generate(algorithm).unwrap();
            let check = key.verifying_key().unwrap();
            (key, check)
        })
        .collect()
});

const NAMES: [&str; 4] = ["x-one", "x-two", "x-three", "content-type"];

fn components() -> impl Strategy<Value = Vec<Component<'static>>> {
    let mut all: Vec<_> = [
        Part::Method,
        Part::TargetUri,
        Part::Authority,
        Part::Scheme,
        Part::RequestTarget,
        Part::Path,
        Part::Query,
    ]
    .map(Component::new)
    .into();
    for name in NAMES {
        all.push(Component::field(name));
        all.push(Component::new(Part::Field(name, Form::Bytes)));
    }
    subsequence(all.clone(), 0..all.len()).prop_shuffle()
}

prop_compose! {
    fn parameters()(
        keyid in "[ -~]{1,20}", nonce in "[ -~]{1,20}", expires: Option<u16>,
    ) -> Parameters<'static> {
        Parameters {
            created_s: Some(NOW_S),
            expires_s: expires.map(|seconds| NOW_S + i64::from(seconds)),
            keyid: Some(keyid.into()),
            nonce: Some(nonce.into()),
            alg: None,
            tag: Some(TAG.into()),
        }
    }
}

prop_compose! {
    /// Up to three lines for each of the names.
    fn headers()(
        values in prop::collection::vec((0..NAMES.len(), "[ -~\t]{0,20}"), 0..8),
    ) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for name in NAMES {
            headers.append(name, HeaderValue::from_static("first"));
        }
        for (at, value) in values {
            headers.append(NAMES[at], value.parse().unwrap());
        }
        headers
    }
}

/// Text that is nearly a `Signature-Input`.
fn near_miss() -> impl Strategy<Value = String> {
    let flags = r#"(;(sf|bs|req|key="a"|name="p"|tr))?"#;
    let names = "(@method|@query-param|host|x|@path)";
    let parameters = r#"(;(created|keyid|nonce|x)(=(1|"a"|-5|:AA==:|\?1))?){0,4}"#;
    let member = format!(r#"sig[1-9]=\(("{names}"{flags}( )?){{0,4}}\){parameters}"#);
    string_regex(&format!("({member}(, )?){{0,6}}")).unwrap()
}

fn open_policy() -> Policy<'static> {
    Policy {
        required: &[],
        required_if_present: &[],
        whole_target: false,
        ..Policy::request(TAG)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_signed_verifies_and_tells_the_same(
        which in 0..SignatureAlgorithm::ALL.len(),
        covered in components(),
        parameters in parameters(),
        mut headers in headers(),
        path in "/[a-z/%0-9]{0,12}",
        query in prop::option::of("[a-z=&%0-9+]{0,20}"),
    ) {
        let (key, check) = &KEYS[which];
        let view = |headers| RequestView {
            method: "POST", scheme: "https", authority: "Pay.Example:443",
            path: &path, query: query.as_deref(), headers,
        };
        let unsigned = headers.clone();
        let request = view(&unsigned);
        let fields = sign(&Message::Request(&request), "s", &covered, &parameters, key).unwrap();
        fields.insert_into(&mut headers);
        let signatures = Signatures::parse(&headers).unwrap();
        let request = view(&headers);
        let answer = verify(&Message::Request(&request), &signatures, &open_policy(), NOW_S, |_| {
            Ok::<_, Error>(check)
        }).unwrap();
        prop_assert_eq!(answer[0].input.components().cloned().collect::<Vec<_>>(), covered);
        prop_assert_eq!(Some(answer[0].keyid), parameters.keyid.as_deref());
        prop_assert_eq!(answer[0].nonce, parameters.nonce.as_deref());
    }

    /// The defect of signers and verifiers that put parameters in an order of their own.
    #[test]
    fn any_order_and_spacing_of_parameters_is_kept(
        shuffled in Just(vec![
            "created=1700000000", "keyid=\"k\"", "nonce=\"n\"", "tag=\"paywarden\"",
            "expires=1700000300", "alg=\"ed25519\"", "extra", "more=?0", "ratio=1.50", "at=@5",
        ]).prop_shuffle(),
        space in prop::sample::select(vec!["", " ", "   "]),
    ) {
        let (key, check) = keys();
        let received = shuffled.join(&format!(";{space}"));
        let canonical = shuffled.join(";").replace("1.50", "1.5");
        let covered = "\"@method\" \"@target-uri\"";
        let lines = "\"@method\": GET\n\"@target-uri\": https://a/\n\"@signature-params\": ";
        let base = format!("{lines}({covered});{canonical}");
        let made = key.sign(base.as_bytes()).unwrap();
        let made = sfv::ItemSerializer::new().bare_item(&made[..]).finish();
        let message = Text::parse("GET / HTTP/1.1\nHost: a\n\n")
            .with("signature-input", &format!("sig1=({space}{covered}{space});{space}{received}"))
            .with("signature", &format!("sig1={made}"));
        prop_assert_eq!(message.base().unwrap(), base);
        prop_assert_eq!(message.check(&check).unwrap(), 1);
    }

    #[test]
    fn garbage_never_panics(input: Vec<u8>, value: Vec<u8>) {
        check_garbage(&input, &value);
    }

    #[test]
    fn near_misses_never_panic(
        input in near_miss(),
        value in "(sig[1-9]=:[A-Za-z0-9+/]{0,12}=?:(, )?){0,6}",
    ) {
        check_garbage(input.as_bytes(), value.as_bytes());
    }
}

fn check_garbage(input: &[u8], value: &[u8]) {
    let mut headers = HeaderMap::new();
    for (name, bytes) in [
        ("signature-input", input),
        ("signature", value),
        ("x", value),
    ] {
        if let Ok(line) = HeaderValue::from_bytes(bytes) {
            headers.append(name, line);
        }
    }
    let Ok(signatures) = Signatures::parse(&headers) else {
        return;
    };
    let request = RequestView {
        method: "GET",
        scheme: "https",
        authority: "a",
        path: "/",
        query: Some("p=1"),
        headers: &headers,
    };
    for signature in signatures.iter() {
        let _ = signature_base(&Message::Request(&request), &signature.input);
    }
}
