-- Who is asking: keys, tenants, operators, docs/adr/0018-tenancy.md.

-- The one key that is presented, a tenant's or an operator's, with all that decides what it may; no row if it has expired.
-- Times to come are in seconds from now, so that nobody compares two clocks.
drop function if exists vanta.find_api_key(text);
create function vanta.find_api_key(p_key_id text)
    returns table (tenant_id uuid, secret_sha256 bytea, previous_sha256 bytea, previous_seconds double precision,
                   role text, scopes text, expires_at timestamptz, expires_seconds double precision,
                   suspended boolean, rate_per_second int, burst int)
    language plpgsql rows 1 as $$
begin
    perform set_config('vanta.key_id', p_key_id, true);
    return query
    select k.tenant_id, k.secret_sha256, k.previous_sha256,
           extract(epoch from k.previous_until - clock_timestamp())::double precision,
           k.role, k.scopes::text, k.expires_at,
           extract(epoch from k.expires_at - clock_timestamp())::double precision,
           t.suspended_at is not null or t.erasing_at is not null, t.rate_per_second, t.burst
    from vanta.api_key k
    join vanta.tenant t on t.tenant_id = k.tenant_id
    where k.key_id = p_key_id and (k.expires_at is null or k.expires_at > clock_timestamp());
    if not found then
        return query
        select null::uuid, o.secret_sha256, null::bytea, null::double precision, 'operator', '[]', o.expires_at,
               extract(epoch from o.expires_at - clock_timestamp())::double precision, false, null::int, null::int
        from vanta.operator_key o
        where o.key_id = p_key_id and (o.expires_at is null or o.expires_at > clock_timestamp());
    end if;
end
$$;


-- Keys of a tenant --------------------------------------------------------------------------------------------------

-- Keep a new key: created, or why not: limit (a tenant has 500 keys at most), past (it would have ended already), beyond (it
-- would outlive the key that makes it, which ends at p_latest).
create or replace function vanta.create_api_key(
    p_tenant uuid, p_key_id text, p_secret_sha256 bytea, p_name text, p_role text, p_scopes jsonb, p_expires_at timestamptz,
    p_latest timestamptz, p_by text, p_traceparent text)
    returns text
    language plpgsql as $$
begin
    if p_expires_at <= clock_timestamp() then
        return 'past';
    elsif coalesce(p_expires_at, 'infinity') > coalesce(p_latest, 'infinity') then
        return 'beyond';
    end if;
    -- First, because it holds the tenant still: two at once cannot both be the last one allowed.
    perform vanta.emit(p_tenant, 'vanta.tenancy.key.created', 'keys/' || p_key_id, p_traceparent, jsonb_strip_nulls(
        jsonb_build_object('role', p_role, 'scopes', p_scopes, 'expiresAt', p_expires_at, 'by', p_by)));
    insert into vanta.api_key (key_id, tenant_id, secret_sha256, name, role, scopes, expires_at)
    values (p_key_id, p_tenant, p_secret_sha256, p_name, p_role, p_scopes, p_expires_at);
    if (select count(*) from vanta.api_key where tenant_id = p_tenant) > 500 then
        raise exception 'a tenant has 500 keys at most' using errcode = 'VA020';
    end if;
    return 'created';
end
$$;

create or replace function vanta.list_api_keys(p_tenant uuid)
    returns table (key_id text, name text, role text, scopes text, created_at timestamptz, expires_at timestamptz,
                   previous_until timestamptz)
    language plpgsql rows 16 as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    return query
    select k.key_id, k.name, k.role, k.scopes::text, k.created_at, k.expires_at,
           case when k.previous_until > clock_timestamp() then k.previous_until end
    from vanta.api_key k
    where k.tenant_id = p_tenant
    order by k.created_at, k.key_id;
end
$$;

-- Give a key another secret; the old one works for p_overlap seconds more, one that was still older ends at once.
-- rotated, not_found, or beyond: the key outlives the one that asks, which ends at p_latest.
create or replace function vanta.rotate_api_key(
    p_tenant uuid, p_key_id text, p_secret_sha256 bytea, p_overlap int, p_latest timestamptz, p_by text, p_traceparent text)
    returns text
    language plpgsql as $$
declare
    v_expires_at timestamptz;
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    select k.expires_at into v_expires_at from vanta.api_key k
    where k.tenant_id = p_tenant and k.key_id = p_key_id and (k.expires_at is null or k.expires_at > clock_timestamp())
    for update;
    if not found then
        return 'not_found';
    elsif coalesce(v_expires_at, 'infinity') > coalesce(p_latest, 'infinity') then
        return 'beyond';
    end if;
    update vanta.api_key k
    set secret_sha256 = p_secret_sha256,
        previous_sha256 = case when p_overlap > 0 then k.secret_sha256 end,
        previous_until = case when p_overlap > 0 then clock_timestamp() + make_interval(secs => p_overlap) end
    where k.tenant_id = p_tenant and k.key_id = p_key_id;
    perform vanta.emit(p_tenant, 'vanta.tenancy.key.rotated', 'keys/' || p_key_id, p_traceparent,
        jsonb_strip_nulls(jsonb_build_object('overlapSeconds', p_overlap, 'by', p_by)));
    return 'rotated';
end
$$;

-- Whether there was such a key to take away.
create or replace function vanta.revoke_api_key(p_tenant uuid, p_key_id text, p_by text, p_traceparent text)
    returns boolean
    language plpgsql as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    delete from vanta.api_key k where k.tenant_id = p_tenant and k.key_id = p_key_id;
    if not found then
        return false;
    end if;
    perform vanta.emit(p_tenant, 'vanta.tenancy.key.revoked', 'keys/' || p_key_id, p_traceparent,
        jsonb_strip_nulls(jsonb_build_object('by', p_by)));
    return true;
end
$$;


-- Tenants, for operators ----------------------------------------------------------------------------------------------
--
-- These have their owner's rights: the application itself may neither make tenants, nor learn their names, nor take away
-- what they hold, and so can have done of that only what stands here (docs/adr/0018-tenancy.md). The owner may be exempt
-- from row-level security, so each statement names its tenant.

-- Make a tenant with its first key, and its document welcome/start unless p_welcome is null; its id, or null if the name is
-- taken. Raises VA001 while the cache is between two epochs.
create or replace function vanta.create_tenant(
    p_name text, p_key_id text, p_secret_sha256 bytea, p_quotas jsonb, p_welcome text, p_digest text, p_by text,
    p_traceparent text)
    returns uuid
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_tenant uuid := gen_random_uuid();
begin
    perform set_config('vanta.tenant', v_tenant::text, true);
    insert into vanta.tenant (tenant_id, name, rate_per_second, burst)
    values (v_tenant, p_name, (p_quotas #>> '{rate,perSecond}')::int, (p_quotas #>> '{rate,burst}')::int)
    on conflict (name) do nothing;
    if not found then
        return null;
    end if;
    insert into vanta.tenant_head (tenant_id, max_documents, max_bytes)
    values (v_tenant, (p_quotas ->> 'maxDocuments')::bigint, (p_quotas ->> 'maxBytes')::bigint);
    insert into vanta.api_key (key_id, tenant_id, secret_sha256) values (p_key_id, v_tenant, p_secret_sha256);
    perform vanta.emit(v_tenant, 'vanta.tenancy.tenant.created', 'tenant', p_traceparent,
        jsonb_strip_nulls(jsonb_build_object('quotas', jsonb_strip_nulls(p_quotas), 'key', p_key_id, 'by', p_by)));
    if p_welcome is not null then
        -- Nobody can have read of a tenant that is only being made, so there is nothing in the cache to mark.
        perform vanta.write_documents(
            (select e.epoch from vanta.cache_epoch e), array[v_tenant], array[1], array['welcome'], array['start'],
            array[p_welcome], array[p_digest], array[null::int], array['absent'], array[''], array[p_traceparent]);
    end if;
    return v_tenant;
end
$$;

-- One tenant, or if p_tenant is null at most p_limit after p_after, with what they may use and what they do.
create or replace function vanta.read_tenants(p_tenant uuid, p_after uuid, p_limit int)
    returns table (tenant_id uuid, name text, created_at timestamptz, suspended boolean, erasing boolean,
                   rate_per_second int, burst int, max_documents bigint, max_bytes bigint, documents bigint, bytes bigint,
                   revision bigint)
    language plpgsql rows 64 security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_tenant uuid;
begin
    for v_tenant in
        select t.tenant_id from vanta.tenant t
        where (p_tenant is null or t.tenant_id = p_tenant) and (p_after is null or t.tenant_id > p_after)
        order by t.tenant_id
        limit p_limit
    loop
        perform set_config('vanta.tenant', v_tenant::text, true);
        return query
        select t.tenant_id, t.name, t.created_at, t.suspended_at is not null, t.erasing_at is not null, t.rate_per_second,
               t.burst, h.max_documents, h.max_bytes, coalesce(h.documents, 0), coalesce(h.bytes, 0), coalesce(h.revision, 0)
        from vanta.tenant t
        -- One that is being erased has lost it.
        left join vanta.tenant_head h on h.tenant_id = t.tenant_id
        where t.tenant_id = v_tenant;
    end loop;
end
$$;

-- Set what p_changes names, of maxDocuments, maxBytes, rate and suspended; whether there is such a tenant.
create or replace function vanta.change_tenant(p_tenant uuid, p_changes jsonb, p_by text, p_traceparent text)
    returns boolean
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    perform from vanta.tenant t where t.tenant_id = p_tenant and t.erasing_at is null;
    if not found then
        return false;
    end if;
    -- The head first, as every writer does.
    perform vanta.emit(p_tenant, 'vanta.tenancy.tenant.changed', 'tenant', p_traceparent,
        jsonb_build_object('changes', p_changes) || jsonb_strip_nulls(jsonb_build_object('by', p_by)));
    update vanta.tenant_head h
    set max_documents = case when p_changes ? 'maxDocuments' then (p_changes ->> 'maxDocuments')::bigint else h.max_documents end,
        max_bytes = case when p_changes ? 'maxBytes' then (p_changes ->> 'maxBytes')::bigint else h.max_bytes end
    where h.tenant_id = p_tenant;
    update vanta.tenant t
    set rate_per_second = case when p_changes ? 'rate' then (p_changes #>> '{rate,perSecond}')::int else t.rate_per_second end,
        burst = case when p_changes ? 'rate' then (p_changes #>> '{rate,burst}')::int else t.burst end,
        suspended_at = case when not p_changes ? 'suspended' then t.suspended_at
                            when (p_changes ->> 'suspended')::boolean then coalesce(t.suspended_at, clock_timestamp()) end
    where t.tenant_id = p_tenant;
    return true;
end
$$;

-- The first step of erasure, after which no key of the tenant works: erasing, not_found, or mismatch if it has another name.
create or replace function vanta.begin_erasure(p_tenant uuid, p_name text, p_by text, p_traceparent text)
    returns text
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_tenant vanta.tenant;
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    select * into v_tenant from vanta.tenant t where t.tenant_id = p_tenant;
    if not found then
        return 'not_found';
    elsif v_tenant.name <> p_name then
        return 'mismatch';
    elsif v_tenant.erasing_at is null then
        perform vanta.emit(p_tenant, 'vanta.tenancy.tenant.erasing', 'tenant', p_traceparent,
            jsonb_strip_nulls(jsonb_build_object('by', p_by)));
        update vanta.tenant t set erasing_at = clock_timestamp() where t.tenant_id = p_tenant;
    end if;
    return 'erasing';
end
$$;

-- The tables that hold something of tenants, found by their column tenant_id, so that no new one is missed.
create or replace function vanta.tenant_tables() returns setof text
    language sql stable rows 32 set search_path = pg_catalog, pg_temp as $$
        select c.relname::text
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
        where c.relnamespace = 'vanta'::regnamespace and c.relkind = 'r' and c.relname <> 'tenant'
        order by c.oid
$$;

-- Take away at most p_limit rows of one such table, of a tenant whose erasure has begun; how many there were, null if rows of
-- another table still lean on them.
create or replace function vanta.erase_some(p_tenant uuid, p_table text, p_limit int) returns bigint
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_count bigint;
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    if p_table not in (select vanta.tenant_tables())
        or not exists (select from vanta.tenant t where t.tenant_id = p_tenant and t.erasing_at is not null) then
        return 0;
    end if;
    -- Without its head nothing can be written for a tenant, whoever still tries.
    delete from vanta.tenant_head h where h.tenant_id = p_tenant;
    if p_table in ('checkpoint', 'checkpoint_part', 'checkpoint_write') then
        -- Plan: TID scan; the rows to take are found thread by thread, by the primary key.
        execute format(
            'delete from vanta.%1$I where ctid = any (array('
                'select c.ctid from vanta.agent_thread a '
                'cross join lateral (select ctid from vanta.%1$I c where c.thread_no = a.thread_no limit $2) c '
                'where a.tenant_id = $1 limit $2))', p_table)
        using p_tenant, p_limit;
    elsif p_table = 'agent_thread' and exists (
        select from vanta.agent_thread a
        where a.tenant_id = p_tenant and (
            exists (select from vanta.checkpoint c where c.thread_no = a.thread_no)
            or exists (select from vanta.checkpoint_part c where c.thread_no = a.thread_no)
            or exists (select from vanta.checkpoint_write c where c.thread_no = a.thread_no)))
    then
        -- They would all go with it, however many they are.
        return null;
    else
        -- Plan: TID scan; the rows to take are found by an index that begins with tenant_id.
        execute format('delete from vanta.%1$I where ctid = any (array(select ctid from vanta.%1$I where tenant_id = $1 limit $2))', p_table)
        using p_tenant, p_limit;
    end if;
    get diagnostics v_count = row_count;
    return v_count;
exception
    when foreign_key_violation then return null;
end
$$;

-- The last step, after erase_some and once the cache has nothing of the tenant either: what stays is that it was.
create or replace function vanta.end_erasure(p_tenant uuid, p_by text) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    delete from vanta.tenant t where t.tenant_id = p_tenant and t.erasing_at is not null;
    if found then
        insert into vanta.tombstone (tenant, erased_by) values (p_tenant, p_by);
    end if;
end
$$;

revoke execute on function
    vanta.create_tenant(text, text, bytea, jsonb, text, text, text, text), vanta.read_tenants(uuid, uuid, int),
    vanta.change_tenant(uuid, jsonb, text, text), vanta.begin_erasure(uuid, text, text, text),
    vanta.erase_some(uuid, text, int), vanta.end_erasure(uuid, text)
from public;
grant execute on function
    vanta.create_tenant(text, text, bytea, jsonb, text, text, text, text), vanta.read_tenants(uuid, uuid, int),
    vanta.change_tenant(uuid, jsonb, text, text), vanta.begin_erasure(uuid, text, text, text),
    vanta.erase_some(uuid, text, int), vanta.end_erasure(uuid, text)
to vanta_api;


-- Issuers of bearer tokens --------------------------------------------------------------------------------------------

-- The tenants that tokens of this issuer for these audiences open, with what is needed to believe such a token.
create or replace function vanta.find_issuers(p_issuer text, p_audiences text[])
    returns table (tenant_id uuid, audience text, jwks_uri text, role_claim text, roles text, suspended boolean,
                   rate_per_second int, burst int)
    language plpgsql rows 1 as $$
declare
    v_audience text;
begin
    perform set_config('vanta.issuer', p_issuer, true);
    foreach v_audience in array p_audiences loop
        perform set_config('vanta.audience', v_audience, true);
        return query
        select i.tenant_id, i.audience, i.jwks_uri, i.role_claim, i.roles::text,
               t.suspended_at is not null or t.erasing_at is not null, t.rate_per_second, t.burst
        from vanta.issuer i
        join vanta.tenant t on t.tenant_id = i.tenant_id
        where i.issuer = p_issuer and i.audience = v_audience;
    end loop;
end
$$;

create or replace function vanta.list_issuers(p_tenant uuid)
    returns table (issuer text, audience text, jwks_uri text, role_claim text, roles text)
    language plpgsql rows 4 as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    return query
    select i.issuer, i.audience, i.jwks_uri, i.role_claim, i.roles::text
    from vanta.issuer i
    where i.tenant_id = p_tenant
    order by i.issuer, i.audience;
end
$$;

-- Trust an issuer for a tenant: set, not_found, or taken: its tokens for this audience open another tenant already.
create or replace function vanta.set_issuer(
    p_tenant uuid, p_issuer text, p_audience text, p_jwks_uri text, p_role_claim text, p_roles jsonb, p_by text,
    p_traceparent text)
    returns text
    language plpgsql as $$
begin
    if not exists (select from vanta.tenant t where t.tenant_id = p_tenant and t.erasing_at is null) then
        return 'not_found';
    end if;
    perform vanta.emit(p_tenant, 'vanta.tenancy.issuer.set', 'issuers', p_traceparent, jsonb_strip_nulls(jsonb_build_object(
        'issuer', p_issuer, 'audience', p_audience, 'jwksUri', p_jwks_uri, 'roleClaim', p_role_claim, 'by', p_by)));
    insert into vanta.issuer (tenant_id, issuer, audience, jwks_uri, role_claim, roles)
    values (p_tenant, p_issuer, p_audience, p_jwks_uri, p_role_claim, p_roles)
    on conflict on constraint issuer_pkey do update
        set jwks_uri = excluded.jwks_uri, role_claim = excluded.role_claim, roles = excluded.roles;
    return 'set';
exception
    -- Takes the event back too.
    when unique_violation then return 'taken';
end
$$;

-- Whether there was such an issuer to trust no longer.
create or replace function vanta.remove_issuer(
    p_tenant uuid, p_issuer text, p_audience text, p_by text, p_traceparent text)
    returns boolean
    language plpgsql as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    delete from vanta.issuer i where i.tenant_id = p_tenant and i.issuer = p_issuer and i.audience = p_audience;
    if not found then
        return false;
    end if;
    perform vanta.emit(p_tenant, 'vanta.tenancy.issuer.removed', 'issuers', p_traceparent,
        jsonb_strip_nulls(jsonb_build_object('issuer', p_issuer, 'audience', p_audience, 'by', p_by)));
    return true;
end
$$;
