-- Checkpoints of agents, docs/adr/0022-agents.md.

-- What an agent asks for; without a row the defaults of functions/agents.sql hold.
-- keep_checkpoints: the newest of each namespace of a thread; keep_days: threads nobody wrote to for longer are deleted.
create table vanta.agent_retention (
    tenant_id        uuid not null references vanta.tenant on delete cascade,
    agent            text collate "C" not null,
    keep_checkpoints int not null check (keep_checkpoints > 0),
    keep_days        int check (keep_days > 0),
    primary key (tenant_id, agent)
);

-- A thread, and the short number by which everything below knows it. Whoever changes a thread holds the lock of its row.
-- parts: numbers given to parts so far; bytes: of everything below, exact. Its day is all the sweeper needs to know, so that
-- most writes leave the index alone.
create table vanta.agent_thread (
    tenant_id  uuid not null references vanta.tenant on delete cascade,
    agent      text collate "C" not null,
    thread     text collate "C" not null,
    thread_no  bigint generated always as identity primary key,
    parts      int not null default 0,
    bytes      bigint not null default 0,
    written_on date not null default current_date,
    unique (tenant_id, agent, thread),
    -- What refers to a thread refers to its tenant, so a row of one tenant cannot hang on the thread of another.
    unique (tenant_id, thread_no)
) with (fillfactor = 80);

create index agent_thread_age on vanta.agent_thread (tenant_id, agent, written_on);

-- A piece of a channel's value: whole, or one item of a list. Kept once in its thread, whichever checkpoints have it.
create table vanta.checkpoint_part (
    tenant_id uuid not null,
    thread_no bigint not null,
    no        int not null,
    digest    bytea not null check (octet_length(digest) = 16),
    type      text not null,
    data      bytea compression lz4 not null,
    primary key (thread_no, no),
    unique (thread_no, digest),
    foreign key (tenant_id, thread_no) references vanta.agent_thread (tenant_id, thread_no) on delete cascade
);

-- channels: {name: {"version", "list", "parts": [[first, last], ...]}}; parts: the numbers of all of them.
create table vanta.checkpoint (
    tenant_id     uuid not null,
    thread_no     bigint not null,
    namespace     text collate "C" not null,
    checkpoint    text collate "C" not null,
    parent        text collate "C",
    root          text collate "C",
    run           text collate "C",
    needs_parent  boolean not null,
    type          text not null,
    data          bytea compression lz4 not null,
    metadata      jsonb compression lz4 not null check (jsonb_typeof(metadata) = 'object'),
    channels      jsonb compression lz4 not null,
    parts         int4multirange not null,
    written_at    timestamptz not null,
    primary key (thread_no, namespace, checkpoint),
    foreign key (tenant_id, thread_no) references vanta.agent_thread (tenant_id, thread_no) on delete cascade
);

create index checkpoint_run on vanta.checkpoint (tenant_id, run) where run is not null;

-- What tasks have written after a checkpoint. It may come before its checkpoint does, so it refers to the thread alone.
create table vanta.checkpoint_write (
    tenant_id  uuid not null,
    thread_no  bigint not null,
    namespace  text collate "C" not null,
    checkpoint text collate "C" not null,
    task       text collate "C" not null,
    idx        int not null,
    path       text collate "C" not null,
    channel    text not null,
    type       text not null,
    data       bytea compression lz4 not null,
    primary key (thread_no, namespace, checkpoint, task, idx),
    foreign key (tenant_id, thread_no) references vanta.agent_thread (tenant_id, thread_no) on delete cascade
);

alter table vanta.agent_retention enable row level security;
alter table vanta.agent_retention force row level security;
alter table vanta.agent_thread enable row level security;
alter table vanta.agent_thread force row level security;
alter table vanta.checkpoint_part enable row level security;
alter table vanta.checkpoint_part force row level security;
alter table vanta.checkpoint enable row level security;
alter table vanta.checkpoint force row level security;
alter table vanta.checkpoint_write enable row level security;
alter table vanta.checkpoint_write force row level security;

create policy own on vanta.agent_retention
    using (tenant_id = vanta.current_tenant());
create policy own on vanta.agent_thread
    using (tenant_id = vanta.current_tenant());
create policy own on vanta.checkpoint_part
    using (tenant_id = vanta.current_tenant());
create policy own on vanta.checkpoint
    using (tenant_id = vanta.current_tenant());
create policy own on vanta.checkpoint_write
    using (tenant_id = vanta.current_tenant());

grant select, insert, update (keep_checkpoints, keep_days) on vanta.agent_retention to vanta_api;
grant select, insert, delete, update (parts, bytes, written_on) on vanta.agent_thread to vanta_api;
grant select, insert, delete on vanta.checkpoint_part to vanta_api;
grant select, insert, delete, update (parent) on vanta.checkpoint to vanta_api;
grant select, insert, delete, update (path, channel, type, data) on vanta.checkpoint_write to vanta_api;
