-- Sessions: kept as documents are, docs/adr/0007-state-path.md, in a table of their own, docs/adr/0021-sessions.md.

-- Live sessions; grouped by tenant as in vanta.read_documents.
create or replace function vanta.read_sessions(p_tenants uuid[], p_counts int[], p_tokens text[])
    returns table (ord int, revision bigint, value text, expires_ms bigint)
    language plpgsql rows 64 as $$
declare
    v_from int := 1;
    v_to   int;
begin
    for t in 1 .. cardinality(p_tenants) loop
        v_to := v_from + p_counts[t] - 1;
        perform set_config('vanta.tenant', p_tenants[t]::text, true);
        -- Plan: one primary-key probe per row.
        return query
        select (i.ord + v_from - 1)::int, s.revision, s.value, (extract(epoch from s.expires_at) * 1000)::bigint
        from unnest(p_tokens[v_from:v_to]) with ordinality as i (token, ord)
        join vanta.session s on s.tenant_id = p_tenants[t] and s.token_sha256 = i.token
        where s.expires_at > clock_timestamp();
        v_from := v_to + 1;
    end loop;
end
$$;


-- Begin, extend and revoke sessions, in the order given, tenants in rising order: p_values is what the session is (it begins, or
-- lives on), or null (it ends). p_begins says whether the session must not exist yet, or must. p_epoch is as in
-- vanta.write_documents. Outcomes: created, replaced, deleted, not_found, precondition_failed, unknown_tenant.
create or replace function vanta.write_sessions(
    p_epoch uuid, p_tenants uuid[], p_tokens text[], p_values text[], p_begins boolean[], p_by text[], p_traceparents text[])
    returns table (ord int, outcome text, revision bigint, expires_ms bigint)
    language plpgsql rows 64 as $$
#variable_conflict use_column
declare
    v_now     timestamptz;
    v_known   boolean;
    v_value   jsonb;
    v_end     timestamptz;
    v_session vanta.session;
begin
    perform vanta.hold_cache_epoch(p_epoch);
    for n in 1 .. cardinality(p_tenants) loop
        if n = 1 or p_tenants[n] <> p_tenants[n - 1] then
            perform set_config('vanta.tenant', p_tenants[n]::text, true);
            perform from vanta.tenant_head h where h.tenant_id = p_tenants[n] for update;
            v_known := found;
        end if;
        if not v_known then
            return query select n, 'unknown_tenant'::text, null::bigint, null::bigint;
            continue;
        end if;
        v_now := clock_timestamp();
        v_value := p_values[n];
        v_end := least((v_value ->> 'endsAt')::timestamptz, v_now + make_interval(secs => (v_value ->> 'idleTtl')::int));
        if v_value is null then
            delete from vanta.session s
            where s.tenant_id = p_tenants[n] and s.token_sha256 = p_tokens[n] and s.expires_at > v_now
            returning * into v_session;
            outcome := case when found then 'deleted' else 'not_found' end;
        elsif p_begins[n] then
            insert into vanta.session (tenant_id, token_sha256, session_id, subject, revision, value, expires_at)
            values (p_tenants[n], p_tokens[n], (v_value ->> 'id')::uuid, v_value ->> 'subject', 0, p_values[n], v_end)
            on conflict do nothing
            returning * into v_session;
            outcome := case when found then 'created' else 'precondition_failed' end;
        else
            update vanta.session s set expires_at = v_end
            where s.tenant_id = p_tenants[n] and s.token_sha256 = p_tokens[n] and s.expires_at > v_now
            returning * into v_session;
            outcome := case when found then 'replaced' else 'precondition_failed' end;
        end if;
        if v_session is null then
            return query select n, outcome, null::bigint, null::bigint;
            continue;
        end if;
        revision := vanta.emit(
            p_tenants[n],
            'vanta.session.' || case outcome when 'created' then 'created' when 'replaced' then 'extended' else 'revoked' end,
            'sessions/' || v_session.session_id, p_traceparents[n],
            jsonb_strip_nulls(jsonb_build_object(
                'id', v_session.session_id, 'subject', v_session.subject, 'by', p_by[n],
                'expiresAt', case when outcome <> 'deleted' then v_session.expires_at end)));
        if outcome <> 'deleted' then
            update vanta.session s set revision = write_sessions.revision
            where s.tenant_id = p_tenants[n] and s.token_sha256 = p_tokens[n];
        end if;
        return query select n, outcome, revision, (extract(epoch from v_session.expires_at) * 1000)::bigint;
    end loop;
end
$$;


-- The live sessions of a subject, or one of them, the newest first.
create or replace function vanta.list_sessions(p_tenant uuid, p_subject text, p_session uuid, p_limit int)
    returns table (token_sha256 text, value text, expires_ms bigint)
    language plpgsql rows 10 as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    return query
    select s.token_sha256, s.value, (extract(epoch from s.expires_at) * 1000)::bigint
    from vanta.session s
    where s.tenant_id = p_tenant and s.subject = p_subject and s.session_id = coalesce(p_session, s.session_id) and s.expires_at > clock_timestamp()
    order by s.value::jsonb ->> 'createdAt' desc, s.token_sha256
    limit p_limit;
end
$$;


-- Remove sessions whose time has passed; how many.
create or replace function vanta.sweep_sessions(p_tenant uuid, p_limit int) returns bigint
    language plpgsql as $$
declare
    v_count bigint := 0;
    v_row   record;
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    if not exists (select from vanta.session s where s.tenant_id = p_tenant and s.expires_at <= clock_timestamp()) then
        return 0;
    end if;
    if not vanta.lock_head(p_tenant) then
        return 0;
    end if;
    for v_row in
        delete from vanta.session s
        using (select d.token_sha256 from vanta.session d
               where d.tenant_id = p_tenant and d.expires_at <= clock_timestamp()
               order by d.expires_at limit p_limit) due
        where s.tenant_id = p_tenant and s.token_sha256 = due.token_sha256
        returning s.session_id, s.subject
    loop
        perform vanta.emit(p_tenant, 'vanta.session.expired', 'sessions/' || v_row.session_id, null,
                           jsonb_build_object('id', v_row.session_id, 'subject', v_row.subject));
        v_count := v_count + 1;
    end loop;
    return v_count;
end
$$;
