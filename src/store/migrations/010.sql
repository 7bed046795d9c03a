-- Each kind of event has one meaning: what was lane.changed is told apart by its data, and public words say thread.
UPDATE events SET kind = CASE WHEN json_extract(data, '$.fork_of') IS NULL THEN 'thread.created' ELSE 'thread.forked' END
 WHERE kind = 'lane.created';
UPDATE events SET kind = 'thread.forgotten' WHERE kind = 'lane.forgotten';
UPDATE events SET kind = 'codex.up' WHERE kind = 'child.up';
UPDATE events SET kind = 'codex.down' WHERE kind = 'child.down';
UPDATE events SET
  kind = CASE
    WHEN json_type(data, '$.setup') IS NOT NULL THEN 'thread.ready'
    WHEN json_type(data, '$.gone') IS NOT NULL THEN 'thread.gone'
    WHEN json_type(data, '$.native_queue') IS NOT NULL THEN 'queue.native'
    WHEN json_type(data, '$.moved_to') IS NOT NULL THEN 'queue.moved'
    WHEN json_type(data, '$.warning') = 'null' THEN 'thread.unwarned'
    WHEN json_type(data, '$.warning') IS NOT NULL THEN 'thread.warned'
    WHEN json_type(data, '$.blocked') = 'null' THEN 'thread.unblocked'
    WHEN json_type(data, '$.blocked') IS NOT NULL THEN 'thread.blocked'
    WHEN json_type(data, '$.title') IS NOT NULL THEN 'thread.renamed'
    WHEN json_type(data, '$.archived') = 'true' THEN 'thread.archived'
    WHEN json_type(data, '$.archived') IS NOT NULL THEN 'thread.restored'
    WHEN json_extract(data, '$.source') = 'own' THEN 'thread.taken'
    WHEN json_type(data, '$.source') IS NOT NULL THEN 'thread.given'
    WHEN json_type(data, '$.reverted') IS NOT NULL THEN 'thread.reverted'
    WHEN json_type(data, '$.agents') IS NOT NULL THEN 'thread.agents'
    WHEN json_type(data, '$.retrying') IS NOT NULL THEN 'turn.retrying'
    WHEN json_type(data, '$.recovered') IS NOT NULL THEN 'turn.recovered'
    ELSE 'thread.ready'
  END,
  data = CASE
    WHEN json_type(data, '$.setup') IS NOT NULL THEN json_remove(data, '$.setup')
    WHEN json_type(data, '$.native_queue') IS NOT NULL THEN json_object('waiting', json_extract(data, '$.native_queue'))
    WHEN json_type(data, '$.moved_to') IS NOT NULL THEN json_object('to', json_extract(data, '$.moved_to'))
    WHEN json_type(data, '$.warning') = 'null' THEN json_remove(data, '$.warning')
    WHEN json_type(data, '$.warning') IS NOT NULL THEN data
    WHEN json_type(data, '$.blocked') = 'null' THEN '{}'
    WHEN json_type(data, '$.blocked') IS NOT NULL THEN json_object('reason', json_extract(data, '$.blocked'))
    WHEN json_type(data, '$.title') IS NOT NULL THEN data
    WHEN json_type(data, '$.reverted') IS NOT NULL THEN json_object('turns', json_extract(data, '$.reverted'))
    WHEN json_type(data, '$.agents') IS NOT NULL THEN json_object('working', json_extract(data, '$.agents'))
    WHEN json_type(data, '$.retrying') IS NOT NULL THEN json_object('reason', json_extract(data, '$.retrying'))
    ELSE '{}'
  END
 WHERE kind = 'lane.changed';
