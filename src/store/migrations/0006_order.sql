-- Where a message stands in its chat, those of one place by id: as its author's clock had it, ms since 1970 times 2^16 and a
-- counter; so the order is the same however messages come. (A clock that is far ahead is not believed.)
ALTER TABLE message ADD COLUMN place INTEGER NOT NULL DEFAULT 0;

DROP INDEX message_order;
DROP INDEX message_of_others;
DROP INDEX message_waiting;
