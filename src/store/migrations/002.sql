-- The road a message takes: a turn that we start, or Codex's own queue where another app writes the thread.
ALTER TABLE messages ADD COLUMN via TEXT NOT NULL DEFAULT 'turn' CHECK (via IN ('turn', 'codex_queue'));

-- Ephemeral threads end with their Codex: they are looked for whenever one dies.
CREATE INDEX lanes_ephemeral ON lanes (ref) WHERE json_extract(settings, '$.ephemeral') AND gone_at IS NULL;

-- Of a sub-agent's thread: the thread that spawned it. Codex takes no input for such a one.
ALTER TABLE lanes ADD COLUMN parent_id TEXT;
