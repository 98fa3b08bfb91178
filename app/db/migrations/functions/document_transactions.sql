-- Writes of one tenant that stand or fall together, and answers that are given again.

-- What was answered under an Idempotency-Key, if it is still remembered: an array of rows as transact returns them.
create or replace function vanta.find_answer(p_tenant uuid, p_key text)
    returns table (fingerprint text, answer jsonb)
    language plpgsql rows 1 as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    return query
    select a.fingerprint, a.answer
    from vanta.idempotent_answer a
    where a.tenant_id = p_tenant and a.key = p_key and a.recorded_at > clock_timestamp() - vanta.keep_answers();
end
$$;


-- How long an answer is remembered.
create or replace function vanta.keep_answers() returns interval
    language sql immutable parallel safe
    return interval '24 hours';


-- Write documents of one tenant, all or none, as write_documents with p_atomic does.
--
-- With p_once, an Idempotency-Key, what was answered under it before is returned again (replayed) and nothing is written;
-- SQLSTATE VA003 tells that it was another request: p_fingerprint differs. A refusal is remembered as a success is, or an
-- earlier try that is still under way could be done after the refusal of a later one; with p_once the limits of the tenant are
-- therefore an outcome, quota_exceeded, and no SQLSTATE. p_open is an outcome after which the caller goes on, so it is not remembered.
-- The lock of tenant_head lets the second of two concurrent requests wait for the first one's answer.
drop function if exists vanta.transact(uuid, uuid, text[], text[], text[], text[], int[], text[], text[], text, text, text);
create or replace function vanta.transact(
    p_epoch uuid, p_tenant uuid, p_collections text[], p_keys text[], p_values text[], p_digests text[], p_ttls int[],
    p_conditions text[], p_etags text[], p_traceparent text, p_once text, p_fingerprint text, p_open text default null)
    returns table (ord int, outcome text, revision bigint, expires_ms bigint, digest text, replayed boolean)
    language plpgsql rows 8 as $$
#variable_conflict use_column
declare
    v_answer record;
    v_rows   jsonb;
begin
    -- In this order everywhere: the epoch, then the tenant.
    perform vanta.hold_cache_epoch(p_epoch);
    perform set_config('vanta.tenant', p_tenant::text, true);
    perform from vanta.tenant_head h where h.tenant_id = p_tenant for update;
    if p_once is null then
        return query
        select w.ord, w.outcome, w.revision, w.expires_ms, p_digests[w.ord], false
        from vanta.write_documents(
            p_epoch, array[p_tenant], array[cardinality(p_keys)], p_collections, p_keys, p_values, p_digests, p_ttls,
            p_conditions, p_etags, array_fill(p_traceparent, array[cardinality(p_keys)]), true) w;
        return;
    end if;
    select a.fingerprint, a.answer into v_answer from vanta.find_answer(p_tenant, p_once) a;
    if found then
        if v_answer.fingerprint <> p_fingerprint then
            raise exception 'the idempotency key is of another request' using errcode = 'VA003';
        end if;
        return query
        select r.ord, r.outcome, r.revision, r.expires_ms, r.digest, true
        from jsonb_to_recordset(v_answer.answer)
            as r (ord int, outcome text, revision bigint, expires_ms bigint, digest text);
        return;
    end if;
    begin
        select jsonb_agg(jsonb_build_object(
                   'ord', w.ord, 'outcome', w.outcome, 'revision', w.revision, 'expires_ms', w.expires_ms,
                   'digest', p_digests[w.ord]))
        into v_rows
        from vanta.write_documents(
            p_epoch, array[p_tenant], array[cardinality(p_keys)], p_collections, p_keys, p_values, p_digests, p_ttls,
            p_conditions, p_etags, array_fill(p_traceparent, array[cardinality(p_keys)]), true) w;
    exception when sqlstate 'VA002' then
        select jsonb_agg(jsonb_build_object(
                   'ord', n, 'outcome', 'quota_exceeded', 'revision', null, 'expires_ms', null, 'digest', null))
        into v_rows
        from generate_subscripts(p_keys, 1) n;
    end;
    if not v_rows @> '[{"outcome": "unknown_tenant"}]'
        and not (p_open is not null and v_rows @> jsonb_build_array(jsonb_build_object('outcome', p_open)))
    then
        insert into vanta.idempotent_answer as a (tenant_id, key, fingerprint, recorded_at, answer)
        values (p_tenant, p_once, p_fingerprint, clock_timestamp(), v_rows)
        -- One that is no longer remembered, and not swept yet.
        on conflict on constraint idempotent_answer_pkey do update
            set fingerprint = excluded.fingerprint, recorded_at = excluded.recorded_at, answer = excluded.answer;
    end if;
    return query
    select r.ord, r.outcome, r.revision, r.expires_ms, r.digest, false
    from jsonb_to_recordset(v_rows) as r (ord int, outcome text, revision bigint, expires_ms bigint, digest text);
end
$$;
