-- How far each policy has reacted. A row is written by its owner alone, by compare-and-set on the position.
create table policy_checkpoint (
    name           text        not null constraint policy_checkpoint_pk primary key,
    position       bigint      not null,
    error          text,
    error_position bigint,
    updated_at     timestamptz not null default clock_timestamp()
) with (fillfactor = 20);
