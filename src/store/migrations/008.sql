-- Texts are now indexed with each character of a script without spaces as a word of its own. Those indexed before are
-- split after the start, in the order of their ids: up to this one it is done. Null: all are.
ALTER TABLE meta ADD COLUMN unsplit_after INTEGER;
UPDATE meta SET unsplit_after = -1 WHERE EXISTS (SELECT 1 FROM items);
