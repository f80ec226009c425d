-- What stands are at a time: closed, occupied (a stay is running), reserved (within the buffer around a stay) or
-- available; with the stay that is running and the one that starts next. The board, its filter and the gauges ask here,
-- so that they cannot disagree. A text body: rebuilds replace the tables under it. No stay lasts longer than 14 days, which bounds the walk along the index.
create function read.stand_states(stands text[], at timestamptz)
    returns table (stand text, status text, current uuid, next uuid)
    language sql stable as $$
    select s.stand,
           case
               when exists (
                   select from jsonb_array_elements(s.closures) c
                   where (c ->> 'from')::timestamptz <= stand_states.at
                     and coalesce((c ->> 'to')::timestamptz > stand_states.at, true)
               ) then 'closed'
               when running.allocation is not null then 'occupied'
               when exists (
                   select from read.allocations a
                   where a.stand = s.stand and a.status <> 'cancelled'
                     and a.from_at between stand_states.at - interval '15 days' and stand_states.at + interval '1 day'
                     and a.from_at - make_interval(mins => a.buffer_minutes) <= stand_states.at
                     and coalesce(a.to_at + make_interval(mins => a.buffer_minutes) > stand_states.at, true)
               ) then 'reserved'
               else 'available'
           end,
           running.allocation,
           coming.allocation
    from read.stands s
    left join lateral (
        select a.allocation from read.allocations a
        where a.stand = s.stand and a.status <> 'cancelled'
          and a.from_at between stand_states.at - interval '15 days' and stand_states.at
          and coalesce(a.to_at > stand_states.at, true)
        order by a.from_at desc limit 1
    ) running on true
    left join lateral (
        select a.allocation from read.allocations a
        where a.stand = s.stand and a.status <> 'cancelled' and a.from_at > stand_states.at
        order by a.from_at, a.allocation limit 1
    ) coming on true
    where s.stand = any (stand_states.stands);
$$;
