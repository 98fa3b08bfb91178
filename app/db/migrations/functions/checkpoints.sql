-- Checkpoints of agents: putting them, and what tasks wrote after them, many in one transaction.
--
-- First all threads are locked and written to, then the heads of the tenants, as agents.sql says. So nobody who waits for a thread holds
-- up its tenant, and one commit is of all of them.

-- Write a checkpoint, all but its event and what the tenant counts: by how many bytes the thread grew, whether the checkpoint is new,
-- and how many were pruned for it. Its thread comes into being with it.
--
-- channels: all channels that have a value, with their versions. lists says for those whose value is sent whether it is a
-- list, and is null for those that are what the parent has. A value is its places: numbered from 1, which channel's and which of the
-- given parts, in order; no part is given twice.
-- SQLSTATE VA071: the parent does not have a channel in this version; the detail has the names as JSON. VA002: over the limit.
create or replace function vanta.write_checkpoint(
    p vanta.new_checkpoint, out bytes bigint, out created boolean, out pruned int)
    language plpgsql as $$
declare
    v_thread    bigint;
    v_next      int;
    v_nos       int[];
    v_fresh     int;
    v_parent    jsonb;
    v_channels  jsonb;
    v_parts     int4multirange;
    v_missing   jsonb;
    v_old_bytes bigint;
    v_old_parts int4multirange;
    v_pruned    record;
begin
    select h.thread_no, h.parts into v_thread, v_next from vanta.hold_thread(p.tenant, p.agent, p.thread) h;

    -- Plan: one probe of the unique index a part. A join would be planned from estimates, worst for the longest lists.
    with given as materialized (
        select i.*, (select k.no from vanta.checkpoint_part k where k.thread_no = v_thread and k.digest = i.digest) as known
        from unnest(p.digests, p.types, p.datas) with ordinality as i (digest, type, data, n)
    ), numbered as materialized (
        select g.*, coalesce(g.known, v_next + count(*) filter (where g.known is null) over (order by g.n)) as no
        from given g
    ), added as (
        insert into vanta.checkpoint_part (tenant_id, thread_no, no, digest, type, data)
        select p.tenant, v_thread, n.no, n.digest, n.type, n.data
        from numbered n
        where n.known is null
    )
    select array_agg(n.no order by n.n), count(*) filter (where n.known is null),
           coalesce(sum(octet_length(n.data)) filter (where n.known is null), 0) + octet_length(p.data)
    into v_nos, v_fresh, bytes
    from numbered n;

    select c.channels into v_parent from vanta.checkpoint c
    where c.thread_no = v_thread and c.namespace = p.namespace and c.checkpoint = p.parent;
    -- Numbers that follow one another become a range, so a list that only grows is one, however long.
    with place as (
        select i.channel, i.n, v_nos[i.part] as no
        from unnest(p.place_channels, p.place_parts) with ordinality as i (channel, part, n)
    ), marked as (
        select i.*, (i.no is distinct from lag(i.no) over w + 1)::int as starts
        from place i
        window w as (partition by i.channel order by i.n)
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
        from unnest(p.channels, p.versions, p.lists) with ordinality as i (channel, version, list, n)
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
    where c.thread_no = v_thread and c.namespace = p.namespace and c.checkpoint = p.checkpoint
    returning octet_length(c.data), c.parts into v_old_bytes, v_old_parts;
    insert into vanta.checkpoint
        (tenant_id, thread_no, namespace, checkpoint, parent, root, run, needs_parent, type, data, metadata, channels, parts,
         written_at)
    values
        (p.tenant, v_thread, p.namespace, p.checkpoint, p.parent, p.root, p.run, p.needs_parent, p.type, p.data, p.metadata,
         v_channels, v_parts, clock_timestamp());
    if v_old_parts is not null then
        bytes := bytes - v_old_bytes - vanta.drop_parts(v_thread, v_old_parts);
    end if;
    v_pruned := vanta.prune_namespace(v_thread, p.namespace, vanta.keep_checkpoints(p.tenant, p.agent));
    bytes := bytes - v_pruned.bytes;
    perform vanta.refuse_bytes(p.tenant, bytes);
    update vanta.agent_thread t
    set parts = t.parts + v_fresh, bytes = t.bytes + write_checkpoint.bytes, written_on = current_date
    where t.tenant_id = p.tenant and t.thread_no = v_thread;
    created := v_old_parts is null;
    pruned := v_pruned.removed;
end
$$;


-- Put checkpoints, by tenant, agent and thread rising: whether each is new, or what it is refused with, which leaves the others alone:
-- channel_missing (the parent lacks these channels, as JSON), quota_exceeded, unknown_tenant. SQLSTATE VA002 or foreign_key_violation:
-- so it is with all together, and nothing was put; one alone is told which.
create or replace function vanta.put_checkpoints(p_puts vanta.new_checkpoint[])
    returns table (ord int, created boolean, refusal text, channels text)
    language plpgsql rows 16
    set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
#variable_conflict use_column
declare
    v_put          vanta.new_checkpoint;
    v_done         record;
    v_n            int := 0;
    v_detail       text;
    v_tenants      uuid[] := '{}';
    v_agents       text[] := '{}';
    v_threads      text[] := '{}';
    v_bytes        bigint[] := '{}';
    v_traceparents text[] := '{}';
    v_datas        jsonb[] := '{}';
begin
    foreach v_put in array p_puts loop
        v_n := v_n + 1;
        begin
            v_done := vanta.write_checkpoint(v_put);
        exception
            when sqlstate 'VA071' then
                get stacked diagnostics v_detail = pg_exception_detail;
                return query select v_n, null::boolean, 'channel_missing', v_detail;
                continue;
            when sqlstate 'VA002' then
                return query select v_n, null::boolean, 'quota_exceeded', null::text;
                continue;
            when foreign_key_violation then
                return query select v_n, null::boolean, 'unknown_tenant', null::text;
                continue;
        end;
        return query select v_n, v_done.created, null::text, null::text;
        v_tenants := v_tenants || v_put.tenant;
        v_agents := v_agents || v_put.agent;
        v_threads := v_threads || v_put.thread;
        v_bytes := v_bytes || v_done.bytes;
        v_traceparents := v_traceparents || v_put.traceparent;
        v_datas := v_datas || jsonb_build_object(
            'namespace', v_put.namespace, 'checkpoint', v_put.checkpoint, 'parent', v_put.parent,
            'pruned', nullif(v_done.pruned, 0));
    end loop;
    perform vanta.note_changes(
        'vanta.agent.checkpoint.put', v_tenants, v_agents, v_threads, v_bytes, v_traceparents, v_datas);
end
$$;


-- One checkpoint, as the release before puts it.
create or replace function vanta.put_checkpoint(
    p_tenant uuid, p_agent text, p_thread text, p_namespace text, p_checkpoint text, p_parent text, p_root text, p_run text,
    p_needs_parent boolean, p_type text, p_data bytea, p_metadata jsonb, p_channels text[], p_versions text[], p_lists boolean[],
    p_place_channels int[], p_place_parts int[], p_digests bytea[], p_types text[], p_datas bytea[], p_traceparent text)
    returns boolean
    language plpgsql as $$
declare
    v_done record;
begin
    v_done := vanta.write_checkpoint(row(
        p_tenant, p_agent, p_thread, p_namespace, p_checkpoint, p_parent, p_root, p_run, p_needs_parent, p_type, p_data,
        p_metadata, p_channels, p_versions, p_lists, p_place_channels, p_place_parts, p_digests, p_types, p_datas,
        p_traceparent)::vanta.new_checkpoint);
    perform vanta.note_changes(
        'vanta.agent.checkpoint.put', array[p_tenant], array[p_agent], array[p_thread], array[v_done.bytes],
        array[p_traceparent],
        array[jsonb_build_object('namespace', p_namespace, 'checkpoint', p_checkpoint, 'parent', p_parent,
                                 'pruned', nullif(v_done.pruned, 0))]);
    return v_done.created;
end
$$;


-- Write what a task has written after a checkpoint, all but its event and what the tenant counts: by how many bytes the thread grew.
-- A write of a task and index that is there stays, unless replace. SQLSTATE VA002: over the limit.
create or replace function vanta.write_checkpoint_writes(p vanta.new_checkpoint_writes) returns bigint
    language plpgsql as $$
declare
    v_thread bigint;
    v_before bigint;
    v_bytes  bigint;
begin
    select h.thread_no into v_thread from vanta.hold_thread(p.tenant, p.agent, p.thread) h;
    select coalesce(sum(octet_length(w.data)), 0) into v_before
    from vanta.checkpoint_write w
    where w.thread_no = v_thread and w.namespace = p.namespace and w.checkpoint = p.checkpoint and w.task = p.task
        and w.idx = any (p.indexes);
    insert into vanta.checkpoint_write as w
        (tenant_id, thread_no, namespace, checkpoint, task, idx, path, channel, type, data)
    select p.tenant, v_thread, p.namespace, p.checkpoint, p.task, i.idx, p.path, i.channel, i.type, i.data
    from unnest(p.indexes, p.channels, p.types, p.datas) as i (idx, channel, type, data)
    on conflict (thread_no, namespace, checkpoint, task, idx) do update
        set path = excluded.path, channel = excluded.channel, type = excluded.type, data = excluded.data
        where p.replace;
    select coalesce(sum(octet_length(w.data)), 0) - v_before into v_bytes
    from vanta.checkpoint_write w
    where w.thread_no = v_thread and w.namespace = p.namespace and w.checkpoint = p.checkpoint and w.task = p.task
        and w.idx = any (p.indexes);
    perform vanta.refuse_bytes(p.tenant, v_bytes);
    update vanta.agent_thread t set bytes = t.bytes + v_bytes, written_on = current_date
    where t.tenant_id = p.tenant and t.thread_no = v_thread;
    return v_bytes;
end
$$;


-- Put what tasks have written, by tenant, agent and thread rising: null, or what each is refused with, as of vanta.put_checkpoints.
create or replace function vanta.put_checkpoint_writes(p_puts vanta.new_checkpoint_writes[])
    returns table (ord int, refusal text)
    language plpgsql rows 16
    set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
#variable_conflict use_column
declare
    v_put          vanta.new_checkpoint_writes;
    v_grown        bigint;
    v_n            int := 0;
    v_tenants      uuid[] := '{}';
    v_agents       text[] := '{}';
    v_threads      text[] := '{}';
    v_bytes        bigint[] := '{}';
    v_traceparents text[] := '{}';
    v_datas        jsonb[] := '{}';
begin
    foreach v_put in array p_puts loop
        v_n := v_n + 1;
        begin
            v_grown := vanta.write_checkpoint_writes(v_put);
        exception
            when sqlstate 'VA002' then
                return query select v_n, 'quota_exceeded';
                continue;
            when foreign_key_violation then
                return query select v_n, 'unknown_tenant';
                continue;
        end;
        return query select v_n, null::text;
        v_tenants := v_tenants || v_put.tenant;
        v_agents := v_agents || v_put.agent;
        v_threads := v_threads || v_put.thread;
        v_bytes := v_bytes || v_grown;
        v_traceparents := v_traceparents || v_put.traceparent;
        v_datas := v_datas || jsonb_build_object(
            'namespace', v_put.namespace, 'checkpoint', v_put.checkpoint, 'task', v_put.task);
    end loop;
    perform vanta.note_changes(
        'vanta.agent.writes.put', v_tenants, v_agents, v_threads, v_bytes, v_traceparents, v_datas);
end
$$;


-- What one task has written, as the release before puts it.
create or replace function vanta.put_checkpoint_writes(
    p_tenant uuid, p_agent text, p_thread text, p_namespace text, p_checkpoint text, p_task text, p_path text,
    p_replace boolean, p_indexes int[], p_channels text[], p_types text[], p_datas bytea[], p_traceparent text)
    returns void
    language plpgsql as $$
declare
    v_bytes bigint := vanta.write_checkpoint_writes(row(
        p_tenant, p_agent, p_thread, p_namespace, p_checkpoint, p_task, p_path, p_replace, p_indexes, p_channels, p_types,
        p_datas, p_traceparent)::vanta.new_checkpoint_writes);
begin
    perform vanta.note_changes(
        'vanta.agent.writes.put', array[p_tenant], array[p_agent], array[p_thread], array[v_bytes], array[p_traceparent],
        array[jsonb_build_object('namespace', p_namespace, 'checkpoint', p_checkpoint, 'task', p_task)]);
end
$$;
