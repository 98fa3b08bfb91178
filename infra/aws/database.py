"""The primary store: an Aurora PostgreSQL cluster that can be wound back to any second of its retention."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from infra.aws.capacity import instance_class
from infra.aws.credential import Credential, CredentialArgs
from infra.aws.database_parameters import ParametersArgs, cluster_parameters, instance_parameters
from infra.aws.global_database import CHANGED_ELSEWHERE, GlobalDatabase, GlobalDatabaseArgs, Joined
from infra.aws.options import holding_data
from infra.aws.reader_scaling import ReaderScaling, ReaderScalingArgs
from infra.names import Names
from infra.settings.database import DatabaseSettings
from infra.settings.lifetime import Lifetime

ENGINE = "aurora-postgresql"
MASTER_USER = "vanta_master"
APP_USER = "vanta_app"
_PASSWORD_LENGTH = 40
_DESCRIPTIONS = {
    MASTER_USER: "The master user of the database, who makes the other roles",
    APP_USER: "The role by which the state API logs in to the database",
}
# A change of either would replace the cluster by one that is restored from elsewhere.
_ORIGINS = ("snapshotIdentifier", "restoreToPointInTime")


@dataclass(frozen=True, kw_only=True)
class DatabaseArgs:
    """Inputs of :class:`Database`; key ARNs are those of the data classes they are named after.

    ``secret_copies`` are the regions with copies of the secrets, each with the ARN of the key there. A ``joined`` cluster
    follows another region's, and has its data, users and passwords from there.
    """

    names: Names
    settings: DatabaseSettings
    lifetime: Lifetime
    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    state_key_arn: pulumi.Input[str]
    secrets_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    secret_copies: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    joined: Joined | None = None
    data_api: bool = False


class Database(pulumi.ComponentResource):
    """An encrypted Aurora PostgreSQL cluster: one writer, N readers, TLS only, continuous backup.

    Produces ``SubnetGroup``, ``ClusterParameterGroup``, ``ParameterGroup``, ``LogGroup``, ``Cluster``, one
    ``ClusterInstance`` for the writer and one per reader, :class:`ReaderScaling` if there may be more readers,
    :class:`GlobalDatabase` if other regions may follow, and the :class:`Credential` of the app's role. The master user's
    secret is made and rotated by RDS itself, but for a global cluster, where that is not offered and it is a
    :class:`Credential` too; both secrets hold ``{"username", "password"}``. What a new cluster is restored from matters
    only when it is made.

    Source: Amazon Aurora User Guide, "Security in Amazon Aurora", "Best practices with Amazon Aurora PostgreSQL" and
    "Password management with Amazon Aurora and AWS Secrets Manager".
    """

    identifier: pulumi.Output[str]
    arn: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    reader_endpoint: pulumi.Output[str]
    port: pulumi.Output[int]
    name: pulumi.Output[str]
    master_secret_arn: pulumi.Output[str]
    app_secret_arn: pulumi.Output[str]
    global_cluster: pulumi.Output[str]

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Database", name, None, opts)
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self._tags = args.names.tags(layer="state", classification="restricted")
        self._parameters = ParametersArgs(
            names=args.names, engine=ENGINE, settings=args.settings, tags=self._tags, opts=self._child
        )

        master = self._credential(name, "master", MASTER_USER) if args.settings.global_cluster else None
        cluster = self._cluster(name, master)
        instances = instance_parameters(name, self._parameters)
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

        self.identifier, self.arn = cluster.cluster_identifier, cluster.arn
        self.endpoint, self.reader_endpoint = cluster.endpoint, cluster.reader_endpoint
        self.port = cluster.port
        # A cluster that joins is not asked for a database, and has the one of its primary.
        self.name = pulumi.Output.from_input(args.settings.name)
        self._find_secrets(name, cluster, master)
        self.global_cluster = self._lead(name, cluster, [writer, *readers])
        self.register_outputs({"identifier": self.identifier, "endpoint": self.endpoint})

    def _find_secrets(self, name: str, cluster: aws.rds.Cluster, master: Credential | None) -> None:
        """Where the passwords are: in copies of the primary's secrets, in secrets of our own, or in the one that RDS made."""
        if joined := self._args.joined:
            self.master_secret_arn = pulumi.Output.from_input(joined.master_secret_arn)
            self.app_secret_arn = pulumi.Output.from_input(joined.app_secret_arn)
            return
        if master:
            self.master_secret_arn = master.arn
        else:
            # A managed master user has exactly one secret; the SDK cannot know that.
            self.master_secret_arn = cluster.master_user_secrets.apply(
                lambda secrets: str(secrets[0].secret_arn)
            )
        self.app_secret_arn = self._credential(name, "app", APP_USER).arn

    def _lead(
        self, name: str, cluster: aws.rds.Cluster, instances: Sequence[pulumi.Resource]
    ) -> pulumi.Output[str]:
        """The global cluster, empty without one: led by this cluster, or the one that it joined."""
        args = self._args
        if args.joined:
            return pulumi.Output.from_input(args.joined.global_cluster)
        if not args.settings.global_cluster:
            return pulumi.Output.from_input("")
        return GlobalDatabase(
            f"{name}-global",
            GlobalDatabaseArgs(
                names=args.names,
                lifetime=args.lifetime,
                cluster_arn=cluster.arn,
                engine_version=args.settings.engine_version,
                instances=instances,
            ),
            opts=self._child,
        ).identifier

    def _credential(self, name: str, role: str, username: str) -> Credential:
        args = self._args
        return Credential(
            f"{name}-{role}",
            CredentialArgs(
                names=args.names,
                lifetime=args.lifetime,
                kms_key_arn=args.secrets_key_arn,
                description=_DESCRIPTIONS[username],
                length=_PASSWORD_LENGTH,
                document=lambda password: {"username": username, "password": password},
                copies=args.secret_copies,
            ),
            opts=self._child,
        )

    def _cluster(self, name: str, master: Credential | None) -> aws.rds.Cluster:
        args, settings, joined = self._args, self._args.settings, self._args.joined
        identifier = args.names.of(name)
        managed = not (joined or master)
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
            global_cluster_identifier=joined.global_cluster if joined else None,
            source_region=joined.source_region if joined else None,
            database_name=None if joined else settings.name,
            master_username=None if joined else MASTER_USER,
            master_password=master.password if master else None,
            manage_master_user_password=managed or None,
            master_user_secret_kms_key_id=args.secrets_key_arn if managed else None,
            # How the rotation of the app's role reaches the database, without a way into the network.
            enable_http_endpoint=args.data_api or None,
            iam_database_authentication_enabled=settings.iam_authentication,
            db_subnet_group_name=subnets.name,
            vpc_security_group_ids=[args.security_group_id],
            db_cluster_parameter_group_name=cluster_parameters(name, self._parameters).name,
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
                pulumi.ResourceOptions(
                    ignore_changes=[*_ORIGINS, *(CHANGED_ELSEWHERE if joined or master else ())]
                ),
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
