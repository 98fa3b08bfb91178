"""An ElastiCache group here is a running Redis, and what the emulator says of it is true."""

import os
import re
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import tls
from local.aws.emulator import Aws
from local.home import Home
from local.processes import Processes

from .calls import HERE, client, refused

TOKEN = "a-token-of-sixteen-or-more"


class Group:
    """One replication group of the emulator and how to reach it."""

    def __init__(self, aws: Aws, name: str) -> None:
        self.aws, self.name, self.cache = aws, name, client(aws, "elasticache")

    def arguments(self, **changes: object) -> dict[str, object]:
        defaults = {
            "ReplicationGroupId": self.name,
            "ReplicationGroupDescription": "cache",
            "Engine": "valkey",
            "EngineVersion": "7.2",
            "CacheNodeType": "cache.t4g.small",
            "NumCacheClusters": 2,
            "TransitEncryptionEnabled": True,
            "AuthToken": TOKEN,
        }
        return {name: value for name, value in {**defaults, **changes}.items() if value is not None}

    def create(self, **changes: object) -> "Group":
        self.cache.create_replication_group(**self.arguments(**changes))
        return self

    @property
    def described(self) -> dict[str, Any]:
        found = self.cache.describe_replication_groups(ReplicationGroupId=self.name)
        return found["ReplicationGroups"][0]

    def ask(self, *lines: str) -> list[str]:
        """Send inline commands over TLS and return the first line of each answer."""
        endpoint = self.described["NodeGroups"][0]["PrimaryEndpoint"]
        context = ssl.create_default_context(cafile=tls.ensure(self.aws.home).ca)
        answers = []
        with (
            context.wrap_socket(socket.socket(), server_hostname=endpoint["Address"]) as secure,
            secure.makefile("rwb") as stream,
        ):
            secure.settimeout(10)
            secure.connect((endpoint["Address"], endpoint["Port"]))
            for line in lines:
                stream.write(f"{line}\r\n".encode())
                stream.flush()
                answers.append(stream.readline().decode().strip())
        return answers

    def setting(self, name: str) -> str:
        # An array of two strings is five lines; empty commands are not answered, so each reads one more of them.
        return self.ask(f"AUTH {TOKEN}", f"CONFIG GET {name}", "", "", "", "")[-1]


@pytest.fixture
def emulator(home: Home) -> Aws:
    """An emulator of the test's own, to be killed."""
    emulator = Aws(home)
    emulator.start()
    return emulator


@pytest.fixture
def own(aws: Aws, request: pytest.FixtureRequest) -> Iterator[Group]:
    """A group of the test's own: created by the test, deleted after it."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[-36:].strip("-")
    group = Group(aws, f"c-{name}")
    yield group
    known = [
        found["ReplicationGroupId"]
        for found in group.cache.describe_replication_groups()["ReplicationGroups"]
    ]
    if group.name in known:
        group.cache.delete_replication_group(ReplicationGroupId=group.name)


def test_the_token_opens_the_cache_at_every_endpoint(own: Group) -> None:
    own.create()
    assert own.ask("PING", f"AUTH {TOKEN}", "PING")[1:] == ["+OK", "+PONG"]
    described = own.described
    shard = described["NodeGroups"][0]
    assert described["Status"] == "available"
    assert shard["PrimaryEndpoint"]["Address"] == "127.0.0.1"
    assert shard["ReaderEndpoint"] == shard["PrimaryEndpoint"]


def test_without_the_token_nothing_is_answered(own: Group) -> None:
    own.create()
    assert own.ask("PING")[0].startswith("-NOAUTH")


def test_an_added_token_works_beside_the_old_until_it_is_set(own: Group) -> None:
    own.create()
    own.ask(f"AUTH {TOKEN}", "SET key value")
    arguments = {
        "ReplicationGroupId": own.name,
        "AuthToken": "another-token-of-sixteen",
        "ApplyImmediately": True,
    }
    own.cache.modify_replication_group(**arguments, AuthTokenUpdateStrategy="ROTATE")
    assert own.ask(f"AUTH {TOKEN}", "GET key") == ["+OK", "$5"]
    assert own.ask("AUTH another-token-of-sixteen", "GET key") == ["+OK", "$5"]
    own.cache.modify_replication_group(**arguments, AuthTokenUpdateStrategy="SET")
    assert own.ask(f"AUTH {TOKEN}")[0].startswith("-WRONGPASS")
    assert own.ask("AUTH another-token-of-sixteen", "GET key") == ["+OK", "$5"]


def parameters(aws: Aws, name: str, **values: str) -> str:
    cache = client(aws, "elasticache")
    cache.create_cache_parameter_group(
        CacheParameterGroupName=name, CacheParameterGroupFamily="valkey7", Description=name
    )
    modify_parameters(aws, name, **values)
    return name


def modify_parameters(aws: Aws, name: str, **values: str) -> None:
    rows = [
        {"ParameterName": key.replace("_", "-"), "ParameterValue": value} for key, value in values.items()
    ]
    client(aws, "elasticache").modify_cache_parameter_group(
        CacheParameterGroupName=name, ParameterNameValues=rows
    )


def test_a_parameter_group_configures_the_engine_and_its_change_too(own: Group) -> None:
    name = parameters(own.aws, "tuned", maxmemory_policy="noeviction", reserved_memory_percent="25")
    own.create(CacheParameterGroupName=name)
    assert own.setting("maxmemory-policy") == "noeviction"
    modify_parameters(own.aws, name, maxmemory_policy="allkeys-lfu")
    assert own.setting("maxmemory-policy") == "allkeys-lfu"


@pytest.mark.parametrize(
    ("parameter", "value"), [("maxmemory_policy", "sometimes"), ("no_such_parameter", "1")]
)
def test_a_value_the_engine_refuses_is_refused_and_not_kept(aws: Aws, parameter: str, value: str) -> None:
    name = parameters(aws, f"bad-{parameter.replace('_', '-')}", timeout="60")
    with pytest.raises(ClientError) as error:
        modify_parameters(aws, name, timeout="90", **{parameter: value})
    assert error.value.response["Error"]["Code"] == "InvalidParameterValue"
    assert parameter.replace("_", "-") in error.value.response["Error"]["Message"]
    found = client(aws, "elasticache").describe_cache_parameters(CacheParameterGroupName=name)["Parameters"]
    user = {row["ParameterName"]: row["ParameterValue"] for row in found if row["Source"] == "user"}
    assert user == {"timeout": "60"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"TransitEncryptionEnabled": False, "AuthToken": None}, "TransitEncryptionEnabled is not true"),
        ({"AuthToken": "short"}, "16 to 128"),
        ({"Engine": "memcached"}, "only redis and valkey"),
        ({"NumCacheClusters": None, "NumNodeGroups": 3}, "cluster mode does not run here"),
    ],
)
def test_what_does_not_run_here_is_refused_and_leaves_nothing(
    own: Group, changes: dict[str, object], said: str
) -> None:
    assert said in refused(own.cache.create_replication_group, **own.arguments(**changes))
    assert not (own.aws.home.caches / HERE / own.name).exists()


def test_a_deleted_group_leaves_no_process_and_no_file(own: Group) -> None:
    own.create()
    own.cache.delete_replication_group(ReplicationGroupId=own.name)
    assert not [process for process in Processes(own.aws.home).all() if own.name in process.command.name]
    assert not (own.aws.home.caches / HERE / own.name).exists()


def test_only_a_running_server_is_available_and_it_comes_back_with_its_token(emulator: Aws) -> None:
    group = Group(emulator, "main").create()
    before = group.described
    process = Processes(emulator.home).running(f"redis-{HERE}-main")
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    end = time.monotonic() + 20
    while group.described["Status"] == "available":
        assert time.monotonic() < end
    emulator_process = Processes(emulator.home).running("aws")
    assert emulator_process is not None
    os.kill(emulator_process.pid, signal.SIGKILL)
    emulator.start()
    emulator.revive()
    assert group.described == before
    assert group.ask(f"AUTH {TOKEN}", "PING")[-1] == "+PONG"


def test_a_single_node_outside_a_group_is_refused(aws: Aws) -> None:
    arguments = {
        "CacheClusterId": "alone",
        "Engine": "redis",
        "CacheNodeType": "cache.t4g.small",
        "NumCacheNodes": 1,
    }
    assert "is not carried out on one machine" in refused(
        client(aws, "elasticache").create_cache_cluster, **arguments
    )
