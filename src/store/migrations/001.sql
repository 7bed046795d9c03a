-- Every status is a CHECK, every time an epoch in ms. Columns that cannot be filled in later stand here from the
-- first day: created_by, cause_id, depth, origin.

CREATE TABLE meta (
  id          INTEGER PRIMARY KEY CHECK (id = 1),
  codex_home  TEXT,
  catalogue   TEXT CHECK (catalogue IS NULL OR json_valid(catalogue)),
  catalogue_at INTEGER,
  log_id      TEXT NOT NULL,
  last_seq    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE epochs (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  pid         INTEGER NOT NULL,
  "group"     INTEGER NOT NULL,
  start_time  TEXT NOT NULL,
  boot_id     TEXT NOT NULL,
  version     TEXT,
  started_at  INTEGER NOT NULL,
  up_at       INTEGER,
  ended_at    INTEGER,
  end_reason  TEXT
) STRICT;
CREATE INDEX epochs_unended ON epochs (id) WHERE ended_at IS NULL;

CREATE TABLE lanes (
  ref             TEXT PRIMARY KEY CHECK (length(ref) = 6),
  thread_id       TEXT,
  source          TEXT NOT NULL CHECK (source IN ('own', 'attached')),
  -- starting: no thread yet; started: it has an id; ready: its name made it durable
  setup           TEXT NOT NULL CHECK (setup IN ('starting', 'started', 'ready')),
  durable_at      INTEGER,
  title           TEXT NOT NULL,
  handle          TEXT,
  cwd             TEXT NOT NULL,
  settings        TEXT NOT NULL CHECK (json_valid(settings)),
  effective       TEXT CHECK (effective IS NULL OR json_valid(effective)),
  rollout_path    TEXT,
  hold_reason     TEXT CHECK (hold_reason IN ('failed', 'stopped', 'crashed', 'unsure', 'settings_differ', 'by_hand')),
  -- why the queue waits though nothing holds it: Codex's own refusal
  blocked_reason  TEXT,
  goal            TEXT CHECK (goal IS NULL OR json_valid(goal)),
  -- of `new --goal`: asked for, then set but paused until the first message is delivered, then null
  goal_setup      TEXT CHECK (goal_setup IN ('wanted', 'paused')),
  -- the last turn ran with settings of its own, which stick in Codex: the next one sends the lane's again
  overridden      INTEGER NOT NULL DEFAULT 0 CHECK (overridden IN (0, 1)),
  -- kept by triggers, so that a claim costs the same however many wait
  pending         INTEGER NOT NULL DEFAULT 0 CHECK (pending >= 0),
  tokens          TEXT CHECK (tokens IS NULL OR json_valid(tokens)),
  last_message    TEXT CHECK (last_message IS NULL OR json_valid(last_message)),
  create_key      TEXT UNIQUE,
  create_digest   TEXT,
  created_by      TEXT,
  cause_id        TEXT,
  evidence_at     INTEGER NOT NULL,
  archived_at     INTEGER,
  gone_at         INTEGER,
  forgotten_at    INTEGER,
  created_at      INTEGER NOT NULL,
  updated_at      INTEGER NOT NULL,
  CHECK (setup = 'starting' OR thread_id IS NOT NULL),
  CHECK (source = 'own' OR handle IS NULL)
) STRICT;
-- A ref is never reused, so a forgotten lane keeps its row; its thread and its handle are free again.
CREATE UNIQUE INDEX lanes_thread ON lanes (thread_id) WHERE forgotten_at IS NULL;
CREATE UNIQUE INDEX lanes_handle ON lanes (handle) WHERE forgotten_at IS NULL AND archived_at IS NULL;
CREATE INDEX lanes_title ON lanes (title) WHERE forgotten_at IS NULL;
CREATE INDEX lanes_setup ON lanes (ref) WHERE setup <> 'ready';
CREATE INDEX lanes_goal ON lanes (ref) WHERE goal_setup IS NOT NULL;
CREATE INDEX lanes_waiting ON lanes (ref) WHERE pending > 0;
CREATE INDEX lanes_recent ON lanes (updated_at DESC) WHERE forgotten_at IS NULL;

CREATE TABLE turns (
  lane            TEXT NOT NULL REFERENCES lanes (ref),
  turn_id         TEXT NOT NULL,
  origin          TEXT NOT NULL CHECK (origin IN ('ours', 'goal', 'queue', 'other')),
  status          TEXT NOT NULL CHECK (status IN ('in_progress', 'completed', 'failed', 'interrupted')),
  epoch           INTEGER REFERENCES epochs (id),
  error           TEXT CHECK (error IS NULL OR json_valid(error)),
  retrying_since  INTEGER,
  started_at      INTEGER NOT NULL,
  completed_at    INTEGER,
  PRIMARY KEY (lane, turn_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX turns_running ON turns (lane, turn_id) WHERE status = 'in_progress';

CREATE TABLE messages (
  id              TEXT PRIMARY KEY,
  lane            TEXT NOT NULL REFERENCES lanes (ref),
  position        INTEGER NOT NULL,
  mode            TEXT NOT NULL CHECK (mode IN ('send', 'queue', 'steer', 'interject', 'context')),
  text            TEXT NOT NULL,
  sha256          TEXT NOT NULL,
  state           TEXT NOT NULL CHECK (state IN ('queued', 'claimed', 'sent', 'delivered', 'done', 'failed', 'cancelled', 'unsure')),
  outcome         TEXT CHECK (outcome IN ('completed', 'failed', 'interrupted')),
  epoch           INTEGER REFERENCES epochs (id),
  attempt         INTEGER NOT NULL DEFAULT 0,
  turn_id         TEXT,
  target_turn_id  TEXT,
  floor_turn_id   TEXT,
  path            TEXT,
  joined          INTEGER NOT NULL DEFAULT 0 CHECK (joined IN (0, 1)),
  or_queue        INTEGER NOT NULL DEFAULT 0 CHECK (or_queue IN (0, 1)),
  settings        TEXT CHECK (settings IS NULL OR json_valid(settings)),
  "key"           TEXT UNIQUE,
  digest          TEXT,
  cause_id        TEXT,
  depth           INTEGER NOT NULL DEFAULT 0,
  caller          TEXT,
  error           TEXT CHECK (error IS NULL OR json_valid(error)),
  claimed_at      INTEGER,
  sent_at         INTEGER,
  created_at      INTEGER NOT NULL,
  updated_at      INTEGER NOT NULL,
  CHECK (state IN ('queued', 'cancelled', 'failed') OR epoch IS NOT NULL),
  CHECK (outcome IS NULL OR state = 'done')
) STRICT;
CREATE INDEX messages_next ON messages (lane, position) WHERE state = 'queued';
CREATE INDEX messages_urgent ON messages (lane, position) WHERE state = 'queued' AND mode IN ('send', 'interject');
CREATE INDEX messages_context ON messages (lane, position) WHERE state = 'queued' AND mode = 'context';
CREATE INDEX messages_steer ON messages (lane, target_turn_id, position) WHERE mode = 'steer' AND state IN ('queued', 'claimed', 'sent');
CREATE INDEX messages_open ON messages (lane, turn_id) WHERE state IN ('claimed', 'sent', 'delivered', 'unsure');
CREATE INDEX messages_lane ON messages (lane, created_at, id);
CREATE INDEX messages_recent ON messages (created_at, id);
-- One in flight a lane: the registry refuses a second claim, whatever the code believes.
CREATE UNIQUE INDEX messages_one_in_flight ON messages (lane) WHERE state IN ('claimed', 'sent');

CREATE TRIGGER messages_transition BEFORE UPDATE OF state ON messages
WHEN old.state <> new.state AND NOT (
     (old.state = 'queued'    AND new.state IN ('claimed', 'cancelled', 'failed'))
  OR (old.state = 'claimed'   AND new.state IN ('sent', 'delivered', 'queued', 'failed', 'unsure'))
  OR (old.state = 'sent'      AND new.state IN ('delivered', 'queued', 'failed', 'unsure'))
  OR (old.state = 'delivered' AND new.state IN ('done'))
  OR (old.state = 'unsure'    AND new.state IN ('delivered', 'queued', 'failed'))
)
BEGIN
  SELECT RAISE(ABORT, 'a message may not move that way');
END;

CREATE TRIGGER messages_content BEFORE UPDATE OF text, sha256, lane ON messages
BEGIN
  SELECT RAISE(ABORT, 'what was accepted is never changed');
END;

CREATE TRIGGER messages_pending_new AFTER INSERT ON messages WHEN new.state = 'queued'
BEGIN
  UPDATE lanes SET pending = pending + 1 WHERE ref = new.lane;
END;

CREATE TRIGGER messages_pending_moved AFTER UPDATE OF state ON messages WHEN (old.state = 'queued') <> (new.state = 'queued')
BEGIN
  UPDATE lanes SET pending = pending + CASE WHEN new.state = 'queued' THEN 1 ELSE -1 END WHERE ref = new.lane;
END;

CREATE TABLE requests (
  id            TEXT PRIMARY KEY,
  lane          TEXT NOT NULL REFERENCES lanes (ref),
  epoch         INTEGER NOT NULL REFERENCES epochs (id),
  rpc_id        TEXT NOT NULL CHECK (json_valid(rpc_id)),
  method        TEXT NOT NULL,
  kind          TEXT NOT NULL CHECK (kind IN ('command_approval', 'file_change_approval', 'user_input', 'elicitation', 'permissions_approval', 'tool_call', 'other')),
  turn_id       TEXT,
  item_id       TEXT,
  state         TEXT NOT NULL CHECK (state IN ('open', 'answered', 'expired')),
  summary       TEXT NOT NULL,
  command       TEXT,
  cwd           TEXT,
  diff          TEXT,
  params        TEXT NOT NULL CHECK (json_valid(params)),
  decision      TEXT,
  answered_by   TEXT,
  asked_at      INTEGER NOT NULL,
  expires_at    INTEGER,
  closed_at     INTEGER,
  CHECK ((state = 'open') = (closed_at IS NULL))
) STRICT;
CREATE INDEX requests_open ON requests (lane) WHERE state = 'open';
CREATE UNIQUE INDEX requests_wire ON requests (epoch, rpc_id);

CREATE TRIGGER requests_transition BEFORE UPDATE OF state ON requests
WHEN old.state <> 'open' AND NOT (old.state = 'answered' AND new.state = 'expired')
BEGIN
  SELECT RAISE(ABORT, 'a request is answered once');
END;

CREATE TABLE events (
  seq      INTEGER PRIMARY KEY,
  at       INTEGER NOT NULL,
  kind     TEXT NOT NULL,
  lane     TEXT,
  turn_id  TEXT,
  receipt  TEXT,
  data     TEXT NOT NULL CHECK (json_valid(data))
) STRICT;
CREATE INDEX events_lane ON events (lane, seq);

-- What was said and done, for search. Only ever added to: a later read may leave out what was seen live.
CREATE TABLE items (
  -- epoch ms * 1024 + a number within that ms: newest first, and since and until, are the order and a range of the
  -- rowid, which is all that the full-text index can sort and cut by without touching every hit
  id       INTEGER PRIMARY KEY,
  lane     TEXT NOT NULL REFERENCES lanes (ref),
  turn_id  TEXT NOT NULL,
  item_id  TEXT NOT NULL,
  type     TEXT NOT NULL CHECK (type IN ('user_message', 'agent_message', 'plan', 'command', 'file_change', 'mcp_tool_call', 'error')),
  text     TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX items_key ON items (lane, turn_id, item_id);
-- External content: phrases and snippets need the text, and it stands in items already. `lane` is indexed, so that
-- one thread among many is an intersection of two lists and no scan (a scan of 20,000 hits: 40 ms).
CREATE VIRTUAL TABLE items_fts USING fts5 (text, lane, content = 'items', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2');

-- How much of a thread's history is in the index.
CREATE TABLE syncs (
  lane       TEXT PRIMARY KEY REFERENCES lanes (ref),
  -- everything from here down to the first gap was read; null: history was never read
  top_turn   TEXT,
  -- [{cursor, until}], newest first: where reading stopped, and the turn that it goes on down to
  gaps       TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(gaps)),
  turns      INTEGER NOT NULL DEFAULT 0,
  items      INTEGER NOT NULL DEFAULT 0,
  bytes      INTEGER NOT NULL DEFAULT 0,
  synced_at  INTEGER,
  error      TEXT
) STRICT, WITHOUT ROWID;
