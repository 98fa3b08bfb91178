"""What a stack file may say of workload, operators and TimescaleDB, and how it is refused otherwise."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.refusal import SettingsError
from infra.settings import Settings, parse
from infra.settings.environment_file import endpoint_ports, overlay

Configuration = Callable[..., dict[str, Any]]
DIGEST = "sha256:" + "1" * 64
IMAGE = f"example.com/vanta/state-api@{DIGEST}"

# fmt: off
REFUSALS = [
    ("pr-1", {"workload": {"enabled": True}}, "vanta:workload.enabled is true but there is no cluster for it. Set vanta:cluster.enabled, or name one in vanta:workload.kubeconfigFile."),
    ("pr-1", {"workload": {"image": "State API"}}, "vanta:workload.image is State API which is no image. Write it as repository@sha256:digest, as the image workflow printed it."),
    ("pr-1", {"workload": {"image": "example.com/a@sha256:12"}}, "vanta:workload.image is example.com/a@sha256:12 which is no image. Write it as repository@sha256:digest, as the image workflow printed it."),
    ("prod", {"workload": {"image": "example.com/a:1.0"}}, "vanta:workload.image is example.com/a:1.0 but the stack is to be kept: what a tag means can change under it. Append @sha256: and the digest, which the image workflow printed."),
    ("pr-1", {"workload": {"minReplicas": 0}}, "vanta:workload.minReplicas is 0 which is out of range. Use 1 to 200 replicas."),
    ("pr-1", {"workload": {"maxReplicas": 201}}, "vanta:workload.maxReplicas is 201 which is out of range. Use 1 to 200 replicas."),
    ("pr-1", {"workload": {"minReplicas": 5}}, "vanta:workload.maxReplicas is 4 which is less than vanta:workload.minReplicas (5). Use 5 or more."),
    ("prod", {"workload": {"minReplicas": 1}}, "vanta:workload.minReplicas is 1 but the stack is to be kept: with its node the API would be lost. Use 2 or more."),
    ("pr-1", {"workload": {"requestsPerSecond": -1}}, "vanta:workload.requestsPerSecond is -1 which is out of range. Use 0 to 100000 requests."),
    ("dev", {"workload": {"kubeconfigFile": "/etc/hosts", "kubeconfigContext": "c"}}, "vanta:workload.kubeconfigFile is /etc/hosts but the stack has a cluster of its own, whose pods have rights in the account. Remove it, or set vanta:cluster.enabled to false."),
    ("local", {"workload": {"enabled": True, "kubeconfigFile": "/etc/hosts"}}, 'vanta:workload.kubeconfigContext is "" but the file may have other people\'s clusters too. Name the context to use, as `kubectl config get-contexts` shows it.'),
    ("local", {"workload": {"enabled": True, "kubeconfigFile": "/no/such", "kubeconfigContext": "c"}}, "vanta:workload.kubeconfigFile is /no/such which is no file here. Write its path, or remove the key."),
    ("dev", {"workload": {"environmentFile": "/no/such"}}, "vanta:workload.environmentFile is /no/such which is no file here. Write its path, or remove the key."),
    ("dev", {"workload": {"authoritiesFile": "/no/such"}}, "vanta:workload.authoritiesFile is /no/such which is no file here. Write its path, or remove the key."),
    ("pr-1", {"workload": {"ingressHost": "localhost"}}, "vanta:workload.ingressHost is localhost which is no domain. Write it like api.example.com."),
    ("pr-1", {"workload": {"ingressIssuer": "own"}}, "vanta:workload.ingressIssuer is own but there is no vanta:workload.ingressHost to prove. Set both, or neither."),
    ("pr-1", {"workload": {"ingressCidrs": "10.0.0.0/8, lan"}}, "vanta:workload.ingressCidrs is lan but must be an IPv4 network. Write it like 10.0.0.0/8."),
    ("dev", {"cache": {"shards": 2}}, "vanta:cache.shards is 2 but the state API does not speak the cluster protocol yet. Use 1 and a larger vanta:cache.nodeType, or leave vanta:workload.image empty."),
    ("local", {"operators": {"enabled": True}}, "vanta:operators.enabled is true but they serve a workload in the stack's own cluster, whose roles they take. Set vanta:workload.enabled and vanta:cluster.enabled, or set it to false."),
    ("local", {"timescale": {"enabled": True}}, "vanta:timescale.enabled is true but it runs beside the workload in the stack's own cluster. Set vanta:workload.enabled and vanta:cluster.enabled."),
    ("prod", {"timescale": {"instances": 1}}, "vanta:timescale.instances is 1 but the stack is to be kept: with its volume's zone the series would be away. Use 2 or more."),
    ("dev", {"timescale": {"storageGib": 0}}, "vanta:timescale.storageGib is 0 which is out of range. Use 1 to 65536 GiB."),
    ("dev", {"timescale": {"instances": 10}}, "vanta:timescale.instances is 10 which is out of range. Use 1 to 9 instances."),
    ("dev", {"timescale": {"backupDays": 0}}, "vanta:timescale.backupDays is 0 which is out of range. Use 1 to 365 days."),
]
# fmt: on


def parsed(configuration: Configuration, stack: str, changes: dict[str, Any]) -> Settings:
    return parse(configuration(stack, changes), stack)


@pytest.mark.parametrize(("stack", "changes", "message"), REFUSALS, ids=lambda value: str(value)[:40])
def test_a_refusal_names_key_value_and_remedy(
    configuration: Configuration, stack: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        parsed(configuration, stack, changes)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    "image",
    [
        IMAGE,
        "localhost:5000/state-api:1.2",
        "state-api",
        f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/a/b:c@{DIGEST}",
    ],
)
def test_a_throw_away_stack_takes_any_image(configuration: Configuration, image: str) -> None:
    assert parsed(configuration, "pr-1", {"workload": {"image": image}}).workload.image == image


@pytest.mark.parametrize("stack", ["dev", "prod", "prod-dr"])
def test_no_committed_image_can_be_pulled(configuration: Configuration, stack: str) -> None:
    """Nobody pushed it: the digest is that of no bytes at all (docs/adr/0026-workload.md)."""
    image = configuration(stack)["workload"]["image"]
    assert image.endswith("@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    assert image.startswith("111122223333.dkr.ecr.")


def test_a_file_of_variables_is_read_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "environment"
    file.write_text(
        "# seen from pods\nVANTA_DATABASE_HOST=10.0.0.7\n\nAWS_ENDPOINT_URL=http://10.0.0.7:4566?a=b\n"
    )
    assert overlay(str(file)) == {
        "VANTA_DATABASE_HOST": "10.0.0.7",
        "AWS_ENDPOINT_URL": "http://10.0.0.7:4566?a=b",
    }
    assert endpoint_ports(overlay(str(file))) == [4566]
    assert overlay("") == {}


@pytest.mark.parametrize("line", ["VANTA_DATABASE_HOST", "lower=1", "A B=1", "=1"])
def test_a_line_that_sets_no_variable_is_refused(
    configuration: Configuration, tmp_path: Path, line: str
) -> None:
    file = tmp_path / "environment"
    file.write_text(f"A=1\n{line}\n")
    with pytest.raises(SettingsError, match="sets no variable"):
        parsed(configuration, "dev", {"workload": {"environmentFile": str(file)}})
