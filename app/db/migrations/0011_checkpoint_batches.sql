-- What many requests put of checkpoints, in one call: functions/agents.sql says what the columns mean.

create type vanta.new_checkpoint as (
    tenant         uuid,
    agent          text,
    thread         text,
    namespace      text,
    checkpoint     text,
    parent         text,
    root           text,
    run            text,
    needs_parent   boolean,
    type           text,
    data           bytea,
    metadata       jsonb,
    channels       text[],
    versions       text[],
    lists          boolean[],
    place_channels int[],
    place_parts    int[],
    digests        bytea[],
    types          text[],
    datas          bytea[],
    traceparent    text
);

create type vanta.new_checkpoint_writes as (
    tenant      uuid,
    agent       text,
    thread      text,
    namespace   text,
    checkpoint  text,
    task        text,
    path        text,
    replace     boolean,
    indexes     int[],
    channels    text[],
    types       text[],
    datas       bytea[],
    traceparent text
);

-- By its name a thread is found with this index only. Where tables are small PostgreSQL takes the newest of indexes that cost alike, which
-- was agent_thread_age: all threads of the agent, and so until it counts the table again.
alter table vanta.agent_thread
    add constraint agent_thread_name unique (tenant_id, agent, thread),
    drop constraint agent_thread_tenant_id_agent_thread_key;
