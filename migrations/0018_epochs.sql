-- Former versions by the stretch of the log that they lie in: see projections/src/engine/epoch.rs, which computes `epoch`
-- from `position` and `until` for every version from now on. Here those that are there already get theirs.
--
-- The state at p is: rows with position <= p, and versions of the epochs of p with position <= p < until. Lists walk one
-- index in each epoch, each in the order that is asked for; so those begin with `epoch`. A thing looked up by its key has
-- few versions, which its primary key finds.
do $$
declare
    sizes text;
    name text;
begin
    select string_agg(
        format('when (position # (until - 1)) < %s then (position >> %s) * 16 + %s', 1::bigint << bits, bits, size), ' '
        order by size)
    into sizes
    from (select size, 7 + 3 * size as bits from generate_series(0, 15) size) s;
    foreach name in array array['sites', 'turnaround_rules', 'spring_limits', 'stands', 'flights', 'allocations', 'alerts',
                                'passes', 'cars', 'springs'] loop
        execute format(
            'alter table read.%I add column epoch bigint not null generated always as (case %s end) stored',
            name || '_history', sizes);
        execute format('alter table read.%I alter column epoch drop expression', name || '_history');
    end loop;
end $$;

-- Rows that were changed after p are passed by as well, so `position` ends the indexes of the tables too: that is then seen
-- without a visit to the row. Nobody asks for the order of best known times.
drop index read.flights_site_best, read.flights_site_scheduled;
create index flights_site_scheduled on read.flights (site, scheduled_at, flight, position);
drop index read.allocations_stand_from, read.allocations_site_from, read.allocations_site_status_from;
create index allocations_stand_from on read.allocations (stand, from_at, allocation, position);
create index allocations_site_from on read.allocations (site, from_at, allocation, position);
create index allocations_site_status_from on read.allocations (site, status, from_at, allocation, position);
drop index read.alerts_site_raised, read.alerts_site_status_raised;
create index alerts_site_raised on read.alerts (site, raised_at, alert, position);
create index alerts_site_status_raised on read.alerts (site, status, raised_at, alert, position);
drop index read.passes_site_passed, read.passes_site_status_passed;
create index passes_site_passed on read.passes (site, passed_at, pass, position);
create index passes_site_status_passed on read.passes (site, status, passed_at, pass, position);

drop index read.flights_history_site_scheduled, read.flights_history_site_best, read.flights_history_site_number;
create index flights_history_site_scheduled
    on read.flights_history (epoch, site, scheduled_at, flight, until, position);
create index flights_history_site_number
    on read.flights_history (epoch, site, carrier, number, date, until, position);

drop index read.allocations_history_stand_from, read.allocations_history_site_from,
    read.allocations_history_site_status_from;
create index allocations_history_stand_from
    on read.allocations_history (epoch, stand, from_at, allocation, until, position);
create index allocations_history_site_from
    on read.allocations_history (epoch, site, from_at, allocation, until, position);
create index allocations_history_site_status_from
    on read.allocations_history (epoch, site, status, from_at, allocation, until, position);

drop index read.alerts_history_site_status_until, read.alerts_history_site_raised, read.alerts_history_stand;
create index alerts_history_site_raised
    on read.alerts_history (epoch, site, raised_at, alert, until, position);
create index alerts_history_site_status_raised
    on read.alerts_history (epoch, site, status, raised_at, alert, until, position);
create index alerts_history_stand on read.alerts_history (epoch, stand, until, position) where stand is not null;

drop index read.passes_history_site_passed, read.passes_history_site_status_passed;
create index passes_history_site_passed
    on read.passes_history (epoch, site, passed_at, pass, until, position);
create index passes_history_site_status_passed
    on read.passes_history (epoch, site, status, passed_at, pass, until, position);
