-- Threads of agents: deleting, pruning and copying them, and how much is kept. All threads are locked before anything else,
-- as agents.sql says.

-- Delete threads of an agent whole, with p_before only those nobody wrote to since then; how many there were.
create or replace function vanta.delete_threads(
    p_tenant uuid, p_agent text, p_threads text[], p_before date, p_traceparent text) returns int
    language plpgsql as $$
declare
    v_locked bigint[];
    v_thread record;
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    v_locked := array(
        select t.thread_no from vanta.agent_thread t
        where t.tenant_id = p_tenant and t.agent = p_agent and t.thread = any (p_threads)
            and (p_before is null or t.written_on < p_before)
        order by t.thread
        for update);
    for v_thread in select t.thread_no, t.bytes from vanta.agent_thread t where t.thread_no = any (v_locked) loop
        perform vanta.note_thread(
            p_tenant, v_thread.thread_no, -v_thread.bytes, 'vanta.agent.thread.deleted', p_traceparent, '{}');
    end loop;
    -- Everything of them goes with them.
    delete from vanta.agent_thread t where t.thread_no = any (v_locked);
    return cardinality(v_locked);
end
$$;


-- Keep only the newest p_keep checkpoints of each namespace of these threads; how many checkpoints went.
create or replace function vanta.prune_threads(
    p_tenant uuid, p_agent text, p_threads text[], p_keep int, p_traceparent text) returns int
    language plpgsql as $$
declare
    v_locked  bigint[];
    v_thread  bigint;
    v_space   text;
    v_pruned  record;
    v_bytes   bigint;
    v_removed int;
    v_total   int := 0;
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    v_locked := array(
        select t.thread_no from vanta.agent_thread t
        where t.tenant_id = p_tenant and t.agent = p_agent and t.thread = any (p_threads)
        order by t.thread
        for update);
    foreach v_thread in array v_locked loop
        v_bytes := 0;
        v_removed := 0;
        -- The root namespace is the first: what goes with it need not be looked at.
        for v_space in
            select distinct c.namespace from vanta.checkpoint c where c.thread_no = v_thread order by c.namespace
        loop
            v_pruned := vanta.prune_namespace(v_thread, v_space, p_keep);
            v_bytes := v_bytes + v_pruned.bytes;
            v_removed := v_removed + v_pruned.removed;
        end loop;
        if v_removed > 0 then
            perform vanta.note_thread(
                p_tenant, v_thread, -v_bytes, 'vanta.agent.thread.pruned', p_traceparent,
                jsonb_build_object('pruned', v_removed));
            v_total := v_total + v_removed;
        end if;
    end loop;
    return v_total;
end
$$;


-- Delete the checkpoints of runs in all threads of an agent; how many there were.
create or replace function vanta.delete_runs(p_tenant uuid, p_agent text, p_runs text[], p_traceparent text) returns int
    language plpgsql as $$
declare
    v_locked  bigint[];
    v_thread  bigint;
    v_space   record;
    v_bytes   bigint;
    v_removed int;
    v_total   int := 0;
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    v_locked := array(
        select t.thread_no from vanta.agent_thread t
        where t.tenant_id = p_tenant and t.agent = p_agent and t.thread_no in (
            select c.thread_no from vanta.checkpoint c where c.tenant_id = p_tenant and c.run = any (p_runs))
        order by t.thread
        for update);
    foreach v_thread in array v_locked loop
        v_bytes := 0;
        v_removed := 0;
        for v_space in
            select c.namespace, array_agg(c.checkpoint) as checkpoints
            from vanta.checkpoint c
            where c.thread_no = v_thread and c.run = any (p_runs)
            group by c.namespace
        loop
            v_bytes := v_bytes + vanta.remove_checkpoints(v_thread, v_space.namespace, v_space.checkpoints);
            v_removed := v_removed + cardinality(v_space.checkpoints);
        end loop;
        if v_removed > 0 then
            perform vanta.note_thread(
                p_tenant, v_thread, -v_bytes, 'vanta.agent.runs.deleted', p_traceparent,
                jsonb_build_object('removed', v_removed));
            v_total := v_total + v_removed;
        end if;
    end loop;
    return v_total;
end
$$;


-- A thread that is not there yet, locked; null if it is there.
create or replace function vanta.begin_thread(p_tenant uuid, p_agent text, p_thread text) returns bigint
    language plpgsql as $$
declare
    v_thread bigint;
begin
    insert into vanta.agent_thread as t (tenant_id, agent, thread) values (p_tenant, p_agent, p_thread)
    on conflict do nothing
    returning t.thread_no into v_thread;
    return v_thread;
end
$$;

-- Copy a thread, everything in it, to one that is not there yet. Outcomes: copied, not_found, exists.
create or replace function vanta.copy_thread(
    p_tenant uuid, p_agent text, p_source text, p_target text, p_traceparent text) returns text
    language plpgsql as $$
declare
    v_source vanta.agent_thread;
    v_target bigint;
    v_first  boolean := p_target collate "C" < p_source;
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    if v_first then
        v_target := vanta.begin_thread(p_tenant, p_agent, p_target);
    end if;
    -- Nobody changes the source meanwhile; others may copy it too.
    select t.* into v_source from vanta.agent_thread t
    where t.tenant_id = p_tenant and t.agent = p_agent and t.thread = p_source
    for share;
    if not found then
        delete from vanta.agent_thread t where t.tenant_id = p_tenant and t.thread_no = v_target;
        return 'not_found';
    end if;
    if not v_first then
        v_target := vanta.begin_thread(p_tenant, p_agent, p_target);
    end if;
    if v_target is null then
        return 'exists';
    end if;
    update vanta.agent_thread t set parts = v_source.parts where t.tenant_id = p_tenant and t.thread_no = v_target;
    insert into vanta.checkpoint_part (tenant_id, thread_no, no, digest, type, data)
    select p_tenant, v_target, p.no, p.digest, p.type, p.data
    from vanta.checkpoint_part p where p.thread_no = v_source.thread_no;
    insert into vanta.checkpoint
        (tenant_id, thread_no, namespace, checkpoint, parent, root, run, needs_parent, type, data, metadata, channels, parts,
         written_at)
    select p_tenant, v_target, c.namespace, c.checkpoint, c.parent, c.root, c.run, c.needs_parent, c.type, c.data, c.metadata,
           c.channels, c.parts, c.written_at
    from vanta.checkpoint c where c.thread_no = v_source.thread_no;
    insert into vanta.checkpoint_write (tenant_id, thread_no, namespace, checkpoint, task, idx, path, channel, type, data)
    select p_tenant, v_target, w.namespace, w.checkpoint, w.task, w.idx, w.path, w.channel, w.type, w.data
    from vanta.checkpoint_write w where w.thread_no = v_source.thread_no;
    perform vanta.note_thread(
        p_tenant, v_target, v_source.bytes, 'vanta.agent.thread.copied', p_traceparent, jsonb_build_object('from', p_source));
    return 'copied';
end
$$;


create or replace function vanta.put_agent_retention(
    p_tenant uuid, p_agent text, p_keep_checkpoints int, p_keep_days int, p_traceparent text) returns void
    language plpgsql as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    insert into vanta.agent_retention as r (tenant_id, agent, keep_checkpoints, keep_days)
    values (p_tenant, p_agent, p_keep_checkpoints, p_keep_days)
    on conflict (tenant_id, agent) do update
        set keep_checkpoints = excluded.keep_checkpoints, keep_days = excluded.keep_days;
    perform vanta.emit(
        p_tenant, 'vanta.agent.retention.put', 'agents/' || p_agent, p_traceparent,
        jsonb_strip_nulls(jsonb_build_object(
            'agent', p_agent, 'keepCheckpoints', p_keep_checkpoints, 'keepDays', p_keep_days)));
end
$$;


-- Delete threads of one agent that nobody wrote to for longer than it keeps them, at most p_limit; how many those were.
-- A thread may be large, and what would take longer than a statement may would never get done: so a few at a time. Of one agent,
-- for the tenant's head is locked by then, and no thread may be after that.
create or replace function vanta.sweep_threads(p_tenant uuid, p_limit int) returns int
    language plpgsql as $$
declare
    v_agent record;
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    select r.agent, current_date - r.keep_days as before, array_agg(t.thread) as threads into v_agent
    from vanta.agent_retention r
    -- Plan: a range of agent_thread_age.
    cross join lateral (
        select t.thread from vanta.agent_thread t
        where t.tenant_id = p_tenant and t.agent = r.agent and t.written_on < current_date - r.keep_days
        order by t.written_on
        limit least(p_limit, 20)
    ) t
    where r.tenant_id = p_tenant and r.keep_days is not null
    group by r.agent, r.keep_days
    limit 1;
    if not found then
        return 0;
    end if;
    -- One that somebody has written to by now is not deleted.
    return vanta.delete_threads(p_tenant, v_agent.agent, v_agent.threads, v_agent.before, null);
end
$$;
