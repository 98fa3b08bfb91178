"""AWS KMS: makes, opens and wraps the data keys of tenants.

boto3 in a few threads: a call is rare (a data key stays open for minutes and serves all that wait for it), and the
asynchronous clients pin the version of botocore that they patch.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from threading import Lock
from typing import Any
from uuid import UUID

import msgspec
import structlog
from botocore.exceptions import BotoCoreError, ClientError

from app import metrics
from app.secrets.errors import DamagedError, KmsUnavailableError

_THREADS = 4
_ATTEMPTS = 3
_CONNECT_SECONDS, _READ_SECONDS = 1, 2
#: How long whoever needs a data key waits for it, retries included.
PATIENCE_SECONDS = 5.0

# What KMS says of bytes that it has not wrapped, or not for this tenant.
_NOT_ITS_OWN = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})

log = structlog.get_logger()


class Wrapped(msgspec.Struct, frozen=True, kw_only=True):
    """A data key as KMS gave it out: ``blob`` is of use to KMS alone, which wrapped it under the key ``kms_key`` (ARN)."""

    kms_key: str
    blob: bytes


class Kms:
    """Data keys of 256 bits under the KMS key ``arn``; the encryption context names the tenant, so that one tenant's data key
    cannot be opened as another's and CloudTrail says whose was.

    Endpoint and credentials come from the SDK's own environment. Each call raises
    :class:`KmsUnavailableError` when KMS does not answer or refuses.

    Source: AWS KMS API Reference, "GenerateDataKey", "Decrypt" and "Encrypt".
    """

    def __init__(self, arn: str) -> None:
        self._arn = arn
        self._threads = ThreadPoolExecutor(_THREADS, "kms")
        self._making_client = Lock()

    async def generate(self, tenant: UUID) -> tuple[bytes, Wrapped]:
        """A new data key for ``tenant``, open and wrapped."""
        answer = await self._ask("generate_data_key", tenant, KeyId=self._arn, KeySpec="AES_256")
        return answer["Plaintext"], Wrapped(kms_key=answer["KeyId"], blob=answer["CiphertextBlob"])

    async def unwrap(self, tenant: UUID, wrapped: Wrapped) -> bytes:
        """The data key in ``wrapped``; raises :class:`DamagedError` if it is none of ``tenant``'s.

        KMS finds the key itself, so a former one works too, and in another region the replica of the one that wrapped it.
        """
        answer = await self._ask("decrypt", tenant, CiphertextBlob=wrapped.blob)
        return answer["Plaintext"]

    async def wrap(self, tenant: UUID, key: bytes) -> Wrapped:
        """``key`` wrapped under the KMS key as it is now."""
        answer = await self._ask("encrypt", tenant, KeyId=self._arn, Plaintext=key)
        return Wrapped(kms_key=answer["KeyId"], blob=answer["CiphertextBlob"])

    def close(self) -> None:
        """Wait for nothing any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, operation: str, tenant: UUID, **arguments: Any) -> Mapping[str, Any]:
        call = partial(self._call, operation, EncryptionContext={"tenant": str(tenant)}, **arguments)
        reason = "ok"
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except ClientError as error:
            reason = error.response["Error"]["Code"]
        except (BotoCoreError, TimeoutError) as error:
            reason = type(error).__name__
        finally:
            metrics.KMS_CALLS.labels(operation, reason).inc()
        # Outside of the handlers: the SDK's own error has the request in its frames, and with it a data key.
        if reason in _NOT_ITS_OWN:
            raise DamagedError("KMS does not know the data key.")
        log.warning("kms.unavailable", operation=operation, reason=reason)
        raise KmsUnavailableError(f"KMS cannot be used now ({reason}).")

    def _call(self, operation: str, **arguments: Any) -> Mapping[str, Any]:
        with self._making_client:
            client = self._client
        return getattr(client, operation)(**arguments)

    @cached_property
    def _client(self) -> Any:
        import boto3  # noqa: PLC0415 - it takes half a second, and a process that seals nothing needs it not
        from botocore.config import Config  # noqa: PLC0415 - as above

        return boto3.client(
            "kms",
            # A key is used where it is.
            region_name=self._arn.split(":")[3],
            config=Config(
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
                max_pool_connections=_THREADS,
            ),
        )
