"""What the emulator does not have is judged by botocore and kept in the state alone: nothing listens at the address given here."""

from dataclasses import replace
from typing import Any

import pytest

from local.provider.aws.api import Api, CallError
from local.provider.aws.provider import AwsProvider
from local.provider.aws.table import TABLE
from local.provider.aws.types import Call, ResourceType, Tagging
from local.provider.protocol import PartlyCreatedError, State
from local.provider.values import UNKNOWN

ACCOUNT = "111122223333"
LOCK = "aws:backup/vaultLockConfiguration:VaultLockConfiguration"
DETECTOR = "aws:guardduty/detector:Detector"
LOCK_ENTRY = ResourceType(
    token=LOCK,
    service="backup",
    create=Call(operation="put_backup_vault_lock_configuration"),
    updates=(Call(operation="put_backup_vault_lock_configuration", whole=True),),
    delete=(Call(operation="delete_backup_vault_lock_configuration"),),
    identity={"BackupVaultName": "backupVaultName"},
    id="input.backupVaultName",
    computed=lambda s: {
        "backupVaultArn": f"arn:aws:backup:{s['region']}:{s['@account']}:backup-vault:{s['id']}"
    },
    emulated=False,
)
DETECTOR_ENTRY = ResourceType(
    token=DETECTOR,
    service="guardduty",
    create=Call(operation="create_detector"),
    updates=(Call(operation="update_detector"),),
    delete=(Call(operation="delete_detector", takes=frozenset()),),
    identity={"DetectorId": "id"},
    id="digest",
    computed=lambda s: {
        "arn": f"arn:aws:guardduty:{s['region']}:{s['@account']}:detector/{s['id']}",
        "accountId": s["@account"],
    },
    tagging=Tagging(add="tag_resource", remove="untag_resource", target="ResourceArn"),
    emulated=False,
)
GIVEN = {"backupVaultName": "vault", "minRetentionDays": 7, "region": "eu-west-1"}


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> AwsProvider:
    monkeypatch.setitem(TABLE, LOCK, LOCK_ENTRY)
    monkeypatch.setitem(TABLE, DETECTOR, DETECTOR_ENTRY)
    return AwsProvider("http://127.0.0.1:1", ACCOUNT)


def varied(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    monkeypatch.setitem(TABLE, LOCK, replace(LOCK_ENTRY, **changes))


def test_its_whole_life_passes_without_a_request(provider: AwsProvider) -> None:
    assert provider.check(LOCK, GIVEN) == []
    made = provider.create(LOCK, GIVEN)
    assert made.id == "vault"
    assert made.properties == {
        **GIVEN,
        "id": "vault",
        "backupVaultArn": f"arn:aws:backup:eu-west-1:{ACCOUNT}:backup-vault:vault",
    }
    assert provider.read(LOCK, made, GIVEN) == made
    assert provider.observed_inputs(LOCK, made, GIVEN) == GIVEN
    longer = {**GIVEN, "minRetentionDays": 8}
    assert provider.update(LOCK, made, GIVEN, longer).properties == {**made.properties, **longer}
    provider.delete(LOCK, made)


def test_what_is_not_in_the_state_does_not_exist(provider: AwsProvider) -> None:
    assert provider.read(LOCK, State("vault", {}), {}) is None


def test_a_made_up_id_follows_from_the_resource_and_its_region(provider: AwsProvider) -> None:
    given = {"enable": True, "region": "eu-west-1", "tags": {"layer": "audit"}}
    made = provider.create(DETECTOR, given)
    assert len(made.id) == 32
    assert made.properties["arn"].endswith(f":detector/{made.id}")
    assert provider.create(DETECTOR, given) == made
    assert provider.create(DETECTOR, {**given, "region": "eu-central-1"}).id != made.id
    changed = provider.update(DETECTOR, made, given, {**given, "enable": False, "tags": {}})
    assert (changed.id, changed.properties["tagsAll"]) == (made.id, {})


def test_a_required_parameter_that_is_missing_is_refused_in_botocores_words_by_preview_and_creation(
    provider: AwsProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    varied(monkeypatch, create=replace(LOCK_ENTRY.create, build=lambda _: {}))
    missing = 'Missing required parameter in input: "BackupVaultName"'
    (failure,) = provider.check(LOCK, GIVEN)
    assert missing in failure.reason
    with pytest.raises(CallError, match=missing):
        provider.create(LOCK, GIVEN)


def test_a_value_that_only_an_update_will_know_is_not_held_against_the_preview(provider: AwsProvider) -> None:
    assert provider.check(LOCK, {**GIVEN, "backupVaultName": UNKNOWN}) == []


def test_the_calls_that_change_and_remove_it_are_judged_too(
    provider: AwsProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = provider.create(LOCK, GIVEN)
    wrong = Call(
        operation="put_backup_vault_lock_configuration",
        takes=frozenset({"minRetentionDays"}),
        build=lambda _: {"BackupVaultName": "vault", "Surprise": 1},
    )
    varied(monkeypatch, updates=(wrong,), delete=(wrong,))
    with pytest.raises(CallError, match="Surprise"):
        provider.update(LOCK, made, GIVEN, {**GIVEN, "minRetentionDays": 8})
    with pytest.raises(CallError, match="Surprise"):
        provider.delete(LOCK, made)


def test_one_call_can_be_judged_where_the_emulator_answers_the_others(
    provider: AwsProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered: list[str] = []
    create = Call(operation="create_detector", takes=frozenset({"enable"}))
    update = Call(
        operation="update_detector", takes=frozenset({"findingPublishingFrequency"}), emulated=False
    )
    read = Call(operation="get_detector")
    entry = replace(
        DETECTOR_ENTRY,
        create=create,
        updates=(update,),
        read=read,
        delete=(),
        id="answer.DetectorId",
        emulated=True,
    )
    monkeypatch.setitem(TABLE, DETECTOR, entry)

    def answer(_: Api, *asked: Any) -> dict[str, Any]:
        answered.append(asked[2])
        return {"DetectorId": "d", "Enable": False, "FindingPublishingFrequency": "SIX_HOURS"}

    monkeypatch.setattr(Api, "call", answer)
    given = {"enable": True, "findingPublishingFrequency": "ONE_HOUR"}
    made = provider.create(DETECTOR, given)
    assert "update_detector" not in answered
    # What was never sent cannot have drifted; what was sent can.
    assert provider.observed_inputs(DETECTOR, made, given) == {**given, "enable": False}
    monkeypatch.setitem(TABLE, DETECTOR, replace(entry, updates=(replace(update, build=lambda _: {}),)))
    with pytest.raises(PartlyCreatedError, match='Missing required parameter in input: "DetectorId"'):
        provider.create(DETECTOR, given)


@pytest.mark.parametrize("token", sorted(TABLE))
def test_nothing_waits_for_an_answer_that_nobody_gives(token: str) -> None:
    entry = TABLE[token]
    if not entry.emulated:
        assert (entry.read, entry.outputs, entry.ready) == (None, {}, None)


def test_an_answer_without_the_id_is_no_resource_called_none(
    provider: AwsProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    varied(monkeypatch, id="answer.VaultName")
    with pytest.raises(CallError, match=r"has no answer\.VaultName"):
        provider.create(LOCK, GIVEN)
