-- Who may do what is known from events about people, keys, roles and sessions, of all times: nobody could sign in once they
-- were in files. So events of some types stay when their range is archived, in a small table in the place of the range's;
-- the file has them too.

-- The types of which no event left with the range: what is asked of these alone lacks nothing.
alter table log_range add column kept text[] not null default '{}';

-- The table of what stayed of a range.
create function log_kept_table(range integer) returns text language sql immutable as $$
    select 'event' || to_char(range, '"_k"FM000000')
$$;

-- Takes a full range out of the log but for events of these types, once all of it is in a file with this digest. They are
-- copied before anything is locked. Fails by `lock_timeout` while readers hold it.
create function log_archive_range(range integer, digest text, keep text[]) returns void
    language plpgsql set search_path = public, pg_temp set lock_timeout = '200ms' as $$
declare
    kept text := log_kept_table(range);
    bounds text;
begin
    perform pg_advisory_xact_lock(hashtextextended('vigie log ranges', 0));
    select log_bounds(r.number, r.first_position, r.last_position) into bounds from log_range r where r.number = range;
    perform log_prepare_partition('event', kept);
    execute format('insert into %I (position, id, kind, version, site, tags, data, command_id, command, correlation_id,
                                    causation_id, actor, traceparent, occurred_at, recorded_at)
                    select position, id, kind, version, site, tags, data, command_id, command, correlation_id,
                           causation_id, actor, traceparent, occurred_at, recorded_at
                    from %I where kind = any ($1) order by position',
                   kept, 'event' || to_char(range, '"_p"FM000000')) using keep;
    perform log_archive_range(range, digest);
    perform log_attach_partition('event', kept, bounds);
    update log_range r set kept = keep where r.number = range;
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
    execute format('drop table if exists %I', log_kept_table(range));
    for parent in select log_lacking(range) loop
        name := parent || to_char(range, '"_p"FM000000');
        perform log_attach_partition(parent, name, bounds);
        execute format('alter table %I drop constraint %I', name, parent || '_bounds');
    end loop;
    update log_range r set state = 'attached', archived_at = null, sha256 = null, tagged = true, kept = '{}'
    where r.number = range;
    update log_head
    set archived_until = coalesce((select max(r.last_position) from log_range r where r.state = 'archived'), 0);
end
$$;

-- Fails if an event of one of these types in (after_position, until_position] is archived.
create function log_require_kinds(kinds text[], after_position bigint, until_position bigint) returns void
    language sql stable security definer set search_path = public, pg_temp as $$
    select log_require(min(greatest(r.first_position - 1, after_position)), max(least(r.last_position, until_position)))
    from log_range r
    where r.state = 'archived' and not kinds <@ r.kept
      and r.last_position > after_position and r.first_position <= until_position
$$;

-- As before, but for what has stayed of archived ranges.
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
                    select t.position, t.kind from event_tag t
                    where t.tag = tags[1] and t.position > after_position
                      and t.position <= case when newest_first then until_position else least(until_position, archived) end
                      and (kinds is null or t.kind = any (kinds))
                      and cardinality(tags) - 1 = (
                          select count(*) from unnest(tags[2:]) also(tag)
                          where (select count(*) from event_tag o where o.tag = also.tag and o.position = t.position) > 0)
                    order by case when newest_first then -t.position else t.position end limit most
                ) found
                where exists (select from log_range r where r.state = 'archived' and found.kind <> all (r.kept)
                                and found.position between r.first_position and r.last_position);
            end if;
        else
            -- A full page of the newest needs nothing older: its reader asks for what it has looked at.
            if not newest_first then
                perform log_require_kinds(kinds, after_position, until_position);
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

revoke execute on function log_archive_range(integer, text, text[]), log_restore_range, log_require_kinds from public;
