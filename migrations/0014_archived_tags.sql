-- Archived ranges keep their tags: what carries a tag, and of which type it is, stays known when the events themselves
-- are in files. So a decision about something that was born after them needs nothing of them, and one about something
-- that was not is told so, or of a conflict.

-- Whether the range's part of `event_tag` is in the log; ranges that were archived before this have none.
alter table log_range add column tagged boolean not null default true;
update log_range set tagged = false where state = 'archived';

create or replace function log_archive_range(range integer, digest text) returns void
    language plpgsql set search_path = public, pg_temp set lock_timeout = '200ms' as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('vigie log ranges', 0));
    perform from log_head for update;
    lock table event in access exclusive mode;
    update log_range r set state = 'archived', archived_at = clock_timestamp(), sha256 = digest, frozen_at = null
    from log_head h
    where r.number = range and r.state = 'attached' and r.last_position < h.position;
    if not found then
        raise exception 'range % cannot be archived: it is not attached, or not behind the head', range
            using errcode = 'object_not_in_prerequisite_state';
    end if;
    execute format('drop table %I', 'event' || to_char(range, '"_p"FM000000'));
    update log_head set archived_until = (select max(r.last_position) from log_range r where r.state = 'archived');
end
$$;

-- The tables that an archived range lacks.
create function log_lacking(range integer) returns setof text
    language sql stable set search_path = public, pg_temp as $$
    select 'event' union all select 'event_tag' from log_range r where r.number = log_lacking.range and not r.tagged
$$;

create or replace function log_prepare_range(range integer) returns void
    language plpgsql set search_path = public, pg_temp as $$
declare
    parent text;
begin
    for parent in select log_lacking(range) loop
        perform log_prepare_partition(parent, parent || to_char(range, '"_p"FM000000'));
        execute (select format('alter table %I add constraint %I check (position between %s::bigint and %s::bigint)',
                               parent || to_char(range, '"_p"FM000000'), parent || '_bounds',
                               r.first_position, r.last_position)
                 from log_range r where r.number = range);
    end loop;
end
$$;

create or replace function log_restore_range(range integer) returns void
    language plpgsql set search_path = public, pg_temp set lock_timeout = '200ms' as $$
declare
    parent text;
    name text;
    bounds text;
begin
    perform pg_advisory_xact_lock(hashtextextended('vigie log ranges', 0));
    perform from log_head for update;
    select log_bounds(r.number, r.first_position, r.last_position) into bounds
    from log_range r where r.number = range and r.state = 'archived';
    if not found then
        raise exception 'range % is not archived', range using errcode = 'object_not_in_prerequisite_state';
    end if;
    for parent in select log_lacking(range) loop
        name := parent || to_char(range, '"_p"FM000000');
        perform log_attach_partition(parent, name, bounds);
        execute format('alter table %I drop constraint %I', name, parent || '_bounds');
    end loop;
    update log_range r set state = 'attached', archived_at = null, sha256 = null, tagged = true where r.number = range;
    update log_head
    set archived_until = coalesce((select max(r.last_position) from log_range r where r.state = 'archived'), 0);
end
$$;

-- Fails if tags of any event in (after_position, until_position] are archived with it.
create function log_require_tags(after_position bigint, until_position bigint) returns void
    language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    perform log_require(greatest(r.first_position - 1, after_position), least(r.last_position, until_position))
    from log_range r
    where r.state = 'archived' and not r.tagged
      and r.last_position > after_position and r.first_position <= until_position;
end
$$;

create or replace function log_resize(size bigint) returns void language plpgsql set search_path = public, pg_temp as $$
declare
    head bigint;
    range integer;
begin
    if size is null or size < 1 then
        raise exception 'a range has at least one position, not %', size using errcode = 'invalid_parameter_value';
    end if;
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

-- As before, but by tag it fails only for an event that matches and is archived.
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
    archived bigint;
begin
    select h.archived_until into archived from log_head h;
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
            -- What matches and is archived is named, with all that lies between the first and the last such event.
            if after_position < archived then
                perform log_require_tags(after_position, until_position);
                perform log_require(min(found.position) - 1, max(found.position))
                from (
                    select t.position from event_tag t
                    where t.tag = tags[1] and t.position > after_position
                      and t.position <= case when newest_first then until_position else least(until_position, archived) end
                      and (kinds is null or t.kind = any (kinds))
                      and cardinality(tags) - 1 = (
                          select count(*) from unnest(tags[2:]) also(tag)
                          where (select count(*) from event_tag o where o.tag = also.tag and o.position = t.position) > 0)
                    order by case when newest_first then -t.position else t.position end limit most
                ) found
                where exists (select from log_range r where r.state = 'archived'
                                and found.position between r.first_position and r.last_position);
            end if;
        else
            -- A full page of the newest needs nothing older: its reader asks for what it has looked at.
            if not newest_first then
                perform log_require(after_position, until_position);
            end if;
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

-- As before, but with archived events a condition on tags is checked by their tags.
create or replace function log_append(
    command_ids uuid[], command_names text[], command_firsts int[], command_lasts int[], answers text[],
    checked_until bigint, least_after bigint, least_unchecked bigint,
    criterion_checked boolean[], criterion_requests int[], criterion_conditions int[], criterion_afters bigint[],
    criterion_kinds text[], criterion_tags text[], criterion_more_tags text[],
    event_occurred_ats timestamptz[], event_ids uuid[], event_command_ids uuid[], event_correlation_ids uuid[],
    event_causation_ids uuid[], event_versions smallint[], event_kinds text[], event_sites text[],
    event_commands text[], event_actors text[], event_traceparents text[], event_tags text[], event_data text[],
    tag_names text[], tag_events int[], tag_kinds text[]
) returns table (request int, outcome text, at bigint, moment timestamptz, waited bigint, worked bigint,
                 condition int)
    language plpgsql security definer set search_path = public, pg_temp
    -- One plan for all calls: planning anew costs more than it finds. By index always: a range that was empty when the
    -- plan was made fills faster than its statistics follow.
    set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
#variable_conflict use_column
declare
    head bigint;
    now_is timestamptz;
    archived bigint;
    known boolean;
    called timestamptz := clock_timestamp();
    began timestamptz;
    events int := cardinality(event_ids);
begin
    -- Locks the head, and moves it at once: nearly always all will go in.
    update log_head h
    set position = h.position + events, recorded_at = greatest(h.recorded_at, clock_timestamp())
    returning h.position - events, h.recorded_at, h.archived_until into head, now_is, archived;
    began := clock_timestamp();

    -- Decisions have usually seen all there is, or the sequencer has: then not even the plan is set up.
    known := head = checked_until;
    if (case when known then least_unchecked else least_after end) < head then
        return query
        select distinct on (hit.request) hit.request,
               -- Counted, and not asked for with `exists`, which may be carried out by reading all of it into a hash.
               case when (select count(*) from command c where c.id = command_ids[hit.request]) > 0
                    then 'repeated' else 'conflict' end,
               hit.position, null::timestamptz, null::bigint, null::bigint, hit.condition
        from (
            select c.request, c.condition, t.position
            from (
                select c.request, c.condition, c.after, c.tag,
                       nullif(string_to_array(c.kinds, e'\x1f'), '{}') kinds,
                       nullif(string_to_array(c.more_tags, e'\x1f'), '{}') more_tags
                from (
                    select unnest(criterion_checked) checked, unnest(criterion_requests) request,
                           unnest(criterion_conditions) condition,
                           unnest(criterion_afters) after, unnest(criterion_kinds) kinds, unnest(criterion_tags) tag,
                           unnest(criterion_more_tags) more_tags
                ) c
                where c.after < head and not (known and c.checked) and c.tag <> ''
            ) c
            cross join lateral (
                select t.position from event_tag t
                where t.tag = c.tag and t.position > c.after and t.position <= head
                  and (c.kinds is null or t.kind = any (c.kinds))
                  and (c.more_tags is null or cardinality(c.more_tags) = (
                      select count(*) from unnest(c.more_tags) also(tag)
                      where (select count(*) from event_tag o where o.tag = also.tag and o.position = t.position) > 0))
                order by t.position limit 1
            ) t
            union all
            select c.request, c.condition, e.position
            from (
                select unnest(criterion_checked) checked, unnest(criterion_requests) request,
                       unnest(criterion_conditions) condition,
                       unnest(criterion_afters) after, unnest(criterion_kinds) kinds, unnest(criterion_tags) tag
            ) c
            cross join lateral unnest(string_to_array(c.kinds, e'\x1f')) k(kind)
            cross join lateral (
                select e.position from event e
                where e.kind = k.kind and e.position > c.after and e.position <= head
                order by e.position limit 1
            ) e
            where c.after < head and not (known and c.checked) and c.tag = ''
            union all
            select c.request, c.condition, c.after + 1
            from (
                select unnest(criterion_checked) checked, unnest(criterion_requests) request,
                       unnest(criterion_conditions) condition,
                       unnest(criterion_afters) after, unnest(criterion_kinds) kinds, unnest(criterion_tags) tag
            ) c
            where c.after < head and not (known and c.checked) and c.tag = '' and c.kinds = ''
        ) hit
        order by hit.request, hit.condition, hit.position;
        if found then
            update log_head set position = head;
            return;
        end if;
        if least_after < archived then
            perform log_require_tags(least_after, head);
            perform log_require(min(c.after), head)
            from (select unnest(criterion_afters) after, unnest(criterion_tags) tag) c
            where c.tag = '' having min(c.after) < head;
        end if;
    end if;

    insert into command (id, name, first_position, last_position, answer)
    select unnest(command_ids), unnest(command_names), head + unnest(command_firsts), head + unnest(command_lasts),
           unnest(answers)::json;

    insert into event (position, occurred_at, recorded_at, id, command_id, correlation_id, causation_id, version, kind,
                       site, command, actor, traceparent, tags, data)
    select head + e.n, e.occurred_at, now_is, e.id, e.command_id, e.correlation_id, e.causation_id, e.version, e.kind,
           e.site, e.command, e.actor, e.traceparent, string_to_array(e.tags, e'\x1f'), e.data::json
    from (
        select generate_series(1, events) n, unnest(event_occurred_ats) occurred_at, unnest(event_ids) id,
               unnest(event_command_ids) command_id, unnest(event_correlation_ids) correlation_id,
               unnest(event_causation_ids) causation_id, unnest(event_versions) version, unnest(event_kinds) kind,
               unnest(event_sites) site, unnest(event_commands) command, unnest(event_actors) actor,
               unnest(event_traceparents) traceparent, unnest(event_tags) tags, unnest(event_data) data
    ) e;

    insert into event_tag (tag, position, kind)
    select unnest(tag_names), head + unnest(tag_events), unnest(tag_kinds);

    return query
    select 0, 'appended', head, now_is, (extract(epoch from began - called) * 1e6)::bigint,
           (extract(epoch from clock_timestamp() - began) * 1e6)::bigint, null::int;
end
$$;

revoke execute on function log_lacking, log_require_tags from public;
