//! A curl call: what of it is signed, and the same call with the signature added.

use super::{lines, read_body, signed_headers, usual_method};
use crate::{
    failure::{Failure, Result},
    signing::Signer,
};
use http::{Method, Uri};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Options of curl that carry the body, longest first.
const BODY_OPTIONS: [&str; 6] = [
    "--data-binary",
    "--data-ascii",
    "--data-raw",
    "--data",
    "--json",
    "-d",
];
/// Options that say which authorities to trust, or that none is needed.
const TRUST_OPTIONS: [&str; 4] = ["--cacert", "--capath", "--insecure", "-k"];
/// Options that would change the request after it was signed.
const REFUSED_OPTIONS: [&str; 6] = ["-G", "--get", "-F", "--form", "-T", "--upload-file"];

/// A curl call as it was written, with the parts that are signed taken out.
#[derive(Debug, PartialEq)]
pub(super) struct Call {
    program: String,
    /// Everything that stays as it is.
    rest: Vec<String>,
    url: Uri,
    method: Option<Method>,
    body: Option<Body>,
    idempotency_key: Option<String>,
    names_trust: bool,
}

#[derive(Debug, PartialEq)]
enum Body {
    Text(String),
    File(PathBuf),
}

impl Call {
    /// Reads the call; a method given to `sign` itself wins.
    pub(super) fn parse(command: &[String], method: Option<Method>) -> Result<Self> {
        let (program, arguments) = command.split_first().ok_or_else(not_curl)?;
        if Path::new(program)
            .file_name()
            .is_none_or(|name| name != "curl")
        {
            return Err(not_curl());
        }
        let mut call = Self {
            program: program.clone(),
            rest: Vec::new(),
            url: Uri::default(),
            method,
            body: None,
            idempotency_key: None,
            names_trust: false,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            call.take(argument, &mut arguments)?;
        }
        match call.url.authority() {
            Some(_) => Ok(call),
            None => Err(Failure::wrong_use(
                "curl is given no address",
                "write https://HOST/PATH",
            )),
        }
    }

    fn take<'a>(
        &mut self,
        argument: &'a str,
        others: &mut impl Iterator<Item = &'a String>,
    ) -> Result<()> {
        if REFUSED_OPTIONS.contains(&argument) {
            return Err(Failure::wrong_use(
                format!("curl {argument} would change the request after it was signed"),
                "send the body with -d",
            ));
        }
        let next = |others: &mut dyn Iterator<Item = &'a String>| {
            others.next().map(String::as_str).ok_or_else(|| {
                Failure::wrong_use(
                    format!("curl {argument} lacks its value"),
                    "write one after it",
                )
            })
        };
        if argument == "-X" || argument == "--request" {
            let name = next(others)?;
            let method = Method::from_bytes(name.as_bytes())
                .map_err(|_| Failure::wrong_use(format!("{name} is no method"), "write -X POST"))?;
            self.method.get_or_insert(method);
        } else if argument == "-H" || argument == "--header" {
            self.header(next(others)?);
        } else if argument == "--url" {
            self.address(next(others)?)?;
        } else if argument.starts_with("https://") {
            self.address(argument)?;
        } else if let Some(text) = body_option(argument) {
            let raw = argument.starts_with("--data-raw");
            let text = if text.is_empty() { next(others)? } else { text };
            self.body(text, raw)?;
        } else {
            self.names_trust |= TRUST_OPTIONS.contains(&argument);
            self.rest.push(argument.to_owned());
        }
        Ok(())
    }

    /// Keeps a field, except those that are written anew.
    fn header(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        if name.eq_ignore_ascii_case("idempotency-key") {
            self.idempotency_key = Some(value.trim().trim_matches('"').to_owned());
        } else if !name.eq_ignore_ascii_case("content-type") {
            self.rest.extend(["-H".to_owned(), line.to_owned()]);
        }
    }

    fn address(&mut self, text: &str) -> Result<()> {
        self.url = text.parse().map_err(|error| {
            Failure::wrong_use(format!("{text}: {error}"), "write https://HOST/PATH")
        })?;
        Ok(())
    }

    fn body(&mut self, text: &str, raw: bool) -> Result<()> {
        let body = match text.strip_prefix('@') {
            Some(path) if !raw => Body::File(path.into()),
            _ => Body::Text(text.to_owned()),
        };
        match self.body.replace(body) {
            None => Ok(()),
            Some(_) => Err(Failure::wrong_use(
                "curl is given two bodies",
                "write -d once",
            )),
        }
    }

    /// Runs curl with exactly the bytes that were signed.
    pub(super) fn run(
        mut self,
        signer: &Signer,
        idempotency_key: Option<String>,
        key_file: &Path,
    ) -> Result<()> {
        let body = match self.body.take() {
            Some(Body::Text(text)) => text.into_bytes(),
            Some(Body::File(path)) => read_body(&path)?,
            None => Vec::new(),
        };
        let method = self.method.take().unwrap_or_else(|| usual_method(&body));
        let key = idempotency_key.or(self.idempotency_key.take());
        let headers = signed_headers(signer, &method, &self.url, &body, key)?;
        let mut command = Command::new(&self.program);
        command
            .args(&self.rest)
            .arg(self.url.to_string())
            .args(["-X", method.as_str()]);
        for line in lines(&headers).lines() {
            command.args(["-H", line]);
        }
        if let (false, Some(ca_pem)) = (self.names_trust, ca_beside(key_file)) {
            command.arg("--cacert").arg(ca_pem);
        }
        if !body.is_empty() {
            command.args(["--data-binary", "@-"]).stdin(Stdio::piped());
        }
        run_with(command, &body)
    }
}

/// The text of a body option in its joined form, empty in its separate form.
fn body_option(argument: &str) -> Option<&str> {
    let option = BODY_OPTIONS
        .iter()
        .find(|option| argument.starts_with(**option))?;
    let joined = argument.strip_prefix(option)?;
    match (option.starts_with("--"), joined) {
        (_, "") => Some(""),
        (true, joined) => joined.strip_prefix('='),
        (false, joined) => Some(joined),
    }
}

/// The local authority of the data folder in which `keys create` put the key.
fn ca_beside(key_file: &Path) -> Option<PathBuf> {
    let data_dir = key_file.parent()?.parent()?;
    Some(data_dir.join("tls").join("ca.pem")).filter(|path| path.exists())
}

fn run_with(mut command: Command, body: &[u8]) -> Result<()> {
    let unrun = |error: std::io::Error| {
        Failure::environment(format!("cannot run curl: {error}"), "install curl")
    };
    let mut child = command.spawn().map_err(unrun)?;
    if let Some(mut stdin) = child.stdin.take() {
        // If curl has ended already, its own exit code says why.
        let _ = stdin.write_all(body);
    }
    let status = child.wait().map_err(unrun)?;
    if status.success() {
        return Ok(());
    }
    let code = status.code().unwrap_or(-1);
    Err(Failure::not_held(
        format!("curl ended with code {code}"),
        "curl says why above",
    ))
}

fn not_curl() -> Failure {
    Failure::wrong_use(
        "what stands behind -- is not curl",
        "write paywarden sign --key FILE -- curl https://HOST/PATH -d @body.json",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(text: &str) -> Result<Call> {
        Call::parse(
            &text
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>(),
            None,
        )
    }

    #[test]
    fn bodies_in_every_notation_are_taken_out() {
        for text in [
            "curl -s https://h:1/v1/x -d @b.json",
            "curl -s https://h:1/v1/x -d@b.json",
            "curl -s --json @b.json --url https://h:1/v1/x",
            "curl -s --data=@b.json https://h:1/v1/x",
            "curl -s --data-binary @b.json https://h:1/v1/x -H Content-Type:text/plain",
        ] {
            let call = call(text).unwrap();
            assert_eq!(call.body, Some(Body::File("b.json".into())), "{text}");
            assert_eq!(
                (call.rest, call.url.path()),
                (vec!["-s".to_owned()], "/v1/x"),
                "{text}"
            );
        }
        let raw = call("curl https://h/x --data-raw @b").unwrap();
        assert_eq!(raw.body, Some(Body::Text("@b".into())));
    }

    #[test]
    fn what_the_call_says_is_kept() {
        let text = "curl -X PUT -k -H Idempotency-Key:\"k1\" -H X-A:b https://h/x?y=1 -d {}";
        let call = call(text).unwrap();
        assert_eq!(call.method, Some(Method::PUT));
        assert_eq!(call.idempotency_key.as_deref(), Some("k1"));
        assert_eq!(call.rest, ["-k", "-H", "X-A:b"]);
        assert!(call.names_trust);
        assert_eq!(call.url.query(), Some("y=1"));
    }

    #[test]
    fn what_cannot_be_signed_is_refused() {
        let said: String = [
            "wget https://h/x",
            "curl -s",
            "curl https://h/x -d a -d b",
            "curl https://h/x -G -d a",
            "curl https://h/x -X",
            "curl https://h[/x",
        ]
        .map(|text| call(text).unwrap_err().message())
        .concat();
        insta::assert_snapshot!(said);
    }
}
