"""The key of the state: one multi-Region key, so that what one region encrypted the other can decrypt."""

import json
import time
from typing import Any

from infra.aws.key_policies import ADMINISTRATION
from infra.aws.policy_document import document
from infra.bootstrap.clients import Clients
from infra.bootstrap.ledger import Ledger, canonical
from infra.bootstrap.plan import ALIAS, Plan
from infra.bootstrap.refusal import BootstrapError, found
from infra.bootstrap.tags import TAGS

_UNKNOWN = "mrk-to-be-made"
_POLICY = "default"
_ABSENT = "NotFoundException"


def policy(plan: Plan, region: str) -> dict[str, Any]:
    """Who may administer and use the key in ``region``: identities of the account, as far as IAM allows them to.

    Nobody uses it without saying for what: through S3, or in the context of a stack.

    Source: AWS KMS Developer Guide, "Key policies in AWS KMS" and "Multi-Region keys in AWS KMS".
    """
    account = {"AWS": plan.iam("root")}
    return document(
        {
            "Sid": "AdministeredThroughIam",
            "Effect": "Allow",
            "Principal": account,
            "Action": [*ADMINISTRATION, "kms:ReplicateKey"],
            "Resource": "*",
        },
        {
            "Sid": "UsedThroughS3",
            "Effect": "Allow",
            "Principal": account,
            "Action": ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
            "Resource": "*",
            "Condition": {"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}},
        },
        {
            "Sid": "UsedForTheSecretsOfAStack",
            "Effect": "Allow",
            "Principal": account,
            "Action": ["kms:Decrypt", "kms:Encrypt"],
            "Resource": "*",
            "Condition": {"Null": {"kms:EncryptionContext:stack": "false"}},
        },
    )


def ensure(clients: Clients, plan: Plan, ledger: Ledger) -> str:
    """Make the key, its replica, their policies and aliases, and turn rotation on; the key's id, the same in both regions.

    Raises:
        BootstrapError: the alias names a key that cannot serve.
    """
    present = [key for region in plan.regions if (key := _described(clients, region))]
    if len({key["KeyId"] for key in present}) > 1:
        raise BootstrapError(
            f"{ALIAS} names one key in {plan.region} and another in {plan.replica_region}, which cannot read what the first "
            "encrypted. Move the alias of the one that encrypts no state away."
        )
    if present:
        key_id, primary = present[0]["KeyId"], present[0]["MultiRegionConfiguration"]["PrimaryKey"]["Region"]
    else:
        ledger.begin(f"key {ALIAS} in {plan.region}")
        made = ledger.change("make the multi-Region key", lambda: _make(clients, plan))
        key_id, primary = made["KeyId"] if made else _UNKNOWN, plan.region
    # Rotation is a property of all of them, and set on the primary alone.
    ledger.begin(f"key {ALIAS} in {primary}")
    client = clients("kms", primary)
    rotation = found(lambda: client.get_key_rotation_status(KeyId=key_id), _ABSENT)
    ledger.settle(
        "yearly rotation",
        current=(rotation or {}).get("KeyRotationEnabled") or None,
        wanted=True,
        write=lambda: client.enable_key_rotation(KeyId=key_id),
    )
    for region in plan.regions:
        ledger.begin(f"key {ALIAS} in {region}")
        _ensure_in(clients, plan, ledger, region=region, key_id=key_id, primary=primary)
    return key_id


def _ensure_in(
    clients: Clients, plan: Plan, ledger: Ledger, *, region: str, key_id: str, primary: str
) -> None:
    """The key's member in one region."""
    client = clients("kms", region)
    text = json.dumps(policy(plan, region))
    now = found(lambda: client.get_key_policy(KeyId=key_id, PolicyName=_POLICY), _ABSENT)
    if now is None and region != primary:
        source = clients("kms", primary)
        made = ledger.change(
            "replicate the key",
            lambda: source.replicate_key(KeyId=key_id, ReplicaRegion=region, Policy=text, Tags=_tags()),
        )
        if made:
            # A replica takes no calls until it is made.
            _wait(client, key_id)
            now = client.get_key_policy(KeyId=key_id, PolicyName=_POLICY)
    if now:
        ledger.settle(
            "the key policy",
            current=canonical(now["Policy"]),
            wanted=canonical(text),
            write=lambda: client.put_key_policy(KeyId=key_id, PolicyName=_POLICY, Policy=text),
        )
    if _described(clients, region) is None and (now or region != primary):
        ledger.change("set the alias", lambda: client.create_alias(AliasName=ALIAS, TargetKeyId=key_id))


def _make(clients: Clients, plan: Plan) -> dict[str, Any]:
    client = clients("kms", plan.region)
    made = client.create_key(
        Description="vanta-state: encrypts the state of every stack and the secrets in it",
        MultiRegion=True,
        Policy=json.dumps(policy(plan, plan.region)),
        Tags=_tags(),
    )
    # At once: by the alias alone does a next run find the key.
    client.create_alias(AliasName=ALIAS, TargetKeyId=made["KeyMetadata"]["KeyId"])
    return made["KeyMetadata"]


def _described(clients: Clients, region: str) -> dict[str, Any] | None:
    """What the alias names in ``region``.

    Raises:
        BootstrapError: a key that is not a multi-Region key or does not serve.
    """
    client = clients("kms", region)
    answer = found(lambda: client.describe_key(KeyId=ALIAS), _ABSENT)
    if answer is None:
        return None
    key = answer["KeyMetadata"]
    if not key.get("MultiRegion"):
        raise BootstrapError(
            f"{ALIAS} in {region} names {key['KeyId']}, which is no multi-Region key and could not be read elsewhere. "
            "Move that alias away."
        )
    if key["KeyState"] not in {"Enabled", "Creating", "Updating"}:
        raise BootstrapError(
            f"{ALIAS} in {region} names {key['KeyId']}, which is {key['KeyState']}: the state's secrets depend on it. "
            "Cancel its deletion or enable it."
        )
    return key


def _wait(client: Any, key_id: str) -> None:
    """Until the replica is enabled; AWS takes seconds for it and offers no waiter."""
    for _ in range(60):
        if client.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] == "Enabled":
            return
        time.sleep(1)
    raise BootstrapError(f"The replica of {key_id} was not made within a minute. Run the command again.")


def _tags() -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value} for key, value in TAGS.items()]
