-- Keys of persons, wrapped under the keys of an epoch. A person may have several; whoever destroys
-- them makes everything sealed under them unreadable. Epoch and wrapping change, the rest does not.
CREATE TABLE vault_keys (
    key_id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    subject TEXT NOT NULL,
    retention TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    destroyed_at BIGINT,
    epoch BIGINT NOT NULL,
    wrapped BYTEA NOT NULL
);
CREATE INDEX vault_keys_by_subject ON vault_keys (subject, tenant, retention);
CREATE INDEX vault_keys_by_epoch ON vault_keys (epoch, key_id) WHERE destroyed_at IS NULL;

-- Sealed values. An erased one keeps its name and the hash of what it held, and nothing else.
CREATE TABLE vault_records (
    token TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    subject TEXT NOT NULL,
    retention TEXT NOT NULL,
    class TEXT NOT NULL,
    key_id TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    expires_at BIGINT,
    once SMALLINT NOT NULL CHECK (once IN (0, 1)),
    caller TEXT,
    purpose TEXT,
    held BYTEA NOT NULL,
    erased_at BIGINT,
    same BYTEA,
    exact BYTEA,
    tail TEXT,
    pair BYTEA,
    masked TEXT,
    sealed BYTEA,
    details BYTEA
);
-- Equal values of one person have one token, unless the token is good for one use or one caller.
CREATE UNIQUE INDEX vault_records_same ON vault_records (same) WHERE same IS NOT NULL;
CREATE INDEX vault_records_exact ON vault_records (exact, tenant) WHERE exact IS NOT NULL;
CREATE INDEX vault_records_tail ON vault_records (tail, class, tenant) WHERE tail IS NOT NULL;
CREATE INDEX vault_records_pair ON vault_records (pair, tenant) WHERE pair IS NOT NULL;
CREATE INDEX vault_records_by_subject ON vault_records (subject, tenant) WHERE erased_at IS NULL;
CREATE INDEX vault_records_by_expiry ON vault_records (expires_at)
    WHERE expires_at IS NOT NULL AND erased_at IS NULL;
