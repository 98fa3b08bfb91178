"""A secret is rotated without a moment in which what it names lets nobody in, wherever a step is cut off."""

import base64
import functools
import itertools
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from app.db import roles
from infra.rotation.cache import Cache
from infra.rotation.database import Database, scram_verifier
from infra.rotation.handler import Keeper, rotate
from infra.rotation.secret import RotationError, password

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:token"


class CutOffError(Exception):
    """The function was cut off."""


class Clock:
    """A time that passes with every look at it."""

    def __init__(self) -> None:
        self.ticks = itertools.count()

    def now(self) -> datetime:
        return datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=next(self.ticks))


class Manager:
    """One secret of Secrets Manager."""

    class exceptions:  # noqa: N801  # boto3's own name
        class ResourceNotFoundException(Exception):  # noqa: N818  # boto3's own name
            pass

    def __init__(self, clock: Clock, first: Mapping[str, str]) -> None:
        self.clock = clock
        self.versions: dict[str, tuple[str, datetime] | None] = {"0": (json.dumps(first), clock.now())}
        self.labels = {"AWSCURRENT": "0"}

    def start(self, version: str) -> None:
        """What RotateSecret does."""
        self.versions.setdefault(version, None)
        self.labels["AWSPENDING"] = version

    def describe_secret(self, **_: str) -> dict[str, Any]:
        stages = {v: [label for label, at in self.labels.items() if at == v] for v in self.versions}
        return {"VersionIdsToStages": stages}

    def get_secret_value(self, *, SecretId: str, VersionStage: str, VersionId: str = "") -> dict[str, Any]:  # noqa: N803, ARG002  # boto3's own names
        version = self.labels[VersionStage]
        held = self.versions[version]
        if held is None or VersionId not in ("", version):
            raise self.exceptions.ResourceNotFoundException
        return {"SecretString": held[0], "CreatedDate": held[1]}

    def put_secret_value(self, *, ClientRequestToken: str, SecretString: str, **_: Any) -> None:  # noqa: N803  # boto3's own names
        assert self.versions[ClientRequestToken] is None
        self.versions[ClientRequestToken] = (SecretString, self.clock.now())

    def update_secret_version_stage(
        self,
        *,
        MoveToVersionId: str,  # noqa: N803  # boto3's own name
        RemoveFromVersionId: str,  # noqa: N803  # boto3's own name
        **_: str,
    ) -> None:
        assert self.labels["AWSCURRENT"] == RemoveFromVersionId
        self.labels |= {"AWSPREVIOUS": RemoveFromVersionId, "AWSCURRENT": MoveToVersionId}

    def document(self, label: str) -> dict[str, str]:
        held = self.versions[self.labels[label]]
        assert held is not None
        return json.loads(held[0])


# Thousands of hashes each, and asked for after every call.
known_verifier = functools.cache(scram_verifier)


class DataApi:
    """A database behind the Data API, as far as its roles go."""

    def __init__(self, first: Mapping[str, str]) -> None:
        self.verifiers = {first["username"]: scram_verifier(first["password"], b"0" * 16)}
        self.members = {first["username"]}
        self.statements: list[str] = []

    def execute_statement(self, *, sql: str, parameters: list[dict[str, Any]], **_: str) -> dict[str, Any]:
        self.statements.append(sql)
        given = {p["name"]: p["value"]["stringValue"] for p in parameters}
        if made := re.fullmatch(r"(create|alter) role (\w+) login password '(.*)'", sql):
            verb, name, verifier = made.groups()
            assert (name in self.verifiers) is (verb == "alter")
            self.verifiers[name] = verifier
            return {}
        if granted := re.fullmatch(r"grant vanta_api to (\w+)", sql):
            self.members.add(granted[1])
            return {}
        known = given["name"] in (self.members if "pg_has_role" in sql else self.verifiers)
        return {"records": [[{"longValue": 1}]] if known else []}

    def lets_in(self, login: Mapping[str, str]) -> bool:
        verifier = self.verifiers.get(login["username"], "")
        if not verifier or login["username"] not in self.members:
            return False
        salt = base64.b64decode(verifier.split("$")[1].split(":")[1])
        return known_verifier(login["password"], salt) == verifier


class ElastiCache:
    """A replication group that knows its two most recent tokens, as the User Guide says."""

    def __init__(self, clock: Clock, first: Mapping[str, str]) -> None:
        self.clock = clock
        self.tokens = [first["authToken"]]
        self.changed: datetime | None = None

    def describe_replication_groups(self, **_: str) -> dict[str, Any]:
        changed = {} if self.changed is None else {"AuthTokenLastModifiedDate": self.changed}
        return {"ReplicationGroups": [{"Status": "available", "PendingModifiedValues": {}, **changed}]}

    def modify_replication_group(self, *, AuthToken: str, AuthTokenUpdateStrategy: str, **_: Any) -> None:  # noqa: N803  # boto3's own names
        assert AuthTokenUpdateStrategy == "ROTATE"
        self.tokens = [*self.tokens, AuthToken][-2:]
        self.changed = self.clock.now()

    def lets_in(self, login: Mapping[str, str]) -> bool:
        return login["authToken"] in self.tokens


class Cut:
    """A client whose n-th call, counted over all clients, is cut off before or after it has its effect."""

    def __init__(
        self, client: Any, count: "itertools.count[int]", at: int, late: bool, seen: Callable[[], None]
    ) -> None:
        self._client, self._count, self._at, self._late, self._seen = client, count, at, late, seen

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found) or name == "exceptions":
            return found

        def call(**arguments: Any) -> Any:
            number = next(self._count)
            if number == self._at and not self._late:
                raise CutOffError
            answer = found(**arguments)
            self._seen()
            if number == self._at:
                raise CutOffError
            return answer

        return call


Cuts = list[tuple[int, bool]]
CUTS = st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=6)


def rotate_fully(
    version: str, manager: Manager, service: Any, keeper: Callable[[Any], Keeper], cuts: Cuts
) -> None:
    """Let Secrets Manager try until it succeeds; whoever reads the current version can log in all the time."""

    def seen() -> None:
        assert service.lets_in(manager.document("AWSCURRENT"))

    manager.start(version)
    for at, late in [*cuts, (-1, False)]:
        count = itertools.count()
        events = [{"Step": step, "SecretId": SECRET, "ClientRequestToken": version} for step in STEPS]
        try:
            for event in events:
                rotate(
                    event, Cut(manager, count, at, late, seen), keeper(Cut(service, count, at, late, seen))
                )
        except CutOffError:
            continue
    assert manager.labels["AWSCURRENT"] == version
    assert service.lets_in(manager.document("AWSPREVIOUS"))


def database(client: Any) -> Keeper:
    where = {"cluster_arn": "arn:cluster", "master_secret_arn": "arn:master", "database": "vanta"}
    return Database(client, **where, group=roles.GROUP)


def cache(client: Any) -> Keeper:
    return Cache(client, group="vanta-prod-cache")


@settings(max_examples=40, deadline=None)
@given(rotations=st.lists(CUTS, min_size=1, max_size=3))
def test_whoever_reads_the_password_of_the_database_can_log_in_at_every_moment(rotations: list[Cuts]) -> None:
    first = {"username": "vanta_app", "password": password(40)}
    manager, service = Manager(Clock(), first), DataApi(first)
    for number, cuts in enumerate(rotations, 1):
        rotate_fully(str(number), manager, service, database, cuts)
    expected = "vanta_app" if len(rotations) % 2 == 0 else "vanta_app_2"
    assert manager.document("AWSCURRENT")["username"] == expected


@settings(max_examples=40, deadline=None)
@given(rotations=st.lists(CUTS, min_size=1, max_size=3))
def test_whoever_reads_the_token_of_the_cache_can_log_in_at_every_moment(rotations: list[Cuts]) -> None:
    clock, first = Clock(), {"authToken": password(64)}
    manager, service = Manager(clock, first), ElastiCache(clock, first)
    for number, cuts in enumerate(rotations, 1):
        rotate_fully(str(number), manager, service, cache, cuts)
    assert len(manager.document("AWSCURRENT")["authToken"]) == 64


def test_no_statement_says_a_password() -> None:
    first = {"username": "vanta_app", "password": password(40)}
    manager, service = Manager(Clock(), first), DataApi(first)
    rotate_fully("1", manager, service, database, [])
    made = manager.document("AWSCURRENT")["password"]
    assert made != first["password"]
    assert not [sql for sql in service.statements if made in sql or first["password"] in sql]


def test_the_verifier_is_the_one_that_the_app_would_store() -> None:
    assert scram_verifier("secret", b"salt" * 4) == roles.scram_verifier("secret", b"salt" * 4)


def test_a_user_whose_name_is_no_name_is_refused_without_a_statement() -> None:
    service = DataApi({"username": "vanta_app", "password": "x"})
    for name in ("vanta_app", "x; drop role vanta_master", ""):
        with pytest.raises(RotationError, match="does not name the other user"):
            database(service).accept(
                {"username": "vanta_app"}, {"username": name, "password": "y"}, datetime.now(UTC)
            )
    assert not service.statements


def test_a_user_outside_its_group_fails_the_test() -> None:
    service = DataApi({"username": "vanta_app", "password": "x"})
    with pytest.raises(RotationError, match="no member of its group"):
        database(service).check({"username": "vanta_app_2", "password": "y"})


@pytest.mark.parametrize(
    ("version", "step", "sentence"),
    [("9", "createSecret", "is no version of"), ("1", "deleteSecret", "is no step of a rotation")],
)
def test_what_secrets_manager_would_not_ask_is_refused(version: str, step: str, sentence: str) -> None:
    first = {"authToken": password(64)}
    clock = Clock()
    manager = Manager(clock, first)
    manager.start("1")
    event = {"Step": step, "SecretId": SECRET, "ClientRequestToken": version}
    with pytest.raises(RotationError, match=sentence):
        rotate(event, manager, cache(ElastiCache(clock, first)))


@mock_aws
def test_the_calls_are_those_of_secrets_manager() -> None:
    """Against moto, which knows the API but starts no rotation: the pending version is labelled by hand."""
    manager = boto3.client("secretsmanager", region_name="eu-west-1")
    first = {"authToken": password(64)}
    arn = manager.create_secret(Name="token", SecretString=json.dumps(first))["ARN"]
    version = "a" * 36
    manager.put_secret_value(
        SecretId=arn,
        ClientRequestToken=version,
        SecretString=json.dumps({"authToken": password(64)}),
        VersionStages=["AWSPENDING"],
    )
    service = ElastiCache(Clock(), first)
    service.clock.now = lambda: datetime.now(UTC)  # moto's time is the machine's
    for step in STEPS:
        rotate({"Step": step, "SecretId": arn, "ClientRequestToken": version}, manager, cache(service))
    stages = manager.describe_secret(SecretId=arn)["VersionIdsToStages"]
    assert "AWSCURRENT" in stages[version]
    current = json.loads(manager.get_secret_value(SecretId=arn)["SecretString"])
    assert service.lets_in(current)
    assert service.lets_in(first)
