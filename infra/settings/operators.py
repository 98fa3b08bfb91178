"""What a stack file says of the third-party operators in its Kubernetes cluster."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class OperatorsSettings:
    """Whether the stack installs the operators whose objects the workload declares; else the cluster has them already."""

    enabled: bool
