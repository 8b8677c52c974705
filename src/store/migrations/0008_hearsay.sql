-- 1: a member is said to be there, and no link has stood there yet.
ALTER TABLE peer ADD COLUMN hearsay INTEGER NOT NULL DEFAULT 0;
