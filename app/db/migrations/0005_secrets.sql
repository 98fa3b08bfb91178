-- Secrets: the data keys of tenants, and sealed values with their versions. docs/adr/0020-secrets.md

-- Wrapped by KMS: of no use without it. The newest generation of a tenant seals, all of them open.
create table vanta.data_key (
    tenant_id  uuid not null references vanta.tenant on delete cascade,
    generation int not null check (generation > 0),
    kms_key    text not null,
    wrapped    bytea not null,
    created_at timestamptz not null default clock_timestamp(),
    wrapped_at timestamptz not null default clock_timestamp(),
    primary key (tenant_id, generation)
);

-- The head of each secret: which version is the newest, whether or not it can still be read.
create table vanta.secret (
    tenant_id    uuid not null references vanta.tenant on delete cascade,
    path         text collate "C" not null,
    version      int not null,
    max_versions int not null check (max_versions > 0),
    metadata     text,
    created_at   timestamptz not null,
    primary key (tenant_id, path)
);

-- Versions that are kept. sealed is null once the value was destroyed; deleted_at marks one that can be undeleted.
-- tag is random and becomes the entity tag: a digest of a value would tell whoever guesses it that the guess is right.
create table vanta.secret_version (
    tenant_id    uuid not null,
    path         text collate "C" not null,
    version      int not null check (version > 0),
    tag          text collate "C" not null,
    generation   int,
    sealed       bytea,
    created_at   timestamptz not null,
    expires_at   timestamptz,
    deleted_at   timestamptz,
    destroyed_at timestamptz,
    primary key (tenant_id, path, version),
    foreign key (tenant_id, path) references vanta.secret on delete cascade,
    -- A key in use cannot go: no cascade.
    foreign key (tenant_id, generation) references vanta.data_key,
    check ((sealed is null) = (destroyed_at is not null) and (sealed is null) = (generation is null))
);

create index secret_version_expiry on vanta.secret_version (tenant_id, expires_at) where sealed is not null and expires_at is not null;
create index secret_version_generation on vanta.secret_version (tenant_id, generation) where generation is not null;

alter table vanta.data_key enable row level security;
alter table vanta.data_key force row level security;
alter table vanta.secret enable row level security;
alter table vanta.secret force row level security;
alter table vanta.secret_version enable row level security;
alter table vanta.secret_version force row level security;

create policy own on vanta.data_key
    using (tenant_id = vanta.current_tenant());
create policy own on vanta.secret
    using (tenant_id = vanta.current_tenant());
create policy own on vanta.secret_version
    using (tenant_id = vanta.current_tenant());

grant select, insert (tenant_id, generation, kms_key, wrapped), update (kms_key, wrapped, wrapped_at)
    on vanta.data_key to vanta_api;
grant select, insert, update (version, max_versions, metadata) on vanta.secret to vanta_api;
grant select, insert, update (generation, sealed, deleted_at, destroyed_at), delete on vanta.secret_version to vanta_api;
