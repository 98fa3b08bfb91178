"""The load balancer of connections."""

import asyncio
from collections.abc import Callable

import pytest

from local.balancer import Balancer


class Backend:
    """Answers every request with its name, and /readyz as it is told to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ready = True
        self.port = 0

    async def __aenter__(self) -> "Backend":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            while (await reader.readline()).strip():
                pass
            status = "503 no" if b"/readyz" in line and not self.ready else "200 OK"
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 1\r\n\r\n{self.name}".encode())
        writer.close()


class Client:
    """One connection through the balancer."""

    def __init__(self, balancer: Balancer) -> None:
        self._port = balancer.port

    async def __aenter__(self) -> "Client":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def ask(self) -> str:
        """Who answers; "" if the connection ends."""
        self._writer.write(b"GET / HTTP/1.1\r\n\r\n")
        try:
            for _ in range(3):
                await self._reader.readline()
            return (await self._reader.read(1)).decode()
        except ConnectionResetError:
            return ""


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - nobody sets an event
            await asyncio.sleep(0.01)


async def ask_once(balancer: Balancer) -> str:
    async with Client(balancer) as client:
        return await client.ask()


async def test_connections_go_to_those_that_are_ready_in_turns() -> None:
    async with Backend("a") as one, Backend("b") as two, Balancer() as balancer:
        balancer.point_to(one.port, two.port)
        await until(lambda: len(balancer.ready) == 2)
        assert sorted([await ask_once(balancer) for _ in range(4)]) == ["a", "a", "b", "b"]


async def test_one_that_is_not_ready_gets_no_new_connection_and_keeps_those_it_has() -> None:
    async with Backend("a") as one, Backend("b") as two, Balancer() as balancer:
        balancer.point_to(one.port)
        await until(lambda: one.port in balancer.ready)
        async with Client(balancer) as kept:
            assert await kept.ask() == "a"
            one.ready = False
            balancer.point_to(one.port, two.port)
            await until(lambda: list(balancer.ready) == [two.port])
            assert [await ask_once(balancer) for _ in range(2)] == ["b", "b"]
            assert await kept.ask() == "a"


async def test_one_that_refuses_connections_is_passed_over() -> None:
    async with Backend("a") as one, Balancer() as balancer:
        async with Backend("b") as gone:
            balancer.point_to(gone.port, one.port)
            await until(lambda: len(balancer.ready) == 2)
        assert [await ask_once(balancer) for _ in range(3)] == ["a"] * 3


async def test_where_none_is_ready_the_connection_ends_at_once() -> None:
    async with Balancer() as balancer:
        assert await ask_once(balancer) == ""


@pytest.mark.parametrize("ready", [True, False])
async def test_what_is_not_pointed_to_any_more_gets_nothing(*, ready: bool) -> None:
    async with Backend("a") as one, Backend("b") as two, Balancer() as balancer:
        one.ready = ready
        balancer.point_to(one.port)
        balancer.point_to(two.port)
        await until(lambda: list(balancer.ready) == [two.port])
        assert await ask_once(balancer) == "b"
