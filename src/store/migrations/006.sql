-- What a file change does to which path. Null: not known, and of what was recorded before.
ALTER TABLE requests ADD COLUMN changes TEXT CHECK (changes IS NULL OR json_valid(changes));

-- 0 also where it is not known: an approval may let something happen outside the sandbox.
ALTER TABLE requests ADD COLUMN inside_sandbox INTEGER NOT NULL DEFAULT 0 CHECK (inside_sandbox IN (0, 1));

-- What was over the limit of a request, and is not kept.
ALTER TABLE requests ADD COLUMN missing_bytes INTEGER NOT NULL DEFAULT 0;

-- A rule by handle is not about a thread that an agent named. Agents are recorded by their thread's id; persons by the
-- client that they used.
ALTER TABLE lanes ADD COLUMN named_by_agent INTEGER NOT NULL DEFAULT 0 CHECK (named_by_agent IN (0, 1));
UPDATE lanes SET named_by_agent = 1 WHERE created_by NOT IN ('cli', 'mcp');
