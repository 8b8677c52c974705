-- The words of all messages, by every three letters in a row: so they are found within words, and in scripts that put no
-- spaces between words. The texts themselves stand in `message` alone.
CREATE VIRTUAL TABLE message_text USING fts5 (
    text, content = 'message', content_rowid = 'key', tokenize = 'trigram'
);
-- What is deleted is to be found in no part of the index.
INSERT INTO message_text (message_text, rank) VALUES ('secure-delete', 1);

CREATE TRIGGER message_text_added AFTER INSERT ON message BEGIN
    INSERT INTO message_text (rowid, text) VALUES (new.key, new.text);
END;
CREATE TRIGGER message_text_removed AFTER DELETE ON message BEGIN
    INSERT INTO message_text (message_text, rowid, text) VALUES ('delete', old.key, old.text);
END;

INSERT INTO message_text (message_text) VALUES ('rebuild');
