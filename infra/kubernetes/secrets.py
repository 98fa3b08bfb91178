"""The secrets of the pods: copies of what Secrets Manager holds, as the files that the image reads."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from infra.aws.app_roles import APP, MIGRATION
from infra.kubernetes.metadata import metadata
from infra.kubernetes.options import inside

API_VERSION = "external-secrets.io/v1"
STORE = "aws"
# The image reads the files at each use, and the kubelet brings a changed one within about a minute: a rotated secret
# works within two, and no pod has to be started anew.
REFRESH = "1m"
# Which files each reads, by the names of the output appSecrets; the master of the database is for the migration alone.
FILES = {APP.name: ("database-app", "cache"), MIGRATION.name: ("database-app", "database-master")}


@dataclass(frozen=True, kw_only=True)
class SecretsArgs:
    """Inputs of :class:`Secrets`; ``arns`` by the name of the file, in Secrets Manager of ``region``."""

    region: str
    arns: Mapping[str, pulumi.Input[str]]


class Secrets(pulumi.ComponentResource):
    """One Secret for the API and one for the migration, kept up to date by External Secrets with its own role.

    Produces a ``SecretStore`` and two ``ExternalSecret``, each of which makes the Secret of its name.

    Source: External Secrets Operator, "AWS Secrets Manager" and "ExternalSecret".
    """

    def __init__(self, name: str, args: SecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:kubernetes:Secrets", name, None, opts)
        store = CustomResource(
            STORE,
            api_version=API_VERSION,
            kind="SecretStore",
            metadata=metadata(STORE, "secrets"),
            spec={"provider": {"aws": {"service": "SecretsManager", "region": args.region}}},
            opts=inside(self, opts),
        )
        for secret, files in FILES.items():
            CustomResource(
                secret,
                api_version=API_VERSION,
                kind="ExternalSecret",
                metadata=metadata(secret, "secrets"),
                spec={
                    "refreshInterval": REFRESH,
                    "secretStoreRef": {"kind": "SecretStore", "name": STORE},
                    "target": {"name": secret, "creationPolicy": "Owner", "deletionPolicy": "Retain"},
                    "data": [{"secretKey": file, "remoteRef": {"key": args.arns[file]}} for file in files],
                },
                opts=inside(self, opts, store),
            )
        self.register_outputs({})
