-- Messages that were sent to another machine, as that machine reports them.
CREATE TABLE relayed (
  id          TEXT PRIMARY KEY,
  -- As the sender wrote it: box/@docs, or queue@pool.
  target      TEXT NOT NULL,
  -- The machine; null for a pool until one took it.
  box         TEXT,
  -- The thread there.
  thread      TEXT,
  state       TEXT NOT NULL CHECK (state IN ('relayed', 'queued', 'claimed', 'sent', 'delivered', 'done', 'failed', 'cancelled', 'unsure')),
  outcome     TEXT CHECK (outcome IN ('completed', 'failed', 'interrupted')),
  turn_id     TEXT,
  joined      INTEGER NOT NULL DEFAULT 0 CHECK (joined IN (0, 1)),
  attempt     INTEGER NOT NULL DEFAULT 0,
  waits       TEXT,
  error       TEXT CHECK (error IS NULL OR json_valid(error)),
  -- What its turn asks there.
  asks        TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(asks)),
  -- The last message of its turn.
  answer      TEXT,
  -- The event of the other machine's log that the newest report is about: older reports change nothing.
  seen        INTEGER NOT NULL DEFAULT 0,
  "key"       TEXT UNIQUE,
  digest      TEXT,
  caller      TEXT,
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL,
  CHECK (outcome IS NULL OR state = 'done')
) STRICT;
CREATE INDEX relayed_recent ON relayed (created_at, id);
CREATE INDEX relayed_target ON relayed (target, created_at);

CREATE TRIGGER relayed_transition BEFORE UPDATE OF state ON relayed
WHEN old.state <> new.state AND (
     new.state = 'relayed'
  OR old.state IN ('done', 'failed', 'cancelled')
  OR (old.state = 'delivered' AND new.state <> 'done')
)
BEGIN
  SELECT RAISE(ABORT, 'a relayed message may not move that way');
END;

-- Messages that came from another machine: what came twice is known by its id, for ever.
CREATE TABLE arrived (
  id          TEXT PRIMARY KEY,
  -- The machine that sent it.
  origin      TEXT NOT NULL,
  pool        TEXT,
  state       TEXT NOT NULL CHECK (state IN ('claiming', 'won', 'taken', 'over', 'refused')),
  -- The whole message, until a thread has it.
  body        TEXT,
  lane        TEXT REFERENCES lanes (ref),
  error       TEXT CHECK (error IS NULL OR json_valid(error)),
  created_at  INTEGER NOT NULL,
  CHECK ((state IN ('claiming', 'won')) = (body IS NOT NULL)),
  CHECK (state NOT IN ('claiming', 'won') OR pool IS NOT NULL)
) STRICT;
CREATE INDEX arrived_open ON arrived (pool, created_at, id) WHERE state IN ('claiming', 'won', 'taken') AND pool IS NOT NULL;
CREATE INDEX arrived_created ON arrived (created_at);

-- Up to which event of the log other machines were told; null: the relay was never used.
CREATE TABLE relay (
  id      INTEGER PRIMARY KEY CHECK (id = 1),
  "cursor" INTEGER
) STRICT;
INSERT INTO relay (id) VALUES (1);
