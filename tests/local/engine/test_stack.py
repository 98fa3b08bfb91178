"""The real engine runs the real program: what it previews is what it does, and what it made it removes."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from pulumi.automation import EngineEvent

from local.aws.emulator import ACCOUNT, Aws
from local.pulumi.engine import EngineError
from local.pulumi.stack import Change, Stack

RESOURCES = 104
Deployed = tuple[Path, Change, Change]


class Recorder:
    """The steps of an operation that change something: ``{"op type name": [differing properties]}``."""

    def __init__(self) -> None:
        self.steps: dict[str, list[str]] = {}

    def __call__(self, event: EngineEvent) -> None:
        if event.resource_pre_event and event.resource_pre_event.metadata.op != "same":
            step = event.resource_pre_event.metadata
            parts = step.urn.split("::")
            self.steps[f"{step.op.value} {parts[2].split('$')[-1]} {parts[3]}"] = sorted(
                step.detailed_diff or {}
            )


@pytest.fixture(scope="module")
def deployed(engine: Path, module_aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """Stack ``local``, previewed and then brought up once for the module: its folder, the preview and the update."""
    folder = tmp_path_factory.mktemp("stack")
    stack = Stack("local", folder=folder, engine=engine, endpoint=module_aws.endpoint)
    return folder, stack.preview(), stack.up()


@pytest.fixture
def stack(deployed: Deployed, engine: Path, module_aws: Aws) -> Callable[..., Stack]:
    """The deployed stack, with configuration laid over its own."""

    def make(**rooms: Mapping[str, Any]) -> Stack:
        config = {f"vanta:{room}": values for room, values in rooms.items()}
        return Stack("local", folder=deployed[0], engine=engine, endpoint=module_aws.endpoint, config=config)

    return make


@pytest.fixture
def client(module_aws: Aws) -> Callable[[str], Any]:
    """boto3 clients for the module's emulator."""
    return lambda service: boto3.client(
        service,
        region_name="eu-west-1",
        endpoint_url=module_aws.endpoint,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="local",
    )


def test_an_update_creates_what_the_preview_announced(deployed: Deployed) -> None:
    _, previewed, done = deployed
    assert previewed.operations == done.operations == {"create": RESOURCES}


def test_a_second_preview_shows_no_change(stack: Callable[..., Stack]) -> None:
    assert stack().preview().operations == {"same": RESOURCES}


def test_a_changed_retention_changes_that_property_of_the_cluster_alone(stack: Callable[..., Stack]) -> None:
    recorder = Recorder()
    stack(database={"backupRetentionDays": 14}).preview(on_event=recorder)
    assert recorder.steps == {"update aws:rds/cluster:Cluster database": ["backupRetentionPeriod"]}


def test_a_further_reader_is_one_more_instance(stack: Callable[..., Stack]) -> None:
    recorder = Recorder()
    stack(database={"readers": 2}).preview(on_event=recorder)
    assert list(recorder.steps) == ["create aws:rds/clusterInstance:ClusterInstance database-3"]


def test_what_cannot_be_changed_is_announced_as_a_replacement(stack: Callable[..., Stack]) -> None:
    recorder = Recorder()
    stack(network={"cidr": "10.99.0.0/16"}).preview(on_event=recorder)
    assert "replace aws:ec2/vpc:Vpc network" in recorder.steps


def test_a_refresh_of_what_nobody_touched_finds_no_drift(stack: Callable[..., Stack]) -> None:
    assert stack().refresh().operations == {"same": RESOURCES}


def test_a_refresh_shows_what_was_changed_behind_the_engines_back(
    stack: Callable[..., Stack], client: Callable[[str], Any], deployed: Deployed
) -> None:
    identifier = deployed[2].outputs["databaseIdentifier"]
    client("rds").modify_db_cluster(
        DBClusterIdentifier=identifier, BackupRetentionPeriod=9, ApplyImmediately=True
    )
    assert stack().refresh().operations == {"same": RESOURCES - 1, "update": 1}
    recorder = Recorder()
    stack().up(on_event=recorder)
    assert recorder.steps == {"update aws:rds/cluster:Cluster database": ["backupRetentionPeriod"]}
    found = client("rds").describe_db_clusters(DBClusterIdentifier=identifier)["DBClusters"][0]
    assert found["BackupRetentionPeriod"] != 9


def test_the_audit_bucket_keeps_what_it_was_given(client: Callable[[str], Any], deployed: Deployed) -> None:
    s3, bucket = client("s3"), deployed[2].outputs["auditBucket"]
    version = s3.put_object(Bucket=bucket, Key="evidence", Body=b"sealed")["VersionId"]
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key="evidence", VersionId=version)
    assert s3.get_object(Bucket=bucket, Key="evidence", VersionId=version)["Body"].read() == b"sealed"


def test_no_secret_lies_in_the_state_in_clear(
    client: Callable[[str], Any], deployed: Deployed, module_aws: Aws
) -> None:
    folder, _, done = deployed
    manager = client("secretsmanager")
    values = [
        text
        for arn in done.outputs["appSecrets"].values()
        for text in json.loads(manager.get_secret_value(SecretId=arn)["SecretString"]).values()
        if len(text) >= 16
    ]
    assert len(values) == 3
    logs = module_aws.home.logs
    for path in [*folder.rglob("*"), *logs.rglob("*")]:
        content = path.read_bytes() if path.is_file() else b""
        assert not [path for value in values if value.encode() in content]


@pytest.mark.parametrize(
    ("rooms", "sentence"),
    [
        ({"databse": {"readers": 1}}, "vanta:databse is .* Did you mean vanta:database[?]"),
        ({"database": {"readers": "two"}}, "vanta:database.readers is two but must be a whole number"),
        ({"database": 5}, "vanta:database is 5 but holds a group of keys"),
        ({"database": {"backupRetentionDays": 36}}, "vanta:database.backupRetentionDays is 36"),
        ({"audit": {"lockMode": "COMPLIANCE"}}, "vanta:audit.lockMode is COMPLIANCE but stack"),
    ],
)
def test_a_refused_value_is_one_sentence_before_any_engine_is_asked(
    rooms: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    config = {f"vanta:{room}": values for room, values in rooms.items()}
    nowhere = tmp_path / "no-engine"
    refused = Stack("local", folder=tmp_path, engine=nowhere, endpoint="http://127.0.0.1:1", config=config)
    for operation in (refused.preview, refused.up):
        with pytest.raises(EngineError, match=sentence) as refusal:
            operation()
        assert len(str(refusal.value).splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_production_stack_needs_a_reader(tmp_path: Path) -> None:
    config = {"vanta:database": {"readers": 0}}
    nowhere = tmp_path / "no-engine"
    refused = Stack("prod", folder=tmp_path, engine=nowhere, endpoint="http://127.0.0.1:1", config=config)
    with pytest.raises(EngineError, match=r"vanta:database\.readers is 0"):
        refused.preview()


def test_what_only_the_region_can_refuse_is_one_sentence_and_registers_nothing(
    engine: Path, module_aws: Aws, tmp_path: Path
) -> None:
    config = {"vanta:network": {"zones": 6}}
    refused = Stack("local", folder=tmp_path, engine=engine, endpoint=module_aws.endpoint, config=config)
    with pytest.raises(EngineError, match=r"vanta:network\.zones is 6 but ") as refusal:
        refused.up()
    assert "Traceback" not in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1
    state = json.loads((tmp_path / "state/.pulumi/stacks/vanta/local.json").read_text())
    resources = state["checkpoint"]["latest"].get("resources") or []
    # Asking the region takes the default provider; that and the stack itself are the engine's own.
    assert {resource["type"].split(":")[0] for resource in resources} <= {"pulumi"}


@pytest.mark.parametrize(
    "config",
    [
        {},
        {
            "vanta:database": {"maxReaders": 5, "restoreSnapshot": "before"},
            "vanta:cache": {"shards": 3},
            "vanta:workload": {"image": ""},
        },
    ],
    ids=["committed", "grown and restored"],
)
def test_production_can_be_previewed(
    engine: Path, module_aws: Aws, tmp_path: Path, config: dict[str, Any]
) -> None:
    stack = Stack("prod", folder=tmp_path, engine=engine, endpoint=module_aws.endpoint, config=config)
    assert stack.preview().operations["create"] > RESOURCES


def test_destroy_leaves_nothing(
    engine: Path, module_aws: Aws, tmp_path: Path, client: Callable[[str], Any]
) -> None:
    everything = {
        "vanta:network": {"nat": "zone", "endpoints": True},
        "vanta:database": {"capacity": "serverless", "maxReaders": 3},
        "vanta:alarms": {"email": "oncall@example.com"},
    }
    stack = Stack("dev", folder=tmp_path, engine=engine, endpoint=module_aws.endpoint, config=everything)
    made = stack.up().operations["create"]
    assert stack.preview().operations == {"same": made}
    assert stack.destroy().operations == {"delete": made}
    assert not [b for b in client("s3").list_buckets()["Buckets"] if "-dev-" in b["Name"]]
    assert not [
        c for c in client("rds").describe_db_clusters()["DBClusters"] if "-dev-" in c["DBClusterIdentifier"]
    ]
    assert not [p for p in module_aws.home.databases.glob("*/*") if "-dev-" in p.name]
    assert not [s for s in client("secretsmanager").list_secrets()["SecretList"] if "-dev-" in s["Name"]]
    assert not client("ec2").describe_addresses()["Addresses"]
    assert not client("ec2").describe_flow_logs()["FlowLogs"]
    assert not [t for t in client("sns").list_topics()["Topics"] if "-dev-" in t["TopicArn"]]
    assert not client("cloudwatch").describe_alarms(AlarmNamePrefix="vanta-dev-")["MetricAlarms"]
