"""Webhooks of the running binary, at a receiver of our own, checked by other people's libraries.

A company makes two webhooks through approvals: one with a shared secret, one with a public key. What
arrives is checked by PyPI's `standardwebhooks` and `svix` and npm's `standardwebhooks` and `svix`. Then
the receiver fails, the server is killed, and everything arrives once both are back.
"""

import http.server
import json
import ssl
import subprocess
import threading
import time

OPENSSL = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
MAKER = "decisions:write,decisions:read,webhooks:read,webhooks:write,approvals:request,approvals:read"
CHECKER = "approvals:vote,approvals:read"


class Receiver:
    """Remembers what it heard; fails as long as it is told to."""

    def __init__(self, folder):
        self.heard, self.status = [], 204
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                status = receiver.status
                if status < 300:
                    receiver.heard.append({"path": self.path, "headers": headers, "body": body})
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "leaf.pem", folder / "leaf.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def of(self, path):
        return [one for one in list(self.heard) if one["path"] == path]


def certificates(folder):
    """An authority of our own, and a receiver that it certifies."""
    subprocess.run([*OPENSSL, "-x509", "-days", "2", "-subj", "/CN=receivers", "-keyout",
                    folder / "ca.key", "-out", folder / "ca.pem"], check=True, capture_output=True)
    subprocess.run([*OPENSSL, "-subj", "/CN=127.0.0.1", "-keyout", folder / "leaf.key",
                    "-out", folder / "leaf.csr"], check=True, capture_output=True)
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    subprocess.run(["openssl", "x509", "-req", "-in", folder / "leaf.csr", "-CA", folder / "ca.pem",
                    "-CAkey", folder / "ca.key", "-CAcreateserial", "-days", "2", "-extfile",
                    folder / "names", "-out", folder / "leaf.pem"], check=True, capture_output=True)


def until(seconds, holds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s: {holds.__doc__}")


def run(Server, paywarden, run_tool, folder):
    certificates(folder)
    receiver = Receiver(folder)
    settings = [f"webhook_ca={folder / 'ca.pem'}", 'webhook_networks=["127.0.0.0/8"]']
    with Server(*settings, algorithms=["ed25519"], scopes=MAKER) as server:
        maker = server.setup["keys"][0]
        out = folder / "checker.key"
        created = paywarden("keys", "create", "--tenant", "acme", "--algorithm", "ed25519", "--out",
                            str(out), "--scopes", CHECKER, *server.flags)
        checker = {"id": created.split()[0], "file": str(out)}

        def call(path, body=None, key=maker):
            options = [] if body is None else ["-d", json.dumps(body)]
            if path == "/v1/decisions":
                options += ["-H", f"idempotency-key: {body['id']}"]
            reply = paywarden(
                "sign", "--key", key["file"], "--key-id", key["id"], "--",
                "curl", "-sS", "--cacert", server.setup["ca"], server.url + path, *options,
            )
            return json.loads(reply)

        def webhook(path, scheme):
            new = {"url": receiver.url + path, "events": ["decision.created"], "signature": scheme}
            asked = call("/v1/approvals", {"command": {"webhook_change": {"create": new}}, "reason": "r"})
            vote = {"vote": "approve", "payload_sha256": asked["payload_sha256"], "reason": "r"}
            call(f"/v1/approvals/{asked['id']}/votes", vote, key=checker)
            return call(f"/v1/approvals/{asked['id']}/execution", {"purpose": "p"})["webhook"]

        def decide(name):
            payment = {
                "id": name, "type": "payment.card",
                "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "amount": {"value": "12.34", "currency": "USD"},
                "card": {"number": "4012888888881881"},
                "payer": {"id": "customer-1", "name": "Secret Name", "email": "secret@example.com"},
            }
            assert call("/v1/decisions", payment)["payment_id"] == name

        shared, public = webhook("/shared", "v1"), webhook("/public", "v1a")
        for number in range(3):
            decide(f"hook-{number}")

        def told():
            """both webhooks are told of three decisions"""
            return len(receiver.of("/shared")) >= 3 and len(receiver.of("/public")) >= 3

        until(60, told)
        for one in receiver.heard:
            for secret in ("4012888888881881", "Secret Name", "secret@example.com", "customer-1"):
                assert secret not in one["body"], one["body"]
        heard = folder / "heard.json"
        heard.write_text(json.dumps({
            "secret": shared["secret"], "public": public["secret"],
            "shared": receiver.of("/shared"), "by_public": receiver.of("/public"),
        }))
        assert run_tool("python", "webhooks_check.py", heard).count("ok ") == 5
        assert run_tool("node", "webhooks_check.mjs", heard).count("ok ") == 3

        receiver.status = 503
        for number in range(10):
            decide(f"lost-{number}")
        server.process.kill()
        server.process.wait(timeout=30)
        receiver.status = 204
        server.start()

        def arrived():
            """everything that was decided before the kill arrives after it"""
            names = {json.loads(one["body"])["data"]["payment_id"] for one in receiver.of("/shared")}
            return names >= {f"lost-{number}" for number in range(10)}

        until(90, arrived)
        ids = {}
        for one in receiver.of("/shared"):
            name = json.loads(one["body"])["data"]["payment_id"]
            ids.setdefault(name, set()).add(one["headers"]["webhook-id"])
        assert all(len(same) == 1 for same in ids.values()), ids
