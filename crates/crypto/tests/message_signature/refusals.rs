//! Each way in which a signature can be wrong has its own answer.

use crate::common::{NOW_S, REQUEST, TAG, Text, claiming, keys, parameters};
use paywarden_crypto::{
    Error, SignatureAlgorithm, SigningKey,
    message_signature::{
        Component, Form, Message, Parameters, Part, Policy, SignatureInput, Signatures, sign,
        verify,
    },
};

const COVERED: &str = "\"@method\" \"@target-uri\" \"content-digest\" \"content-type\" \
    \"idempotency-key\"";
const PARAMETERS: &str = ";created=1700000000;keyid=\"key_1\";nonce=\"n-1\";tag=\"paywarden\"";

#[track_caller]
fn assert_malformed(message: &Text, wanted: &str) {
    match message.check(&keys().1) {
        Err(Error::SignatureMalformed { detail }) => {
            assert!(detail.contains(wanted), "{detail:?} should say {wanted:?}");
        }
        other => panic!("{other:?} should be malformed: {wanted}"),
    }
}

#[test]
fn every_algorithm_passes_and_every_change_is_noticed() {
    for algorithm in SignatureAlgorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let check = key.verifying_key().unwrap();
        let signed = Text::parse(REQUEST).signed("sig1", &key, &[]);
        assert_eq!(signed.check(&check).unwrap(), 1, "{algorithm}");
        let changed = [
            Text {
                first: "PUT".into(),
                ..signed.clone()
            },
            Text {
                second: "/v1/decisions?trial=2".into(),
                ..signed.clone()
            },
            signed.clone().replacing("content-type", "json", "xml"),
            signed.clone().replacing("idempotency-key", "k-1", "k-2"),
            signed.clone().replacing("content-digest", "X48E", "X48F"),
            signed.clone().replacing("signature-input", "n-1", "n-2"),
            signed
                .clone()
                .replacing("signature-input", "1700000000", "1700000001"),
            signed
                .clone()
                .replacing("signature-input", ";tag", ";expires=1800000000;tag"),
            signed
                .clone()
                .replacing("signature-input", ";tag", ";later;tag"),
        ];
        for message in changed {
            let refusal = message.check(&check);
            assert!(
                matches!(refusal, Err(Error::SignatureInvalid { .. })),
                "{refusal:?}"
            );
        }
        let stranger = SigningKey::generate(algorithm)
            .unwrap()
            .verifying_key()
            .unwrap();
        assert!(matches!(
            signed.check(&stranger),
            Err(Error::SignatureInvalid { .. })
        ));
    }
}

#[test]
fn an_invalid_signature_shows_our_base() {
    let (key, check) = keys();
    let signed =
        Text::parse(REQUEST)
            .signed("sig1", &key, &[])
            .replacing("content-type", "js", "x");
    let Err(Error::SignatureInvalid { base, .. }) = signed.check(&check) else {
        panic!()
    };
    assert_eq!(base, signed.base().unwrap());
    assert!(base.contains("\"content-type\": application/xon\n"));
    assert!(base.ends_with(&format!("\"@signature-params\": ({COVERED}){PARAMETERS}")));
}

#[test]
fn what_the_policy_wants_covered_is_named_when_it_is_not() {
    let (key, check) = keys();
    let missing = |components: &[Component<'_>], parameters: &Parameters<'_>| {
        let message = Text::parse(REQUEST).signed_over("sig1", &key, components, parameters);
        match message.check(&check) {
            Ok(_) => String::new(),
            Err(Error::SignatureComponents { missing }) => missing.join(" "),
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(
        missing(
            &[],
            &Parameters {
                tag: Some(TAG.into()),
                ..Parameters::default()
            }
        ),
        format!("{COVERED} ;created ;keyid ;nonce")
    );
    let fields = ["content-digest", "content-type", "idempotency-key"].map(Component::field);
    let with = |parts: &[Part<'static>]| {
        let parts: Vec<_> = parts.iter().cloned().map(Component::new).collect();
        missing(&[&parts[..], &fields].concat(), &parameters())
    };
    let (method, authority, path) = (Part::Method, Part::Authority, Part::Path);
    assert_eq!(with(&[Part::TargetUri, method.clone()]), "");
    assert_eq!(
        with(&[method.clone(), authority.clone(), path.clone(), Part::Query]),
        ""
    );
    assert_eq!(
        with(&[method.clone(), authority.clone(), Part::RequestTarget]),
        ""
    );
    assert_eq!(
        with(&[method.clone(), authority.clone(), path.clone()]),
        "\"@target-uri\""
    );
    assert_eq!(with(&[method, path, Part::Query]), "\"@target-uri\"");
    assert_eq!(with(&[authority, Part::RequestTarget]), "\"@method\"");
}

#[test]
fn a_target_without_query_needs_no_query_covered() {
    let (key, check) = keys();
    let parts = [Part::Method, Part::Authority, Part::Path].map(Component::new);
    let message = Text::parse("GET /v1 HTTP/1.1\nHost: pay.example\n\n");
    let signed = message.signed_over("sig1", &key, &parts, &parameters());
    assert_eq!(signed.check(&check).unwrap(), 1);
    let with_query = Text {
        second: "/v1?x".into(),
        ..signed
    };
    assert!(matches!(
        with_query.check(&check),
        Err(Error::SignatureComponents { .. })
    ));
}

#[test]
fn a_response_bound_to_a_target_is_bound_to_its_query() {
    let (key, check) = keys();
    let target = [Component {
        part: Part::TargetUri,
        of_request: true,
    }];
    let policy = Policy {
        required: &target,
        ..Policy::response(TAG)
    };
    let parts = [Part::Authority, Part::Path].map(|part| Component {
        part,
        of_request: true,
    });
    for (url, passes) in [("/v1", true), ("/v1?x", false)] {
        let request = Text::parse(&format!("GET {url} HTTP/1.1\nHost: a\n\n"));
        let view = request.request();
        let mut answer = Text::parse("HTTP/1.1 200 OK\n\n");
        let response = answer.response(Some(&view));
        let fields = sign(
            &Message::Response(&response),
            "r",
            &parts,
            &parameters(),
            &key,
        )
        .unwrap();
        fields.insert_into(&mut answer.headers);
        let signatures = Signatures::parse(&answer.headers).unwrap();
        let response = answer.response(Some(&view));
        let answer = verify(
            &Message::Response(&response),
            &signatures,
            &policy,
            NOW_S,
            |_| Ok::<_, Error>(&check),
        );
        assert_eq!(answer.is_ok(), passes, "{url}");
    }
}

#[test]
fn a_required_field_is_covered_by_any_form_of_its_whole_value() {
    let (key, check) = keys();
    let rest = [
        Component::new(Part::Method),
        Component::new(Part::TargetUri),
        Component::field("content-type"),
        Component::field("idempotency-key"),
    ];
    for (form, passes) in [
        (Form::Strict, true),
        (Form::Bytes, true),
        (Form::Member("sha-256".into()), false),
    ] {
        let digest = Component::new(Part::Field("content-digest", form));
        let covered = [&rest[..], &[digest]].concat();
        let signed = Text::parse(REQUEST).signed_over("sig1", &key, &covered, &parameters());
        assert_eq!(signed.check(&check).is_ok(), passes);
    }
}

#[test]
fn the_window_has_two_ends_and_expires_is_a_third() {
    let (key, check) = keys();
    let signed = Text::parse(REQUEST).signed("sig1", &key, &[]);
    for (now_s, passes) in [
        (0, true),
        (300, true),
        (301, false),
        (-60, true),
        (-61, false),
    ] {
        let answer = signed.check_at(&check, NOW_S + now_s);
        assert_eq!(answer.is_ok(), passes, "{now_s}");
        assert!(passes || matches!(answer, Err(Error::SignatureExpired { .. })));
    }
    let components: Vec<_> = Signatures::parse(&signed.headers)
        .unwrap()
        .iter()
        .next()
        .unwrap()
        .input
        .components()
        .map(ToString::to_string)
        .collect();
    assert_eq!(components.join(" "), COVERED);
    let expiring = signed
        .clone()
        .replacing("signature-input", ";tag", ";expires=1700000010;tag");
    assert!(matches!(
        expiring.check_at(&check, NOW_S + 11),
        Err(Error::SignatureExpired { .. })
    ));
    assert!(matches!(
        expiring.check_at(&check, NOW_S + 10),
        Err(Error::SignatureInvalid { .. })
    ));
    for created in ["-999999999999999", "999999999999999"] {
        let odd = signed
            .clone()
            .replacing("signature-input", "1700000000", created);
        assert!(matches!(
            odd.check_at(&check, i64::MAX),
            Err(Error::SignatureExpired { .. })
        ));
    }
}

#[test]
fn the_message_never_chooses_the_algorithm() {
    let (key, check) = keys();
    let good = Parameters {
        alg: Some("ed25519".into()),
        ..parameters()
    };
    let covered = [Part::Method, Part::TargetUri].map(Component::new);
    let message = Text::parse("GET / HTTP/1.1\nHost: a\n\n");
    let signed = message.clone().signed_over("sig1", &key, &covered, &good);
    assert_eq!(signed.check(&check).unwrap(), 1);
    for name in ["hmac-sha256", "none", ""] {
        let other = signed.clone().replacing("signature-input", "ed25519", name);
        match other.check(&check) {
            Err(Error::SignatureInvalid { detail, .. }) => assert!(detail.contains("alg")),
            answer => panic!("{answer:?}"),
        }
    }
    let wrong = Parameters {
        alg: Some("hmac-sha256".into()),
        ..parameters()
    };
    let request = message.request();
    assert!(sign(&Message::Request(&request), "sig1", &covered, &wrong, &key).is_err());
}

#[test]
fn a_public_key_is_never_an_hmac_secret() {
    let (key, _) = keys();
    let public = key.public_spki_der().unwrap();
    let forger = SigningKey::from_secret(&public).unwrap();
    let forged = Text::parse(REQUEST).signed("sig1", &forger, &[]);
    let check = key.verifying_key().unwrap();
    assert!(matches!(
        forged.check(&check),
        Err(Error::SignatureInvalid { .. })
    ));
}

#[test]
fn all_signatures_with_our_tag_must_pass_and_one_must_be_there() {
    let (key, check) = keys();
    let stranger = keys().0;
    let covered = [Part::Method, Part::TargetUri].map(Component::new);
    let message = Text::parse("GET / HTTP/1.1\nHost: a\n\n");
    let other_tag = Parameters {
        tag: Some("theirs".into()),
        ..parameters()
    };
    let ours = |message: Text, label| message.signed_over(label, &key, &covered, &parameters());

    assert!(matches!(
        message.check(&check),
        Err(Error::SignatureMissing { .. })
    ));
    let theirs = message
        .clone()
        .signed_over("theirs", &stranger, &[], &other_tag);
    assert!(matches!(
        theirs.check(&check),
        Err(Error::SignatureMissing { .. })
    ));
    assert_eq!(ours(theirs, "sig1").check(&check).unwrap(), 1);
    assert_eq!(
        ours(ours(message.clone(), "a"), "b").check(&check).unwrap(),
        2
    );
    let bad = message.signed_over("bad", &stranger, &covered, &parameters());
    assert!(matches!(
        ours(bad.clone(), "sig1").check(&check),
        Err(Error::SignatureInvalid { .. })
    ));
    assert!(matches!(
        bad.check(&check),
        Err(Error::SignatureInvalid { .. })
    ));
}

#[test]
fn the_caller_says_which_keys_exist_and_is_asked_last() {
    #[derive(Debug, PartialEq)]
    enum Answer {
        KeyUnknown(String),
        Signature,
    }
    impl From<Error> for Answer {
        fn from(_: Error) -> Self {
            Self::Signature
        }
    }
    let (key, _) = keys();
    let ask = |message: &Text, now_s| {
        let signatures = Signatures::parse(&message.headers).unwrap();
        let request = message.request();
        let policy = Policy::request(TAG);
        verify(
            &Message::Request(&request),
            &signatures,
            &policy,
            now_s,
            |signature| {
                let keyid = signature
                    .input
                    .parameters()
                    .keyid
                    .as_deref()
                    .unwrap_or_default();
                Err::<std::sync::Arc<paywarden_crypto::VerifyingKey>, _>(Answer::KeyUnknown(
                    keyid.into(),
                ))
            },
        )
        .unwrap_err()
    };
    let signed = Text::parse(REQUEST).signed("sig1", &key, &[]);
    assert_eq!(ask(&signed, NOW_S), Answer::KeyUnknown("key_1".into()));
    assert_eq!(ask(&signed, NOW_S + 301), Answer::Signature);
}

#[test]
fn malformed_inputs_are_named() {
    let all = |covered: &str| claiming(&format!("sig1=({covered}){PARAMETERS}"));
    for (covered, wanted) in [
        ("\"@method\" \"@method\"", "covered twice"),
        ("\"a\";req;sf \"a\";sf;req", "covered twice"),
        ("\"@nothing\"", "derived component is unknown"),
        ("\"@signature-params\"", "derived component is unknown"),
        ("\"Host\"", "lower case"),
        ("\"\"", "lower case"),
        ("\"a b\"", "lower case"),
        ("\"a\\\"b\"", "not a name in quotes"),
        ("host", "not a name in quotes"),
        ("\"host\";tr", "(tr) are not supported"),
        ("\"host\";zz", "unknown parameter"),
        ("\"host\";bs;sf", "exclude each other"),
        ("\"host\";bs;key=\"a\"", "exclude each other"),
        ("\"host\";name=\"a\"", "exclude each other"),
        ("\"host\";sf=?0", "wrong type"),
        ("\"host\";sf;sf", "repeated"),
        ("\"host\";key=a", "wrong type"),
        ("\"@method\";sf", "belong to fields"),
        ("\"@method\";name=\"a\"", "belongs to @query-param"),
        ("\"@query-param\"", "needs a name"),
        ("\"@method\"\"@path\"", "delimiter"),
    ] {
        assert_malformed(&all(covered), wanted);
    }
    for (parameters, wanted) in [
        (";created=1;created=2", "repeated"),
        (";created=\"1\"", "wrong type"),
        (";created=1.5", "wrong type"),
        (";keyid=a", "wrong type"),
        (";x=1;x=2", "repeated"),
        (";nonce=:AA==:", "wrong type"),
    ] {
        assert_malformed(&claiming(&format!("sig1=(){parameters}")), wanted);
    }
    for input in [
        "sig1=\"@method\"",
        "sig1",
        "sig1=(",
        "sig1=() ()",
        "=()",
        "sig1=(),",
        "SIG=()",
    ] {
        assert_malformed(&claiming(input), "Signature-Input");
    }
}

#[test]
fn components_that_the_message_lacks_are_malformed() {
    for (covered, wanted) in [
        ("\"x-none\"", "does not have it"),
        ("\"@status\"", "does not have it"),
        ("\"@method\";req", "belongs to responses"),
        ("\"x-odd\";sf", "not a structured field"),
        ("\"x-odd\";key=\"a\"", "not a dictionary"),
    ] {
        let input = format!("sig1=({COVERED} {covered}){PARAMETERS}");
        assert_malformed(&claiming(&input).with("x-odd", "a b"), wanted);
    }
}

#[test]
fn labels_pair_up_across_the_two_fields() {
    let ours = format!("sig1=({COVERED}){PARAMETERS}");
    for message in [
        Text::parse(REQUEST).with("signature-input", &ours),
        Text::parse(REQUEST).with("signature", "sig1=:AAAA:"),
        Text::parse(REQUEST)
            .with("signature-input", &ours)
            .with("signature", "sig2=:AAAA:"),
        claiming(&ours).with("signature", "sig2=:AAAA:"),
    ] {
        assert_malformed(&message, "different labels");
    }
    assert_malformed(
        &claiming(&ours).with("signature-input", &ours),
        "label occurs twice",
    );
    assert_malformed(
        &claiming(&ours).with("signature", "sig1=:AAAA:"),
        "name occurs twice",
    );
    let not_bytes = Text::parse(REQUEST)
        .with("signature-input", &ours)
        .with("signature", "sig1=abc");
    assert_malformed(&not_bytes, "not a byte sequence");
}

#[test]
fn limits_have_an_answer() {
    let many = |count: usize| {
        (0..count)
            .map(|at| format!("\"x-{at}\""))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_malformed(
        &claiming(&format!("sig1=({}){PARAMETERS}", many(33))),
        "at most 32",
    );
    let names: Vec<String> = (0..33).map(|at| format!("x-{at}")).collect();
    let components: Vec<_> = names.iter().map(|name| Component::field(name)).collect();
    assert!(SignatureInput::new(&components, &parameters()).is_err());
    assert!(SignatureInput::new(&components[..32], &parameters()).is_ok());
    let inputs = (0..5)
        .map(|at| format!("s{at}=()"))
        .collect::<Vec<_>>()
        .join(", ");
    assert_malformed(&claiming(&inputs), "at most 4 signatures");
    let parameters: String = (0..17).map(|at| format!(";p{at}")).collect();
    assert_malformed(
        &claiming(&format!("sig1=(){parameters}")),
        "at most 16 parameters",
    );
    let values: String = (0..17).map(|at| format!("s{at}=:AA==:, ")).collect();
    assert_malformed(
        &claiming("sig1=()").with("signature", values.trim_end_matches(", ")),
        "at most 16",
    );
    let long = format!("sig1=();keyid=\"{}\"", "k".repeat(8192));
    assert_malformed(&claiming(&long), "at most 8192 bytes");
}

#[test]
fn what_cannot_be_written_is_not_signed() {
    let (key, _) = keys();
    let message = Text::parse(REQUEST);
    let request = message.request();
    let view = Message::Request(&request);
    let attempt = |label: &str, components: &[Component<'_>], parameters: &Parameters<'_>| {
        sign(&view, label, components, parameters, &key)
    };
    let keyid = |keyid: &str| Parameters {
        keyid: Some(keyid.to_owned().into()),
        ..parameters()
    };
    let method = Component::new(Part::Method);
    assert!(attempt("Sig", &[], &parameters()).is_err());
    assert!(attempt("", &[], &parameters()).is_err());
    assert!(attempt("s", &[], &keyid("é")).is_err());
    assert!(attempt("s", &[], &keyid("a\nb")).is_err());
    assert!(attempt("s", &[method.clone(), method], &parameters()).is_err());
    assert!(attempt("s", &[Component::field("x-none")], &parameters()).is_err());
    let quoted = attempt("s", &[], &keyid("a\"\\b")).unwrap();
    assert!(
        quoted
            .input
            .to_str()
            .unwrap()
            .contains("keyid=\"a\\\"\\\\b\"")
    );
}

#[test]
fn a_refusal_can_say_what_to_sign() {
    let message = Text::parse(REQUEST);
    let request = message.request();
    let wanted = Policy::request(TAG)
        .accept_signature(&Message::Request(&request))
        .unwrap();
    assert_eq!(
        wanted,
        &format!("sig1=({COVERED});created;keyid;nonce;tag=\"paywarden\"")
    );
}
