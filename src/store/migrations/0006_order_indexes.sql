-- After the places are filled in. Pages of history are ranges of the first; the second counts what is unread without looking
-- at the messages.
CREATE INDEX message_order ON message (chat, place, id);
CREATE INDEX message_of_others ON message (chat, place, id) WHERE own = 0;
CREATE INDEX message_waiting ON message (chat, place, id) WHERE delivery = 'waiting';
