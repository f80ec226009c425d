-- The event log: one order for all facts. See eventlog/src/lib.rs for what must hold.

create table log_head (
    only_row boolean constraint log_head_pk primary key default true constraint log_head_one_row check (only_row),
    position bigint not null
) with (fillfactor = 10);

insert into log_head (position) values (0);

create table event (
    position    bigint      not null constraint event_pk primary key,
    id          uuid        not null,
    kind        text        not null,
    version     smallint    not null,
    site        text        not null,
    tags        text[]      not null,
    data        jsonb       not null,
    metadata    jsonb       not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null
);

create index event_kind_position on event (kind, position);
create unique index event_id on event (id);

-- One row per tag of an event, with its type, so that a boundary of tags and types is looked up in one index.
create table event_tag (
    tag      text   not null,
    position bigint not null,
    kind     text   not null,
    constraint event_tag_pk primary key (tag, position) include (kind)
);

-- One row per accepted command: makes appends idempotent and keeps the first answer.
create table command (
    id             uuid   not null constraint command_pk primary key,
    first_position bigint not null,
    last_position  bigint not null,
    answer         jsonb
);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'events are never changed or deleted'
        using errcode = 'restrict_violation', table = tg_table_name;
end
$$;

create trigger event_never_changes before update or delete or truncate on event
    for each statement execute function refuse_change();
create trigger event_tag_never_changes before update or delete or truncate on event_tag
    for each statement execute function refuse_change();
create trigger command_never_changes before update or delete or truncate on command
    for each statement execute function refuse_change();
