-- The event log: one order for all facts. See eventlog/src/lib.rs for what must hold.

-- Taken by every append until its commit, so that positions follow the order of commits.
create table log_head (
    only_row    boolean     not null constraint log_head_pk primary key default true,
    position    bigint      not null,
    recorded_at timestamptz not null,
    constraint log_head_one_row check (only_row)
) with (fillfactor = 10);

insert into log_head (position, recorded_at) values (0, '-infinity');

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

create unique index event_id on event (id);
create index event_kind_position on event (kind, position);

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
    name           text   not null,
    first_position bigint not null,
    last_position  bigint not null,
    answer         jsonb
);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the log is append-only: % on % is refused', tg_op, tg_table_name
        using errcode = 'restrict_violation';
end
$$;

create trigger event_never_changes before update or delete or truncate on event
    for each statement execute function refuse_change();
create trigger event_tag_never_changes before update or delete or truncate on event_tag
    for each statement execute function refuse_change();
create trigger command_never_changes before update or delete or truncate on command
    for each statement execute function refuse_change();

-- Appends a batch of requests in one round trip: lock the head, find repeated commands, check conditions, insert.
--
-- Requests of a batch must not depend on each other (the sequencer sees to it): no condition of one may match an event
-- of another, and command ids are distinct. Requests, conditions and criteria are numbered from 1 and refer to each
-- other by number. Lists within a list are joined by U+001F; an empty text is an empty list.
--
-- Must run as a statement of its own in READ COMMITTED: each statement in here then sees what was committed before the
-- lock was granted.
create function log_append(
    command_ids uuid[], command_names text[], answers jsonb[],
    criterion_requests int[], criterion_conditions int[], criterion_afters bigint[],
    criterion_kinds text[], criterion_tags text[],
    event_requests int[], event_ids uuid[], event_kinds text[], event_versions smallint[], event_sites text[],
    event_tags text[], event_data jsonb[], event_metadata jsonb[], event_occurred_ats timestamptz[]
) returns table (
    request int, outcome text, first_position bigint, last_position bigint, condition int, answer jsonb, command text
) language plpgsql as $$
#variable_conflict use_column
declare
    head bigint;
    moment timestamptz;
    repeated int[];
    refused int[];
    conflicts_at bigint[];
    conflict_conditions int[];
begin
    select h.position, greatest(h.recorded_at, clock_timestamp()) into head, moment from log_head h for update;

    select coalesce(array_agg(r.n::int), '{}') into repeated
    from unnest(command_ids) with ordinality r(id, n)
    where exists (select from command c where c.id = r.id);

    select coalesce(array_agg(found.request), '{}'), array_agg(found.condition), array_agg(found.position)
    into refused, conflict_conditions, conflicts_at
    from (
        select distinct on (criterion.request) criterion.request, criterion.condition, hit.position
        from (
            select c.request, c.condition, c.after,
                   nullif(string_to_array(c.kinds, e'\x1f'), '{}') kinds, string_to_array(c.tags, e'\x1f') tags
            from unnest(criterion_requests, criterion_conditions, criterion_afters, criterion_kinds, criterion_tags)
                 c(request, condition, after, kinds, tags)
            where c.after < head
        ) criterion
        cross join lateral (
            (select t.position from event_tag t
             where criterion.tags <> '{}' and t.tag = criterion.tags[1] and t.position > criterion.after
               and (criterion.kinds is null or t.kind = any (criterion.kinds))
               and not exists (
                   select from unnest(criterion.tags[2:]) also(tag)
                   where not exists (select from event_tag o where o.tag = also.tag and o.position = t.position))
             order by t.position limit 1)
            union all
            (select min(of_kind.position) from unnest(criterion.kinds) k(kind)
             cross join lateral (
                 select e.position from event e
                 where e.kind = k.kind and e.position > criterion.after order by e.position limit 1) of_kind
             where criterion.tags = '{}')
            union all
            (select criterion.after + 1 where criterion.tags = '{}' and criterion.kinds is null)
        ) hit
        where hit.position is not null
        order by criterion.request, criterion.condition, hit.position
    ) found
    where found.request <> all (repeated);

    insert into event (position, id, kind, version, site, tags, data, metadata, occurred_at, recorded_at)
    select head + row_number() over (order by e.n), e.id, e.kind, e.version, e.site,
           string_to_array(e.tags, e'\x1f'), e.data, e.metadata, e.occurred_at, moment
    from unnest(event_requests, event_ids, event_kinds, event_versions, event_sites, event_tags, event_data,
                event_metadata, event_occurred_ats) with ordinality
         e(request, id, kind, version, site, tags, data, metadata, occurred_at, n)
    where e.request <> all (repeated) and e.request <> all (refused);

    insert into event_tag (tag, position, kind)
    select t.tag, e.position, e.kind from event e cross join lateral unnest(e.tags) t(tag)
    where e.position > head
    order by t.tag, e.position;

    insert into command (id, name, first_position, last_position, answer)
    select r.id, r.name, min(placed.position), max(placed.position), r.answer
    from unnest(command_ids, command_names, answers) with ordinality r(id, name, answer, n)
    join (
        select e.request, head + row_number() over (order by e.n) position
        from unnest(event_requests) with ordinality e(request, n)
        where e.request <> all (repeated) and e.request <> all (refused)
    ) placed on placed.request = r.n
    group by r.n, r.id, r.name, r.answer;

    update log_head set position = coalesce((select max(e.position) from event e where e.position > head), head),
                        recorded_at = moment;

    return query
    select r.n::int,
           case when r.n = any (repeated) then 'repeated' when r.n = any (refused) then 'conflict' else 'appended' end,
           coalesce(c.first_position, conflicts_at[array_position(refused, r.n::int)]), c.last_position,
           conflict_conditions[array_position(refused, r.n::int)], c.answer, c.name
    from unnest(command_ids) with ordinality r(id, n)
    left join command c on c.id = r.id
    order by r.n;
end
$$;

-- Positions of events in (after_position, until_position] that match any criterion, at most `most` of each criterion
-- and index range, from the chosen end. Lists are joined by U+001F as in log_append; the caller orders and cuts.
create function log_matching(
    criterion_kinds text[], criterion_tags text[], after_position bigint, until_position bigint, most bigint,
    newest_first boolean
) returns setof bigint language plpgsql stable rows 1000 as $$
declare
    criterion record;
    kinds text[];
    tags text[];
    kind_name text;
begin
    for criterion in select c.kinds, c.tags from unnest(criterion_kinds, criterion_tags) c(kinds, tags) loop
        kinds := nullif(string_to_array(criterion.kinds, e'\x1f'), '{}');
        tags := string_to_array(criterion.tags, e'\x1f');
        if tags <> '{}' then
            if newest_first then
                return query
                select t.position from event_tag t
                where t.tag = tags[1] and t.position > after_position and t.position <= until_position
                  and (kinds is null or t.kind = any (kinds))
                  and not exists (
                      select from unnest(tags[2:]) also(tag)
                      where not exists (select from event_tag o where o.tag = also.tag and o.position = t.position))
                order by t.position desc limit most;
            else
                return query
                select t.position from event_tag t
                where t.tag = tags[1] and t.position > after_position and t.position <= until_position
                  and (kinds is null or t.kind = any (kinds))
                  and not exists (
                      select from unnest(tags[2:]) also(tag)
                      where not exists (select from event_tag o where o.tag = also.tag and o.position = t.position))
                order by t.position limit most;
            end if;
        else
            foreach kind_name in array coalesce(kinds, '{}') loop
                if newest_first then
                    return query
                    select e.position from event e
                    where e.kind = kind_name and e.position > after_position and e.position <= until_position
                    order by e.position desc limit most;
                else
                    return query
                    select e.position from event e
                    where e.kind = kind_name and e.position > after_position and e.position <= until_position
                    order by e.position limit most;
                end if;
            end loop;
        end if;
    end loop;
end
$$;
