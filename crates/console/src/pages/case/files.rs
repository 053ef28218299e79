//! Files of a case: handed in, fetched for a purpose, erased. All of it works by plain forms.

use super::route;
use crate::{
    format,
    names::named,
    page::Fault,
    parts, policy, refused,
    terms::Tone,
    visit::{Visit, address, encoded},
    word::words,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::header::CONTENT_DISPOSITION;
use maud::{Markup, html};
use paywarden_access::Scope;
use paywarden_domain::Timestamp;
use paywarden_server::{
    edge::{Code, reply::Reply},
    pages::Form,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// How the addresses of files begin: then the case.
pub(crate) const FILES: &str = "/case-files/";
/// For what files are kept and read.
const PURPOSES: [&str; 3] = ["aml_compliance", "fraud_prevention", "dispute_handling"];
/// What a browser offers to choose.
const ENDINGS: &str = ".pdf,.png,.jpg,.jpeg,.webp,.txt,.csv";

words! {
    TITLE = "Files of the case", "案件文件";
    NAME = "File", "文件名";
    SIZE = "Bytes", "字节数";
    HASH = "SHA-256 begins with", "SHA-256 开头";
    SCAN = "Scanned for malware", "恶意软件扫描";
    SCANNED = "scanned", "已扫描";
    UNSCANNED = "not scanned", "未扫描";
    ERASED = "erased", "已擦除";
    HANDED_IN = "Handed in", "提交时间";
    ADD = "Put a file in", "添加文件";
    CHOOSE = "Which file", "选择文件";
    CHOOSE_HINT = "PDF, PNG, JPEG, WebP, text or CSV, at most 10 MiB", "PDF、PNG、JPEG、WebP、文本或 CSV，最大 10 MiB";
    KEPT_FOR = "For which purpose it is kept", "保存目的";
    READ_FOR = "Read for", "查看目的";
    WHICH = "Which of them", "所选文件";
    FETCH = "Fetch it", "下载此文件";
    ERASE = "Erase a file", "擦除文件";
    WHICH_GOES = "Which goes", "要擦除的文件";
    KEPT = "The file is kept.", "文件已保存。";
    IS_ERASED = "The file is erased. Its name and hash stay.", "文件已擦除，仅保留名称与哈希。";
}

#[derive(Deserialize)]
pub(super) struct Files {
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    number: u32,
    name: String,
    bytes: u64,
    sha256: String,
    scanned: bool,
    by: String,
    at: Timestamp,
    erased: Option<Value>,
}

impl Files {
    pub(super) async fn read(v: &mut Visit) -> Result<Self, Fault> {
        let target = format!("{}/files", route(v));
        v.get(&target).await
    }

    /// What there is, and what may be done with it.
    pub(super) fn draw(&self, v: &Visit, is_open: bool) -> Markup {
        let rows: Vec<_> = self.files.iter().map(|file| file.row(v)).collect();
        let size = format!("{}#", v.t(SIZE));
        let columns = [v.t(NAME), &size, v.t(HASH), v.t(SCAN), v.t(HANDED_IN)];
        let left = || self.files.iter().filter(|file| file.erased.is_none());
        let choices = || left().map(|file| (file.number.to_string(), file.name.clone()));
        let may = is_open && v.may(Scope::CasesWork);
        html! {
            (parts::table(v.t(TITLE), &columns, &rows, v))
            @if left().next().is_some() {
                form method="get" action=(format!("{FILES}{}", encoded(&v.parameter))) {
                    (parts::select("file", v.t(WHICH), "", choices()))
                    (parts::select("purpose", v.t(READ_FOR), "", purposes(v)))
                    (parts::submit(v.t(FETCH), Tone::Plain))
                }
            }
            @if may { (parts::fold(v.t(ADD), add(v))) }
            @if may && left().next().is_some() {
                (parts::fold(v.t(ERASE), parts::form(v, v.desk.path(), html! {
                    (parts::select("file_gone", v.t(WHICH_GOES), "", choices()))
                    (parts::reason("file_reason", v))
                    (parts::submit_as("do", "erase_file", v.t(ERASE), Tone::Bad))
                })))
            }
        }
    }
}

impl File {
    fn row(&self, v: &Visit) -> Vec<Markup> {
        let scan = if self.scanned { SCANNED } else { UNSCANNED };
        let hash = self.sha256.get(..16).unwrap_or_default();
        vec![
            html! { (self.name) @if self.erased.is_some() { " (" (v.t(ERASED)) ")" } },
            html! { (format::number(self.bytes)) },
            parts::id(hash),
            html! { (v.t(scan)) },
            html! { (parts::actor(&self.by, v)) " " (format::time(self.at)) },
        ]
    }
}

fn add(v: &Visit) -> Markup {
    let inside = html! {
            div.field {
                label for="f-upload" { (v.t(CHOOSE)) }
                input id="f-upload" name="upload" type="file" required accept=(ENDINGS) aria-describedby="f-upload-hint";
                p.hint id="f-upload-hint" { (v.t(CHOOSE_HINT)) }
            }
            (parts::select("kept_for", v.t(KEPT_FOR), "", purposes(v)))
            (parts::submit_as("do", "add_file", v.t(ADD), Tone::Info))
    };
    html! {
        form method="post" enctype="multipart/form-data" action=(v.desk.path()) {
            (parts::token(v))
            (refused::again(v, v.desk.path(), inside))
        }
    }
}

fn purposes(v: &Visit) -> impl Iterator<Item = (String, String)> {
    let named = |name: &str| named("purpose", name, "", v.language());
    PURPOSES
        .map(|name| (name.to_owned(), named(name)))
        .into_iter()
}

/// Does what a form about files says; nothing if it is about something else.
pub(super) async fn take(v: &mut Visit, form: &Form) -> Result<Option<&'static str>, Fault> {
    let files = format!("{}/files", route(v));
    let (target, body, told) = match form.text("do") {
        "add_file" => {
            let file = form.file();
            let file = file.ok_or_else(|| v.fault(Code::FieldMissing, "no file was chosen"))?;
            let body = json!({
                "name": file.name,
                "purpose": form.text("kept_for"),
                "content": STANDARD.encode(&file.content),
            });
            (files, body, KEPT)
        }
        "erase_file" => {
            let target = format!("{files}/{}/erasure", encoded(form.text("file_gone")));
            let body = json!({ "reason": form.text("file_reason") });
            (target, body, IS_ERASED)
        }
        _ => return Ok(None),
    };
    v.post::<Value>(&target, &body).await?;
    Ok(Some(v.t(told)))
}

/// The file that an address names, for the purpose that stands in it.
pub(crate) async fn fetch(v: &mut Visit) -> Result<Reply, Fault> {
    let case = v.desk.path().strip_prefix(FILES).unwrap_or_default();
    let (file, purpose) = (v.query("file"), v.query("purpose"));
    let path = format!(
        "/v1/cases/{case}/files/{}",
        encoded(&file.unwrap_or_default())
    );
    let target = address(&path, &[("purpose", purpose.as_deref())]);
    let mut reply = v.desk.fetch(&target).await?;
    // Only what makes a browser keep it instead of showing it.
    reply
        .headers
        .retain(|(name, _)| *name == CONTENT_DISPOSITION);
    reply.headers.extend(policy::headers());
    Ok(reply)
}
