-- Calls of dispatch's own tools by threads. One that runs is answered, or cancelled with its turn or its child.
CREATE TABLE tool_calls (
  id TEXT PRIMARY KEY,
  lane TEXT NOT NULL REFERENCES lanes (ref),
  epoch INTEGER NOT NULL REFERENCES epochs (id),
  rpc_id TEXT NOT NULL CHECK (json_valid(rpc_id)),
  turn_id TEXT,
  call_id TEXT,
  tool TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'answered', 'cancelled')),
  outcome TEXT,
  asked_at INTEGER NOT NULL,
  closed_at INTEGER,
  UNIQUE (epoch, rpc_id)
) STRICT;
CREATE INDEX tool_calls_running ON tool_calls (lane) WHERE state = 'running';
CREATE INDEX tool_calls_closed ON tool_calls (closed_at) WHERE state <> 'running';
