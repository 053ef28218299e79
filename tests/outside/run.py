"""Other people's clients and tools against the running binary.

Starts one private server on loopback, runs each tool, stops the server. What a machine lacks is
skipped with a word; with CI=true a skip is a failure.
"""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import siem

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
BINARY = pathlib.Path(os.environ.get("BINARY", TARGET / "debug" / "paywarden"))
ALGORITHMS = ["ed25519", "ecdsa-p256-sha256", "rsa-pss-sha512", "rsa-v1_5-sha256", "hmac-sha256"]


class Skip(Exception):
    """The machine lacks what a test needs."""


def paywarden(*arguments, **options):
    return subprocess.run(
        [BINARY, *arguments], check=True, capture_output=True, text=True, timeout=60, **options
    ).stdout


class Server:
    """A private server with one key of each algorithm."""

    def __init__(self, *settings):
        self.settings = settings

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="paywarden-outside-")
        self.data = pathlib.Path(self.folder.name) / "data"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.flags = ["--data-dir", str(self.data), "--set", f"listen=127.0.0.1:{self.port}"]
        for setting in self.settings:
            self.flags += ["--set", setting]
        keys = [self.key(algorithm) for algorithm in ALGORITHMS]
        self.log = open(pathlib.Path(self.folder.name) / "log", "w+")
        self.process = subprocess.Popen(
            [BINARY, "serve", *self.flags], stdout=self.log, stderr=self.log
        )
        self.setup = {"url": self.url, "ca": str(self.data / "tls" / "ca.pem"), "keys": keys}
        self.setup_file = pathlib.Path(self.folder.name) / "setup.json"
        self.setup_file.write_text(json.dumps(self.setup))
        self.wait()
        return self

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    def key(self, algorithm):
        out = pathlib.Path(self.folder.name) / f"{algorithm}.key"
        text = paywarden(
            "keys", "create", "--tenant", "acme", "--algorithm", algorithm,
            "--out", str(out), *self.flags,
        )
        return {"id": text.split()[0], "algorithm": algorithm, "file": str(out)}

    def wait(self):
        for _ in range(200):
            try:
                if self.get("/readyz").status == 200:
                    return
            except OSError:
                time.sleep(0.1)
        self.log.seek(0)
        raise RuntimeError(f"the server did not start:\n{self.log.read()}")

    def get(self, path):
        import ssl

        context = ssl.create_default_context(cafile=str(self.data / "tls" / "ca.pem"))
        return urllib.request.urlopen(self.url + path, timeout=5, context=context)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.log.close()
        self.folder.cleanup()


def run(command, timeout=180):
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, cwd=HERE)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def python_client(server):
    venv = HERE / ".venv" / "bin" / "python"
    if not venv.exists():
        raise Skip("python3 -m venv .venv && .venv/bin/pip install -r requirements.txt")
    assert run([venv, "python_client.py", server.setup_file]).count("ok ") == 10


def node_client(server):
    if not (HERE / "node_modules").exists() or not shutil.which("node"):
        raise Skip("npm ci")
    assert run(["node", "node_client.mjs", server.setup_file]).count("ok ") == 10


def openid_provider(_):
    """The npm package oidc-provider says who a member of staff is, to a server of its own."""
    if not (HERE / "node_modules").exists() or not shutil.which("node"):
        raise Skip("npm ci")
    assert run(["node", "openid.mjs", BINARY]).count("ok ") == 4


def curl_through_sign(server):
    body = json.dumps(
        {
            "id": "curl-1",
            "type": "login",
            "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "payer": {"id": "customer-3"},
        }
    )
    key = server.setup["keys"][0]["file"]
    key_id = server.setup["keys"][0]["id"]
    reply = paywarden(
        "sign", "--key", key, "--key-id", key_id, "--",
        "curl", "-sS", "--cacert", server.setup["ca"], f"{server.url}/v1/decisions", "-d", body,
    )
    assert json.loads(reply)["outcome"] == "approve", reply


def slow_clients(server):
    """Two hundred connections that dribble are cut off while others are served."""
    if not shutil.which("slowhttptest"):
        raise Skip("apt-get install slowhttptest")
    for mode, name in (("-H", "headers"), ("-B", "body")):
        attack = subprocess.Popen(
            ["slowhttptest", mode, "-c", "200", "-r", "200", "-i", "2", "-l", "20", "-p", "3",
             "-u", f"{server.url}/v1/decisions", "-s", "4096"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=server.folder.name,
        )
        served = 0
        while attack.poll() is None:
            assert server.get("/healthz").status == 200
            served += 1
            time.sleep(0.25)
        report = re.sub(r"\x1b\[[0-9;]*[mHJ]", "", attack.communicate()[0])
        connected = [int(number) for number in re.findall(r"connected:\s+(\d+)", report)]
        assert max(connected, default=0) >= 150, f"slow {name} did not connect:\n{report}"
        assert "No open connections left" in report, f"slow {name} were not cut off:\n{report}"
        assert served >= 5, f"slow {name}: only {served} requests served meanwhile"


def many_streams(server):
    """h2load: 5,000 requests over HTTP/2 on 8 connections, none failed."""
    if not shutil.which("h2load"):
        raise Skip("apt-get install nghttp2-client")
    report = run(["h2load", "-n", "5000", "-c", "8", "-m", "16", f"{server.url}/healthz"])
    assert "5000 succeeded, 0 failed, 0 errored, 0 timeout" in report, report


def siem_receiver(_):
    with tempfile.TemporaryDirectory(prefix="paywarden-siem-") as folder:
        siem.run(Server, Skip, paywarden, pathlib.Path(folder))


TESTS = [
    python_client, node_client, curl_through_sign, openid_provider, many_streams, slow_clients,
    siem_receiver,
]


def main():
    passed = failed = skipped = 0
    with Server() as server:
        for test in TESTS:
            try:
                test(server)
                print(f"outside {test.__name__}: ok", flush=True)
                passed += 1
            except Skip as missing:
                print(f"outside {test.__name__}: skipped, needs: {missing}", flush=True)
                skipped += 1
            except Exception as error:  # each tool's failure is reported, then the next one runs
                print(f"outside {test.__name__}: FAILED\n{error}", flush=True)
                failed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or (skipped and os.environ.get("CI") == "true") else 0


sys.exit(main())
