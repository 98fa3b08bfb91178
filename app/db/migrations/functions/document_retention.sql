-- What is removed by time: documents, versions and answers. Each leaves the tenant's counters exact.

-- How many versions of a document are kept, and for how many days after they were replaced, where its collection does not say.
create or replace function vanta.default_max_versions() returns int
    language sql immutable parallel safe
    return 100;

create or replace function vanta.default_keep_versions_days() returns int
    language sql immutable parallel safe
    return 30;


-- Remove documents of one tenant whose time has passed; each leaves a deletion in the history and an event.
create or replace function vanta.sweep_expired(p_tenant uuid, p_limit int) returns bigint
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
    if not found then
        -- The tenant is being erased: there are no revisions any more, and what is due goes with the rest.
        return 0;
    end if;
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
        update vanta.tenant_head h
        set revision = v_head + (select count(*) from due), documents = h.documents - (select count(*) from due)
        where h.tenant_id = p_tenant
    )
    select count(*) into v_swept from due;
    return v_swept;
end
$$;


-- Of the p_limit versions after a position, those that are kept no longer: the document's own time to live that they were
-- written with has passed, or they were replaced too long ago, or there are too many. Never a current one.
create or replace function vanta.prunable_versions(
    p_tenant uuid, p_collection text, p_key text, p_revision bigint, p_limit int)
    returns table (collection text, key text, revision bigint)
    language sql stable rows 100
    set enable_seqscan = off set enable_bitmapscan = off as $$
    with page as (
        select v.collection, v.key, v.revision, v.written_at, v.expires_at
        from vanta.document_version v
        where v.tenant_id = p_tenant and (v.collection, v.key, v.revision) > (p_collection, p_key, p_revision)
        order by v.collection, v.key, v.revision
        limit p_limit
    ), aged as (
        select p.*, d.revision as current, d.versions,
               coalesce(s.max_versions, vanta.default_max_versions()) as max_versions,
               clock_timestamp() - make_interval(days => coalesce(s.keep_versions_days, vanta.default_keep_versions_days()))
                   as horizon,
               row_number() over (partition by p.collection, p.key order by p.revision) as age
        from page p
        left join vanta.document d on d.tenant_id = p_tenant and d.collection = p.collection and d.key = p.key
        left join vanta.collection s on s.tenant_id = p_tenant and s.collection = p.collection
    )
    select a.collection, a.key, a.revision
    from aged a
    where a.current is distinct from a.revision
        and (
            a.expires_at <= clock_timestamp()
            -- The oldest of the page are the oldest there are: older ones would have been pruned from the page before.
            or a.age <= a.versions - a.max_versions
            or (a.written_at <= a.horizon and coalesce(
                (select n.written_at from vanta.document_version n
                 where n.tenant_id = p_tenant and n.collection = a.collection and n.key = a.key and n.revision > a.revision
                 order by n.revision
                 limit 1), a.written_at) <= a.horizon))
$$;


-- Prune a page of versions, and tell how many that were and the last position looked at, all null after the last one.
create or replace function vanta.prune_versions(
    p_tenant uuid, p_collection text, p_key text, p_revision bigint, p_limit int,
    out pruned bigint, out collection text, out key text, out revision bigint)
    language plpgsql as $$
#variable_conflict use_column
begin
    pruned := 0;
    perform set_config('vanta.tenant', p_tenant::text, true);
    select v.collection, v.key, v.revision into collection, key, revision
    from vanta.document_version v
    where v.tenant_id = p_tenant and (v.collection, v.key, v.revision) > (p_collection, p_key, p_revision)
    order by v.collection, v.key, v.revision
    offset p_limit - 1
    limit 1;
    -- Nobody waits for a look that finds nothing.
    if not exists (select from vanta.prunable_versions(p_tenant, p_collection, p_key, p_revision, p_limit)) then
        return;
    end if;
    perform from vanta.tenant_head h where h.tenant_id = p_tenant for update;
    with gone as (
        delete from vanta.document_version v
        using vanta.prunable_versions(p_tenant, p_collection, p_key, p_revision, p_limit) p
        where v.tenant_id = p_tenant and v.collection = p.collection and v.key = p.key and v.revision = p.revision
        returning v.collection, v.key, coalesce(octet_length(v.value), 0) as bytes
    ), counted as (
        update vanta.document d set versions = d.versions - g.number
        from (select g.collection, g.key, count(*)::int as number from gone g group by g.collection, g.key) g
        where d.tenant_id = p_tenant and d.collection = g.collection and d.key = g.key
    ), head as (
        update vanta.tenant_head h set bytes = h.bytes - (select coalesce(sum(g.bytes), 0) from gone g)
        where h.tenant_id = p_tenant
    )
    select count(*) into pruned from gone;
end
$$;


-- Forget answers that are no longer given again, the oldest first; how many those were.
create or replace function vanta.sweep_answers(p_tenant uuid, p_limit int) returns bigint
    language plpgsql as $$
declare
    v_swept bigint;
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    delete from vanta.idempotent_answer a
    where a.tenant_id = p_tenant and a.key in (
        select o.key from vanta.idempotent_answer o
        where o.tenant_id = p_tenant and o.recorded_at <= clock_timestamp() - vanta.keep_answers()
        order by o.recorded_at
        limit p_limit);
    get diagnostics v_swept = row_count;
    return v_swept;
end
$$;
