"""The stack that stands by: what it takes over from its primary, and when it could not take over at all."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from infra.refusal import SettingsError

Declare = Callable[..., Any]


def refused(declare: Declare, recorded: Any, **how: Any) -> str:
    """The sentence by which the standby is refused; nothing may have been registered before."""
    with pytest.raises(SettingsError) as refusal:
        declare("prod-dr", into=recorded, **how)
    assert not recorded.resources
    return str(refusal.value)


def test_a_standby_of_a_stack_that_is_not_up_is_refused(declare: Declare, recorded: Any) -> None:
    assert refused(declare, recorded, others={}) == (
        "vanta:recovery.primaryStack is prod but there is no such stack. Run `pulumi up --stack prod` first, or name another."
    )


def test_a_standby_of_a_stack_that_an_older_program_made_is_refused(
    declare: Declare, recorded: Any, prod: Any
) -> None:
    older = {name: value for name, value in prod.outputs.items() if name != "networkCidr"}
    assert refused(declare, recorded, others={"prod": older}) == (
        "vanta:recovery.primaryStack is prod which has no output 'networkCidr'. "
        "Run `pulumi up --stack prod` with this program first."
    )


def test_a_standby_in_the_region_of_its_primary_is_refused(declare: Declare, recorded: Any) -> None:
    assert refused(declare, recorded, region="eu-west-1") == (
        "vanta:recovery.primaryStack is prod but it is in eu-west-1 too: the loss of one region would take both. "
        "Set aws:region to another one."
    )


def test_a_standby_where_no_copies_are_is_refused(declare: Declare, recorded: Any) -> None:
    assert refused(declare, recorded, region="us-east-1") == (
        "vanta:recovery.primaryStack is prod but its copies are in eu-central-1, not in us-east-1. "
        "Set aws:region to eu-central-1."
    )


def test_a_standby_of_a_stack_that_copies_nothing_is_refused(
    declare: Declare, recorded: Any, prod: Any
) -> None:
    alone = dict(prod.outputs) | {"recovery": {}}
    assert refused(declare, recorded, others={"prod": alone}) == (
        "vanta:recovery.primaryStack is prod but it copies nothing elsewhere. "
        "Set vanta:recovery.region of prod to eu-central-1."
    )


def test_a_standby_of_a_stack_without_a_global_database_is_refused(
    declare: Declare, recorded: Any, prod: Any
) -> None:
    alone = dict(prod.outputs) | {"globalClusterIdentifier": ""}
    assert refused(declare, recorded, others={"prod": alone}) == (
        "vanta:recovery.primaryStack is prod but its database leads no global cluster, which a standby follows. "
        "Set vanta:database.globalCluster of prod to true."
    )


def test_a_standby_in_another_account_is_refused(declare: Declare, recorded: Any, prod: Any) -> None:
    foreign = dict(prod.outputs) | {"accountId": "999988887777"}
    assert refused(declare, recorded, others={"prod": foreign}) == (
        "vanta:recovery.primaryStack is prod but it is in account 999988887777, whose copies 111122223333 may not read. "
        "Use its credentials."
    )


def test_a_standby_whose_network_overlaps_its_primarys_is_refused(declare: Declare, recorded: Any) -> None:
    assert refused(declare, recorded, changes={"network": {"cidr": "10.22.128.0/17"}}) == (
        "vanta:network.cidr is 10.22.128.0/17 but overlaps 10.22.0.0/16 of prod, with which it may have to be connected. "
        "Use a range of its own."
    )


def test_the_app_of_a_standby_finds_the_copies_of_its_own_region(standby: Any, prod: Any) -> None:
    copies, environment = prod.outputs["recovery"], standby.outputs["appEnvironment"]
    assert environment["VANTA_ARCHIVE_BUCKET"] == copies["archiveBucket"]
    assert environment["VANTA_AUDIT_BUCKET"] == copies["auditBucket"]
    # What was encrypted under the primary's key is decrypted under its replica.
    assert environment["VANTA_KMS_KEY_ARN"] == copies["keyArns"]["application"]
    for secret in ("database-master", "database-app"):
        assert standby.outputs["appSecrets"][secret] == copies["secretArns"][secret]
    assert environment["AWS_REGION"] == "eu-central-1"


def test_a_standby_follows_the_primarys_database_and_makes_no_password_for_it(
    standby: Any, prod: Any
) -> None:
    cluster = standby.one("rds/cluster:Cluster").inputs
    assert cluster["globalClusterIdentifier"] == prod.outputs["globalClusterIdentifier"]
    assert not {"masterUsername", "masterPassword", "databaseName"} & cluster.keys()
    assert {secret.name for secret in standby.all("Secret")} == {"cache-auth"}


def test_a_standby_makes_none_of_the_buckets_that_its_primary_keeps_there(standby: Any) -> None:
    assert not {"archive", "audit"} & {bucket.name for bucket in standby.all("Bucket")}


def test_what_a_standby_declares_is_of_its_own_region_and_no_other(standby: Any) -> None:
    elsewhere = {r.inputs["region"] for r in standby.resources if "region" in r.inputs}
    assert elsewhere <= {"eu-central-1"}


def test_outputs_of_both_stacks_have_the_same_names(standby: Any, prod: Any) -> None:
    assert standby.outputs.keys() == prod.outputs.keys()
    given = copy.deepcopy(prod.outputs)
    for name in ("appEnvironment", "appSecrets"):
        assert standby.outputs[name].keys() == given[name].keys()


def test_a_standby_that_is_restored_goes_on_without_its_primarys_database(
    declare: Declare, recorded: Any, prod: Any
) -> None:
    """Nor does the primary have to lead a global cluster for it: what is left of it are copies."""
    alone = dict(prod.outputs) | {"globalClusterIdentifier": ""}
    declare(
        "prod-dr",
        into=recorded,
        others={"prod": alone},
        changes={"database": {"restoreSnapshot": "copied", "readers": 1}},
    )
    cluster = recorded.one("rds/cluster:Cluster").inputs
    assert cluster["snapshotIdentifier"] == "copied"
    assert "globalClusterIdentifier" not in cluster
    # RDS makes the master user's password; the app's is of this stack, and its migration sets it.
    assert cluster["manageMasterUserPassword"]
    assert {secret.name for secret in recorded.all("Secret")} == {"cache-auth", "database-app"}
    environment = recorded.outputs["appEnvironment"]
    assert environment["VANTA_KMS_KEY_ARN"] == prod.outputs["recovery"]["keyArns"]["application"]
    assert environment["VANTA_ARCHIVE_BUCKET"] == prod.outputs["recovery"]["archiveBucket"]
    assert any(resource.name == "migration" for resource in recorded.resources)
