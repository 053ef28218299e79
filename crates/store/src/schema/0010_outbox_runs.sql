-- Leaves of one tenant that follow each other wait as one row: the number of the first, over all
-- trees and in the tree of the tenant, and how many they are.
ALTER TABLE outbox ADD COLUMN leaves BIGINT NOT NULL DEFAULT 1;
