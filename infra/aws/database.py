"""The primary store: an Aurora PostgreSQL cluster that can be wound back to any second of its retention."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.aws.capacity import instance_class
from infra.aws.credential import Credential, CredentialArgs
from infra.aws.options import holding_data
from infra.aws.reader_scaling import ReaderScaling, ReaderScalingArgs
from infra.names import Names
from infra.settings.database import DatabaseSettings
from infra.settings.lifetime import Lifetime

ENGINE = "aurora-postgresql"
MASTER_USER = "vanta_master"
APP_USER = "vanta_app"
# After its worker died a transaction would hold its row locks for ever; no honest one idles for a minute.
_IDLE_TRANSACTION_MS = 60_000
_PASSWORD_LENGTH = 40


@dataclass(frozen=True, kw_only=True)
class DatabaseArgs:
    """Inputs of :class:`Database`; key ARNs are those of the data classes they are named after."""

    names: Names
    settings: DatabaseSettings
    lifetime: Lifetime
    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    state_key_arn: pulumi.Input[str]
    secrets_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]


class Database(pulumi.ComponentResource):
    """An encrypted Aurora PostgreSQL cluster: one writer, N readers, TLS only, continuous backup.

    Produces ``SubnetGroup``, ``ClusterParameterGroup``, ``ParameterGroup``, ``LogGroup``, ``Cluster``, one
    ``ClusterInstance`` for the writer and one per reader, :class:`ReaderScaling` if there may be more readers, and the
    :class:`Credential` of the app's role. The master user's secret is made and rotated by RDS itself; both secrets hold
    ``{"username", "password"}``. What a new cluster is restored from matters only when it is made.

    Source: Amazon Aurora User Guide, "Security in Amazon Aurora" and "Best practices with Amazon Aurora PostgreSQL".
    """

    identifier: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    reader_endpoint: pulumi.Output[str]
    port: pulumi.Output[int]
    name: pulumi.Output[str]
    master_secret_arn: pulumi.Output[str]
    app_secret_arn: pulumi.Output[str]

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Database", name, None, opts)
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self._tags = args.names.tags(layer="state", classification="restricted")

        cluster = self._cluster(name)
        instances = self._instance_parameters(name)
        writer = self._instance(f"{name}-1", cluster, instances, promotion_tier=0)
        readers = [
            # The first instance of a cluster becomes its writer: readers wait until that is decided.
            self._instance(f"{name}-{number}", cluster, instances, promotion_tier=1, depends_on=[writer])
            for number in range(2, args.settings.readers + 2)
        ]
        if args.settings.max_readers:
            ReaderScaling(
                f"{name}-readers",
                ReaderScalingArgs(
                    names=args.names,
                    cluster_identifier=cluster.cluster_identifier,
                    fewest=args.settings.readers,
                    most=args.settings.max_readers,
                    readers=readers,
                ),
                opts=self._child,
            )
        app = Credential(
            "database-app",
            CredentialArgs(
                names=args.names,
                lifetime=args.lifetime,
                kms_key_arn=args.secrets_key_arn,
                description="The role by which the state API logs in to the database",
                length=_PASSWORD_LENGTH,
                document=lambda password: {"username": APP_USER, "password": password},
            ),
            opts=self._child,
        )

        self.identifier = cluster.cluster_identifier
        self.endpoint, self.reader_endpoint = cluster.endpoint, cluster.reader_endpoint
        self.port, self.name = cluster.port, cluster.database_name
        # A managed master user has exactly one secret; the SDK cannot know that.
        self.master_secret_arn = cluster.master_user_secrets.apply(lambda secrets: str(secrets[0].secret_arn))
        self.app_secret_arn = app.arn
        self.register_outputs({"identifier": self.identifier, "endpoint": self.endpoint})

    def _cluster(self, name: str) -> aws.rds.Cluster:
        args, settings = self._args, self._args.settings
        identifier = args.names.of(name)
        subnets = aws.rds.SubnetGroup(
            name,
            name=identifier,
            description="The isolated data subnets",
            subnet_ids=list(args.subnet_ids),
            tags=self._tags,
            opts=self._child,
        )
        return aws.rds.Cluster(
            name,
            cluster_identifier=identifier,
            engine=ENGINE,
            engine_version=settings.engine_version,
            database_name=settings.name,
            master_username=MASTER_USER,
            manage_master_user_password=True,
            master_user_secret_kms_key_id=args.secrets_key_arn,
            iam_database_authentication_enabled=settings.iam_authentication,
            db_subnet_group_name=subnets.name,
            vpc_security_group_ids=[args.security_group_id],
            db_cluster_parameter_group_name=self._cluster_parameters(name).name,
            # Of no effect on provisioned instances, and there before one becomes serverless.
            serverlessv2_scaling_configuration={
                "min_capacity": settings.min_capacity_units,
                "max_capacity": settings.max_capacity_units,
            },
            snapshot_identifier=settings.restore_snapshot or None,
            restore_to_point_in_time=_point_in_time(settings),
            storage_encrypted=True,
            kms_key_id=args.state_key_arn,
            backup_retention_period=settings.backup_retention_days,
            copy_tags_to_snapshot=True,
            delete_automated_backups=not args.lifetime.kept,
            deletion_protection=args.lifetime.protected,
            skip_final_snapshot=not args.lifetime.kept,
            final_snapshot_identifier=f"{identifier}-final" if args.lifetime.kept else None,
            enabled_cloudwatch_logs_exports=["postgresql"],
            # Where nothing is permanent nobody wants to wait for the maintenance window.
            apply_immediately=not args.lifetime.protected,
            tags=self._tags,
            # RDS would make the log group itself on the first line: unencrypted and kept for ever.
            opts=pulumi.ResourceOptions.merge(
                holding_data(self, lifetime=args.lifetime, depends_on=[self._log_group(name, identifier)]),
                # A change of either would replace the cluster by one that is restored from elsewhere.
                pulumi.ResourceOptions(ignore_changes=["snapshotIdentifier", "restoreToPointInTime"]),
            ),
        )

    def _log_group(self, name: str, identifier: str) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            name,
            name=f"/aws/rds/cluster/{identifier}/postgresql",
            retention_in_days=self._args.settings.log_retention_days,
            kms_key_id=self._args.logs_key_arn,
            tags=self._tags,
            opts=holding_data(self, lifetime=self._args.lifetime),
        )

    def _family(self) -> str:
        return f"{ENGINE}{self._args.settings.engine_version.split('.')[0]}"

    def _cluster_parameters(self, name: str) -> aws.rds.ClusterParameterGroup:
        """``log_statement`` stays off: it would write the passwords of CREATE ROLE into the log."""
        parameters = {
            "rds.force_ssl": "1",
            "log_min_duration_statement": str(self._args.settings.slow_query_ms),
            # A slow statement is logged without its parameters: they are the tenants' documents.
            "log_parameter_max_length": "0",
            "log_lock_waits": "1",
            "idle_in_transaction_session_timeout": str(_IDLE_TRANSACTION_MS),
        }
        return aws.rds.ClusterParameterGroup(
            name,
            # The family is in the name so that the groups of two major versions can exist during an upgrade.
            name=f"{self._args.names.of(name)}-{self._family()}",
            family=self._family(),
            description="TLS only; slow statements and lock waits logged without their parameters",
            parameters=[{"name": key, "value": value} for key, value in parameters.items()],
            tags=self._tags,
            opts=self._child,
        )

    def _instance_parameters(self, name: str) -> aws.rds.ParameterGroup:
        """Empty for now: an instance can change its group's values while it runs, but not its group."""
        return aws.rds.ParameterGroup(
            name,
            name=f"{self._args.names.of(name)}-{self._family()}",
            family=self._family(),
            description="What is tuned for one instance",
            tags=self._tags,
            opts=self._child,
        )

    def _instance(
        self,
        name: str,
        cluster: aws.rds.Cluster,
        parameters: aws.rds.ParameterGroup,
        *,
        promotion_tier: int,
        depends_on: Sequence[pulumi.Resource] = (),
    ) -> aws.rds.ClusterInstance:
        """One server of the cluster; it runs the cluster's version, and the lower its tier the sooner it is promoted."""
        args = self._args
        return aws.rds.ClusterInstance(
            name,
            identifier=args.names.of(name),
            cluster_identifier=cluster.cluster_identifier,
            engine=aws.rds.EngineType.AURORA_POSTGRESQL,
            instance_class=instance_class(args.settings),
            db_parameter_group_name=parameters.name,
            promotion_tier=promotion_tier,
            publicly_accessible=False,
            performance_insights_enabled=True,
            performance_insights_kms_key_id=args.state_key_arn,
            performance_insights_retention_period=args.settings.performance_insights_days,
            auto_minor_version_upgrade=True,
            copy_tags_to_snapshot=True,
            apply_immediately=not args.lifetime.protected,
            tags=self._tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(depends_on)),
        )


def _point_in_time(settings: DatabaseSettings) -> aws.rds.ClusterRestoreToPointInTimeArgsDict | None:
    """The moment to begin from: a second of another cluster's retention, or the last that it can give."""
    if not settings.restore_cluster:
        return None
    when: aws.rds.ClusterRestoreToPointInTimeArgsDict = {
        "source_cluster_identifier": settings.restore_cluster,
        # A copy of the whole volume, independent of the other cluster from the start.
        "restore_type": "full-copy",
    }
    if settings.restore_time:
        return {**when, "restore_to_time": settings.restore_time}
    return {**when, "use_latest_restorable_time": True}
