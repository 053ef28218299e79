"""The trail over syslog and mutual TLS to rsyslog, which is killed in mid-stream and started again.

Nothing may be missing: every leaf of every tree arrives, with the hash of what is
stored, in octet-counted RFC 5424 messages that rsyslog takes apart itself.
"""

import hashlib
import json
import pathlib
import shutil
import socket
import sqlite3
import subprocess
import time

CONFIGURATION = """
global(
  workDirectory="{folder}" maxMessageSize="64k"
  defaultNetstreamDriverCAFile="{folder}/ca.pem"
  defaultNetstreamDriverCertFile="{folder}/receiver.pem"
  defaultNetstreamDriverKeyFile="{folder}/receiver.key"
)
module(
  load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/certvalid"
)
input(type="imtcp" address="127.0.0.1" port="{port}")
template(name="fields" type="string" string="%hostname% %app-name% %msgid% %structured-data% %msg%\\n")
action(type="omfile" file="{folder}/received" template="fields")
"""


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder, timeout=30)


def certificates(folder):
    """An authority of our own, and a certificate each for the receiver and for the sender."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    openssl(folder, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca")
    for name, subject in [("receiver", "siem.example"), ("sender", "paywarden.example")]:
        extensions = pathlib.Path(folder) / f"{name}.ext"
        extensions.write_text(f"subjectAltName=DNS:{subject}\n")
        openssl(
            folder, "req", *key[:-2], "-keyout", f"{name}.key", "-out", f"{name}.csr",
            "-subj", f"/CN={subject}",
        )
        openssl(
            folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", extensions.name, "-out", f"{name}.pem",
        )


class Receiver:
    """A private rsyslog on loopback."""

    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        text = CONFIGURATION.format(folder=folder, port=self.port)
        (folder / "rsyslog.conf").write_text(text)
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["rsyslogd", "-n", "-f", "rsyslog.conf", "-i", "rsyslog.pid"], cwd=self.folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=30)
        (self.folder / "rsyslog.pid").unlink(missing_ok=True)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)

    def leaves(self):
        """Tenant and number to hash; the same leaf may come again, but never as another one."""
        found = {}
        path = self.folder / "received"
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        for line in lines:
            head, text = line[: line.index("{")], line[line.index("{"):]
            try:
                event = json.loads(text)
            except ValueError:
                continue  # cut by the kill: it comes again
            place = (event["metadata"]["tenant_uid"], event["unmapped"]["leaf_index"])
            digest = event["unmapped"]["leaf_hash"]
            assert found.setdefault(place, digest) == digest, line
            assert head.split()[1:3] == ["paywarden", event["activity_name"]], line
            assert f'[leaf@32473 tenant="{place[0]}" index="{place[1]}" hash="{digest}"]' in head
        return found


def stored(server):
    """The same of the trail itself: entry bundles of C2SP tlog-tiles, and the tail after them."""
    path = server.data / "paywarden.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        rows = database.execute(
            "SELECT tenant, n * 256, entries FROM trail_bundles"
            " UNION ALL SELECT tenant, first, entries FROM trail_tail"
        ).fetchall()
    leaves = {}
    for tenant, index, entries in rows:
        while entries:
            end = 2 + int.from_bytes(entries[:2], "big")
            digest = hashlib.sha256(b"\0" + entries[2:end]).hexdigest()
            leaves[(tenant, index)] = digest
            index, entries = index + 1, entries[end:]
    return leaves


def load(paywarden, server):
    """Some hundred decisions."""
    key = server.setup["keys"][0]
    named = pathlib.Path(key["file"]).with_name(f"{key['id']}.pem")
    shutil.copy(key["file"], named)
    paywarden(
        "loadgen", "--url", server.url, "--key", str(named), "--ca", server.setup["ca"],
        "--rate", "200", "--seconds", "3", "--connections", "4",
    )


def run(Server, Skip, paywarden, folder):
    plugins = pathlib.Path("/usr/lib").glob("*/rsyslog/lmnsd_gtls.so")
    if not shutil.which("rsyslogd") or not any(plugins):
        raise Skip("apt-get install rsyslog rsyslog-gnutls")
    certificates(folder)
    receiver = Receiver(folder)
    settings = [
        f"siem_address=tls://127.0.0.1:{receiver.port}", "siem_server_name=siem.example",
        f"siem_ca={folder}/ca.pem", f"siem_certificate={folder}/sender.pem",
        f"siem_key={folder}/sender.key", "siem_enterprise=32473",
    ]
    try:
        with Server(*settings) as server:
            load(paywarden, server)
            until(lambda: len(receiver.leaves()) > 300)
            receiver.kill()
            load(paywarden, server)
            receiver.start()
            load(paywarden, server)
            receiver.kill()
            receiver.start()
            expected = stored(server)
            assert len(expected) > 1800, len(expected)
            missing = lambda: expected.items() - receiver.leaves().items()
            until(lambda: not missing(), lambda: f"missing: {sorted(missing())[:5]}")
            page = server.get("/metrics").read().decode()
            assert "paywarden_trail_export_sent_total" in page, page
    finally:
        receiver.stop()


def until(holds, why=lambda: "it did not come", seconds=60):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, why()
        time.sleep(0.3)
