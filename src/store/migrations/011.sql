-- What acts by itself: triggers, subscriptions and notifications are rows of one kind. Each looks at the clock or at
-- the event log, and each occurrence of it is a firing, unique by its slot.
CREATE TABLE automations (
  id TEXT PRIMARY KEY,
  face TEXT NOT NULL CHECK (face IN ('trigger', 'subscription', 'notification')),
  name TEXT,
  -- The thread that it acts on. None: the person.
  lane TEXT REFERENCES lanes (ref),
  "when" TEXT NOT NULL CHECK (json_valid("when")),
  action TEXT NOT NULL CHECK (json_valid(action)),
  guards TEXT NOT NULL CHECK (json_valid(guards)),
  state TEXT NOT NULL CHECK (state IN ('active', 'paused', 'ended')),
  reason TEXT,
  -- It looks at what the log holds behind this.
  since INTEGER NOT NULL,
  -- The next moment by the clock, and when it is looked at: later by the jitter, or after a failure.
  slot_at INTEGER,
  due_at INTEGER,
  -- How often it fired, and failures in a row.
  fired INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0,
  last_fired_at INTEGER,
  last_receipt TEXT,
  caller TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX automations_name ON automations (name) WHERE face = 'trigger' AND state <> 'ended';
CREATE INDEX automations_names ON automations (name, created_at) WHERE face = 'trigger';
CREATE INDEX automations_due ON automations (due_at) WHERE state = 'active' AND due_at IS NOT NULL;
CREATE INDEX automations_ended ON automations (updated_at) WHERE state = 'ended';
CREATE INDEX automations_recent ON automations (created_at, id);
CREATE INDEX automations_lane ON automations (lane) WHERE state = 'active';

-- The threads that an automation looks at; '*' is every thread.
CREATE TABLE watched (
  automation TEXT NOT NULL REFERENCES automations (id) ON DELETE CASCADE,
  lane TEXT NOT NULL,
  -- Whether its condition held at the last look, and since which event.
  holds INTEGER NOT NULL DEFAULT 0 CHECK (holds IN (0, 1)),
  seq INTEGER,
  -- In force: false where this row only remembers what held of a thread that '*' covers.
  named INTEGER NOT NULL DEFAULT 1 CHECK (named IN (0, 1)),
  PRIMARY KEY (automation, lane)
) STRICT, WITHOUT ROWID;
CREATE INDEX watched_lane ON watched (lane, automation) WHERE named = 1;

CREATE TABLE firings (
  id INTEGER PRIMARY KEY,
  automation TEXT NOT NULL REFERENCES automations (id) ON DELETE CASCADE,
  slot TEXT NOT NULL,
  at INTEGER NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('fired', 'skipped', 'failed')),
  reason TEXT,
  -- How many moments of the clock this row stands for.
  slots INTEGER NOT NULL DEFAULT 1,
  receipt TEXT,
  lane TEXT,
  -- The event that caused it.
  seq INTEGER,
  UNIQUE (automation, slot)
) STRICT;
CREATE INDEX firings_automation ON firings (automation, id);

CREATE TABLE inbox (
  id TEXT PRIMARY KEY,
  -- The thread that it is for. None: the person.
  lane TEXT,
  sender TEXT,
  text TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'acked')),
  created_at INTEGER NOT NULL,
  acked_at INTEGER
) STRICT;
CREATE INDEX inbox_pending ON inbox (lane, created_at, id) WHERE state = 'pending';
CREATE INDEX inbox_acked ON inbox (acked_at) WHERE state = 'acked';
CREATE INDEX inbox_recent ON inbox (created_at, id);

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  automation TEXT NOT NULL REFERENCES automations (id) ON DELETE CASCADE,
  payload TEXT NOT NULL CHECK (json_valid(payload)),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'failed')),
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER NOT NULL,
  error TEXT,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_over ON outbox (created_at) WHERE state <> 'waiting';
CREATE INDEX outbox_waiting ON outbox (automation, id) WHERE state = 'waiting';

-- How far the log was looked through.
ALTER TABLE meta ADD COLUMN automation_seq INTEGER NOT NULL DEFAULT 0;
UPDATE meta SET automation_seq = last_seq;
