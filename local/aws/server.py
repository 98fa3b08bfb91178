"""The AWS emulator as an ASGI application: ministack, honest where it pretends, and durable."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from local.aws import health_checks, object_lock, replication
from local.aws.elasticache import Caches
from local.aws.internals import app
from local.aws.rds import Databases
from local.aws.state import State
from local.home import Home

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

log = logging.getLogger(__name__)


class Server:
    """Answers AWS requests, and two of its own: ``GET /_vanta/health`` and ``POST /_vanta/recover``.

    ``recover`` starts every engine that should run and does not, and answers when all of them take connections.
    """

    def __init__(self, home: Home) -> None:
        self.state = State()
        self.databases, self.caches = Databases(home=home), Caches(home=home)
        self.databases.install()
        self.caches.install()
        object_lock.install(home.aws)
        replication.install()
        health_checks.install()
        self._saving = asyncio.Lock()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        if scope["type"] != "http":
            await app(scope, receive, send)
        elif scope["path"] == "/_vanta/health":
            await _answer(send, 200, {"status": "ready"})
        elif scope["path"] == "/_vanta/recover" and scope["method"] == "POST":
            await self._recover(send)
        elif scope["path"].startswith(("/_ministack", "/_localstack")):
            await _answer(
                send,
                404,
                {"error": "the emulator's own commands are closed: one of them deletes everything."},
            )
        elif _reads(scope):
            await app(scope, receive, send)
        else:
            await self._change(scope, receive, send)

    async def _change(self, scope: Message, receive: Receive, send: Send) -> None:
        """Let the emulator answer, but not before what it did is on disk."""
        failed = False

        async def save_then_send(message: Message) -> None:
            nonlocal failed
            if message["type"] == "http.response.start":
                try:
                    async with self._saving:
                        self.state.save()
                except OSError as error:
                    failed = True
                    log.exception("the state could not be saved")
                    await _answer(
                        send,
                        500,
                        {"__type": "InternalFailure", "message": f"the state was not saved: {error}."},
                    )
            if not failed:
                await send(message)

        await app(scope, receive, save_then_send)

    async def _recover(self, send: Send) -> None:
        try:
            await asyncio.to_thread(self.databases.recover)
            await asyncio.to_thread(self.caches.recover)
            self.state.save()
        except Exception as error:
            log.exception("an engine could not be started")
            await _answer(send, 500, {"error": str(error)})
        else:
            await _answer(send, 200, {"status": "recovered"})


def _reads(scope: Message) -> bool:
    """Whether a request changes no state that must be saved here: S3 keeps objects on disk by itself."""
    if scope["method"] in {"GET", "HEAD", "OPTIONS"}:
        return True
    authorization = dict(scope["headers"]).get(b"authorization", b"")
    _bucket, _, key = scope["path"].lstrip("/").partition("/")
    return b"/s3/aws4_request" in authorization and bool(key)


async def _answer(send: Send, status: int, body: dict[str, str]) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
