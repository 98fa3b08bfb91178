"""Who may take the roles: one environment of one repository, for as long as a deployment lasts, and S3 for its copies."""

from pathlib import Path

from infra.bootstrap import trust
from infra.bootstrap.build import DEPLOY_HOURS
from infra.bootstrap.plan import Plan

ROOT = Path(__file__).resolve().parents[3]


def test_a_role_is_taken_from_one_environment_of_one_repository(plan: Plan) -> None:
    (statement,) = trust.github(plan, "prod")["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    # Equality, without a wildcard: a branch, a fork or another repository has another subject.
    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": "repo:example/vanta:environment:prod",
        }
    }


def test_s3_takes_the_replication_role_for_the_states_buckets_alone(plan: Plan) -> None:
    (statement,) = trust.s3(plan)["Statement"]
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert statement["Condition"]["ArnEquals"] == {
        "aws:SourceArn": [plan.bucket_arn(region) for region in plan.regions]
    }


def test_the_environments_of_the_workflows_are_those_that_the_roles_trust() -> None:
    folder = ROOT / ".github" / "workflows"
    named = {
        line.partition("environment:")[2].strip()
        for path in folder.glob("*.yml")
        for line in path.read_text().splitlines()
        if line.strip().startswith("environment:")
    }
    assert named == {"${{ matrix.stack }}", "${{ matrix.stack }}-preview", "registry"}


def test_a_deployment_may_last_as_long_as_its_workflow_asks_for() -> None:
    deployment = (ROOT / ".github" / "workflows" / "deploy.yml").read_text()
    assert f"role-duration-seconds: {DEPLOY_HOURS * 3600}\n" in deployment
