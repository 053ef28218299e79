-- Sealed values as one column of bytes each, beside what they are found by, and keys of persons in
-- pages of 32. Values that were sealed for the old places would not open in the new ones: a
-- database that holds any is refused, and stays as it is.
CREATE TABLE vault_is_empty (held BIGINT NOT NULL CHECK (held = 0));
INSERT INTO vault_is_empty SELECT COUNT(*) FROM vault_records;
DROP TABLE vault_is_empty;
DROP TABLE vault_records;
DROP TABLE vault_keys;

-- Keys of persons of one company that are kept for equally long, wrapped under the keys of an
-- epoch. Whoever destroys one makes everything sealed under it unreadable. The numbers repeat what
-- the bytes say: the oldest epoch that wraps a living key, and since when the oldest of these is.
CREATE TABLE vault_pages (
    page BIGINT PRIMARY KEY,
    tenant TEXT NOT NULL,
    retention TEXT NOT NULL,
    epoch BIGINT,
    living BIGINT NOT NULL,
    keys BIGINT NOT NULL,
    oldest BIGINT,
    wrapped BYTEA NOT NULL,
    owners BYTEA NOT NULL
);
CREATE INDEX vault_pages_by_epoch ON vault_pages (epoch, page) WHERE epoch IS NOT NULL;

-- Sealed values. The bytes say everything, and the columns repeat what rows are found by. An
-- erased one keeps its name and the hash of what it held, and nothing else.
CREATE TABLE vault_records (
    token TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    subject TEXT NOT NULL,
    retention TEXT NOT NULL,
    class TEXT NOT NULL,
    key_page BIGINT NOT NULL,
    key_slot SMALLINT NOT NULL,
    made_at BIGINT NOT NULL,
    expires_at BIGINT,
    erased_at BIGINT,
    place BYTEA,
    pair BYTEA,
    body BYTEA NOT NULL
);
-- A new value of a new person touches two random places: one for the person, and one for its last
-- characters, its index and what makes it the same as another, in this order. Equal values of one
-- person have one place, and so one token.
CREATE UNIQUE INDEX vault_records_by_place ON vault_records (place) WHERE place IS NOT NULL;
CREATE INDEX vault_records_by_subject ON vault_records (subject);
CREATE INDEX vault_records_pair ON vault_records (pair, tenant) WHERE pair IS NOT NULL;
CREATE INDEX vault_records_by_expiry ON vault_records (expires_at)
    WHERE expires_at IS NOT NULL AND erased_at IS NULL;
