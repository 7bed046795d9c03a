-- What becomes of a lane's questions that no rule decides; null: the configuration says.
ALTER TABLE lanes ADD COLUMN requests TEXT CHECK (requests IN ('ask', 'deny', 'approve'));
