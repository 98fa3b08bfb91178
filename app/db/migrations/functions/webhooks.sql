-- Webhooks: making them, and delivering in order. docs/adr/0019-events.md

-- Make a webhook that begins after the event of its own making; null if the tenant has p_limit already.
create or replace function vanta.create_webhook(
    p_tenant uuid, p_webhook uuid, p_url text, p_types text[], p_subject_prefixes text[], p_generation int,
    p_sealed bytea, p_traceparent text, p_limit int)
    returns timestamptz
    language plpgsql as $$
declare
    v_revision bigint;
    v_created  timestamptz;
begin
    -- Of two at once, the second counts what the first has made.
    perform vanta.lock_head(p_tenant);
    if (select count(*) from vanta.webhook w where w.tenant_id = p_tenant) >= p_limit then
        return null;
    end if;
    -- Without the URL, which may hold a secret.
    v_revision := vanta.emit(p_tenant, 'vanta.webhook.created', 'webhooks/' || p_webhook, p_traceparent,
                             jsonb_build_object('types', p_types, 'subjectPrefixes', p_subject_prefixes));
    insert into vanta.webhook (tenant_id, webhook_id, url, types, subject_prefixes, generation, sealed, delivered)
    values (p_tenant, p_webhook, p_url, p_types, p_subject_prefixes, p_generation, p_sealed, v_revision)
    returning created_at into v_created;
    return v_created;
end
$$;


-- Remove a webhook with its dead letters; whether there was one.
create or replace function vanta.delete_webhook(p_tenant uuid, p_webhook uuid, p_traceparent text) returns boolean
    language plpgsql as $$
begin
    perform vanta.lock_head(p_tenant);
    delete from vanta.webhook w where w.tenant_id = p_tenant and w.webhook_id = p_webhook;
    if not found then
        return false;
    end if;
    perform vanta.emit(p_tenant, 'vanta.webhook.deleted', 'webhooks/' || p_webhook, p_traceparent, '{}');
    return true;
end
$$;


-- The webhooks of a tenant, or the one of p_webhook.
create or replace function vanta.list_webhooks(p_tenant uuid, p_webhook uuid) returns setof vanta.webhook
    language plpgsql rows 10 as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    return query
    select * from vanta.webhook w
    where w.tenant_id = p_tenant and (p_webhook is null or w.webhook_id = p_webhook)
    order by w.created_at, w.webhook_id;
end
$$;


-- Which of p_tenants have a webhook that is not disabled.
create or replace function vanta.tenants_with_webhooks(p_tenants uuid[]) returns setof uuid
    language plpgsql rows 10 as $$
begin
    for t in 1 .. cardinality(p_tenants) loop
        perform set_config('vanta.tenant', p_tenants[t]::text, true);
        if exists (select from vanta.webhook w where w.tenant_id = p_tenants[t] and w.disabled_at is null) then
            return next p_tenants[t];
        end if;
    end loop;
end
$$;


-- At most p_limit webhooks of p_tenants that have something to deliver now and that nobody holds; p_holder holds them for p_seconds.
create or replace function vanta.claim_webhooks(p_tenants uuid[], p_holder uuid, p_seconds int, p_limit int)
    returns setof vanta.webhook
    language plpgsql rows 10 as $$
declare
    v_left  bigint := p_limit;
    v_found bigint;
begin
    for t in 1 .. cardinality(p_tenants) loop
        perform set_config('vanta.tenant', p_tenants[t]::text, true);
        return query
        update vanta.webhook w
        set holder = p_holder, held_until = clock_timestamp() + make_interval(secs => p_seconds)
        from (
            select c.webhook_id
            from vanta.webhook c
            join vanta.tenant_head h on h.tenant_id = c.tenant_id and h.revision > c.delivered
            where c.tenant_id = p_tenants[t] and c.disabled_at is null
                and c.due_at <= clock_timestamp() and c.held_until < clock_timestamp()
            order by c.due_at
            limit v_left
            for update of c skip locked
        ) due
        where w.tenant_id = p_tenants[t] and w.webhook_id = due.webhook_id
        returning w.*;
        get diagnostics v_found = row_count;
        v_left := v_left - v_found;
        exit when v_left <= 0;
    end loop;
end
$$;


-- Whether the event that a process read is still there, and not another one of its revision; one of null is.
create or replace function vanta.event_is(p_tenant uuid, p_revision bigint, p_time timestamptz) returns boolean
    language sql stable
    return p_time is null or exists (
        select from vanta.outbox o where o.tenant_id = p_tenant and o.revision = p_revision and o.time = p_time);


-- Note how far p_holder has come, and hold on for p_seconds (0: let go), the next attempt not before p_wait seconds.
-- False if another has taken over, the webhook is gone, or the event p_tried at p_time is lost: then nothing is noted, and the caller stops.
drop function if exists vanta.note_delivery(uuid, uuid, uuid, bigint, int, boolean, double precision, int);
create or replace function vanta.note_delivery(
    p_tenant uuid, p_webhook uuid, p_holder uuid, p_delivered bigint, p_attempts int, p_success boolean,
    p_wait double precision, p_seconds int, p_tried bigint default null, p_time timestamptz default null)
    returns boolean
    language plpgsql as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    update vanta.webhook w
    set delivered = p_delivered, attempts = p_attempts, due_at = clock_timestamp() + make_interval(secs => p_wait),
        deaths = case when p_success then 0 else w.deaths end,
        held_until = case p_seconds when 0 then '-infinity'
                     else clock_timestamp() + make_interval(secs => p_seconds) end
    where w.tenant_id = p_tenant and w.webhook_id = p_webhook and w.holder = p_holder and w.disabled_at is null
        and vanta.event_is(p_tenant, p_tried, p_time);
    return found;
end
$$;


-- Give up an event, and the webhook with it if it has had p_deaths in a row, or never wants another (p_deaths 0).
-- The newest p_kept dead letters are kept. Returns as note_delivery does; the webhook is let go.
drop function if exists vanta.bury_event(uuid, uuid, uuid, bigint, text, text, int, int);
create or replace function vanta.bury_event(
    p_tenant uuid, p_webhook uuid, p_holder uuid, p_revision bigint, p_event text, p_reason text, p_deaths int,
    p_kept int, p_time timestamptz default null)
    returns boolean
    language plpgsql as $$
declare
    v_disabled boolean;
begin
    -- Before the webhook: whoever makes or deletes one locks in this order.
    perform vanta.lock_head(p_tenant);
    update vanta.webhook w
    set delivered = p_revision, attempts = 0, deaths = w.deaths + 1, due_at = clock_timestamp(), held_until = '-infinity',
        disabled_at = case when w.deaths + 1 >= p_deaths then clock_timestamp() end
    where w.tenant_id = p_tenant and w.webhook_id = p_webhook and w.holder = p_holder and w.disabled_at is null
        and vanta.event_is(p_tenant, p_revision, p_time)
    returning w.disabled_at is not null into v_disabled;
    if not found then
        return false;
    end if;
    insert into vanta.dead_letter (tenant_id, webhook_id, revision, event, reason)
    values (p_tenant, p_webhook, p_revision, p_event, p_reason)
    on conflict do nothing;
    delete from vanta.dead_letter d
    where d.tenant_id = p_tenant and d.webhook_id = p_webhook and d.revision <= (
        select o.revision from vanta.dead_letter o
        where o.tenant_id = p_tenant and o.webhook_id = p_webhook
        order by o.revision desc offset p_kept limit 1);
    if v_disabled then
        perform vanta.emit(p_tenant, 'vanta.webhook.disabled', 'webhooks/' || p_webhook, null,
                           jsonb_build_object('reason', p_reason));
    end if;
    return true;
end
$$;


-- Let a disabled webhook go on, after what is no longer kept; whether it was disabled.
create or replace function vanta.enable_webhook(p_tenant uuid, p_webhook uuid, p_traceparent text) returns boolean
    language plpgsql as $$
begin
    perform vanta.lock_head(p_tenant);
    update vanta.webhook w
    set disabled_at = null, deaths = 0, attempts = 0, due_at = clock_timestamp(),
        delivered = greatest(w.delivered, (select coalesce(max(c.swept), 0) from vanta.event_cursor c
                                           where c.tenant_id = p_tenant))
    where w.tenant_id = p_tenant and w.webhook_id = p_webhook and w.disabled_at is not null;
    if not found then
        return false;
    end if;
    perform vanta.emit(p_tenant, 'vanta.webhook.enabled', 'webhooks/' || p_webhook, p_traceparent, '{}');
    return true;
end
$$;


-- Dead letters of a webhook after a revision.
create or replace function vanta.list_dead_letters(p_tenant uuid, p_webhook uuid, p_after bigint, p_limit int)
    returns setof vanta.dead_letter
    language plpgsql rows 10 as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    return query
    select * from vanta.dead_letter d
    where d.tenant_id = p_tenant and d.webhook_id = p_webhook and d.revision > p_after
    order by d.revision
    limit p_limit;
end
$$;


create or replace function vanta.remove_dead_letter(p_tenant uuid, p_webhook uuid, p_revision bigint) returns void
    language plpgsql as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    delete from vanta.dead_letter d
    where d.tenant_id = p_tenant and d.webhook_id = p_webhook and d.revision = p_revision;
end
$$;
