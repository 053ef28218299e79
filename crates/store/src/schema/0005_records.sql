-- What changes as a whole, such as an account or the terms of a key: each version is a row of its
-- own, never changed; the newest counts. Who writes version n + 1 has seen n, so that of two who
-- change at once one is refused.
CREATE TABLE records (
    record TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    written_at BIGINT NOT NULL,
    body BYTEA NOT NULL
);
CREATE UNIQUE INDEX records_by_id ON records (kind, id, version);
