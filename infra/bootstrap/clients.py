"""AWS clients, one a service and region: making one takes longer than most of its calls."""

import functools
from collections.abc import Callable
from typing import Any

import boto3

# Called with a service's name and a region; boto3's clients are made as they run, so their type is Any.
Clients = Callable[[str, str], Any]


def clients_of(session: boto3.Session) -> Clients:
    """The clients of a session's credentials."""

    @functools.cache
    def client(service: str, region: str) -> Any:
        return session.client(service, region_name=region)

    return client
