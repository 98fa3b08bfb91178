"""Names fit every service that they are used with, whatever the stack is called."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.names import BUCKET_NOUNS, STACK_NAME_LENGTH, Names
from infra.settings.stack import check_stack_name

STACKS = st.from_regex(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", fullmatch=True).filter(
    lambda s: len(s) <= STACK_NAME_LENGTH
)
TAGS = {"project", "stack", "layer", "owner", "data-classification", "managed-by"}


def names(stack: str) -> Names:
    # The longest region name there is, so that what fits here fits everywhere.
    return Names(stack=stack, owner="platform", account_id="111122223333", region="us-isob-east-1")


@settings(max_examples=50)
@given(stack=STACKS)
def test_an_accepted_stack_name_gives_names_that_every_service_accepts(stack: str) -> None:
    check_stack_name(stack)
    for noun in BUCKET_NOUNS:
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", names(stack).bucket(noun))
    # Amazon ElastiCache: a replication group's id has at most 40 characters; Amazon RDS: an identifier at most 63.
    for noun, limit in (("cache", 40), ("cache-valkey8", 255), ("database-16", 63), ("database-final", 63)):
        assert re.fullmatch(r"[a-z](-?[a-z0-9])*", names(stack).of(noun))
        assert len(names(stack).of(noun)) <= limit


@settings(max_examples=50)
@given(stack=STACKS)
def test_no_secret_is_named_like_the_random_end_of_an_arn(stack: str) -> None:
    """Secrets Manager finds a secret by a part of its ARN, and a hyphen with six characters looks like such a part."""
    for noun in ("database-app", "cache-auth"):
        assert not re.search(r"-[A-Za-z0-9]{6}$", names(stack).of(noun))


def test_every_tag_set_has_the_six_tags() -> None:
    assert set(names("dev").tags(layer="state", classification="restricted")) == TAGS


def test_a_bucket_name_carries_account_and_region() -> None:
    assert names("dev").bucket("audit") == "vanta-dev-audit-111122223333-us-isob-east-1"
