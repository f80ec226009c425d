-- Ranges of positions as partitions: a full range is vacuumed and frozen once and then never again, its indexes stay
-- small, and old ones can be archived (`vigie log archive`).
--
-- What the table `event` held becomes range 1 as it is, without being copied: a log that is longer than a range gets a
-- longer first range. Ranges have numbers and names (`event_p000001`, `event_tag_p000001`), follow each other without
-- gaps, and are made ahead of the head by `log_extend`, which the program calls in the background. What has no range
-- goes into the default partitions, and becomes a range of its own when `log_extend` is called next.
--
-- A unique index cannot span partitions unless it holds the position. Positions are unique across the log. Ids are
-- unique within a range: they are UUIDv7, made by the sequencer for each event and never taken from outside.

-- How many positions a range has. It holds for ranges to come; `log_resize` changes it.
create table log_partitioning (
    only_row   boolean not null constraint log_partitioning_pk primary key default true,
    range_size bigint  not null constraint log_partitioning_range_size check (range_size > 0),
    constraint log_partitioning_one_row check (only_row)
);

insert into log_partitioning (range_size) values (5000000);

create table log_range (
    number         integer     not null constraint log_range_pk primary key,
    first_position bigint      not null,
    last_position  bigint      not null,
    state          text        not null default 'attached'
                               constraint log_range_state check (state in ('attached', 'archived')),
    frozen_at      timestamptz,          -- when it was full and had been frozen as a whole
    archived_at    timestamptz,
    sha256         text,                 -- of the file that it was archived into
    constraint log_range_bounds check (first_position <= last_position),
    constraint log_range_archived check (state = 'attached' or (archived_at is not null and sha256 is not null))
);

-- The last position of all that is archived; 0 when nothing is. Beside the head, where each append sees it anyway.
alter table log_head add column archived_until bigint not null default 0;

alter table event rename to event_p000001;
alter table event_p000001 rename constraint event_pk to event_p000001_pk;
alter index event_kind_position rename to event_p000001_kind_position;
alter index event_id rename to event_p000001_id;
alter table event_tag rename to event_tag_p000001;
alter table event_tag_p000001 rename constraint event_tag_pk to event_tag_p000001_pk;

create table event (like event_p000001 including defaults including storage) partition by range (position);
alter table event add constraint event_pk primary key (position);
create index event_kind_position on event (kind, position);
create table event_tag (like event_tag_p000001 including defaults including storage) partition by range (position);
alter table event_tag add constraint event_tag_pk primary key (tag, position) include (kind);

-- A table like the parent, not yet attached.
--
-- Statement triggers of the parent do not fire for who addresses a partition, so each has its own; `always`, so that
-- they fire for replication roles too. Rows never change, so vacuum freezes them the first time it sees them: what
-- inserts bring is vacuumed in portions, and no anti-wraparound vacuum has much left to do.
create function log_prepare_partition(parent text, child text) returns void
    language plpgsql set search_path = public, pg_temp as $$
begin
    execute format('create table %I (like %I including all)', child, parent);
    perform log_protect_partition(parent, child);
end
$$;

create function log_protect_partition(parent text, child text) returns void
    language plpgsql set search_path = public, pg_temp as $$
begin
    if parent = 'event' and to_regclass(child || '_id') is null then
        execute format('create unique index %I on %I (id)', child || '_id', child);
    end if;
    execute format('create or replace trigger %I before update or delete or truncate on %I '
                   'for each statement execute function refuse_change()', parent || '_never_changes', child);
    execute format('alter table %I enable always trigger %I', child, parent || '_never_changes');
    execute format('alter table %I set (autovacuum_vacuum_insert_threshold = 200000, '
                   'autovacuum_vacuum_insert_scale_factor = 0, autovacuum_freeze_min_age = 0, '
                   'autovacuum_analyze_threshold = 50000, autovacuum_analyze_scale_factor = 0.2)', child);
end
$$;

-- Attaches a partition, for `bounds` such as `default`, and names its indexes after the parent's.
create function log_attach_partition(parent text, child text, bounds text) returns void
    language plpgsql set search_path = public, pg_temp as $$
declare
    index record;
begin
    execute format('alter table %I attach partition %I %s', parent, child, bounds);
    for index in
        select c.relname old, child || substr(p.relname, length(parent) + 1) new
        from pg_index i join pg_class c on c.oid = i.indexrelid
        join pg_inherits h on h.inhrelid = c.oid join pg_class p on p.oid = h.inhparent
        where i.indrelid = to_regclass(child) and c.relname <> child || substr(p.relname, length(parent) + 1)
    loop
        execute format('alter index %I rename to %I', index.old, index.new);
    end loop;
end
$$;

-- `for values from … to …`; the first range has no lower bound, so that no position is below all ranges.
create function log_bounds(number integer, first_position bigint, last_position bigint) returns text
    language sql immutable as $$
    select format('for values from (%s) to (%s)',
                  case number when 1 then 'minvalue' else first_position::text end, last_position + 1)
$$;

-- Makes the next range, unless `ahead` of them wait behind the one that is being filled. True if there may be more to do.
--
-- Appends stand still from the lock on the head to the commit: a few milliseconds. The tables are made before that. A
-- reader who holds the default partitions for long makes this fail by `lock_timeout`, to be called again later.
-- Whoever holds the head's lock is the only one between head and tables, so that the order of locks cannot cross.
create function log_extend(ahead integer) returns boolean
    language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '100ms' as $$
declare
    head bigint;
    caught bigint;
    next_number integer;
    next_first bigint;
    next_last bigint;
    parent text;
    name text;
begin
    -- Somebody else is at it.
    if not pg_try_advisory_xact_lock(hashtextextended('vigie log ranges', 0)) then
        return true;
    end if;
    select h.position into head from log_head h;
    select coalesce(max(r.number), 0) + 1, coalesce(max(r.last_position), 0) + 1 into next_number, next_first
    from log_range r;
    select max(d.position) into caught from event_default d;
    if caught is null and (select count(*) from log_range r where r.first_position > head + 1) >= ahead then
        return false;
    end if;
    select next_first - 1 + p.range_size into next_last from log_partitioning p;
    if caught is null then
        foreach parent in array array['event', 'event_tag'] loop
            perform log_prepare_partition(parent, parent || to_char(next_number, '"_p"FM000000'));
        end loop;
        perform from log_head for update;
    else
        -- What the default partitions have caught becomes the next range, as it is.
        perform from log_head for update;
        lock table event, event_tag in access exclusive mode;
        select greatest(next_last, max(d.position)) into next_last from event_default d;
        foreach parent in array array['event', 'event_tag'] loop
            name := parent || to_char(next_number, '"_p"FM000000');
            execute format('alter table %I detach partition %I', parent, parent || '_default');
            execute format('alter table %I rename to %I', parent || '_default', name);
            if parent = 'event' then
                execute format('alter index %I rename to %I', parent || '_default_id', name || '_id');
            end if;
        end loop;
    end if;
    foreach parent in array array['event', 'event_tag'] loop
        name := parent || to_char(next_number, '"_p"FM000000');
        perform log_attach_partition(parent, name, log_bounds(next_number, next_first, next_last));
        if caught is not null then
            perform log_prepare_partition(parent, parent || '_default');
            perform log_attach_partition(parent, parent || '_default', 'default');
        end if;
    end loop;
    insert into log_range (number, first_position, last_position) values (next_number, next_first, next_last);
    return true;
end
$$;

-- Changes the size of ranges that hold no event yet, made or to come; of all of them while the log is empty.
create function log_resize(size bigint) returns void language plpgsql set search_path = public, pg_temp as $$
declare
    head bigint;
    range integer;
begin
    perform pg_advisory_xact_lock(hashtextextended('vigie log ranges', 0));
    select h.position into head from log_head h for update;
    lock table event, event_tag in access exclusive mode;
    update log_partitioning set range_size = size;
    for range in
        delete from log_range r where r.state = 'attached' and (r.first_position > head or head = 0) returning r.number
    loop
        execute format('drop table %I, %I', 'event' || to_char(range, '"_p"FM000000'),
                       'event_tag' || to_char(range, '"_p"FM000000'));
    end loop;
    while log_extend(2) loop
    end loop;
end
$$;

-- Takes a full range out of the log, once it is in a file with this digest. Fails by `lock_timeout` while readers hold it.
create function log_archive_range(range integer, digest text) returns void
    language plpgsql set search_path = public, pg_temp set lock_timeout = '200ms' as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('vigie log ranges', 0));
    perform from log_head for update;
    lock table event, event_tag in access exclusive mode;
    update log_range r set state = 'archived', archived_at = clock_timestamp(), sha256 = digest, frozen_at = null
    from log_head h
    where r.number = range and r.state = 'attached' and r.last_position < h.position;
    if not found then
        raise exception 'range % cannot be archived: it is not attached, or not behind the head', range
            using errcode = 'object_not_in_prerequisite_state';
    end if;
    execute format('drop table %I, %I', 'event' || to_char(range, '"_p"FM000000'),
                   'event_tag' || to_char(range, '"_p"FM000000'));
    update log_head set archived_until = (select max(r.last_position) from log_range r where r.state = 'archived');
end
$$;

-- Empty tables for an archived range, to be filled and attached in the same transaction. Their bounds are checked as
-- they are filled, so that attaching need not look at them again.
create function log_prepare_range(range integer) returns void
    language plpgsql set search_path = public, pg_temp as $$
declare
    parent text;
begin
    foreach parent in array array['event', 'event_tag'] loop
        perform log_prepare_partition(parent, parent || to_char(range, '"_p"FM000000'));
        execute (select format('alter table %I add constraint %I check (position between %s::bigint and %s::bigint)',
                               parent || to_char(range, '"_p"FM000000'), parent || '_bounds',
                               r.first_position, r.last_position)
                 from log_range r where r.number = range);
    end loop;
end
$$;

-- Puts the tables of an archived range back into the log. Fails by `lock_timeout` while readers are in the way.
create function log_restore_range(range integer) returns void
    language plpgsql set search_path = public, pg_temp set lock_timeout = '200ms' as $$
declare
    parent text;
    name text;
    bounds text;
begin
    perform pg_advisory_xact_lock(hashtextextended('vigie log ranges', 0));
    perform from log_head for update;
    update log_range r set state = 'attached', archived_at = null, sha256 = null
    where r.number = range and r.state = 'archived'
    returning log_bounds(r.number, r.first_position, r.last_position) into bounds;
    if not found then
        raise exception 'range % is not archived', range using errcode = 'object_not_in_prerequisite_state';
    end if;
    foreach parent in array array['event', 'event_tag'] loop
        name := parent || to_char(range, '"_p"FM000000');
        perform log_attach_partition(parent, name, bounds);
        execute format('alter table %I drop constraint %I', name, parent || '_bounds');
    end loop;
    update log_head
    set archived_until = coalesce((select max(r.last_position) from log_range r where r.state = 'archived'), 0);
end
$$;

-- Fails if any event in (after_position, until_position] is archived.
create function log_require(after_position bigint, until_position bigint) returns void
    language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
    missing record;
begin
    select min(r.first_position) first, max(r.last_position) last into missing
    from log_range r
    where r.state = 'archived' and r.last_position > after_position and r.first_position <= until_position;
    if missing.first is not null then
        raise exception 'the events from % to % are archived', missing.first, missing.last
            using errcode = 'VIG01', detail = missing.first || ' ' || missing.last,
                  hint = 'vigie log restore brings them back';
    end if;
end
$$;

-- The tables as they were become range 1.
do $$
declare
    last bigint;
    parent text;
begin
    select greatest(1, ceil(h.position::numeric / p.range_size)) * p.range_size into last
    from log_head h, log_partitioning p;
    foreach parent in array array['event', 'event_tag'] loop
        execute format('create trigger %I before update or delete or truncate on %I '
                       'for each statement execute function refuse_change()', parent || '_never_changes', parent);
        execute format('alter table %I enable always trigger %I', parent, parent || '_never_changes');
        perform log_protect_partition(parent, parent || '_p000001');
        perform log_attach_partition(parent, parent || '_p000001', log_bounds(1, 1, last));
        perform log_prepare_partition(parent, parent || '_default');
        perform log_attach_partition(parent, parent || '_default', 'default');
    end loop;
    alter table command enable always trigger command_never_changes;
    insert into log_range (number, first_position, last_position) values (1, 1, last);
    while log_extend(2) loop
    end loop;
end
$$;

-- As before, and refuses to skip what is archived. Further tags are counted, and not asked for with `exists`, which may
-- be carried out by reading all of `event_tag` into a hash.
create or replace function log_matching(
    criterion_kinds text[], criterion_tags text[], after_position bigint, until_position bigint, most bigint,
    newest_first boolean
) returns setof bigint language plpgsql stable rows 1000 set search_path = public, pg_temp
    set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
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
                  and cardinality(tags) - 1 = (
                      select count(*) from unnest(tags[2:]) also(tag)
                      where (select count(*) from event_tag o where o.tag = also.tag and o.position = t.position) > 0)
                order by t.position desc limit most;
            else
                return query
                select t.position from event_tag t
                where t.tag = tags[1] and t.position > after_position and t.position <= until_position
                  and (kinds is null or t.kind = any (kinds))
                  and cardinality(tags) - 1 = (
                      select count(*) from unnest(tags[2:]) also(tag)
                      where (select count(*) from event_tag o where o.tag = also.tag and o.position = t.position) > 0)
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
    -- A full page of the newest needs nothing older: its reader asks for what it has looked at.
    if not newest_first then
        perform log_require(after_position, until_position);
    end if;
end
$$;

-- Only the owner changes the structure; log_extend is for everybody who appends.
revoke execute on function
    log_extend, log_resize, log_prepare_partition, log_protect_partition, log_attach_partition, log_archive_range,
    log_prepare_range, log_restore_range
    from public;
