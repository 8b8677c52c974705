-- The last two letters of every text with two marks after them, by every three in a row. With these and `message_text` each
-- letter of a text begins some three: so words of one and two letters are found among the threes that begin with them.
CREATE VIEW message_ending AS SELECT key, substr(text, -2) || char(3, 3) AS text FROM message;
CREATE VIRTUAL TABLE message_end USING fts5 (
    text, content = 'message_ending', content_rowid = 'key', tokenize = 'trigram', detail = 'none', columnsize = 0
);
INSERT INTO message_end (message_end, rank) VALUES ('secure-delete', 1);

CREATE TRIGGER message_end_added AFTER INSERT ON message BEGIN
    INSERT INTO message_end (rowid, text) VALUES (new.key, substr(new.text, -2) || char(3, 3));
END;
CREATE TRIGGER message_end_removed AFTER DELETE ON message BEGIN
    INSERT INTO message_end (message_end, rowid, text)
    VALUES ('delete', old.key, substr(old.text, -2) || char(3, 3));
END;

INSERT INTO message_end (message_end) VALUES ('rebuild');

-- Which three letters stand in which messages.
CREATE VIRTUAL TABLE message_text_terms USING fts5vocab (message_text, instance);
CREATE VIRTUAL TABLE message_end_terms USING fts5vocab (message_end, instance);

-- Who is called what, and what they said. (Began it with the chat, SQLite would take it for what other indexes are for.)
CREATE INDEX message_nick ON message (nick, chat, place);
