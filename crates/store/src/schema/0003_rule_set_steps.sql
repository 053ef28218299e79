-- The life of rule sets: one row for each step of one version, numbered within its tenant, never
-- changed. Who writes number n + 1 has seen n, so that of two who decide at once one is refused.
CREATE TABLE rule_set_steps (
    tenant TEXT NOT NULL,
    step_no BIGINT NOT NULL,
    version TEXT NOT NULL,
    action TEXT NOT NULL,
    actor TEXT NOT NULL,
    purpose TEXT NOT NULL,
    taken_at BIGINT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (tenant, step_no)
);

-- What a decision saw and what rule sets on trial would have said; none of older decisions.
ALTER TABLE decisions ADD COLUMN trace BYTEA;
