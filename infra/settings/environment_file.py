"""The file of variables that a stack file names: what pods of another cluster see otherwise than the stack says."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from infra.refusal import refusal


def overlay(file: str) -> Mapping[str, str]:
    """The lines ``NAME=value`` of ``file``, empty ones and those that begin with # left out; nothing without a file.

    Raises:
        SettingsError: a line is none of these.
    """
    if not file:
        return {}
    found = {}
    for line in Path(file).read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not (equals and name.isidentifier() and name.isupper()):
            raise refusal(
                "workload.environmentFile",
                file,
                f'but its line "{name[:40]}" sets no variable',
                "Write each as NAME=value",
            )
        found[name] = value
    return found


def endpoint_ports(environment: Mapping[str, str]) -> list[int]:
    """The ports of services that ``environment`` names by their URL, such as ``AWS_ENDPOINT_URL``."""
    urls = (urlsplit(value) for value in environment.values() if value.startswith(("http://", "https://")))
    return sorted({url.port for url in urls if url.port})
