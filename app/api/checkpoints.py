"""``/v1/agents/{agent}/threads/{thread}/checkpoints``: checkpoints over HTTP."""

import msgspec

from app.agents import names
from app.agents.checkpoint import Channel, NewCheckpoint, NewWrite, NewWrites, Page, Part
from app.agents.checkpoints import Checkpoints
from app.agents.errors import ChannelMissingError, QuotaExceededError, UnknownTenantError
from app.api import body, problems, writing
from app.api.checkpoint_schemas import (
    MAX_BODY,
    MAX_PARTS,
    CheckpointChannel,
    CheckpointPage,
    CheckpointWrite,
    PutCheckpoint,
    PutCheckpointWrites,
    StoredChannel,
    StoredCheckpoint,
    StoredPart,
)
from app.api.lists import answer
from app.api.messages import Request, Response
from app.api.problems import ProblemError
from app.api.threads import quota_exceeded, thread_of
from app.state import json


class CheckpointHandlers:
    """The handlers of the routes of checkpoints."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        self._checkpoints = checkpoints

    async def page(self, request: Request) -> Response:
        """Checkpoints of a namespace, newest first; none for a thread that is not there."""
        thread = thread_of(request)
        query = request.query
        if query.filter is not None:
            _check_filter(query.filter)
        page = await self._checkpoints.read(
            thread, query.namespace, before=query.before, members=query.filter, limit=query.limit
        )
        return answer(_page(page))

    async def get(self, request: Request) -> Response:
        """One checkpoint, as a page of one."""
        thread, checkpoint = thread_of(request), _checkpoint(request)
        page = await self._checkpoints.read(thread, request.query.namespace, checkpoint=checkpoint)
        if not page.checkpoints:
            raise ProblemError(
                problems.CHECKPOINT_NOT_FOUND, "There is no such checkpoint in this namespace of the thread."
            )
        return answer(_page(page))

    async def put(self, request: Request) -> Response:
        """Put a checkpoint: 201, or 200 for one that was there."""
        thread, checkpoint = thread_of(request), _checkpoint(request)
        put = await body.read(request, PutCheckpoint, MAX_BODY)
        metadata = bytes(put.metadata)
        if not metadata.startswith(b"{"):
            raise ProblemError(problems.INVALID_BODY, "Expected `object` - at `$.metadata`.")
        if sum(len(channel.parts or ()) for channel in put.channels.values()) > MAX_PARTS:
            raise ProblemError(
                problems.INVALID_BODY, f"A checkpoint has at most {MAX_PARTS} parts - at `$.channels`."
            )
        new = NewCheckpoint(
            namespace=put.namespace,
            checkpoint=checkpoint,
            parent=put.parent,
            root=put.root,
            run=put.run,
            needs_parent=put.needs_parent,
            type=put.type,
            data=put.data,
            metadata=metadata.decode(),
            channels={name: _channel(name, channel) for name, channel in put.channels.items()},
        )
        try:
            created = await self._checkpoints.put(thread, new, request.traceparent)
        except ChannelMissingError as error:
            raise ProblemError(
                problems.CHANNEL_MISSING,
                f"The parent lacks the given versions of {len(error.channels)} channels: send the parts of all channels.",
            ) from None
        except QuotaExceededError:
            raise quota_exceeded() from None
        except UnknownTenantError:
            raise writing.problem_of("unknown_tenant") from None
        return Response(status=201 if created else 200)

    async def put_writes(self, request: Request) -> Response:
        """Put pending writes: 204."""
        thread, checkpoint = thread_of(request), _checkpoint(request)
        put = await body.read(request, PutCheckpointWrites, MAX_BODY)
        if len({write.index for write in put.writes}) != len(put.writes):
            raise ProblemError(problems.INVALID_BODY, "Two writes have one index - at `$.writes`.")
        new = NewWrites(
            namespace=put.namespace,
            checkpoint=checkpoint,
            task=put.task,
            path=put.path,
            replace=put.replace,
            writes=[
                NewWrite(index=write.index, channel=write.channel, type=write.type, data=write.data)
                for write in put.writes
            ],
        )
        try:
            await self._checkpoints.put_writes(thread, new, request.traceparent)
        except QuotaExceededError:
            raise quota_exceeded() from None
        except UnknownTenantError:
            raise writing.problem_of("unknown_tenant") from None
        return Response(status=204)


def _checkpoint(request: Request) -> str:
    checkpoint = request.parameters[2]
    if error := names.checkpoint_error(checkpoint):
        raise ProblemError(problems.INVALID_KEY, error)
    return checkpoint


def _channel(name: str, channel: CheckpointChannel) -> Channel:
    if channel.parts is not None and not channel.is_list and len(channel.parts) != 1:
        raise ProblemError(
            problems.INVALID_BODY, f"A value that is no list has one part - at `$.channels[...]` of {name!r}."
        )
    parts = (
        None if channel.parts is None else [Part(type=part.type, data=part.data) for part in channel.parts]
    )
    return Channel(version=channel.version, is_list=channel.is_list, parts=parts)


def _check_filter(text: str) -> None:
    try:
        json.check(text.encode())
    except (json.MalformedError, json.UnacceptableError) as error:
        raise ProblemError(problems.INVALID_QUERY, f"The filter: {error}") from None
    if not text.lstrip().startswith("{"):
        raise ProblemError(problems.INVALID_QUERY, "The filter is no JSON object.")


def _page(page: Page) -> CheckpointPage:
    return CheckpointPage(
        checkpoints=[
            StoredCheckpoint(
                checkpoint=found.checkpoint,
                parent=msgspec.UNSET if found.parent is None else found.parent,
                type=found.type,
                data=found.data,
                metadata=msgspec.Raw(found.metadata.encode()),
                channels=msgspec.json.decode(found.channels, type=dict[str, StoredChannel]),
                writes=[
                    CheckpointWrite(
                        task=write.task,
                        index=write.index,
                        channel=write.channel,
                        type=write.type,
                        data=write.data,
                    )
                    for write in found.writes
                ],
            )
            for found in page.checkpoints
        ],
        parts=[StoredPart(no=no, type=part.type, data=part.data) for no, part in page.parts.items()],
        next=page.checkpoints[-1].checkpoint if page.more else msgspec.UNSET,
    )
