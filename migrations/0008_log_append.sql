-- Appending with a statement's worth of work.
drop function log_append(uuid[], text[], jsonb[], int[], int[], bigint[], text[], text[], int[], uuid[], text[],
                         smallint[], text[], text[], jsonb[], jsonb[], timestamptz[]);

-- Appends a batch of requests in one round trip, or says which of them cannot be appended and appends none.
--
-- Requests of a batch must not depend on each other (the sequencer sees to it): no condition of one may match an event
-- of another, and command ids are distinct. Requests, conditions and criteria are numbered from 1 and refer to each
-- other by number; `least_after` is the least of their `after`, `least_unchecked` of those that are not checked, and
-- null if there are none. Checked criteria are known to match nothing up to `checked_until`: if that is the head, they
-- are not looked up. `command_firsts`, `command_lasts` and `tag_events` count the events of the batch, also from 1. Tags
-- come sorted, so that they are put into the index in its order. Lists within a list are joined by U+001F; an empty
-- text is an empty list.
--
-- One row (request 0, 'appended', head before the batch, moment, microseconds waited for the lock and worked) when all
-- is in. Otherwise one row for each request in
-- the way: 'repeated', its command is in the log; or 'conflict', with condition and position. A repeated command whose
-- conditions hold breaks command_pk instead: rare, and so that what is not repeated need not be asked for.
--
-- Runs with its owner's rights, so that its caller needs none to insert. Looks no further than the head, so that ranges
-- ahead of it are not touched; fails rather than pass over what is archived.
--
-- Must run as a statement of its own in READ COMMITTED: each statement in here then sees what was committed before the
-- lock was granted.
create function log_append(
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
            perform log_require(least_after, head);
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

revoke execute on function log_append from public;
