-- How far the events of a tenant have come, docs/adr/0019-events.md.

-- relayed: up to which revision they are in the tenant's Redis stream; swept: up to which they are no longer kept.
-- Its row is made at the first relay. Apart from tenant_head, whose lock every writer needs.
create table vanta.event_cursor (
    tenant_id uuid primary key references vanta.tenant on delete cascade,
    relayed   bigint not null default 0,
    swept     bigint not null default 0,
    check (swept <= relayed)
) with (fillfactor = 50);

alter table vanta.event_cursor enable row level security;
alter table vanta.event_cursor force row level security;

create policy own on vanta.event_cursor
    using (tenant_id = vanta.current_tenant());

-- What is swept moves in vanta.sweep_events alone, together with the deletion that it speaks of.
grant select, insert (tenant_id, relayed), update (relayed) on vanta.event_cursor to vanta_api;
