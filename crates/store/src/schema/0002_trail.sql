-- The trail as one Merkle tree per tenant, in the shape of C2SP tlog-tiles.

DROP TABLE trail;
DROP TABLE outbox;

-- One row per tree: how many leaves it has, the hash of the newest, and how many are signed.
CREATE TABLE trail_trees (
    tenant TEXT PRIMARY KEY,
    size BIGINT NOT NULL,
    head BYTEA NOT NULL,
    signed BIGINT NOT NULL
);

-- 256 leaves each, as entry bundles.
CREATE TABLE trail_bundles (
    tenant TEXT NOT NULL,
    n BIGINT NOT NULL,
    entries BYTEA NOT NULL,
    PRIMARY KEY (tenant, n)
);

-- The leaves after the last bundle, as they were committed, with their hashes.
CREATE TABLE trail_tail (
    tenant TEXT NOT NULL,
    first BIGINT NOT NULL,
    entries BYTEA NOT NULL,
    hashes BYTEA NOT NULL,
    PRIMARY KEY (tenant, first)
);

-- Hash tiles: level 0 once it is full, higher levels as they grow.
CREATE TABLE trail_tiles (
    tenant TEXT NOT NULL,
    level SMALLINT NOT NULL,
    n BIGINT NOT NULL,
    hashes BYTEA NOT NULL,
    PRIMARY KEY (tenant, level, n)
);

CREATE TABLE trail_checkpoints (
    tenant TEXT NOT NULL,
    size BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    cosigned SMALLINT NOT NULL CHECK (cosigned IN (0, 1)),
    note TEXT NOT NULL,
    PRIMARY KEY (tenant, size)
);

CREATE TABLE trail_keys (
    generation BIGINT PRIMARY KEY,
    public BYTEA NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_until BIGINT
);

-- The leaf that holds a decision.
ALTER TABLE decisions ADD COLUMN leaf BIGINT NOT NULL DEFAULT 0;

-- The leaves that nobody has handled yet.
CREATE TABLE outbox (
    seq BIGINT PRIMARY KEY,
    tenant TEXT NOT NULL,
    leaf BIGINT NOT NULL,
    claimed_by TEXT,
    claimed_until BIGINT
);
