"""What a stack has to say of its evidence: what is kept for good is locked for long, against everyone."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from infra.reference import PAGE
from infra.refusal import SettingsError
from infra.settings import parse

Configuration = Callable[..., dict[str, Any]]


def test_production_locks_the_audit_for_seven_years_against_everyone(configuration: Configuration) -> None:
    audit = parse(configuration("prod"), "prod").audit
    assert (audit.lock_mode, audit.lock_period) == ("COMPLIANCE", "7 years")


@pytest.mark.parametrize(
    ("audit", "message"),
    [
        ({"lockMode": "GOVERNANCE"}, "vanta:audit.lockMode is GOVERNANCE but vanta:lifetime is permanent: an administrator could delete the stack's evidence. Use COMPLIANCE."),
        ({"lockPeriod": "1 day"}, "vanta:audit.lockPeriod is 1 day but vanta:lifetime is permanent, and auditors ask for 365 days at least. Use 7 years."),
        ({"lockPeriod": "364 days"}, "vanta:audit.lockPeriod is 364 days but vanta:lifetime is permanent, and auditors ask for 365 days at least. Use 7 years."),
    ],
)  # fmt: skip
def test_a_permanent_stack_whose_evidence_could_be_deleted_is_refused(
    configuration: Configuration, audit: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        parse(configuration("prod", {"audit": audit}), "prod")
    assert str(refused.value) == message


def test_a_permanent_stack_may_lock_for_a_year(configuration: Configuration) -> None:
    given = configuration("prod", {"audit": {"lockPeriod": "1 year"}})
    assert parse(given, "prod").audit.lock_period == "1 year"


def test_a_standby_says_nothing_of_locks_until_it_has_a_trail_to_lock(configuration: Configuration) -> None:
    assert parse(configuration("prod-dr"), "prod-dr").audit.lock_mode == "GOVERNANCE"
    with pytest.raises(SettingsError, match=r"vanta:audit\.lockMode is GOVERNANCE"):
        parse(configuration("prod-dr", {"evidence": {"trail": True}}), "prod-dr")


def test_the_example_of_the_reference_is_accepted(configuration: Configuration) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    rooms = {key.removeprefix("vanta:"): value for key, value in yaml.safe_load(example)["config"].items()}
    assert parse(configuration("local", rooms), "other").lifetime.protected
