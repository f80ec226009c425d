-- Webhooks: who delivers to which endpoint and how far, what did not go through at once, what was tried, and secrets.
-- Which endpoints there are, and their settings, is in the log.

-- The processes that deliver. One is dead when its advisory lock is free or it was not seen for the length of a lease.
create table webhook_worker (
    id      bigint      not null generated always as identity constraint webhook_worker_pk primary key,
    seen_at timestamptz not null default clock_timestamp() -- by the database's clock alone
) with (fillfactor = 20);

-- How far each endpoint has come. Written by its owner alone: each write names the owner and the epoch that it believes in.
-- Nothing that changes is indexed.
create table webhook_state (
    endpoint        uuid        not null constraint webhook_state_pk primary key,
    -- Every event up to here that it asks for is delivered, set aside, or in webhook_waiting …
    position        bigint      not null,
    -- … and so are these after it, since keys do not wait for each other.
    ahead           bigint[]    not null default '{}',
    owner           bigint,                         -- a worker
    epoch           bigint      not null default 0, -- grows with every owner
    recorded        bigint      not null default 0, -- counts what was recorded: what is sent again changes nothing
    ordering        text,                           -- the kind of tag by which what waits was put into lanes
    succeeded_at    timestamptz,
    failing_since   timestamptz,                    -- the first failure since the last success
    breaker         text        not null default 'closed'
                                constraint webhook_state_breaker check (breaker in ('closed', 'open', 'half_open')),
    breaker_until   timestamptz,                    -- when an open one lets one through
    breaker_opened  integer     not null default 0, -- how often since it was closed
    throttled_until timestamptz,                    -- the endpoint has asked for a pause
    error           text,                           -- why it stands still
    updated_at      timestamptz not null default clock_timestamp()
) with (fillfactor = 20);

-- Deliveries that did not go through at once, and what is behind them in their lanes. A lane is strictly in the order of
-- seq; its first row has a next try.
create table webhook_waiting (
    endpoint  uuid        not null,
    seq       bigint      not null, -- the order in which the endpoint's owner put them down
    lane      bigint      not null,
    position  bigint      not null,
    replay    bigint      not null default 0, -- 0: not a replay
    state     text        not null default 'waiting'
                          constraint webhook_waiting_state check (state in ('waiting', 'set_aside')),
    attempts  integer     not null default 0,
    next_try  timestamptz,
    reason    text,                 -- why the last attempt failed
    queued_at timestamptz not null,
    failed_at timestamptz,
    constraint webhook_waiting_pk primary key (endpoint, seq)
);
create index webhook_waiting_lane on webhook_waiting (endpoint, lane, seq) where state = 'waiting';
create index webhook_waiting_due on webhook_waiting (endpoint, next_try) where next_try is not null;
create index webhook_waiting_position on webhook_waiting (endpoint, position);

-- Which keys go through which lane, for as long as something of the lane waits.
create table webhook_lane (
    endpoint uuid   not null,
    key      text   not null, -- a tag
    lane     bigint not null,
    constraint webhook_lane_pk primary key (endpoint, key)
);
create index webhook_lane_lane on webhook_lane (endpoint, lane);

-- What was tried. Bounded by age: the oldest are removed in small batches.
create table webhook_attempt (
    id            bigint      not null generated always as identity constraint webhook_attempt_pk primary key,
    endpoint      uuid        not null,
    event         uuid        not null, -- its id; of a test, the id that was drawn for it
    position      bigint,               -- null: a test, which is not in the log
    kind          text        not null, -- the event's type
    replay        bigint      not null default 0,
    attempt       integer     not null, -- 1, 2, 3, … of its delivery
    at            timestamptz not null,
    latency_us    bigint      not null, -- until the answer was read, or the attempt given up
    outcome       text        not null constraint webhook_attempt_outcome
                              check (outcome in ('delivered', 'failed', 'throttled', 'gone')),
    status        integer,              -- HTTP
    error         text,                 -- why there is no status, or why it is a failure
    request_head  text        not null, -- header lines as sent; secrets are left out
    response_head text,
    response_body text,                 -- the first 20 kB
    next_try      timestamptz,
    worker        bigint
);
create index webhook_attempt_endpoint on webhook_attempt (endpoint, id);
create index webhook_attempt_delivery on webhook_attempt (endpoint, position, id) where position is not null;

-- What people ask to be sent again, and what they let go.
create table webhook_replay (
    id         bigint      not null generated always as identity constraint webhook_replay_pk primary key,
    endpoint   uuid        not null,
    what       text        not null constraint webhook_replay_what check (what in ('everything', 'failed', 'skip')),
    after      bigint      not null, -- events after this position
    until      bigint      not null, -- up to this one
    position   bigint      not null, -- as in webhook_state
    ahead      bigint[]    not null default '{}',
    state      text        not null default 'asked'
                           constraint webhook_replay_state check (state in ('asked', 'running', 'done', 'cancelled')),
    sent       bigint      not null default 0, -- deliveries that it has put into lanes; of a skip, those let go
    asked_by   text        not null,
    reason     text        not null,
    asked_at   timestamptz not null default clock_timestamp(),
    started_at timestamptz,
    ended_at   timestamptz
) with (fillfactor = 50);
create index webhook_replay_open on webhook_replay (endpoint, id) where state in ('asked', 'running');
create index webhook_replay_endpoint on webhook_replay (endpoint, id);

-- Encrypted with a key from the configuration: what signs, header values, and the query of a URL.
create table webhook_secret (
    id         uuid        not null constraint webhook_secret_pk primary key,
    endpoint   uuid        not null,
    kind       text        not null constraint webhook_secret_kind check (kind in ('hmac', 'ed25519', 'header', 'url')),
    name       text        not null default '', -- of a header
    sealed     bytea       not null,
    sealed_by  text        not null,            -- which key of the configuration
    made_at    timestamptz not null,
    expires_at timestamptz                      -- the end of its overlap with the one that has replaced it
);
create index webhook_secret_endpoint on webhook_secret (endpoint);
