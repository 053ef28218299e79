-- Acts that were written together are one row, named by the last of them: leaves one behind the
-- other, as a leaf that stands alone is a run of one.
ALTER TABLE acts RENAME COLUMN leaf TO leaves;
ALTER TABLE acts ADD COLUMN first BIGINT NOT NULL DEFAULT 0;
UPDATE acts SET first = seq;
