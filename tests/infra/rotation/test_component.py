"""The function that rotates is called by Secrets Manager alone, and may do to its own secret what a rotation does."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from app.db.roles import GROUP
from infra.aws.rotation import ROLE_GROUP, code
from infra.refusal import SettingsError
from infra.settings import parse

ROTATIONS = ("database-app-rotation", "cache-auth-rotation")
ROTATING = {"secrets": {"rotationDays": 30}, "database": {"instanceClass": "db.r8g.large"}}


@pytest.fixture(scope="module")
def rotating(declare: Callable[..., Any]) -> Any:
    """A stack that rotates what it can."""
    return declare("dev", ROTATING)


def statements(recorded: Any, rotation: str) -> dict[str, dict[str, Any]]:
    policy = json.loads(recorded.one("RolePolicy", rotation).inputs["policy"])
    return {statement["Sid"]: statement for statement in policy["Statement"]}


def test_nothing_is_rotated_unless_asked_for(dev: Any) -> None:
    assert not dev.all("SecretRotation")
    assert not dev.all("lambda/function:Function")
    assert "enableHttpEndpoint" not in dev.one("rds/cluster:Cluster").inputs


def test_the_secrets_of_database_and_cache_are_rotated_on_a_schedule(rotating: Any) -> None:
    for rotation, secret in zip(ROTATIONS, ("database-app", "cache-auth"), strict=True):
        schedule = rotating.one("SecretRotation", rotation)
        assert schedule.inputs["secretId"].endswith(f":{secret}")
        assert schedule.inputs["rotationRules"] == {"automaticallyAfterDays": 30}
        # The app's role is made only after the stack is up, and could not be tested before.
        assert schedule.inputs["rotateImmediately"] is False
        assert f"Permission {rotation}" in schedule.dependencies


def test_the_database_takes_statements_without_a_way_into_its_network(rotating: Any) -> None:
    assert rotating.one("rds/cluster:Cluster").inputs["enableHttpEndpoint"]
    assert "vpcConfig" not in rotating.one("lambda/function:Function", "database-app-rotation").inputs


@pytest.mark.parametrize("rotation", ROTATIONS)
def test_secrets_manager_of_this_account_alone_calls_the_function(rotating: Any, rotation: str) -> None:
    permission = rotating.one("Permission", rotation).inputs
    assert permission["principal"] == "secretsmanager.amazonaws.com"
    assert permission["sourceAccount"] == "111122223333"
    assert permission["action"] == "lambda:InvokeFunction"


@pytest.mark.parametrize(
    ("rotation", "own"),
    [
        (
            "database-app-rotation",
            {
                "ChangeTheOtherUser": {"rds-data:ExecuteStatement"},
                "LogInAsMaster": {"secretsmanager:GetSecretValue"},
            },
        ),
        (
            "cache-auth-rotation",
            {
                "AddTheToken": {
                    "elasticache:DescribeReplicationGroups",
                    "elasticache:ModifyReplicationGroup",
                }
            },
        ),
    ],
)
def test_a_function_does_what_its_rotation_needs_and_nothing_else(
    rotating: Any, rotation: str, own: dict[str, set[str]]
) -> None:
    allowed = statements(rotating, rotation)
    common = {
        "RotateTheSecret": {
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetSecretValue",
            "secretsmanager:PutSecretValue",
            "secretsmanager:UpdateSecretVersionStage",
        },
        "OpenAndSealSecrets": {"kms:Decrypt", "kms:GenerateDataKey"},
        "WriteTheLog": {"logs:CreateLogStream", "logs:PutLogEvents"},
    }
    assert {sid: set(statement["Action"]) for sid, statement in allowed.items()} == common | own
    assert allowed["OpenAndSealSecrets"]["Condition"] == {
        "StringEquals": {"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com"}
    }
    assert allowed["RotateTheSecret"]["Resource"].endswith(f":{rotation.removesuffix('-rotation')}")
    assert not [statement for statement in allowed.values() if statement["Resource"] == "*"]


@pytest.mark.parametrize("rotation", ROTATIONS)
def test_a_rotation_that_failed_is_told(rotating: Any, rotation: str) -> None:
    alarm = rotating.one("MetricAlarm", f"{rotation}-failed").inputs
    function = rotating.one("lambda/function:Function", rotation).inputs
    assert (alarm["namespace"], alarm["metricName"]) == ("AWS/Lambda", "Errors")
    assert alarm["dimensions"] == {"FunctionName": function["name"]}
    assert (alarm["threshold"], alarm["evaluationPeriods"]) == (0, 1)


def test_the_function_logs_into_an_encrypted_group_of_its_own(rotating: Any) -> None:
    for rotation in ROTATIONS:
        group = rotating.one("LogGroup", rotation).inputs
        function = rotating.one("lambda/function:Function", rotation).inputs
        assert group["kmsKeyId"].endswith(":logs")
        assert function["loggingConfig"]["logGroup"] == group["name"]


def test_the_group_of_roles_is_the_one_that_the_app_makes() -> None:
    assert ROLE_GROUP == GROUP


def test_the_code_runs_with_nothing_beside_it_but_boto3(tmp_path: Path) -> None:
    archive = tmp_path / "code.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for name, asset in code().assets.items():
            assert isinstance(asset, pulumi.StringAsset)
            zipped.writestr(name, asset.text)
    script = (
        "import sys; from infra.rotation import handler; assert callable(handler.handle); "
        "assert handler.__file__.startswith(sys.path[0]), handler.__file__; "
        "assert not [m for m in sys.modules if m.split('.')[0] in ('pulumi', 'pulumi_aws')]"
    )
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(archive)!r}); {script}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("stack", "changes", "sentence"),
    [
        (
            "dev",
            {"secrets": {"rotationDays": 1001}},
            "vanta:secrets.rotationDays is 1001 which is out of range. Use 0 to 1000 days.",
        ),
        (
            "dev",
            {"secrets": {"rotationDays": 30}, "database": {"instanceClass": "db.t4g.medium"}},
            (
                "vanta:secrets.rotationDays is 30 but the RDS Data API, through which it works, does not know "
                "db.t4g.medium. Use another instance class, serverless capacity, or 0."
            ),
        ),
        (
            "prod-dr",
            {"secrets": {"rotationDays": 30}},
            (
                "vanta:secrets.rotationDays is 30 but vanta:recovery.role is standby, whose secrets are copies of its "
                "primary's. Set it in the primary."
            ),
        ),
    ],
)
def test_a_rotation_that_could_not_work_is_refused(
    configuration: Callable[..., dict[str, Any]], stack: str, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        parse(configuration(stack, changes), stack)
    assert str(refused.value) == sentence
