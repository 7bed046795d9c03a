-- Of one kind, in the order of the log: the newest gap, the audit, a filtered page. Without it each of them walks the log.
CREATE INDEX events_kind ON events (kind, seq);

-- The receipts of any state but the one that nearly all end in: those are found from the newest on.
CREATE INDEX messages_not_done ON messages (created_at, id) WHERE state <> 'done';

-- What was accepted is never changed; what has ended may lose its text, with its digest kept.
DROP TRIGGER messages_content;
CREATE TRIGGER messages_content BEFORE UPDATE OF text, sha256, lane ON messages
WHEN NOT (new.text = '' AND new.sha256 = old.sha256 AND new.lane = old.lane
          AND old.state IN ('done', 'failed', 'cancelled'))
BEGIN
  SELECT RAISE(ABORT, 'what was accepted is never changed');
END;
