-- Rewrapping: data keys under another KMS key, secrets and those of webhooks under a younger data key. docs/adr/0020-secrets.md

-- Data keys that are not wrapped under p_kms_key, or were so longer than p_days ago.
create or replace function vanta.data_keys_to_wrap(p_tenant uuid, p_kms_key text, p_days int)
    returns table (generation int, kms_key text, wrapped bytea)
    language plpgsql rows 10 as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    return query
    select k.generation, k.kms_key, k.wrapped from vanta.data_key k
    where k.tenant_id = p_tenant
        and (k.kms_key <> p_kms_key or k.wrapped_at <= clock_timestamp() - make_interval(days => p_days))
    order by k.generation;
end
$$;


create or replace function vanta.wrap_data_key(p_tenant uuid, p_generation int, p_kms_key text, p_wrapped bytea)
    returns void
    language plpgsql as $$
begin
    if not vanta.lock_head(p_tenant) then
        return;
    end if;
    update vanta.data_key k set kms_key = p_kms_key, wrapped = p_wrapped, wrapped_at = clock_timestamp()
    where k.tenant_id = p_tenant and k.generation = p_generation;
    perform vanta.emit(p_tenant, 'vanta.datakey.rewrapped', 'datakeys/' || p_generation, null,
                       jsonb_build_object('generation', p_generation));
end
$$;


drop function if exists vanta.has_secrets(uuid);
create or replace function vanta.has_sealed(p_tenant uuid) returns boolean
    language plpgsql as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    return exists (select from vanta.secret_version v where v.tenant_id = p_tenant and v.generation is not null)
        or exists (select from vanta.webhook w where w.tenant_id = p_tenant);
end
$$;


-- Versions sealed under an older data key than p_generation, after the version p_after of p_path.
create or replace function vanta.secrets_to_seal(p_tenant uuid, p_generation int, p_path text, p_after int, p_limit int)
    returns table (path text, version int, generation int, sealed bytea)
    language plpgsql rows 100 as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    -- Plan: a range of the primary key in its order; what is done once in a month may look at each version.
    return query
    select v.path, v.version, v.generation, v.sealed from vanta.secret_version v
    where v.tenant_id = p_tenant and v.generation < p_generation and (v.path, v.version) > (p_path, p_after)
    order by v.path, v.version
    limit p_limit;
end
$$;


-- Put sealed values in the place of the same values sealed before; how many. One that was destroyed meanwhile stays so.
create or replace function vanta.seal_secrets(
    p_tenant uuid, p_paths text[], p_versions int[], p_before bytea[], p_generations int[], p_sealed bytea[])
    returns bigint
    language plpgsql as $$
declare
    v_count bigint;
begin
    if not vanta.lock_head(p_tenant) then
        return 0;
    end if;
    update vanta.secret_version v set generation = i.generation, sealed = i.sealed
    from unnest(p_paths, p_versions, p_before, p_generations, p_sealed) as i (path, version, before, generation, sealed)
    where v.tenant_id = p_tenant and v.path = i.path and v.version = i.version and v.sealed = i.before;
    get diagnostics v_count = row_count;
    if v_count > 0 then
        perform vanta.emit(p_tenant, 'vanta.secret.resealed', 'secrets', null, jsonb_build_object('versions', v_count));
    end if;
    return v_count;
end
$$;


-- Webhooks, in the words of secrets_to_seal: each has one version, and there are few.
create or replace function vanta.webhooks_to_seal(p_tenant uuid, p_generation int, p_path text, p_after int, p_limit int)
    returns table (path text, version int, generation int, sealed bytea)
    language plpgsql rows 10 as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    return query
    select w.webhook_id::text, 1, w.generation, w.sealed from vanta.webhook w
    where w.tenant_id = p_tenant and w.generation < p_generation and (w.webhook_id::text, 1) > (p_path, p_after)
    order by w.webhook_id::text
    limit p_limit;
end
$$;


create or replace function vanta.seal_webhooks(
    p_tenant uuid, p_paths text[], p_versions int[], p_before bytea[], p_generations int[], p_sealed bytea[])
    returns bigint
    language plpgsql as $$
declare
    v_count bigint;
begin
    if not vanta.lock_head(p_tenant) then
        return 0;
    end if;
    update vanta.webhook w set generation = i.generation, sealed = i.sealed
    from unnest(p_paths, p_versions, p_before, p_generations, p_sealed) as i (path, version, before, generation, sealed)
    where w.tenant_id = p_tenant and w.webhook_id = i.path::uuid and w.sealed = i.before;
    get diagnostics v_count = row_count;
    if v_count > 0 then
        perform vanta.emit(p_tenant, 'vanta.webhook.resealed', 'webhooks', null, jsonb_build_object('webhooks', v_count));
    end if;
    return v_count;
end
$$;


-- Remove data keys that nothing is sealed with, and that no process seals with any more: there has been a younger one for
-- longer than p_seconds, for which processes remember the newest. How many; one in use would stay in any case (foreign keys).
-- The owner's right, because the application itself may remove no key.
create or replace function vanta.remove_data_keys(p_tenant uuid, p_seconds double precision) returns bigint
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_generation int;
    v_count      bigint := 0;
begin
    if not vanta.lock_head(p_tenant) then
        return 0;
    end if;
    for v_generation in
        delete from vanta.data_key k
        where k.tenant_id = p_tenant
            and exists (
                select from vanta.data_key n
                where n.tenant_id = p_tenant and n.generation > k.generation
                    and n.created_at <= clock_timestamp() - make_interval(secs => p_seconds))
            and not exists (
                select from vanta.secret_version v where v.tenant_id = p_tenant and v.generation = k.generation)
            and not exists (select from vanta.webhook w where w.tenant_id = p_tenant and w.generation = k.generation)
        returning k.generation
    loop
        v_count := v_count + 1;
        perform vanta.emit(p_tenant, 'vanta.datakey.removed', 'datakeys/' || v_generation, null,
                           jsonb_build_object('generation', v_generation));
    end loop;
    return v_count;
end
$$;

revoke execute on function vanta.remove_data_keys(uuid, double precision) from public;
grant execute on function vanta.remove_data_keys(uuid, double precision) to vanta_api;
