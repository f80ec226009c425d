-- What rows of the read models were before: each table that people see and whose rows change has a sister with the same
-- columns and `until`. A version holds from its `position` to before `until`; a row of the table itself holds from its
-- `position` on. So the table as it was at p is: rows with position <= p, and versions with position <= p < until.
-- `until` and `position` end each index, so that versions that do not hold at p are passed over within it.
create table read.sites_history (
    like read.sites,
    until bigint not null,
    constraint sites_history_pk primary key (site, position)
);

create table read.turnaround_rules_history (
    like read.turnaround_rules,
    until bigint not null,
    constraint turnaround_rules_history_pk primary key (site, aircraft_type, position)
);

create table read.spring_limits_history (
    like read.spring_limits,
    until bigint not null,
    constraint spring_limits_history_pk primary key (site, version, position)
);

create table read.stands_history (
    like read.stands,
    until bigint not null,
    constraint stands_history_pk primary key (stand, position)
);
create index stands_history_site_name on read.stands_history (site, name, until, position);

create table read.flights_history (
    like read.flights,
    until bigint not null,
    constraint flights_history_pk primary key (flight, position)
);
create index flights_history_site_scheduled on read.flights_history (site, scheduled_at, flight, until, position);
create index flights_history_site_best on read.flights_history (site, best_at, flight, until, position);
create index flights_history_site_number on read.flights_history (site, carrier, number, date, until, position);

create table read.allocations_history (
    like read.allocations,
    until bigint not null,
    constraint allocations_history_pk primary key (allocation, position)
);
create index allocations_history_stand_from on read.allocations_history (stand, from_at, allocation, until, position);
create index allocations_history_site_from on read.allocations_history (site, from_at, allocation, until, position);
create index allocations_history_site_status_from
    on read.allocations_history (site, status, from_at, allocation, until, position);
create index allocations_history_flight on read.allocations_history (flight, until, position);
create index allocations_history_turnaround
    on read.allocations_history (turnaround, until, position) where turnaround is not null;

create table read.alerts_history (
    like read.alerts,
    until bigint not null,
    constraint alerts_history_pk primary key (alert, position)
);
create index alerts_history_site_status_until on read.alerts_history (site, status, until, position);
create index alerts_history_site_raised on read.alerts_history (site, raised_at, alert, until, position);
create index alerts_history_pass on read.alerts_history (pass, until, position) where pass is not null;
create index alerts_history_stand on read.alerts_history (stand, until, position) where stand is not null;
create index alerts_history_flight on read.alerts_history (flight, until, position) where flight is not null;

create table read.passes_history (
    like read.passes,
    until bigint not null,
    constraint passes_history_pk primary key (pass, position)
);
create index passes_history_site_passed on read.passes_history (site, passed_at, pass, until, position);
create index passes_history_site_status_passed
    on read.passes_history (site, status, passed_at, pass, until, position);

create table read.cars_history (
    like read.cars,
    until bigint not null,
    constraint cars_history_pk primary key (pass, car, position)
);

create table read.springs_history (
    like read.springs,
    until bigint not null,
    constraint springs_history_pk primary key (pass, car, spring, quantity, position)
);

-- Tables that are being filled in another schema, under their final names: how far, moved by compare-and-set in the
-- transaction that writes the rows, so that whoever goes on after a crash goes on there.
create table read.shadow (
    schema     text        not null,
    name       text        not null, -- of the read model
    version    integer     not null,
    position   bigint      not null,
    updated_at timestamptz not null default clock_timestamp(),
    constraint shadow_pk primary key (schema, name)
) with (fillfactor = 20);

-- Whoever reads several tables in one snapshot first locks this one in ACCESS SHARE; who swaps tables in locks it in
-- ACCESS EXCLUSIVE. So nobody meets a table that is younger than his snapshot, which would look empty to him.
create table read.swap_gate ();
