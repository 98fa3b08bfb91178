-- Settings of collections.

-- The tag of settings: a digest of what they say, and of whom and which collection. docs/adr/0017-documents.md
create or replace function vanta.collection_tag(c vanta.collection) returns text
    language sql stable
    return left(encode(sha256(convert_to(jsonb_strip_nulls(to_jsonb(c))::text, 'utf8')), 'hex'), 16);


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


-- What a change of the settings would be refused with, null if nothing: conditions as of vanta.write_documents.
-- Asked under the tenant's lock, so that of two who expect the same settings one is refused.
create or replace function vanta.collection_refusal(p_tenant uuid, p_collection text, p_condition text, p_etags text)
    returns text
    language plpgsql as $$
declare
    v_tag text := (
        select vanta.collection_tag(c) from vanta.collection c
        where c.tenant_id = p_tenant and c.collection = p_collection);
begin
    return case
        when p_condition = 'absent' and v_tag is not null then 'precondition_failed'
        when p_condition in ('exists', 'match') and v_tag is null then 'precondition_failed'
        when p_condition = 'match' and v_tag <> all (string_to_array(p_etags, ' ')) then 'precondition_failed'
        when p_condition = 'none' and v_tag is not null then 'precondition_required'
    end;
end
$$;


-- Set all of them: the tag of what is set now, or the refusal: precondition_failed, precondition_required, unknown_tenant.
-- Who sends no condition is the release before, which knows none: it overwrites.
drop function if exists vanta.put_collection(uuid, text, text, int, int, int, text);
create or replace function vanta.put_collection(
    p_tenant uuid, p_collection text, p_concurrency text, p_ttl int, p_max_versions int, p_keep_versions_days int,
    p_traceparent text, p_condition text default 'unconditional', p_etags text default '')
    returns table (refusal text, tag text)
    language plpgsql rows 1 as $$
declare
    v_refusal text;
    v_now     vanta.collection;
begin
    -- No write is decided by settings of before and committed after.
    if not vanta.lock_head(p_tenant) then
        return query select 'unknown_tenant', null::text;
        return;
    end if;
    v_refusal := vanta.collection_refusal(p_tenant, p_collection, p_condition, p_etags);
    if v_refusal is not null then
        return query select v_refusal, null::text;
        return;
    end if;
    insert into vanta.collection as c (tenant_id, collection, concurrency, ttl, max_versions, keep_versions_days)
    values (p_tenant, p_collection, p_concurrency, p_ttl, p_max_versions, p_keep_versions_days)
    on conflict on constraint collection_pkey do update
        set concurrency = excluded.concurrency, ttl = excluded.ttl, max_versions = excluded.max_versions,
            keep_versions_days = excluded.keep_versions_days
    returning * into v_now;
    perform vanta.emit(
        p_tenant, 'vanta.state.collection.configured', 'collections/' || p_collection, p_traceparent,
        jsonb_build_object('collection', p_collection, 'concurrency', p_concurrency, 'ttl', p_ttl,
                           'maxVersions', p_max_versions, 'keepVersionsDays', p_keep_versions_days));
    return query select null::text, vanta.collection_tag(v_now);
end
$$;


-- Go back to the defaults. Outcomes: deleted, precondition_failed, precondition_required; null where there were no settings,
-- which the release before takes for false. It sends no condition, and deletes whatever is there.
drop function if exists vanta.delete_collection(uuid, text, text);
create or replace function vanta.delete_collection(
    p_tenant uuid, p_collection text, p_traceparent text, p_condition text default 'unconditional', p_etags text default '')
    returns text
    language plpgsql as $$
declare
    v_refusal text;
begin
    perform vanta.lock_head(p_tenant);
    v_refusal := vanta.collection_refusal(p_tenant, p_collection, p_condition, p_etags);
    if v_refusal is not null then
        return v_refusal;
    end if;
    delete from vanta.collection c where c.tenant_id = p_tenant and c.collection = p_collection;
    if not found then
        return null;
    end if;
    perform vanta.emit(
        p_tenant, 'vanta.state.collection.reset', 'collections/' || p_collection, p_traceparent,
        jsonb_build_object('collection', p_collection));
    return 'deleted';
end
$$;
