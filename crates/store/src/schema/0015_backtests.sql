-- Back-tests that were asked for, and what they found, compressed. The oldest of a tenant leave; what
-- they found can be found again from the journal.
CREATE TABLE backtests (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    rule_set TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    outcome BYTEA
);
CREATE INDEX backtests_by_tenant ON backtests (tenant, asked_at, id);
