"""Third-party pieces: pinned, sized, with the service accounts that have roles, and only what a stack needs."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from infra.kubernetes.charts.chart import wire

ALWAYS = {
    *("cluster-autoscaler", "external-secrets", "istio-base", "istio-cni", "istiod"),
    *("monitoring", "prometheus-adapter", "ztunnel"),
}


def releases(stack: Any) -> dict[str, Any]:
    return {r.name: r.inputs for r in stack.all("Release")}


def test_a_stack_installs_what_it_needs(prod: Any, dev: Any, elsewhere: Any) -> None:
    postgres = {"cert-manager", "cloudnative-pg", "plugin-barman-cloud"}
    assert releases(prod).keys() == ALWAYS | postgres | {"aws-load-balancer-controller"}
    assert releases(dev).keys() == ALWAYS
    assert not releases(elsewhere)


def test_every_chart_is_pinned_to_one_version_of_a_known_publisher(prod: Any) -> None:
    for release in releases(prod).values():
        assert re.fullmatch(r"v?[0-9]+\.[0-9]+\.[0-9]+", release["version"])
        assert release["repositoryOpts"]["repo"].startswith("https://")
        assert release["atomic"] is True


def test_every_operator_says_what_it_needs(prod: Any) -> None:
    for name, release in releases(prod).items():
        if name not in ("istio-base", "monitoring"):
            assert release["values"]["resources"]["requests"].keys() == {"cpu", "memory"}, name


@pytest.mark.parametrize(
    ("release", "path", "association"),
    [
        ("external-secrets", ("serviceAccount",), "external-secrets"),
        ("monitoring", ("alertmanager", "serviceAccount"), "alertmanager"),
        ("aws-load-balancer-controller", ("serviceAccount",), "aws-load-balancer-controller"),
        ("cluster-autoscaler", ("rbac", "serviceAccount"), "cluster-autoscaler"),
    ],
)
def test_an_operator_runs_as_the_account_that_has_its_role(
    prod: Any, release: str, path: tuple[str, ...], association: str
) -> None:
    values = releases(prod)[release]["values"]
    for step in path:
        values = values[step]
    given = prod.one("PodIdentityAssociation", association).inputs
    assert (values["name"], releases(prod)[release]["namespace"]) == (
        given["serviceAccount"],
        given["namespace"],
    )


def test_alerts_reach_the_topic_of_the_stack(prod: Any) -> None:
    config = releases(prod)["monitoring"]["values"]["alertmanager"]["config"]
    receivers = {receiver["name"]: receiver for receiver in config["receivers"]}
    (told,) = receivers[config["route"]["receiver"]]["sns_configs"]
    topic = prod.outputs["notificationTopicArn"]
    assert (told["topic_arn"], told["sigv4"]) == (topic, {"region": "eu-west-1"})
    silent = {route["matchers"][0] for route in config["route"]["routes"]}
    assert silent == {'alertname =~ "InfoInhibitor|Watchdog"'}
    policies = [json.loads(p.inputs["policy"]) for p in prod.all("RolePolicy") if "alertmanager" in p.name]
    statements = {s["Sid"]: s for policy in policies for s in policy["Statement"]}
    assert statements["TellOfAlerts"]["Resource"] == topic
    assert statements["EncryptForTheTopic"]["Resource"] == prod.outputs["keyArns"]["notifications"]


def test_the_balancers_controller_makes_no_load_balancer_of_its_own(prod: Any) -> None:
    values = releases(prod)["aws-load-balancer-controller"]["values"]
    assert values["createIngressClassResource"] is False
    assert values["enableServiceMutatorWebhook"] is False
    assert values["enableBackendSecurityGroup"] is False


def test_every_object_waits_for_the_operators_and_for_the_namespace(prod: Any) -> None:
    mine = [
        r
        for r in prod.resources
        if r.type.startswith("kubernetes:") and r.inputs.get("metadata", {}).get("namespace") == "vanta"
    ]
    assert len(mine) > 20
    for each in mine:
        assert "Namespace namespace" in each.dependencies, each.name
    namespace = prod.one("core/v1:Namespace", "namespace")
    assert {f"Release {name}" for name in releases(prod)} <= namespace.dependencies
    for kind in ("Deployment", "Job", "CronJob"):
        assert "ServiceAccount state-api" in prod.one(kind).dependencies


def test_prometheus_takes_monitors_and_rules_of_every_namespace(prod: Any) -> None:
    spec = releases(prod)["monitoring"]["values"]["prometheus"]["prometheusSpec"]
    assert {spec[f"{kind}SelectorNilUsesHelmValues"] for kind in ("serviceMonitor", "podMonitor", "rule")} == {False}  # fmt: skip
    claim = spec["storageSpec"]["volumeClaimTemplate"]["spec"]
    assert claim["storageClassName"] == prod.one("StorageClass").inputs["metadata"]["name"]


def test_volumes_are_encrypted_with_the_clusters_key(prod: Any, dev: Any) -> None:
    storage = prod.one("StorageClass").inputs
    assert storage["parameters"] == {
        "type": "gp3",
        "encrypted": "true",
        "kmsKeyId": prod.outputs["keyArns"]["cluster"],
    }
    assert (storage["reclaimPolicy"], dev.one("StorageClass").inputs["reclaimPolicy"]) == ("Retain", "Delete")


def test_values_are_spelt_as_helm_reads_them() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Inner:
        replica_count: int = 2

    @dataclass(frozen=True, kw_only=True)
    class Values:
        install: bool = field(default=True, metadata={"key": "installCRDs"})
        service_account: Inner = Inner()
        left_out: str | None = None
        several: tuple[Inner, ...] = (Inner(),)

    assert wire(Values()) == {
        "installCRDs": True,
        "serviceAccount": {"replicaCount": 2},
        "several": [{"replicaCount": 2}],
    }


def test_timescale_is_replicated_backed_up_and_protected_where_data_is_kept(prod: Any) -> None:
    cluster = prod.one("kubernetes:postgresql.cnpg.io/v1:Cluster".partition(":")[2])
    spec = cluster.inputs["spec"]
    assert (cluster.protect, cluster.retain_on_delete, spec["instances"]) == (True, True, 3)
    assert spec["postgresql"]["synchronous"]["number"] == 1
    assert spec["storage"] == {"size": "200Gi", "storageClass": "encrypted"}
    store = prod.one("ObjectStore").inputs
    assert store["spec"]["configuration"]["destinationPath"] == (
        "s3://vanta-prod-timescale-111122223333-eu-west-1/"
    )
    assert store["spec"]["retentionPolicy"] == "30d"
    (plugin,) = spec["plugins"]
    assert plugin["isWALArchiver"] is True
    assert plugin["parameters"] == {"barmanObjectName": store["metadata"]["name"]}
    backup = prod.one("ScheduledBackup").inputs["spec"]
    assert backup["method"] == "plugin"
    assert len(backup["schedule"].split()) == 6


def test_timescale_has_the_extension_from_its_publishers_image(prod: Any) -> None:
    spec = prod.one("postgresql.cnpg.io/v1:Cluster").inputs["spec"]
    assert spec["postgresql"]["shared_preload_libraries"] == ["timescaledb"]
    (extension,) = spec["postgresql"]["extensions"]
    assert extension["image"]["reference"].startswith("ghcr.io/cloudnative-pg/timescaledb-oss:")
    assert prod.one("postgresql.cnpg.io/v1:Database").inputs["spec"]["extensions"] == [
        {"name": "timescaledb"}
    ]


def test_the_backups_outlive_what_the_operator_keeps(prod: Any) -> None:
    (rule,) = prod.one("BucketLifecycleConfiguration", "timescale").inputs["rules"]
    kept = int(prod.one("ObjectStore").inputs["spec"]["retentionPolicy"].removesuffix("d"))
    assert rule["expiration"]["days"] > 2 * kept
