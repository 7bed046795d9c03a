-- Read backwards it gives the newest first, also of one instant: with the other order each list was sorted anew, half
-- of the time that reading 100 lanes took (measured).
DROP INDEX lanes_recent;
CREATE INDEX lanes_recent ON lanes (updated_at) WHERE forgotten_at IS NULL;
