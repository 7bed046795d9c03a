-- Which messages a turn answered: the chain of causes is followed along them.
CREATE INDEX messages_turn ON messages (lane, turn_id) WHERE turn_id IS NOT NULL;

-- What Codex is asked for goes on beside the loop: its row is open until then, with what is to be done.
CREATE TABLE firings_new (
  id INTEGER PRIMARY KEY,
  automation TEXT NOT NULL REFERENCES automations (id) ON DELETE CASCADE,
  slot TEXT NOT NULL,
  at INTEGER NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('open', 'fired', 'skipped', 'failed')),
  reason TEXT,
  -- How many moments of the clock this row stands for.
  slots INTEGER NOT NULL DEFAULT 1,
  receipt TEXT,
  lane TEXT,
  -- The event that caused it.
  seq INTEGER,
  -- While it is open.
  work TEXT,
  UNIQUE (automation, slot)
) STRICT;
INSERT INTO firings_new (id, automation, slot, at, outcome, reason, slots, receipt, lane, seq)
  SELECT id, automation, slot, at, outcome, reason, slots, receipt, lane, seq FROM firings;
DROP TABLE firings;
ALTER TABLE firings_new RENAME TO firings;
CREATE INDEX firings_automation ON firings (automation, id);
CREATE INDEX firings_open ON firings (automation, id) WHERE outcome = 'open';
