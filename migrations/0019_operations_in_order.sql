-- What people did to read models stands in the audit answers among what was recorded and refused: behind the last event
-- that the log held then.
alter table projection_operation
    add column log_position bigint; -- null: noted by a version that did not know it; the read model's position serves
