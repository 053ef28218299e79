"""The PyPI package http-message-signatures signs requests and verifies replies."""

import datetime
import json
import secrets
import sys

import http_message_signatures as hms
import httpx
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

ALGORITHMS = {
    "ed25519": hms.algorithms.ED25519,
    "ecdsa-p256-sha256": hms.algorithms.ECDSA_P256_SHA256,
    "rsa-pss-sha512": hms.algorithms.RSA_PSS_SHA512,
    "rsa-v1_5-sha256": hms.algorithms.RSA_V1_5_SHA256,
    "hmac-sha256": hms.algorithms.HMAC_SHA256,
}
COVERED = ("@method", "@target-uri", "content-type", "content-digest", "idempotency-key")
BOUND = ('"@status"', '"@method";req', '"@path";req', '"content-digest";req')


class Keys:
    """Resolves the key that signs and the key that replies are signed with."""

    def __init__(self, key, reply_keys):
        self.key, self.reply_keys = key, reply_keys

    def resolve_private_key(self, key_id):
        return self.key

    def resolve_public_key(self, key_id):
        return self.reply_keys.get(key_id, self.key)


def private_key(algorithm, path):
    text = open(path, "rb").read()
    if algorithm == "hmac-sha256":
        import base64

        return base64.b64decode(text.strip())
    return load_pem_private_key(text, None)


def main(setup):
    for http2 in (False, True):
        with httpx.Client(base_url=setup["url"], verify=setup["ca"], http2=http2) as client:
            replies = client.get("/v1/reply-keys").json()["keys"]
            reply_keys = {
                key["keyid"]: load_pem_public_key(key["public_key_pem"].encode()) for key in replies
            }
            for key in setup["keys"]:
                decide(client, key, reply_keys, "HTTP/2" if http2 else "HTTP/1.1")


def decide(client, key, reply_keys, version):
    keys = Keys(private_key(key["algorithm"], key["file"]), reply_keys)
    now = datetime.datetime.now(datetime.timezone.utc)
    body = json.dumps(
        {
            "id": f"py-{secrets.token_hex(8)}",
            "type": "payment.card",
            "occurred_at": now.isoformat(),
            "amount": {"value": "12.34", "currency": "EUR"},
            "payer": {"id": "customer-1"},
        }
    ).encode()
    request = client.build_request(
        "POST",
        "/v1/decisions",
        content=body,
        headers={
            "content-type": "application/json",
            "idempotency-key": f'"{secrets.token_hex(8)}"',
        },
    )
    signer = hms.HTTPMessageSigner(
        signature_algorithm=ALGORITHMS[key["algorithm"]], key_resolver=keys
    )
    signer.sign(
        request,
        key_id=key["id"],
        nonce=secrets.token_hex(16),
        tag="paywarden",
        label="py",
        covered_component_ids=COVERED[:3] + COVERED[4:],
        body=body,
    )
    reply = client.send(request)
    assert reply.http_version == version, reply.http_version
    assert reply.status_code == 200, f"{key['algorithm']} {version}: {reply.text}"
    assert reply.json()["outcome"] == "approve", reply.text
    algorithm = hms.algorithms.ED25519
    if key["algorithm"] == "hmac-sha256":
        algorithm = hms.algorithms.HMAC_SHA256
    verifier = hms.HTTPMessageVerifier(signature_algorithm=algorithm, key_resolver=keys)
    verified = verifier.verify(
        reply, expect_tag="paywarden-reply", require_components=BOUND, body=reply.content
    )
    assert len(verified) == 1
    forged = client.build_request("POST", "/v1/decisions", content=body + b" ")
    forged.headers.update(request.headers)
    forged.headers["content-length"] = str(len(body) + 1)
    refusal = client.send(forged)
    assert refusal.json()["code"] == "content_digest_mismatch", refusal.text
    print(f"ok python {key['algorithm']} {version}")


main(json.load(open(sys.argv[1])))
