//! Files beside cases. What is in them is sealed under a key of its own that the vault keeps: by its
//! class, purposes and roles it is decided who reads a file, and holds and erasure are the vault's.

use super::{
    Call, Door, Endpoint, Keyed, Route, Size,
    ground::{self, PURPOSE},
    json::parse,
    json_reply,
    own_words::own_words,
    payment_alerts::{masked_text, worker},
    query::Query,
};
use crate::edge::{Code, Problem, ProblemDocument, reply::Reply};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{
    HeaderName, HeaderValue, Method, StatusCode,
    header::{CONTENT_DISPOSITION, X_CONTENT_TYPE_OPTIONS},
};
use paywarden_access::{Scope, masking};
use paywarden_cases::{CaseFile, CheckedFile, FileKey};
use paywarden_privacy::{By, Error, Item, Plain, Retention, scan};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

/// The class of the vault that keys of files are.
const CLASS: &str = "case_file";
/// Says of what a file is its SHA-256.
const SHA256: HeaderName = HeaderName::from_static("file-sha256");

/// The routes of files.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route] = &[
    Route::shown("/v1/cases/{id}/files", Scope::CasesRead, Endpoint::CaseFile(Act::All)),
    Route { size: Size::CaseFile, ..command("/v1/cases/{id}/files", Act::Add) },
    Route::shown("/v1/cases/{id}/files/{file}", Scope::CasesRead, Endpoint::CaseFile(Act::Read)),
    command("/v1/cases/{id}/files/{file}/erasure", Act::Erase),
];

/// For programs by their key and for people alike.
const fn command(path: &'static str, act: Act) -> Route {
    Route {
        method: &Method::POST,
        door: Door::Any,
        has_body: true,
        keyed: Keyed::Optional,
        ..Route::get(path, Scope::CasesWork, Endpoint::CaseFile(act))
    }
}

/// What is asked of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    All,
    Add,
    Read,
    Erase,
}

/// A file that is handed in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseFileInput {
    /// What it is called, with an ending that says what it is, at most 200 bytes.
    #[serde(deserialize_with = "own_words")]
    pub name: String,
    /// For what it is kept: a purpose of the privacy policy.
    pub purpose: String,
    /// What is in it, at most 10 MiB, in base64.
    pub content: String,
}

/// Why a file is erased.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseFileErasureInput {
    /// Why; it goes into the trail.
    #[serde(deserialize_with = "own_words")]
    pub reason: String,
}

/// Files beside a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseFileList {
    /// Oldest first, erased ones included.
    pub files: Vec<CaseFile>,
}

/// Answers for files.
pub(crate) async fn handle(act: Act, call: &Call) -> Result<Reply, Problem> {
    let ground = ground::of_work(call).await?;
    let reply = match act {
        Act::All => all(call).await,
        Act::Add => add(call).await,
        Act::Read => read(call).await,
        Act::Erase => erase(call).await,
    };
    Ok(reply?.on(ground))
}

/// The files of a case, oldest first; what is in them is not looked at.
#[utoipa::path(
    get, path = "/v1/cases/{id}/files", tag = "cases",
    operation_id = "list_case_files", security(("signature" = []), ("session" = [])),
    params(("id" = String, Path, description = "`cas_…`")),
    responses(
        (status = 200, description = "The files", body = CaseFileList),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn all(call: &Call) -> Result<Reply, Problem> {
    Query::parse(&call.query, &[])?;
    let worker = worker(call);
    let files = call.state.cases.files(&worker, &call.parameter).await?;
    let count = files.len();
    Ok(json_reply(StatusCode::OK, &CaseFileList { files })?.of(count))
}

/// Puts a file beside an open case: PDF, PNG, JPEG, WebP, text or CSV by its content, 10 MiB at most,
/// at most 50 files of 100 MiB in all. It is scanned first, if a scanner is there. Text with card
/// numbers is refused.
#[utoipa::path(
    post, path = "/v1/cases/{id}/files", tag = "cases",
    operation_id = "add_case_file", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`cas_…`"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = CaseFileInput,
    responses(
        (status = 201, description = "The file", body = CaseFile),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn add(call: &Call) -> Result<Reply, Problem> {
    let (worker, desk, vault) = (worker(call), &call.state.cases, &call.state.vault);
    let input: CaseFileInput = parse(&call.body)?;
    let content = STANDARD.decode(Zeroizing::new(input.content).as_bytes());
    let content = content.map_err(|_| {
        Problem::new(Code::FieldInvalid, "base64 with padding").at("/content".to_owned())
    })?;
    let name = masked_text(&input.name);
    let checked = desk.check_file(&worker, &call.parameter, (&name, content));
    let checked = checked.await?;
    refuse_card_numbers(&checked)?;
    let by = by(call, input.purpose);
    let kept = vault
        .tokenize(&by, &[item(&call.parameter, checked.key())])
        .await?;
    let token = kept.into_iter().next().map(|kept| kept.token);
    let token = token.ok_or(Error::TokenUnknown)?;
    let added = desk.add_file(&worker, &call.parameter, (checked, token.clone()));
    match added.await {
        Ok(file) => json_reply(StatusCode::CREATED, &file),
        Err(error) => {
            // Nothing was written that it would open.
            if let Err(error) = vault.delete(&by, &token).await {
                tracing::warn!(%error, "the key of a file that was not taken stays");
            }
            Err(error.into())
        }
    }
}

/// Hands a file out, to whoever may read it for the purpose that they state; their leaf is durable
/// before.
#[utoipa::path(
    get, path = "/v1/cases/{id}/files/{file}", tag = "cases",
    operation_id = "read_case_file", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`cas_…`"),
        ("file" = u32, Path, description = "Its number"),
        ("purpose" = String, Query, description = "For what it is read"),
    ),
    responses(
        (status = 200, description = "The file, as `application/pdf`, `image/png`, `image/jpeg`, \
            `image/webp`, `text/plain` or `text/csv`", body = String,
            content_type = "application/octet-stream"),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(call: &Call) -> Result<Reply, Problem> {
    let query = Query::parse(&call.query, &[PURPOSE])?;
    let stated = |text: &str| Some(text.to_owned());
    let purpose = query.required(PURPOSE, "a purpose of the privacy policy", stated)?;
    let (case, number) = named(call)?;
    let kept = call.state.cases.file(&worker(call), case, number).await?;
    let (by, tokens) = (by(call, purpose), [kept.token.clone()]);
    let read = match call.state.vault.detokenize(&by, &tokens).await?.pop() {
        Some(Ok(read)) => read,
        Some(Err(Error::TokenUnknown)) | None => return Err(erased()),
        Some(Err(error)) => return Err(error.into()),
    };
    let key = match read.form {
        masking::Form::Full => FileKey::parse(read.value.expose()),
        _ => {
            let detail = "neither your roles nor this purpose open files of cases";
            return Err(Problem::new(Code::CaseFileMasked, detail));
        }
    };
    let content = kept.open(&key.ok_or(Error::Damaged)?)?;
    let mut reply = Reply::new(StatusCode::OK, kept.file.kind.media_type(), content);
    reply.headers = vec![
        (CONTENT_DISPOSITION, attachment(&kept.file.name)),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    let hash = HeaderValue::from_str(&kept.file.sha256).ok();
    reply.headers.extend(hash.map(|hash| (SHA256, hash)));
    Ok(reply)
}

/// Erases a file of an open case: its key ends in the vault, unless a hold keeps it. What it was
/// called and its hash stay.
#[utoipa::path(
    post, path = "/v1/cases/{id}/files/{file}/erasure", tag = "cases",
    operation_id = "erase_case_file", security(("signature" = []), ("session" = [])),
    params(
        ("id" = String, Path, description = "`cas_…`"),
        ("file" = u32, Path, description = "Its number"),
        ("idempotency-key" = Option<String>, Header, description = "Makes a retry safe"),
    ),
    request_body = CaseFileErasureInput,
    responses(
        (status = 200, description = "The file", body = CaseFile),
        (status = "default", description = "A refusal", body = ProblemDocument,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn erase(call: &Call) -> Result<Reply, Problem> {
    let CaseFileErasureInput { reason } = parse(&call.body)?;
    let (worker, desk) = (worker(call), &call.state.cases);
    let (case, number) = named(call)?;
    desk.may_erase_file(&worker, case, &reason).await?;
    let kept = desk.file(&worker, case, number).await?;
    let by = by(call, "a file of a case is erased".to_owned());
    match call.state.vault.delete(&by, &kept.token).await {
        // Whoever broke off in between has left the rest to whoever asks again.
        Ok(()) | Err(Error::TokenUnknown) => {}
        Err(error) => return Err(error.into()),
    }
    let file = desk.erase_file(&worker, (case, number), &reason).await?;
    json_reply(StatusCode::OK, &file)
}

/// The case and the number in the path.
fn named(call: &Call) -> Result<(&str, u32), Problem> {
    let parts = call.parameter.split_once('/');
    let number = parts.and_then(|(case, number)| Some((case, number.parse().ok()?)));
    number.ok_or_else(|| paywarden_cases::Error::Unknown.into())
}

fn by(call: &Call, purpose: String) -> By {
    let who = call.who();
    By {
        roles: call.roles.clone(),
        ..By::new(who.tenant, who.actor, purpose)
    }
}

/// What the vault keeps of a file. Its person is the case: what the case is about is told to nobody
/// who asks what is kept of them.
fn item(case: &str, key: &FileKey) -> Item {
    Item {
        subject: case.to_owned(),
        class: CLASS.to_owned(),
        value: Plain::from(key.text().to_string()),
        details: None,
        retention: Retention::Evidence,
        form: Default::default(),
        once: false,
        ttl_seconds: None,
        caller: None,
        purpose: None,
    }
}

/// A clear card number exists in the vault alone.
fn refuse_card_numbers(checked: &CheckedFile) -> Result<(), Problem> {
    if !checked.kind().is_text() {
        return Ok(());
    }
    let mut scanner = scan::Scanner::default();
    scanner.push(checked.content());
    let is_card = |one: &scan::Finding| {
        one.kind == scan::Kind::CardNumber && one.confidence > scan::Confidence::Doubtful
    };
    match scanner.finish().findings.iter().any(is_card) {
        true => {
            let detail = "there are card numbers in it: mask them first";
            Err(Problem::new(Code::CaseFileRefused, detail))
        }
        false => Ok(()),
    }
}

fn erased() -> Problem {
    paywarden_cases::Error::FileErased.into()
}

/// The name in RFC 6266, in octets that RFC 8187 lets through.
fn attachment(name: &str) -> HeaderValue {
    let mut value = "attachment; filename*=UTF-8''".to_owned();
    for byte in name.bytes() {
        match byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            true => value.push(char::from(byte)),
            false => value.push_str(&format!("%{byte:02X}")),
        }
    }
    HeaderValue::from_str(&value).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_travels_as_it_is() {
        assert_eq!(
            attachment("身 a\"b.pdf").to_str().unwrap(),
            "attachment; filename*=UTF-8''%E8%BA%AB%20a%22b.pdf"
        );
    }
}
