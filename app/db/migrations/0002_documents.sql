-- Documents, continued: settings of collections, counters and limits of a tenant, tags of versions, remembered answers.

-- Counters are exact: each function that writes or prunes moves them in its own transaction, under the lock of this row.
-- documents: rows of vanta.document; bytes: of the values of all versions kept. A limit of null is none.
alter table vanta.tenant_head
    add column documents     bigint not null default 0,
    add column bytes         bigint not null default 0,
    add column max_documents bigint check (max_documents >= 0),
    add column max_bytes     bigint check (max_bytes >= 0);

-- The tag of a version; null for a deletion, and for versions older than this migration that were not current then.
alter table vanta.document_version add column digest text collate "C";

-- How many versions of the document are kept, so that a write knows without counting whether it has to prune.
alter table vanta.document add column versions int not null default 1;

-- What a collection asks for; without a row, and where null, the defaults of functions/documents.sql hold.
create table vanta.collection (
    tenant_id          uuid not null references vanta.tenant on delete cascade,
    collection         text collate "C" not null,
    concurrency        text not null check (concurrency in ('precondition', 'last-write-wins')),
    ttl                int check (ttl > 0),
    max_versions       int check (max_versions > 0),
    keep_versions_days int check (keep_versions_days >= 0),
    primary key (tenant_id, collection)
);

-- Answers to requests that carried an Idempotency-Key: given again for as long as they are kept.
create table vanta.idempotent_answer (
    tenant_id   uuid not null references vanta.tenant on delete cascade,
    key         text collate "C" not null,
    fingerprint text collate "C" not null,
    recorded_at timestamptz not null,
    answer      jsonb not null,
    primary key (tenant_id, key)
);

create index idempotent_answer_age on vanta.idempotent_answer (tenant_id, recorded_at);

alter table vanta.collection enable row level security;
alter table vanta.collection force row level security;
alter table vanta.idempotent_answer enable row level security;
alter table vanta.idempotent_answer force row level security;

create policy own on vanta.collection
    using (tenant_id = vanta.current_tenant());
create policy own on vanta.idempotent_answer
    using (tenant_id = vanta.current_tenant());

grant select, insert, update, delete on vanta.collection, vanta.idempotent_answer to vanta_api;
-- Old versions are pruned (docs/adr/0017-documents.md); what must outlive that is in the audit log.
grant delete on vanta.document_version to vanta_api;

do $$
declare
    v_tenant uuid;
begin
    -- The owner too sees one tenant at a time.
    for v_tenant in select tenant_id from vanta.tenant loop
        perform set_config('vanta.tenant', v_tenant::text, true);
        update vanta.document_version v set digest = d.digest
        from vanta.document d
        where d.tenant_id = v_tenant and v.tenant_id = v_tenant
            and v.collection = d.collection and v.key = d.key and v.revision = d.revision;
        update vanta.document d set versions = (
            select count(*) from vanta.document_version v
            where v.tenant_id = v_tenant and v.collection = d.collection and v.key = d.key)
        where d.tenant_id = v_tenant;
        update vanta.tenant_head h
        set documents = (select count(*) from vanta.document d where d.tenant_id = v_tenant),
            bytes = (select coalesce(sum(octet_length(v.value)), 0) from vanta.document_version v where v.tenant_id = v_tenant)
        where h.tenant_id = v_tenant;
    end loop;
    perform set_config('vanta.tenant', '', true);
end
$$;
