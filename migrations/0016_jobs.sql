-- Recurring jobs: when each is due next, and what its runs came to. One process at a time works them off.
create table job (
    name          text        not null constraint job_pk primary key,
    about         text        not null, -- what it does; this and the next two as the owner of the jobs has them
    schedule      text        not null, -- in words
    missed        text        not null constraint job_missed check (missed in ('catch_up', 'skip')),
    zone          text        not null, -- that wall-clock schedules go by
    next_at       timestamptz not null,
    fence         bigint      not null default 0, -- grows with every owner and every start of a run
    paused_by     text,
    paused_at     timestamptz,
    paused_reason text
);

-- Bounded: a job removes what is old.
create table job_run (
    id            bigint      not null generated always as identity constraint job_run_pk primary key,
    job           text        not null constraint job_run_of references job (name),
    state         text        not null constraint job_run_state
                              check (state in ('waiting', 'running', 'done', 'failed', 'died', 'skipped')),
    trigger       text        not null constraint job_run_trigger check (trigger in ('schedule', 'hand', 'taken_up')),
    scheduled_for timestamptz not null, -- when it was due, or asked for
    missed        bigint      not null default 0, -- how many later due times were missed with that one
    asked_by      text,                 -- whose hand
    reason        text,                 -- why by hand
    owner         text,                 -- the process that runs it
    started_at    timestamptz,
    ended_at      timestamptz,
    counts        jsonb,                -- what it did, by name
    error         text
);
-- Two runs of one job at the same time are impossible, whoever starts them.
create unique index job_run_one_at_a_time on job_run (job) where state = 'running';
create unique index job_run_one_waits on job_run (job) where state = 'waiting';
create index job_run_latest on job_run (job, id);
