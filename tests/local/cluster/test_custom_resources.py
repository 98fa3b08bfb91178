"""Which custom resources a cluster is told of: those of the program, in the versions that it pins."""

from pathlib import Path

import pytest

from local import go
from local.cluster import crds
from local.cluster.error import ClusterError


def test_a_definition_is_taken_without_the_webhook_that_nobody_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "all.yaml").write_text(
        "metadata: {name: wanted.example}\nspec: {conversion: {strategy: Webhook}, group: example}\n---\n"
        "metadata: {name: other.example}\nspec: {}\n"
    )
    monkeypatch.setattr(crds, "_SOURCES", {"example@v1": {"all.yaml": ("wanted.example",)}})
    monkeypatch.setattr(go, "download", lambda _: tmp_path)
    assert list(crds.definitions()) == [
        {"metadata": {"name": "wanted.example"}, "spec": {"group": "example"}}
    ]


def test_a_module_that_cannot_be_had_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> Path:
        raise go.GoError("dial tcp: no such host")

    monkeypatch.setattr(go, "download", refuse)
    with pytest.raises(ClusterError, match=r"no such host. Reach the Go module proxy \(GOPROXY\)"):
        list(crds.definitions())
