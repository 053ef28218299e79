-- How far the trail of each tenant has been handed to each receiver: the next leaf that it gets.
CREATE TABLE trail_exports (
    tenant TEXT NOT NULL,
    receiver TEXT NOT NULL,
    next BIGINT NOT NULL,
    PRIMARY KEY (tenant, receiver)
);
