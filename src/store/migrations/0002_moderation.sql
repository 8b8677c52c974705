-- The signed facts of a chat: who is what there, who is banned, what the topic is.
CREATE TABLE fact (
    chat INTEGER NOT NULL REFERENCES chat (key) ON DELETE CASCADE,
    id BLOB NOT NULL,
    fact BLOB NOT NULL,
    -- What admits its issuer, where the fact needs that beside it.
    credential BLOB,
    PRIMARY KEY (chat, id)
) STRICT;

-- Whose words the user does not want to see. Apart from the members, the oldest of whom are forgotten.
CREATE TABLE ignored (
    chat INTEGER NOT NULL REFERENCES chat (key) ON DELETE CASCADE,
    member BLOB NOT NULL,
    PRIMARY KEY (chat, member)
) STRICT, WITHOUT ROWID;

-- Its form was another than that of the facts; the topic itself stands beside it.
ALTER TABLE chat DROP COLUMN topic_fact;
