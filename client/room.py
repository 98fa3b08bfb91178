"""How a description becomes a method: ``rooms.get(...)`` answers where a room sends, ``await rooms.get(...)`` where it awaits."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial, update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from client.call import Call
from client.flow import Walk
from client.sender import AsyncSender, Sender

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", Sender, AsyncSender)


class Room(Generic[S]):
    """A part of the API, reached through a sender."""

    def __init__(self, sender: S) -> None:
        self.sender = sender


class operation(Generic[P, T]):  # noqa: N801 - a decorator
    """Makes a method of a function that describes a call."""

    def __init__(self, describe: Callable[Concatenate[Any, P], Call[T]]) -> None:
        self.describe = describe
        self.__doc__ = describe.__doc__

    @overload
    def __get__(self, room: None, owner: type) -> "operation[P, T]": ...
    @overload
    def __get__(self, room: Room[Sender], owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, room: Room[AsyncSender], owner: type) -> Callable[P, Awaitable[T]]: ...
    def __get__(self, room: Any, owner: type) -> Any:
        return self if room is None else update_wrapper(partial(self._run, room), self.describe)

    def _run(self, room: Room[Any], *args: P.args, **kwargs: P.kwargs) -> Any:
        return room.sender.run(self.describe(room, *args, **kwargs))


class Walked(Protocol[T]):
    """What can be walked through."""

    def walk(self, retries: int) -> Walk[T]:
        """The way."""


class iteration(Generic[P, T]):  # noqa: N801 - a decorator
    """Makes an iterator of a function that describes pages or a stream."""

    def __init__(self, describe: Callable[Concatenate[Any, P], Walked[T]]) -> None:
        self.describe = describe
        self.__doc__ = describe.__doc__

    @overload
    def __get__(self, room: None, owner: type) -> "iteration[P, T]": ...
    @overload
    def __get__(self, room: Room[Sender], owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, room: Room[AsyncSender], owner: type) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, room: Any, owner: type) -> Any:
        return self if room is None else update_wrapper(partial(self._run, room), self.describe)

    def _run(self, room: Room[Any], *args: P.args, **kwargs: P.kwargs) -> Any:
        return room.sender.walk(self.describe(room, *args, **kwargs).walk(room.sender.retries))
