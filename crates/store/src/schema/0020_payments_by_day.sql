-- When payments happened, too: reports count millions of them by day and read no row.
DROP INDEX decisions_by_tenant;
CREATE INDEX decisions_by_tenant ON decisions (
    tenant, event_no, outcome, kind, decided_at, fraud_score, laundering_score, currency,
    amount_minor, occurred_at
);
