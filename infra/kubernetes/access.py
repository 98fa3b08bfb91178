"""The way to the cluster: a kubeconfig, and the provider that uses it."""

from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes

from infra.aws.cluster import Cluster
from infra.settings.workload import WorkloadSettings


def own_kubeconfig(cluster: Cluster, region: str) -> pulumi.Output[str]:
    """How whoever may administer the stack's cluster reaches it: no secret is in it, the AWS CLI makes a token each time.

    Source: Amazon EKS User Guide, "Connect kubectl to an EKS cluster by creating a kubeconfig file".
    """
    return pulumi.Output.json_dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": cluster.name,
            "contexts": [
                {"name": cluster.name, "context": {"cluster": cluster.name, "user": cluster.name}},
            ],
            "clusters": [
                {
                    "name": cluster.name,
                    "cluster": {
                        "server": cluster.endpoint,
                        "certificate-authority-data": cluster.certificate_authority,
                    },
                }
            ],
            "users": [
                {
                    "name": cluster.name,
                    "user": {
                        "exec": {
                            "apiVersion": "client.authentication.k8s.io/v1beta1",
                            "command": "aws",
                            "args": [
                                *("--region", region, "eks", "get-token", "--output", "json"),
                                *("--cluster-name", cluster.name),
                            ],
                            "interactiveMode": "Never",
                        }
                    },
                }
            ],
        }
    )


def own_provider(cluster: Cluster, region: str) -> kubernetes.Provider:
    """The provider of the stack's own cluster, once its nodes and add-ons are there."""
    return _provider(
        own_kubeconfig(cluster, region), context=None, opts=pulumi.ResourceOptions(depends_on=[cluster])
    )


def given_provider(workload: WorkloadSettings) -> kubernetes.Provider:
    """The provider of a cluster that another program made; its kubeconfig may hold a key, so that it travels as a secret."""
    content = Path(workload.kubeconfig_file).read_text(encoding="utf-8")
    return _provider(pulumi.Output.secret(content), context=workload.kubeconfig_context, opts=None)


def _provider(
    kubeconfig: pulumi.Output[str], *, context: str | None, opts: pulumi.ResourceOptions | None
) -> kubernetes.Provider:
    return kubernetes.Provider(
        "kubernetes",
        kubeconfig=kubeconfig,
        context=context,
        # A field that somebody else manages is a conflict to be told of, not one to be overwritten.
        enable_server_side_apply=True,
        opts=opts,
    )
