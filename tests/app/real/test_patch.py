"""PATCH: a part of a document changes, everything else stays, and no update is lost."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from app.api.problems import TYPE_PREFIX

PATH = "/v1/state/notes/a"
ANY = {"vanta-concurrency": "last-write-wins"}
TYPE = {"content-type": "application/merge-patch+json"}


def patch(client: httpx.Client, body: str, **headers: str) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.patch(PATH, content=body.encode(), headers={**TYPE, **sent})


def test_a_patch_changes_what_it_names_and_leaves_the_rest_byte_for_byte(client: httpx.Client) -> None:
    etag = client.put(
        PATH, content=b'{"n" : 1.10, "gone": 1}', headers={"content-type": "application/json"}
    ).headers["etag"]
    patched = patch(client, '{"gone": null, "new": {"x": null, "y": 2.50}}', if_match=etag)
    assert patched.status_code == 200
    read = client.get(PATH)
    assert (read.content, read.headers["etag"]) == (b'{"n":1.10,"new":{"y":2.50}}', patched.headers["etag"])


def test_a_patch_needs_what_a_put_needs(client: httpx.Client) -> None:
    etag = client.put(PATH, json={"a": 1}).headers["etag"]
    assert patch(client, "{}").status_code == 428
    assert patch(client, "{}", if_none_match="*").status_code == 412
    assert patch(client, "{}", if_match='"0-0"').status_code == 412
    assert client.get(PATH).headers["etag"] == etag
    assert patch(client, '{"b": 2}', if_match=f'"0-0", {etag}').status_code == 200
    assert patch(client, '{"c": 3}', if_match="*").status_code == 200
    assert patch(client, '{"d": 4}', **ANY).status_code == 200
    assert client.get(PATH).json() == {"a": 1, "b": 2, "c": 3, "d": 4}


def test_a_patch_of_nothing_creates(client: httpx.Client) -> None:
    assert patch(client, "{}", if_match="*").status_code == 412
    created = patch(client, '{"a": 1, "b": null}')
    assert (created.status_code, created.headers["location"]) == (201, PATH)
    assert client.get(PATH).json() == {"a": 1}


@pytest.mark.parametrize("said", ["request", "collection"])
def test_patches_at_once_that_say_last_write_wins_lose_no_update(client: httpx.Client, said: str) -> None:
    headers = ANY if said == "request" else {}
    if said == "collection":
        client.put("/v1/collections/notes", json={"concurrency": "last-write-wins"})
    with ThreadPoolExecutor(8) as executor:
        statuses = list(
            executor.map(lambda n: patch(client, f'{{"{n}": {n}}}', **headers).status_code, range(40))
        )
    assert sorted(statuses) == [200] * 39 + [201]
    assert client.get(PATH).json() == {str(number): number for number in range(40)}


def test_a_patch_keeps_the_time_to_live_unless_it_names_one(client: httpx.Client) -> None:
    expires = client.put(PATH, json={}, headers={"vanta-ttl": "3600"}).headers["vanta-expires-at"]
    assert patch(client, '{"a": 1}', if_match="*").headers["vanta-expires-at"] == expires
    assert client.get(PATH).headers["vanta-expires-at"] == expires
    assert patch(client, "{}", if_match="*", vanta_ttl="7200").headers["vanta-expires-at"] > expires


def test_a_patch_beyond_the_size_of_a_document_is_refused(client: httpx.Client) -> None:
    client.put(PATH, json={"a": "x" * 600_000})
    etag = client.get(PATH).headers["etag"]
    refused = patch(client, f'{{"b": "{"x" * 600_000}"}}', if_match="*")
    assert (refused.status_code, refused.json()["type"]) == (422, f"{TYPE_PREFIX}invalid-document")
    assert client.get(PATH).headers["etag"] == etag


@pytest.mark.parametrize("kind", ["application/json", "application/json-patch+json", "text/plain"])
def test_only_a_merge_patch_is_understood(client: httpx.Client, kind: str) -> None:
    refused = client.patch(PATH, content=b"{}", headers={"content-type": kind})
    assert (refused.status_code, refused.json()["type"]) == (415, f"{TYPE_PREFIX}unsupported-media-type")
    assert client.put(PATH, content=b"{}", headers=TYPE).status_code == 415


@pytest.mark.parametrize(
    ("body", "status"), [("{", 400), ('{"a": 1, "a": 2}', 422), ("[" * 66 + "]" * 66, 422)]
)
def test_a_patch_that_is_no_document_is_refused(client: httpx.Client, body: str, status: int) -> None:
    assert patch(client, body).status_code == status
    assert client.get(PATH).status_code == 404
