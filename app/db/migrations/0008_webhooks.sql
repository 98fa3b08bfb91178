-- Webhooks: where to send events, how far each has come, and what could not be delivered. docs/adr/0019-events.md

-- delivered: up to which revision events were delivered, not wanted, or given up. attempts: of the next one, so far.
-- A process that delivers holds the webhook until held_until; holder tells it from one that took over.
-- deaths: events given up since the last one that was delivered; too many disable the webhook.
create table vanta.webhook (
    tenant_id        uuid not null references vanta.tenant on delete cascade,
    webhook_id       uuid not null,
    url              text not null,
    types            text[] not null,
    subject_prefixes text[] not null,
    generation       int not null,
    sealed           bytea not null,
    created_at       timestamptz not null default clock_timestamp(),
    delivered        bigint not null,
    attempts         int not null default 0,
    deaths           int not null default 0,
    due_at           timestamptz not null default clock_timestamp(),
    holder           uuid,
    held_until       timestamptz not null default '-infinity',
    disabled_at      timestamptz,
    primary key (tenant_id, webhook_id),
    foreign key (tenant_id, generation) references vanta.data_key
);

-- Events given up, whole: they are dropped from the outbox in time.
create table vanta.dead_letter (
    tenant_id  uuid not null,
    webhook_id uuid not null,
    revision   bigint not null,
    event      text not null,
    reason     text not null,
    died_at    timestamptz not null default clock_timestamp(),
    primary key (tenant_id, webhook_id, revision),
    foreign key (tenant_id, webhook_id) references vanta.webhook on delete cascade
);

alter table vanta.webhook enable row level security;
alter table vanta.webhook force row level security;
alter table vanta.dead_letter enable row level security;
alter table vanta.dead_letter force row level security;

create policy own on vanta.webhook
    using (tenant_id = vanta.current_tenant());
create policy own on vanta.dead_letter
    using (tenant_id = vanta.current_tenant());

grant select, insert, delete, update (delivered, attempts, deaths, due_at, holder, held_until, disabled_at)
    on vanta.webhook to vanta_api;
grant select, insert, delete on vanta.dead_letter to vanta_api;
