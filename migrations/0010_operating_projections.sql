-- Read models that people pause, retry and make anew: who, when, why, and how far.
alter table read.checkpoint drop constraint checkpoint_state;
alter table read.checkpoint
    add constraint checkpoint_state check (state in ('running', 'stopped', 'paused')),
    add column attempts      integer not null default 0, -- how often the event that stopped it was tried
    add column paused_by     text,
    add column paused_at     timestamptz,
    add column paused_reason text;

-- The rebuild that is asked for, under way, or was the last one of each read model. Nothing that changes is indexed.
create table read.rebuild (
    name        text             not null constraint rebuild_pk primary key,
    version     integer          not null,
    until       bigint,                              -- the position to stop at; null: as far as the log goes
    state       text             not null constraint rebuild_state
                                 check (state in ('asked', 'running', 'done', 'failed', 'cancelled')),
    position    bigint           not null default 0, -- everything up to here is folded
    head        bigint           not null default 0, -- where it is going
    rate        double precision not null default 0, -- events per second
    owner       text,                                -- the process that makes it
    error       text,
    asked_by    text             not null,
    reason      text             not null,
    asked_at    timestamptz      not null default clock_timestamp(),
    started_at  timestamptz,
    updated_at  timestamptz      not null default clock_timestamp(),
    cancel_by   text                                 -- who has asked it to end
) with (fillfactor = 20);

-- What people did to read models, newest last; the oldest go.
create table projection_operation (
    id        bigint      not null generated always as identity constraint projection_operation_pk primary key,
    at        timestamptz not null default clock_timestamp(),
    name      text        not null,
    operation text        not null constraint projection_operation_kind
                          check (operation in ('pause', 'resume', 'retry', 'rebuild', 'cancel_rebuild')),
    actor     text        not null,
    reason    text        not null,
    position  bigint      not null, -- of the read model then
    until     bigint                -- of a rebuild
);
create index projection_operation_name on projection_operation (name, id);
create index projection_operation_actor on projection_operation (actor, id);
