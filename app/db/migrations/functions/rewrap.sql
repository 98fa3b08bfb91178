-- Rewrapping: data keys under another KMS key, secrets under a younger data key. docs/adr/0020-secrets.md

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


create or replace function vanta.has_secrets(p_tenant uuid) returns boolean
    language plpgsql as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    return exists (select from vanta.secret_version v where v.tenant_id = p_tenant and v.generation is not null);
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
