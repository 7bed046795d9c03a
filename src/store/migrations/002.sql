-- The road a message takes: a turn that we start, or Codex's own queue where another app writes the thread.
ALTER TABLE messages ADD COLUMN via TEXT NOT NULL DEFAULT 'turn' CHECK (via IN ('turn', 'codex_queue'));
