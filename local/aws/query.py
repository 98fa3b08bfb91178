"""What the rooms with a real engine share: how an answer of the emulator is kept from being a lie."""

import logging
import threading
from collections.abc import Callable
from xml.sax.saxutils import escape

from local.aws.internals import Answer, Handler, Params
from local.ports import PortError
from local.postgres_parameters import ParameterError as PostgresParameterError
from local.postgres_tools import PostgresError
from local.redis import ParameterError as RedisParameterError
from local.redis import RedisError

log = logging.getLogger(__name__)

# One change of an engine at a time: requests are answered by several threads.
_lock = threading.RLock()


class RefusedError(Exception):
    """A request that AWS, or this emulator, does not carry out: an AWS error ``code`` and one sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


# Does what a request asks for, given the emulator's own bookkeeping of it.
Room = Callable[[Params, Handler], Answer]


def answering(room: Room, bookkeep: Handler, error: Callable[[str, str, int], Answer]) -> Handler:
    """Return a handler that lets ``room`` carry out a request and turns its refusals into AWS errors by ``error``."""

    def handler(params: Params) -> Answer:
        try:
            with _lock:
                return room(params, bookkeep)
        except RefusedError as refusal:
            return error(refusal.code, escape(str(refusal)), 400)
        except (PostgresParameterError, RedisParameterError) as refusal:
            return error("InvalidParameterValue", escape(str(refusal)), 400)
        except (PostgresError, RedisError, PortError, OSError) as failure:
            log.exception("an engine failed")
            return error("InternalFailure", escape(str(failure)), 500)

    return handler


def refusing(action: str) -> Room:
    """Return a room that refuses ``action``: an emulator that accepts what it does not do proves nothing."""

    def room(_params: Params, _bookkeep: Handler) -> Answer:
        raise RefusedError(
            "InvalidAction", f"{action} is not carried out on one machine: use an AWS account for it."
        )

    return room
