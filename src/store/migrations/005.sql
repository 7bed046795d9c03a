-- Read backwards it gives the newest first, also of one instant: with the other order each list was sorted anew, half
-- of the time that reading 100 lanes took (measured).
DROP INDEX lanes_recent;
CREATE INDEX lanes_recent ON lanes (updated_at) WHERE forgotten_at IS NULL;

-- Beside lanes_handle, which is unique and so holds only what is not archived.
CREATE INDEX lanes_archived_handle ON lanes (handle, archived_at) WHERE forgotten_at IS NULL AND archived_at IS NOT NULL;
