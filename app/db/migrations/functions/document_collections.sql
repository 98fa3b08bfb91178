-- Settings of collections.

-- The one called p_collection, or where that is null those after p_after, in order.
create or replace function vanta.get_collections(p_tenant uuid, p_collection text, p_after text, p_limit int)
    returns setof vanta.collection
    language plpgsql rows 10 as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    return query
    select s.* from vanta.collection s
    where s.tenant_id = p_tenant and (s.collection = p_collection or s.collection > p_after)
    order by s.collection
    limit p_limit;
end
$$;


create or replace function vanta.put_collection(
    p_tenant uuid, p_collection text, p_concurrency text, p_ttl int, p_max_versions int, p_keep_versions_days int,
    p_traceparent text)
    returns void
    language plpgsql as $$
begin
    -- Takes the tenant's lock: no write is decided by settings of before and committed after.
    perform vanta.emit(
        p_tenant, 'vanta.state.collection.configured', 'collections/' || p_collection, p_traceparent,
        jsonb_build_object('collection', p_collection, 'concurrency', p_concurrency, 'ttl', p_ttl,
                           'maxVersions', p_max_versions, 'keepVersionsDays', p_keep_versions_days));
    insert into vanta.collection as c (tenant_id, collection, concurrency, ttl, max_versions, keep_versions_days)
    values (p_tenant, p_collection, p_concurrency, p_ttl, p_max_versions, p_keep_versions_days)
    on conflict on constraint collection_pkey do update
        set concurrency = excluded.concurrency, ttl = excluded.ttl, max_versions = excluded.max_versions,
            keep_versions_days = excluded.keep_versions_days;
end
$$;


create or replace function vanta.delete_collection(p_tenant uuid, p_collection text, p_traceparent text) returns boolean
    language plpgsql as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    perform from vanta.tenant_head h where h.tenant_id = p_tenant for update;
    delete from vanta.collection c where c.tenant_id = p_tenant and c.collection = p_collection;
    if not found then
        return false;
    end if;
    perform vanta.emit(
        p_tenant, 'vanta.state.collection.reset', 'collections/' || p_collection, p_traceparent,
        jsonb_build_object('collection', p_collection));
    return true;
end
$$;
