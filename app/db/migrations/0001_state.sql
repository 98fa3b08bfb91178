-- The state layer: tenants, API keys, documents with their history, the outbox, and the epoch of the cache.
--
-- Every table with a tenant_id has row-level security that binds even its owner (FORCE): what a session sees is
-- what its setting vanta.tenant names, whatever the statement says. The application connects as a member of
-- vanta_api, which owns nothing and cannot bypass row-level security.

create schema vanta;

do $$
begin
    -- Roles belong to the whole cluster, so another database of it may already have made this one.
    if not exists (select from pg_roles where rolname = 'vanta_api') then
        create role vanta_api nologin;
    end if;
end
$$;

grant usage on schema vanta to vanta_api;

-- Empty after a transaction that set it locally has ended, so '' means nobody, exactly as an unset one does.
create function vanta.current_tenant() returns uuid
    language sql stable parallel safe
    return nullif(current_setting('vanta.tenant', true), '')::uuid;


create table vanta.tenant (
    tenant_id  uuid primary key default gen_random_uuid(),
    name       text not null unique check (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    created_at timestamptz not null default now()
);

-- The revision counter of a tenant. Locking its row orders all writes of that tenant: revisions are dense, rise in
-- commit order, and two writers of one tenant cannot deadlock. Narrow and apart from tenant so that each update is HOT.
create table vanta.tenant_head (
    tenant_id uuid primary key references vanta.tenant on delete cascade,
    revision  bigint not null default 0
) with (fillfactor = 50);

create table vanta.api_key (
    key_id        text primary key check (key_id ~ '^[0-9a-f]{16}$'),
    tenant_id     uuid not null references vanta.tenant on delete cascade,
    secret_sha256 bytea not null check (octet_length(secret_sha256) = 32),
    created_at    timestamptz not null default now()
);

create index api_key_of_tenant on vanta.api_key (tenant_id);

-- The head of each document: which version is current. No foreign key to tenant: it would cost a look-up per row
-- written, and vanta.write_documents refuses a tenant without a tenant_head.
create table vanta.document (
    tenant_id  uuid not null,
    collection text collate "C" not null,
    key        text collate "C" not null,
    revision   bigint not null,
    digest     text collate "C" not null,
    expires_at timestamptz,
    primary key (tenant_id, collection, key)
) with (fillfactor = 80);

create index document_expiry on vanta.document (tenant_id, expires_at) where expires_at is not null;

-- Every version ever written, the current one included: a value is stored once. A null value is a deletion.
-- The value is the request's bytes, so it round-trips exactly; `value::jsonb` always works (the API admits I-JSON only).
create table vanta.document_version (
    tenant_id  uuid not null,
    collection text collate "C" not null,
    key        text collate "C" not null,
    revision   bigint not null,
    value      text compression lz4,
    written_at timestamptz not null,
    expires_at timestamptz,
    primary key (tenant_id, collection, key, revision)
);

-- Events that wait for the relay, one per written version, in the order of the tenant's revisions.
create table vanta.outbox (
    tenant_id   uuid not null,
    revision    bigint not null,
    type        text not null,
    subject     text not null,
    time        timestamptz not null,
    traceparent text,
    data        jsonb not null,
    primary key (tenant_id, revision)
);

-- Which cache may be trusted, docs/adr/0007-state-path.md. One row; no tenant's data.
create table vanta.cache_epoch (
    singleton boolean primary key default true check (singleton),
    epoch     uuid not null default gen_random_uuid(),
    state     text not null check (state in ('open', 'closing', 'closed')),
    cache_id  text not null
);

insert into vanta.cache_epoch (state, cache_id) values ('closed', '');


alter table vanta.tenant enable row level security;
alter table vanta.tenant force row level security;
alter table vanta.tenant_head enable row level security;
alter table vanta.tenant_head force row level security;
alter table vanta.api_key enable row level security;
alter table vanta.api_key force row level security;
alter table vanta.document enable row level security;
alter table vanta.document force row level security;
alter table vanta.document_version enable row level security;
alter table vanta.document_version force row level security;
alter table vanta.outbox enable row level security;
alter table vanta.outbox force row level security;

-- Maintenance walks the tenants, so their ids are visible; their names are not granted to vanta_api.
create policy ids on vanta.tenant for select using (true);
create policy own on vanta.tenant
    using (tenant_id = vanta.current_tenant());
create policy own on vanta.tenant_head
    using (tenant_id = vanta.current_tenant());
create policy own on vanta.api_key
    using (tenant_id = vanta.current_tenant());
-- Before a caller is known, only the one key that it names can be seen.
create policy presented on vanta.api_key for select
    using (key_id = current_setting('vanta.key_id', true));
create policy own on vanta.document
    using (tenant_id = vanta.current_tenant());
create policy own on vanta.document_version
    using (tenant_id = vanta.current_tenant());
create policy own on vanta.outbox
    using (tenant_id = vanta.current_tenant());

grant select (tenant_id) on vanta.tenant to vanta_api;
grant select, update on vanta.tenant_head to vanta_api;
grant select on vanta.api_key to vanta_api;
grant select, insert, update, delete on vanta.document to vanta_api;
grant select, insert on vanta.document_version to vanta_api;
grant select, insert on vanta.outbox to vanta_api;
grant select, update on vanta.cache_epoch to vanta_api;


create view vanta.current_document with (security_invoker = true) as
select d.tenant_id, d.collection, d.key, d.revision, to_hex(d.revision) || '-' || d.digest as etag, v.value,
       v.written_at, d.expires_at
from vanta.document d
join vanta.document_version v using (tenant_id, collection, key, revision)
where d.expires_at is null or d.expires_at > clock_timestamp();

-- The outbox as CloudEvents 1.0: source and id together are unique, as the specification asks.
create view vanta.outbox_event with (security_invoker = true) as
select tenant_id, revision,
       jsonb_strip_nulls(jsonb_build_object(
           'specversion', '1.0',
           'id', revision::text,
           'source', '/tenants/' || tenant_id,
           'type', type,
           'subject', subject,
           'time', to_char(time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
           'datacontenttype', 'application/json',
           'traceparent', traceparent,
           'data', data)) as event
from vanta.outbox;

grant select on vanta.current_document, vanta.outbox_event to vanta_api;


create function vanta.find_api_key(p_key_id text)
    returns table (tenant_id uuid, secret_sha256 bytea)
    language plpgsql as $$
begin
    perform set_config('vanta.key_id', p_key_id, true);
    return query select k.tenant_id, k.secret_sha256 from vanta.api_key k where k.key_id = p_key_id;
end
$$;


-- Current documents, live ones only. Rows come grouped by tenant: p_counts[t] rows belong to p_tenants[t], and each
-- group is read under that tenant's row-level security.
create function vanta.read_documents(p_tenants uuid[], p_counts int[], p_collections text[], p_keys text[])
    returns table (ord int, revision bigint, digest text, value text, expires_ms bigint)
    language plpgsql rows 64 as $$
declare
    v_from int := 1;
    v_to   int;
begin
    for t in 1 .. cardinality(p_tenants) loop
        v_to := v_from + p_counts[t] - 1;
        perform set_config('vanta.tenant', p_tenants[t]::text, true);
        -- Plan: one primary-key probe of document and one of document_version per row.
        return query
        select (i.ord + v_from - 1)::int, d.revision, d.digest, v.value,
               (extract(epoch from d.expires_at) * 1000)::bigint
        from unnest(p_collections[v_from:v_to], p_keys[v_from:v_to]) with ordinality as i (collection, key, ord)
        join vanta.document d
            on d.tenant_id = p_tenants[t] and d.collection = i.collection and d.key = i.key
        join vanta.document_version v
            on v.tenant_id = d.tenant_id and v.collection = d.collection and v.key = d.key
            and v.revision = d.revision
        where d.expires_at is null or d.expires_at > clock_timestamp();
        v_from := v_to + 1;
    end loop;
end
$$;


-- Write many documents of many tenants in one transaction: for each row its new version, head and event, or nothing.
--
-- Rows come grouped by tenant as in read_documents, tenants in rising order, no document twice. A null value deletes.
-- p_conditions: none | absent | exists | match (one of the space-separated p_etags) | unconditional.
-- Outcomes: created, replaced, deleted, not_found, precondition_failed, precondition_required, unknown_tenant.
-- p_epoch is the epoch under which the caller has marked these documents in the cache, null if it could not;
-- SQLSTATE VA001 (the cache is not in that epoch, or still in use) means that nothing was written.
create function vanta.write_documents(
    p_epoch uuid, p_tenants uuid[], p_counts int[], p_collections text[], p_keys text[], p_values text[],
    p_digests text[], p_ttls int[], p_conditions text[], p_etags text[], p_traceparents text[])
    returns table (ord int, outcome text, revision bigint, expires_ms bigint)
    language plpgsql rows 64 as $$
declare
    v_from int := 1;
    v_to   int;
    v_now  timestamptz;
    v_head bigint;
begin
    perform vanta.hold_cache_epoch(p_epoch);
    for t in 1 .. cardinality(p_tenants) loop
        v_to := v_from + p_counts[t] - 1;
        perform set_config('vanta.tenant', p_tenants[t]::text, true);
        select h.revision into v_head from vanta.tenant_head h where h.tenant_id = p_tenants[t] for update;
        if not found then
            return query select n, 'unknown_tenant'::text, null::bigint, null::bigint from generate_series(v_from, v_to) n;
            v_from := v_to + 1;
            continue;
        end if;
        v_now := clock_timestamp();
        return query
        with input as (
            select i.*, (i.n + v_from - 1)::int as ord, v_now + make_interval(secs => i.ttl) as expires_at
            from unnest(p_collections[v_from:v_to], p_keys[v_from:v_to], p_values[v_from:v_to],
                        p_digests[v_from:v_to], p_ttls[v_from:v_to], p_conditions[v_from:v_to],
                        p_etags[v_from:v_to], p_traceparents[v_from:v_to])
                with ordinality as i (collection, key, value, digest, ttl, condition, etags, traceparent, n)
        ), decided as (
            select i.*,
                   case
                       when i.condition = 'absent' and live then 'precondition_failed'
                       when i.condition in ('exists', 'match') and not live then 'precondition_failed'
                       when i.condition = 'match'
                            and to_hex(d.revision) || '-' || d.digest <> all (string_to_array(i.etags, ' '))
                           then 'precondition_failed'
                       when i.value is null and not live then 'not_found'
                       when i.condition = 'none' and live then 'precondition_required'
                       when i.value is null then 'deleted'
                       when live then 'replaced'
                       else 'created'
                   end as outcome
            from input i
            left join vanta.document d
                on d.tenant_id = p_tenants[t] and d.collection = i.collection and d.key = i.key
            cross join lateral (
                select d.tenant_id is not null and (d.expires_at is null or d.expires_at > v_now)
            ) as l (live)
        ), written as (
            select d.*, v_head + row_number() over (order by d.ord) as revision
            from decided d
            where d.outcome in ('created', 'replaced', 'deleted')
        ), head as (
            update vanta.tenant_head h set revision = w.last
            from (select max(w.revision) as last from written w) w
            where h.tenant_id = p_tenants[t] and w.last is not null
        ), stored as (
            insert into vanta.document as d (tenant_id, collection, key, revision, digest, expires_at)
            select p_tenants[t], w.collection, w.key, w.revision, w.digest, w.expires_at
            from written w
            where w.value is not null
            on conflict on constraint document_pkey do update
                set revision = excluded.revision, digest = excluded.digest, expires_at = excluded.expires_at
        ), removed as (
            delete from vanta.document d
            using written w
            where w.value is null
                and d.tenant_id = p_tenants[t] and d.collection = w.collection and d.key = w.key
        ), versions as (
            insert into vanta.document_version (tenant_id, collection, key, revision, value, written_at, expires_at)
            select p_tenants[t], w.collection, w.key, w.revision, w.value, v_now, w.expires_at
            from written w
        ), events as (
            insert into vanta.outbox (tenant_id, revision, type, subject, time, traceparent, data)
            select p_tenants[t], w.revision, 'vanta.state.document.' || w.outcome,
                   'state/' || w.collection || '/' || w.key, v_now, w.traceparent,
                   jsonb_strip_nulls(jsonb_build_object(
                       'collection', w.collection, 'key', w.key, 'revision', w.revision,
                       'etag', to_hex(w.revision) || '-' || w.digest, 'expiresAt', w.expires_at))
            from written w
        )
        select d.ord, d.outcome, w.revision, (extract(epoch from w.expires_at) * 1000)::bigint
        from decided d
        left join written w on w.ord = d.ord;
        v_from := v_to + 1;
    end loop;
end
$$;


-- Remove documents of one tenant whose time has passed; each leaves a deletion in the history and an event.
create function vanta.sweep_expired(p_tenant uuid, p_limit int) returns bigint
    language plpgsql as $$
declare
    v_now   timestamptz;
    v_head  bigint;
    v_swept bigint;
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    if not exists (select from vanta.document where tenant_id = p_tenant and expires_at <= clock_timestamp()) then
        return 0;
    end if;
    select h.revision into v_head from vanta.tenant_head h where h.tenant_id = p_tenant for update;
    v_now := clock_timestamp();
    with due as (
        select d.collection, d.key, v_head + row_number() over (order by d.expires_at) as revision
        from vanta.document d
        where d.tenant_id = p_tenant and d.expires_at <= v_now
        order by d.expires_at
        limit p_limit
    ), removed as (
        delete from vanta.document d
        using due
        where d.tenant_id = p_tenant and d.collection = due.collection and d.key = due.key
    ), versions as (
        insert into vanta.document_version (tenant_id, collection, key, revision, written_at)
        select p_tenant, due.collection, due.key, due.revision, v_now from due
    ), events as (
        insert into vanta.outbox (tenant_id, revision, type, subject, time, data)
        select p_tenant, due.revision, 'vanta.state.document.expired', 'state/' || due.collection || '/' || due.key,
               v_now, jsonb_build_object('collection', due.collection, 'key', due.key, 'revision', due.revision)
        from due
    ), head as (
        update vanta.tenant_head h set revision = v_head + (select count(*) from due)
        where h.tenant_id = p_tenant
    )
    select count(*) into v_swept from due;
    return v_swept;
end
$$;


-- Hold the epoch still until this transaction ends: a change of it waits for all writes in flight, and they are
-- refused when their marks in the cache belong to another epoch, or when unmarked while the cache is in use.
create function vanta.hold_cache_epoch(p_epoch uuid) returns void
    language plpgsql as $$
declare
    v_row vanta.cache_epoch;
begin
    perform pg_advisory_xact_lock_shared(hashtext('vanta.cache_epoch'));
    select * into v_row from vanta.cache_epoch;
    if v_row.state = 'closed' or (v_row.state = 'open' and v_row.epoch = p_epoch) then
        return;
    end if;
    raise exception 'the cache epoch is %', v_row.state using errcode = 'VA001';
end
$$;

-- Move the epoch one step if it still is where the caller saw it: open -> closing -> closed -> open (a new epoch).
create function vanta.move_cache_epoch(p_epoch uuid, p_from text, p_cache_id text) returns void
    language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtext('vanta.cache_epoch'));
    update vanta.cache_epoch e
    set state = case p_from when 'open' then 'closing' when 'closing' then 'closed' else 'open' end,
        epoch = case p_from when 'closed' then gen_random_uuid() else e.epoch end,
        cache_id = case p_from when 'closed' then p_cache_id else e.cache_id end
    where e.epoch = p_epoch and e.state = p_from;
end
$$;
