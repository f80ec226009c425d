-- Policies that are switched off and on, and replaced by new versions; timers; alerts that are escalated.
alter table policy_checkpoint
    add column version         integer     not null default 1, -- of the reactions, from this position on
    add column off             boolean     not null default false,
    add column switched_by     text,
    add column switched_at     timestamptz,
    add column switched_reason text;

-- Who switched which policy, newest last; the oldest go.
create table policy_switch (
    id      bigint      not null generated always as identity constraint policy_switch_pk primary key,
    at      timestamptz not null default clock_timestamp(),
    name    text        not null,
    off     boolean     not null,
    actor   text        not null,
    reason  text        not null,
    stood   bigint      not null, -- where the policy stood then
    resumed bigint      not null  -- where it goes on: further, when it was to leave out what had come meanwhile
);

-- What a policy wants to follow when something has not happened by a certain time. Written in the transaction that
-- moves the policy's checkpoint; gone once it has fired.
create table policy_timer (
    policy         text        not null,
    key            text        not null, -- such as alert:…; a policy has one timer of each
    due            timestamptz not null,
    next_try       timestamptz not null, -- due, and later after a failure
    command_id     uuid        not null, -- of the command that it gives
    reaction       json        not null, -- that command, as the domain writes reactions
    event          uuid        not null, -- the fact that has set it
    correlation_id uuid        not null,
    traceparent    text,
    attempts       integer     not null default 0,
    error          text,                 -- why the last attempt failed
    constraint policy_timer_pk primary key (policy, key)
);
create index policy_timer_next_try on policy_timer (next_try);

-- How far an alert is escalated; null: it never was.
alter table read.alerts add column level integer, add column escalated_at timestamptz;
alter table read.alerts_history add column level integer, add column escalated_at timestamptz;
