-- Each new value of a new person touches one random place for the person, one for its index and one
-- for its tail: keys and tokens are named in the order of time, the keys of a person are found
-- through what is sealed under them, and what makes two values the same stands beside the person.
DROP INDEX vault_keys_by_subject;
DROP INDEX vault_records_same;
DROP INDEX vault_records_by_subject;
CREATE UNIQUE INDEX vault_records_by_subject ON vault_records (subject, same);
