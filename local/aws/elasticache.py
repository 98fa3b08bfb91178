"""ElastiCache made real: a replication group is a running Redis behind TLS.

Groups of several nodes are accepted, but only the primary runs here: all endpoints of a group are its address.
"""

import copy
from dataclasses import dataclass

from local import redis
from local.aws.internals import (
    Answer,
    Handler,
    Params,
    Record,
    cache_answer,
    cache_clusters,
    cache_error,
    cache_parameters,
    elasticache,
    get_region,
    one,
    replication_group_xml,
    replication_groups,
    request_scope,
)
from local.aws.query import RefusedError, answering, refusing
from local.home import Home
from local.ports import Ports
from local.processes import Processes
from local.redis import Redis

ENGINES = {"redis", "valkey"}


@dataclass(frozen=True, kw_only=True)
class Caches:
    """The replication groups of ``home``."""

    home: Home

    def install(self) -> None:
        """Stand between the emulator and its answers."""
        rooms = {
            "_create_replication_group": self.create,
            "_modify_replication_group": self.modify,
            "_delete_replication_group": self.delete,
            "_describe_replication_groups": self.describe,
            "_describe_cache_clusters": self.describe,
            "_increase_replica_count": self.modify,
            "_decrease_replica_count": self.modify,
            "_modify_cache_parameter_group": self.modify_parameters,
            "_reset_cache_parameter_group": self.modify_parameters,
            "_create_cache_cluster": refusing("CreateCacheCluster"),
            "_create_serverless_cache": refusing("CreateServerlessCache"),
            "_create_snapshot": refusing("CreateSnapshot"),
        }
        functions = vars(elasticache)
        for name, room in rooms.items():
            functions[name] = answering(room, functions[name], cache_error)

    def recover(self) -> None:
        """Start every server that should run and does not."""
        for (account, region, _), group in list(replication_groups.all_items()):
            with request_scope(account, region):
                self._settle(group)

    def create(self, params: Params, bookkeep: Handler) -> Answer:
        """Start the primary of a new group."""
        _check(params)
        answer = bookkeep(params)
        if answer[0] != 200:
            return answer
        group = replication_groups[one(params, "ReplicationGroupId")]
        try:
            self._settle(group)
        except BaseException:
            self._server(group).remove()
            vars(elasticache)["_delete_replication_group"](
                {"ReplicationGroupId": [group["ReplicationGroupId"]]}
            )
            raise
        return _answer("CreateReplicationGroup", group)

    def modify(self, params: Params, bookkeep: Handler) -> Answer:
        """Change the token (ROTATE, SET, DELETE), the parameter group or the records of a group; data and connections stay."""
        _check_token(params)
        before = copy.deepcopy(replication_groups.get(one(params, "ReplicationGroupId")))
        answer = bookkeep(params)
        if answer[0] != 200 or before is None:
            return answer
        group = replication_groups[before["ReplicationGroupId"]]
        try:
            self._settle(group)
        except BaseException:
            group.clear()
            group.update(before)
            raise
        return answer

    def delete(self, params: Params, bookkeep: Handler) -> Answer:
        """Stop the server of a group and delete what it has."""
        group = replication_groups.get(one(params, "ReplicationGroupId"))
        answer = bookkeep(params)
        if answer[0] == 200 and group:
            self._server(group).remove()
        return answer

    def describe(self, params: Params, bookkeep: Handler) -> Answer:
        """Describe groups or their nodes; ``available`` means that the server answers now."""
        for group in replication_groups.values():
            group["Status"] = "available" if self._server(group).ready() else "create-failed"
        return bookkeep(params)

    def modify_parameters(self, params: Params, bookkeep: Handler) -> Answer:
        """Change a parameter group: refused as a whole if the engine refuses one value, else applied at once."""
        name = one(params, "CacheParameterGroupName")
        before = copy.deepcopy(cache_parameters.get(name))
        answer = bookkeep(params)
        if answer[0] != 200:
            return answer
        try:
            redis.check(_values(name))
            for group in replication_groups.values():
                self._settle(group)
        except BaseException:
            cache_parameters[name] = before
            raise
        return answer

    def _settle(self, group: Record) -> None:
        """Make the server of ``group`` as the records say, starting it if it does not run."""
        endpoint = {"Address": self.home.addresses[0], "Port": self._claim_port(group)}
        for shard in group["NodeGroups"]:
            shard |= {"PrimaryEndpoint": dict(endpoint), "ReaderEndpoint": dict(endpoint)}
            for member in shard["NodeGroupMembers"]:
                member["ReadEndpoint"] = dict(endpoint)
        for node in (cache_clusters.get(name) for name in group["MemberClusters"]):
            if node:
                node["_endpoint"] = dict(endpoint)
                node["CacheNodes"] = [
                    {**cache_node, "Endpoint": dict(endpoint)} for cache_node in node["CacheNodes"]
                ]
        # While AUTH is being introduced by ROTATE, ElastiCache lets in clients with and without the token.
        tokens = [] if group.get("_auth_optional") else group["_auth_tokens"]
        parameters = _values(group["CacheParameterGroupName"])
        server = self._server(group)
        if Processes(self.home).running(server.name):
            server.apply(tokens=tokens, parameters=parameters)
        else:
            server.configure(tokens=tokens, parameters=parameters)
        server.start()

    def _server(self, group: Record) -> Redis:
        name = f"redis-{get_region()}-{group['ReplicationGroupId']}"
        folder = self.home.caches / get_region() / group["ReplicationGroupId"]
        port = group["NodeGroups"][0]["PrimaryEndpoint"]["Port"]
        return Redis(home=self.home, folder=folder, name=name, host=self.home.addresses[0], port=port)

    def _claim_port(self, group: Record) -> int:
        held = Processes(self.home).running(f"{self._server(group).name}-tls") is not None
        name = f"cache-{get_region()}-{group['ReplicationGroupId']}"
        return Ports(self.home).claim(name, hosts=self.home.addresses[:1], held=held)


def _check(params: Params) -> None:
    if (one(params, "Engine") or "redis") not in ENGINES:
        raise RefusedError(
            "InvalidParameterValue", f"Engine is {one(params, 'Engine')!r}: only redis and valkey run here."
        )
    if (one(params, "NumNodeGroups") or "1") != "1":
        raise RefusedError("InvalidParameterValue", "NumNodeGroups is not 1: cluster mode does not run here.")
    if one(params, "TransitEncryptionEnabled") != "true":
        raise RefusedError(
            "InvalidParameterValue", "TransitEncryptionEnabled is not true: servers here speak TLS only."
        )
    _check_token(params)
    redis.check(_values(one(params, "CacheParameterGroupName")))


def _check_token(params: Params) -> None:
    # Amazon ElastiCache User Guide, "Authenticating with the AUTH command": 16 to 128 printable characters.
    token = one(params, "AuthToken")
    if token and not (
        16 <= len(token) <= 128 and token.isascii() and token.isprintable() and not {*'"/@ '} & {*token}
    ):
        raise RefusedError(
            "InvalidParameterValue",
            'AuthToken must be 16 to 128 printable characters without ", /, @ and space.',
        )


def _values(group: str) -> dict[str, str]:
    """The values a user gave to the parameter group."""
    parameters = cache_parameters.get(group) or {}
    return {name: value["Value"] for name, value in parameters.items() if value.get("Source") == "user"}


def _answer(action: str, group: Record) -> Answer:
    inner = f"<{action}Result><ReplicationGroup>{replication_group_xml(group)}</ReplicationGroup></{action}Result>"
    return cache_answer(200, f"{action}Response", inner)
