"""What the registry promises: an image stays what it was when it was scanned, and is there when its region is not."""

import json
from typing import Any

from infra.aws.image_cache import UPSTREAMS
from infra.names import STACK_NAME_LENGTH, Names


def test_nobody_can_move_a_tag(prod: Any) -> None:
    repository = prod.one("ecr/repository:Repository").inputs
    assert repository["name"] == "vanta-prod-images/api"
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    (encryption,) = repository["encryptionConfigurations"]
    assert encryption["encryptionType"] == "KMS"
    assert encryption["kmsKey"].endswith(":registry")


def test_the_newest_images_are_kept_and_what_failed_pushes_left_is_not(prod: Any) -> None:
    untagged, tagged = json.loads(prod.one("LifecyclePolicy").inputs["policy"])["rules"]
    assert (untagged["selection"]["tagStatus"], untagged["selection"]["countNumber"]) == ("untagged", 7)
    assert tagged["selection"]["tagPatternList"] == ["*"]
    assert (tagged["selection"]["countType"], tagged["selection"]["countNumber"]) == (
        "imageCountMoreThan",
        500,
    )


def test_production_is_scanned_again_with_every_vulnerability_that_becomes_known(prod: Any) -> None:
    scanning = prod.one("RegistryScanningConfiguration").inputs
    assert scanning["scanType"] == "ENHANCED"
    (rule,) = scanning["rules"]
    assert rule["scanFrequency"] == "CONTINUOUS_SCAN"
    # The setting is the account's: it covers the repositories of its other stacks.
    assert rule["repositoryFilters"] == [{"filter": "vanta-*", "filterType": "WILDCARD"}]


def test_images_are_copied_to_the_recovery_region_into_repositories_as_strict(prod: Any) -> None:
    (rule,) = prod.one("ReplicationConfiguration").inputs["replicationConfiguration"]["rules"]
    assert rule["destinations"] == [{"region": "eu-central-1", "registryId": "111122223333"}]
    assert rule["repositoryFilters"] == [{"filter": "vanta-prod-images", "filterType": "PREFIX_MATCH"}]
    copies = prod.one("RepositoryCreationTemplate", "copies").inputs
    assert (copies["region"], copies["prefix"]) == ("eu-central-1", "vanta-prod-images")
    assert copies["imageTagMutability"] == "IMMUTABLE"
    assert copies["appliedFors"] == ["REPLICATION"]
    assert copies["encryptionConfigurations"] == [{"encryptionType": "KMS"}]


def test_what_an_account_has_once_is_left_to_the_stack_that_owns_it(dev: Any) -> None:
    assert not [*dev.all("RegistryScanningConfiguration"), *dev.all("ReplicationConfiguration")]


def test_a_cached_image_gets_an_encrypted_repository_with_tags(prod: Any) -> None:
    rules = {rule.name: rule.inputs for rule in prod.all("PullThroughCacheRule")}
    assert {rule["upstreamRegistryUrl"] for rule in rules.values()} == {*UPSTREAMS.values()}
    for name, rule in rules.items():
        template = prod.one("RepositoryCreationTemplate", name).inputs
        assert rule["ecrRepositoryPrefix"] == template["prefix"] == f"vanta-prod-{name}"
        assert template["encryptionConfigurations"][0]["kmsKey"].endswith(":registry")
        # ECR sets key and tags only as a role of ours.
        assert template["customRoleArn"].endswith(":role/vanta-prod-registry")
        assert template["resourceTags"]["stack"] == "prod"
        assert f"RepositoryCreationTemplate {name}" in prod.one("PullThroughCacheRule", name).dependencies


def test_the_prefix_of_a_cache_fits_the_longest_stack_name() -> None:
    """Amazon ECR API: CreatePullThroughCacheRule, ecrRepositoryPrefix has 2 to 30 characters."""
    names = Names(stack="s" * STACK_NAME_LENGTH, owner="o", account_id="1" * 12, region="r")
    assert max(len(names.of(noun)) for noun in UPSTREAMS) <= 30


def test_a_throw_away_registry_goes_with_its_images(dev: Any, prod: Any) -> None:
    assert dev.one("ecr/repository:Repository").inputs["forceDelete"]
    assert not prod.one("ecr/repository:Repository").inputs["forceDelete"]
