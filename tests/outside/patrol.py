"""A row of the store changed behind the server's back, while it runs, by another program.

The server's own patrol must find it within seconds: a metric, a line of the log, a leaf, and the
security alert that a shipped rule makes of it. `paywarden verify` must name the same row.
"""

import json
import sqlite3
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

# Leaves that the patrol looks at together.
BUNDLE = 256


def until(seconds, holds):
    """What `holds` says as soon as it says something, at most so many seconds later."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(f"not within {seconds} s: {holds.__doc__}")


def run(Server, paywarden, binary):
    checkpoints = "trail_checkpoint_seconds=1"
    with Server(checkpoints, algorithms=["ed25519"]) as server:
        key = server.setup["keys"][0]

        def call(path, *options):
            reply = paywarden(
                "sign", "--key", key["file"], "--key-id", key["id"], "--",
                "curl", "-sS", "--cacert", server.setup["ca"], server.url + path, *options,
            )
            return json.loads(reply)

        def metric(name):
            page = server.get("/metrics").read().decode()
            lines = [line for line in page.splitlines() if line.startswith(name + " ")]
            return int(lines[0].split()[1]) if lines else 0

        def decide(number):
            login = {
                "id": f"patrol-{number}",
                "type": "login",
                "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "payer": {"id": f"customer-{number}"},
            }
            return call("/v1/decisions", "-d", json.dumps(login))["id"]

        with ThreadPoolExecutor(4) as callers:
            decided = list(callers.map(decide, range(BUNDLE)))

        def patrolled():
            """a whole bundle is looked at"""
            return metric("paywarden_trail_patrolled_leaves_total") >= BUNDLE

        until(60, patrolled)
        assert metric("paywarden_trail_faults") == 0

        store = sqlite3.connect(server.data / "paywarden.db", timeout=10)
        with store:
            changed = store.execute(
                "UPDATE decisions SET fraud_score = fraud_score + 1 WHERE id = ?", (decided[2],)
            )
            assert changed.rowcount == 1
        store.close()

        def found():
            """the changed row is found"""
            return metric("paywarden_trail_faults")

        until(60, found)
        server.log.seek(0)
        assert "trail not intact" in server.log.read()

        def alerts():
            """there is an alert"""
            return [
                alert for alert in call("/v1/security-alerts")["alerts"]
                if "not_intact" in json.dumps(alert)
            ]

        assert len(until(60, alerts)) == 1
        server.stop()
        verified = subprocess.run(
            [binary, "verify", *server.flags], capture_output=True, text=True, timeout=60
        )
        assert verified.returncode == 1, verified.stdout
        assert "its record was changed" in verified.stderr, verified.stderr
        server.start()
