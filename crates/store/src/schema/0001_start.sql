-- One text for both engines. Flags and small numbers are SMALLINT, times BIGINT microseconds,
-- identifiers TEXT, opaque content BYTEA. `BIGINT PRIMARY KEY` becomes the row identifier itself
-- in SQLite (see schema.rs). Wide columns stand last, so that filters read the start of a row only.

CREATE TABLE decisions (
    event_no BIGINT PRIMARY KEY,
    id TEXT NOT NULL,
    tenant TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    kind SMALLINT NOT NULL,
    occurred_at BIGINT NOT NULL,
    decided_at BIGINT NOT NULL,
    outcome SMALLINT NOT NULL,
    fraud_score SMALLINT NOT NULL,
    laundering_score SMALLINT NOT NULL,
    amount_minor BIGINT,
    currency TEXT,
    key_id TEXT NOT NULL,
    idempotency_key TEXT,
    fingerprint BYTEA,
    feature BYTEA NOT NULL,
    event BYTEA NOT NULL,
    body BYTEA NOT NULL
);
CREATE UNIQUE INDEX decisions_by_id ON decisions (id);
-- The tenant stands behind: the writer asks for a batch of payments by one IN list and compares
-- the tenant itself.
CREATE UNIQUE INDEX decisions_by_payment ON decisions (payment_id, tenant);
CREATE UNIQUE INDEX decisions_by_idempotency ON decisions (idempotency_key, key_id, tenant)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX decisions_by_tenant ON decisions (tenant, event_no, outcome, kind, decided_at);

CREATE TABLE labels (
    seq BIGINT PRIMARY KEY,
    tenant TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    event_no BIGINT,
    verdict SMALLINT NOT NULL,
    source SMALLINT NOT NULL,
    occurred_at BIGINT,
    known_at BIGINT NOT NULL
);
CREATE INDEX labels_by_payment ON labels (payment_id, tenant, seq);

CREATE TABLE list_entries (
    entry_no BIGINT PRIMARY KEY,
    tenant TEXT NOT NULL,
    list TEXT NOT NULL,
    value TEXT NOT NULL,
    reason TEXT NOT NULL,
    added_by TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    expires_at BIGINT,
    removed_at BIGINT
);
CREATE UNIQUE INDEX list_entries_open ON list_entries (tenant, list, value)
    WHERE removed_at IS NULL;
CREATE INDEX list_entries_by_list ON list_entries (tenant, list, entry_no);

CREATE TABLE signing_keys (
    key_id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    material BYTEA NOT NULL,
    sealed SMALLINT NOT NULL CHECK (sealed IN (0, 1)),
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    description TEXT NOT NULL
);
CREATE INDEX signing_keys_by_tenant ON signing_keys (tenant, key_id);

CREATE TABLE rule_sets (
    tenant TEXT NOT NULL,
    version TEXT NOT NULL,
    source TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, version)
);

CREATE TABLE trail (
    seq BIGINT PRIMARY KEY,
    written_at BIGINT NOT NULL,
    tenant TEXT NOT NULL,
    actor TEXT NOT NULL,
    purpose TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    manifest BYTEA NOT NULL,
    hash BYTEA NOT NULL
);

-- The leaves that nobody has handled yet.
CREATE TABLE outbox (
    seq BIGINT PRIMARY KEY,
    claimed_by TEXT,
    claimed_until BIGINT
);
