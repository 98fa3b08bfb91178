"""Which request comes next."""

import json
import random
from collections.abc import Iterator
from typing import Literal

import msgspec

from app.load.profile import Profile

Kind = Literal["read", "write"]

#: Where the documents of a load test lie; they expire by themselves.
COLLECTION = "load-test"
TTL_SECONDS = 3600


class Asked(msgspec.Struct, frozen=True):
    """A request: its kind, method, path, further headers and body."""

    kind: Kind
    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None


def preparing(profile: Profile) -> Iterator[Asked]:
    """What makes every document that will be read."""
    return (_write(key, _body(profile, key)) for key in range(profile.documents))


def mixed(profile: Profile, seed: int) -> Iterator[Asked]:
    """Requests without end, the same for the same ``seed``."""
    chance = random.Random(seed)  # noqa: S311 - it guards nothing, and must repeat
    while True:
        key = chance.randrange(profile.documents)
        if chance.random() < profile.reads:
            yield Asked("read", "GET", _path(key), {}, None)
        else:
            yield _write(key, _body(profile, chance.getrandbits(32)))


def _write(key: int, body: bytes) -> Asked:
    headers = {
        "content-type": "application/json",
        "vanta-concurrency": "last-write-wins",
        "vanta-ttl": str(TTL_SECONDS),
    }
    return Asked("write", "PUT", _path(key), headers, body)


def _path(key: int) -> str:
    return f"/v1/state/{COLLECTION}/{key:06}"


def _body(profile: Profile, value: int) -> bytes:
    return json.dumps({"value": value, "fill": "x" * max(0, profile.body_bytes - 30)}).encode()
