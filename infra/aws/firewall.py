"""The firewall: what is known to be an attack, or too much, never reaches the API."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi_aws.wafv2 import WebAclRuleArgsDict, WebAclRuleVisibilityConfigArgsDict

from infra.aws.options import holding_data
from infra.names import Names
from infra.settings.firewall import FirewallSettings
from infra.settings.lifetime import Lifetime

# AWS WAF Developer Guide, "AWS Managed Rules rule groups list". Not among them: AnonymousIpList, for agents call from
# hosting providers as their users' browsers do not.
RULE_GROUPS = ("AmazonIpReputationList", "KnownBadInputsRuleSet", "CommonRuleSet")
# What the common rules would find in bodies is counted, not blocked: a document is data, which may well contain markup,
# paths and addresses, and be larger than the 8 KB that AWS WAF sees of it.
COUNTED = (
    "CrossSiteScripting_BODY",
    "EC2MetaDataSSRF_BODY",
    "GenericLFI_BODY",
    "GenericRFI_BODY",
    "SizeRestrictions_BODY",
)
WINDOW_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class FirewallArgs:
    """Inputs of :class:`Firewall`; ``resource_arn`` is the load balancer that it stands before."""

    names: Names
    settings: FirewallSettings
    lifetime: Lifetime
    logs_key_arn: pulumi.Input[str]
    resource_arn: pulumi.Input[str]


class Firewall(pulumi.ComponentResource):
    """A web ACL of AWS's own rules and a limit for each address, and a log of what was not simply let through.

    The log names every request that a rule blocked or counted, without the credentials that it carried.

    Produces ``WebAcl``, ``WebAclAssociation``, ``WebAclLoggingConfiguration`` and ``LogGroup``.

    Source: AWS WAF Developer Guide, "Logging AWS WAF protection pack (web ACL) traffic" and "Rate-based rule statement".
    """

    arn: pulumi.Output[str]
    name: str

    def __init__(self, name: str, args: FirewallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("vanta:aws:Firewall", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.name = args.names.of(name)
        tags = args.names.tags(layer="foundation", classification="internal", name=name)

        acl = aws.wafv2.WebAcl(
            name,
            name=self.name,
            scope="REGIONAL",
            default_action={"allow": {}},
            rules=_rules(self.name, args.settings),
            visibility_config=_measured(self.name),
            tags=tags,
            opts=child,
        )
        self.arn = acl.arn
        aws.wafv2.WebAclAssociation(name, resource_arn=args.resource_arn, web_acl_arn=acl.arn, opts=child)
        group = aws.cloudwatch.LogGroup(
            name,
            # AWS WAF accepts no other beginning.
            name=f"aws-waf-logs-{self.name}",
            retention_in_days=args.settings.log_days,
            kms_key_id=args.logs_key_arn,
            tags=tags,
            opts=holding_data(self, lifetime=args.lifetime),
        )
        aws.wafv2.WebAclLoggingConfiguration(
            name,
            resource_arn=acl.arn,
            log_destination_configs=[group.arn],
            redacted_fields=[{"single_header": {"name": "authorization"}}],
            logging_filter={
                "default_behavior": "DROP",
                "filters": [
                    {
                        "behavior": "KEEP",
                        "requirement": "MEETS_ANY",
                        "conditions": [
                            {"action_condition": {"action": action}}
                            for action in ("BLOCK", "COUNT", "EXCLUDED_AS_COUNT")
                        ],
                    }
                ],
            },
            opts=child,
        )
        self.register_outputs({"arn": self.arn})


def _rules(identifier: str, settings: FirewallSettings) -> Sequence[WebAclRuleArgsDict]:
    """The limit first, for it is the cheapest to say no."""
    limit: WebAclRuleArgsDict = {
        "name": "requests",
        "priority": 0,
        "action": {"block": {"custom_response": {"response_code": 429}}},
        "statement": {
            "rate_based_statement": {
                "aggregate_key_type": "IP",
                "limit": settings.requests_per_minute,
                "evaluation_window_sec": WINDOW_SECONDS,
            }
        },
        "visibility_config": _measured(f"{identifier}-requests"),
    }
    groups: list[WebAclRuleArgsDict] = [
        {
            "name": group,
            "priority": priority,
            "override_action": {"none": {}},
            "statement": {
                "managed_rule_group_statement": {
                    "vendor_name": "AWS",
                    "name": f"AWSManagedRules{group}",
                    "rule_action_overrides": [
                        {"name": rule, "action_to_use": {"count": {}}}
                        for rule in (COUNTED if group == "CommonRuleSet" else ())
                    ],
                }
            },
            "visibility_config": _measured(f"{identifier}-{group}"),
        }
        for priority, group in enumerate(RULE_GROUPS, start=1)
    ]
    return [limit, *groups]


def _measured(metric: str) -> WebAclRuleVisibilityConfigArgsDict:
    return {
        "cloudwatch_metrics_enabled": True,
        "metric_name": metric,
        # Samples would show credentials to whoever may look at the console.
        "sampled_requests_enabled": False,
    }
