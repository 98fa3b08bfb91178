"""The migration: the database has this version's schema before the first pod of this version serves."""

import hashlib
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from infra.aws.app_roles import MIGRATION
from infra.kubernetes.metadata import metadata
from infra.kubernetes.options import inside
from infra.kubernetes.pod import Image, pod_template

# A migration gives up by itself rather than wait long for a lock; the second and third try are for a lost node.
_RETRIES = 2
_DEADLINE_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class MigrationArgs:
    """Inputs of :class:`Migration`."""

    image: Image


class Migration(pulumi.ComponentResource):
    """A job for each version and configuration, which the engine waits for: if it fails, the rollout does not begin.

    Produces a ``Job`` whose name tells image and configuration, so that another of either is another job. A finished one
    stays until the next takes its place: removed after a time, it would be missing in every look for drift, and be run
    anew by an update that changes nothing.

    Source: Kubernetes documentation, "Jobs".
    """

    job: kubernetes.batch.v1.Job

    def __init__(self, name: str, args: MigrationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:kubernetes:Migration", name, None, opts)
        image = args.image
        version = image.configuration.environment_name.apply(
            lambda configuration: hashlib.sha256(f"{image.reference} {configuration}".encode()).hexdigest()
        )
        self.job = kubernetes.batch.v1.Job(
            name,
            metadata={
                **metadata(None, "migration"),
                "name": pulumi.Output.concat(f"{MIGRATION.name}-", version.apply(lambda digest: digest[:10])),
            },
            spec={
                "backoff_limit": _RETRIES,
                "active_deadline_seconds": _DEADLINE_SECONDS,
                "template": pod_template(
                    image, "migration", account=MIGRATION.name, arguments=["migrate"], restart="Never"
                ),
            },
            # After a version that failed comes the one before it, and its name has to be free by then.
            opts=pulumi.ResourceOptions.merge(
                inside(self, opts), pulumi.ResourceOptions(delete_before_replace=True)
            ),
        )
        self.register_outputs({})
