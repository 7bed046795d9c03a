-- The tokens that models used for a thread and its sub-agents: one row for a thread, a day and a model.
CREATE TABLE usage (
  lane TEXT NOT NULL REFERENCES lanes (ref),
  -- In the daemon's time zone: YYYY-MM-DD.
  day TEXT NOT NULL,
  model TEXT NOT NULL,
  -- `input` includes `cached`, `output` includes `reasoning`.
  input INTEGER NOT NULL,
  cached INTEGER NOT NULL,
  output INTEGER NOT NULL,
  reasoning INTEGER NOT NULL,
  -- More was used, and no total of Codex tells how much.
  incomplete INTEGER NOT NULL DEFAULT 0 CHECK (incomplete IN (0, 1)),
  PRIMARY KEY (lane, day, model)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_day ON usage (day, input, output);

-- The total that Codex last reported for a thread, sub-agents included. What is new follows from the next one.
CREATE TABLE usage_totals (
  thread_id TEXT PRIMARY KEY,
  -- The managed thread that is charged.
  lane TEXT NOT NULL REFERENCES lanes (ref),
  total INTEGER NOT NULL,
  input INTEGER NOT NULL,
  cached INTEGER NOT NULL,
  output INTEGER NOT NULL,
  reasoning INTEGER NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_totals_at ON usage_totals (at);

-- How far the windows of an account are used, as last reported.
CREATE TABLE usage_windows (
  provider TEXT NOT NULL,
  limit_id TEXT NOT NULL,
  name TEXT NOT NULL CHECK (name IN ('primary', 'secondary')),
  used_percent REAL NOT NULL,
  window_minutes INTEGER,
  resets_at INTEGER,
  as_of INTEGER NOT NULL,
  PRIMARY KEY (provider, limit_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_windows_as_of ON usage_windows (as_of);

-- The permission profiles that Codex offers in a directory, as last seen.
CREATE TABLE permission_profiles (
  cwd TEXT PRIMARY KEY,
  profiles TEXT NOT NULL CHECK (json_valid(profiles)),
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX permission_profiles_at ON permission_profiles (at);
