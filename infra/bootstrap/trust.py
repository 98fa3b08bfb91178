"""Who may take a role: S3 for its copies, and jobs of one GitHub repository in one environment."""

from typing import Any

from infra.aws.policy_document import document
from infra.bootstrap.plan import Plan

ISSUER = "token.actions.githubusercontent.com"
# What aws-actions/configure-aws-credentials asks its token for.
AUDIENCE = "sts.amazonaws.com"


def github(plan: Plan, environment: str) -> dict[str, Any]:
    """Jobs of the repository that run in ``environment``: no other branch, repository or owner, and no token meant for another service.

    The subject of a job that names an environment is that environment alone, whatever event started it; who may use
    it is GitHub's to guard (branches, reviewers).

    Source: GitHub Docs, "Configuring OpenID Connect in Amazon Web Services"; AWS IAM User Guide, "Create a role for OpenID
    Connect federation".
    """
    return _trust(
        "OneEnvironmentOfOneRepository",
        {"Federated": plan.iam(f"oidc-provider/{ISSUER}")},
        "sts:AssumeRoleWithWebIdentity",
        {
            "StringEquals": {
                f"{ISSUER}:aud": AUDIENCE,
                f"{ISSUER}:sub": f"repo:{plan.repository}:environment:{environment}",
            }
        },
    )


def s3(plan: Plan) -> dict[str, Any]:
    """S3, on behalf of the state's buckets alone."""
    return _trust(
        "CopiesOfTheState",
        {"Service": "s3.amazonaws.com"},
        "sts:AssumeRole",
        {
            "StringEquals": {"aws:SourceAccount": plan.account},
            "ArnEquals": {"aws:SourceArn": [plan.bucket_arn(region) for region in plan.regions]},
        },
    )


def _trust(sid: str, principal: dict[str, str], action: str, condition: dict[str, Any]) -> dict[str, Any]:
    return document(
        {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": action, "Condition": condition}
    )
