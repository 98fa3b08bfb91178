"""The volumes of pods: encrypted with the cluster's key, in the zone where the pod runs."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from infra.kubernetes.metadata import metadata
from infra.settings.lifetime import Lifetime

STORAGE_CLASS = "encrypted"


@dataclass(frozen=True, kw_only=True)
class VolumesArgs:
    """Inputs of :class:`Volumes`."""

    lifetime: Lifetime
    cluster_key_arn: pulumi.Input[str]


class Volumes(pulumi.ComponentResource):
    """The class that claims of volumes name; one that holds data outlives its claim.

    Produces a ``StorageClass``.

    Source: Amazon EKS User Guide, "Store Kubernetes volumes with Amazon EBS"; Amazon EBS CSI driver, "Parameters".
    """

    def __init__(self, name: str, args: VolumesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:kubernetes:Volumes", name, None, opts)
        kubernetes.storage.v1.StorageClass(
            name,
            metadata=metadata(STORAGE_CLASS, "volumes", namespace=None),
            provisioner="ebs.csi.aws.com",
            parameters={"type": "gp3", "encrypted": "true", "kmsKeyId": args.cluster_key_arn},
            reclaim_policy="Retain" if args.lifetime.kept else "Delete",
            volume_binding_mode="WaitForFirstConsumer",
            allow_volume_expansion=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
