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
