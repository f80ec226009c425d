-- What people see: tables that are folded from the log (projections crate) and can be made anew at any time.
-- `position` is always that of the event that changed the row last. Times are those of the log unless said otherwise.
create schema read;
-- Tables that are being made anew, or compared, under their final names.
create schema read_rebuild;
create schema read_verify;

-- How far each read model has come. Nothing that changes is indexed, so that updates stay on their page.
create table read.checkpoint (
    name           text             not null constraint checkpoint_pk primary key,
    version        integer          not null,
    position       bigint           not null,
    state          text             not null constraint checkpoint_state check (state in ('running', 'stopped')),
    error          text,
    error_position bigint,
    owner          text,
    rate           double precision not null default 0, -- events per second, while there was something to do
    updated_at     timestamptz      not null default clock_timestamp()
) with (fillfactor = 20);

create table read.sites (
    site               text        not null constraint sites_pk primary key,
    name               text        not null,
    kind               text        not null, -- airport, rail
    zone               text        not null,
    icao               text,
    rules_version      integer     not null, -- 0: the built-in allocation rules
    buffer_minutes     integer,
    default_turnaround jsonb,                -- {min, typical, max} in minutes
    weights            jsonb,                -- {spare_letter, no_jetway, metre} in points
    position           bigint      not null,
    created_at         timestamptz not null,
    changed_at         timestamptz not null
);

create table read.turnaround_rules (
    site            text        not null,
    aircraft_type   text        not null,
    min_minutes     integer     not null,
    typical_minutes integer     not null,
    max_minutes     integer     not null,
    position        bigint      not null,
    changed_at      timestamptz not null,
    constraint turnaround_rules_pk primary key (site, aircraft_type)
);

create table read.spring_limits (
    site       text        not null,
    version    integer     not null,
    valid_from timestamptz not null,
    limits     jsonb       not null, -- [{quantity, unit, alarm_low, warning_low, warning_high, alarm_high}]
    position   bigint      not null,
    changed_at timestamptz not null,
    constraint spring_limits_pk primary key (site, version)
);

create table read.stands (
    stand      text        not null constraint stands_pk primary key,
    site       text        not null,
    name       text        not null,
    kind       text        not null, -- civil, military
    code       text        not null, -- largest ICAO code letter
    jetway     boolean     not null,
    distance_m integer     not null,
    closures   jsonb       not null, -- [{from, to, reason}], disjoint, in order; to is null without a known end
    position   bigint      not null,
    created_at timestamptz not null,
    changed_at timestamptz not null
);
create unique index stands_site_name on read.stands (site, name);

create table read.flights (
    flight        text        not null constraint flights_pk primary key,
    site          text        not null,
    carrier       text        not null,
    number        text        not null,
    date          date        not null, -- scheduled, in the site's zone
    direction     text        not null, -- arrival, departure
    airport       text        not null,
    scheduled_at  timestamptz not null,
    progress      text        not null, -- scheduled, estimated, landed, arrived, departed, phase, cancelled
    progress_at   timestamptz,          -- of estimated, landed, arrived, departed
    phase         text,                 -- delayed, boarding_soon, boarding, final_call, gate_closed
    best_at       timestamptz not null, -- best known time: actual, estimated, scheduled
    cancelled     boolean     not null,
    gate          text        not null,
    belt          text        not null,
    terminal      text        not null,
    aisle         text        not null,
    hall          text        not null,
    operator      text,
    codeshares    text[]      not null,
    via           text[]      not null,
    cargo         boolean     not null,
    aircraft_type text,
    registration  text,
    code          text,                 -- ICAO code letter, once an allocation was tried
    turnaround    text,                 -- the other leg
    allocation    uuid,                 -- the active one, also when the other leg asked for it
    stand         text,
    no_stand      boolean     not null, -- asked for a stand, and none was left
    source        text        not null,
    position      bigint      not null,
    created_at    timestamptz not null,
    changed_at    timestamptz not null
);
create index flights_site_scheduled on read.flights (site, scheduled_at, flight);
create index flights_site_best on read.flights (site, best_at, flight);
create index flights_site_number on read.flights (site, carrier, number, date);

create table read.allocations (
    allocation     uuid        not null constraint allocations_pk primary key,
    site           text        not null,
    stand          text        not null,
    flight         text        not null,
    turnaround     text,
    from_at        timestamptz not null,
    to_at          timestamptz,          -- planned, or when the aircraft left
    planned_to     timestamptz,
    buffer_minutes integer     not null,
    aircraft_type  text        not null,
    code           text        not null,
    status         text        not null, -- active, freed, cancelled
    overflow       text,
    requested      boolean     not null,
    rules_version  integer     not null,
    candidates     jsonb       not null, -- [{stand, points, rejected}]
    note           text        not null,
    moves          jsonb       not null, -- [{from, to, at, by, note}]
    conflict       text,                 -- why the stand cannot keep it: the reason of the closure
    cancelled_by   text,                 -- operator, flight_cancelled
    cancel_note    text,
    actor          text        not null, -- who allocated
    ended_at       timestamptz,          -- when it was freed or cancelled, by the source's clock
    position       bigint      not null,
    created_at     timestamptz not null,
    changed_at     timestamptz not null
);
create index allocations_stand_from on read.allocations (stand, from_at, allocation);
create index allocations_site_from on read.allocations (site, from_at, allocation);
create index allocations_site_status_from on read.allocations (site, status, from_at, allocation);
create index allocations_flight on read.allocations (flight);
create index allocations_turnaround on read.allocations (turnaround) where turnaround is not null;

create table read.alerts (
    alert             uuid        not null constraint alerts_pk primary key,
    site              text        not null,
    kind              text        not null, -- spring_out_of_limits, stand_conflict, saturation
    severity          text        not null, -- info, warning, critical
    status            text        not null, -- raised, acknowledged, resolved
    message           text        not null,
    cause             uuid        not null, -- the event
    pass              text,
    car               integer,
    spring            text,
    quantity          text,
    stand             text,
    flight            text,
    allocation        uuid,
    raised_at         timestamptz not null,
    raised_by         text        not null,
    acknowledged_at   timestamptz,
    acknowledged_by   text,
    acknowledged_note text,
    resolved_at       timestamptz,
    resolved_by       text,
    resolved_reason   text,
    position          bigint      not null,
    created_at        timestamptz not null,
    changed_at        timestamptz not null
);
create index alerts_site_status_raised on read.alerts (site, status, raised_at, alert);
create index alerts_site_raised on read.alerts (site, raised_at, alert);
create index alerts_pass on read.alerts (pass) where pass is not null;
create index alerts_stand on read.alerts (stand) where stand is not null;
create index alerts_flight on read.alerts (flight) where flight is not null;

create table read.passes (
    pass             text        not null constraint passes_pk primary key,
    site             text        not null,
    track            text        not null,
    passed_at        timestamptz not null,
    train            text,
    status           text        not null, -- receiving, complete, confirmed, reopened
    declared_cars    integer,
    measured_cars    integer     not null,
    springs          integer     not null,
    out_of_limits    integer     not null, -- readings
    worst_level      text,                 -- warning, alarm
    alerts           uuid[]      not null, -- every alert of the pass
    open_alerts      uuid[]      not null, -- those neither acknowledged nor resolved
    ready_to_confirm boolean     not null,
    completed_at     timestamptz,
    confirmed_at     timestamptz,
    confirmed_by     text,
    confirmed_note   text,
    reopened_by      uuid,                 -- the alert that came late
    position         bigint      not null,
    created_at       timestamptz not null,
    changed_at       timestamptz not null
);
create index passes_site_passed on read.passes (site, passed_at, pass);
create index passes_site_status_passed on read.passes (site, status, passed_at, pass);

create table read.cars (
    pass           text        not null,
    car            integer     not null, -- from 1
    site           text        not null,
    vehicle        text,
    camera         text        not null,
    limits_version integer,
    springs        integer     not null,
    out_of_limits  integer     not null, -- readings
    worst_level    text,                 -- warning, alarm
    position       bigint      not null,
    changed_at     timestamptz not null,
    constraint cars_pk primary key (pass, car)
);

create table read.springs (
    pass           text             not null,
    car            integer          not null,
    spring         text             not null,
    quantity       text             not null,
    site           text             not null,
    unit           text             not null,
    value          double precision not null,
    quality        text             not null, -- good, suspect, bad
    level          text,                      -- warning, alarm; null within limits or not judged
    bound          double precision,          -- the one that was passed
    limits_version integer,
    position       bigint           not null,
    changed_at     timestamptz      not null,
    constraint springs_pk primary key (pass, car, spring, quantity)
);

-- One row per event: who did what to which thing, when, why, from which command, before and after.
create table read.audit (
    position       bigint      not null constraint audit_pk primary key,
    event          uuid        not null,
    type           text        not null,
    site           text        not null,
    actor          text        not null,
    command        text        not null,
    command_id     uuid        not null,
    correlation_id uuid        not null,
    causation_id   uuid,
    occurred_at    timestamptz not null,
    recorded_at    timestamptz not null,
    things         text[]      not null, -- tags without the technical ones
    action         text        not null, -- in words
    changes        jsonb       not null, -- [{thing, field, before, after}]
    note           text        not null
);
create index audit_site on read.audit (site, position);
create index audit_actor on read.audit (actor, position);
create index audit_command on read.audit (command_id);
create index audit_recorded on read.audit (recorded_at, position);

-- The trail of one thing, newest first, is a walk along this key; a GIN index on the array would sort all of them.
create table read.audit_things (
    thing    text   not null,
    position bigint not null,
    constraint audit_things_pk primary key (thing, position)
);

-- What the trail last said of each field of a thing: the next change's "before".
create table read.audit_fields (
    thing    text   not null constraint audit_fields_pk primary key,
    fields   jsonb  not null, -- {field: value}
    position bigint not null
);
