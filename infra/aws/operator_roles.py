"""What the operators in the cluster may do in the account: read the app's secrets, register its pods, tell of alerts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from infra.aws.place import Place
from infra.aws.pod_identity import ServiceAccount, pod_role
from infra.aws.policy_document import Statement
from infra.names import Names

# The service accounts that their charts make; the names are the charts' own (infra/kubernetes/charts).
EXTERNAL_SECRETS = ServiceAccount(namespace="external-secrets", name="external-secrets")
ALERTMANAGER = ServiceAccount(namespace="monitoring", name="alertmanager")
LOAD_BALANCER = ServiceAccount(namespace="kube-system", name="aws-load-balancer-controller")


@dataclass(frozen=True, kw_only=True)
class OperatorRolesArgs:
    """Inputs of :class:`OperatorRoles`; without a ``target_group_arn`` there are no targets to register."""

    names: Names
    place: Place
    cluster_name: pulumi.Input[str]
    secret_arns: Mapping[str, pulumi.Input[str]]
    secrets_key_arn: pulumi.Input[str]
    topic_arn: pulumi.Input[str]
    topic_key_arn: pulumi.Input[str]
    target_group_arn: pulumi.Input[str] | None


class OperatorRoles(pulumi.ComponentResource):
    """The roles of External Secrets, of Alertmanager and of the AWS Load Balancer Controller.

    Produces a :class:`ServiceRole` each, with the ``PodIdentityAssociation`` of its service account; the last only
    where there is a target group. The autoscaler's role belongs to the cluster.

    Source: External Secrets Operator, "AWS Access"; AWS Load Balancer Controller, its IAM policy, less all that makes or
    changes load balancers.
    """

    def __init__(
        self, name: str, args: OperatorRolesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("vanta:aws:OperatorRoles", name, None, opts)
        self._args = args
        self._role(EXTERNAL_SECRETS, "Copies the app's secrets into Kubernetes", _read_secrets(args))
        self._role(ALERTMANAGER, "Tells people of alerts", _publish(args))
        if args.target_group_arn is not None:
            self._role(
                LOAD_BALANCER, "Registers pods of the state API", _register_targets(args.target_group_arn)
            )
        self.register_outputs({})

    def _role(self, account: ServiceAccount, description: str, statements: Sequence[Statement]) -> None:
        args = self._args
        pod_role(
            account.name,
            names=args.names,
            place=args.place,
            cluster_name=args.cluster_name,
            account=account,
            description=description,
            statements=statements,
            parent=self,
        )


def _read_secrets(args: OperatorRolesArgs) -> list[Statement]:
    via = {"kms:ViaService": f"secretsmanager.{args.place.region}.amazonaws.com"}
    return [
        {
            "Sid": "ReadTheSecretsOfTheApp",
            "Effect": "Allow",
            "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
            "Resource": list(args.secret_arns.values()),
        },
        {
            "Sid": "DecryptTheSecretsOfTheApp",
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": args.secrets_key_arn,
            "Condition": {"StringEquals": via},
        },
    ]


def _publish(args: OperatorRolesArgs) -> list[Statement]:
    via = {"kms:ViaService": f"sns.{args.place.region}.amazonaws.com"}
    return [
        {"Sid": "TellOfAlerts", "Effect": "Allow", "Action": "sns:Publish", "Resource": args.topic_arn},
        {
            "Sid": "EncryptForTheTopic",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": args.topic_key_arn,
            "Condition": {"StringEquals": via},
        },
    ]


def _register_targets(target_group_arn: pulumi.Input[str]) -> list[Statement]:
    return [
        {
            # Neither service can limit what it only describes to one resource.
            "Sid": "FindPodsAndTargets",
            "Effect": "Allow",
            "Action": [
                "ec2:DescribeAvailabilityZones",
                "ec2:DescribeInstances",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
                "elasticloadbalancing:DescribeTargetGroupAttributes",
                "elasticloadbalancing:DescribeTargetGroups",
                "elasticloadbalancing:DescribeTargetHealth",
            ],
            "Resource": "*",
        },
        {
            "Sid": "RegisterPodsOfTheApp",
            "Effect": "Allow",
            "Action": ["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"],
            "Resource": target_group_arn,
        },
    ]
