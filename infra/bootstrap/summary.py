"""What to do with what was made: the commands that come next, and the variables of the workflows."""

from typing import Any

from infra.bootstrap.plan import REGISTRY_ENVIRONMENT, REGISTRY_ROLE, Plan


def facts(plan: Plan, changes: list[str], *, dry_run: bool) -> dict[str, Any]:
    """The run as data, for ``--json``."""
    return {
        "account": plan.account,
        "dryRun": dry_run,
        "changes": changes,
        "region": plan.region,
        "replicaRegion": plan.replica_region,
        "backendUrl": plan.login_url(plan.region),
        "replicaBackendUrl": plan.login_url(plan.replica_region),
        "registryRole": plan.iam(f"role/{REGISTRY_ROLE}"),
        "stacks": {
            stack.name: {
                "secretsProvider": plan.secrets_provider(stack),
                "previewRole": plan.iam(f"role/{stack.preview_role}"),
                "deployRole": plan.iam(f"role/{stack.deploy_role}"),
                "boundary": plan.iam(f"policy/{stack.boundary}"),
            }
            for stack in plan.stacks
        },
    }


def text(plan: Plan, changes: list[str], *, dry_run: bool) -> str:
    """The run in words, and the commands that come next, to be copied."""
    changed = f"{len(changes)} {'change' if len(changes) == 1 else 'changes'}"
    if not changes:
        head = "nothing changed"
    elif dry_run:
        head = f"{changed} would be made"
    else:
        head = f"{changed} made"
    lines = [head, "", "The state, and each stack in it, once:", f"  export AWS_REGION={plan.region}"]
    lines.append(f"  pulumi login '{plan.login_url(plan.region)}'")
    for stack in plan.stacks:
        lines.append(f"  pulumi stack init {stack.name} --secrets-provider '{plan.secrets_provider(stack)}'")
        lines.append(
            f"  pulumi config set --stack {stack.name} --path vanta:roles.boundary {plan.iam(f'policy/{stack.boundary}')}"
        )
    lines.append(
        "  git add Pulumi.*.yaml  # each stack's data key, encrypted: without it a runner would make another"
    )
    lines += ["", "The workflows' variables:"]
    lines.append(f"  gh variable set AWS_REGION --body {plan.region}")
    lines.append(f"  gh variable set PULUMI_BACKEND_URL --body '{plan.login_url(plan.region)}'")
    environments = [
        (environment, role)
        for stack in plan.stacks
        for environment, role in (
            (f"{stack.name}-preview", stack.preview_role),
            (stack.name, stack.deploy_role),
        )
    ]
    for environment, role in (*environments, (REGISTRY_ENVIRONMENT, REGISTRY_ROLE)):
        lines.append(f"  gh variable set AWS_ROLE_ARN --env {environment} --body {plan.iam(f'role/{role}')}")
    lines += ["", f"If {plan.region} is lost, the same in {plan.replica_region}:"]
    lines.append(f"  export AWS_REGION={plan.replica_region}")
    lines.append(f"  pulumi login '{plan.login_url(plan.replica_region)}'")
    return "\n".join(lines) + "\n"
