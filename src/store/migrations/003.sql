-- What a question asks is kept in core's own nouns, and approvals of MCP tools are a kind of their own. The kinds
-- are a CHECK, so the table is made anew. What was asked before keeps its row; Codex's params of it go.

CREATE TABLE requests_new (
  id            TEXT PRIMARY KEY,
  lane          TEXT NOT NULL REFERENCES lanes (ref),
  epoch         INTEGER NOT NULL REFERENCES epochs (id),
  rpc_id        TEXT NOT NULL CHECK (json_valid(rpc_id)),
  method        TEXT NOT NULL,
  kind          TEXT NOT NULL CHECK (kind IN ('command_approval', 'file_change_approval', 'permissions_approval', 'mcp_tool_approval', 'user_input', 'elicitation', 'tool_call', 'other')),
  turn_id       TEXT,
  item_id       TEXT,
  state         TEXT NOT NULL CHECK (state IN ('open', 'answered', 'expired')),
  summary       TEXT NOT NULL,
  command       TEXT,
  cwd           TEXT,
  diff          TEXT,
  asks          TEXT CHECK (asks IS NULL OR json_valid(asks)),
  decision      TEXT,
  answered_by   TEXT,
  asked_at      INTEGER NOT NULL,
  expires_at    INTEGER,
  closed_at     INTEGER,
  CHECK ((state = 'open') = (closed_at IS NULL))
) STRICT;
INSERT INTO requests_new
  SELECT id, lane, epoch, rpc_id, method, kind, turn_id, item_id, state, summary, command, cwd, diff, NULL,
         decision, answered_by, asked_at, expires_at, closed_at
    FROM requests;
DROP TABLE requests;
ALTER TABLE requests_new RENAME TO requests;

CREATE INDEX requests_open ON requests (lane) WHERE state = 'open';
CREATE UNIQUE INDEX requests_wire ON requests (epoch, rpc_id);
CREATE INDEX requests_asked ON requests (asked_at, id);

CREATE TRIGGER requests_transition BEFORE UPDATE OF state ON requests
WHEN old.state <> 'open' AND NOT (old.state = 'answered' AND new.state = 'expired')
BEGIN
  SELECT RAISE(ABORT, 'a request is answered once');
END;
