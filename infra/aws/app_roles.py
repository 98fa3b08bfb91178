"""What the app may do: read its secrets, open envelopes, add to the archive and to the audit log. It deletes nothing."""

from dataclasses import dataclass

import pulumi

from infra.aws.cache import Cache
from infra.aws.database import Database
from infra.aws.keys import Keys
from infra.aws.place import Place
from infra.aws.pod_identity import ServiceAccount, pod_role
from infra.aws.policy_document import Statement
from infra.names import Names

NAMESPACE = "vanta"
APP = ServiceAccount(namespace=NAMESPACE, name="state-api")
# What migrates the database is master of it for a minute, and nothing else of the app ever.
MIGRATION = ServiceAccount(namespace=NAMESPACE, name="state-api-migration")


@dataclass(frozen=True, kw_only=True)
class AppRolesArgs:
    """Inputs of :class:`AppRoles`; the rooms that the app uses."""

    names: Names
    place: Place
    cluster_name: pulumi.Input[str]
    keys: Keys
    database: Database
    cache: Cache
    archive_arn: pulumi.Input[str]
    audit_arn: pulumi.Input[str]


class AppRoles(pulumi.ComponentResource):
    """The roles of the state API's pods and of the job that migrates its database.

    Produces two :class:`ServiceRole`, each with the ``PodIdentityAssociation`` of its service account. The app may write
    the audit bucket and never delete from it; the master user's secret is for the migration alone.

    Source: Amazon EKS User Guide, "Learn how EKS Pod Identity grants pods access to AWS services".
    """

    app_arn: pulumi.Output[str]
    migration_arn: pulumi.Output[str]

    def __init__(self, name: str, args: AppRolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:AppRoles", name, None, opts)
        self._args = args
        self.app_arn = self._role(
            "app",
            APP,
            "The state API",
            [
                *_read_secrets(args, args.database.app_secret_arn, args.cache.secret_arn),
                *_open_envelopes(args),
                *_fill_archive(args),
                *_append_audit(args),
            ],
        )
        self.migration_arn = self._role(
            "migration",
            MIGRATION,
            "The job that migrates the database",
            _read_secrets(args, args.database.master_secret_arn, args.database.app_secret_arn),
        )
        self.register_outputs({"appArn": self.app_arn, "migrationArn": self.migration_arn})

    def _role(
        self, name: str, account: ServiceAccount, description: str, statements: list[Statement]
    ) -> pulumi.Output[str]:
        args = self._args
        role = pod_role(
            name,
            names=args.names,
            place=args.place,
            cluster_name=args.cluster_name,
            account=account,
            description=description,
            statements=statements,
            parent=self,
        )
        return role.arn


def _read_secrets(args: AppRolesArgs, *secret_arns: pulumi.Input[str]) -> list[Statement]:
    return [
        {
            "Sid": "ReadItsSecrets",
            "Effect": "Allow",
            "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
            "Resource": list(secret_arns),
        },
        _through(args, "DecryptItsSecrets", "secretsmanager", ["kms:Decrypt"], args.keys.secrets),
    ]


def _open_envelopes(args: AppRolesArgs) -> list[Statement]:
    return [
        {
            "Sid": "OpenEnvelopesOfATenant",
            "Effect": "Allow",
            # Encrypt wraps a data key again after a rotation.
            "Action": ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
            "Resource": args.keys.application,
            "Condition": {"Null": {"kms:EncryptionContext:tenant": "false"}},
        }
    ]


def _fill_archive(args: AppRolesArgs) -> list[Statement]:
    return [
        {
            "Sid": "ListTheArchive",
            "Effect": "Allow",
            "Action": ["s3:ListBucket", "s3:ListBucketMultipartUploads"],
            "Resource": args.archive_arn,
        },
        {
            "Sid": "ReadAndWriteTheArchive",
            "Effect": "Allow",
            "Action": [
                "s3:AbortMultipartUpload",
                "s3:GetObject",
                "s3:GetObjectVersion",
                "s3:ListMultipartUploadParts",
                "s3:PutObject",
            ],
            "Resource": pulumi.Output.concat(args.archive_arn, "/*"),
        },
        _through(args, "EncryptTheArchive", "s3", ["kms:Decrypt", "kms:GenerateDataKey"], args.keys.archive),
    ]


def _append_audit(args: AppRolesArgs) -> list[Statement]:
    """Reading and adding. No retention of its own either: the bucket's default lock is what the auditor was promised."""
    return [
        {
            "Sid": "ListTheAuditLog",
            "Effect": "Allow",
            "Action": ["s3:ListBucket", "s3:ListBucketVersions"],
            "Resource": args.audit_arn,
        },
        {
            "Sid": "ReadAndAppendTheAuditLog",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:GetObjectRetention", "s3:GetObjectVersion", "s3:PutObject"],
            "Resource": pulumi.Output.concat(args.audit_arn, "/*"),
        },
        _through(args, "EncryptTheAuditLog", "s3", ["kms:Decrypt", "kms:GenerateDataKey"], args.keys.audit),
    ]


def _through(
    args: AppRolesArgs, sid: str, service: str, actions: list[str], key_arn: pulumi.Input[str]
) -> Statement:
    """The use of a key inside the requests of one service alone."""
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": actions,
        "Resource": key_arn,
        "Condition": {"StringEquals": {"kms:ViaService": f"{service}.{args.place.region}.amazonaws.com"}},
    }
