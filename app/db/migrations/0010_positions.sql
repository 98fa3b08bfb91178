-- What tells two events of one revision from each other is their time: docs/adr/0034-positions.md

-- The time of the event at swept, which is no longer kept itself; null where it was swept before this migration.
alter table vanta.event_cursor add column swept_time timestamptz;

-- The id as the application writes it.
create or replace view vanta.outbox_event with (security_invoker = true) as
select tenant_id, revision,
       jsonb_strip_nulls(jsonb_build_object(
           'specversion', '1.0',
           'id', revision || '-' || (extract(epoch from time) * 1000000)::bigint,
           'source', '/tenants/' || tenant_id,
           'type', type,
           'subject', subject,
           'time', to_char(time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
           'datacontenttype', 'application/json',
           'traceparent', traceparent,
           'data', data)) as event
from vanta.outbox;
