-- When a source last confirmed a flight: unchanged input appends no event. See integrations/src/feed_clock.rs.

create table feed_clock (
    site        text        not null,
    source      text        not null,
    flight      text        not null,
    observed_at timestamptz not null,
    constraint feed_clock_pk primary key (site, source, flight)
) with (fillfactor = 80);
