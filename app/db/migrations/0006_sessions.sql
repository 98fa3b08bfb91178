-- Sessions: who is signed in. docs/adr/0021-sessions.md

-- A table of their own and no documents: they have no history, no list by prefix, no export, and events without their content.
-- The token itself is nowhere; 256 random bits need no slow hash.
create table vanta.session (
    tenant_id    uuid not null references vanta.tenant on delete cascade,
    token_sha256 text collate "C" not null check (token_sha256 ~ '^[0-9a-f]{64}$'),
    session_id   uuid not null,
    subject      text not null,
    revision     bigint not null,
    value        text not null,
    expires_at   timestamptz not null,
    primary key (tenant_id, token_sha256)
) with (fillfactor = 90);

create index session_of_subject on vanta.session (tenant_id, subject);
create index session_expiry on vanta.session (tenant_id, expires_at);

alter table vanta.session enable row level security;
alter table vanta.session force row level security;

create policy own on vanta.session
    using (tenant_id = vanta.current_tenant());

grant select, insert, update (revision, expires_at), delete on vanta.session to vanta_api;
