-- Secrets: sealed values come and go; nothing here can open one. docs/adr/0020-secrets.md
--
-- Each function that changes or reads a value first locks the tenant's head, as every writer of the tenant does: so
-- events are in the order in which things happened, and nobody can deadlock. p_by says who asks, for the events.

-- Whether there is such a tenant: one that has been erased is known to its callers for some seconds more.
drop function if exists vanta.lock_head(uuid);
create function vanta.lock_head(p_tenant uuid) returns boolean
    language plpgsql as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    perform from vanta.tenant_head h where h.tenant_id = p_tenant for update;
    return found;
end
$$;


-- Whether the value of a version can be read at this moment.
create or replace function vanta.secret_lives(v vanta.secret_version) returns boolean
    language sql stable
    return (v).sealed is not null and (v).deleted_at is null
        and ((v).expires_at is null or (v).expires_at > clock_timestamp());


-- The number of the secret's newest version, 0 if there is none.
create or replace function vanta.secret_head(p_tenant uuid, p_path text) returns int
    language plpgsql as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    return coalesce((select s.version from vanta.secret s where s.tenant_id = p_tenant and s.path = p_path), 0);
end
$$;


-- vanta.secret_head of many, in their order.
create or replace function vanta.secret_heads(p_tenants uuid[], p_paths text[]) returns int[]
    language plpgsql
    set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
    v_heads int[] := '{}';
begin
    for n in 1 .. cardinality(p_tenants) loop
        v_heads := v_heads || vanta.secret_head(p_tenants[n], p_paths[n]);
    end loop;
    return v_heads;
end
$$;


-- What a write of the secret would be refused with, null if nothing: conditions as of vanta.write_documents, judged on the
-- newest version; one that is deleted, destroyed or expired is absent.
create or replace function vanta.secret_refusal(p_tenant uuid, p_path text, p_condition text, p_etags text)
    returns text
    language plpgsql as $$
declare
    v_now vanta.secret_version;
begin
    select v.* into v_now
    from vanta.secret s
    join vanta.secret_version v using (tenant_id, path, version)
    where s.tenant_id = p_tenant and s.path = p_path and vanta.secret_lives(v);
    return case
        when p_condition = 'absent' and v_now.version is not null then 'precondition_failed'
        when p_condition in ('exists', 'match') and v_now.version is null then 'precondition_failed'
        when p_condition = 'match' and v_now.version || '-' || v_now.tag <> all (string_to_array(p_etags, ' '))
            then 'precondition_failed'
        when p_condition = 'none' and v_now.version is not null then 'precondition_required'
    end;
end
$$;


-- Add version p_version, which must be the next one: its number is sealed into the value. Outcomes: created (nothing could be read
-- before), replaced, moved (somebody else wrote: seal for the next number), precondition_failed, precondition_required.
-- p_metadata and p_max_versions change those of the secret unless null; versions beyond the number kept are removed.
create or replace function vanta.put_secret(
    p_tenant uuid, p_path text, p_version int, p_tag text, p_generation int, p_sealed bytea, p_ttl int,
    p_metadata text, p_max_versions int, p_condition text, p_etags text, p_by text, p_traceparent text)
    returns table (outcome text, expires_ms bigint)
    language plpgsql rows 1 as $$
declare
    v_now     timestamptz;
    v_refusal text;
    v_outcome text;
    v_secret  vanta.secret;
    v_expires timestamptz;
begin
    perform vanta.lock_head(p_tenant);
    v_now := clock_timestamp();
    v_refusal := vanta.secret_refusal(p_tenant, p_path, p_condition, p_etags);
    if v_refusal is not null then
        return query select v_refusal, null::bigint;
        return;
    end if;
    if vanta.secret_head(p_tenant, p_path) <> p_version - 1 then
        return query select 'moved', null::bigint;
        return;
    end if;
    v_outcome := case when vanta.secret_refusal(p_tenant, p_path, 'absent', '') is null then 'created' else 'replaced' end;
    v_expires := v_now + make_interval(secs => p_ttl);
    insert into vanta.secret as s (tenant_id, path, version, max_versions, metadata, created_at)
    values (p_tenant, p_path, p_version, coalesce(p_max_versions, 10), p_metadata, v_now)
    on conflict on constraint secret_pkey do update
        set version = p_version, max_versions = coalesce(p_max_versions, s.max_versions),
            metadata = coalesce(p_metadata, s.metadata)
    returning * into v_secret;
    insert into vanta.secret_version (tenant_id, path, version, tag, generation, sealed, created_at, expires_at)
    values (p_tenant, p_path, p_version, p_tag, p_generation, p_sealed, v_now, v_expires);
    delete from vanta.secret_version v
    where v.tenant_id = p_tenant and v.path = p_path and v.version <= p_version - v_secret.max_versions;
    perform vanta.emit(p_tenant, 'vanta.secret.' || v_outcome, 'secrets/' || p_path, p_traceparent,
                       jsonb_strip_nulls(jsonb_build_object(
                           'path', p_path, 'version', p_version, 'expiresAt', v_expires, 'by', p_by)));
    return query select v_outcome, (extract(epoch from v_expires) * 1000)::bigint;
end
$$;


-- vanta.put_secret of many, tenants in rising order, one after the other; also unknown_tenant.
create or replace function vanta.put_secrets(
    p_tenants uuid[], p_paths text[], p_versions int[], p_tags text[], p_generations int[], p_sealed bytea[], p_ttls int[],
    p_metadata text[], p_max_versions int[], p_conditions text[], p_etags text[], p_by text[], p_traceparents text[])
    returns table (ord int, outcome text, expires_ms bigint)
    language plpgsql rows 16
    set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
    v_known boolean;
begin
    for n in 1 .. cardinality(p_tenants) loop
        if n = 1 or p_tenants[n] <> p_tenants[n - 1] then
            v_known := vanta.lock_head(p_tenants[n]);
        end if;
        if not v_known then
            return query select n, 'unknown_tenant', null::bigint;
            continue;
        end if;
        return query
        select n, p.outcome, p.expires_ms
        from vanta.put_secret(
            p_tenants[n], p_paths[n], p_versions[n], p_tags[n], p_generations[n], p_sealed[n], p_ttls[n], p_metadata[n],
            p_max_versions[n], p_conditions[n], p_etags[n], p_by[n], p_traceparents[n]) p;
    end loop;
end
$$;


-- Values of many tenants, each with the event of its being read; tenants in rising order, each under its own row-level security.
-- A version of null is the newest. Who gets no row gets no event: there is nothing to read.
create or replace function vanta.read_secrets(
    p_tenants uuid[], p_paths text[], p_versions int[], p_by text[], p_traceparents text[])
    returns table (ord int, version int, tag text, generation int, sealed bytea, created_ms bigint, expires_ms bigint)
    language plpgsql rows 16
    set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
#variable_conflict use_column
declare
    v_row   vanta.secret_version;
    v_known boolean;
begin
    for n in 1 .. cardinality(p_tenants) loop
        if n = 1 or p_tenants[n] <> p_tenants[n - 1] then
            v_known := vanta.lock_head(p_tenants[n]);
        end if;
        continue when not v_known;
        select v.* into v_row
        from vanta.secret s
        join vanta.secret_version v using (tenant_id, path)
        where s.tenant_id = p_tenants[n] and s.path = p_paths[n]
            and v.version = coalesce(p_versions[n], s.version) and vanta.secret_lives(v);
        continue when not found;
        perform vanta.emit(p_tenants[n], 'vanta.secret.read', 'secrets/' || p_paths[n], p_traceparents[n],
                           jsonb_strip_nulls(jsonb_build_object(
                               'path', p_paths[n], 'version', v_row.version, 'by', p_by[n])));
        return query
        select n, v_row.version, v_row.tag, v_row.generation, v_row.sealed,
               (extract(epoch from v_row.created_at) * 1000)::bigint,
               (extract(epoch from v_row.expires_at) * 1000)::bigint;
    end loop;
end
$$;


-- Delete the newest version so that it can be undeleted. Outcomes: deleted, not_found, precondition_failed, precondition_required.
create or replace function vanta.delete_secret(
    p_tenant uuid, p_path text, p_condition text, p_etags text, p_by text, p_traceparent text)
    returns text
    language plpgsql as $$
declare
    v_refusal text;
begin
    perform vanta.lock_head(p_tenant);
    v_refusal := vanta.secret_refusal(p_tenant, p_path, p_condition, p_etags);
    if v_refusal is not null then
        return v_refusal;
    end if;
    if vanta.change_secret_versions(p_tenant, p_path, array[vanta.secret_head(p_tenant, p_path)], 'deleted', p_by, p_traceparent) then
        return 'deleted';
    end if;
    return 'not_found';
end
$$;


-- Make versions of the secret deleted, undeleted or destroyed: whether there was any that this changed. What is destroyed is
-- gone for good, and what has expired is not brought back.
create or replace function vanta.change_secret_versions(
    p_tenant uuid, p_path text, p_versions int[], p_change text, p_by text, p_traceparent text)
    returns boolean
    language plpgsql as $$
declare
    v_changed int[];
begin
    if not vanta.lock_head(p_tenant) then
        return false;
    end if;
    with changed as (
        update vanta.secret_version v
        set deleted_at = case p_change when 'deleted' then clock_timestamp() when 'destroyed' then v.deleted_at end,
            destroyed_at = case p_change when 'destroyed' then clock_timestamp() end,
            sealed = case p_change when 'destroyed' then null else v.sealed end,
            generation = case p_change when 'destroyed' then null else v.generation end
        where v.tenant_id = p_tenant and v.path = p_path and v.version = any (p_versions)
            and case p_change
                    when 'deleted' then vanta.secret_lives(v)
                    when 'undeleted' then v.deleted_at is not null and v.sealed is not null
                    when 'destroyed' then v.sealed is not null
                end
        returning v.version
    )
    select array_agg(c.version order by c.version) into v_changed from changed c;
    if v_changed is null then
        return false;
    end if;
    perform vanta.emit(p_tenant, 'vanta.secret.' || p_change, 'secrets/' || p_path, p_traceparent,
                       jsonb_strip_nulls(jsonb_build_object('path', p_path, 'versions', to_jsonb(v_changed), 'by', p_by)));
    return true;
end
$$;


-- All that is known of a secret but its values: a row a version that is kept, the newest first.
create or replace function vanta.describe_secret(p_tenant uuid, p_path text)
    returns table (newest int, max_versions int, metadata text, secret_created_ms bigint, version int, created_ms bigint,
                   expires_ms bigint, deleted_ms bigint, destroyed_ms bigint)
    language plpgsql rows 10 as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    return query
    select s.version, s.max_versions, s.metadata, (extract(epoch from s.created_at) * 1000)::bigint,
           v.version, (extract(epoch from v.created_at) * 1000)::bigint, (extract(epoch from v.expires_at) * 1000)::bigint,
           (extract(epoch from v.deleted_at) * 1000)::bigint, (extract(epoch from v.destroyed_at) * 1000)::bigint
    from vanta.secret s
    join vanta.secret_version v using (tenant_id, path)
    where s.tenant_id = p_tenant and s.path = p_path
    order by v.version desc;
end
$$;


-- The paths that begin with p_prefix, after p_after, in the order of their bytes.
create or replace function vanta.list_secrets(p_tenant uuid, p_prefix text, p_after text, p_limit int)
    returns setof text
    language plpgsql rows 100 as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    -- Plan: a range of the primary key; no path has a character above "~" (tilde), so no path of the prefix is beyond it.
    return query
    select s.path from vanta.secret s
    where s.tenant_id = p_tenant and s.path > p_after and s.path >= p_prefix and s.path < p_prefix || chr(127)
    order by s.path
    limit p_limit;
end
$$;


-- Destroy values whose time has passed; how many.
create or replace function vanta.sweep_secrets(p_tenant uuid, p_limit int) returns bigint
    language plpgsql as $$
declare
    v_count bigint := 0;
    v_row   record;
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    if not exists (select from vanta.secret_version v
                   where v.tenant_id = p_tenant and v.sealed is not null and v.expires_at <= clock_timestamp()) then
        return 0;
    end if;
    if not vanta.lock_head(p_tenant) then
        return 0;
    end if;
    for v_row in
        update vanta.secret_version v set sealed = null, generation = null, destroyed_at = clock_timestamp()
        from (select d.path, d.version from vanta.secret_version d
              where d.tenant_id = p_tenant and d.sealed is not null and d.expires_at <= clock_timestamp()
              order by d.expires_at limit p_limit) due
        where v.tenant_id = p_tenant and v.path = due.path and v.version = due.version
        returning v.path, v.version
    loop
        perform vanta.emit(p_tenant, 'vanta.secret.expired', 'secrets/' || v_row.path, null,
                           jsonb_build_object('path', v_row.path, 'version', v_row.version));
        v_count := v_count + 1;
    end loop;
    return v_count;
end
$$;
