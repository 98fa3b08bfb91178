"""What a stack file says of the state API's pods."""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

from infra.refusal import refusal
from infra.settings.cache import CacheSettings
from infra.settings.cluster import ClusterSettings
from infra.settings.dns import DOMAIN
from infra.settings.environment_file import overlay
from infra.settings.lifetime import Lifetime
from infra.settings.limits import within
from infra.settings.operators import OperatorsSettings

# The namespace's quota is counted from it, and each pod holds connections of the database.
REPLICAS = range(1, 201)
REQUESTS_PER_SECOND = range(100_001)
# Distribution's reference grammar, less what is allowed and never seen: registry or path, tag, digest.
_REPOSITORY = r"[a-z0-9]+([._:/-]+[a-z0-9]+)*"
_DIGEST = r"@sha256:[0-9a-f]{64}"
_IMAGE = re.compile(rf"{_REPOSITORY}(:[\w][\w.-]{{0,127}})?({_DIGEST})?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class WorkloadSettings:
    """The pods of the state API; without ``image`` their room is furnished and empty.

    They run in the stack's own cluster, or in that of ``kubeconfig_file``. ``requests_per_second`` is what one pod is to
    serve on average, 0 for scaling by CPU alone.
    """

    enabled: bool
    image: str
    min_replicas: int
    max_replicas: int
    requests_per_second: int
    kubeconfig_file: str
    kubeconfig_context: str
    environment_file: str
    authorities_file: str
    ingress_host: str
    ingress_issuer: str
    ingress_cidrs: str

    @property
    def ingress_networks(self) -> list[str]:
        """The networks in ``ingress_cidrs``."""
        return [part.strip() for part in self.ingress_cidrs.split(",") if part.strip()]


def check_workload(
    workload: WorkloadSettings,
    *,
    cache: CacheSettings,
    cluster: ClusterSettings,
    operators: OperatorsSettings,
    lifetime: Lifetime,
) -> None:
    """A cluster to run in, a cache that the API can follow, an image that is the same tomorrow where data is kept, and files that are there."""
    within("workload.minReplicas", workload.min_replicas, REPLICAS, noun="{} to {} replicas")
    within("workload.maxReplicas", workload.max_replicas, REPLICAS, noun="{} to {} replicas")
    within(
        "workload.requestsPerSecond",
        workload.requests_per_second,
        REQUESTS_PER_SECOND,
        noun="{} to {} requests",
    )
    if workload.max_replicas < workload.min_replicas:
        raise refusal(
            "workload.maxReplicas",
            workload.max_replicas,
            f"which is less than vanta:workload.minReplicas ({workload.min_replicas})",
            f"Use {workload.min_replicas} or more",
        )
    _check_image(workload, lifetime)
    _check_ingress(workload)
    if operators.enabled and not (workload.enabled and cluster.enabled):
        raise refusal(
            "operators.enabled",
            True,
            "but they serve a workload in the stack's own cluster, whose roles they take",
            "Set vanta:workload.enabled and vanta:cluster.enabled, or set it to false",
        )
    if workload.enabled and workload.image and cache.shards > 1:
        raise refusal(
            "cache.shards",
            cache.shards,
            "but the state API does not speak the cluster protocol yet",
            "Use 1 and a larger vanta:cache.nodeType, or leave vanta:workload.image empty",
        )
    if workload.enabled:
        _check_where(workload, cluster, lifetime)
        _check_files(workload)


def _check_image(workload: WorkloadSettings, lifetime: Lifetime) -> None:
    image = workload.image
    if image and not _IMAGE.fullmatch(image):
        raise refusal(
            "workload.image",
            image,
            "which is no image",
            "Write it as repository@sha256:digest, as the image workflow printed it",
        )
    if image and lifetime.kept and "@" not in image:
        raise refusal(
            "workload.image",
            image,
            "but the stack is to be kept: what a tag means can change under it",
            "Append @sha256: and the digest, which the image workflow printed",
        )


def _check_where(workload: WorkloadSettings, cluster: ClusterSettings, lifetime: Lifetime) -> None:
    if not cluster.enabled and not workload.kubeconfig_file:
        raise refusal(
            "workload.enabled",
            True,
            "but there is no cluster for it",
            "Set vanta:cluster.enabled, or name one in vanta:workload.kubeconfigFile",
        )
    if cluster.enabled and workload.kubeconfig_file:
        raise refusal(
            "workload.kubeconfigFile",
            workload.kubeconfig_file,
            "but the stack has a cluster of its own, whose pods have rights in the account",
            "Remove it, or set vanta:cluster.enabled to false",
        )
    if workload.kubeconfig_file and not workload.kubeconfig_context:
        raise refusal(
            "workload.kubeconfigContext",
            "",
            "but the file may have other people's clusters too",
            "Name the context to use, as `kubectl config get-contexts` shows it",
        )
    if lifetime.kept and workload.min_replicas < 2:
        raise refusal(
            "workload.minReplicas",
            workload.min_replicas,
            "but the stack is to be kept: with its node the API would be lost",
            "Use 2 or more",
        )


def _check_ingress(workload: WorkloadSettings) -> None:
    if workload.ingress_host and not re.fullmatch(DOMAIN, workload.ingress_host):
        raise refusal(
            "workload.ingressHost",
            workload.ingress_host,
            "which is no domain",
            "Write it like api.example.com",
        )
    if workload.ingress_issuer and not workload.ingress_host:
        raise refusal(
            "workload.ingressIssuer",
            workload.ingress_issuer,
            "but there is no vanta:workload.ingressHost to prove",
            "Set both, or neither",
        )
    for text in workload.ingress_networks:
        try:
            ipaddress.IPv4Network(text)
        except ValueError:
            raise refusal(
                "workload.ingressCidrs", text, "but must be an IPv4 network", "Write it like 10.0.0.0/8"
            ) from None


def _check_files(workload: WorkloadSettings) -> None:
    for key, file in (
        ("workload.kubeconfigFile", workload.kubeconfig_file),
        ("workload.environmentFile", workload.environment_file),
        ("workload.authoritiesFile", workload.authorities_file),
    ):
        if file and not Path(file).is_file():
            raise refusal(key, file, "which is no file here", "Write its path, or remove the key")
    overlay(workload.environment_file)
