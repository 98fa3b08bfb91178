-- Reading and writing documents: the statements that the real-time path is made of. Everything else about them is in
-- document_lists.sql, document_transactions.sql and document_retention.sql.
--
-- Planned once a connection and only for primary keys: PostgreSQL would plan anew for the arrays of each batch, which costs more than
-- running it, and a plan made while a table was empty would walk it. docs/adr/0007-state-path.md has figures.

-- Current documents, live ones only. Rows come grouped by tenant: p_counts[t] rows belong to p_tenants[t], and each
-- group is read under that tenant's row-level security.
create or replace function vanta.read_documents(p_tenants uuid[], p_counts int[], p_collections text[], p_keys text[])
    returns table (ord int, revision bigint, digest text, value text, expires_ms bigint)
    language plpgsql rows 64
    set plan_cache_mode = force_generic_plan
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
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
-- Rows come grouped by tenant as in read_documents, tenants in rising order, no document twice. A null value deletes, or with a
-- null digest only checks. p_ttls: seconds; null: what the collection says; -1: the document's time stays what it is.
-- p_conditions: none | absent | exists | match (one of the space-separated p_etags) | unconditional, and merge: match, by a
-- caller who has to repeat a change rather than lose one, where the collection does without preconditions.
-- Outcomes: created, replaced, deleted, checked, not_found, precondition_failed, precondition_required, quota_exceeded,
-- unknown_tenant. With p_atomic the rows of a tenant are written all or, if one is refused, none; SQLSTATE VA002 tells
-- that they would exceed its limits.
-- p_epoch is the epoch under which the caller has marked these documents in the cache, null if it could not;
-- SQLSTATE VA001 (the cache is not in that epoch, or still in use) means that nothing was written.
drop function if exists vanta.write_documents(uuid, uuid[], int[], text[], text[], text[], text[], int[], text[], text[], text[]);
create or replace function vanta.write_documents(
    p_epoch uuid, p_tenants uuid[], p_counts int[], p_collections text[], p_keys text[], p_values text[],
    p_digests text[], p_ttls int[], p_conditions text[], p_etags text[], p_traceparents text[],
    p_atomic boolean default false)
    returns table (ord int, outcome text, revision bigint, expires_ms bigint)
    language plpgsql rows 64
    set plan_cache_mode = force_generic_plan
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
    v_from  int := 1;
    v_to    int;
    v_end   int;
    v_now   timestamptz;
    v_head  vanta.tenant_head;
    v_after vanta.tenant_head;
begin
    perform vanta.hold_cache_epoch(p_epoch);
    for t in 1 .. cardinality(p_tenants) loop
        v_end := v_from + p_counts[t] - 1;
        perform set_config('vanta.tenant', p_tenants[t]::text, true);
        while v_from <= v_end loop
            select h.* into v_head from vanta.tenant_head h where h.tenant_id = p_tenants[t] for update;
            if not found then
                return query select n, 'unknown_tenant'::text, null::bigint, null::bigint from generate_series(v_from, v_end) n;
                v_from := v_end + 1;
                exit;
            end if;
            v_to := v_end;
            if not p_atomic and (v_head.max_documents is not null or v_head.max_bytes is not null) then
                if v_head.documents + v_end - v_from + 1 > v_head.max_documents
                    or v_head.bytes + (select sum(octet_length(s)) from unnest(p_values[v_from:v_end]) s) > v_head.max_bytes
                then
                    -- Close to a limit each row must see what the one before it left.
                    v_to := v_from;
                end if;
            end if;
            v_now := clock_timestamp();
            return query
            with settings as materialized (
                select s.collection, s.concurrency, s.ttl, s.max_versions
                from vanta.collection s
                where s.tenant_id = p_tenants[t] and s.collection = any (p_collections[v_from:v_to])
            ), decided as (
                select i.collection, i.key, i.value, i.digest, i.traceparent, (i.n + v_from - 1)::int as ord,
                       d.tenant_id is null as fresh,
                       coalesce(s.max_versions, vanta.default_max_versions()) as max_versions,
                       case when d.tenant_id is not null then d.versions else (
                           select count(*)::int from vanta.document_version v
                           where v.tenant_id = p_tenants[t] and v.collection = i.collection and v.key = i.key)
                       end as versions,
                       case
                           when i.ttl = -1 and live then d.expires_at
                           when i.value is not null then v_now + make_interval(secs => coalesce(nullif(i.ttl, -1), s.ttl))
                       end as expires_at,
                       case
                           when i.condition = 'absent' and live then 'precondition_failed'
                           when i.condition = 'merge' and live and s.concurrency is distinct from 'last-write-wins'
                               then 'precondition_required'
                           when i.condition in ('exists', 'match', 'merge') and not live then 'precondition_failed'
                           when i.condition in ('match', 'merge')
                                and to_hex(d.revision) || '-' || d.digest <> all (string_to_array(i.etags, ' '))
                               then 'precondition_failed'
                           when i.digest is null then 'checked'
                           when i.value is null and not live then 'not_found'
                           when i.condition = 'none' and live and s.concurrency is distinct from 'last-write-wins'
                               then 'precondition_required'
                           when i.value is null then 'deleted'
                           -- Of more rows than one, none can exceed a limit: those were looked at above.
                           when not p_atomic and (
                               (d.tenant_id is null and v_head.documents >= v_head.max_documents)
                               or v_head.bytes + octet_length(i.value) > v_head.max_bytes)
                               then 'quota_exceeded'
                           when live then 'replaced'
                           else 'created'
                       end as outcome
                from unnest(p_collections[v_from:v_to], p_keys[v_from:v_to], p_values[v_from:v_to],
                            p_digests[v_from:v_to], p_ttls[v_from:v_to], p_conditions[v_from:v_to],
                            p_etags[v_from:v_to], p_traceparents[v_from:v_to])
                    with ordinality as i (collection, key, value, digest, ttl, condition, etags, traceparent, n)
                left join settings s on s.collection = i.collection
                left join vanta.document d
                    on d.tenant_id = p_tenants[t] and d.collection = i.collection and d.key = i.key
                cross join lateral (
                    select d.tenant_id is not null and (d.expires_at is null or d.expires_at > v_now)
                ) as l (live)
            ), numbered as (
                select d.*,
                       case
                           when d.outcome in ('created', 'replaced', 'deleted')
                                and not (p_atomic and exists (
                                    select from decided o
                                    where o.outcome not in ('created', 'replaced', 'deleted', 'checked')))
                               then v_head.revision
                                   + count(*) filter (where d.outcome in ('created', 'replaced', 'deleted'))
                                     over (order by d.ord)
                       end as revision,
                       greatest(d.versions + 1 - d.max_versions, 0) as excess
                from decided d
            ), written as (
                select n.* from numbered n where n.revision is not null
            ), pruned as (
                delete from vanta.document_version v
                using written w
                cross join lateral (
                    select o.revision from vanta.document_version o
                    where o.tenant_id = p_tenants[t] and o.collection = w.collection and o.key = w.key
                    order by o.revision
                    limit w.excess
                ) as oldest
                where w.excess > 0
                    and v.tenant_id = p_tenants[t] and v.collection = w.collection and v.key = w.key
                    and v.revision = oldest.revision
                returning octet_length(v.value) as bytes
            ), head as (
                update vanta.tenant_head h
                set revision = w.last, documents = h.documents + w.documents, bytes = h.bytes + w.bytes - p.bytes
                from (select max(w.revision) as last,
                             count(*) filter (where w.fresh) - count(*) filter (where w.value is null) as documents,
                             coalesce(sum(octet_length(w.value)), 0) as bytes
                      from written w) w,
                     (select coalesce(sum(p.bytes), 0) as bytes from pruned p) p
                where h.tenant_id = p_tenants[t] and w.last is not null
            ), stored as (
                insert into vanta.document as d (tenant_id, collection, key, revision, digest, expires_at, versions)
                select p_tenants[t], w.collection, w.key, w.revision, w.digest, w.expires_at, w.versions + 1 - w.excess
                from written w
                where w.value is not null
                on conflict on constraint document_pkey do update
                    set revision = excluded.revision, digest = excluded.digest, expires_at = excluded.expires_at,
                        versions = excluded.versions
            ), removed as (
                delete from vanta.document d
                using written w
                where w.value is null
                    and d.tenant_id = p_tenants[t] and d.collection = w.collection and d.key = w.key
            ), versions as (
                insert into vanta.document_version
                    (tenant_id, collection, key, revision, value, digest, written_at, expires_at)
                select p_tenants[t], w.collection, w.key, w.revision, w.value, nullif(w.digest, ''), v_now, w.expires_at
                from written w
            ), events as (
                insert into vanta.outbox (tenant_id, revision, type, subject, time, traceparent, data)
                select p_tenants[t], w.revision, 'vanta.state.document.' || w.outcome,
                       'state/' || w.collection || '/' || w.key, v_now, w.traceparent,
                       jsonb_strip_nulls(jsonb_build_object(
                           'collection', w.collection, 'key', w.key, 'revision', w.revision,
                           'etag', to_hex(w.revision) || '-' || nullif(w.digest, ''), 'expiresAt', w.expires_at))
                from written w
            )
            select n.ord, n.outcome, n.revision,
                   case when n.revision is not null then (extract(epoch from n.expires_at) * 1000)::bigint end
            from numbered n;
            v_from := v_to + 1;
        end loop;
        if p_atomic then
            select h.* into v_after from vanta.tenant_head h where h.tenant_id = p_tenants[t];
            if (v_after.documents > v_after.max_documents and v_after.documents > v_head.documents)
                or (v_after.bytes > v_after.max_bytes and v_after.bytes > v_head.bytes)
            then
                raise exception 'the limits of the tenant would be exceeded' using errcode = 'VA002';
            end if;
        end if;
    end loop;
end
$$;
