-- Roles, scopes and lifetimes of keys; operators; suspension and rates of tenants, docs/adr/0018-tenancy.md.

-- Keys made before there were roles could do everything.
alter table vanta.api_key
    add column name            text not null default 'first' check (length(name) between 1 and 100),
    add column role            text not null default 'admin' check (role in ('reader', 'writer', 'admin', 'auditor')),
    add column scopes          jsonb not null default '[]' check (jsonb_typeof(scopes) = 'array'),
    add column expires_at      timestamptz,
    add column previous_sha256 bytea check (octet_length(previous_sha256) = 32),
    add column previous_until  timestamptz,
    add check ((previous_sha256 is null) = (previous_until is null));

grant insert, delete on vanta.api_key to vanta_api;
grant update (secret_sha256, previous_sha256, previous_until) on vanta.api_key to vanta_api;

-- A rate of null is none: as many requests as there is room for.
alter table vanta.tenant
    add column suspended_at    timestamptz,
    add column erasing_at      timestamptz,
    add column rate_per_second int check (rate_per_second > 0),
    add column burst           int check (burst > 0),
    add check ((rate_per_second is null) = (burst is null));

-- Whether and how fast a tenant may go on is asked with each key; its name stays hidden from vanta_api.
grant select (suspended_at, erasing_at, rate_per_second, burst) on vanta.tenant to vanta_api;

-- Keys of those who run the platform; they belong to no tenant.
create table vanta.operator_key (
    key_id        text primary key check (key_id ~ '^[0-9a-f]{16}$'),
    name          text not null check (length(name) between 1 and 100),
    secret_sha256 bytea not null check (octet_length(secret_sha256) = 32),
    created_at    timestamptz not null default now(),
    expires_at    timestamptz
);

-- Not forced: no tenant's data, and its owner makes the keys.
alter table vanta.operator_key enable row level security;

create policy presented on vanta.operator_key for select
    using (key_id = current_setting('vanta.key_id', true));

grant select on vanta.operator_key to vanta_api;

-- What stays of an erased tenant: that it was, until when, and by whose key it was erased. Not a name, not a value.
create table vanta.tombstone (
    tenant    uuid primary key,
    erased_at timestamptz not null default now(),
    erased_by text not null
);

-- Whose bearer tokens open a tenant: roles maps values of the token's claim role_claim to roles. One issuer's tokens for one
-- audience open one tenant, so that no token is good for another.
create table vanta.issuer (
    tenant_id  uuid not null references vanta.tenant on delete cascade,
    issuer     text collate "C" not null check (issuer like 'https://%'),
    audience   text collate "C" not null,
    jwks_uri   text not null check (jwks_uri like 'https://%'),
    role_claim text not null,
    roles      jsonb not null check (jsonb_typeof(roles) = 'object'),
    primary key (tenant_id, issuer, audience),
    unique (issuer, audience)
);

alter table vanta.issuer enable row level security;
alter table vanta.issuer force row level security;

create policy own on vanta.issuer
    using (tenant_id = vanta.current_tenant());
-- Before a caller is known, only the one row that its token names can be seen.
create policy presented on vanta.issuer for select
    using (issuer = current_setting('vanta.issuer', true) and audience = current_setting('vanta.audience', true));

grant select, insert, update (jwks_uri, role_claim, roles), delete on vanta.issuer to vanta_api;
