-- Approvals: one row for each step of one approval, numbered without gaps, never changed. Who
-- writes step n + 1 has seen n, so that of two who act at once one is refused.
CREATE TABLE approval_steps (
    tenant TEXT NOT NULL,
    approval TEXT NOT NULL,
    step_no BIGINT NOT NULL,
    kind SMALLINT NOT NULL,
    command TEXT NOT NULL,
    actor TEXT NOT NULL,
    taken_at BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (approval, tenant, step_no)
);

-- Lists by kind of step, newest first; what was voted in the last thirty days.
CREATE INDEX approval_steps_by_time ON approval_steps (tenant, kind, taken_at);
