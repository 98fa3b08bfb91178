"""What is in the image, and what is not."""

from pathlib import Path, PurePosixPath

from local.image.archive import Image
from local.image.build import build

SITE = "site-packages"


def _own(image: Image) -> list[PurePosixPath]:
    """The files above the base."""
    return [PurePosixPath(name) for name, entry in image.files(-1).items() if entry.isfile()]


def test_each_layer_is_what_its_digest_says(image: Image) -> None:
    assert image.verify()


def test_labels_say_what_it_is_and_from_where(image: Image) -> None:
    """OCI Image Format Specification, "Annotations"; the workflow gives the commit and the repository."""
    keys = {"title", "licenses", "revision", "source"}
    assert {name.removeprefix("org.opencontainers.image.") for name in image.config["Labels"]} >= keys
    assert image.config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_one_layer_stands_on_the_base(image: Image) -> None:
    assert {path.parts[:2] for path in _own(image)} == {("opt", "vanta")}


def test_of_this_repository_it_carries_the_app_alone(image: Image) -> None:
    packages = {path.parts[path.parts.index(SITE) + 1] for path in _own(image) if SITE in path.parts}
    assert "app" in packages
    assert not packages & {"infra", "local", "tests", "bench", "docs"}


def test_it_carries_the_runtime_dependencies_and_no_tool(image: Image) -> None:
    found = {path.parts[-2].split("-")[0] for path in _own(image) if path.name == "METADATA"}
    assert {
        "asyncpg",
        "boto3",
        "botocore",
        "cffi",
        "click",
        "cryptography",
        "granian",
        "hiredis",
        "jmespath",
        "msgspec",
        "prometheus_client",
        "pycparser",
        "pyjwt",
        "python_dateutil",
        "s3transfer",
        "six",
        "structlog",
        "urllib3",
        "uvloop",
        "vanta",
    } == found
    # python:slim brings a pip of its own; what stands above the base brings none.
    assert not {"pip", "pip3"} & {path.name for path in _own(image)}
    tools = {"uv", "uvx", "gcc", "cc", "make", "git", "curl", "pulumi", "pytest", "ruff", "ty"}
    everything = [name for layer in range(len(image.layers)) for name in image.files(layer)]
    assert not tools & {PurePosixPath(name).name for name in everything}


def test_the_migrations_are_in_it(image: Image) -> None:
    assert [path for path in _own(image) if "migrations" in path.parts and path.suffix == ".sql"]


def test_nothing_of_it_belongs_to_who_runs_it_or_can_be_written(image: Image) -> None:
    for name, entry in image.files(-1).items():
        assert (entry.uid, entry.gid) == (0, 0), name
        assert entry.issym() or not entry.mode & 0o022, name


def test_no_file_of_it_raises_privileges(image: Image) -> None:
    assert not [name for name, entry in image.files(-1).items() if entry.mode & 0o6000]


def test_it_runs_as_a_number_that_is_not_root(image: Image) -> None:
    assert image.config["User"] == "65532:65532"


def test_it_ends_on_sigterm_and_says_how_it_is(image: Image) -> None:
    assert image.config["StopSignal"] == "SIGTERM"
    assert image.config["Healthcheck"]["Test"] == ["CMD", "python", "-m", "app", "health"]


def test_a_second_build_with_nothing_cached_gives_the_same_layers(image: Image, tmp_path: Path) -> None:
    archive = tmp_path / "again.tar"
    build(archive, fresh=True)
    assert Image(archive).layers == image.layers
