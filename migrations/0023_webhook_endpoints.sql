-- Read model `webhook_endpoints`: who receives which events, where, as the log says. Secrets, header values and queries of
-- URLs are known by their ids alone. And the endpoint that an alert is about.

create table read.webhook_endpoints (
    endpoint        uuid        not null constraint webhook_endpoints_pk primary key,
    site            text,                 -- whose events it receives; null is those of all
    state           text        not null, -- enabled, disabled, removed
    disabled_reason text,                 -- operator, gone, failing
    disabled_at     timestamptz,
    settings        jsonb       not null, -- description, target, filter, ordering, on_exhaustion, rate, timeout, retries, headers
    secrets         jsonb       not null, -- [{"id", "kind", "public_key", "made_at", "until"}], those that were replaced included
    after           bigint      not null, -- its events begin behind this position
    position        bigint      not null,
    created_at      timestamptz not null,
    changed_at      timestamptz not null
);
create table read.webhook_endpoints_history (
    like read.webhook_endpoints,
    until bigint not null,
    epoch bigint not null,
    constraint webhook_endpoints_history_pk primary key (endpoint, position)
);

alter table read.alerts add column endpoint uuid;
alter table read.alerts_history add column endpoint uuid;
