-- What was refused: who wanted what, and which rule forbade it. Nothing has happened, so it is not in the log; it is kept
-- for as long as the settings say and pruned from its oldest end. Written by the commands crate, in batches.
create table refusal (
    id             bigint      not null generated always as identity constraint refusal_pk primary key,
    position       bigint      not null, -- of the log up to which it was judged
    refused_at     timestamptz not null, -- by the clock of who judged
    actor          text        not null,
    command        text        not null,
    command_id     uuid        not null,
    correlation_id uuid        not null,
    causation_id   uuid,                 -- the event that was reacted to
    site           text,                 -- null when the command names no thing that is known
    things         text[]      not null, -- tags of what the command names
    code           text        not null, -- the rule
    message        text        not null, -- in words
    details        json        not null, -- what the caller needs to act
    input          json        not null  -- the command
);

-- Beside the audit trail, whose order is the log's. The table is bounded, so that what is rarely asked for is found by
-- looking at all of it.
create index refusal_position on refusal (position, id);
create index refusal_actor on refusal (actor, position, id);
create index refusal_command_id on refusal (command_id);
