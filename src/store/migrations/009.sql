-- A usage limit is a state of an account, and a model provider is an account's: one row each, which goes with the limit.
CREATE TABLE usage_limits (
  provider   TEXT PRIMARY KEY,
  -- Codex's id of what is limited
  limit_id   TEXT,
  -- as Codex says it
  resets_at  INTEGER NOT NULL,
  -- when the queue goes on
  until      INTEGER NOT NULL,
  began_at   INTEGER NOT NULL,
  reason     TEXT NOT NULL
) STRICT;
