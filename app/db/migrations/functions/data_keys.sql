-- Data keys of tenants, wrapped by KMS; docs/adr/0020-secrets.md.

-- The newest data key of the tenant, and whether it is younger than p_days; no row if there is none.
create or replace function vanta.newest_data_key(p_tenant uuid, p_days int)
    returns table (generation int, young boolean)
    language plpgsql rows 1 as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    return query
    select k.generation, k.created_at > clock_timestamp() - make_interval(days => p_days)
    from vanta.data_key k
    where k.tenant_id = p_tenant
    order by k.generation desc
    limit 1;
end
$$;


create or replace function vanta.find_data_key(p_tenant uuid, p_generation int)
    returns table (kms_key text, wrapped bytea)
    language plpgsql rows 1 as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    return query
    select k.kms_key, k.wrapped from vanta.data_key k
    where k.tenant_id = p_tenant and k.generation = p_generation;
end
$$;


-- Whether the key was added: false if another process was faster with this generation.
create or replace function vanta.add_data_key(p_tenant uuid, p_generation int, p_kms_key text, p_wrapped bytea)
    returns boolean
    language plpgsql as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    insert into vanta.data_key (tenant_id, generation, kms_key, wrapped)
    values (p_tenant, p_generation, p_kms_key, p_wrapped)
    on conflict do nothing;
    if not found then
        return false;
    end if;
    perform vanta.emit(p_tenant, 'vanta.datakey.created', 'datakeys/' || p_generation, null,
                       jsonb_build_object('generation', p_generation));
    return true;
end
$$;
