-- Events of changes that are no document's: they share the tenant's revisions, so there is one order of everything.

-- The revision of an event of the tenant, written with the change that it tells of, in the same transaction.
-- Raises foreign_key_violation for a tenant that does not exist. Sets vanta.tenant for the rest of the transaction.
create or replace function vanta.emit(
    p_tenant uuid, p_type text, p_subject text, p_traceparent text, p_data jsonb)
    returns bigint
    language plpgsql as $$
declare
    v_revision bigint;
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    update vanta.tenant_head h set revision = h.revision + 1 where h.tenant_id = p_tenant
    returning h.revision into v_revision;
    if not found then
        raise exception 'there is no tenant %', p_tenant using errcode = 'foreign_key_violation';
    end if;
    insert into vanta.outbox (tenant_id, revision, type, subject, time, traceparent, data)
    values (p_tenant, v_revision, p_type, p_subject, clock_timestamp(), p_traceparent, p_data);
    return v_revision;
end
$$;


-- Events of many tenants, each after its own revision, at most p_limit of each, in order. After those of a tenant comes a row
-- without revision: the time of the event after which they are (null where that is not known), up to where events are no longer
-- kept, how far they are relayed, and the tenant's revision.
--
-- That row is read last: if events were swept in between, it says so.
create or replace function vanta.read_events(p_tenants uuid[], p_afters bigint[], p_limit int)
    returns table (tenant_id uuid, revision bigint, type text, subject text, "time" timestamptz, traceparent text,
                   data text, swept bigint, relayed bigint, head bigint)
    language plpgsql rows 64 as $$
#variable_conflict use_column
begin
    for t in 1 .. cardinality(p_tenants) loop
        perform set_config('vanta.tenant', p_tenants[t]::text, true);
        -- Plan: a range of the primary key, in its order.
        return query
        select o.tenant_id, o.revision, o.type, o.subject, o.time, o.traceparent, o.data::text,
               null::bigint, null::bigint, null::bigint
        from vanta.outbox o
        where o.tenant_id = p_tenants[t] and o.revision > p_afters[t]
        order by o.revision
        limit p_limit;
        return query
        select p_tenants[t], null::bigint, null::text, null::text,
               coalesce((select o.time from vanta.outbox o where o.tenant_id = p_tenants[t] and o.revision = p_afters[t]),
                        max(c.swept_time) filter (where c.swept = p_afters[t])),
               null::text, null::text, coalesce(max(c.swept), 0), coalesce(max(c.relayed), 0),
               coalesce((select h.revision from vanta.tenant_head h where h.tenant_id = p_tenants[t]), 0)
        from vanta.event_cursor c
        where c.tenant_id = p_tenants[t];
    end loop;
end
$$;


-- Whether this transaction alone may move the cursor of a tenant; asks and does not wait, for whoever moves it is at its work.
create or replace function vanta.hold_event_cursor(p_tenant uuid) returns boolean
    language sql
    return pg_try_advisory_xact_lock(hashtextextended('vanta.event_cursor/' || p_tenant, 0));


-- Take the events of p_tenants that are to be relayed, at most p_limit of each. Until this transaction ends no other relay gets
-- events of these tenants; one that another relay has is answered by a row without revision.
create or replace function vanta.take_events(p_tenants uuid[], p_limit int)
    returns table (tenant_id uuid, revision bigint, type text, subject text, "time" timestamptz, traceparent text,
                   data text)
    language plpgsql rows 64 as $$
#variable_conflict use_column
declare
    v_relayed bigint;
begin
    -- A cursor lost in a crash is no harm, for Redis refuses what it has; so no write waits behind a flush for it.
    perform set_config('synchronous_commit', 'off', true);
    for t in 1 .. cardinality(p_tenants) loop
        perform set_config('vanta.tenant', p_tenants[t]::text, true);
        if vanta.hold_event_cursor(p_tenants[t]) then
            select coalesce(max(c.relayed), 0) into v_relayed
            from vanta.event_cursor c where c.tenant_id = p_tenants[t];
            return query
            select o.tenant_id, o.revision, o.type, o.subject, o.time, o.traceparent, o.data::text
            from vanta.outbox o
            where o.tenant_id = p_tenants[t] and o.revision > v_relayed
            order by o.revision
            limit p_limit;
        else
            return query
            select p_tenants[t], null::bigint, null::text, null::text, null::timestamptz, null::text, null::text;
        end if;
    end loop;
end
$$;


-- Note, in the transaction that took them, up to which revision the events of each tenant have been relayed.
create or replace function vanta.note_relayed(p_tenants uuid[], p_revisions bigint[]) returns void
    language plpgsql as $$
begin
    for t in 1 .. cardinality(p_tenants) loop
        perform set_config('vanta.tenant', p_tenants[t]::text, true);
        insert into vanta.event_cursor as c (tenant_id, relayed) values (p_tenants[t], p_revisions[t])
        on conflict (tenant_id) do update set relayed = excluded.relayed where c.relayed < excluded.relayed;
    end loop;
end
$$;


-- How much is still to be relayed: a row for each of p_tenants that has something, with how many events and how old the oldest is.
create or replace function vanta.relay_lag(p_tenants uuid[])
    returns table (tenant_id uuid, events bigint, seconds double precision)
    language plpgsql rows 64 as $$
#variable_conflict use_column
begin
    for t in 1 .. cardinality(p_tenants) loop
        perform set_config('vanta.tenant', p_tenants[t]::text, true);
        return query
        select h.tenant_id, h.revision - coalesce(c.relayed, 0),
               extract(epoch from clock_timestamp() - o.time)::double precision
        from vanta.tenant_head h
        left join vanta.event_cursor c on c.tenant_id = h.tenant_id
        cross join lateral (
            select o.time from vanta.outbox o
            where o.tenant_id = h.tenant_id and o.revision > coalesce(c.relayed, 0)
            order by o.revision limit 1
        ) o
        where h.tenant_id = p_tenants[t] and h.revision > coalesce(c.relayed, 0);
    end loop;
end
$$;


-- Drop the oldest events of a tenant, at most p_limit: those over p_hours old that are relayed and delivered; how many were dropped.
--
-- With its owner's rights, because the application may add to the outbox and never take away: all that it can have dropped is
-- what this function lets go. It is the owner's, who may be exempt from row-level security, so it names the tenant everywhere.
create or replace function vanta.sweep_events(p_tenant uuid, p_hours int, p_limit int) returns bigint
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_done  bigint;
    v_to    bigint;
    v_time  timestamptz;
    v_swept bigint;
begin
    if p_hours < 1 then
        raise exception 'events are kept for an hour at least' using errcode = 'invalid_parameter_value';
    end if;
    perform set_config('vanta.tenant', p_tenant::text, true);
    if not vanta.hold_event_cursor(p_tenant) then
        return 0;
    end if;
    select least(max(c.relayed), (select min(w.delivered) from vanta.webhook w
                                  where w.tenant_id = p_tenant and w.disabled_at is null)) into v_done
    from vanta.event_cursor c where c.tenant_id = p_tenant;
    -- The clock may have been set back, so a young event can stand before an old one: nothing behind it goes.
    select coalesce(min(w.revision) filter (where w.young) - 1, max(w.revision)) into v_to
    from (
        select o.revision, o.time >= clock_timestamp() - make_interval(hours => p_hours) as young
        from vanta.outbox o
        where o.tenant_id = p_tenant and o.revision <= v_done
        order by o.revision
        limit p_limit
    ) w;
    select o.time into v_time from vanta.outbox o where o.tenant_id = p_tenant and o.revision = v_to;
    delete from vanta.outbox o where o.tenant_id = p_tenant and o.revision <= v_to;
    get diagnostics v_swept = row_count;
    if v_swept > 0 then
        update vanta.event_cursor c set swept = v_to, swept_time = v_time where c.tenant_id = p_tenant;
    end if;
    return v_swept;
end
$$;

revoke execute on function vanta.sweep_events(uuid, int, int) from public;
grant execute on function vanta.sweep_events(uuid, int, int) to vanta_api;
