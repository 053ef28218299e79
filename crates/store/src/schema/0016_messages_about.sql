-- What each message is about: a decision, a payment, an alert, a case. Messages from before say nothing.
ALTER TABLE messages ADD COLUMN about TEXT NOT NULL DEFAULT '';
CREATE INDEX messages_by_about ON messages (about) WHERE about <> '';
