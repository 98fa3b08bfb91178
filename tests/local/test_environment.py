"""The app finds its secrets as files and everything else in its environment."""

import json
import re
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from local.environment import PASSED_ON, app_environment, mount_secrets
from local.home import REPOSITORY, Home

REGION = "eu-west-1"
# moto answers for AWS's own address alone.
ENDPOINT = f"https://secretsmanager.{REGION}.amazonaws.com"
OUTPUTS = {"appEnvironment": {"VANTA_DATABASE_HOST": "127.0.0.1", "AWS_REGION": REGION}}


@mock_aws
def test_each_secret_is_a_file_for_its_owner_alone_and_follows_a_rotation(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    manager = boto3.client(
        "secretsmanager", region_name=REGION, aws_access_key_id="000000000000", aws_secret_access_key="x"
    )
    secret = json.dumps({"authToken": "first"})
    arn = manager.create_secret(Name="cache", SecretString=secret)["ARN"]
    folder = mount_secrets(home, {"cache": arn}, ENDPOINT, REGION)
    assert (folder / "cache").read_text() == secret
    assert (folder / "cache").stat().st_mode & 0o777 == 0o600
    manager.put_secret_value(SecretId=arn, SecretString="rotated")
    mount_secrets(home, {"cache": arn}, ENDPOINT, REGION)
    assert (folder / "cache").read_text() == "rotated"


def test_the_environment_has_no_secret_and_trusts_the_homes_own_authority(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    environment = app_environment(home, OUTPUTS, "http://127.0.0.1:1", secrets=tmp_path / "s", port=20001)
    assert environment["VANTA_SECRETS_DIR"] == str(tmp_path / "s")
    assert environment["VANTA_LISTEN_PORT"] == "20001"
    assert Path(environment["VANTA_DATABASE_CA"]).read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert OUTPUTS["appEnvironment"].items() <= environment.items()


def test_what_only_the_user_decides_is_passed_on_and_what_the_stack_decides_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VANTA_WEBHOOK_PRIVATE", "allow")
    monkeypatch.setenv("VANTA_DATABASE_HOST", "elsewhere.example")
    monkeypatch.setenv("VANTA_LISTEN_PORT", "1")
    home = Home.at(tmp_path / "home")
    environment = app_environment(home, OUTPUTS, "http://127.0.0.1:1", secrets=tmp_path / "s", port=20001)
    assert environment["VANTA_WEBHOOK_PRIVATE"] == "allow"
    assert environment["VANTA_DATABASE_HOST"] == "127.0.0.1"
    assert environment["VANTA_LISTEN_PORT"] == "20001"


def test_every_setting_comes_from_the_stack_or_this_machine_or_is_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PASSED_ON:
        monkeypatch.setenv(name, "set")
    home = Home.at(tmp_path / "home")
    environment = app_environment(home, OUTPUTS, "http://127.0.0.1:1", secrets=tmp_path / "s", port=20001)
    documented = re.findall(
        r"^\| `(VANTA_\w+)`", (REPOSITORY / "docs/reference/settings.md").read_text(), re.MULTILINE
    )
    of_the_stack = re.findall(r'"(VANTA_\w+)"', (REPOSITORY / "infra/environment.py").read_text())
    assert {*documented} <= {*environment, *of_the_stack}
