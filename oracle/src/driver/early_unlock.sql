-- Makes log_append let go of its lock before it commits.
--
-- The row lock on the head becomes an advisory lock that is given back when the function ends. The head comes from a
-- sequence, which others see at once, so that positions stay distinct: only what is checked against the others' events
-- goes wrong, since those are not committed yet.
do $$
declare
    original oid := (select p.oid from pg_proc p where p.proname = 'log_append');
    body text := pg_get_functiondef(original);
    arguments text := pg_get_function_arguments(original);
    result text := pg_get_function_result(original);
    numbers text := (select string_agg('$' || n, ', ')
                     from pg_proc p, generate_series(1, p.pronargs) n where p.oid = original);
    piece text;
begin
    body := replace(body, 'FUNCTION public.log_append(', 'FUNCTION public.log_append_unlocked(');
    foreach piece in array array[
        'update log_head h',
        'set position = h.position + events, recorded_at = greatest(h.recorded_at, clock_timestamp())',
        'returning h.position - events, h.recorded_at, h.archived_until into head, now_is, archived;',
        'update log_head set position = head;',
        'insert into command'
    ] loop
        if position(piece in body) = 0 then
            raise exception 'log_append is not as this sabotage knows it: there is no "%"', piece;
        end if;
    end loop;
    create sequence early_head minvalue 0 start 0;
    perform setval('early_head', h.position) from log_head h;
    body := replace(body, 'update log_head h', '');
    body := replace(body, 'set position = h.position + events, recorded_at = greatest(h.recorded_at, clock_timestamp())',
                    'select s.last_value, clock_timestamp(), 0 into head, now_is, archived from early_head s;');
    body := replace(body, 'returning h.position - events, h.recorded_at, h.archived_until into head, now_is, archived;',
                    'perform setval(''early_head'', head + events);');
    body := replace(body, 'update log_head set position = head;', 'perform setval(''early_head'', head);');
    body := replace(body, 'insert into command',
                    'update log_head h set position = greatest(h.position, head + events); insert into command');
    execute body;
    execute format('drop function log_append(%s)', pg_get_function_identity_arguments(original));
    execute format(
        'create function log_append(%s) returns %s language plpgsql security definer set search_path = public, pg_temp '
        'as $f$ begin perform pg_advisory_lock(4711); return query select * from log_append_unlocked(%s); '
        'perform pg_advisory_unlock(4711); '
        'exception when others then perform pg_advisory_unlock(4711); raise; end $f$', arguments, result, numbers);
end
$$;
