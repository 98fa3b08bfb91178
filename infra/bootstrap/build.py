"""The steps of the bootstrap, in the order in which each needs the one before."""

from botocore.exceptions import BotoCoreError, ClientError

from infra.bootstrap import buckets, key, rights, trust
from infra.bootstrap.clients import Clients
from infra.bootstrap.identity import Identity
from infra.bootstrap.ledger import Ledger
from infra.bootstrap.plan import REGISTRY_ENVIRONMENT, REGISTRY_ROLE, REPLICATION_ROLE, Plan, Stack
from infra.bootstrap.refusal import BootstrapError, explained

# .github/workflows/deploy.yml asks for this long: an Aurora cluster with its instances takes more than an hour.
DEPLOY_HOURS = 2


def build(clients: Clients, plan: Plan, ledger: Ledger) -> None:
    """Make everything that the plan names and does not exist, and mend what differs from it.

    Raises:
        BootstrapError: AWS refused a step; those before it stay.
    """
    try:
        key_id = key.ensure(clients, plan, ledger)
        buckets.ensure(clients, plan, ledger, key_id=key_id)
        identity = Identity(clients, plan, ledger)
        identity.role(
            REPLICATION_ROLE,
            description="S3 copies the state to the other region",
            trust=trust.s3(plan),
            documents=rights.packed(rights.replication(plan, key_id)),
        )
        buckets.ensure_replication(clients, plan, ledger, key_id=key_id)
        identity.provider()
        for stack in plan.stacks:
            _ensure_roles(identity, plan, stack, ledger, key_id=key_id)
        identity.role(
            REGISTRY_ROLE,
            description="GitHub's jobs push images that were built and scanned",
            trust=trust.github(plan, REGISTRY_ENVIRONMENT),
            documents=rights.packed(rights.registry(plan)),
        )
    except ClientError as error:
        raise explained(error, ledger.step) from None
    except BotoCoreError as error:
        raise BootstrapError(
            f"{ledger.step}: AWS could not be asked: {error}. Mend that and run the command again."
        ) from None


def _ensure_roles(identity: Identity, plan: Plan, stack: Stack, ledger: Ledger, *, key_id: str) -> None:
    """The boundary of what a stack's deployment may create, and the two roles of its workflows."""
    ledger.begin(f"boundary {stack.boundary}")
    identity.policy(stack.boundary, rights.policy(rights.boundary(plan, stack)))
    read = [*rights.reads(plan, stack), *rights.state_read(plan, stack, key_id)]
    identity.role(
        stack.preview_role,
        description=f"GitHub's jobs preview the stack {stack.name} and look for drift",
        trust=trust.github(plan, f"{stack.name}-preview"),
        documents=rights.packed(read),
    )
    change = [
        *rights.refusals(plan, stack),
        *rights.state_write(plan, stack, key_id),
        *rights.changes(plan, stack),
    ]
    identity.role(
        stack.deploy_role,
        description=f"GitHub's jobs deploy the stack {stack.name}",
        trust=trust.github(plan, stack.name),
        documents=rights.packed([*read, *change]),
        hours=DEPLOY_HOURS,
    )
