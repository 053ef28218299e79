"""Webhooks that the binary has sent, checked by PyPI's standardwebhooks, svix and cryptography."""

import base64
import datetime
import json
import sys

import standardwebhooks
import svix.webhooks
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

VECTOR = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def content(one):
    headers = one["headers"]
    return f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{one['body']}".encode()


def main(file):
    told = json.load(open(file))

    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime.datetime.fromtimestamp(1614265330, datetime.timezone.utc)
    signed = standardwebhooks.Webhook(secret).sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", at, '{"test": 2432232314}')
    assert signed == VECTOR, signed
    print("ok vector of the standard")

    for name, library in (("standardwebhooks", standardwebhooks), ("svix", svix.webhooks)):
        webhook = library.Webhook(told["secret"])
        for one in told["shared"]:
            webhook.verify(one["body"], one["headers"])
            assert json.loads(one["body"])["type"] == "decision.created"
        print(f"ok {name} verifies")
        for spoil in ("body", "webhook-id", "webhook-timestamp"):
            one = json.loads(json.dumps(told["shared"][0]))
            if spoil == "body":
                one["body"] = one["body"].replace("hook-", "hock-")
            else:
                one["headers"][spoil] = one["headers"][spoil][:-1] + "0" + one["headers"][spoil][-1]
            try:
                webhook.verify(one["body"], one["headers"])
            except library.WebhookVerificationError:
                continue
            raise AssertionError(f"{name} takes another {spoil}")
    print("ok spoiled ones are refused")

    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(told["public"].removeprefix("whpk_")))
    for one in told["by_public"]:
        version, signature = one["headers"]["webhook-signature"].split(",")
        assert version == "v1a"
        key.verify(base64.b64decode(signature), content(one))
        try:
            key.verify(base64.b64decode(signature), content(one) + b" ")
        except InvalidSignature:
            continue
        raise AssertionError("a spoiled body is taken")
    print("ok cryptography verifies v1a")


main(sys.argv[1])
