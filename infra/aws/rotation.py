"""The rotation of a secret: a function that Secrets Manager calls, and the schedule on which it does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pulumi
import pulumi_aws as aws

import infra.rotation
from infra.aws.alarms import Alarm, Alarms, AlarmsArgs
from infra.aws.options import holding_data
from infra.aws.place import Place
from infra.aws.policy_document import Statement
from infra.aws.service_role import ServiceRole, ServiceRoleArgs
from infra.names import Names
from infra.settings.lifetime import Lifetime

# The group of the app's roles in the database, made by its first migration.
ROLE_GROUP = "vanta_api"
RUNTIME = "python3.13"
# AWS Lambda Developer Guide, "Lambda quotas": the most there is; a cache takes minutes to accept a token.
TIMEOUT_SECONDS = 900
MEMORY_MIB = 256
LOG_DAYS = 365


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What lets its users in by a secret: the environment that tells the function of it, and what the function does to it."""

    environment: Mapping[str, pulumi.Input[str]]
    permissions: Sequence[Statement]


def in_database(cluster_arn: pulumi.Input[str], master_secret_arn: pulumi.Input[str], name: str) -> Kept:
    """The app's role in database ``name`` of a cluster with the Data API."""
    return Kept(
        environment={
            "KEEPER": "database",
            "CLUSTER_ARN": cluster_arn,
            "MASTER_SECRET_ARN": master_secret_arn,
            "DATABASE": name,
            "ROLE_GROUP": ROLE_GROUP,
        },
        permissions=[
            _allow("ChangeTheOtherUser", ["rds-data:ExecuteStatement"], cluster_arn),
            _allow("LogInAsMaster", ["secretsmanager:GetSecretValue"], master_secret_arn),
        ],
    )


def in_cache(place: Place, identifier: str) -> Kept:
    """The token of a replication group."""
    actions = ["elasticache:DescribeReplicationGroups", "elasticache:ModifyReplicationGroup"]
    group = place.arn("elasticache", f"replicationgroup:{identifier}")
    return Kept(
        environment={"KEEPER": "cache", "REPLICATION_GROUP": identifier},
        permissions=[_allow("AddTheToken", actions, group)],
    )


@dataclass(frozen=True, kw_only=True)
class RotationArgs:
    """Inputs of :class:`Rotation`; ``days`` pass between two rotations, ``topic_arn`` is told when one fails."""

    names: Names
    place: Place
    lifetime: Lifetime
    secret_arn: pulumi.Input[str]
    secrets_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    kept: Kept
    days: int
    topic_arn: pulumi.Input[str] | None = field(default=None)


class Rotation(pulumi.ComponentResource):
    """A function with ``infra/rotation`` as its code, in no network: it speaks to AWS alone.

    The first rotation is when the schedule says: before, nobody has to be able to log in yet.

    Produces ``LogGroup``, the :class:`ServiceRole` of the function, ``Function``, ``Permission``, ``SecretRotation`` and,
    with a topic, :class:`Alarms`.

    Source: AWS Secrets Manager User Guide, "Lambda rotation function execution role permissions" and "Rotation by Lambda
    function".
    """

    def __init__(self, name: str, args: RotationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Rotation", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        identifier = args.names.of(name)
        tags = args.names.tags(layer="state", classification="restricted")

        logs = aws.cloudwatch.LogGroup(
            name,
            name=f"/aws/lambda/{identifier}",
            retention_in_days=LOG_DAYS,
            kms_key_id=args.logs_key_arn,
            tags=tags,
            opts=holding_data(self, lifetime=args.lifetime),
        )
        role = ServiceRole(
            name,
            ServiceRoleArgs(
                names=args.names,
                description="Rotates one secret",
                trust=_ASSUMED_BY_LAMBDA,
                statements=permissions(args, logs.arn),
            ),
            opts=child,
        )
        function = aws.lambda_.Function(
            name,
            name=identifier,
            description="Rotates one secret in the four steps of Secrets Manager",
            role=role.arn,
            runtime=RUNTIME,
            architectures=["arm64"],
            handler="infra.rotation.handler.handle",
            code=code(),
            timeout=TIMEOUT_SECONDS,
            memory_size=MEMORY_MIB,
            environment={"variables": args.kept.environment},
            logging_config={"log_format": "JSON", "log_group": logs.name},
            tags=tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=role.ready),
        )
        permission = aws.lambda_.Permission(
            name,
            statement_id="CalledBySecretsManager",
            action="lambda:InvokeFunction",
            function=function.name,
            principal="secretsmanager.amazonaws.com",
            source_account=args.place.account_id,
            opts=child,
        )
        aws.secretsmanager.SecretRotation(
            name,
            secret_id=args.secret_arn,
            rotation_lambda_arn=function.arn,
            rotate_immediately=False,
            rotation_rules={"automatically_after_days": args.days},
            # Secrets Manager tries whether it may call the function before it accepts it.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permission]),
        )
        if args.topic_arn is not None:
            failed = Alarm(
                noun=f"{name}-failed",
                description="A secret was not rotated; the log of the function says at which step",
                namespace="AWS/Lambda",
                metric="Errors",
                unit="count",
                dimensions={"FunctionName": identifier},
                above=0,
                minutes=1,
            )
            Alarms(name, AlarmsArgs(names=args.names, topic_arn=args.topic_arn, alarms=[failed]), opts=child)
        self.register_outputs({})


def code() -> pulumi.AssetArchive:
    """The package ``infra.rotation`` under its own name, so that it runs there as it is tested here."""
    folder = Path(infra.rotation.__file__).parent
    files = [folder.parent / "__init__.py", *sorted(folder.glob("*.py"))]
    root = folder.parents[1]
    return pulumi.AssetArchive(
        {file.relative_to(root).as_posix(): pulumi.StringAsset(file.read_text("utf-8")) for file in files}
    )


def permissions(args: RotationArgs, log_group_arn: pulumi.Output[str]) -> list[Statement]:
    """What the function does: to its secret, to what the secret is for, and to its log."""
    secret = [
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
    ]
    streams = log_group_arn.apply(lambda arn: f"{arn}:*")
    via = {"kms:ViaService": f"secretsmanager.{args.place.region}.amazonaws.com"}
    key = _allow("OpenAndSealSecrets", ["kms:Decrypt", "kms:GenerateDataKey"], args.secrets_key_arn)
    return [
        _allow("RotateTheSecret", secret, args.secret_arn),
        {**key, "Condition": {"StringEquals": via}},
        _allow("WriteTheLog", ["logs:CreateLogStream", "logs:PutLogEvents"], streams),
        *args.kept.permissions,
    ]


def _allow(sid: str, actions: Sequence[str], resource: pulumi.Input[str]) -> Statement:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


_ASSUMED_BY_LAMBDA: Statement = {
    "Sid": "AssumedByLambda",
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
