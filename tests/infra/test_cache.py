"""The cache: encrypted, closed to whoever has no token, and found by one name however many nodes it has."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.aws.cache import Cache, CacheArgs
from infra.names import Names
from infra.settings import parse

KEY = "arn:aws:kms:eu-west-1:111122223333:key/"


@pytest.fixture(scope="module")
def declared(alone: Callable[..., Any], configuration: Callable[..., Any]) -> Callable[..., Any]:
    """``declared(nodes=2)``: the cache alone, of stack ``dev`` but for these settings."""

    def cache(**changes: Any) -> Any:
        settings = parse(configuration("dev", {"cache": changes, "workload": {"image": ""}}), "dev")
        args = CacheArgs(
            names=Names(stack="dev", owner="platform", account_id="111122223333", region="eu-west-1"),
            settings=settings.cache,
            lifetime=settings.lifetime,
            subnet_ids=["subnet-a", "subnet-b"],
            security_group_id="sg-data",
            state_key_arn=f"{KEY}state",
            secrets_key_arn=f"{KEY}secrets",
        )
        return alone(lambda: Cache("cache", args))

    return cache


def test_the_cache_speaks_tls_to_those_who_know_its_token(dev: Any) -> None:
    group = dev.one("ReplicationGroup").inputs
    assert group["transitEncryptionEnabled"]
    assert group["transitEncryptionMode"] == "required"
    assert json.loads(dev.one("SecretVersion", "cache-auth").inputs["secretString"]) == {
        "authToken": group["authToken"]
    }


def test_the_token_has_only_characters_that_elasticache_accepts(dev: Any) -> None:
    token = dev.one("RandomPassword", "cache-auth").inputs
    assert not token["special"]
    assert token["length"] == 64


@pytest.mark.parametrize(("nodes", "fails_over"), [(1, False), (2, True)])
def test_the_cache_fails_over_by_itself_when_it_can(
    declared: Callable[..., Any], nodes: int, fails_over: bool
) -> None:
    group = declared(nodes=nodes).one("ReplicationGroup").inputs
    assert group["automaticFailoverEnabled"] is group["multiAzEnabled"] is fails_over
    assert group["numCacheClusters"] == nodes


def test_a_sharded_cache_has_its_nodes_in_every_shard_and_is_found_by_one_name(
    declare: Callable[..., Any],
) -> None:
    recorded = declare("dev", {"cache": {"shards": 2, "nodes": 2}, "workload": {"image": ""}})
    group = recorded.one("ReplicationGroup").inputs
    assert (group["numNodeGroups"], group["replicasPerNodeGroup"]) == (2, 1)
    assert "numCacheClusters" not in group
    parameters = recorded.one("elasticache/parameterGroup:ParameterGroup").inputs
    assert {"name": "cluster-enabled", "value": "yes"} in parameters["parameters"]
    # Whether a group is sharded cannot be changed while a cache uses it.
    assert parameters["name"] == "vanta-dev-cache-valkey8-sharded"
    assert recorded.outputs["appEnvironment"]["VANTA_CACHE_HOST"] == "cache.configuration.example"
    assert recorded.outputs["cacheReaderEndpoint"] == "cache.configuration.example"


def test_a_sharded_cache_fails_over_even_without_replicas(declared: Callable[..., Any]) -> None:
    """ElastiCache refuses a sharded group that does not; it has no other zone to fail over to."""
    group = declared(shards=3, nodes=1).one("ReplicationGroup").inputs
    assert (group["automaticFailoverEnabled"], group["multiAzEnabled"]) == (True, False)


def test_a_full_cache_drops_what_would_expire_and_keeps_streams(dev: Any) -> None:
    parameters = dev.one("elasticache/parameterGroup:ParameterGroup").inputs["parameters"]
    assert parameters == [{"name": "maxmemory-policy", "value": "volatile-lfu"}]


def test_the_cache_is_encrypted_at_rest(dev: Any) -> None:
    group = dev.one("ReplicationGroup").inputs
    assert group["atRestEncryptionEnabled"]
    assert group["kmsKeyId"].endswith(":state")
