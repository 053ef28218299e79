//! What each component puts into the base, by the examples of RFC 9421 section 2 where it has any.

use crate::common::{NOW_S, TAG, Text, claiming, keys, parameters};
use http::{HeaderMap, Method, Uri};
use paywarden_crypto::{
    Error,
    message_signature::{
        Component, Form, Message, Parameters, Part, Policy, RequestView, SignatureInput,
        Signatures, sign, signature_base, verify,
    },
};

/// The one line that covering `identifier` adds to the base of a request.
fn line(request: &str, identifier: &str) -> Result<String, Error> {
    let input = format!("sig1=({identifier})");
    let message = Text::parse(request)
        .with("signature-input", &input)
        .with("signature", "sig1=:AA==:");
    let base = message.base()?;
    let (line, parameters) = base.split_once("\n\"@signature-params\": ").unwrap();
    assert_eq!(parameters, format!("({identifier})"));
    Ok(line
        .strip_prefix(&format!("{identifier}: "))
        .unwrap()
        .to_owned())
}

#[test]
fn derived_components_of_a_request() {
    let request = "GET /path?a=b&Pet=dog%20x&p=1&p=2 HTTP/1.1\nHost: WWW.Example.COM:443\n\n";
    for (identifier, value) in [
        ("\"@method\"", "GET"),
        (
            "\"@target-uri\"",
            "https://www.example.com/path?a=b&Pet=dog%20x&p=1&p=2",
        ),
        ("\"@authority\"", "www.example.com"),
        ("\"@scheme\"", "https"),
        ("\"@request-target\"", "/path?a=b&Pet=dog%20x&p=1&p=2"),
        ("\"@path\"", "/path"),
        ("\"@query\"", "?a=b&Pet=dog%20x&p=1&p=2"),
        ("\"@query-param\";name=\"Pet\"", "dog%20x"),
    ] {
        assert_eq!(line(request, identifier).unwrap(), value);
    }
    for absent in [
        "\"@status\"",
        "\"@query-param\";name=\"cat\"",
        "\"@query-param\";name=\"p\"",
    ] {
        assert!(
            matches!(line(request, absent), Err(Error::SignatureMalformed { .. })),
            "{absent}"
        );
    }
}

#[test]
fn targets_at_the_edges() {
    let bare = "GET  HTTP/1.1\nHost: example.com:8443\n\n";
    for (identifier, value) in [
        ("\"@path\"", "/"),
        ("\"@query\"", "?"),
        ("\"@authority\"", "example.com:8443"),
        ("\"@target-uri\"", "https://example.com:8443/"),
    ] {
        assert_eq!(line(bare, identifier).unwrap(), value);
    }
    for (host, value) in [
        ("[::1]:443", "[::1]"),
        ("[::1]", "[::1]"),
        ("a:", "a"),
        ("a:80", "a:80"),
    ] {
        let request = format!("GET /? HTTP/1.1\nHost: {host}\n\n");
        assert_eq!(line(&request, "\"@authority\"").unwrap(), value);
        assert_eq!(line(&request, "\"@request-target\"").unwrap(), "/?");
    }
}

#[test]
fn a_view_takes_its_authority_from_the_target_or_from_host() {
    let mut headers = HeaderMap::new();
    headers.insert("host", "from.host".parse().unwrap());
    let (origin, absolute) = (
        Uri::from_static("/a?b"),
        Uri::from_static("https://from.uri/a?b"),
    );
    for (uri, authority) in [(&origin, "from.host"), (&absolute, "from.uri")] {
        let view = RequestView::new(&Method::GET, uri, "https", &headers);
        assert_eq!(
            (view.authority, view.path, view.query),
            (authority, "/a", Some("b"))
        );
    }
}

#[test]
fn fields_are_trimmed_and_joined_in_order() {
    let request = "GET / HTTP/1.1\nHost: www.example.com\nCache-Control: max-age=60\n\
        Cache-Control:    must-revalidate  \nX-Empty:\nX-Tab: \ta\tb\t\n\
        Example-Dict:  a=1,    b=2;x=1;y=2,   c=(a   b   c), d\nExample-Dict: e=:AA==:\n\n";
    for (identifier, value) in [
        ("\"cache-control\"", "max-age=60, must-revalidate"),
        ("\"x-empty\"", ""),
        ("\"x-tab\"", "a\tb"),
        (
            "\"example-dict\"",
            "a=1,    b=2;x=1;y=2,   c=(a   b   c), d, e=:AA==:",
        ),
        (
            "\"example-dict\";sf",
            "a=1, b=2;x=1;y=2, c=(a b c), d, e=:AA==:",
        ),
        ("\"example-dict\";key=\"a\"", "1"),
        ("\"example-dict\";key=\"b\"", "2;x=1;y=2"),
        ("\"example-dict\";sf;key=\"c\"", "(a b c)"),
        ("\"example-dict\";key=\"d\"", "?1"),
        (
            "\"cache-control\";bs",
            ":bWF4LWFnZT02MA==:, :bXVzdC1yZXZhbGlkYXRl:",
        ),
        ("\"x-empty\";bs", "::"),
    ] {
        assert_eq!(line(request, identifier).unwrap(), value, "{identifier}");
    }
    for absent in [
        "\"x-none\"",
        "\"x-none\";bs",
        "\"example-dict\";key=\"z\"",
        "\"x-tab\";sf",
    ] {
        assert!(
            matches!(line(request, absent), Err(Error::SignatureMalformed { .. })),
            "{absent}"
        );
    }
}

#[test]
fn a_structured_field_that_could_be_two_things_is_refused() {
    let request = "GET / HTTP/1.1\nA: x, y;q=1\nB: x, y, x\nC: 1, 2\n\n";
    assert_eq!(line(request, "\"a\";sf").unwrap(), "x, y;q=1");
    assert!(
        line(request, "\"b\";sf")
            .unwrap_err()
            .to_string()
            .contains("differ")
    );
    assert_eq!(line(request, "\"c\";sf").unwrap(), "1, 2");
}

#[test]
fn bytes_that_are_not_ascii_need_bs() {
    let mut message = claiming("sig1=(\"x-name\")");
    message.headers.insert(
        "x-name",
        http::HeaderValue::from_bytes("é".as_bytes()).unwrap(),
    );
    assert!(
        message
            .base()
            .unwrap_err()
            .to_string()
            .contains("cover it with bs")
    );
    let message = message.replacing("signature-input", "\"x-name\"", "\"x-name\";bs");
    assert!(
        message
            .base()
            .unwrap()
            .starts_with("\"x-name\";bs: :w6k=:\n")
    );
}

#[test]
fn a_line_break_in_a_value_cannot_make_a_component() {
    let (method, headers) = ("GET\n\"@path\": /other", HeaderMap::new());
    let request = RequestView {
        method,
        scheme: "https",
        authority: "",
        path: "/",
        query: None,
        headers: &headers,
    };
    let input =
        SignatureInput::new(&[Component::new(Part::Method)], &Parameters::default()).unwrap();
    let refusal = signature_base(&Message::Request(&request), &input).unwrap_err();
    assert!(refusal.to_string().contains("line break"));
}

#[test]
fn a_response_is_bound_to_its_request() {
    let (key, check) = keys();
    let request = Text::parse(crate::common::REQUEST).signed("sig1", &key, &[]);
    let view = request.request();
    let mut answer = Text::parse("HTTP/1.1 403 Forbidden\nContent-Type: application/json\n\n");
    let covered = [
        Component::new(Part::Status),
        Component::field("content-type"),
        Component {
            part: Part::Field("signature", Form::Member("sig1".into())),
            of_request: true,
        },
        Component {
            part: Part::Method,
            of_request: true,
        },
    ];
    let response = answer.response(Some(&view));
    let fields = sign(
        &Message::Response(&response),
        "r",
        &covered,
        &parameters(),
        &key,
    )
    .unwrap();
    let input = fields.input.to_str().unwrap().to_owned();
    assert!(input.starts_with(
        "r=(\"@status\" \"content-type\" \"signature\";req;key=\"sig1\" \"@method\";req);created="
    ));
    fields.insert_into(&mut answer.headers);

    let policy = Policy {
        required: &covered,
        ..Policy::response(TAG)
    };
    let check_against = |request: Option<&RequestView<'_>>| {
        let signatures = Signatures::parse(&answer.headers).unwrap();
        let response = answer.response(request);
        verify(
            &Message::Response(&response),
            &signatures,
            &policy,
            NOW_S,
            |_| Ok::<_, Error>(&check),
        )
        .map(|verified| verified.len())
    };
    assert_eq!(check_against(Some(&view)).unwrap(), 1);
    let other = Text::parse(crate::common::REQUEST).signed("sig1", &keys().0, &[]);
    assert!(matches!(
        check_against(Some(&other.request())),
        Err(Error::SignatureInvalid { .. })
    ));
    assert!(matches!(
        check_against(None),
        Err(Error::SignatureMalformed { .. })
    ));
}
