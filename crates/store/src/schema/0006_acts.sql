-- Leaves that say what somebody did other than having a payment decided, as they stand in the
-- trail: what the watch reads again, without reading past millions of decisions.
CREATE TABLE acts (
    seq BIGINT PRIMARY KEY,
    tenant TEXT NOT NULL,
    written_at BIGINT NOT NULL,
    leaf BYTEA NOT NULL
);
CREATE INDEX acts_by_time ON acts (written_at, seq);

-- How far those have come who read on from where they were.
CREATE TABLE marks (
    reader TEXT PRIMARY KEY,
    seq BIGINT NOT NULL
);

CREATE INDEX records_by_tenant ON records (tenant, kind, id, version);
