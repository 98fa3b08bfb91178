"""What the registry has once per account and region: how it scans, and where it copies images to."""

from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_aws as aws

from infra.aws.service_role import ServiceRole
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class RegistryAccountArgs:
    """Inputs of :class:`RegistryAccount`.

    Repositories that the pattern ``scanned`` covers are scanned; those of ``namespace`` are copied to
    ``recovery_region``, unless it is empty, where ECR makes their repositories in ``role``.
    """

    names: Names
    scanning: Literal["BASIC", "ENHANCED"]
    scanned: str
    namespace: str
    role: ServiceRole
    recovery_region: str


class RegistryAccount(pulumi.ComponentResource):
    """Scanning and replication of the account's registry; two stacks that declare them undo each other's.

    Produces ``RegistryScanningConfiguration``, and with a recovery region a ``ReplicationConfiguration`` and, there, the
    ``RepositoryCreationTemplate`` of the copies. Basic scanning looks at packages of the operating system when an image
    comes; enhanced scanning (Amazon Inspector, billed by the image) at those of Python too, again with every new
    vulnerability that becomes known. Copies are encrypted with the key of ECR in their region: an image holds no secret.

    Source: Amazon ECR User Guide, "Scan images for software vulnerabilities in Amazon ECR", "Private image replication"
    and "Templates to control repositories created during a pull through cache or replication action".
    """

    def __init__(
        self, name: str, args: RegistryAccountArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("vanta:aws:RegistryAccount", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        aws.ecr.RegistryScanningConfiguration(
            name,
            scan_type=args.scanning,
            rules=[
                {
                    "scan_frequency": "CONTINUOUS_SCAN" if args.scanning == "ENHANCED" else "SCAN_ON_PUSH",
                    "repository_filters": [{"filter": args.scanned, "filter_type": "WILDCARD"}],
                }
            ],
            opts=child,
        )
        if args.recovery_region:
            copies = aws.ecr.RepositoryCreationTemplate(
                "copies",
                region=args.recovery_region,
                prefix=args.namespace,
                description="Copies of images from another region",
                applied_fors=["REPLICATION"],
                custom_role_arn=args.role.arn,
                encryption_configurations=[{"encryption_type": "KMS"}],
                image_tag_mutability="IMMUTABLE",
                resource_tags=args.names.tags(layer="foundation", classification="internal"),
                opts=pulumi.ResourceOptions(parent=self, depends_on=args.role.ready),
            )
            aws.ecr.ReplicationConfiguration(
                name,
                replication_configuration={
                    "rules": [
                        {
                            "destinations": [
                                {"region": args.recovery_region, "registry_id": args.names.account_id}
                            ],
                            "repository_filters": [{"filter": args.namespace, "filter_type": "PREFIX_MATCH"}],
                        }
                    ]
                },
                # A copy's repository keeps for ever the settings that it was made with.
                opts=pulumi.ResourceOptions(parent=self, depends_on=[copies]),
            )
        self.register_outputs({})
