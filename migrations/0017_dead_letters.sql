-- What a policy, a timer or an import could not do: kept until somebody has retried or discarded it. Bounded by the code
-- that writes it; nothing of it is in the log, since nothing has happened.
create table dead_letter (
    id            bigint      not null generated always as identity constraint dead_letter_pk primary key,
    source        text        not null constraint dead_letter_source check (source in ('policy', 'import')),
    name          text        not null, -- the policy, or the feed that is imported
    command_id    uuid,                 -- of the first attempt; a row that was not understood has the id of its text
    payload       json        not null, -- what to do: a policy's reaction with its cause, or a row with its file and place
    reason        text        not null, -- of the last attempt, in words
    code          text,                 -- the rule, where one has refused it
    attempts      integer     not null default 1,
    first_at      timestamptz not null,
    last_at       timestamptz not null,
    state         text        not null default 'open'
                              constraint dead_letter_state check (state in ('open', 'done', 'discarded')),
    closed_by     text,
    closed_at     timestamptz,
    closed_reason text
);

-- What comes again counts up.
create unique index dead_letter_command on dead_letter (source, name, command_id) where command_id is not null;
-- The newest of a state; the oldest that are closed, which go first.
create index dead_letter_by_state on dead_letter (state, id);
