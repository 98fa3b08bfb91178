"""What is to be made, under which names: decided once, from the command's arguments and the account."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from infra.bootstrap.refusal import BootstrapError
from infra.names import PROJECT, STACK_NAME_LENGTH

ALIAS = f"alias/{PROJECT}-state"
REPLICATION_ROLE = f"{PROJECT}-state-replication"
REGISTRY_ROLE = f"{PROJECT}-registry"
# The name of the environment that .github/workflows/image.yml publishes from.
REGISTRY_ENVIRONMENT = "registry"
NONCURRENT_DAYS = 400
_ROOT = Path(__file__).resolve().parent.parent.parent
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_REPOSITORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}")
_STACK = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?")
# Their names would be taken for those of the state's own resources, or of the registry's environment.
_RESERVED = {"state", REGISTRY_ENVIRONMENT}


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack of the program.

    Args:
        throwaway: whether it may be removed with the data that it holds.
        follows: the stacks whose outputs it reads.
        extended: the stacks whose names begin with its own, such as prod-dr beside prod.
    """

    name: str
    throwaway: bool = False
    follows: tuple[str, ...] = ()
    extended: tuple[str, ...] = ()

    @property
    def preview_role(self) -> str:
        """The role that a pull request's preview takes."""
        return f"{PROJECT}-{self.name}-preview"

    @property
    def deploy_role(self) -> str:
        """The role that a deployment takes."""
        return f"{PROJECT}-{self.name}-deploy"

    @property
    def boundary(self) -> str:
        """The policy beyond which no role that the stack makes can reach."""
        return f"{PROJECT}-{self.name}-boundary"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The state backend of ``stacks`` in two regions of one account, and the GitHub repository that deploys them."""

    account: str
    partition: str
    region: str
    replica_region: str
    repository: str
    stacks: tuple[Stack, ...]

    @property
    def regions(self) -> tuple[str, str]:
        """Where the state lies, and where its copy does."""
        return self.region, self.replica_region

    def other(self, region: str) -> str:
        """The region that holds the copies of ``region``."""
        return self.replica_region if region == self.region else self.region

    def bucket(self, region: str) -> str:
        """The bucket with the state in ``region``."""
        return f"{PROJECT}-state-{self.account}-{region}"

    def logs(self, region: str) -> str:
        """The bucket that tells who read or wrote the state in ``region``."""
        return f"{PROJECT}-state-logs-{self.account}-{region}"

    def bucket_arn(self, region: str) -> str:
        """The ARN of :meth:`bucket`."""
        return f"arn:{self.partition}:s3:::{self.bucket(region)}"

    def key_arns(self, key_id: str) -> list[str]:
        """The ARNs of a multi-Region key in both regions."""
        return [f"arn:{self.partition}:kms:{region}:{self.account}:key/{key_id}" for region in self.regions]

    def iam(self, resource: str) -> str:
        """The ARN of an IAM resource such as ``role/NAME``."""
        return f"arn:{self.partition}:iam::{self.account}:{resource}"

    def login_url(self, region: str) -> str:
        """What ``pulumi login`` takes."""
        return f"s3://{self.bucket(region)}?region={region}"

    def secrets_provider(self, stack: Stack) -> str:
        """What ``pulumi stack init --secrets-provider`` takes.

        It names no region: state that does can be read only as long as that region answers. AWS_REGION chooses. The
        context is what a role's right to decrypt asks for, so that a role of one stack cannot read another's secrets.
        """
        return f"awskms://{ALIAS}?context_stack={stack.name}"


def check(*, region: str, replica_region: str, repository: str, stacks: Sequence[str]) -> None:
    """Refuse arguments that cannot be meant, before anything is asked of AWS.

    Raises:
        BootstrapError: one of them is refused.
    """
    for option, value in (("--region", region), ("--replica-region", replica_region)):
        if not _REGION.fullmatch(value):
            raise BootstrapError(f"{option} is {value}, which is no AWS region. Give one such as eu-west-1.")
    if region == replica_region:
        raise BootstrapError(
            f"--replica-region is {replica_region}, the same as --region: the state has to outlive the loss of its region. "
            "Name another region."
        )
    if not _REPOSITORY.fullmatch(repository):
        raise BootstrapError(
            f"--repository is {repository}, which is not owner/name. Give it as GitHub spells it: the roles trust that text."
        )
    if not stacks or len(set(stacks)) != len(stacks):
        raise BootstrapError("--stacks is empty or names one twice. Give each stack once, such as dev,prod.")
    for name in stacks:
        if not _STACK.fullmatch(name) or len(name) > STACK_NAME_LENGTH:
            raise BootstrapError(
                f"--stacks has {name or 'an empty name'}: use lower-case letters, digits and hyphens, "
                f"at most {STACK_NAME_LENGTH}, a letter first."
            )
        if name in _RESERVED:
            raise BootstrapError(
                f"--stacks has {name}, which the bootstrap uses for its own resources. Name the stack differently."
            )


def stacks_of(names: Sequence[str], folder: Path = _ROOT) -> tuple[Stack, ...]:
    """The stacks with what their configuration files in ``folder`` say of them; one that has none yet is throw-away to nobody."""
    return tuple(_stack_of(name, names, folder / f"Pulumi.{name}.yaml") for name in names)


def _stack_of(name: str, names: Sequence[str], file: Path) -> Stack:
    config = (yaml.safe_load(file.read_text()) or {}).get("config", {}) if file.exists() else None
    primary = (config or {}).get(f"{PROJECT}:recovery", {}).get("primaryStack", "")
    return Stack(
        name=name,
        throwaway=config is not None and config.get(f"{PROJECT}:lifetime", "throwaway") == "throwaway",
        follows=(primary,) if primary else (),
        extended=tuple(other for other in names if other.startswith(f"{name}-")),
    )
