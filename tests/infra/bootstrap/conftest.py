"""The bootstrap on a double of AWS, and a judge of policies; both come as fixtures, because test folders are no packages."""

import fnmatch
import io
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import pytest
from moto import mock_aws

from infra.bootstrap.__main__ import main
from infra.bootstrap.plan import Plan, Stack

ACCOUNT = "111122223333"
ARGUMENTS = {
    "--region": "eu-west-1",
    "--replica-region": "eu-central-1",
    "--repository": "example/vanta",
    "--stacks": "dev",
}

Judge = Callable[..., bool]


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What one run of the command said."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def run() -> Callable[..., Ran]:
    """``run("--dry-run", stacks="prod")``: the command with the usual arguments, less those that are given."""

    def command(*flags: str, **given: str) -> Ran:
        named = {**ARGUMENTS, **{f"--{key.replace('_', '-')}": value for key, value in given.items()}}
        arguments = [text for pair in named.items() for text in pair]
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main([*arguments, *flags])
        return Ran(code=code, out=out.getvalue(), err=err.getvalue())

    return command


@pytest.fixture(scope="module")
def cloud() -> Generator[None]:
    """An empty account for the tests of one file."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        patch.setenv("MOTO_ACCOUNT_ID", ACCOUNT)
        with mock_aws():
            yield


@pytest.fixture(scope="session")
def plan() -> Plan:
    """Three stacks, of which one follows another and is named after it."""
    return Plan(
        account=ACCOUNT,
        partition="aws",
        region="eu-west-1",
        replica_region="eu-central-1",
        repository="example/vanta",
        stacks=(
            Stack(name="dev", throwaway=True),
            Stack(name="prod", extended=("prod-dr",)),
            Stack(name="prod-dr", follows=("prod",)),
        ),
    )


@pytest.fixture(scope="session")
def allowed() -> Judge:
    """``allowed(statements, "s3:GetObject", arn, {"aws:ResourceTag/stack": "dev"})``: IAM's answer for one request.

    Source: AWS IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators".
    """

    def judge(
        statements: Sequence[Mapping[str, Any]],
        action: str,
        resource: str = "*",
        context: Mapping[str, str] | None = None,
    ) -> bool:
        said = [
            statement["Effect"]
            for statement in statements
            if _matches(action.lower(), [each.lower() for each in _listed(statement["Action"])])
            and _matches(resource, _listed(statement["Resource"]))
            and _meets(statement.get("Condition", {}), context or {})
        ]
        return "Allow" in said and "Deny" not in said

    return judge


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _matches(value: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(value, pattern) for pattern in patterns)


def _meets(condition: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    return all(
        _OPERATORS[operator](context.get(key), _listed(wanted))
        for operator, keys in condition.items()
        for key, wanted in keys.items()
    )


def _like(value: str | None, wanted: list[str]) -> bool:
    return value is not None and _matches(value, wanted)


def _equal(value: str | None, wanted: list[str]) -> bool:
    return value in wanted


_OPERATORS: dict[str, Callable[[str | None, list[str]], bool]] = {
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": _equal,
    "ForAnyValue:StringEquals": _equal,
    "Null": lambda value, wanted: str(value is None).lower() in wanted,
    "StringEquals": _equal,
    "StringEqualsIfExists": lambda value, wanted: value is None or value in wanted,
    "StringLike": _like,
    "StringNotEquals": lambda value, wanted: value not in wanted,
}
