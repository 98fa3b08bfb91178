"""What lives on is changed in place; what the API server fixes for life is made anew."""

import pytest

from local.provider.kubernetes.replacement import keeps_its_name, replacing

NOTHING: dict[str, bool] = {}


@pytest.mark.parametrize(
    ("api_version", "kind", "changed", "replaced"),
    [
        ("apps/v1", "Deployment", "spec.template.spec.containers[0].image", False),
        ("apps/v1", "Deployment", "spec.selector.matchLabels.app", True),
        ("apps/v1", "Deployment", "spec", True),
        ("apps/v1", "Deployment", "metadata.labels.a", False),
        ("apps/v1", "Deployment", "metadata.namespace", True),
        ("batch/v1", "Job", "spec.template.spec.containers[0].image", True),
        ("batch/v1", "Job", "spec.ttlSecondsAfterFinished", False),
        ("batch/v1", "CronJob", "spec.jobTemplate.spec.template.spec.containers[0].image", False),
        ("v1", "Service", "spec.clusterIP", True),
        ("v1", "Service", "spec.clusterIPs[0]", False),
        ("v1", "PersistentVolumeClaim", "spec.storageClassName", True),
        ("v1", "PersistentVolumeClaim", "spec.resources.requests.storage", False),
        ("v1", "ConfigMap", "data.a", True),
        ("v1", "Secret", "stringData.a", True),
    ],
)
def test_only_what_is_fixed_for_life_means_a_new_object(
    api_version: str, kind: str, changed: str, *, replaced: bool
) -> None:
    manifest = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}}
    assert replacing(manifest, {changed}, NOTHING) == ({changed} if replaced else set())


def test_a_config_map_is_changed_in_place_where_the_provider_is_told_so_and_it_is_not_immutable() -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    mutable = {"enableConfigMapMutable": True}
    assert replacing(manifest, {"data.a"}, mutable) == set()
    assert replacing({**manifest, "immutable": True}, {"data.a"}, mutable) == {"data.a"}


def test_the_type_of_a_secret_is_fixed_even_where_secrets_are_mutable() -> None:
    manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}
    assert replacing(manifest, {"type", "data.a"}, {"enableSecretMutable": True}) == {"type"}


def test_a_new_object_waits_for_the_end_of_the_old_only_when_it_needs_its_name() -> None:
    named = {"metadata": {"name": "a", "namespace": "n"}}
    drawn = {"metadata": {"name": "a", "namespace": "n", "annotations": {"pulumi.com/autonamed": "true"}}}
    assert keeps_its_name(named, named)
    assert not keeps_its_name(named, {"metadata": {"name": "a", "namespace": "m"}})
    assert not keeps_its_name(drawn, drawn)
