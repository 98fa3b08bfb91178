"""What stands between the cluster and its callers: names, certificates, load balancer, firewall."""

from collections.abc import Mapping

from infra.bootstrap.services.grant import Grant, Service

_BALANCERS = (
    "arn:{partition}:elasticloadbalancing:*:{account}:loadbalancer/*/vanta-{stack}-*",
    "arn:{partition}:elasticloadbalancing:*:{account}:listener/*/vanta-{stack}-*",
    "arn:{partition}:elasticloadbalancing:*:{account}:targetgroup/vanta-{stack}-*",
)

SERVICES: Mapping[str, Service] = {
    "acm": Service(
        reads=("DescribeCertificate", "GetCertificate", "ListTagsForCertificate"),
        changes=(
            Grant(
                sid="CertificatesAskedFor",
                need="a certificate has an id, and carries the stack's tag from its first moment",
                actions=("AddTagsToCertificate", "RequestCertificate"),
                condition={"StringEquals": {"aws:RequestTag/stack": "{stack}"}},
            ),
            Grant(
                sid="CertificatesKept",
                need="certificates of the stack change and go",
                actions=("AddTagsToCertificate", "DeleteCertificate", "RemoveTagsFromCertificate"),
                resources=("arn:{partition}:acm:*:{account}:certificate/*",),
                condition={"StringEquals": {"aws:ResourceTag/stack": "{stack}"}},
            ),
        ),
    ),
    "elasticloadbalancing": Service(
        reads=("Describe*",),
        changes=(
            Grant(
                sid="LoadBalancerMade",
                need="the load balancer with its listeners and targets, behind the firewall",
                actions=(
                    "AddTags",
                    "CreateListener",
                    "CreateLoadBalancer",
                    "CreateTargetGroup",
                    "DeleteListener",
                    "DeleteLoadBalancer",
                    "DeleteTargetGroup",
                    "ModifyListener",
                    "ModifyListenerAttributes",
                    "ModifyLoadBalancerAttributes",
                    "ModifyTargetGroup",
                    "ModifyTargetGroupAttributes",
                    "RemoveTags",
                    "SetIpAddressType",
                    "SetSecurityGroups",
                    "SetSubnets",
                    "SetWebACL",
                ),
                resources=_BALANCERS,
            ),
        ),
        linked=("elasticloadbalancing.amazonaws.com",),
    ),
    "route53": Service(
        reads=("Get*", "List*"),
        changes=(
            Grant(
                sid="NamesGiven",
                need="the zone, its records and health checks; Route 53 gives ids and asks for no tag",
                actions=(
                    "ChangeResourceRecordSets",
                    "ChangeTagsForResource",
                    "CreateHealthCheck",
                    "CreateHostedZone",
                    "DeleteHealthCheck",
                    "DeleteHostedZone",
                    "UpdateHealthCheck",
                    "UpdateHostedZoneComment",
                ),
                resources=(
                    "arn:{partition}:route53:::hostedzone/*",
                    "arn:{partition}:route53:::healthcheck/*",
                ),
            ),
        ),
    ),
    "wafv2": Service(
        reads=("Get*", "List*"),
        changes=(
            Grant(
                sid="FirewallMade",
                need="the firewall, AWS's rules in it, its log, and the load balancer that it guards",
                actions=(
                    "AssociateWebACL",
                    "CreateWebACL",
                    "DeleteLoggingConfiguration",
                    "DeleteWebACL",
                    "DisassociateWebACL",
                    "PutLoggingConfiguration",
                    "TagResource",
                    "UntagResource",
                    "UpdateWebACL",
                ),
                resources=(
                    "arn:{partition}:wafv2:*:{account}:regional/webacl/vanta-{stack}-*",
                    "arn:{partition}:wafv2:*:{account}:regional/managedruleset/*",
                    _BALANCERS[0],
                ),
            ),
        ),
        linked=("wafv2.amazonaws.com",),
    ),
}
