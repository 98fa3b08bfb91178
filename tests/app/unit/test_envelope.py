"""The envelope: what is sealed opens in its own place, whole, and nowhere else."""

import os
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.secrets.data_keys import DataKey, DataKeys
from app.secrets.envelope import OVERHEAD, Envelope, Sealed, seal, unseal
from app.secrets.errors import DamagedError, NotConfiguredError
from app.secrets.secret import Caller, Put, Value

KEY = os.urandom(32)


class OneKey(DataKeys):
    """One open key for everybody: the associated data alone keeps places apart."""

    def __init__(self) -> None:
        pass

    async def newest(self, tenant: UUID) -> DataKey:  # noqa: ARG002 - of everybody
        return DataKey(1, KEY)

    async def find(self, tenant: UUID, generation: int) -> DataKey:  # noqa: ARG002 - of everybody
        return DataKey(generation, KEY)


@given(st.binary(max_size=300), st.binary(max_size=60))
def test_what_is_sealed_opens_again(plaintext: bytes, place: bytes) -> None:
    sealed = seal(KEY, place, plaintext)
    assert unseal(KEY, place, sealed) == plaintext
    assert len(sealed) == len(plaintext) + OVERHEAD


@given(st.binary(max_size=100), st.data())
def test_one_flipped_bit_anywhere_is_found(plaintext: bytes, data: st.DataObject) -> None:
    whole = {"key": KEY, "place": b"here", "ciphertext": seal(KEY, b"here", plaintext)}
    part = data.draw(st.sampled_from(sorted(whole)))
    changed = bytearray(whole[part])
    bit = data.draw(st.integers(0, len(changed) * 8 - 1))
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DamagedError):
        unseal(**{**whole, part: bytes(changed)})


@given(st.binary(max_size=100), st.integers(0, 100 + OVERHEAD - 1))
def test_a_part_of_it_is_nothing(plaintext: bytes, length: int) -> None:
    sealed = seal(KEY, b"", plaintext)
    with pytest.raises(DamagedError):
        unseal(KEY, b"", sealed[: min(length, len(sealed) - 1)])


def test_the_same_value_never_looks_the_same() -> None:
    assert len({seal(KEY, b"", b"value")[1:] for _ in range(100)}) == 100


PLACE = ("secrets", UUID(int=1), "a", 12)


@pytest.mark.parametrize(
    "other",
    [
        ("webhooks", UUID(int=1), "a", 12),
        ("secrets", UUID(int=2), "a", 12),
        ("secrets", UUID(int=1), "b", 12),
        ("secrets", UUID(int=1), "a", 1),
        ("secrets", UUID(int=1), "a1", 2),
        ("secrets", UUID(int=1), 'a",1', 2),
    ],
)
async def test_it_opens_for_its_tenant_room_name_and_version_alone(other: tuple[str, UUID, str, int]) -> None:
    async def opened(sealed: Sealed, room: str, tenant: UUID, name: str, version: int) -> bytes:
        return await Envelope(OneKey(), room).decrypt(tenant, name, version, sealed)

    sealed = await Envelope(OneKey(), PLACE[0]).encrypt(*PLACE[1:], b"value")
    assert await opened(sealed, *PLACE) == b"value"
    with pytest.raises(DamagedError):
        await opened(sealed, *other)


async def test_without_a_kms_key_nothing_is_sealed() -> None:
    class NoPool:
        async def fetchrow(self, *_: object) -> None:
            return None

    keys = DataKeys(NoPool(), None, seconds=1, days=1)  # ty: ignore[invalid-argument-type] - it is not asked
    with pytest.raises(NotConfiguredError):
        await Envelope(keys, "secrets").encrypt(uuid4(), "a", 1, b"value")


def test_no_repr_shows_a_value_or_a_key() -> None:
    caller = Caller(tenant=UUID(int=1), by="k", traceparent=None)
    put = Put(
        caller=caller, path="p", value=b"hunter2", ttl=None, metadata=None, max_versions=None, condition="none", etags=()
    )  # fmt: skip
    value = Value(version=1, tag="t", value=b"hunter2", created_ms=0, expires_ms=None)
    for shown in (put, value, DataKey(1, b"hunter2")):
        assert "hunter2" not in f"{shown!r} {shown}"
