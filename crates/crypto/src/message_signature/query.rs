//! Query parameters, decoded and encoded again the one way RFC 9421 section 2.2.8 asks for.

/// Appends the encoded value of the one parameter whose encoded name is `wanted`, or says why
/// not. A name that occurs twice has no one value.
pub(super) fn push_parameter(
    out: &mut String,
    query: &str,
    wanted: &str,
) -> Result<(), &'static str> {
    let mut found = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let mark = out.len();
        push_reencoded(out, name);
        let is_wanted = out.get(mark..) == Some(wanted);
        out.truncate(mark);
        if is_wanted && found.replace(value).is_some() {
            return Err("occurs more than once");
        }
    }
    found
        .map(|value| push_reencoded(out, value))
        .ok_or("it does not have")
}

/// Appends a name or value of a query: form-decoded (`+` is a space), then percent-encoded as
/// the WHATWG URL standard does for forms, with `%20` for a space. Bytes that are not UTF-8 stay
/// what they are, so that two different queries never sign alike.
fn push_reencoded(out: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = decoded(rest) {
        rest = after;
        if byte.is_ascii_alphanumeric() || b"*-._".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let digit = |nibble: u8| char::from(HEX[usize::from(nibble & 15)]);
            out.extend(['%', digit(byte >> 4), digit(byte)]);
        }
    }
}

/// The first byte that `text` stands for, and the text after it.
fn decoded(text: &[u8]) -> Option<(u8, &[u8])> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    if let [b'%', high, low, after @ ..] = text
        && let (Some(high), Some(low)) = (digit(*high), digit(*low))
    {
        return Some((high << 4 | low, after));
    }
    let (&byte, after) = text.split_first()?;
    Some((if byte == b'+' { b' ' } else { byte }, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parameter(query: &str, name: &str) -> Result<String, &'static str> {
        let mut out = String::new();
        push_parameter(&mut out, query, name).map(|()| out)
    }

    /// The examples of RFC 9421 section 2.2.8.
    #[test]
    fn values_are_encoded_as_in_the_rfc() {
        let query = "var=this%20is%20a%20big%0Amultiline%20value&\
                     bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something";
        for (name, value) in [
            ("var", "this%20is%20a%20big%0Amultiline%20value"),
            ("bar", "with%20plus%20whitespace"),
            ("fa%C3%A7ade%22%3A%20", "something"),
        ] {
            assert_eq!(parameter(query, name).unwrap(), value);
        }
        assert_eq!(
            parameter("param=value&foo=bar&baz=batman&qux=", "qux").unwrap(),
            ""
        );
        assert_eq!(parameter("qux", "qux").unwrap(), "");
    }

    #[test]
    fn odd_queries_have_an_answer() {
        assert!(
            parameter("a=1&a=2", "a")
                .unwrap_err()
                .contains("more than once")
        );
        assert!(
            parameter("%61=1&a=2", "a")
                .unwrap_err()
                .contains("more than once")
        );
        assert!(parameter("a=1", "b").is_err());
        assert!(parameter("", "").is_err());
        assert_eq!(parameter("a=%zz%4", "a").unwrap(), "%25zz%254");
        assert_ne!(parameter("a=%ff", "a"), parameter("a=%fe", "a"));
        assert_eq!(parameter("=1", "").unwrap(), "1");
    }

    proptest! {
        #[test]
        fn encoding_is_a_fixed_point(value in "[ -~é金]{0,20}", query in "[ -~]{0,40}") {
            let mut once = String::new();
            push_reencoded(&mut once, &value);
            prop_assert!(once.is_ascii());
            let mut twice = String::new();
            push_reencoded(&mut twice, &once);
            prop_assert_eq!(once, twice);
            let _ = parameter(&query, &value);
        }
    }
}
