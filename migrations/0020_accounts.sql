-- Who people are, and how they prove it. All of it stands beside the log, which knows people by their ids alone: what is
-- here can be erased, and a copy of it holds nothing by which anybody could sign in.

create table person (
    user_id    uuid        not null constraint person_pk primary key,
    username   text        not null constraint person_username check (char_length(username) between 1 and 64),
    full_name  text        not null,
    email      text,
    note       text        not null,
    created_at timestamptz not null,
    changed_at timestamptz not null
);
create unique index person_username_once on person (lower(username));

-- Passwords, as argon2id hashes in PHC text with their settings and salt.
create table credential (
    user_id    uuid        not null constraint credential_pk primary key
                           constraint credential_of references person (user_id) on delete cascade,
    hash       text        not null,
    changed_at timestamptz not null
);

-- Who another system says that somebody is (OpenID Connect: issuer and subject).
create table external_identity (
    issuer  text not null,
    subject text not null,
    user_id uuid not null constraint external_identity_of references person (user_id) on delete cascade,
    constraint external_identity_pk primary key (issuer, subject)
);
create index external_identity_user on external_identity (user_id);

-- Open sessions. What a browser or program holds is random; its SHA-256 is kept.
create table session (
    session_id  uuid        not null constraint session_pk primary key,
    user_id     uuid        not null constraint session_of references person (user_id) on delete cascade,
    cookie_hash bytea       constraint session_cookie_once unique, -- none for programs, which hold refresh tokens
    issuer      text,                 -- the system that signed the person in, and what it calls its own session
    provider_id text,
    created_at  timestamptz not null,
    seen_at     timestamptz not null, -- to within a minute
    ends_at     timestamptz not null  -- whatever is done with it
);
create index session_by_user on session (user_id);
create index session_by_end on session (ends_at);
create index session_by_provider on session (issuer, provider_id) where provider_id is not null;

-- Each works once; those that were used are kept with their session, so that a second use is noticed.
create table refresh_token (
    hash       bytea       not null constraint refresh_token_pk primary key,
    session_id uuid        not null constraint refresh_token_of references session (session_id) on delete cascade,
    made_at    timestamptz not null,
    used_at    timestamptz
);
create index refresh_token_session on refresh_token (session_id);

-- Links by which somebody can sign in once.
create table sign_in_link (
    hash       bytea       not null constraint sign_in_link_pk primary key,
    user_id    uuid        not null constraint sign_in_link_of references person (user_id) on delete cascade,
    expires_at timestamptz not null
);
create index sign_in_link_user on sign_in_link (user_id);

create table api_key (
    key_id       uuid        not null constraint api_key_pk primary key,
    hash         bytea       not null constraint api_key_hash_once unique,
    name         text        not null constraint api_key_name check (char_length(name) between 1 and 80),
    created_at   timestamptz not null,
    expires_at   timestamptz not null,
    last_used_at timestamptz -- to within a minute
);

-- Sign-ins that failed, for those who watch over accounts. Bounded: a job removes what is old.
create table sign_in_attempt (
    id      bigint      not null generated always as identity constraint sign_in_attempt_pk primary key,
    at      timestamptz not null,
    user_id uuid        constraint sign_in_attempt_of references person (user_id) on delete cascade, -- none: unknown name
    method  text        not null,
    reason  text        not null,
    address text        not null
);
create index sign_in_attempt_at on sign_in_attempt (at);
create index sign_in_attempt_user on sign_in_attempt (user_id);

-- The public halves of the keys that sign access tokens. The private half never leaves the memory of the process that
-- made it, so that nobody who reads this table, or a dump of it, can make a token.
create table signing_key (
    key_id     uuid        not null constraint signing_key_pk primary key,
    public_key bytea       not null constraint signing_key_length check (octet_length(public_key) = 32),
    made_at    timestamptz not null,
    retires_at timestamptz not null, -- signs nothing from then on
    expires_at timestamptz not null  -- what it has signed is refused from then on
);

-- Read model `accounts`: who can hold roles, as the log says. Names are looked up when it is read.
create table read.accounts (
    id         uuid        not null constraint accounts_pk primary key,
    kind       text        not null, -- user, key
    state      text        not null, -- active, deactivated, erased, revoked
    expires_at timestamptz,          -- of a key
    grants     jsonb       not null, -- [{"role", "site"}], in order; a site of null is everywhere
    position   bigint      not null,
    created_at timestamptz not null,
    changed_at timestamptz not null
);
create table read.accounts_history (
    like read.accounts,
    until bigint not null,
    epoch bigint not null,
    constraint accounts_history_pk primary key (id, position)
);
