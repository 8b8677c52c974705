-- "Thro": tells this file from other programs' databases.
PRAGMA application_id = 0x5468726F;

CREATE TABLE chat (
    -- Ascending in the order of creation.
    key INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    nick TEXT NOT NULL,
    topic TEXT NOT NULL,
    topic_by BLOB,
    topic_fact BLOB,
    created_ms INTEGER NOT NULL,
    port INTEGER,
    joined INTEGER NOT NULL,
    chat_seed BLOB,
    member_seed BLOB,
    invite BLOB,
    rendezvous BLOB,
    credential BLOB,
    charter BLOB,
    next_invite INTEGER NOT NULL,
    draft TEXT NOT NULL DEFAULT '',
    -- The key of the newest message that was seen. Not a foreign key: messages go only with their chat.
    read_message INTEGER
) STRICT;

CREATE TABLE message (
    -- Ascending in the order of arrival: decides among those of one millisecond.
    key INTEGER PRIMARY KEY,
    chat INTEGER NOT NULL REFERENCES chat (key) ON DELETE CASCADE,
    id BLOB NOT NULL,
    member BLOB NOT NULL,
    nick TEXT NOT NULL,
    client_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    action INTEGER NOT NULL,
    text TEXT NOT NULL,
    own INTEGER NOT NULL,
    history INTEGER NOT NULL,
    delivery TEXT,
    signed BLOB NOT NULL,
    UNIQUE (chat, id)
) STRICT;

-- The key stands at the end of every index by itself: pages of history are ranges of this one.
CREATE INDEX message_order ON message (chat, at_ms);
-- Counts what is unread without looking at the messages.
CREATE INDEX message_of_others ON message (chat, at_ms) WHERE own = 0;
CREATE INDEX message_waiting ON message (chat, at_ms) WHERE delivery = 'waiting';

CREATE TABLE member (
    chat INTEGER NOT NULL REFERENCES chat (key) ON DELETE CASCADE,
    member BLOB NOT NULL,
    -- Ascending in the order of first mention, without gaps: the oldest make room for new ones.
    place INTEGER NOT NULL,
    credential BLOB,
    nick TEXT,
    PRIMARY KEY (chat, member),
    UNIQUE (chat, place)
) STRICT;

CREATE TABLE peer (
    chat INTEGER NOT NULL REFERENCES chat (key) ON DELETE CASCADE,
    address TEXT NOT NULL,
    seen_ms INTEGER NOT NULL,
    PRIMARY KEY (chat, address)
) STRICT, WITHOUT ROWID;

CREATE TABLE invite (
    chat INTEGER NOT NULL REFERENCES chat (key) ON DELETE CASCADE,
    id BLOB NOT NULL,
    number INTEGER NOT NULL,
    certificate BLOB NOT NULL,
    uses INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (chat, id)
) STRICT;

CREATE TABLE tab (
    position INTEGER PRIMARY KEY,
    chat INTEGER NOT NULL UNIQUE REFERENCES chat (key) ON DELETE CASCADE,
    selected INTEGER NOT NULL
) STRICT;

-- One row: what the user chose, as JSON.
CREATE TABLE settings (
    key INTEGER PRIMARY KEY CHECK (key = 1),
    json TEXT NOT NULL
) STRICT;
