"""The workflows: what they may do, what they run, and that the comment of one stack is never another's."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.pulumi.engine import VERSION

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in FILES}
JOBS = {(name, job): body for name, workflow in WORKFLOWS.items() for job, body in workflow["jobs"].items()}
WRITING = {"pull-requests", "issues"}


def triggers(name: str) -> Any:
    return WORKFLOWS[name][True]  # YAML 1.1 reads the key `on` as a truth


def steps(job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from job["steps"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_its_commit_with_its_version_beside_it(path: Path) -> None:
    uses = [line.strip() for line in path.read_text().splitlines() if "uses:" in line]
    assert uses
    for line in uses:
        assert re.fullmatch(r"(- )?uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_one_action_has_one_version_everywhere() -> None:
    used = {step["uses"] for job in JOBS.values() for step in steps(job) if "uses" in step}
    assert len(used) == len({each.split("@")[0] for each in used})


def test_nothing_is_allowed_that_a_job_does_not_ask_for() -> None:
    assert all(workflow["permissions"] == {} for workflow in WORKFLOWS.values())
    assert all(isinstance(job["permissions"], dict) for job in JOBS.values())


def test_whoever_may_write_to_the_repository_runs_nothing_of_a_pull_request() -> None:
    writers = [
        job for job in JOBS.values() if WRITING & {k for k, v in job["permissions"].items() if v == "write"}
    ]
    assert len(writers) == 2
    for job in writers:
        assert not [step for step in steps(job) if step.get("uses", "").startswith("actions/checkout@")]
        assert "id-token" not in job["permissions"]


def test_no_checkout_leaves_its_token_behind() -> None:
    for job in JOBS.values():
        for step in steps(job):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_there_is_no_long_lived_secret_and_no_fork_gets_a_role() -> None:
    assert not [path for path in FILES if "secrets." in path.read_text()]
    assert not [
        path for path in FILES if re.search(r"^\s*pull_request_target", path.read_text(), re.MULTILINE)
    ]
    guard = "github.event.pull_request.head.repo.full_name == github.repository"
    for name, workflow in WORKFLOWS.items():
        for job in workflow["jobs"].values():
            if "id-token" in job["permissions"] and "pull_request" in triggers(name):
                asked = job["needs"]
                assert (
                    guard in workflow["jobs"][asked].get("if", "")
                    or job.get("if") == "github.event_name == 'push'"
                )


def test_a_role_is_only_taken_in_an_environment() -> None:
    for job in JOBS.values():
        assert ("id-token" in job["permissions"]) == ("environment" in job)


def test_every_workflow_ends_and_waits_for_its_like() -> None:
    assert all("concurrency" in workflow for workflow in WORKFLOWS.values())
    assert all(job["timeout-minutes"] <= 120 for job in JOBS.values())


def test_a_deployment_is_reviewed_again_and_goes_stack_by_stack() -> None:
    job = WORKFLOWS["deploy"]["jobs"]["up"]
    runs = [step.get("run", "") for step in steps(job)]
    review = next(at for at, run in enumerate(runs) if "infra.review" in run)
    update = next(at for at, run in enumerate(runs) if "pulumi up" in run)
    assert review < update
    assert job["strategy"]["max-parallel"] == 1
    assert job["strategy"]["fail-fast"] is True
    assert WORKFLOWS["deploy"]["concurrency"]["cancel-in-progress"] is False


def test_whoever_edits_the_review_or_the_workflows_is_looked_at() -> None:
    lines = (ROOT / ".github" / "CODEOWNERS").read_text().splitlines()
    rules = [line.split() for line in lines if line and not line.startswith("#")]
    deciding = {"/infra/review/", "/infra/bootstrap/", "/infra/settings/", "/infra/aws/audit.py", "/.github/"}
    assert deciding | {"/Pulumi.yaml", "/Pulumi.*.yaml"} <= {path for path, *_ in rules}
    for path, *owners in rules:
        assert all(found.is_dir() == path.endswith("/") for found in ROOT.glob(path.strip("/")))
        assert list(ROOT.glob(path.strip("/")))
        assert owners
        assert all(re.fullmatch(r"@[\w-]+/[\w-]+", owner) for owner in owners)


def test_an_image_goes_where_the_program_says_and_has_the_time_of_its_commit(prod: Any) -> None:
    publish, build = (WORKFLOWS["image"]["jobs"][job] for job in ("publish", "build"))
    assert publish["env"]["IMAGE"] == "${{ vars.REGISTRY_URL }}"
    # The account's registry, which it signs in to, and after the first slash the repository.
    assert re.fullmatch(
        r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/vanta-prod-images/api", prod.outputs["registryUrl"]
    )
    assert any('"${IMAGE%%/*}"' in step.get("run", "") for step in steps(publish))
    (built,) = [step["run"] for step in steps(build) if "buildx build" in step.get("run", "")]
    assert "SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)" in built
    assert "rewrite-timestamp=true" in built


def test_the_runners_install_the_engine_that_is_tested() -> None:
    assert f"\nversion={VERSION}\n" in (ROOT / ".github" / "pulumi.sh").read_text()


def test_a_stack_is_previewed_because_its_configuration_file_is_there(tmp_path: Path) -> None:
    for name in (
        "Pulumi.yaml",
        "Pulumi.prod.yaml",
        "Pulumi.local.yaml",
        "Pulumi.dev.yaml",
        "Pulumi.eu-7.yaml",
    ):
        (tmp_path / name).touch()
    (tmp_path / 'Pulumi.a"b.yaml').touch()
    printed = subprocess.run(
        [ROOT / ".github" / "stacks.sh"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert printed == 'names=["dev","eu-7","prod"]\n'


GH = """\
#!/usr/bin/env bash
# The two things that `gh api` is asked for: the comments there are, and to write one.
if [[ " $* " == *" --jq "* ]]; then
    while [ "$1" != --jq ]; do shift; done
    exec jq --raw-output "$2" "$FAKE/comments.json"
fi
echo "$*" >> "$FAKE/written"
"""


@pytest.mark.skipif(shutil.which("jq") is None, reason="the stand-in for gh needs jq, which runners have")
def test_a_stack_renews_its_own_comment_and_no_other(tmp_path: Path) -> None:
    (run,) = [step["run"] for step in steps(WORKFLOWS["preview"]["jobs"]["comment"]) if "run" in step]
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)

    def marker(project: str, stack: str) -> str:
        return f"<!-- infra.review project={project} stack={stack} -->"

    for stack in ("dev", "prod"):
        folder = tmp_path / "comments" / f"comment-{stack}"
        folder.mkdir(parents=True)
        (folder / "comment.md").write_text(f"{marker('vanta', stack)}\nnew\n")
    existing = [
        {"id": 1, "user": {"login": "someone"}, "body": f"{marker('vanta', 'dev')}\nno workflow's"},
        {"id": 2, "user": {"login": "github-actions[bot]"}, "body": f"{marker('atlas', 'dev')}\nold"},
        {"id": 3, "user": {"login": "github-actions[bot]"}, "body": f"{marker('vanta', 'dev')}\nold"},
    ]
    (tmp_path / "comments.json").write_text(json.dumps(existing))
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "FAKE": str(tmp_path),
        "COMMENTS": "all",
        "ONE": "one",
    }
    subprocess.run(["bash", "-e", "-c", run], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "written").read_text().splitlines() == [
        "api --silent --method PATCH one/3 --field body=@comments/comment-dev/comment.md",
        "api --silent --method POST all --field body=@comments/comment-prod/comment.md",
    ]
