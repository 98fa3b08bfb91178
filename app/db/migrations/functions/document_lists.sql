-- Pages of documents and of versions: ranges of primary keys, in their order.

-- A page of the live documents of a collection whose key starts with p_prefix and comes after p_after.
--
-- With p_delimiter, what follows the first one after the prefix is folded: one row with folded = true instead of all documents
-- there. p_bytes: how many bytes of values at most (but at least one document); null: no values. A last row with a null key
-- says that there is more. Keys are ASCII up to "~", so E'\x7f' comes after everything that starts the same.
create or replace function vanta.list_documents(
    p_tenant uuid, p_collection text, p_prefix text, p_after text, p_delimiter text, p_limit int, p_bytes bigint)
    returns table (key text, folded boolean, revision bigint, digest text, expires_ms bigint, value text)
    language plpgsql rows 100
    -- A page never needs more than its range, whatever the statistics say.
    set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
#variable_conflict use_column
declare
    v_row   record;
    v_fold  int;
    v_count int := 0;
    v_bytes bigint := 0;
    v_after text collate "C" := p_after;
    v_again boolean := true;
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    while v_again loop
        v_again := false;
        -- Plan: the primary key of document from v_after on, and a probe of document_version per row; rows are fetched as the
        -- loop asks for them, at most 50 ahead.
        for v_row in
            select d.key, d.revision, d.digest, d.expires_at,
                   (select v.value from vanta.document_version v
                    where v.tenant_id = p_tenant and v.collection = p_collection and v.key = d.key
                        and v.revision = d.revision) as value
            from vanta.document d
            where d.tenant_id = p_tenant and d.collection = p_collection
                and d.key > v_after and d.key >= p_prefix and d.key < p_prefix || E'\x7f'
                and (d.expires_at is null or d.expires_at > clock_timestamp())
            order by d.key
            limit p_limit + 1
        loop
            v_bytes := v_bytes + coalesce(octet_length(v_row.value), 0);
            if v_count = p_limit or (v_count > 0 and v_bytes > p_bytes) then
                key := null;
                return next;
                return;
            end if;
            v_count := v_count + 1;
            v_fold := strpos(substr(v_row.key, length(p_prefix) + 1), p_delimiter);
            folded := coalesce(v_fold > 0, false);
            if folded then
                key := left(v_row.key, length(p_prefix) + v_fold);
                revision := null; digest := null; expires_ms := null; value := null;
                return next;
                v_after := key || E'\x7f';
                v_again := true;
                exit;
            end if;
            key := v_row.key;
            revision := v_row.revision;
            digest := v_row.digest;
            expires_ms := extract(epoch from v_row.expires_at) * 1000;
            value := case when p_bytes is not null then v_row.value end;
            return next;
        end loop;
    end loop;
end
$$;


-- The versions of a document before p_before (null: all), newest first; those whose own time to live has passed are not shown.
create or replace function vanta.list_versions(
    p_tenant uuid, p_collection text, p_key text, p_before bigint, p_limit int)
    returns table (revision bigint, digest text, written_ms bigint, bytes int, deleted boolean)
    language plpgsql rows 100 as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    -- Plan: the primary key backwards.
    return query
    select v.revision, v.digest, (extract(epoch from v.written_at) * 1000)::bigint,
           coalesce(octet_length(v.value), 0), v.value is null
    from vanta.document_version v
    where v.tenant_id = p_tenant and v.collection = p_collection and v.key = p_key
        and v.revision < coalesce(p_before, 9223372036854775807)
        and (v.expires_at is null or v.expires_at > clock_timestamp())
    order by v.revision desc
    limit p_limit;
end
$$;


-- One version with its value, unless it is a deletion or its own time to live has passed.
create or replace function vanta.read_version(p_tenant uuid, p_collection text, p_key text, p_revision bigint)
    returns table (revision bigint, digest text, value text, expires_ms bigint)
    language plpgsql rows 1 as $$
begin
    perform set_config('vanta.tenant', p_tenant::text, true);
    return query
    select v.revision, v.digest, v.value, (extract(epoch from v.expires_at) * 1000)::bigint
    from vanta.document_version v
    where v.tenant_id = p_tenant and v.collection = p_collection and v.key = p_key and v.revision = p_revision
        and v.value is not null
        and (v.expires_at is null or v.expires_at > clock_timestamp());
end
$$;
