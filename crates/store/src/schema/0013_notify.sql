-- What is told to the systems of a company. A message is kept, sealed, as long as it may be sent
-- again; a delivery is one message on its way to one endpoint, and `due_at` when it is tried next,
-- none once it has arrived or was given up.
CREATE TABLE messages (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    event TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    body BYTEA NOT NULL
);
CREATE INDEX messages_by_time ON messages (created_at);
CREATE TABLE deliveries (
    message TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    tenant TEXT NOT NULL,
    event TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    state SMALLINT NOT NULL,
    attempts BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    due_at BIGINT,
    last_at BIGINT,
    last_status BIGINT,
    PRIMARY KEY (message, endpoint)
);
CREATE INDEX deliveries_due ON deliveries (endpoint, due_at);
CREATE INDEX deliveries_by_time ON deliveries (endpoint, created_at, message);
-- Each time that it was tried; `status` is none if there was no answer, and `failure` says why.
CREATE TABLE attempts (
    message TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    attempt_no BIGINT NOT NULL,
    tried_at BIGINT NOT NULL,
    took_ms BIGINT NOT NULL,
    status BIGINT,
    failure TEXT,
    PRIMARY KEY (message, endpoint, attempt_no)
);
