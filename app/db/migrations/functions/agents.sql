-- Checkpoints of agents: putting them, and pruning a thread. Reading is in agent_reads.sql, whole threads in agent_threads.sql.
--
-- Locks are taken in one order: all threads, by their number, then the tenant's head (in vanta.emit), last of all.

-- How many checkpoints of each namespace are kept where the agent says nothing.
create or replace function vanta.default_keep_checkpoints() returns int
    language sql immutable parallel safe as $$ select 100 $$;

create or replace function vanta.keep_checkpoints(p_tenant uuid, p_agent text) returns int
    language sql stable as $$
    select coalesce((select r.keep_checkpoints from vanta.agent_retention r where r.tenant_id = p_tenant and r.agent = p_agent),
                    vanta.default_keep_checkpoints())
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


-- Put a checkpoint; whether it is new. Its thread comes into being with it.
--
-- p_channels: all channels that have a value, with their versions. p_lists says for those whose value is sent whether it is a
-- list, and is null for those that are what the parent has. A value is p_places: numbered from 1, which channel's and which of the
-- given parts, in order; no part is given twice.
-- SQLSTATE VA071: the parent does not have a channel in this version; the detail has the names as JSON. VA002: over the limit.
create or replace function vanta.put_checkpoint(
    p_tenant uuid, p_agent text, p_thread text, p_namespace text, p_checkpoint text, p_parent text, p_root text, p_run text,
    p_needs_parent boolean, p_type text, p_data bytea, p_metadata jsonb, p_channels text[], p_versions text[], p_lists boolean[],
    p_place_channels int[], p_place_parts int[], p_digests bytea[], p_types text[], p_datas bytea[], p_traceparent text)
    returns boolean
    language plpgsql as $$
declare
    v_thread    bigint;
    v_next      int;
    v_nos       int[];
    v_fresh     int;
    v_bytes     bigint;
    v_parent    jsonb;
    v_channels  jsonb;
    v_parts     int4multirange;
    v_missing   jsonb;
    v_old_bytes bigint;
    v_old_parts int4multirange;
    v_pruned    record;
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    insert into vanta.agent_thread as t (tenant_id, agent, thread) values (p_tenant, p_agent, p_thread)
    on conflict (tenant_id, agent, thread) do update set written_on = current_date
    returning t.thread_no, t.parts into v_thread, v_next;

    -- Plan: one probe of the unique index a part. A join would be planned from estimates, worst for the longest lists.
    with given as materialized (
        select i.*, (select p.no from vanta.checkpoint_part p where p.thread_no = v_thread and p.digest = i.digest) as known
        from unnest(p_digests, p_types, p_datas) with ordinality as i (digest, type, data, n)
    ), numbered as materialized (
        select g.*, coalesce(g.known, v_next + count(*) filter (where g.known is null) over (order by g.n)) as no
        from given g
    ), added as (
        insert into vanta.checkpoint_part (tenant_id, thread_no, no, digest, type, data)
        select p_tenant, v_thread, n.no, n.digest, n.type, n.data
        from numbered n
        where n.known is null
    )
    select array_agg(n.no order by n.n), count(*) filter (where n.known is null),
           coalesce(sum(octet_length(n.data)) filter (where n.known is null), 0) + octet_length(p_data)
    into v_nos, v_fresh, v_bytes
    from numbered n;
    if v_fresh > 0 then
        update vanta.agent_thread t set parts = t.parts + v_fresh where t.thread_no = v_thread;
    end if;

    select c.channels into v_parent from vanta.checkpoint c
    where c.thread_no = v_thread and c.namespace = p_namespace and c.checkpoint = p_parent;
    -- Numbers that follow one another become a range, so a list that only grows is one, however long.
    with place as (
        select p.channel, p.n, v_nos[p.part] as no
        from unnest(p_place_channels, p_place_parts) with ordinality as p (channel, part, n)
    ), marked as (
        select p.*, (p.no is distinct from lag(p.no) over w + 1)::int as starts
        from place p
        window w as (partition by p.channel order by p.n)
    ), numbered as (
        select m.*, sum(m.starts) over (partition by m.channel order by m.n) as range from marked m
    ), ranges as (
        select n.channel, n.range, min(n.no) as first, max(n.no) as last
        from numbered n
        group by n.channel, n.range
    ), sent as (
        select r.channel, jsonb_agg(jsonb_build_array(r.first, r.last) order by r.range) as parts
        from ranges r
        group by r.channel
    ), channel as (
        select i.channel,
               case
                   when i.list is not null
                       then jsonb_build_object('version', i.version, 'isList', i.list, 'parts', coalesce(s.parts, '[]'))
                   when v_parent -> i.channel ->> 'version' = i.version then v_parent -> i.channel
               end as value
        from unnest(p_channels, p_versions, p_lists) with ordinality as i (channel, version, list, n)
        left join sent s on s.channel = i.n
    )
    select coalesce(jsonb_object_agg(c.channel, c.value), '{}'),
           jsonb_agg(c.channel order by c.channel) filter (where c.value is null)
    into v_channels, v_missing
    from channel c;
    if v_missing is not null then
        raise exception 'the parent does not have these channels' using errcode = 'VA071', detail = v_missing::text;
    end if;
    select coalesce(range_agg(int4range((r -> 0)::int, (r -> 1)::int, '[]')), '{}') into v_parts
    from jsonb_each(v_channels) c, jsonb_array_elements(c.value -> 'parts') r;

    -- One that is put again; what waits at it stays.
    delete from vanta.checkpoint c
    where c.thread_no = v_thread and c.namespace = p_namespace and c.checkpoint = p_checkpoint
    returning octet_length(c.data), c.parts into v_old_bytes, v_old_parts;
    insert into vanta.checkpoint
        (tenant_id, thread_no, namespace, checkpoint, parent, root, run, needs_parent, type, data, metadata, channels, parts,
         written_at)
    values
        (p_tenant, v_thread, p_namespace, p_checkpoint, p_parent, p_root, p_run, p_needs_parent, p_type, p_data, p_metadata,
         v_channels, v_parts, clock_timestamp());
    if v_old_parts is not null then
        v_bytes := v_bytes - v_old_bytes - vanta.drop_parts(v_thread, v_old_parts);
    end if;
    v_pruned := vanta.prune_namespace(v_thread, p_namespace, vanta.keep_checkpoints(p_tenant, p_agent));
    perform vanta.note_thread(
        p_tenant, v_thread, v_bytes - v_pruned.bytes, 'vanta.agent.checkpoint.put', p_traceparent,
        jsonb_build_object('namespace', p_namespace, 'checkpoint', p_checkpoint, 'parent', p_parent,
                           'pruned', nullif(v_pruned.removed, 0)));
    return v_old_parts is null;
end
$$;


-- Put what a task has written after a checkpoint. A write of a task and index that is there stays, unless p_replace.
create or replace function vanta.put_checkpoint_writes(
    p_tenant uuid, p_agent text, p_thread text, p_namespace text, p_checkpoint text, p_task text, p_path text,
    p_replace boolean, p_indexes int[], p_channels text[], p_types text[], p_datas bytea[], p_traceparent text)
    returns void
    language plpgsql as $$
declare
    v_thread bigint;
    v_before bigint;
    v_bytes  bigint;
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    insert into vanta.agent_thread as t (tenant_id, agent, thread) values (p_tenant, p_agent, p_thread)
    on conflict (tenant_id, agent, thread) do update set written_on = current_date
    returning t.thread_no into v_thread;
    select coalesce(sum(octet_length(w.data)), 0) into v_before
    from vanta.checkpoint_write w
    where w.thread_no = v_thread and w.namespace = p_namespace and w.checkpoint = p_checkpoint and w.task = p_task
        and w.idx = any (p_indexes);
    insert into vanta.checkpoint_write as w
        (tenant_id, thread_no, namespace, checkpoint, task, idx, path, channel, type, data)
    select p_tenant, v_thread, p_namespace, p_checkpoint, p_task, i.idx, p_path, i.channel, i.type, i.data
    from unnest(p_indexes, p_channels, p_types, p_datas) as i (idx, channel, type, data)
    on conflict (thread_no, namespace, checkpoint, task, idx) do update
        set path = excluded.path, channel = excluded.channel, type = excluded.type, data = excluded.data
        where p_replace;
    select coalesce(sum(octet_length(w.data)), 0) - v_before into v_bytes
    from vanta.checkpoint_write w
    where w.thread_no = v_thread and w.namespace = p_namespace and w.checkpoint = p_checkpoint and w.task = p_task
        and w.idx = any (p_indexes);
    perform vanta.note_thread(
        p_tenant, v_thread, v_bytes, 'vanta.agent.writes.put', p_traceparent,
        jsonb_build_object('namespace', p_namespace, 'checkpoint', p_checkpoint, 'task', p_task));
end
$$;
