//! Calls to copy: the command that signs for curl, and a program in Python that signs by itself.

use crate::{parts, visit::Visit, word::words};
use maud::{Markup, html};

words! {
    CALL_WHY = "Save the private half as private.pem beside it. The authority of the server is tls/ca.pem of its data folder, unless it has a certificate of your own.", "将私钥保存为同目录下的 private.pem。服务器证书的签发机构为其数据目录中的 tls/ca.pem，自有证书除外。";
    BY_CURL = "With curl", "使用 curl";
    BY_PYTHON = "With Python and the package cryptography", "使用 Python 与 cryptography 包";
    NO_KEY = "With the first key, its identifier stands in here.", "创建首个密钥后，此处会显示其标识。";
}

/// What stands for the key before there is one.
const NO_KEY_ID: &str = "KEY_ID";

/// Both, for a key and its algorithm.
pub(super) fn draw(v: &Visit, origin: &str, key: Option<(&str, &str)>) -> Markup {
    let id = key.map_or(NO_KEY_ID, |(id, _)| id);
    let is_own = key.is_none_or(|(_, algorithm)| algorithm == "ed25519");
    html! {
        p.muted { (v.t(CALL_WHY)) }
        @if key.is_none() { p.hint { (v.t(NO_KEY)) } }
        (parts::fold(v.t(BY_CURL), text(v.t(BY_CURL), &curl(origin, id))))
        @if is_own { (parts::fold(v.t(BY_PYTHON), text(v.t(BY_PYTHON), &python(origin, id)))) }
    }
}

fn text(label: &str, text: &str) -> Markup {
    html! { pre.raw tabindex="0" role="region" aria-label=(label) { (text) } }
}

fn curl(origin: &str, key: &str) -> String {
    format!(
        r#"paywarden sign --key private.pem --key-id {key} -- \
  curl --cacert ca.pem {origin}/v1/decisions -d '{{
    "id": "first-'$(date +%s)'", "type": "payment.card",
    "occurred_at": "'$(date -u +%FT%TZ)'",
    "amount": {{"value": "12.50", "currency": "USD"}},
    "payer": {{"id": "customer-1"}}
  }}'
"#
    )
}

/// The base is written out, so that it can be held against what the server built.
fn python(origin: &str, key: &str) -> String {
    format!(
        r#"import base64, hashlib, json, secrets, ssl, time, urllib.error, urllib.request
from cryptography.hazmat.primitives.serialization import load_pem_private_key

url = "{origin}/v1/decisions"
key = load_pem_private_key(open("private.pem", "rb").read(), None)
body = json.dumps({{
    "id": "first-" + secrets.token_hex(4), "type": "payment.card",
    "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    "amount": {{"value": "12.50", "currency": "USD"}},
    "payer": {{"id": "customer-1"}},
}}).encode()
digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
headers = {{
    "content-type": "application/json",
    "content-digest": f"sha-256=:{{digest}}:",
    "idempotency-key": secrets.token_hex(16),
}}
covered = '("@method" "@target-uri" "content-type" "content-digest" "idempotency-key")'
terms = f'{{covered}};created={{int(time.time())}};keyid="{key}";nonce="{{secrets.token_hex(16)}}";tag="paywarden"'
base = "\n".join([
    '"@method": POST', f'"@target-uri": {{url}}',
    *(f'"{{name}}": {{value}}' for name, value in headers.items()),
    f'"@signature-params": {{terms}}',
])
signature = base64.b64encode(key.sign(base.encode())).decode()
headers |= {{"signature-input": f"sig1={{terms}}", "signature": f"sig1=:{{signature}}:"}}
request = urllib.request.Request(url, body, headers)
try:
    print(urllib.request.urlopen(request, context=ssl.create_default_context(cafile="ca.pem")).read().decode())
except urllib.error.HTTPError as refused:
    print(refused.read().decode(), "\n\nsigned:\n" + base)
"#
    )
}
