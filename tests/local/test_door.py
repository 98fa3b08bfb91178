"""A way that is cut: nobody is refused and nobody is answered, until it is mended."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from local.drill.door import Door

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def doubled(whose: bytes = b"") -> AsyncGenerator[Door]:
    """A door to somebody who says all twice."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while word := await reader.read(100):
            writer.write(word * 2)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, Door("127.0.0.1", server.sockets[0].getsockname()[1], whose=whose) as door:
        yield door


async def said(door: Door, word: bytes) -> tuple[Streams, asyncio.Task[bytes]]:
    """Somebody at the door who has said ``word``, and the answer to come."""
    streams = await asyncio.open_connection("127.0.0.1", door.port)
    streams[1].write(word)
    return streams, asyncio.create_task(streams[0].read(100))


async def test_what_is_said_is_passed_on_in_both_directions() -> None:
    async with doubled() as door:
        (_, writer), answer = await said(door, b"a")
        assert await answer == b"aa"
        writer.close()


async def test_who_comes_while_it_is_cut_waits_and_who_was_there_hears_no_more() -> None:
    async with doubled() as door:
        (reader, early), answer = await said(door, b"a")
        assert await answer == b"aa"
        door.cut()
        (_, late), waiting = await said(door, b"b")
        early.write(b"c")
        silent = asyncio.create_task(reader.read(100))
        # Somebody else is served meanwhile, so time has passed.
        async with doubled() as other:
            (_, third), heard = await said(other, b"d")
            assert await heard == b"dd"
            third.close()
        assert not waiting.done()
        assert not silent.done()
        door.mend()
        # Both find that their connection is gone, and may connect anew.
        assert (await waiting, await silent) == (b"", b"")
        (_, anew), answer = await said(door, b"e")
        assert await answer == b"ee"
        for writer in (early, late, anew):
            writer.close()


async def test_others_pass_a_cut_that_is_not_theirs() -> None:
    async with doubled(whose=b"west") as door:
        door.cut()
        (_, theirs), waiting = await said(door, b"to west")
        (_, other), answer = await said(door, b"to east")
        assert await answer == b"to eastto east"
        assert not waiting.done()
        waiting.cancel()
        for writer in (theirs, other):
            writer.close()
