-- Checkpoints of agents: reading them.
--
-- The functions are stable, so all that one of them reads is of one moment: a checkpoint never comes without its parts.

-- The newest checkpoints of a namespace before p_before, or the one called p_checkpoint, at most p_limit, together with what
-- their channels have and what waits at them. Metadata must have each member of p_filter with the same value.
-- A row is a checkpoint, a write of the checkpoint, or a part, as kind says; more tells whether there are older ones.
--
-- What would make the answer larger than p_bytes is left for the next page, but for the first checkpoint.
create or replace function vanta.read_checkpoints(
    p_tenant uuid, p_agent text, p_thread text, p_namespace text, p_checkpoint text, p_before text, p_filter jsonb, p_limit int,
    p_bytes bigint)
    returns table (kind text, checkpoint text, parent text, metadata text, channels text, more boolean, task text, channel text,
                   no int, type text, data bytea)
    language plpgsql stable rows 64
    set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
#variable_conflict use_column
declare
    v_thread bigint;
    v_found  text[];
    v_taken  text[];
    v_parts  int4multirange;
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    select t.thread_no into v_thread from vanta.agent_thread t
    where t.tenant_id = p_tenant and t.agent = p_agent and t.thread = p_thread;
    -- Plan: the primary key, backwards.
    select array_agg(f.checkpoint order by f.checkpoint desc) into v_found
    from (
        select c.checkpoint from vanta.checkpoint c
        where c.thread_no = v_thread and c.namespace = p_namespace
            and (p_checkpoint is null or c.checkpoint = p_checkpoint)
            and (p_before is null or c.checkpoint < p_before)
            and not exists (
                select from jsonb_each(p_filter) f where c.metadata -> f.key is distinct from f.value)
        order by c.checkpoint desc
        limit p_limit + 1
    ) f;
    if v_found is null then
        return;
    end if;
    with size as (
        select f.n, f.checkpoint,
               octet_length(c.data)
               + (select coalesce(sum(octet_length(w.data)), 0) from vanta.checkpoint_write w
                  where w.thread_no = v_thread and w.namespace = p_namespace and w.checkpoint = f.checkpoint)
               + (select coalesce(sum(octet_length(p.data)), 0) from vanta.checkpoint_part p
                  where p.thread_no = v_thread and p.no >= lower(c.parts) and p.no < upper(c.parts) and p.no <@ c.parts)
               as bytes
        from unnest(v_found[:p_limit]) with ordinality as f (checkpoint, n)
        join vanta.checkpoint c
            on c.thread_no = v_thread and c.namespace = p_namespace and c.checkpoint = f.checkpoint
    ), total as (
        select s.n, s.checkpoint, sum(s.bytes) over (order by s.n) as bytes from size s
    )
    select array_agg(t.checkpoint order by t.n) into v_taken
    from total t
    where t.n = 1 or t.bytes <= p_bytes;

    return query
    select 'checkpoint'::text, c.checkpoint, c.parent, c.metadata::text, c.channels::text,
           cardinality(v_taken) < cardinality(v_found), null::text, null::text, null::int, c.type, c.data
    from vanta.checkpoint c
    where c.thread_no = v_thread and c.namespace = p_namespace and c.checkpoint = any (v_taken)
    order by c.checkpoint desc;

    return query
    select 'write'::text, w.checkpoint, null::text, null::text, null::text, null::boolean, w.task, w.channel, w.idx, w.type, w.data
    from vanta.checkpoint_write w
    where w.thread_no = v_thread and w.namespace = p_namespace and w.checkpoint = any (v_taken)
    order by w.checkpoint, w.path, w.task, w.idx;

    select coalesce(range_agg(c.parts), '{}') into v_parts
    from vanta.checkpoint c
    where c.thread_no = v_thread and c.namespace = p_namespace and c.checkpoint = any (v_taken);
    return query
    select 'part'::text, null::text, null::text, null::text, null::text, null::boolean, null::text, null::text, p.no, p.type, p.data
    from vanta.checkpoint_part p
    -- Plan: a range of the primary key; however many ranges there are, each part is looked at once.
    where p.thread_no = v_thread and p.no >= lower(v_parts) and p.no < upper(v_parts) and p.no <@ v_parts
    order by p.no;
end
$$;


-- A thread: its bytes and namespaces; no row if it is not there, one without namespace if nothing is in it but writes.
create or replace function vanta.read_thread(p_tenant uuid, p_agent text, p_thread text)
    returns table (bytes bigint, written_on date, namespace text, checkpoints bigint, newest text)
    language plpgsql stable rows 4 as $$
#variable_conflict use_column
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    return query
    select t.bytes, t.written_on, c.namespace, count(c.checkpoint), max(c.checkpoint)
    from vanta.agent_thread t
    left join vanta.checkpoint c on c.thread_no = t.thread_no
    where t.tenant_id = p_tenant and t.agent = p_agent and t.thread = p_thread
    group by t.thread_no, c.namespace
    order by c.namespace;
end
$$;


-- The threads of an agent after p_after, in order.
create or replace function vanta.list_threads(p_tenant uuid, p_agent text, p_after text, p_limit int)
    returns table (thread text, bytes bigint, written_on date)
    language plpgsql stable rows 100 as $$
#variable_conflict use_column
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    return query
    select t.thread, t.bytes, t.written_on from vanta.agent_thread t
    where t.tenant_id = p_tenant and t.agent = p_agent and t.thread > p_after
    order by t.thread
    limit p_limit;
end
$$;


-- The agents after p_after that have a state or a thread, in order.
create or replace function vanta.list_agents(p_tenant uuid, p_after text, p_limit int)
    returns table (agent text, has_state boolean, has_threads boolean)
    language plpgsql stable rows 100 as $$
#variable_conflict use_column
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    -- From agent to agent by index, however many threads each has.
    return query
    with recursive threaded as (
        (select t.agent from vanta.agent_thread t
         where t.tenant_id = p_tenant and t.agent > p_after
         order by t.agent limit 1)
        union all
        select (select t.agent from vanta.agent_thread t
                where t.tenant_id = p_tenant and t.agent > l.agent
                order by t.agent limit 1)
        from threaded l
        where l.agent is not null
    ), named as (
        (select d.key as agent, true as has_state, false as has_threads
         from vanta.document d
         where d.tenant_id = p_tenant and d.collection = '_agents' and d.key > p_after
             and (d.expires_at is null or d.expires_at > clock_timestamp())
         order by d.key
         limit p_limit)
        union all
        (select l.agent, false, true from threaded l where l.agent is not null limit p_limit)
    )
    select n.agent, bool_or(n.has_state), bool_or(n.has_threads)
    from named n
    group by n.agent
    order by n.agent
    limit p_limit;
end
$$;


create or replace function vanta.read_agent_retention(p_tenant uuid, p_agent text)
    returns table (keep_checkpoints int, keep_days int)
    language plpgsql stable rows 1 as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    return query
    select vanta.keep_checkpoints(p_tenant, p_agent),
           (select r.keep_days from vanta.agent_retention r where r.tenant_id = p_tenant and r.agent = p_agent);
end
$$;
