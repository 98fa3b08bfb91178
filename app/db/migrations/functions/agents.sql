-- Threads of agents: locking, counting and pruning them. Checkpoints are put in checkpoints.sql, and read in agent_reads.sql; whole
-- threads are in agent_threads.sql.
--
-- Locks are taken in one order: all threads, by tenant, agent and name, then the tenants' heads, last of all.

-- How many checkpoints of each namespace are kept where the agent says nothing.
create or replace function vanta.default_keep_checkpoints() returns int
    language sql immutable parallel safe as $$ select 100 $$;

-- PL/pgSQL, because SQL functions are planned at each call.
create or replace function vanta.keep_checkpoints(p_tenant uuid, p_agent text) returns int
    language plpgsql stable as $$
begin
    return coalesce((select r.keep_checkpoints from vanta.agent_retention r where r.tenant_id = p_tenant and r.agent = p_agent),
                    vanta.default_keep_checkpoints());
end
$$;


-- The thread, locked; it comes into being if it is not there.
create or replace function vanta.hold_thread(
    p_tenant uuid, p_agent text, p_thread text, out thread_no bigint, out parts int)
    language plpgsql as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    insert into vanta.agent_thread as t (tenant_id, agent, thread) values (p_tenant, p_agent, p_thread)
    on conflict (tenant_id, agent, thread) do update set written_on = current_date
    returning t.thread_no, t.parts into hold_thread.thread_no, hold_thread.parts;
end
$$;


-- Note what changes made of threads, tenants rising: the bytes of their tenants, and an event each.
-- SQLSTATE VA002: over the limit of a tenant; foreign_key_violation: there is no such tenant.
create or replace function vanta.note_changes(
    p_type text, p_tenants uuid[], p_agents text[], p_threads text[], p_bytes bigint[], p_traceparents text[], p_datas jsonb[])
    returns void
    language plpgsql as $$
declare
    v_of       record;
    v_revision bigint;
begin
    for v_of in
        select g.tenant, min(g.n) as first, count(*)::int as changes, sum(g.bytes)::bigint as bytes
        from unnest(p_tenants, p_bytes) with ordinality as g (tenant, bytes, n)
        group by g.tenant
        order by g.tenant
    loop
        perform set_config('vanta.tenant', v_of.tenant::text, true);
        update vanta.tenant_head h set revision = h.revision + v_of.changes, bytes = h.bytes + v_of.bytes
        where h.tenant_id = v_of.tenant
            and (v_of.bytes <= 0 or h.max_bytes is null or h.bytes + v_of.bytes <= h.max_bytes)
        returning h.revision - v_of.changes into v_revision;
        if not found then
            raise exception 'the tenant is no more, or its limits would be exceeded' using errcode = case
                when exists (select from vanta.tenant_head h where h.tenant_id = v_of.tenant) then 'VA002'
                else '23503' -- foreign_key_violation
            end;
        end if;
        insert into vanta.outbox (tenant_id, revision, type, subject, time, traceparent, data)
        select v_of.tenant, v_revision + row_number() over (order by c.n), p_type,
               'agents/' || c.agent || '/threads/' || c.thread, clock_timestamp(), c.traceparent,
               jsonb_build_object('agent', c.agent, 'thread', c.thread) || jsonb_strip_nulls(c.data)
        from unnest(p_agents, p_threads, p_traceparents, p_datas) with ordinality as c (agent, thread, traceparent, data, n)
        where c.n >= v_of.first and c.n < v_of.first + v_of.changes;
    end loop;
end
$$;

-- SQLSTATE VA002 if so many bytes more would exceed the tenant's limit. Others may write meanwhile: vanta.note_changes decides.
create or replace function vanta.refuse_bytes(p_tenant uuid, p_bytes bigint) returns void
    language plpgsql as $$
begin
    if p_bytes > 0 and exists (
        select from vanta.tenant_head h where h.tenant_id = p_tenant and h.bytes + p_bytes > h.max_bytes)
    then
        raise exception 'the limits of the tenant would be exceeded' using errcode = 'VA002';
    end if;
end
$$;


-- Note what a change made of a thread: its bytes, those of its tenant, and its event. SQLSTATE VA002: over the limit.
create or replace function vanta.note_thread(
    p_tenant uuid, p_thread bigint, p_bytes bigint, p_type text, p_traceparent text, p_data jsonb) returns void
    language plpgsql as $$
declare
    v_agent  text;
    v_thread text;
begin
    update vanta.agent_thread t set bytes = t.bytes + p_bytes, written_on = current_date
    where t.tenant_id = p_tenant and t.thread_no = p_thread
    returning t.agent, t.thread into v_agent, v_thread;
    perform vanta.emit(p_tenant, p_type, 'agents/' || v_agent || '/threads/' || v_thread, p_traceparent,
                       jsonb_build_object('agent', v_agent, 'thread', v_thread) || jsonb_strip_nulls(p_data));
    perform vanta.count_bytes(p_tenant, p_bytes);
end
$$;

-- Count bytes for the tenant; SQLSTATE VA002 when they are more than before and over its limit.
create or replace function vanta.count_bytes(p_tenant uuid, p_bytes bigint) returns void
    language plpgsql as $$
begin
    update vanta.tenant_head h set bytes = h.bytes + p_bytes
    where h.tenant_id = p_tenant and (p_bytes <= 0 or h.max_bytes is null or h.bytes + p_bytes <= h.max_bytes);
    if not found then
        raise exception 'the limits of the tenant would be exceeded' using errcode = 'VA002';
    end if;
end
$$;


-- Drop those of these parts that no checkpoint of the thread has; how many bytes that were.
create or replace function vanta.drop_parts(p_thread bigint, p_parts int4multirange) returns bigint
    language plpgsql as $$
declare
    v_freed int4multirange;
    v_bytes bigint;
begin
    select p_parts - coalesce(range_agg(c.parts), '{}') into v_freed
    from vanta.checkpoint c where c.thread_no = p_thread;
    with dropped as (
        -- Plan: a range of the primary key; however many ranges there are, each part is looked at once.
        delete from vanta.checkpoint_part p
        where p.thread_no = p_thread and p.no >= lower(v_freed) and p.no < upper(v_freed) and p.no <@ v_freed
        returning octet_length(p.data) as bytes
    )
    select coalesce(sum(d.bytes), 0) into v_bytes from dropped d;
    return v_bytes;
end
$$;

-- Remove checkpoints of one namespace with their pending writes and the parts that nobody else has; how many bytes that were.
create or replace function vanta.remove_checkpoints(p_thread bigint, p_namespace text, p_checkpoints text[]) returns bigint
    language plpgsql as $$
declare
    v_bytes  bigint;
    v_writes bigint;
    v_parts  int4multirange;
begin
    with removed as (
        delete from vanta.checkpoint c
        where c.thread_no = p_thread and c.namespace = p_namespace and c.checkpoint = any (p_checkpoints)
        returning octet_length(c.data) as bytes, c.parts
    )
    select coalesce(sum(r.bytes), 0), coalesce(range_agg(r.parts), '{}') into v_bytes, v_parts from removed r;
    with removed as (
        delete from vanta.checkpoint_write w
        where w.thread_no = p_thread and w.namespace = p_namespace and w.checkpoint = any (p_checkpoints)
        returning octet_length(w.data) as bytes
    )
    select coalesce(sum(r.bytes), 0) into v_writes from removed r;
    update vanta.checkpoint c set parent = null
    where c.thread_no = p_thread and c.namespace = p_namespace and c.parent = any (p_checkpoints);
    return v_bytes + v_writes + vanta.drop_parts(p_thread, v_parts);
end
$$;


-- Keep the newest p_keep checkpoints of a namespace, and those without which they could not be read; how many bytes and
-- checkpoints went. With the checkpoints of the root namespace go those of subgraphs that ran for them.
create or replace function vanta.prune_namespace(
    p_thread bigint, p_namespace text, p_keep int, out bytes bigint, out removed int)
    language plpgsql as $$
declare
    v_oldest text;
    v_chain  text[];
    v_gone   text[];
    v_call   record;
begin
    bytes := 0;
    removed := 0;
    select c.checkpoint into v_oldest
    from vanta.checkpoint c
    where c.thread_no = p_thread and c.namespace = p_namespace
    order by c.checkpoint desc
    offset p_keep - 1 limit 1;
    if not found or not exists (
        select from vanta.checkpoint c
        where c.thread_no = p_thread and c.namespace = p_namespace and c.checkpoint < v_oldest)
    then
        return;
    end if;
    with recursive chain as (
        select c.parent from vanta.checkpoint c
        where c.thread_no = p_thread and c.namespace = p_namespace and c.checkpoint >= v_oldest
            and c.needs_parent and c.parent < v_oldest
        union
        select c.parent from chain
        join vanta.checkpoint c
            on c.thread_no = p_thread and c.namespace = p_namespace and c.checkpoint = chain.parent
        where c.needs_parent and c.parent is not null
    )
    select coalesce(array_agg(chain.parent), '{}') into v_chain from chain;
    -- Writes whose checkpoint never came are of this age too.
    select array_agg(g.checkpoint), count(*) filter (where g.kind = 'checkpoint') into v_gone, removed
    from (
        select c.checkpoint, 'checkpoint' as kind from vanta.checkpoint c
        where c.thread_no = p_thread and c.namespace = p_namespace and c.checkpoint < v_oldest
        union all
        select distinct w.checkpoint, 'write' from vanta.checkpoint_write w
        where w.thread_no = p_thread and w.namespace = p_namespace and w.checkpoint < v_oldest
    ) g
    where g.checkpoint <> all (v_chain);
    if v_gone is null then
        return;
    end if;
    bytes := vanta.remove_checkpoints(p_thread, p_namespace, v_gone);
    if p_namespace <> '' then
        return;
    end if;
    for v_call in
        select c.namespace, array_agg(c.checkpoint) as checkpoints,
               array(select w.checkpoint from vanta.checkpoint_write w
                     where w.thread_no = p_thread and w.namespace = c.namespace) as written
        from vanta.checkpoint c
        where c.thread_no = p_thread and c.root is not null
        group by c.namespace
        having max(c.root) < v_oldest and max(c.root) <> all (v_chain)
    loop
        bytes := bytes + vanta.remove_checkpoints(p_thread, v_call.namespace, v_call.checkpoints || v_call.written);
        removed := removed + cardinality(v_call.checkpoints);
    end loop;
end
$$;
