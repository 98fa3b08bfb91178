"""What a stack file says of the stack as a whole, its name included."""

import re

from pulumi_aws import Region

from infra.names import STACK_NAME_LENGTH
from infra.refusal import SettingsError, refusal
from infra.settings.lifetime import Lifetime


def check_stack_name(stack: str) -> None:
    """Names of resources carry the stack's name, so it has to be acceptable to the pickiest service."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", stack) or len(stack) > STACK_NAME_LENGTH:
        raise SettingsError(
            f'The stack name "{stack}" cannot be part of resource names. Use at most {STACK_NAME_LENGTH} '
            "lower-case letters, digits and single hyphens, beginning with a letter."
        )


def check_lifetime(lifetime: Lifetime, *, stack: str) -> None:
    """What is called production is protected, whatever its file says."""
    if stack.split("-", maxsplit=1)[0] == "prod" and not lifetime.kept:
        raise refusal(
            "lifetime",
            lifetime,
            f'but stack "{stack}" is production: its data would have no deletion protection',
            "Use permanent, or retiring before you destroy it",
        )


def check_owner(owner: str) -> None:
    """The owner is a tag value: what AWS allows in one, and not empty."""
    if not re.fullmatch(r"[A-Za-z0-9 _.:/=+@-]{1,64}", owner):
        raise refusal(
            "owner", owner, "but is a tag's value", "Use 1 to 64 letters, digits, spaces or _.:/=+@-"
        )


def check_own_region(region: str) -> None:
    """A region that the provider knows, which would else answer with the list of all of them."""
    if region not in {known.value for known in Region}:
        raise SettingsError(
            f"aws:region is {region}, which the AWS provider does not know. Use one like eu-west-1."
        )


def check_account(account: str) -> None:
    """An account id that can be one; whether it is the right one is known only when AWS is asked."""
    if account and not re.fullmatch(r"[0-9]{12}", account):
        raise refusal("account", account, "which is no AWS account id", "Write its 12 digits in quotes")
