"""A rollout: the migration first, then pod by pod; nobody is cut off, and what is broken never takes over."""

from collections.abc import Callable
from typing import Any

# ADR 0006: how long the process answers requests under way once its listener is closed.
FINISHING_SECONDS = 20
Templates = Callable[[Any], dict[str, dict[str, Any]]]


def spec(stack: Any, kind: str) -> dict[str, Any]:
    return stack.one(kind).inputs["spec"]


def test_no_pod_is_taken_away_before_another_serves(prod: Any) -> None:
    deployment = spec(prod, "Deployment")
    assert deployment["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    }
    assert deployment["minReadySeconds"] >= 5


def test_how_many_pods_there_are_is_the_autoscalers(prod: Any) -> None:
    assert "replicas" not in spec(prod, "Deployment")
    scaler = spec(prod, "HorizontalPodAutoscaler")
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (3, 24)
    assert scaler["scaleTargetRef"]["name"] == prod.one("Deployment").inputs["metadata"]["name"]


def test_pods_are_added_for_requests_per_second_only_where_they_are_measured(prod: Any, dev: Any) -> None:
    kinds = {stack: [m["type"] for m in spec(stack_, "HorizontalPodAutoscaler")["metrics"]] for stack, stack_ in (("prod", prod), ("dev", dev))}  # fmt: skip
    assert kinds == {"prod": ["Resource", "Pods"], "dev": ["Resource"]}
    adapter = prod.one("Release", "prometheus-adapter").inputs["values"]
    asked = spec(prod, "HorizontalPodAutoscaler")["metrics"][1]["pods"]["metric"]["name"]
    assert asked in [rule["name"]["as"] for rule in adapter["rules"]["custom"]]


def test_the_migration_ends_before_the_first_new_pod(prod: Any) -> None:
    assert "Job migration" in prod.one("Deployment").dependencies
    assert spec(prod, "Job")["template"]["spec"]["containers"][0]["args"] == ["migrate"]


def test_another_image_is_another_migration_of_the_configuration_that_pods_have(
    declare: Callable[..., Any], dev: Any
) -> None:
    def job(stack: Any) -> str:
        return stack.one("Job").inputs["metadata"]["name"]

    image = f"example/state-api@sha256:{'2' * 64}"
    assert job(declare("dev", {"workload": {"image": image}})) != job(dev)
    # The mock engine gives every ConfigMap the same name; the real one another for other data.
    assert spec(dev, "Job")["template"]["spec"]["containers"][0]["envFrom"] == [
        {"configMapRef": {"name": "state-api-environment-0a1b2c3d"}}
    ]


def test_a_finished_migration_stays_so_that_no_look_for_drift_misses_it(prod: Any) -> None:
    assert "ttlSecondsAfterFinished" not in spec(prod, "Job")


def test_a_pod_may_take_longer_to_end_than_it_does(prod: Any, dev: Any, templates: Templates) -> None:
    for stack in (prod, dev):
        for template in templates(stack).values():
            (container,) = template["spec"]["containers"]
            (drain,) = [int(v["value"]) for v in container["env"] if v["name"] == "VANTA_DRAIN_SECONDS"]
            assert template["spec"]["terminationGracePeriodSeconds"] > drain + FINISHING_SECONDS


def test_behind_a_load_balancer_a_pod_serves_on_until_it_is_deregistered(
    prod: Any, dev: Any, templates: Templates
) -> None:
    def drain(stack: Any) -> int:
        (container,) = templates(stack)["state-api"]["spec"]["containers"]
        return next(int(v["value"]) for v in container["env"] if v["name"] == "VANTA_DRAIN_SECONDS")

    assert drain(prod) > drain(dev) >= 5


def test_a_lost_database_takes_a_pod_out_of_service_and_does_not_restart_it(
    prod: Any, templates: Templates
) -> None:
    (container,) = templates(prod)["state-api"]["spec"]["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["startupProbe"]["httpGet"]["path"] == "/healthz"


def test_pods_of_one_version_spread_over_zones_and_hosts(prod: Any, templates: Templates) -> None:
    constraints = templates(prod)["state-api"]["spec"]["topologySpreadConstraints"]
    keys = {each["topologyKey"]: each["matchLabelKeys"] for each in constraints}
    assert keys == {
        "topology.kubernetes.io/zone": ["pod-template-hash"],
        "kubernetes.io/hostname": ["pod-template-hash"],
    }


def test_a_drained_node_takes_one_pod_at_a_time(prod: Any) -> None:
    (budget,) = [r for r in prod.all("PodDisruptionBudget") if r.name == "state-api"]
    assert budget.inputs["spec"]["maxUnavailable"] == 1
    selected = budget.inputs["spec"]["selector"]["matchLabels"]
    assert selected.items() <= spec(prod, "Deployment")["template"]["metadata"]["labels"].items()
    assert selected == spec(prod, "Deployment")["selector"]["matchLabels"]


def test_the_service_finds_the_pods_that_serve_and_no_job(prod: Any, templates: Templates) -> None:
    selected = prod.one("Service").inputs["spec"]["selector"].items()
    found = [
        name
        for name, template in templates(prod).items()
        if selected <= template["metadata"]["labels"].items()
    ]
    assert found == ["state-api"]


def test_a_stack_whose_registry_is_empty_has_rooms_and_no_pods(
    declare: Callable[..., Any], templates: Templates
) -> None:
    furnished = declare("dev", {"workload": {"image": ""}})
    assert templates(furnished) == {}
    assert {"NetworkPolicy", "ExternalSecret", "ResourceQuota"} <= {
        r.type.rpartition(":")[2] for r in furnished.resources
    }


def test_a_standby_has_pods_that_nobody_waits_for_and_migrates_nothing(
    standby: Any, templates: Templates
) -> None:
    assert templates(standby).keys() == {"state-api"}
    for kind in ("Deployment", "Service"):
        annotations = standby.one(kind).inputs["metadata"]["annotations"]
        assert annotations == {"pulumi.com/skipAwait": "true"}


def test_secrets_are_rewrapped_each_month(prod: Any, templates: Templates) -> None:
    assert spec(prod, "CronJob")["schedule"].split()[2:] == ["2", "*", "*"]
    assert spec(prod, "CronJob")["concurrencyPolicy"] == "Forbid"
    (container,) = templates(prod)["rewrap"]["spec"]["containers"]
    assert container["args"] == ["rewrap", "--json"]


def test_pods_are_registered_in_the_target_group_that_the_stack_made(prod: Any) -> None:
    binding = prod.one("TargetGroupBinding").inputs["spec"]
    assert binding["targetGroupARN"] == prod.outputs["edge"]["targetGroupArn"]
    service = prod.one("Service").inputs
    assert binding["serviceRef"] == {
        "name": service["metadata"]["name"],
        "port": service["spec"]["ports"][0]["port"],
    }
    assert not prod.all("Ingress")
    labels = prod.one("core/v1:Namespace", "namespace").inputs["metadata"]["labels"]
    assert labels["elbv2.k8s.aws/pod-readiness-gate-inject"] == "enabled"


def test_elsewhere_an_ingress_with_tls_leads_to_the_pods(elsewhere: Any) -> None:
    ingress = elsewhere.one("Ingress").inputs
    assert ingress["spec"]["tls"] == [{"hosts": ["api.example.com"], "secretName": "state-api-tls"}]
    assert ingress["metadata"]["annotations"]["cert-manager.io/cluster-issuer"] == "letsencrypt"
    assert not elsewhere.all("TargetGroupBinding")
