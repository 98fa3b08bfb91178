"""What the bootstrap makes, used by the real engine: state and secrets in one region, and in the other when the first is lost."""

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pulumi
import pulumi_random
import pytest
from botocore.exceptions import ClientError
from pulumi import automation as auto

from infra.bootstrap import rights
from infra.bootstrap.plan import Plan, Stack
from local.aws.emulator import Aws
from local.provider.random import RandomProvider
from local.provider.server import serving

HOME, OTHER = "eu-west-1", "eu-central-1"
FILE = ".pulumi/stacks/vanta/prod.json"


@dataclass(frozen=True, kw_only=True)
class Backend:
    """An account after the bootstrap, and the engine that keeps its state there."""

    aws: Aws
    account: str
    folder: Path

    def client(self, service: str, region: str) -> Any:
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.aws.endpoint,
            aws_access_key_id=self.account,
            aws_secret_access_key="any",
        )

    def bucket(self, region: str) -> str:
        return f"vanta-state-{self.account}-{region}"

    def object(self, region: str, key: str = FILE) -> bytes:
        return self.client("s3", region).get_object(Bucket=self.bucket(region), Key=key)["Body"].read()

    def versions(self, region: str) -> list[tuple[str, str]]:
        """Every version and delete marker that a bucket holds."""
        answer = self.client("s3", region).list_object_versions(Bucket=self.bucket(region))
        return sorted(
            (each["Key"], each["VersionId"])
            for kind in ("Versions", "DeleteMarkers")
            for each in answer.get(kind, [])
        )

    def key_id(self, region: str) -> str:
        return self.client("kms", region).describe_key(KeyId="alias/vanta-state")["KeyMetadata"]["KeyId"]

    def stack(self, providers: str, region: str) -> auto.Stack:
        """The stack prod with a generated password in it, as a runner in ``region`` opens it."""

        def program() -> None:
            pulumi.export("password", pulumi_random.RandomPassword("password", length=24).result)

        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        options = auto.LocalWorkspaceOptions(
            work_dir=str(work),
            pulumi_home=str(self.folder / "engine"),
            pulumi_command=auto.PulumiCommand(root=str(self.folder), skip_version_check=True),
            project_settings=auto.ProjectSettings(name="vanta", runtime="python"),
            secrets_provider="awskms://alias/vanta-state?context_stack=prod",
            env_vars={
                # What follows the region is the emulator's; AWS itself needs none of it.
                "PULUMI_BACKEND_URL": f"s3://{self.bucket(region)}?region={region}&endpoint={self.aws.endpoint}&s3ForcePathStyle=true",
                "AWS_ENDPOINT_URL": self.aws.endpoint,
                "AWS_ACCESS_KEY_ID": self.account,
                "AWS_SECRET_ACCESS_KEY": "any",
                "AWS_REGION": region,
                "PULUMI_DEBUG_PROVIDERS": providers,
                "PULUMI_SKIP_UPDATE_CHECK": "true",
                "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            },
        )
        return auto.create_or_select_stack("prod", "vanta", program, opts=options)


@pytest.fixture(scope="module")
def providers() -> Generator[str]:
    """The provider of the password."""
    with serving(RandomProvider()) as listening:
        yield listening


@pytest.fixture(scope="module")
def account(aws: Aws) -> Generator[Callable[[str], None]]:
    """``account(number)``: take the credentials of an account of the emulator, which is empty until something is made in it."""
    with pytest.MonkeyPatch.context() as patch:

        def use(number: str) -> None:
            for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
                patch.delenv(name, raising=False)
            patch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
            patch.setenv("AWS_ACCESS_KEY_ID", number)
            patch.setenv("AWS_SECRET_ACCESS_KEY", "any")

        yield use


@pytest.fixture(scope="module")
def bootstrapped(
    aws: Aws,
    engine: Path,
    tmp_path_factory: pytest.TempPathFactory,
    run: Callable[..., Any],
    account: Callable[[str], None],
) -> Callable[[str], Backend]:
    """``bootstrapped(number)``: that account after the bootstrap."""

    def make(number: str) -> Backend:
        account(number)
        ran = run(stacks="prod")
        assert ran.code == 0, ran.err
        folder = tmp_path_factory.mktemp("runner")
        (folder / "bin").mkdir()
        (folder / "bin" / "pulumi").symlink_to(engine)
        return Backend(aws=aws, account=number, folder=folder)

    return make


@pytest.fixture(scope="module")
def backend(bootstrapped: Callable[[str], Backend], providers: str) -> Backend:
    """An account in which the stack has been brought up once."""
    backend = bootstrapped("210000000001")
    backend.stack(providers, HOME).up()
    return backend


def test_a_run_makes_no_change_that_a_dry_run_does_not_tell_and_a_second_run_makes_none(
    run: Callable[..., Any], account: Callable[[str], None]
) -> None:
    account("210000000002")
    told, done, again = (
        json.loads(run("--json", *flags).out)["changes"] for flags in (["--dry-run"], [], [])
    )
    assert len(done) > 50
    # A new bucket has defaults, which a dry run cannot see.
    assert {change.replace(": mend ", ": set ") for change in done} <= set(told)
    assert again == []


def test_the_replica_is_encrypted_by_a_key_that_outlives_the_first(backend: Backend) -> None:
    keys = [
        backend.client("kms", region).describe_key(KeyId="alias/vanta-state")["KeyMetadata"]
        for region in (HOME, OTHER)
    ]
    assert len({key["KeyId"] for key in keys}) == 1
    assert [key["MultiRegionConfiguration"]["MultiRegionKeyType"] for key in keys] == ["PRIMARY", "REPLICA"]


def test_the_state_is_in_both_regions_and_its_secrets_are_in_neither_in_clear(
    backend: Backend, providers: str
) -> None:
    password = backend.stack(providers, HOME).outputs()["password"]
    assert password.secret
    assert len(password.value) == 24
    first, second = backend.object(HOME), backend.object(OTHER)
    assert first == second
    assert password.value.encode() not in first
    kept = json.loads(first)["checkpoint"]["latest"]["secrets_providers"]
    assert kept["type"] == "cloud"
    assert kept["state"]["url"] == "awskms://alias/vanta-state?context_stack=prod"


def test_what_the_engine_writes_is_what_a_deployment_may_write(
    backend: Backend, providers: str, plan: Plan, allowed: Callable[..., bool]
) -> None:
    before = set(backend.versions(HOME))
    backend.stack(providers, HOME).up()
    written = {key for key, _ in set(backend.versions(HOME)) - before}
    assert {key.split("/")[1] for key in written} >= {"locks", "history"}
    prod = Stack(name="prod")
    said = rights.state_write(plan, prod, "mrk-1")
    for key in written:
        arn = f"{plan.bucket_arn(HOME)}/{key}"
        assert all(allowed(said, f"s3:{verb}Object", arn) for verb in ("Get", "Put", "Delete")), key


def test_a_preview_and_a_look_for_drift_write_nothing(backend: Backend, providers: str) -> None:
    stack = backend.stack(providers, HOME)
    before = backend.versions(HOME)
    stack.preview()
    stack.preview_refresh()
    assert backend.versions(HOME) == before


def test_the_secrets_of_one_stack_do_not_open_in_the_name_of_another(backend: Backend) -> None:
    kms = backend.client("kms", HOME)
    kept = kms.encrypt(
        KeyId="alias/vanta-state", Plaintext=b"a data key", EncryptionContext={"stack": "prod"}
    )["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=kept, EncryptionContext={"stack": "prod"})["Plaintext"] == b"a data key"
    with pytest.raises(ClientError):
        kms.decrypt(CiphertextBlob=kept, EncryptionContext={"stack": "dev"})


def test_a_stack_goes_on_in_the_second_region_when_the_first_is_lost(
    bootstrapped: Callable[[str], Backend], providers: str
) -> None:
    backend = bootstrapped("210000000003")
    password = backend.stack(providers, HOME).up().outputs["password"].value

    s3, kms = backend.client("s3", HOME), backend.client("kms", HOME)
    for key, version in backend.versions(HOME):
        s3.delete_object(Bucket=backend.bucket(HOME), Key=key, VersionId=version)
    s3.delete_bucket(Bucket=backend.bucket(HOME))
    kms.disable_key(KeyId=backend.key_id(HOME))
    kms.delete_alias(AliasName="alias/vanta-state")

    stack = backend.stack(providers, OTHER)
    assert stack.outputs()["password"].value == password
    after = stack.up()
    assert after.summary.resource_changes == {"same": 2}
    assert after.outputs["password"].value == password


def test_the_second_region_copies_back(backend: Backend, providers: str) -> None:
    backend.stack(providers, OTHER).up()
    assert backend.object(HOME) == backend.object(OTHER)
