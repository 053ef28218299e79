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
from concurrent.futures import ThreadPoolExecutor

import patrol
import reports
import roots
import siem
import webhooks

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

    def __init__(self, *settings, algorithms=ALGORITHMS, scopes=None):
        self.scopes = scopes
        self.settings = [part for setting in settings for part in ("--set", setting)]
        self.algorithms = algorithms

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="paywarden-outside-")
        self.data = pathlib.Path(self.folder.name) / "data"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        # What is decided does not hang on how busy the machine is.
        always = [f"listen=127.0.0.1:{self.port}", "deadline_ms=60000"]
        self.flags = ["--data-dir", str(self.data)]
        self.flags += [part for setting in always for part in ("--set", setting)]
        self.flags += self.settings
        keys = [self.key(algorithm) for algorithm in self.algorithms]
        self.log = open(pathlib.Path(self.folder.name) / "log", "w+")
        self.setup = {"url": self.url, "ca": str(self.data / "tls" / "ca.pem"), "keys": keys}
        self.setup_file = pathlib.Path(self.folder.name) / "setup.json"
        self.setup_file.write_text(json.dumps(self.setup))
        self.start()
        return self

    def start(self):
        self.process = subprocess.Popen(
            [BINARY, "serve", *self.flags], stdout=self.log, stderr=self.log
        )
        self.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    def key(self, algorithm):
        out = pathlib.Path(self.folder.name) / f"{algorithm}.key"
        scopes = ["--scopes", self.scopes] if self.scopes else []
        text = paywarden(
            "keys", "create", "--tenant", "acme", "--algorithm", algorithm,
            "--out", str(out), *scopes, *self.flags,
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
        self.stop()
        self.log.close()
        self.folder.cleanup()


def run(command, timeout=180):
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, cwd=HERE)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def holds(count, command, timeout=180):
    """Runs a program that prints a line with `ok` first for each of so many things that hold."""
    report = run(command, timeout)
    assert sum(line.startswith("ok ") for line in report.splitlines()) == count, report


def python_client(server):
    venv = HERE / ".venv" / "bin" / "python"
    if not venv.exists():
        raise Skip("python3 -m venv .venv && .venv/bin/pip install -r requirements.txt")
    holds(10, [venv, "python_client.py", server.setup_file])


def node_client(server):
    if not (HERE / "node_modules").exists() or not shutil.which("node"):
        raise Skip("npm ci")
    holds(10, ["node", "node_client.mjs", server.setup_file])


def openid_provider(_):
    """The npm package oidc-provider says who a member of staff is, to a server of its own."""
    if not (HERE / "node_modules").exists() or not shutil.which("node"):
        raise Skip("npm ci")
    holds(5, ["node", "openid.mjs", BINARY])


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


def card_vault(_):
    """The Postman collection of Hyperswitch's card vault, run by newman against our routes.

    It signs nothing, so it comes with a bearer key to a sandbox. What each request must answer is
    added as tests of the collection; the reference that is retrieved and deleted is the one that
    was added, and afterwards the one that the collection names, which nobody has.
    """
    data = os.environ.get("PAYWARDEN_DATA")
    newman = HERE / "node_modules" / ".bin" / "newman"
    if not data or not newman.exists():
        raise Skip("PAYWARDEN_DATA, and npm ci")
    collection = json.loads(
        (pathlib.Path(data) / "conformance/card-vault/postman_collection.json").read_text()
    )
    expected = {
        "Key 1": "pm.expect(pm.response.text()).to.equal('Received Key1')",
        "Key 2": "pm.expect(pm.response.text()).to.equal('Received Key2')",
        "Decrypt": "pm.expect(pm.response.text()).to.equal('Decryption successful')",
        "Add Card": "const all = pm.response.json(); pm.expect(all.status).to.equal('Ok');"
        "pm.collectionVariables.set('reference', all.payload.card_reference)",
        "Retrieve Card": "pm.expect(pm.response.json().payload.card)"
        ".to.deep.equal({card_number: '4242424242424242', name_on_card: 'John Smith4'})",
        "Delete Card": "pm.expect(pm.response.json()).to.deep.equal({status: 'Ok'})",
        "Fingerprint": "pm.expect(pm.response.json().payload.fingerprint)"
        ".to.match(/^card_[0-9a-f]{32}$/)",
    }
    nobody = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
    again = []
    for folder in collection["item"]:
        for item in folder["item"]:
            body = item["request"]["body"]
            if nobody in body["raw"]:
                again.append(with_test(json.loads(json.dumps(item)), 404, "true"))
                body["raw"] = body["raw"].replace(nobody, "{{reference}}")
            with_test(item, 200, expected.pop(item["name"]))
    assert not expected and len(again) == 2, (expected, again)
    collection["item"] += again
    scopes = "vault:write,vault:read,vault:search,vault:erase,vault:keys"
    with Server("sandbox=true", algorithms=["bearer"], scopes=scopes) as server:
        shares = pathlib.Path(server.folder.name) / "shares"
        server.stop()
        paywarden("vault", "split", "--custodian", "a", "--custodian", "b", "--custodian", "c",
                  "--out", str(shares), *server.flags)
        server.start()
        bearer = pathlib.Path(server.setup["keys"][0]["file"]).read_text().strip()
        collection["auth"] = {"type": "bearer", "bearer": [{"key": "token", "value": bearer}]}
        for variable in collection["variable"]:
            share = {"key1": "share-1", "key2": "share-3"}.get(variable["key"])
            variable["value"] = (shares / share).read_text().strip() if share else server.url
        file = pathlib.Path(server.folder.name) / "collection.json"
        file.write_text(json.dumps(collection))
        report = run([newman, "run", file, "--ssl-extra-ca-certs", server.setup["ca"],
                      "--disable-unicode", "--color", "off"])
        assert re.search(r"requests\s*\|\s*9 \|\s*0 ", report), report
        assert re.search(r"assertions\s*\|\s*9 \|\s*0 ", report), report


def with_test(item, status, expression):
    script = f"pm.test('{status}', () => {{ pm.response.to.have.status({status}); {expression} }})"
    item["event"] = [{"listen": "test", "script": {"type": "text/javascript", "exec": [script]}}]
    return item


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


def patrol_of_the_trail(_):
    """A decision that another program changes in the store is found by the running server."""
    patrol.run(Server, paywarden, BINARY)


def webhooks_elsewhere(_):
    """What the binary sends, verified by the libraries of the standard, also after kill -9."""
    venv = HERE / ".venv" / "bin" / "python"
    if not venv.exists() or not (HERE / "node_modules").exists() or not shutil.which("node"):
        raise Skip("python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && npm ci")
    tools = {"python": venv, "node": "node"}
    with tempfile.TemporaryDirectory(prefix="paywarden-webhooks-") as folder:
        check = lambda tool, *arguments: run([tools[tool], *arguments])
        webhooks.run(Server, paywarden, check, pathlib.Path(folder))


def reports_to_units(_):
    """Files of all three formats, by another parser."""
    reports.run(ROOT)


def models_of_others(_):
    """Fresh models of LightGBM, XGBoost and scikit-learn, by their libraries and by the binary."""
    venv = HERE / ".venv" / "bin" / "python"
    if not venv.exists():
        raise Skip("python3 -m venv .venv && .venv/bin/pip install -r requirements.txt")
    holds(17, [venv, "models.py", BINARY], timeout=600)
    holds(3, [venv, "imported.py", BINARY], timeout=600)


def openbao_root(_):
    """The root of the vault's keys in a real OpenBao, sealed and stopped in mid-flight."""
    with tempfile.TemporaryDirectory(prefix="paywarden-bao-") as folder:
        roots.openbao(Server, Skip, pathlib.Path(folder), BINARY)


def softhsm_root(_):
    """The same in a SoftHSM token, by PKCS#11."""
    with tempfile.TemporaryDirectory(prefix="paywarden-hsm-") as folder:
        roots.softhsm(Server, Skip, pathlib.Path(folder), BINARY)


def browser():
    if not (HERE / "node_modules" / "playwright-core").exists() or not shutil.which("chromium"):
        raise Skip("npm ci, and apt-get install chromium fonts-noto-cjk")


def console_in_a_browser(_):
    """Every page of the console in Chromium, by axe-core, in both languages and themes."""
    browser()
    holds(15, ["node", "console.mjs", BINARY], timeout=900)


def desk_in_a_browser(_):
    """What people look at all day: numbers, entities, decisions as they come over restarts."""
    browser()
    holds(9, ["node", "desk.mjs", BINARY], timeout=1800)


def lighthouse_of_pages(_):
    """Performance, accessibility and best practices of the main pages."""
    browser()
    holds(1, ["node", "lighthouse.mjs", BINARY], timeout=900)


def journey_in_a_browser(_):
    """A company's way from its first start to a rule of its own, in Chinese and English."""
    browser()
    holds(12, ["node", "journey.mjs", BINARY], timeout=1800)


# What asks the shared server, one after the other.
WITH_SERVER = [
    python_client, node_client, curl_through_sign, card_vault, many_streams, slow_clients,
]
# What brings its own servers, the longest first: most of each is waiting.
AT_ONCE = [
    desk_in_a_browser, console_in_a_browser, journey_in_a_browser, models_of_others,
    openbao_root, softhsm_root, siem_receiver, webhooks_elsewhere, patrol_of_the_trail,
    reports_to_units, openid_provider,
]
# What times pages.
ALONE = [lighthouse_of_pages]


def tried(test, server=None):
    """The name of a test, and what came of it."""
    try:
        test(server)
        came = "ok"
    except Skip as missing:
        came = f"skipped, needs: {missing}"
    except Exception as error:  # each tool's failure is reported, then the next one runs
        came = f"FAILED\n{error}"
    print(f"outside {test.__name__}: {came}", flush=True)
    return came.split()[0]


def main():
    with Server() as server:
        came = [tried(test, server) for test in WITH_SERVER]
    with ThreadPoolExecutor(max_workers=2) as pool:
        came += pool.map(tried, AT_ONCE)
    came += [tried(test) for test in ALONE]
    passed, failed, skipped = (came.count(word) for word in ("ok", "FAILED", "skipped,"))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or (skipped and os.environ.get("CI") == "true") else 0


sys.exit(main())
