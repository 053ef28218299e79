-- Which decisions name whom and for which rules fired, a block of decisions to a row. It is made from
-- the decisions behind their back and can be made again.
CREATE TABLE mentions (
    tenant TEXT NOT NULL,
    first_no BIGINT NOT NULL,
    last_no BIGINT NOT NULL,
    content BYTEA NOT NULL,
    PRIMARY KEY (tenant, first_no)
);
