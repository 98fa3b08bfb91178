"""Which Kubernetes versions a cluster may run, and the add-ons that were pinned for each.

A version is offered here once its add-ons are pinned: raising them is a change that somebody reviews.
"""

# Amazon EKS User Guide, "Understand the Kubernetes version lifecycle on EKS", and the table of versions on each add-on's
# page; `aws eks describe-addon-versions --kubernetes-version 1.35` lists what is newer.
ADDON_VERSIONS = {
    "1.34": {
        "vpc-cni": "v1.21.1-eksbuild.7",
        "kube-proxy": "v1.34.6-eksbuild.2",
        "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
        "coredns": "v1.13.2-eksbuild.4",
        "aws-ebs-csi-driver": "v1.58.0-eksbuild.1",
        "metrics-server": "v0.8.1-eksbuild.4",
    },
    "1.35": {
        "vpc-cni": "v1.21.1-eksbuild.7",
        "kube-proxy": "v1.35.3-eksbuild.2",
        "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
        "coredns": "v1.13.2-eksbuild.4",
        "aws-ebs-csi-driver": "v1.58.0-eksbuild.1",
        "metrics-server": "v0.8.1-eksbuild.4",
    },
}
