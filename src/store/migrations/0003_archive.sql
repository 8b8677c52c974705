-- When its author signed a message: 8 bytes that order as the number does (48 bits of ms, then a counter). NULL in a
-- classic chat, where nothing is signed. (A generated column would do, but its index would not answer alone.)
ALTER TABLE message ADD COLUMN hlc BLOB;
UPDATE message SET hlc = substr(signed, 37, 8) WHERE length(signed) >= 44;

-- What is signed in the order in which the members compare it. All that comparing needs is in the index.
CREATE INDEX message_archive ON message (chat, hlc, id) WHERE hlc IS NOT NULL;

-- Parts of long messages that are signed for themselves. The first part of a message that is complete stands in
-- `message`, under the same id.
CREATE TABLE part (
    key INTEGER PRIMARY KEY,
    chat INTEGER NOT NULL REFERENCES chat (key) ON DELETE CASCADE,
    id BLOB NOT NULL,
    member BLOB NOT NULL,
    client_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    -- The number of its message's first part.
    first INTEGER NOT NULL,
    -- Whether its message stands in `message`.
    complete INTEGER NOT NULL DEFAULT 0,
    signed BLOB NOT NULL,
    hlc BLOB,
    UNIQUE (chat, id)
) STRICT;

CREATE INDEX part_archive ON part (chat, hlc, id) WHERE hlc IS NOT NULL;
CREATE INDEX part_of ON part (chat, client_id, first);
CREATE INDEX part_orphan ON part (chat, first, number) WHERE complete = 0;

-- How much a chat holds of each hour that it holds anything of: hours since 1970, by hlc, in classic chats by time.
CREATE TABLE hour (
    chat INTEGER NOT NULL REFERENCES chat (key) ON DELETE CASCADE,
    hour INTEGER NOT NULL,
    -- Bytes of text and of what is signed.
    bytes INTEGER NOT NULL,
    -- Of the ids in it, 16 bytes; NULL where it has to be made anew.
    fingerprint BLOB,
    PRIMARY KEY (chat, hour)
) STRICT, WITHOUT ROWID;

-- Everything that was signed from this hlc on is held, as far as others had it. NULL: nothing yet.
ALTER TABLE chat ADD COLUMN history_since BLOB;
-- There is nothing older to be had.
ALTER TABLE chat ADD COLUMN history_whole INTEGER NOT NULL DEFAULT 0;
-- How much is kept; both NULL: all of it.
ALTER TABLE chat ADD COLUMN keep_days INTEGER;
ALTER TABLE chat ADD COLUMN keep_mib INTEGER;

-- Until now only what was heard as it was said is held: what was missed since the newest of it is to be fetched.
UPDATE chat SET history_since = (SELECT max(hlc) FROM message WHERE message.chat = chat.key AND hlc IS NOT NULL);
