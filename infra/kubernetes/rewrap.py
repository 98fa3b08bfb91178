"""The monthly rewrapping: tenants' secrets come under the newest keys, while the API serves."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from infra.aws.app_roles import APP
from infra.kubernetes.metadata import metadata
from infra.kubernetes.options import inside
from infra.kubernetes.pod import Image, pod_template

# The second of a month at 03:17 UTC: not when everybody's jobs start, and away from the daylight saving changes.
_SCHEDULE = "17 3 2 * *"
_DEADLINE_SECONDS = 6 * 3600


@dataclass(frozen=True, kw_only=True)
class RewrapArgs:
    """Inputs of :class:`Rewrap`."""

    image: Image


class Rewrap(pulumi.ComponentResource):
    """``python -m app rewrap`` each month, as the API's own role; it goes on where a lost one was.

    Produces a ``CronJob``.

    Source: docs/adr/0020-secrets.md; Kubernetes documentation, "CronJob".
    """

    def __init__(self, name: str, args: RewrapArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:kubernetes:Rewrap", name, None, opts)
        kubernetes.batch.v1.CronJob(
            name,
            metadata=metadata("state-api-rewrap", "rewrap"),
            spec={
                "schedule": _SCHEDULE,
                "time_zone": "Etc/UTC",
                "concurrency_policy": "Forbid",
                # A day in which the control plane was away is made up for; a month is not.
                "starting_deadline_seconds": 24 * 3600,
                "successful_jobs_history_limit": 3,
                "failed_jobs_history_limit": 3,
                "job_template": {
                    "spec": {
                        "backoff_limit": 3,
                        "active_deadline_seconds": _DEADLINE_SECONDS,
                        "template": pod_template(
                            args.image,
                            "rewrap",
                            account=APP.name,
                            arguments=["rewrap", "--json"],
                            restart="OnFailure",
                        ),
                    }
                },
            },
            opts=inside(self, opts),
        )
        self.register_outputs({})
