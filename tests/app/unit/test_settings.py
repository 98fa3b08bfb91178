"""Settings from the environment."""

import json
from pathlib import Path

import pytest

from app.settings import Secrets, Settings, SettingsError


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        "VANTA_DATABASE_HOST": "db.example",
        "VANTA_DATABASE_PORT": "5432",
        "VANTA_DATABASE_NAME": "vanta",
        "VANTA_CACHE_HOST": "cache.example",
        "VANTA_CACHE_PORT": "6379",
        "VANTA_SECRETS_DIR": str(tmp_path),
    }


def test_defaults_listen_to_this_machine_only(environment: dict[str, str]) -> None:
    settings = Settings.from_environment(environment)
    assert (settings.listen_host, settings.listen_port, settings.workers) == ("127.0.0.1", 8080, 1)
    assert settings.database.ca is None


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("VANTA_DATABASE_HOST", "", "appEnvironment"),
        ("VANTA_DATABASE_PORT", "five", "whole number from 1 to 65535"),
        ("VANTA_CACHE_PORT", "70000", "whole number from 1 to 65535"),
        ("VANTA_WORKERS", "0", "from 1 to 64"),
        ("VANTA_DRAIN_SECONDS", "-1", "from 0 to 300"),
        ("VANTA_LOG_LEVEL", "loud", "one of debug, info, warning, error"),
        ("VANTA_SECRETS_DIR", "/nowhere", "where the secret files are mounted"),
        ("VANTA_DATABASE_CA", "/nowhere.pem", "CA bundle"),
        ("VANTA_KMS_KEY_ARN", "alias/vanta-prod-application", "ARN of a KMS key"),
        ("VANTA_DATA_KEY_SECONDS", "0", "from 1 to 3600"),
        ("VANTA_DATA_KEY_DAYS", "366", "from 1 to 365"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_remedy(
    environment: dict[str, str], name: str, value: str, remedy: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environment({**environment, name: value})
    assert name in str(refused.value)
    assert remedy in str(refused.value)
    assert value in str(refused.value)


def test_a_rotated_secret_is_read_without_a_restart(tmp_path: Path) -> None:
    secrets = Secrets(folder=tmp_path)
    for password in ("old", "new"):
        (tmp_path / "database-app").write_text(json.dumps({"username": "app", "password": password}))
        assert secrets.login("database-app").password == password


@pytest.mark.parametrize(
    "content", ["hunter2", '["hunter2"]', '{"password": "hunter2"}', '{"username": 1, "password": "hunter2"}']
)
def test_a_wrong_secret_file_is_named_but_never_quoted(tmp_path: Path, content: str) -> None:
    (tmp_path / "database-app").write_text(content)
    with pytest.raises(SettingsError) as refused:
        Secrets(folder=tmp_path).login("database-app")
    assert "database-app" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_missing_secret_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        Secrets(folder=tmp_path).cache_token()


def test_a_password_never_shows(tmp_path: Path) -> None:
    (tmp_path / "database-app").write_text(json.dumps({"username": "app", "password": "hunter2"}))
    assert "hunter2" not in repr(Secrets(folder=tmp_path).login("database-app"))
